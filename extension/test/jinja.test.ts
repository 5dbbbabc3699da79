import { describe, expect, it } from "vitest";
import { insideCode, jinja } from "../src/logic/jinja";

/** What is coloured how, as "text:style". */
function tokens(text: string): string[] {
  const found: string[] = [];
  const tree = jinja.parser.parse(text);
  tree.iterate({
    enter(node) {
      if (node.name !== "Document" && node.to > node.from)
        found.push(`${text.slice(node.from, node.to)}:${node.name}`);
    },
  });
  return found;
}

describe("Jinja highlighting", () => {
  it("tells variables, filters and their arguments apart", () => {
    expect(tokens('Hi {{ user.name | default("you") }}')).toEqual([
      "{{:brace",
      "user:variableName",
      ".:punctuation",
      "name:propertyName",
      "|:operator",
      "default:variableName.function",
      "(:punctuation",
      '"you":string',
      "):punctuation",
      "}}:brace",
    ]);
  });

  it("knows statements and their words", () => {
    const found = tokens("{%- for item in items if item is not none -%}");
    expect(found).toContain("for:keyword");
    expect(found).toContain("in:keyword");
    expect(found).toContain("is:keyword");
    expect(found).toContain("items:variableName");
  });

  it("keeps comments in mind over lines", () => {
    expect(tokens("{# one\ntwo #} {{ x }}")).toEqual([
      "{# one:comment",
      "two #}:comment",
      "{{:brace",
      "x:variableName",
      "}}:brace",
    ]);
  });

  it("leaves plain text and single braces alone", () => {
    expect(tokens('Answer with JSON: {"category": ...}')).toEqual([]);
  });

  it("gets over what is not finished yet", () => {
    expect(tokens('{{ "open')).toEqual(["{{:brace", '"open:string']);
    expect(tokens("{% for")).toEqual(["{%:brace", "for:keyword"]);
  });
});

describe("insideCode", () => {
  it("offers names only between the braces", () => {
    expect(insideCode("Hello {{ na")).toBe(true);
    expect(insideCode("{% if ur")).toBe(true);
    expect(insideCode("{{ name }} and ")).toBe(false);
    expect(insideCode("plain")).toBe(false);
  });
});
