import { describe, expect, it } from "vitest";
import { fold, isPlain, lines, messageText, pairMessages, words } from "../src/logic/diff";

const shape = (left: string, right: string) =>
  lines(left, right).map((line) => `${line.left?.number ?? "-"}${line.kind[0]}${line.right?.number ?? "-"}`);
const text = (parts: { text: string }[]) => parts.map((part) => part.text).join("");

describe("words", () => {
  it("marks only what differs, and both sides read whole", () => {
    const { left, right } = words("Answer with the category only.", "Answer with one category only.");
    expect(text(left)).toBe("Answer with the category only.");
    expect(text(right)).toBe("Answer with one category only.");
    expect(left.filter((part) => part.marked).map((part) => part.text.trim())).toEqual(["the"]);
    expect(right.filter((part) => part.marked).map((part) => part.text.trim())).toEqual(["one"]);
  });
});

describe("lines", () => {
  it("numbers both sides through", () => {
    expect(shape("a\nb\nc", "a\nc")).toEqual(["1s1", "2r-", "3s2"]);
    expect(shape("a\nc", "a\nb\nc")).toEqual(["1s1", "-a2", "2s3"]);
  });

  it("lays a changed line beside the one that is most like it", () => {
    const left = "Head\nAnswer with one category only, please.\nTail";
    const right = "Head\n\n- something else\nAnswer with two categories only, please.\nTail";
    expect(shape(left, right)).toEqual(["1s1", "-a2", "-a3", "2c4", "3s5"]);
  });

  it("marks lines with nothing in common whole, beside each other", () => {
    const [found] = lines("alpha beta", "1234 5678");
    expect(found?.left?.parts).toEqual([{ text: "alpha beta", marked: true }]);
    expect(found?.right?.parts).toEqual([{ text: "1234 5678", marked: true }]);
  });

  it("gives equal texts as equal lines only", () => {
    expect(lines("a\n\nb", "a\n\nb").every((line) => line.kind === "same")).toBe(true);
  });

  it("stays quick where two long texts have nothing in common", () => {
    const long = (word: string) => Array.from({ length: 2000 }, (_, at) => `${word} ${at * 7}`).join("\n");
    const began = performance.now();
    expect(lines(long("left"), long("right"))).toHaveLength(2000);
    expect(performance.now() - began).toBeLessThan(3000);
  });
});

describe("fold", () => {
  const many = (count: number) => Array.from({ length: count }, (_, at) => `line ${at}`);

  it("folds equal lines to one block, two lines of context apart from a difference", () => {
    const left = many(20).join("\n");
    const right = [...many(20).slice(0, 10), "a new one", ...many(20).slice(10)].join("\n");
    const blocks = fold(lines(left, right));
    expect(blocks.map((block) => [block.folded, block.lines.length])).toEqual([
      [true, 8],
      [false, 5],
      [true, 8],
    ]);
  });

  it("does not fold fewer than three lines", () => {
    const blocks = fold(lines("a\nb\nc\nd", "a\nb\nc\nd\nnew"));
    expect(blocks).toHaveLength(1);
    expect(blocks[0]?.folded).toBe(false);
  });

  it("keeps every line, in order", () => {
    const all = lines(
      many(40).join("\n"),
      many(40)
        .filter((_, at) => at !== 5 && at !== 30)
        .join("\n"),
    );
    expect(fold(all).flatMap((block) => block.lines)).toEqual(all);
  });

  it("folds equal texts altogether", () => {
    expect(fold(lines("a\nb\nc", "a\nb\nc")).map((block) => block.folded)).toEqual([true]);
    expect(fold([])).toEqual([]);
  });
});

describe("messages", () => {
  const message = (role: string, content: string) => ({ role, content });

  it("pairs a changed message with the one of its role, and equal ones with each other", () => {
    const pairs = pairMessages(
      [message("system", "a"), message("user", "q")],
      [message("system", "b"), message("user", "example"), message("assistant", "yes"), message("user", "q")],
    );
    expect(pairs.map((pair) => [pair.leftAt, pair.rightAt, pair.same])).toEqual([
      [0, 0, false],
      [null, 1, false],
      [null, 2, false],
      [1, 3, true],
    ]);
  });

  it("shows what was removed", () => {
    const pairs = pairMessages([message("system", "a"), message("user", "q")], [message("user", "q")]);
    expect(pairs.map((pair) => [pair.leftAt, pair.rightAt])).toEqual([
      [0, null],
      [1, 0],
    ]);
  });

  it("knows a message that moved, also where it was changed on the way", () => {
    const [system, question, answer] = [
      message("system", "be short"),
      message("user", "where is my parcel now"),
      message("assistant", "on its way"),
    ];
    const swapped = pairMessages([system, question, answer], [question, answer, system]);
    expect(swapped.map((pair) => [pair.leftAt, pair.rightAt, pair.same, pair.moved])).toEqual([
      [0, 2, true, true],
      [1, 0, true, false],
      [2, 1, true, false],
    ]);
    const changed = pairMessages(
      [system, question, answer],
      [question, answer, message("system", "be very short")],
    );
    expect(changed[0]).toMatchObject({ leftAt: 0, rightAt: 2, same: false, moved: true });
  });

  it("knows a plain message, and shows any other as JSON", () => {
    expect(isPlain(message("user", "hi"))).toBe(true);
    expect(isPlain({ role: "user", content: "hi", name: "ana" })).toBe(false);
    expect(isPlain({ role: "user", content: [{ type: "text", text: "hi" }] })).toBe(false);
    expect(messageText({ role: "user", content: [{ type: "text", text: "hi" }] })).toContain(
      '"type": "text"',
    );
  });
});
