import { describe, expect, it } from "vitest";
import { jsonProblem, sentence } from "../src/logic/text";
import { isDark } from "../src/logic/theme";

describe("sentence", () => {
  it("begins with a capital and ends with a stop, and leaves names alone", () => {
    expect(sentence("nothing was run: choose a suite")).toBe("Nothing was run: choose a suite.");
    expect(sentence("'Bad Name' cannot name a prompt!")).toBe("'Bad Name' cannot name a prompt!");
    expect(sentence("support/triage has no version #9")).toBe("support/triage has no version #9.");
    expect(sentence("  ")).toBe("");
  });
});

describe("jsonProblem", () => {
  it("says in which line and column JSON broke", () => {
    expect(jsonProblem('{\n  "a": tru\n}')).toMatchObject({ line: 2, column: 8 });
    expect(jsonProblem('{"a": 1')).toMatchObject({ line: 1, column: 8 });
    expect(jsonProblem("[1,\n2,\n]")).toMatchObject({ line: 3, column: 1 });
  });
});

describe("isDark", () => {
  it("goes by brightness, and says nothing of a see-through colour", () => {
    expect(isDark("rgb(17, 17, 17)")).toBe(true);
    expect(isDark("rgb(255, 255, 255)")).toBe(false);
    expect(isDark("rgba(0, 0, 0, 0)")).toBeNull();
  });
});
