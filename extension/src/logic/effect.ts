import type { GateView } from "../model";

/** What the button would do, in full. */
export function effectOf(label: string, to: string, gate: GateView | null): string {
  if (!to) return `Move ${label}`;
  if (!gate) return `Move ${label} to ${to}`;
  if (gate.target === null) {
    return gate.current === null
      ? `Publish ${to} as the next version and set ${label} to it`
      : `Publish ${to} as the next version and move ${label} to it`;
  }
  if (gate.target === gate.current) return `${label} holds ${gate.target} already`;
  return gate.current === null
    ? `Set ${label} to ${gate.target}`
    : `Move ${label} from ${gate.current} to ${gate.target}`;
}
