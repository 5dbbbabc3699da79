import { describe, expect, it } from "vitest";
import { budgetWords, missingOf, numberOf, planWords, statusWord, typedValue } from "../src/logic/asking";
import { correctable } from "../src/logic/columns";
import { scale } from "../src/logic/scales";
import type { EstimateView, RowView, RunProgress, SuiteView } from "../src/model";

const plan: EstimateView = {
  rows: 100,
  calls: 200,
  cached: 50,
  cost: 0.42,
  judge_calls: 0,
  unrendered: 0,
  tokens_in: 1000,
  tokens_out: null,
  seconds: 12,
  basis: "",
  smallest: 0.056,
  smallest_from: "",
};

describe("what is typed", () => {
  it("is a number above 0, nothing, or refused", () => {
    expect(numberOf(" 1,000 ", true)).toBe(1000);
    expect(numberOf("0.5", false)).toBe(0.5);
    expect(numberOf("", true)).toBeNull();
    expect(numberOf("auto", true)).toBeNull();
    for (const text of ["0", "-1", "many", "NaN", "Infinity"]) expect(numberOf(text, false)).toBeUndefined();
    expect(numberOf("1.5", true)).toBeUndefined();
  });
  it("is JSON where it is some, else the text", () => {
    expect(typedValue("0.7")).toBe(0.7);
    expect(typedValue("high")).toBe("high");
    expect(typedValue(" ")).toBeNull();
  });
});

describe("a plan in words", () => {
  it("tells what is asked, what it costs and what it shows", () => {
    expect(planWords(plan, undefined)).toEqual([
      "150 answers to ask for",
      "50 in the cache",
      "about 1,000 tokens in, an unknown number out",
      "about $0.42",
      "about 12 s",
      "shows differences from 5.6 points",
    ]);
    expect(planWords({ ...plan, cached: 200, smallest: null }, undefined)).toEqual([
      "all 200 answers are in the cache",
    ]);
  });
  it("does not promise more than all there is", () => {
    expect(planWords({ ...plan, smallest: 1.6 }, undefined)).toContain("too few rows to show any difference");
  });
  it("calls where a run stands by one word", () => {
    expect((["done", "cancelled", "stopped"] as const).map(statusWord)).toEqual([
      "done",
      "stopped",
      "ended early",
    ]);
  });
  it("does not speak of answers where there is nothing to ask", () => {
    const none = { ...plan, calls: 0, cached: 0, smallest: null };
    expect(planWords({ ...none, rows: 0 }, undefined)).toEqual(["nothing to ask: the dataset has no rows"]);
    expect(planWords({ ...none, unrendered: 4 }, undefined)).toEqual([
      "nothing to ask for",
      "4 answers cannot be asked for",
    ]);
  });
  it("names the limits of a budget", () => {
    expect(budgetWords({ money: 2, tokens: null, calls: 500, minutes: null })).toBe(
      "up to $2.00 and 500 calls",
    );
    expect(budgetWords({ money: null, tokens: null, calls: null, minutes: null })).toBe("");
  });
  it("counts errors among what is missing", () => {
    expect(missingOf({ done: 60, total: 100, errors: 3 } as RunProgress)).toBe(43);
  });
});

describe("a scale", () => {
  it("has a few round ticks within its ends, also where all values are one", () => {
    for (const values of [[0.2, 0.9], [5, 5], [-3, 14], []]) {
      const { ticks, at } = scale(values, 0, 100);
      expect(ticks.length).toBeGreaterThan(0);
      expect(ticks.length).toBeLessThan(8);
      for (const tick of ticks) expect(at(tick)).toBeGreaterThanOrEqual(0);
    }
  });
});

describe("what can be corrected in a row", () => {
  const row = {
    row: 0,
    values: { text: "a", label: "b", note: "c" },
    inputs: ["text"],
    cells: {},
  } as RowView;
  it("is what a scorer expects, else what no prompt reads", () => {
    const suite = { scorers: [{ column: "label" }, { column: null }, { column: "label" }] } as SuiteView;
    expect(correctable(suite, row)).toEqual(["label"]);
    expect(correctable({ scorers: [{ column: null }] } as SuiteView, row)).toEqual(["label", "note"]);
  });
});
