import { describe, expect, it } from "vitest";
import { pagesOf, scrollFor, visible } from "../src/logic/window";

describe("visible", () => {
  it("draws the rows in sight and some to spare", () => {
    expect(visible(0, 480, 44, 10_000, 8)).toEqual({ first: 0, end: 20 });
    expect(visible(44_000, 480, 44, 10_000, 8)).toEqual({ first: 992, end: 1020 });
  });

  it("ends with the list, wherever it was scrolled to", () => {
    expect(visible(1e9, 480, 44, 100, 8).end).toBe(100);
    expect(visible(-50, 480, 44, 5)).toEqual({ first: 0, end: 5 });
  });

  it("draws nothing of nothing", () => {
    expect(visible(0, 480, 44, 0)).toEqual({ first: 0, end: 0 });
    expect(visible(0, 480, 0, 10)).toEqual({ first: 0, end: 0 });
  });

  it("never draws more than a screen and what is spare, for 10,000 rows", () => {
    for (let top = 0; top < 10_000 * 28; top += 997) {
      const range = visible(top, 480, 28, 10_000);
      expect(range.end - range.first).toBeLessThanOrEqual(36);
    }
  });
});

describe("pagesOf", () => {
  it("names the pages that a range touches", () => {
    expect(pagesOf({ first: 0, end: 50 }, 50)).toEqual([0]);
    expect(pagesOf({ first: 49, end: 51 }, 50)).toEqual([0, 1]);
    expect(pagesOf({ first: 5, end: 5 }, 50)).toEqual([]);
  });
});

describe("scrollFor", () => {
  it("leaves a row alone that is in sight, and brings any other to the nearer edge", () => {
    expect(scrollFor(3, 0, 440, 44)).toBeNull();
    expect(scrollFor(20, 0, 440, 44)).toBe(484);
    expect(scrollFor(2, 440, 440, 44)).toBe(88);
  });
});
