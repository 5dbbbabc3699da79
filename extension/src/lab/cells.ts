// The Python that goes into notebooks. Names of prompts and labels are plain ASCII, so JSON's strings are Python's too.

import type { Variable } from "./model";

const KEYWORDS = new Set(
  (
    "and as assert async await break class continue def del elif else except False finally for from global if import in" +
    " is lambda None nonlocal not or pass raise return True try while with yield"
  ).split(" "),
);
const SAMPLES: Record<string, string> = {
  integer: "0",
  number: "0.0",
  boolean: "False",
  array: "[]",
  object: "{}",
  messages: "[]",
};

const quoted = (text: string) => JSON.stringify(text);

export interface WorkbenchCell {
  prompt: string;
  version: string;
  workspace: string;
  /** The registry's address, where kernels do not have it in their environment. */
  address: string | null;
}

/** Brings a published version into the workspace and shows the workbench. */
export function workbenchCell(cell: WorkbenchCell): string {
  const registry = cell.address
    ? [
        "# Its token is read from PRESSMARK_TOKEN, in the kernel's environment.",
        `registry = pm.Registry(${quoted(cell.address)})`,
      ]
    : ["registry = pm.Registry()"];
  return [
    "import pressmark as pm",
    "",
    `ws = pm.Workspace(${quoted(cell.workspace)})`,
    ...registry,
    `ws.pull(registry, ${quoted(`${cell.prompt}@${cell.version}`)})`,
    `ws.workbench(${quoted(cell.prompt)}, registry=registry)`,
  ].join("\n");
}

export interface ReadingCode {
  prompt: string;
  label: string;
  variables: readonly Variable[];
  address: string | null;
}

/** What a service has to say to read the prompt: once at its start, and for each request. */
export function readingCode(code: ReadingCode): string {
  const name = quoted(code.prompt);
  const address = code.address ? `${quoted(code.address)}, ` : "";
  const given = code.variables.map((variable) => quoted(variable.name)).join(", ");
  return [
    "import pressmark as pm",
    "",
    "# Once, when the service starts: it fails early where the prompt is missing or takes other variables.",
    `${code.address ? "# The token is read from PRESSMARK_TOKEN." : "# Address and token are read from PRESSMARK_URL and PRESSMARK_TOKEN."}`,
    `client = pm.Client(${address}labels=[${quoted(code.label)}])`,
    `client.require(${name}, variables=[${given}])`,
    "",
    "# For each request: a read from memory, always the version that the label holds now.",
    `prompt = client.get(${name})`,
    `request = prompt.request(${filled(code.variables)})`,
  ].join("\n");
}

function filled(variables: readonly Variable[]): string {
  const given = variables.filter((variable) => variable.required);
  const sample = (variable: Variable) => SAMPLES[variable.type] ?? quoted("");
  if (given.some((variable) => KEYWORDS.has(variable.name)))
    return `**{${given.map((each) => `${quoted(each.name)}: ${sample(each)}`).join(", ")}}`;
  return given.map((each) => `${each.name}=${sample(each)}`).join(", ");
}

/** The workspace file that a notebook's cells open, the last one of several; null where they open none. */
export function workspaceIn(sources: Iterable<string>): string | null {
  let file: string | null = null;
  for (const source of sources)
    for (const line of source.split("\n"))
      if (!line.trimStart().startsWith("#"))
        for (const [, , path] of line.matchAll(/\bWorkspace\(\s*(["'])([^"'\\]+)\1/g)) file = path ?? file;
  return file;
}
