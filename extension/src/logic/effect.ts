import type { GateView, ReasonView, RegistryPromptView } from "../model";

/** What the registry would call the version published next. */
export function nextVersion(prompt: RegistryPromptView): string {
  const numbers = prompt.versions.map((each) => Number.parseInt(each.version.slice(1), 10));
  return `v${Math.max(0, ...numbers.filter(Number.isFinite)) + 1}`;
}

/** What the button would do, in full; empty where there is nothing to do. */
export function effectOf(label: string, to: string, gate: GateView | null, next: string): string {
  if (!to) return `Move ${label}`;
  if (!gate) return `Move ${label} to ${to}`;
  if (gate.target === null) {
    return gate.current === null
      ? `Publish ${to} as ${next} and set ${label} to it`
      : `Publish ${to} as ${next} and move ${label} from ${gate.current} to ${next}`;
  }
  if (gate.target === gate.current) return "";
  return gate.current === null
    ? `Set ${label} to ${gate.target}`
    : `Move ${label} from ${gate.current} to ${gate.target}`;
}

/** What the gate asks for, and what runs say of the version: the second is no box to tick. */
export function parted(reasons: readonly ReasonView[]): {
  requirements: ReasonView[];
  evidence: ReasonView[];
} {
  return {
    requirements: reasons.filter((reason) => reason.verdict === undefined),
    evidence: reasons.filter((reason) => reason.verdict !== undefined),
  };
}

/** What a rollback would do. */
export function backOf(label: string, from: string, to: string): string {
  return `Roll ${label} back from ${from} to ${to}`;
}

/** The lines of a checklist, what stops the move first. */
export function inOrder(reasons: readonly ReasonView[]): ReasonView[] {
  const weight = (reason: ReasonView) => (reason.met ? 2 : reason.blocking ? 0 : 1);
  return [...reasons].sort((a, b) => weight(a) - weight(b));
}
