// Sentences and problems as the interface words them.

import { jsonLanguage } from "@codemirror/lang-json";

export interface Problem {
  message: string;
  line: number | null;
  column: number | null;
}

/** A text as a sentence: it begins with a capital and ends with a stop. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  if (!trimmed) return "";
  // A name in quotes, a label or a prompt keeps its small letter.
  const first = /^[a-z]+[ ,]/.test(trimmed) ? trimmed.charAt(0).toUpperCase() + trimmed.slice(1) : trimmed;
  return /[.!?…]$/.test(first) ? first : `${first}.`;
}

/** Where a text stops being JSON. Browsers tell the place in words that differ, so the syntax tree is asked. */
export function jsonProblem(text: string): Problem {
  let at = text.length;
  jsonLanguage.parser.parse(text).iterate({
    enter(node) {
      if (node.type.isError) at = Math.min(at, node.from);
    },
  });
  const before = text.slice(0, at).split("\n");
  return {
    message: "This is not JSON from here on: mend it, the draft keeps the last value that was.",
    line: before.length,
    column: (before.at(-1)?.length ?? 0) + 1,
  };
}
