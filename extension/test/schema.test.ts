import { expect, test } from "vitest";
import { newFormat, newTool, placeOf } from "../src/logic/schema";

const FIELD = { name: "order", type: "string", description: "its number", required: true };

test("a form becomes a tool, or an answer's schema", () => {
  expect(newTool("lookup", "", [FIELD, { ...FIELD, name: " " }])).toEqual({
    type: "function",
    function: {
      name: "lookup",
      parameters: {
        type: "object",
        properties: { order: { type: "string", description: "its number" } },
        required: ["order"],
      },
    },
  });
  expect(newFormat("triage", [{ ...FIELD, type: "array", required: false }])).toMatchObject({
    json_schema: { schema: { additionalProperties: false, properties: { order: { items: {} } } } },
  });
});

test("a path leads to its line, as far as the text goes", () => {
  const text = JSON.stringify([{ function: { parameters: { 'a "b"': { type: "strnig" } } } }], null, 2);
  expect(placeOf(text, [0, "function", "parameters", 'a "b"', "type"])).toEqual({ line: 6, column: 11 });
  expect(placeOf(text, [0, "function", "nowhere"])).toEqual({ line: 3, column: 5 });
  expect(placeOf("[1, {]", [1, "x"]).line).toBe(1);
});
