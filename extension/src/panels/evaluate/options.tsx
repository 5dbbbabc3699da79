import { useEffect, useRef, useState } from "preact/hooks";
import { budgetWords, numberOf } from "../../logic/asking";
import { plural } from "../../logic/format";
import { sentence } from "../../logic/text";
import type { AskingView, BudgetView } from "../../model";
import { useAct, useTrait } from "../../parts/hooks";
import { Fold, Select, TextField } from "../../parts/ui";

const LIMITS: [keyof BudgetView, string][] = [
  ["money", "US dollars"],
  ["tokens", "tokens"],
  ["calls", "calls"],
  ["minutes", "minutes"],
];

/** How the next run asks: folded to a line that says what is out of the ordinary. */
export function Options() {
  const asking = useTrait("state_evaluate").asking;
  const choose = useAct("choose_asking");
  // What was sent counts before it is told back: of two changes in a row the second must not undo the first.
  const sent = useRef<AskingView | null>(null);
  if (!asking) return null;
  const set = (changes: Partial<AskingView>) => {
    const next = { ...(sent.current ?? asking), ...changes };
    sent.current = next;
    void choose.run(next).finally(() => {
      if (sent.current === next) sent.current = null;
    });
  };
  const limit = (name: keyof BudgetView, value: number | null) =>
    set({ budget: { ...(sent.current ?? asking).budget, [name]: value } });
  return (
    <Fold class="pm-options" summary={<span>How it asks: {summary(asking)}</span>}>
      <div class="pm-option-fields">
        <NumberField
          label="Repeats of each row"
          whole
          value={asking.repeats}
          least={1}
          onSet={(value) => set({ repeats: value ?? 1 })}
        />
        <NumberField
          label="Calls at once"
          whole
          value={asking.concurrency}
          least={1}
          placeholder="auto"
          onSet={(concurrency) => set({ concurrency })}
        />
        {LIMITS.map(([name, unit]) => (
          <NumberField
            key={name}
            label={`At most, ${unit}`}
            whole={name === "tokens" || name === "calls"}
            value={asking.budget[name]}
            placeholder="no limit"
            onSet={(value) => limit(name, value)}
          />
        ))}
        <Select
          label="It ends"
          value={asking.stop_when_sure ? "sure" : "all"}
          options={[
            { value: "all", text: "after the last row" },
            { value: "sure", text: "as soon as the verdict is sure" },
          ]}
          onChange={(value) => set({ stop_when_sure: value === "sure" })}
        />
      </div>
      <p class="pm-soft">
        {asking.stop_when_sure
          ? "The run is looked at all the time, so its verdict is by the confidence sequence: it holds whenever the run ends, and takes more rows to tell."
          : "Calls at once left empty: as many as the endpoint takes. A budget is for the run in all, resumed or not."}
      </p>
      {choose.error && (
        <div class="pm-problem" role="alert">
          {sentence(choose.error.message)}
        </div>
      )}
    </Fold>
  );
}

function summary(asking: AskingView): string {
  return [
    asking.repeats > 1 ? plural(asking.repeats, "repeat") : "each row once",
    asking.concurrency === null ? "as many at once as the endpoint takes" : `${asking.concurrency} at once`,
    budgetWords(asking.budget) || "no budget",
    asking.stop_when_sure ? "stops when sure" : "",
  ]
    .filter(Boolean)
    .join(", ");
}

/** A number that is taken over when the field is left or Enter is pressed; what is none is told and not taken over. */
function NumberField(props: {
  label: string;
  value: number | null;
  whole?: boolean;
  least?: number;
  placeholder?: string;
  onSet: (value: number | null) => void;
}) {
  const shown = props.value === null ? "" : String(props.value);
  const [text, setText] = useState(shown);
  const [wrong, setWrong] = useState(false);
  useEffect(() => setText(shown), [shown]);
  const take = () => {
    const found = numberOf(text, props.whole ?? false);
    const refused = found === undefined || (found === null && props.placeholder === undefined);
    setWrong(refused);
    if (!refused && found !== props.value) props.onSet(found ?? null);
  };
  return (
    <span class="pm-number-field" onFocusOut={take}>
      <TextField
        label={props.label}
        value={text}
        placeholder={props.placeholder ?? ""}
        invalid={wrong}
        onInput={setText}
        onEnter={take}
      />
      {wrong && (
        <span class="pm-problem" role="alert">
          {props.whole ? "A whole number" : "A number"} above 0, please.
        </span>
      )}
    </span>
  );
}
