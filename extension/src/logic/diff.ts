// Two texts or two units side by side: difference is shown, sameness is folded to a count.
import { diffArrays, diffWordsWithSpace } from "diff";
import type { Json, Message, UnitBody } from "../model";

export interface Part {
  text: string;
  /** Whether this part differs from the other side. */
  marked: boolean;
}

export interface Side {
  number: number;
  parts: Part[];
}

export interface Line {
  kind: "same" | "changed" | "removed" | "added";
  left: Side | null;
  right: Side | null;
}

export type Block = { folded: false; lines: Line[] } | { folded: true; lines: Line[] };

/** Below this share of common letters two lines are marked whole: word by word would only confuse. */
const ALIKE = 0.4;

/** A comparison that takes longer than this many milliseconds is of texts with next to nothing in common. */
const PATIENCE = 250;

export function words(left: string, right: string): { left: Part[]; right: Part[]; alike: number } {
  const sides = { left: [] as Part[], right: [] as Part[] };
  let common = 0;
  const changes = diffWordsWithSpace(left, right, { timeout: PATIENCE }) ?? [
    { value: left, removed: true, added: false },
    { value: right, removed: false, added: true },
  ];
  for (const change of changes) {
    if (!change.added) sides.left.push({ text: change.value, marked: change.removed });
    if (!change.removed) sides.right.push({ text: change.value, marked: change.added });
    if (!change.added && !change.removed) common += change.value.trim().length;
  }
  const both = Math.max(left.trim().length + right.trim().length, 1);
  return { ...sides, alike: (2 * common) / both };
}

/** Which lines of a replaced stretch belong together: in order, and as much alike in all as can be. */
function matches(gone: readonly string[], fresh: readonly string[]): [number, number][] {
  // A comparison of every line with every other is quadratic; a stretch that long has changed altogether.
  if (gone.length * fresh.length > 2500) return [];
  const alike = gone.map((before) =>
    fresh.map((after) => {
      const share = before.trim() && after.trim() ? words(before, after).alike : 0;
      return share >= ALIKE ? share : 0;
    }),
  );
  const best = Array.from({ length: gone.length + 1 }, () => new Array<number>(fresh.length + 1).fill(0));
  const score = (a: number, b: number) => best[a]?.[b] ?? 0;
  const share = (a: number, b: number) => alike[a]?.[b] ?? 0;
  for (let a = gone.length - 1; a >= 0; a -= 1) {
    for (let b = fresh.length - 1; b >= 0; b -= 1) {
      const together = share(a, b) ? share(a, b) + score(a + 1, b + 1) : 0;
      (best[a] as number[])[b] = Math.max(together, score(a + 1, b), score(a, b + 1));
    }
  }
  const found: [number, number][] = [];
  let [a, b] = [0, 0];
  while (a < gone.length && b < fresh.length && score(a, b) > 0) {
    if (share(a, b) && score(a, b) === share(a, b) + score(a + 1, b + 1)) found.push([a++, b++]);
    else if (score(a + 1, b) >= score(a, b + 1)) a += 1;
    else b += 1;
  }
  return found;
}

export function lines(left: string, right: string): Line[] {
  const found: Line[] = [];
  let leftAt = 0;
  let rightAt = 0;
  let gone: string[] = [];
  const side = (number: number, text: string, marked: boolean): Side => ({
    number,
    parts: [{ text, marked }],
  });

  const put = (before: string | undefined, after: string | undefined, alike: boolean) => {
    if (before !== undefined) leftAt += 1;
    if (after !== undefined) rightAt += 1;
    if (before !== undefined && after !== undefined) {
      const compared = alike ? words(before, after) : null;
      found.push({
        kind: "changed",
        left: compared ? { number: leftAt, parts: compared.left } : side(leftAt, before, true),
        right: compared ? { number: rightAt, parts: compared.right } : side(rightAt, after, true),
      });
    } else if (before !== undefined) {
      found.push({ kind: "removed", left: side(leftAt, before, true), right: null });
    } else if (after !== undefined) {
      found.push({ kind: "added", left: null, right: side(rightAt, after, true) });
    }
  };

  const replace = (fresh: string[]) => {
    let [a, b] = [0, 0];
    for (const [nextA, nextB] of [...matches(gone, fresh), [gone.length, fresh.length] as const]) {
      for (; a < nextA || b < nextB; )
        put(a < nextA ? gone[a++] : undefined, b < nextB ? fresh[b++] : undefined, false);
      if (nextA < gone.length) put(gone[a++], fresh[b++], true);
    }
    gone = [];
  };

  const [before, after] = [left.split("\n"), right.split("\n")];
  const changes = diffArrays(before, after, { timeout: PATIENCE }) ?? [
    { value: before, removed: true, added: false },
    { value: after, removed: false, added: true },
  ];
  for (const change of changes) {
    if (change.removed) {
      gone = change.value;
    } else if (change.added) {
      replace(change.value);
    } else {
      replace([]);
      for (const text of change.value) {
        leftAt += 1;
        rightAt += 1;
        found.push({ kind: "same", left: side(leftAt, text, false), right: side(rightAt, text, false) });
      }
    }
  }
  replace([]);
  return found;
}

/** Folds runs of equal lines, leaving some around each difference; a fold of fewer than three lines is not worth a click. */
export function fold(all: readonly Line[], context = 2): Block[] {
  const keep = all.map(() => false);
  all.forEach((line, at) => {
    if (line.kind === "same") return;
    for (let near = Math.max(0, at - context); near <= Math.min(all.length - 1, at + context); near += 1) {
      keep[near] = true;
    }
  });
  const blocks: Block[] = [];
  let at = 0;
  while (at < all.length) {
    let end = at;
    while (end < all.length && keep[end] === keep[at]) end += 1;
    const part = all.slice(at, end);
    const folded = !keep[at] && part.length >= 3;
    const last = blocks.at(-1);
    if (!folded && last && !last.folded) last.lines.push(...part);
    else blocks.push({ folded, lines: part });
    at = end;
  }
  return blocks;
}

/** A message's content as text: templates as they are, anything else as JSON. */
export function messageText(message: Message): string {
  if (typeof message.content === "string" && isPlain(message)) return message.content;
  const { role: _, ...rest } = message;
  return JSON.stringify(rest, null, 2);
}

/** Whether a message is a role and a text and nothing else, so that a text editor can hold it. */
export function isPlain(message: Message): boolean {
  return (
    typeof message.content === "string" &&
    Object.keys(message).every((key) => key === "role" || key === "content")
  );
}

export interface MessagePair {
  left: Message | null;
  right: Message | null;
  leftAt: number | null;
  rightAt: number | null;
  same: boolean;
}

/** Lays messages beside each other: equal ones first, then in order those of the same role between them. */
export function pairMessages(left: readonly Message[], right: readonly Message[]): MessagePair[] {
  const pairs: MessagePair[] = [];
  let leftAt = 0;
  let rightAt = 0;
  let gone: Message[] = [];

  const settle = (fresh: Message[]) => {
    const waiting = [...fresh];
    for (const message of gone) {
      const mate = waiting.findIndex((other) => other.role === message.role);
      if (mate === -1) {
        pairs.push({ left: message, right: null, leftAt: leftAt++, rightAt: null, same: false });
        continue;
      }
      for (const before of waiting.splice(0, mate)) {
        pairs.push({ left: null, right: before, leftAt: null, rightAt: rightAt++, same: false });
      }
      const other = waiting.shift() ?? null;
      pairs.push({ left: message, right: other, leftAt: leftAt++, rightAt: rightAt++, same: false });
    }
    for (const message of waiting) {
      pairs.push({ left: null, right: message, leftAt: null, rightAt: rightAt++, same: false });
    }
    gone = [];
  };

  const changes = diffArrays([...left], [...right], { comparator: (a, b) => stable(a) === stable(b) });
  for (const change of changes) {
    if (change.removed) gone = change.value;
    else if (change.added) settle(change.value);
    else {
      settle([]);
      for (const message of change.value) {
        pairs.push({ left: message, right: message, leftAt: leftAt++, rightAt: rightAt++, same: true });
      }
    }
  }
  settle([]);
  return pairs;
}

/** JSON with sorted keys, so that two equal values read equal. */
export function stable(value: unknown): string {
  return JSON.stringify(value, (_, inner) =>
    inner && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

export interface Field {
  name: string;
  left: string | null;
  right: string | null;
  same: boolean;
}

/** Everything of a unit besides its template, one field a line. */
export function fields(left: UnitBody, right: UnitBody): Field[] {
  const found: Field[] = [];
  const add = (name: string, a: unknown, b: unknown) => {
    const [before, after] = [shown(a), shown(b)];
    if (before === null && after === null) return;
    found.push({ name, left: before, right: after, same: stable(a ?? null) === stable(b ?? null) });
  };
  const each = (name: string, a: Record<string, unknown>, b: Record<string, unknown>) => {
    for (const key of [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()) {
      add(`${name}.${key}`, a[key], b[key]);
    }
  };
  add("kind", left.kind, right.kind);
  add("model", left.model || null, right.model || null);
  each("params", left.params, right.params);
  each("variables", left.variables, right.variables);
  add("tools", left.tools, right.tools);
  add("tool_choice", left.tool_choice, right.tool_choice);
  add("response_format", left.response_format, right.response_format);
  each("inputs", left.inputs, right.inputs);
  return found;
}

function shown(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "string") return value;
  const short = JSON.stringify(value);
  return short.length <= 60 ? short : JSON.stringify(JSON.parse(stable(value)) as Json, null, 2);
}
