// Everything of a unit besides its template, value by value: `response_format.json_schema.schema.required[1]`.
import { diffArrays } from "diff";
import type { Json, UnitBody } from "../model";
import { stable } from "./diff";

export interface Field {
  /** Such as `tools[search].function.parameters.required[1]`. */
  path: string;
  /** As text; null where there is nothing. */
  left: string | null;
  right: string | null;
  same: boolean;
}

/** A candidate's value beside the baseline's: `partly` where a line further down tells what of it differs. */
export type State = "same" | "differs" | "partly";

/** One path with its values in several units, the baseline's first. */
export interface FieldRow {
  path: string;
  values: (string | null)[];
  /** One a candidate. */
  states: State[];
}

const PARTS = [
  "kind",
  "model",
  "params",
  "variables",
  "tools",
  "tool_choice",
  "response_format",
  "inputs",
] as const;

/** The values in which two units differ, and those in which they agree. */
export function fields(left: UnitBody, right: UnitBody): Field[] {
  return PARTS.flatMap((part) => compared(part, left[part] as Json, right[part] as Json));
}

/** The same for a baseline and several candidates, one line a path. */
export function fieldRows(baseline: UnitBody, candidates: readonly UnitBody[]): FieldRow[] {
  const all = candidates.map((candidate) => fields(baseline, candidate));
  const known = all.map((each) => new Map(each.map((field) => [field.path, field])));
  const bases = new Map(all.flat().map((field) => [field.path, field.left]));
  const order = (path: string) => (PARTS as readonly string[]).indexOf(path.split(/[.[]/, 1)[0] ?? "");
  return [...bases]
    .map(([path, left]): FieldRow => {
      const cells = known.map((own, at): [string | null, State] => {
        const field = own.get(path);
        if (field) return [field.right, field.same ? "same" : "differs"];
        const fields = all[at] ?? [];
        if (fields.some((each) => each.right === null && under(path, each.path))) return [null, "differs"];
        if (fields.some((each) => !each.same && under(each.path, path))) return [null, "partly"];
        return [left, "same"];
      });
      return {
        path,
        values: [left, ...cells.map(([value]) => value)],
        states: cells.map(([, state]) => state),
      };
    })
    .sort((a, b) => order(a.path) - order(b.path));
}

function under(path: string, whole: string): boolean {
  return path.length > whole.length && path.startsWith(whole) && /[.[]/.test(path.charAt(whole.length));
}

function compared(path: string, left: Json | undefined, right: Json | undefined): Field[] {
  const [before, after] = [nothing(left) ? undefined : left, nothing(right) ? undefined : right];
  if (before === undefined && after === undefined) return [];
  // What came or went as a whole is told as a whole.
  if (before === undefined || after === undefined)
    return [{ path, left: shown(before), right: shown(after), same: false }];
  if (isObject(before) && isObject(after)) return objects(path, before, after);
  if (Array.isArray(before) && Array.isArray(after)) return lists(path, before, after);
  return [{ path, left: shown(before), right: shown(after), same: stable(before) === stable(after) }];
}

type Objects = { [key: string]: Json };

function objects(path: string, left: Objects, right: Objects): Field[] {
  const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  return keys.flatMap((key) => compared(`${path}${step(key)}`, left[key], right[key]));
}

/** Elements that have a name keep it as their place; others are matched in order, as much alike as can be. */
function lists(path: string, before: Json[], after: Json[]): Field[] {
  const names = [before.map(named), after.map(named)] as const;
  if (names.every((each) => !each.includes(null) && new Set(each).size === each.length)) {
    const all = [...new Set([...names[0], ...names[1]])] as string[];
    return all.flatMap((name) =>
      compared(`${path}[${name}]`, before[names[0].indexOf(name)], after[names[1].indexOf(name)]),
    );
  }
  const found: Field[] = [];
  let [a, b] = [0, 0];
  let gone = 0;
  const settle = (fresh: number) => {
    for (let at = 0; at < Math.max(gone, fresh); at += 1) {
      const [old, now] = [at < gone ? before[a] : undefined, at < fresh ? after[b] : undefined];
      found.push(...compared(`${path}[${at < fresh ? b : a}]`, old, now));
      if (at < gone) a += 1;
      if (at < fresh) b += 1;
    }
    gone = 0;
  };
  const changes = diffArrays(before, after, { comparator: (x, y) => stable(x) === stable(y) });
  for (const change of changes) {
    if (change.removed) gone = change.value.length;
    else if (change.added) settle(change.value.length);
    else {
      settle(0);
      for (const value of change.value) {
        found.push(...compared(`${path}[${b}]`, value, value));
        a += 1;
        b += 1;
      }
    }
  }
  settle(0);
  return found;
}

function nothing(value: Json | undefined): boolean {
  return value === undefined || value === null || value === "";
}

function isObject(value: Json): value is Objects {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function named(value: Json): string | null {
  if (!isObject(value)) return null;
  const inner = isObject(value.function ?? null) ? (value.function as Objects) : value;
  return typeof inner.name === "string" ? inner.name : null;
}

function step(key: string): string {
  return /^[A-Za-z_$][\w$-]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

function shown(value: Json | undefined): string | null {
  if (value === undefined) return null;
  if (typeof value === "string") return value;
  const short = JSON.stringify(value);
  return short.length <= 60 ? short : JSON.stringify(value, null, 2);
}
