import { useEffect, useState } from "preact/hooks";
import { jsonProblem, type Problem } from "../logic/text";
import type { Json } from "../model";
import { CodeEditor } from "./editor";

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
        } catch {
          setBroken(jsonProblem(typed));
        }
      }}
    />
  );
}
