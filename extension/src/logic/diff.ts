// Two texts or two units side by side: difference is shown, sameness is folded to a count.
import { diffArrays, diffWordsWithSpace } from "diff";
import type { Message } from "../model";

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
  /** Both sides in one: what went, then what came, where it stands. */
  inline: Word[];
}

export interface Word {
  text: string;
  sort: "same" | "removed" | "added";
}

export interface Block<T> {
  folded: boolean;
  lines: T[];
}

/** Below this share of common letters two lines are marked whole: word by word would only confuse. */
const ALIKE = 0.4;

/** A comparison that takes longer than this many milliseconds is of texts with next to nothing in common. */
const PATIENCE = 250;

export function words(
  left: string,
  right: string,
): { left: Part[]; right: Part[]; inline: Word[]; alike: number } {
  const sides = { left: [] as Part[], right: [] as Part[], inline: [] as Word[] };
  let common = 0;
  const changes = diffWordsWithSpace(left, right, { timeout: PATIENCE }) ?? [
    { value: left, removed: true, added: false },
    { value: right, removed: false, added: true },
  ];
  for (const change of changes) {
    if (!change.added) sides.left.push({ text: change.value, marked: change.removed });
    if (!change.removed) sides.right.push({ text: change.value, marked: change.added });
    sides.inline.push({
      text: change.value,
      sort: change.added ? "added" : change.removed ? "removed" : "same",
    });
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
        inline: compared?.inline ?? [
          { text: before, sort: "removed" },
          { text: before && after ? " " : "", sort: "same" },
          { text: after, sort: "added" },
        ],
      });
    } else if (before !== undefined) {
      found.push({
        kind: "removed",
        left: side(leftAt, before, true),
        right: null,
        inline: [{ text: before, sort: "removed" }],
      });
    } else if (after !== undefined) {
      found.push({
        kind: "added",
        left: null,
        right: side(rightAt, after, true),
        inline: [{ text: after, sort: "added" }],
      });
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
        found.push({
          kind: "same",
          left: side(leftAt, text, false),
          right: side(rightAt, text, false),
          inline: [{ text, sort: "same" }],
        });
      }
    }
  }
  replace([]);
  return found;
}

/** Folds runs of equal lines, leaving some around each difference; a fold of fewer than three lines is not worth a click. */
export function fold<T extends { kind: string }>(all: readonly T[], context = 2): Block<T>[] {
  const keep = all.map(() => false);
  all.forEach((line, at) => {
    if (line.kind === "same") return;
    for (let near = Math.max(0, at - context); near <= Math.min(all.length - 1, at + context); near += 1) {
      keep[near] = true;
    }
  });
  const blocks: Block<T>[] = [];
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
  /** Whether it stands elsewhere among the messages than it did. */
  moved: boolean;
}

interface Placed {
  message: Message;
  at: number;
}

/**
 * Lays messages beside each other: equal ones first, wherever they stand; then in order those of the same role between
 * them; then those that are alike, wherever they stand.
 */
export function pairMessages(left: readonly Message[], right: readonly Message[]): MessagePair[] {
  const changes = diffArrays(placed(left), placed(right), {
    comparator: (a, b) => stable(a.message) === stable(b.message),
  });
  const gone = changes.filter((change) => change.removed).flatMap((change) => change.value);
  const fresh = changes.filter((change) => change.added).flatMap((change) => change.value);
  const moves = moved(gone, fresh, (a, b) => stable(a) === stable(b));
  const pairs: MessagePair[] = [];
  let leftAt = 0;
  let waiting: Placed[] = [];
  const settle = (came: readonly Placed[]) => {
    pairs.push(...together(waiting, came, moves));
    waiting = [];
  };
  for (const change of changes) {
    if (change.removed) {
      waiting = change.value;
      leftAt += change.value.length;
    } else if (change.added) settle(change.value);
    else {
      settle([]);
      for (const { message, at } of change.value) {
        const same = left[leftAt] ?? message;
        pairs.push({ left: same, right: message, leftAt, rightAt: at, same: true, moved: false });
        leftAt += 1;
      }
    }
  }
  settle([]);
  return rejoined(pairs);
}

function placed(messages: readonly Message[]): Placed[] {
  return messages.map((message, at) => ({ message, at }));
}

/** Which of those that went is which of those that came, each used once. */
function moved(
  gone: readonly Placed[],
  fresh: readonly Placed[],
  alike: (a: Message, b: Message) => boolean,
): Map<number, Placed> {
  const free = new Set(fresh);
  const found = new Map<number, Placed>();
  for (const before of gone) {
    const mate = [...free].find((after) => alike(before.message, after.message));
    if (!mate) continue;
    free.delete(mate);
    found.set(before.at, mate);
  }
  return found;
}

/** A replaced stretch: those of one role are one message that changed; what moved away or came from elsewhere is none. */
function together(
  gone: readonly Placed[],
  came: readonly Placed[],
  moves: ReadonlyMap<number, Placed>,
): MessagePair[] {
  const pairs: MessagePair[] = [];
  const from = new Set([...moves.values()].map((each) => each.at));
  const waiting = came.filter((each) => !from.has(each.at));
  const added = ({ message, at }: Placed) =>
    pairs.push({ left: null, right: message, leftAt: null, rightAt: at, same: false, moved: false });
  for (const { message, at } of gone) {
    const mate = moves.get(at);
    if (mate) {
      pairs.push({
        left: message,
        right: mate.message,
        leftAt: at,
        rightAt: mate.at,
        same: true,
        moved: true,
      });
      continue;
    }
    const next = waiting.findIndex((other) => other.message.role === message.role);
    for (const before of waiting.splice(0, Math.max(next, 0))) added(before);
    const other = next === -1 ? undefined : waiting.shift();
    pairs.push({
      left: message,
      right: other?.message ?? null,
      leftAt: at,
      rightAt: other?.at ?? null,
      same: false,
      moved: false,
    });
  }
  waiting.forEach(added);
  return pairs;
}

/** From here on a message that went and one that came are one that moved and was changed on the way. */
const MOVED = 0.6;

function rejoined(pairs: readonly MessagePair[]): MessagePair[] {
  const alone = (side: "left" | "right") =>
    pairs.flatMap((pair) => {
      const [message, at, other] =
        side === "left" ? [pair.left, pair.leftAt, pair.right] : [pair.right, pair.rightAt, pair.left];
      return message && at !== null && !other ? [{ message, at }] : [];
    });
  const moves = moved(
    alone("left"),
    alone("right"),
    (a, b) => a.role === b.role && words(messageText(a), messageText(b)).alike >= MOVED,
  );
  const gone = new Set([...moves.values()].map((each) => each.at));
  return pairs.flatMap((pair) => {
    if (pair.left === null && pair.rightAt !== null && gone.has(pair.rightAt)) return [];
    const mate = pair.right === null && pair.leftAt !== null ? moves.get(pair.leftAt) : undefined;
    return [mate ? { ...pair, right: mate.message, rightAt: mate.at, moved: true } : pair];
  });
}

/** JSON with sorted keys, so that two equal values read equal. */
export function stable(value: unknown): string {
  return JSON.stringify(value, (_, inner) =>
    inner && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
