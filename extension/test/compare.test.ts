import { describe, expect, it } from "vitest";
import { align, messageRows } from "../src/logic/aligned";
import { fieldRows, fields } from "../src/logic/paths";
import { tree } from "../src/logic/tree";
import type { Json, RegistryPromptView, UnitBody, VersionView } from "../src/model";

const unit = (change: Partial<UnitBody> = {}): UnitBody => ({
  kind: "chat",
  messages: [{ role: "user", content: "hi" }],
  text: "",
  variables: {},
  model: "m",
  params: { temperature: 0 },
  tools: null,
  tool_choice: null,
  response_format: null,
  inputs: {},
  ...change,
});

const tool = (name: string, description: string): Json => ({
  type: "function",
  function: { name, description },
});

describe("settings by their path", () => {
  const told = (left: UnitBody, right: UnitBody) =>
    fields(left, right)
      .filter((field) => !field.same)
      .map((field) => `${field.path}: ${field.left} → ${field.right}`);

  it("goes down to the value that differs, whatever the order of keys", () => {
    const left = { type: "json_schema", json_schema: { schema: { required: ["a", "b"], depth: 1 } } };
    const right = { json_schema: { schema: { depth: 2, required: ["a", "c"] } }, type: "json_schema" };
    expect(told(unit({ response_format: left }), unit({ response_format: right }))).toEqual([
      "response_format.json_schema.schema.required[1]: b → c",
      "response_format.json_schema.schema.depth: 1 → 2",
    ]);
  });

  it("knows tools by their names, wherever they stand", () => {
    const left = [tool("search", "find"), tool("refund", "pay back")];
    const right = [tool("refund", "pay back"), tool("close", "end"), tool("search", "find it")];
    expect(told(unit({ tools: left }), unit({ tools: right }))).toEqual([
      "tools[search].function.description: find → find it",
      `tools[close]: null → ${JSON.stringify(tool("close", "end"), null, 2)}`,
    ]);
  });

  it("matches other elements in order, so that one put in front does not turn all", () => {
    expect(told(unit({ params: { stop: ["a", "b"] } }), unit({ params: { stop: ["x", "a", "b"] } }))).toEqual(
      ["params.stop[0]: null → x"],
    );
  });

  it("quotes odd keys, and tells text from number, and empty from absent", () => {
    expect(told(unit({ params: { "a b": 1 } }), unit({ params: { "a b": "1" } }))).toEqual([
      'params["a b"]: 1 → 1',
    ]);
    expect(told(unit(), unit({ params: { temperature: 0, stop: [] } }))).toEqual(["params.stop: null → []"]);
    expect(told(unit(), unit())).toEqual([]);
  });

  it("lays several candidates beside the baseline", () => {
    const rows = fieldRows(unit(), [unit({ model: "n" }), unit({ params: { temperature: 1 } })]);
    expect(rows.filter((row) => row.states.includes("differs"))).toEqual([
      { path: "model", values: ["m", "n", "m"], states: ["differs", "same"] },
      { path: "params.temperature", values: ["0", "0", "1"], states: ["same", "differs"] },
    ]);
  });

  it("never says the same of what one candidate lacks and another changed in part", () => {
    const held = unit({ tools: [tool("search", "find")] });
    const rows = fieldRows(held, [unit({ tools: [tool("search", "seek")] }), unit()]);
    const told = Object.fromEntries(rows.map((row) => [row.path, row.states]));
    expect(told).toMatchObject({ "tools[search].function.description": ["differs", "differs"] });
    expect(told.tools).toEqual(["partly", "differs"]);
  });
});

describe("lines beside the baseline", () => {
  it("puts every candidate's line beside the baseline's, and what is new between them", () => {
    const rows = align("a\nb\nc", ["a\nb\nc", "a\nnew\nb\nc!", null]);
    const told = rows.map((row) => [
      row.left?.number ?? null,
      ...row.cells.map((cell) => cell?.kind ?? null),
    ]);
    expect(told).toEqual([
      [1, "same", "same", "removed"],
      [null, null, "added", null],
      [2, "same", "same", "removed"],
      [3, "same", "changed", "removed"],
    ]);
  });

  it("begins with what stands before the first line, and takes a message that the baseline lacks", () => {
    expect(align("a", ["x\na"])[0]).toMatchObject({ left: null, kind: "changed" });
    expect(align(null, ["x\ny", null]).map((row) => row.cells[0]?.right?.number)).toEqual([1, 2]);
  });
});

describe("messages beside the baseline", () => {
  it("keeps the baseline's order, tells what moved, and puts new ones where they are", () => {
    const [a, b, c] = [
      { role: "system", content: "alpha beta gamma" },
      { role: "user", content: "one two three" },
      { role: "assistant", content: "yes" },
    ];
    const rows = messageRows(unit({ messages: [a, b] }), [
      unit({ messages: [b, a] }),
      unit({ messages: [a, c, b] }),
      unit({ messages: [a] }),
    ]);
    expect(rows.map((row) => row.title)).toEqual([
      "Message 1, system",
      "New message, assistant",
      "Message 2, user",
    ]);
    expect(rows[0]?.cells.map((cell) => cell && [cell.at, cell.moved])).toEqual([
      [1, true],
      [0, false],
      [0, false],
    ]);
    expect(rows[1]?.cells.map((cell) => cell?.at ?? null)).toEqual([null, 1, null]);
    expect(rows[2]?.cells.map((cell) => cell?.at ?? null)).toEqual([0, 2, null]);
    expect(rows.map((row) => row.same)).toEqual([false, false, false]);
  });
});

describe("the version tree", () => {
  const version = (
    name: string,
    parent: string | null,
    at: number,
    change: Partial<VersionView> = {},
  ): VersionView => ({
    version: name,
    digest: `sha256:${name}`,
    message: name,
    author: "ana",
    created_at: new Date(at * 1000).toISOString(),
    parent,
    restores: null,
    ...change,
  });

  it("gives branches columns of their own and lets them meet at their parent", () => {
    const rows = tree(
      [version("#4", "#1", 4), version("#3", "#2", 3), version("#2", "#1", 2), version("#1", null, 1)],
      null,
    );
    expect(rows.map((row) => row.column)).toEqual([0, 1, 1, 0]);
    expect(rows[3]?.above).toEqual([
      { from: 0, to: 0 },
      { from: 1, to: 0 },
    ]);
    expect(rows[3]?.below).toEqual([]);
    expect(rows[0]?.above).toEqual([]);
  });

  it("marks what is published once, at the newest version that says the same, and shows what is only there", () => {
    const registry = {
      versions: [
        version("v2", "v1", 5, { digest: "sha256:other" }),
        version("v1", null, 3, { digest: "sha256:#1" }),
      ],
      labels: [{ label: "production", digest: "sha256:#1" }],
    } as unknown as RegistryPromptView;
    const rows = tree([version("#2", "#1", 4, { digest: "sha256:#1" }), version("#1", null, 1)], registry);
    expect(rows.map((row) => [row.view.version, row.published, row.labels])).toEqual([
      ["v2", "v2", []],
      ["#2", "v1", ["production"]],
      ["#1", null, []],
    ]);
    // v2's parent v1 is the workspace's #2.
    expect(rows[1]?.above).toContainEqual({ from: 0, to: 0 });
  });

  it("takes ten thousand versions in its stride", () => {
    const many = Array.from({ length: 10_000 }, (_, at) =>
      version(`#${10_000 - at}`, at === 9_999 ? null : `#${9_999 - at}`, 10_000 - at),
    );
    const before = performance.now();
    expect(tree(many, null)).toHaveLength(10_000);
    expect(performance.now() - before).toBeLessThan(2000);
  });
});
