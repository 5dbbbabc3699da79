import { describe, expect, it } from "vitest";
import { ago, cost, count, exact, oneLine, plural, seconds, signed, significant } from "../src/logic/format";

describe("numbers", () => {
  it("have three significant figures at most", () => {
    expect([0, 1, 0.5, 5.94, 11.28, 0.012345, 123.456, 1234.5, 12345].map(significant)).toEqual([
      "0",
      "1",
      "0.5",
      "5.94",
      "11.3",
      "0.0123",
      "123",
      "1,235",
      "12,345",
    ]);
    expect(significant(-0.00001)).toBe("-0.00001");
    expect(significant(Number.NaN)).toBe("–");
  });

  it("tell a difference with its sign", () => {
    expect([5.94, -5.94, 0].map(signed)).toEqual(["+5.94", "−5.94", "0"]);
  });

  it("count with thousands, and in the right number", () => {
    expect(count(10_000)).toBe("10,000");
    expect([plural(1, "row"), plural(805, "row"), plural(2, "entry", "entries")]).toEqual([
      "1 row",
      "805 rows",
      "2 entries",
    ]);
  });

  it("tell money and durations in their unit", () => {
    expect([0, 0.00021, 0.42, 12].map(cost)).toEqual(["$0", "$0.00021", "$0.42", "$12.00"]);
    expect([0.31, 4, 42.2, 600, 9000].map(seconds)).toEqual(["310 ms", "4 s", "42 s", "10 min", "2.5 h"]);
  });
});

describe("times", () => {
  const now = Date.parse("2026-11-21T12:00:00Z");

  it("are told from now", () => {
    const told = [
      "2026-11-21T11:59:30Z",
      "2026-11-21T11:55:00Z",
      "2026-11-21T10:00:00Z",
      "2026-11-20T10:00:00Z",
      "2026-11-09T10:00:00Z",
    ];
    expect(told.map((at) => ago(at, now))).toEqual([
      "just now",
      "5 min ago",
      "2 h ago",
      "1 day ago",
      "1 week ago",
    ]);
  });

  it("that are none are shown as they came", () => {
    expect(ago("soon", now)).toBe("soon");
    expect(exact("soon")).toBe("soon");
  });
});

describe("oneLine", () => {
  it("joins spaces and cuts long texts", () => {
    expect(oneLine("a\n  b\t c")).toBe("a b c");
    expect(oneLine("x".repeat(500), 20)).toHaveLength(20);
  });
});
