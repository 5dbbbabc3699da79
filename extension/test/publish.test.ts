import { describe, expect, it } from "vitest";
import { effectOf, nextVersion, parted } from "../src/logic/effect";
import { layers } from "../src/logic/layers";
import type { GateView, ReasonView, RegistryPromptView } from "../src/model";

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
    expect(effectOf("production", "#3", gate({}), "v8")).toBe("Move production from v6 to v7");
  });

  it("says that it publishes first", () => {
    expect(effectOf("production", "#3", gate({ target: null }), "v8")).toBe(
      "Publish #3 as v8 and move production from v6 to v8",
    );
  });

  it("sets a new label", () => {
    expect(effectOf("canary", "v7", gate({ current: null }), "v8")).toBe("Set canary to v7");
    expect(effectOf("canary", "#3", gate({ current: null, target: null }), "v8")).toBe(
      "Publish #3 as v8 and set canary to it",
    );
  });

  it("says when there is nothing to do, or the gate has not answered yet", () => {
    expect(effectOf("production", "v6", gate({ target: "v6" }), "v8")).toBe("");
    expect(effectOf("production", "#3", null, "v8")).toBe("Move production to #3");
  });
});

describe("the next version", () => {
  const held = (...versions: string[]) =>
    nextVersion({
      name: "support/triage",
      versions: versions.map((version) => ({ version })) as RegistryPromptView["versions"],
      labels: [],
      log: [],
    });

  it("counts on from the highest", () => {
    expect(held("v2", "v10", "v9")).toBe("v11");
    expect(held()).toBe("v1");
  });
});

describe("the gate's list", () => {
  it("keeps what runs say apart from what is asked for", () => {
    const line = (code: string, change: Partial<ReasonView>): ReasonView => ({
      code,
      sentence: code,
      next_step: "",
      blocking: false,
      met: true,
      ...change,
    });
    const { requirements, evidence } = parted([
      line("evaluated", { verdict: "cannot tell" }),
      line("variables", {}),
      line("unknown", { verdict: null }),
    ]);
    expect(requirements.map((each) => each.code)).toEqual(["variables"]);
    expect(evidence.map((each) => each.code)).toEqual(["evaluated", "unknown"]);
  });
});

describe("the graph's columns", () => {
  it("puts a prompt right of everything that feeds it, and survives a circle", () => {
    const places = layers(
      ["a", "b", "c"],
      [
        ["a", "b"],
        ["b", "c"],
        ["a", "c"],
        ["x", "c"],
      ],
    );
    expect(Object.fromEntries(places.map((each) => [each.name, each.column]))).toEqual({
      a: 0,
      b: 1,
      c: 2,
      x: 0,
    });
    expect(
      layers(
        ["a", "b"],
        [
          ["a", "b"],
          ["b", "a"],
        ],
      ),
    ).toHaveLength(2);
  });
});
