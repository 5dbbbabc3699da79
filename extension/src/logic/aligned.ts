// A baseline with one or more candidates, line by line and message by message: every line stands beside the baseline's.
import type { Message, UnitBody } from "../model";
import { type Line, lines, messageText, pairMessages, type Side } from "./diff";

/** One line of the baseline, or a place between two, with what each candidate has there. */
export interface Row {
  kind: "same" | "changed";
  left: Side | null;
  /** One a candidate; null where a candidate has nothing there. */
  cells: (Line | null)[];
}

export interface Cell {
  message: Message;
  /** Its place among the candidate's messages, from 0. */
  at: number;
  same: boolean;
  moved: boolean;
}

/** One message of the baseline, or one that it lacks, with what each candidate has for it. */
export interface MessageRow {
  title: string;
  at: number | null;
  baseline: Message | null;
  cells: (Cell | null)[];
  same: boolean;
}

export function align(baseline: string | null, candidates: readonly (string | null)[]): Row[] {
  const compared = candidates.map((text) => sides(baseline, text));
  const count = baseline === null ? 0 : baseline.split("\n").length;
  const held = compared.map((all) => slots(all, count));
  const rows: Row[] = [];
  for (let number = 0; number <= count; number += 1) {
    if (number > 0) {
      const cells = held.map((slot) => slot[number]?.own ?? null);
      const left = cells.find((cell) => cell?.left)?.left ?? null;
      const same = cells.every((cell) => cell?.kind === "same");
      rows.push({ kind: same ? "same" : "changed", left, cells });
    }
    const most = Math.max(0, ...held.map((slot) => slot[number]?.after.length ?? 0));
    for (let at = 0; at < most; at += 1)
      rows.push({ kind: "changed", left: null, cells: held.map((slot) => slot[number]?.after[at] ?? null) });
  }
  return rows;
}

/** A candidate's lines by the baseline's line that they stand at, 0 being the place before the first. */
function slots(all: readonly Line[], count: number): { own: Line | null; after: Line[] }[] {
  const found = Array.from({ length: count + 1 }, () => ({ own: null as Line | null, after: [] as Line[] }));
  let at = 0;
  for (const line of all) {
    if (line.left) {
      at = line.left.number;
      const slot = found[at];
      if (slot) slot.own = line;
    } else found[at]?.after.push(line);
  }
  return found;
}

/** Two texts line by line; where one is not there, every line of the other is gone or new. */
export function sides(left: string | null, right: string | null): Line[] {
  if (left !== null && right !== null) return lines(left, right);
  if (left === right) return [];
  const sort = left === null ? "added" : "removed";
  return (left ?? right ?? "").split("\n").map((text, index) => {
    const side: Side = { number: index + 1, parts: [{ text, marked: true }] };
    return {
      kind: sort,
      left: sort === "removed" ? side : null,
      right: sort === "added" ? side : null,
      inline: [{ text, sort }],
    };
  });
}

export function messagesOf(unit: UnitBody): Message[] {
  return unit.kind === "chat" ? unit.messages : [{ role: "text", content: unit.text }];
}

export function messageRows(baseline: UnitBody, candidates: readonly UnitBody[]): MessageRow[] {
  const base = messagesOf(baseline);
  const empty = () => candidates.map((): Cell | null => null);
  const own = base.map((message) => ({ message, cells: empty(), added: [] as (Cell | null)[][] }));
  const before: (Cell | null)[][] = [];
  candidates.forEach((candidate, column) => {
    let anchor = -1;
    const counts = new Map<number, number>();
    for (const pair of pairMessages(base, messagesOf(candidate))) {
      const { right, rightAt: at, leftAt, same, moved } = pair;
      if (leftAt !== null && !moved) anchor = leftAt;
      if (right === null || at === null) continue;
      const cell: Cell = { message: right, at, same, moved };
      if (leftAt !== null) {
        const row = own[leftAt];
        if (row) row.cells[column] = cell;
        continue;
      }
      const list = own[anchor]?.added ?? before;
      const place = counts.get(anchor) ?? 0;
      counts.set(anchor, place + 1);
      if (!list[place]) list[place] = empty();
      (list[place] as (Cell | null)[])[column] = cell;
    }
  });
  const text = baseline.kind === "text" && candidates.every((each) => each.kind === "text");
  const titled = (at: number | null, role: string) =>
    text ? "Text" : at === null ? `New message, ${role}` : `Message ${at + 1}, ${role}`;
  const added = (cells: (Cell | null)[]): MessageRow => ({
    title: titled(null, cells.find((cell) => cell)?.message.role ?? ""),
    at: null,
    baseline: null,
    cells,
    same: false,
  });
  return [
    ...before.map(added),
    ...own.flatMap((row, at) => [
      {
        title: titled(at, row.message.role),
        at,
        baseline: row.message,
        cells: row.cells,
        same: row.cells.every((cell) => cell?.same && !cell.moved),
      },
      ...row.added.map(added),
    ]),
  ];
}

export function textOf(message: Message | null): string | null {
  return message ? messageText(message) : null;
}
