import type { Outcome } from "../../model";

export const SIGNS: Record<Outcome, string> = {
  better: "▲",
  worse: "▼",
  "cannot tell": "?",
  new: "+",
  "not evaluated": "!",
};

/** Ties a prompt's box in the graph to its line in the table. */
export function rowId(name: string): string {
  return `pm-affected-${name.replace(/[^a-z0-9]+/g, "-")}`;
}
