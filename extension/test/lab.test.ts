import { describe, expect, test, vi } from "vitest";
import { readingCode, workbenchCell, workspaceIn } from "../src/lab/cells";
import { Following } from "../src/lab/following";
import { type Answer, found, labelsAt, NOTHING, type Prompt, readBy, seen, usual } from "../src/lab/model";
import { fetchShared, NAMES, shared } from "../src/lab/shared";

const triage: Prompt = {
  name: "support/triage",
  newest: "v7",
  labels: { production: "v6", staging: "v7", canary: "v6" },
};
const bare: Prompt = { name: "support/summary", newest: "v1", labels: {} };
const connected: Answer = {
  state: "connected",
  where: "http://127.0.0.1:8765",
  position: "r:1:5",
  principal: { name: "bea", role: "editor" },
  prompts: [triage, bare],
};

describe("what is in sight", () => {
  const first = seen(NOTHING, connected, "2026-01-01T00:00:00Z");

  test("an answer without prompts keeps those that are known", () => {
    const next = seen(first, { ...connected, prompts: null }, "2026-01-01T00:00:05Z");
    expect(next.prompts).toBe(first.prompts);
    expect(next.principal).toEqual({ name: "bea", role: "editor" });
    expect(next.at).toBe("2026-01-01T00:00:05Z");
  });

  test("a registry that is away takes nothing away, and its words go when it is back", () => {
    const away = seen(
      first,
      { state: "down", where: "", message: "gone", hint: "wait", details: "why" },
      "later",
    );
    expect(away).toMatchObject({
      state: "down",
      message: "gone",
      details: "why",
      at: first.at,
      where: first.where,
    });
    expect(away.prompts).toBe(first.prompts);
    expect(seen(away, connected, "now")).toMatchObject({ message: "", hint: "", details: "" });
  });

  test("a registry that refuses the token shows nothing of before", () => {
    expect(seen(first, { state: "refused", where: "x", message: "no" }, "later").prompts).toBeNull();
  });
});

describe("search", () => {
  test("every word has to be in the name or the labels", () => {
    expect(found([triage, bare], " TRI  prod ")).toEqual([triage]);
    expect(found([triage, bare], "v7")).toEqual([triage]);
    expect(found([triage, bare], "summary staging")).toEqual([]);
    expect(found([triage, bare], "  ")).toEqual([triage, bare]);
  });
});

describe("which version and label are meant", () => {
  test("the wanted label comes first", () => {
    expect(labelsAt(triage.labels, "v6", "production")).toEqual(["production", "canary"]);
    expect(labelsAt(triage.labels, "v6", "staging")).toEqual(["canary", "production"]);
  });

  test("without a choice it is the wanted label's version, else the newest", () => {
    expect(usual(triage, "production")).toBe("v6");
    expect(usual(bare, "production")).toBe("v1");
  });

  test("code reads a label at the version, else the wanted one, else any, else none", () => {
    expect(readBy(triage, "v7", "production")).toBe("staging");
    expect(readBy(triage, "v2", "production")).toBe("production");
    expect(readBy({ ...triage, labels: { b: "v1", a: "v2" } }, "v7", "production")).toBe("a");
    expect(readBy(bare, "v1", "production")).toBeNull();
  });
});

describe("cells", () => {
  test("the address stands in the cell only where kernels do not know it", () => {
    const cell = { prompt: "a/b", version: "v3", workspace: 'my "file".duckdb' };
    expect(workbenchCell({ ...cell, address: null })).toContain("registry = pm.Registry()");
    const told = workbenchCell({ ...cell, address: "http://r:1" });
    expect(told).toContain('pm.Registry("http://r:1")');
    expect(told).toContain('pm.Workspace("my \\"file\\".duckdb")');
    expect(told).toContain("PRESSMARK_TOKEN");
  });

  test("required variables get a value of their type, and a Python keyword is passed in a mapping", () => {
    const text = { name: "text", type: "string", required: true };
    const code = (variables: (typeof text)[]) =>
      readingCode({ prompt: "a/b", label: "production", variables, address: null }).split("\n").at(-1);
    expect(code([text, { name: "n", type: "integer", required: true }])).toBe(
      'request = prompt.request(text="", n=0)',
    );
    expect(code([{ ...text, required: false }])).toBe("request = prompt.request()");
    expect(code([{ ...text, name: "class" }])).toBe('request = prompt.request(**{"class": ""})');
  });

  test("the workspace is the one that the notebook opens last", () => {
    expect(workspaceIn(["x = 1"])).toBeNull();
    const cells = [
      'ws = pm.Workspace("one.duckdb")\n# pm.Workspace("no.duckdb")',
      "ws = Workspace( 'two.duckdb' )",
    ];
    expect(workspaceIn(cells)).toBe("two.duckdb");
    expect(workspaceIn(["pm.Workspace(path)"])).toBeNull();
  });
});

describe("following", () => {
  test("asks one question at a time, tells the position, and stops", async () => {
    vi.useFakeTimers();
    const asked: string[] = [];
    const following = new Following(async (position) => {
      asked.push(position);
      return connected;
    }, 5);
    following.start();
    await Promise.all([following.look(), following.look()]);
    expect(asked).toEqual([""]);
    await vi.advanceTimersByTimeAsync(5000);
    expect(asked).toEqual(["", "r:1:5"]);
    following.every(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(asked).toHaveLength(3);
    following.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(3);
    vi.useRealTimers();
  });
});

describe("JupyterLab's modules", () => {
  test("the loaded one of several versions is taken; a missing one is named", async () => {
    const offer = (module: object, loaded: boolean) => ({ get: async () => () => module, loaded });
    const used = {};
    const scope = Object.fromEntries(
      NAMES.map((name) => [name, { "1.0": offer({}, false), "2.0": offer(used, true) }]),
    );
    await fetchShared(scope);
    expect(shared("@lumino/widgets")).toBe(used);
    expect(() => shared("@jupyterlab/other")).toThrow("add it to NAMES");
    await expect(fetchShared({ ...scope, "@lumino/widgets": {} })).rejects.toThrow("needs @lumino/widgets");
  });
});
