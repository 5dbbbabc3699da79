// The versions of a prompt as a tree, the newest on top: each line has its dot, and the strokes that pass it.
import type { RegistryPromptView, VersionView } from "../model";

export interface Stroke {
  from: number;
  to: number;
}

export interface TreeRow {
  view: VersionView;
  /** Its name in the registry, where it has one. */
  published: string | null;
  labels: string[];
  column: number;
  /** From the line's top to its middle, and from its middle to its bottom, by column. */
  above: Stroke[];
  below: Stroke[];
}

/** Versions of both stores, one line each; a published one stands at the newest version that says the same. */
export function tree(items: readonly VersionView[], registry: RegistryPromptView | null): TreeRow[] {
  const held = registry?.versions ?? [];
  const newest = new Map<string, string>();
  for (const item of items) if (!newest.has(item.digest)) newest.set(item.digest, item.version);
  const elsewhere = held.filter((each) => !newest.has(each.digest));
  const views = [...items, ...elsewhere].sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
  const known = new Set(views.map((view) => view.version));
  const digests = new Map(held.map((each) => [each.version, each.digest]));
  const parentOf = (view: VersionView): string | null => {
    const { parent } = view;
    if (parent === null || known.has(parent)) return parent;
    return newest.get(digests.get(parent) ?? "") ?? null;
  };
  const lanes: (string | null)[] = [];
  return views.map((view) => {
    const waiting = lanes.flatMap((name, at) => (name === view.version ? [at] : []));
    const free = lanes.indexOf(null);
    const column = waiting[0] ?? (free === -1 ? lanes.length : free);
    const passing = lanes.flatMap((name, at) =>
      name !== null && name !== view.version ? [{ from: at, to: at }] : [],
    );
    for (const at of waiting) lanes[at] = null;
    const parent = parentOf(view);
    lanes[column] = parent;
    while (lanes.length && lanes.at(-1) === null) lanes.pop();
    const published = held.find((each) => each.digest === view.digest)?.version ?? view.published ?? null;
    const marked = newest.get(view.digest) === view.version || !newest.has(view.digest);
    return {
      view,
      published: marked ? published : null,
      labels: marked
        ? (registry?.labels ?? []).filter((each) => each.digest === view.digest).map((each) => each.label)
        : [],
      column,
      above: [...passing, ...waiting.map((at) => ({ from: at, to: column }))],
      below: [...passing, ...(parent ? [{ from: column, to: column }] : [])],
    };
  });
}
