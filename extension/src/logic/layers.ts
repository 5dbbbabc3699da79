// A dependency graph in columns: a prompt stands right of everything that feeds it.

export interface Node {
  name: string;
  column: number;
  line: number;
}

export function layers(names: readonly string[], edges: readonly (readonly [string, string])[]): Node[] {
  const all = [...new Set([...names, ...edges.flat()])];
  const feeds = new Map(all.map((name) => [name, [] as string[]]));
  for (const [from, to] of edges) feeds.get(to)?.push(from);
  const columns = new Map<string, number>();
  const columnOf = (name: string, path: readonly string[] = []): number => {
    const known = columns.get(name);
    if (known !== undefined) return known;
    // The registry takes no circle; a page that met one all the same must not turn in it.
    const before = (feeds.get(name) ?? []).filter((each) => !path.includes(each));
    const column = Math.max(-1, ...before.map((each) => columnOf(each, [...path, name]))) + 1;
    columns.set(name, column);
    return column;
  };
  const taken = new Map<number, number>();
  return all.map((name) => {
    const column = columnOf(name);
    const line = taken.get(column) ?? 0;
    taken.set(column, line + 1);
    return { name, column, line };
  });
}
