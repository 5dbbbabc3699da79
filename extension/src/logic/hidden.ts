// Characters that show nothing, or turn the text around them: in a prompt they do something that nobody sees.

// The set that the editor marks too; joiners, which scripts and emoji need, are not in it.
export const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u115f\u1160\u180e\u2028\u2029\u202a-\u202e\u2060-\u2064\u2066-\u2069\u3164\ufeff\ufff9-\ufffc\u{e0000}-\u{e007f}]/u;

export interface Piece {
  text: string;
  /** What the character is called, where the piece is a hidden one. */
  hidden: string | null;
}

/** A text in pieces, each hidden character one of its own; the text itself where there is none. */
export function pieces(text: string): Piece[] {
  if (!HIDDEN.test(text)) return [{ text, hidden: null }];
  return text
    .split(new RegExp(`(${HIDDEN.source})`, "u"))
    .filter(Boolean)
    .map((part) => ({ text: part, hidden: HIDDEN.test(part) ? codePoint(part.codePointAt(0) ?? 0) : null }));
}

/** What a character is called. */
export function codePoint(code: number): string {
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}
