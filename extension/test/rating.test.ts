import { describe, expect, it } from "vitest";
import { grades, gradeWord, stroke } from "../src/logic/rating";

const pairs = ["left", "right", "tie", "skip"];
const scale = ["1", "2", "3", "4", "5", "skip"];

describe("keys while rating", () => {
  it("answers a pair by arrows, space and s", () => {
    expect(stroke("ArrowLeft", pairs)).toEqual({ choice: "left" });
    expect(stroke("ArrowRight", pairs)).toEqual({ choice: "right" });
    expect(stroke(" ", pairs)).toEqual({ choice: "tie" });
    expect(stroke("S", pairs)).toEqual({ choice: "skip" });
  });

  it("grades by number, within the scale", () => {
    expect(stroke("5", scale)).toEqual({ choice: "5" });
    expect(stroke("6", scale)).toBeNull();
    expect(stroke("0", scale)).toBeNull();
  });

  it("leaves keys alone that mean nothing", () => {
    for (const key of ["3", "Enter", "Tab", "x", "ArrowUp"]) expect(stroke(key, pairs)).toBeNull();
    for (const key of ["ArrowLeft", " "]) expect(stroke(key, scale)).toBeNull();
    expect(stroke("ArrowLeft", [])).toBeNull();
  });

  it("takes back with u, whatever is asked", () => {
    expect(stroke("u", pairs)).toBe("back");
    expect(stroke("U", [])).toBe("back");
  });

  it("names the ends of a scale", () => {
    expect(grades(scale)).toEqual(["1", "2", "3", "4", "5"]);
    expect(gradeWord("1", grades(scale))).toBe("worst");
    expect(gradeWord("3", grades(scale))).toBe("");
    expect(gradeWord("5", grades(scale))).toBe("best");
  });
});
