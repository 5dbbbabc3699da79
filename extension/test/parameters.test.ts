import { expect, test } from "vitest";
import { formOf, warnings } from "../src/logic/parameters";

test("a reasoning model refuses a temperature and says what to use instead", () => {
  const told = warnings("gpt-5-mini", { temperature: 0, max_tokens: 10 });
  expect(told[0]).toMatch(/temperature: a reasoning model refuses it/);
  expect(told[1]).toMatch(/use max_completion_tokens/);
  expect(warnings("o4-mini", { reasoning_effort: "low" })).toEqual([]);
});

test("values out of range and of another kind are told", () => {
  expect(warnings("gpt-4o", { temperature: 3 })).toEqual(["temperature is 3, and models take 0 to 2."]);
  expect(warnings("claude-sonnet-4", { temperature: 1.5 })).toEqual([
    "temperature is 1.5, and models take 0 to 1.",
  ]);
  expect(warnings("gpt-4o", { seed: 1.5 })).toEqual(["seed is a whole number, not 1.5."]);
  expect(warnings("gpt-5", { reasoning_effort: "max" })[0]).toMatch(/one of minimal, low, medium, high/);
});

test("what the table does not know is free", () => {
  expect(warnings("some-model", { anything: { goes: true } })).toEqual([]);
});

test("the form shows what a model takes, and what is set although it does not", () => {
  expect(formOf("gpt-5", {}).map((each) => each.name)).not.toContain("temperature");
  expect(formOf("gpt-5", { temperature: 0 }).map((each) => each.name)).toContain("temperature");
  expect(formOf("gpt-4o", { other: 1 }).map((each) => each.name)).not.toContain("other");
});
