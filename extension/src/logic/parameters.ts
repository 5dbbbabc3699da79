// What models take beside the messages: a small table by family, for a form and for warnings in words. What the table
// does not know is entered freely, and an endpoint has the last word.

export interface Parameter {
  name: string;
  kind: "number" | "whole" | "choice";
  low?: number;
  high?: number;
  /** What the endpoint uses where nothing is given. */
  usual: string;
  choices?: readonly string[];
}

export interface Family {
  name: string;
  models: RegExp;
  takes: readonly string[];
  /** Parameters that it refuses or passes over, with what to do. */
  refuses: Readonly<Record<string, string>>;
}

const KNOWN: Readonly<Record<string, Parameter>> = Object.fromEntries(
  (
    [
      { name: "temperature", kind: "number", low: 0, high: 2, usual: "1" },
      { name: "top_p", kind: "number", low: 0, high: 1, usual: "1" },
      { name: "max_tokens", kind: "whole", low: 1, usual: "no limit" },
      { name: "max_completion_tokens", kind: "whole", low: 1, usual: "no limit" },
      { name: "seed", kind: "whole", usual: "none" },
      { name: "frequency_penalty", kind: "number", low: -2, high: 2, usual: "0" },
      { name: "presence_penalty", kind: "number", low: -2, high: 2, usual: "0" },
      {
        name: "reasoning_effort",
        kind: "choice",
        usual: "medium",
        choices: ["minimal", "low", "medium", "high"],
      },
      { name: "verbosity", kind: "choice", usual: "medium", choices: ["low", "medium", "high"] },
    ] as Parameter[]
  ).map((each) => [each.name, each]),
);

const FIXED = "a reasoning model refuses it: take it away, and set reasoning_effort instead";
const REASONING = {
  temperature: FIXED,
  top_p: FIXED,
  frequency_penalty: FIXED,
  presence_penalty: FIXED,
  max_tokens: "a reasoning model refuses it: use max_completion_tokens, which counts the thinking too",
};

const FAMILIES: readonly Family[] = [
  {
    name: "the practice model",
    models: /^(pressmark-)?practice/,
    takes: ["temperature", "max_tokens", "seed"],
    refuses: {},
  },
  {
    name: "OpenAI's reasoning models",
    models: /^(openai\/)?(o\d|gpt-5(?!.*chat))/,
    takes: ["reasoning_effort", "verbosity", "max_completion_tokens", "seed"],
    refuses: REASONING,
  },
  {
    name: "DeepSeek's reasoner",
    models: /deepseek-(reasoner|r1)/,
    takes: ["max_tokens"],
    refuses: {
      temperature: "this model passes over it: take it away",
      top_p: "this model passes over it: take it away",
      frequency_penalty: "this model passes over it: take it away",
      presence_penalty: "this model passes over it: take it away",
    },
  },
  {
    name: "Claude",
    models: /^(anthropic\/)?claude/,
    takes: ["temperature", "top_p", "max_tokens"],
    refuses: {
      seed: "Claude passes over it: answers cannot be had again that way",
      frequency_penalty: "Claude passes over it: take it away",
      presence_penalty: "Claude passes over it: take it away",
    },
  },
  {
    name: "Gemini",
    models: /^(google\/)?gemini/,
    takes: ["temperature", "top_p", "max_tokens", "seed"],
    refuses: {},
  },
];

const OTHERS: Family = {
  name: "",
  models: /.*/,
  takes: ["temperature", "top_p", "max_tokens", "seed", "frequency_penalty", "presence_penalty"],
  refuses: {},
};

export function familyOf(model: string): Family {
  const name = model.trim().toLowerCase();
  return FAMILIES.find((each) => each.models.test(name)) ?? OTHERS;
}

/** The fields of the form: what the family takes, and what is set although it does not. */
export function formOf(model: string, params: Readonly<Record<string, unknown>>): Parameter[] {
  const names = [...familyOf(model).takes];
  for (const name of Object.keys(params)) if (KNOWN[name] && !names.includes(name)) names.push(name);
  return names.map((name) => ({ ...(KNOWN[name] as Parameter), ...narrowed(model, name) }));
}

function narrowed(model: string, name: string): Partial<Parameter> {
  return name === "temperature" && familyOf(model).name === "Claude" ? { high: 1 } : {};
}

export function range(parameter: Parameter): string {
  const { low, high } = parameter;
  if (low !== undefined && high !== undefined) return `${low} to ${high}`;
  return low !== undefined ? `${low} or more` : "";
}

/** What is likely to go wrong with these parameters, each a sentence; nothing here keeps a draft from being saved. */
export function warnings(model: string, params: Readonly<Record<string, unknown>>): string[] {
  const family = familyOf(model);
  const found: string[] = [];
  for (const [name, value] of Object.entries(params)) {
    const known = KNOWN[name] && ({ ...KNOWN[name], ...narrowed(model, name) } as Parameter);
    const refused = family.refuses[name];
    if (refused) found.push(`${name}: ${refused}.`);
    else if (known?.kind === "choice") {
      if (typeof value !== "string" || !known.choices?.includes(value))
        found.push(`${name} is one of ${known.choices?.join(", ")}, not ${JSON.stringify(value)}.`);
    } else if (known) {
      const whole = known.kind === "whole";
      if (typeof value !== "number" || (whole && !Number.isInteger(value)))
        found.push(`${name} is a ${whole ? "whole number" : "number"}, not ${JSON.stringify(value)}.`);
      else if (
        (known.low !== undefined && value < known.low) ||
        (known.high !== undefined && value > known.high)
      )
        found.push(`${name} is ${value}, and models take ${range(known)}.`);
    }
  }
  if ("max_tokens" in params && "max_completion_tokens" in params && !family.refuses.max_tokens)
    found.push("max_tokens and max_completion_tokens say the same: keep one of them.");
  return found;
}
