import { useEffect, useState } from "preact/hooks";
import type { Json } from "../model";
import { CodeEditor, type Problem } from "./editor";

/** Where JSON.parse gave up, as line and column. */
export function problemOf(text: string, error: unknown): Problem {
  const message = error instanceof Error ? error.message : String(error);
  const position = /position (\d+)/.exec(message);
  const at = position ? Number(position[1]) : text.length;
  const before = text.slice(0, at).split("\n");
  const why = message.replace(/ in JSON at position.*| at position.*|, ".*$/s, "");
  return {
    message: `This is not JSON: ${why}. The draft keeps the last value that was.`,
    line: before.length,
    column: (before.at(-1)?.length ?? 0) + 1,
  };
}

/** JSON under an editor; hands on whatever parses, and an empty text as null. */
export function JsonField(props: {
  value: Json;
  revision: string | number;
  label: string;
  hint: string;
  problems?: readonly Problem[];
  onChange: (value: Json) => void;
}) {
  const [broken, setBroken] = useState<Problem | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another draft begins without the old one's problem
  useEffect(() => setBroken(null), [props.revision]);
  const text = props.value === null || props.value === undefined ? "" : JSON.stringify(props.value, null, 2);
  return (
    <CodeEditor
      value={text}
      revision={props.revision}
      language="json"
      label={props.label}
      hint={props.hint}
      problems={broken ? [broken] : (props.problems ?? [])}
      onInput={(typed) => {
        try {
          props.onChange(typed.trim() ? (JSON.parse(typed) as Json) : null);
          setBroken(null);
        } catch (error) {
          setBroken(problemOf(typed, error));
        }
      }}
    />
  );
}
