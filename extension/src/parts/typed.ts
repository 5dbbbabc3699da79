import { useCallback, useReducer } from "preact/hooks";
import type { Host } from "../host";
import { useHost } from "./hooks";

/** A text is sent to the kernel once nothing was typed into its field for so long. */
const PAUSE = 300;

interface Field {
  text: string;
  timer: ReturnType<typeof setTimeout> | undefined;
}

const pages = new WeakMap<Host, Map<string, Field>>();

function fieldsOf(host: Host): Map<string, Field> {
  const known = pages.get(host);
  if (known) return known;
  const fields = new Map<string, Field>();
  pages.set(host, fields);
  return fields;
}

/**
 * What is typed into a single field until it is sent with an act: it stays while its panel is out of sight, and the
 * kernel keeps it for a page that is loaded again. The name says what the text is about.
 */
export function useTyped(name: string): [string, (text: string | ((now: string) => string)) => void] {
  const host = useHost();
  const [, again] = useReducer((n: number, _: null) => n + 1, 0);
  const fields = fieldsOf(host);
  const now = () => fields.get(name)?.text ?? host.get("state_typed").fields?.[name] ?? "";
  // biome-ignore lint/correctness/useExhaustiveDependencies: `now` reads what is there when it is called
  const set = useCallback(
    (next: string | ((now: string) => string)) => {
      const text = typeof next === "string" ? next : next(now());
      clearTimeout(fields.get(name)?.timer);
      const timer = setTimeout(() => {
        host.call("keep", { field: name, text }).catch(() => undefined);
      }, PAUSE);
      fields.set(name, { text, timer });
      again(null);
    },
    [host, name],
  );
  return [now(), set];
}

/** The same for what is more than a text; null where there is nothing of it. */
export function useKept<T>(name: string): [T | null, (next: T | null) => void] {
  const [text, set] = useTyped(name);
  return [text ? (JSON.parse(text) as T) : null, (next) => set(next === null ? "" : JSON.stringify(next))];
}
