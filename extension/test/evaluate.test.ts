import { describe, expect, it } from "vitest";
import { absentFrom, expectedColumn, mainColumn } from "../src/logic/columns";
import { against, began, staleness } from "../src/logic/stale";
import type { RowView, RunProgress, ScorerView, SuiteView, VariableView } from "../src/model";

const now = new Date("2026-11-21T15:00:00");
const run = (change: Partial<RunProgress> = {}) =>
  ({
    versions: ["#1", "#2"],
    suite: "support/basics",
    started_at: "2026-11-21T11:18:00",
    ...change,
  }) as RunProgress;

describe("a run that does not answer what is picked", () => {
  it("says what it is and what to run", () => {
    expect(staleness(run(), ["#2", "#3"], "support/basics", now)).toBe(
      "This is run 11:18, #2 against #1. Run #3 to compare.",
    );
  });

  it("is never turned round in silence", () => {
    expect(staleness(run(), ["#2", "#1"], "support/basics", now)).toBe(
      "This is run 11:18, #2 against #1. Run #1 against #2 to compare.",
    );
  });

  it("names the suite where that differs", () => {
    expect(staleness(run(), ["#1", "#2"], "support/hard", now)).toBe(
      "This is run 11:18, #2 against #1 on support/basics. Run on support/hard to compare.",
    );
  });

  it("is not stale where the run holds what is picked", () => {
    expect(staleness(run(), ["#1", "#2"], "support/basics", now)).toBeNull();
    expect(staleness(run({ versions: ["#1", "#2", "#3"] }), ["#1", "#3"], "", now)).toBeNull();
    expect(staleness(run(), [], "support/basics", now)).toBeNull();
  });

  it("names the day where it was another", () => {
    expect(began("2026-11-20T09:05:00", now)).toBe("20 Nov, 09:05");
    expect(against(["#1", "#2", "#3"])).toBe("#2 and #3 against #1");
  });
});

const variable = (name: string, change: Partial<VariableView> = {}): VariableView => ({
  name,
  type: "any",
  used: true,
  declared: false,
  required: true,
  example: "",
  ...change,
});

describe("columns", () => {
  const inbox = { name: "support/inbox", rows: 3, columns: ["id", "text", "category"] };

  it("lack what a caller must give and the dataset has not", () => {
    const variables = [
      variable("text"),
      variable("company"),
      variable("tone", { required: false }),
      variable("old", { used: false }),
    ];
    expect(absentFrom(variables, inbox)).toEqual(["company"]);
    expect(absentFrom(variables, undefined)).toEqual([]);
  });

  it("say most where the prompt reads them", () => {
    const row = { row: 0, values: { text: "short", notes: "very long notes" }, inputs: ["text"], cells: {} };
    expect(mainColumn(row, null)).toBe("text");
    expect(mainColumn({ ...row, inputs: [] } as RowView, "notes")).toBe("text");
    expect(mainColumn(undefined, null)).toBeNull();
  });

  it("hold what is expected, by the scorer shown or by the primary one", () => {
    const scorer = (name: string, column: string | null, primary: boolean): ScorerView => ({
      name,
      kind: "score",
      direction: "higher",
      unit: "",
      primary,
      column,
    });
    const [category, length] = [scorer("category", "category", true), scorer("length", null, false)];
    const suite = { scorers: [category, length] } as unknown as SuiteView;
    expect(expectedColumn(suite, category)).toBe("category");
    expect(expectedColumn(suite, length)).toBe("category");
    expect(expectedColumn({ scorers: [length] } as unknown as SuiteView, length)).toBeNull();
  });
});
