import { describe, expect, it } from "vitest";
import { effectOf } from "../src/logic/effect";
import type { GateView } from "../src/model";

const gate = (change: Partial<GateView>): GateView => ({
  name: "support/triage",
  label: "production",
  to: "#3",
  target: "v7",
  current: "v6",
  allowed: true,
  reasons: [],
  ...change,
});

describe("the button of a move", () => {
  it("says from where to where", () => {
    expect(effectOf("production", "#3", gate({}))).toBe("Move production from v6 to v7");
  });

  it("says that it publishes first", () => {
    expect(effectOf("production", "#3", gate({ target: null }))).toBe(
      "Publish #3 as the next version and move production to it",
    );
  });

  it("sets a new label", () => {
    expect(effectOf("canary", "v7", gate({ current: null }))).toBe("Set canary to v7");
    expect(effectOf("canary", "#3", gate({ current: null, target: null }))).toBe(
      "Publish #3 as the next version and set canary to it",
    );
  });

  it("says when there is nothing to do, or the gate has not answered yet", () => {
    expect(effectOf("production", "v6", gate({ target: "v6" }))).toBe("production holds v6 already");
    expect(effectOf("production", "#3", null)).toBe("Move production to #3");
  });
});
