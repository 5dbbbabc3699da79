// What pressmark.sidepanel answers, and what the panel remembers of it.

export interface Prompt {
  name: string;
  newest: string;
  /** Label to version, without `latest`. */
  labels: Record<string, string>;
}

export interface Variable {
  name: string;
  type: string;
  required: boolean;
}

export interface Version {
  version: string;
  message: string;
  author: string;
  created_at: string;
  restores: number | null;
  variables: Variable[];
}

export interface Pointer {
  label: string;
  version: string;
  moved_at: string;
  moved_by: string;
  reason: string;
}

export interface History {
  name: string;
  labels: Pointer[];
  versions: Version[];
}

/** `away`: the Jupyter server itself does not answer, or lacks the panel's half. */
export type State = "loading" | "connected" | "unset" | "refused" | "down" | "failed" | "away";

export interface Fault {
  message: string;
  hint: string;
  /** What programs and operators want to know. */
  details?: string;
}

export interface Answer extends Partial<Fault> {
  state: State;
  where: string;
  position?: string;
  in_environment?: boolean;
  principal?: { name: string; role: string };
  prompts?: Prompt[] | null;
}

export interface Sight extends Fault {
  state: State;
  where: string;
  position: string;
  inEnvironment: boolean;
  principal: { name: string; role: string } | null;
  /** The newest list that is known, null before the first; it stays while the registry is away. */
  prompts: Prompt[] | null;
  /** When the registry last answered. */
  at: string;
}

export const NOTHING: Sight = {
  state: "loading",
  where: "",
  message: "",
  hint: "",
  position: "",
  inEnvironment: true,
  principal: null,
  prompts: null,
  at: "",
};

/** What is in sight after an answer: a registry that is away takes nothing away, one that refuses does. */
export function seen(before: Sight, answer: Answer, now: string): Sight {
  const { state, where } = answer;
  if (state === "connected") {
    return {
      state,
      where,
      message: "",
      hint: "",
      details: "",
      position: answer.position ?? "",
      inEnvironment: answer.in_environment ?? true,
      principal: answer.principal ?? before.principal,
      prompts: answer.prompts ?? before.prompts,
      at: now,
    };
  }
  const told = { message: answer.message ?? "", hint: answer.hint ?? "", details: answer.details ?? "" };
  if (state === "refused" || state === "unset") return { ...NOTHING, state, where, ...told };
  return { ...before, state, where: where || before.where, ...told };
}

/** The prompts whose name or labels hold every word of the search. */
export function found(prompts: readonly Prompt[], search: string): readonly Prompt[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return prompts;
  return prompts.filter((prompt) => {
    const text = `${prompt.name} ${Object.entries(prompt.labels).flat().join(" ")}`;
    return words.every((word) => text.includes(word));
  });
}

/** The labels at a version, the wanted one first. */
export function labelsAt(labels: Record<string, string>, version: string, wanted: string): string[] {
  return Object.keys(labels)
    .filter((label) => labels[label] === version)
    .sort((a, b) => Number(b === wanted) - Number(a === wanted) || a.localeCompare(b));
}

/** The version that is meant where none was chosen: the wanted label's, else the newest. */
export function usual(prompt: Prompt, wanted: string): string {
  return prompt.labels[wanted] ?? prompt.newest;
}

/** The label that code reads a version by: one that stands there, else the wanted one, else any; null where none is. */
export function readBy(prompt: Prompt, version: string, wanted: string): string | null {
  const here = labelsAt(prompt.labels, version, wanted)[0];
  if (here) return here;
  return wanted in prompt.labels ? wanted : (Object.keys(prompt.labels).sort()[0] ?? null);
}
