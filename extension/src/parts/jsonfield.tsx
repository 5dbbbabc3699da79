import { useEffect, useMemo, useState } from "preact/hooks";
import { placeOf } from "../logic/schema";
import { jsonProblem, type Problem } from "../logic/text";
import type { Json } from "../model";
import { CodeEditor } from "./editor";

/** JSON under an editor; hands on whatever parses, and an empty text as null. */
export function JsonField(props: {
  value: Json;
  revision: string | number;
  label: string;
  hint: string;
  problems?: readonly (Problem & { path?: readonly (string | number)[] })[];
  onChange: (value: Json) => void;
}) {
  const [broken, setBroken] = useState<Problem | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another draft begins without the old one's problem
  useEffect(() => setBroken(null), [props.revision]);
  const text = props.value === null || props.value === undefined ? "" : JSON.stringify(props.value, null, 2);
  const placed = useMemo(
    () =>
      (props.problems ?? []).map((each) =>
        each.path?.length ? { ...each, ...placeOf(text, each.path) } : each,
      ),
    [props.problems, text],
  );
  return (
    <CodeEditor
      value={text}
      revision={props.revision}
      language="json"
      label={props.label}
      hint={props.hint}
      problems={broken ? [broken] : placed}
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
