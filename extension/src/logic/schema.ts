// Tools and answer schemas begun from a form: a name and its fields, as JSON Schema.
import { jsonLanguage } from "@codemirror/lang-json";
import type { Json } from "../model";

type SyntaxNode = ReturnType<typeof jsonLanguage.parser.parse>["topNode"];

export interface SchemaField {
  name: string;
  type: string;
  description: string;
  required: boolean;
}

export const FIELD_TYPES = ["string", "number", "integer", "boolean", "array", "object"] as const;

export function objectSchema(fields: readonly SchemaField[], strict: boolean): { [key: string]: Json } {
  const named = fields.filter((each) => each.name.trim());
  const properties = Object.fromEntries(
    named.map((each) => [
      each.name.trim(),
      {
        type: each.type,
        ...(each.type === "array" ? { items: { type: "string" } } : {}),
        ...(each.description.trim() ? { description: each.description.trim() } : {}),
      },
    ]),
  );
  const required = named.filter((each) => each.required).map((each) => each.name.trim());
  return {
    type: "object",
    properties,
    ...(required.length ? { required } : {}),
    ...(strict ? { additionalProperties: false } : {}),
  };
}

export function newTool(name: string, description: string, fields: readonly SchemaField[]): Json {
  const told = description.trim() ? { description: description.trim() } : {};
  return { type: "function", function: { name, ...told, parameters: objectSchema(fields, false) } };
}

export function newFormat(name: string, fields: readonly SchemaField[]): Json {
  return { type: "json_schema", json_schema: { name, schema: objectSchema(fields, true) } };
}

/** Where in a JSON text the value stands that a path leads to; as far along the path as the text goes. */
export function placeOf(text: string, path: readonly (string | number)[]): { line: number; column: number } {
  let node: SyntaxNode | null = jsonLanguage.parser.parse(text).topNode.firstChild;
  let at = node?.from ?? 0;
  for (const step of path) {
    if (!node) break;
    let next: SyntaxNode | null = null;
    if (node.name === "Object") {
      for (const property of node.getChildren("Property")) {
        const name = property.getChild("PropertyName");
        if (name && JSON.parse(text.slice(name.from, name.to)) === step) {
          at = name.from;
          next = property.lastChild;
        }
      }
    } else if (node.name === "Array" && typeof step === "number") {
      const values: SyntaxNode[] = [];
      for (let child: SyntaxNode | null = node.firstChild; child; child = child.nextSibling)
        if (!["[", "]", ","].includes(child.name)) values.push(child);
      next = values[step] ?? null;
      at = next?.from ?? at;
    }
    node = next;
  }
  const before = text.slice(0, at).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
