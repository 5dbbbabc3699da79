import { describe, expect, it } from "vitest";
import { pieces } from "../src/logic/hidden";

describe("hidden characters", () => {
  it("stand by themselves, with their number", () => {
    expect(pieces("a\u200bb\u202ec")).toEqual([
      { text: "a", hidden: null },
      { text: "\u200b", hidden: "U+200B" },
      { text: "b", hidden: null },
      { text: "\u202e", hidden: "U+202E" },
      { text: "c", hidden: null },
    ]);
    expect(pieces("a\u{e0041}")[1]).toEqual({ text: "\u{e0041}", hidden: "U+E0041" });
    expect(pieces("\u001b[31m").map((piece) => piece.hidden)).toEqual(["U+001B", null]);
  });
  it("leave what people write alone: lines, tabs, emoji, scripts that need joiners", () => {
    for (const text of ["", "one\n\ttwo\r\n", "👩‍👩‍👧 ok", "می‌خواهم", "שלום"])
      expect(pieces(text)).toEqual([{ text, hidden: null }]);
  });
  it("lose nothing", () => {
    const text = "\u202dx\u202c\u2066y\u2069\ufeff";
    expect(
      pieces(text)
        .map((piece) => piece.text)
        .join(""),
    ).toBe(text);
  });
});
