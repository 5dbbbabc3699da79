import { useRef } from "preact/hooks";
import { correctable } from "../../logic/columns";
import { plural } from "../../logic/format";
import { sentence } from "../../logic/text";
import type { CorrectedView, RowView, SuiteView } from "../../model";
import { useAct } from "../../parts/hooks";
import { useKept } from "../../parts/typed";
import { Button, Note, TextField } from "../../parts/ui";

interface Typed {
  values: Record<string, string>;
  why: string;
}

/** What is expected of a row, edited in place: it becomes the next version of the dataset. */
export function Correction(props: { run: string; row: RowView; suite: SuiteView }) {
  const { row, suite } = props;
  const save = useAct("correct_row");
  // A look at another row, to see what is expected there, takes nothing of it away.
  const [typed, setTyped] = useKept<Typed>(`correction of row ${row.row} in ${props.run}`);
  const { values = null, why = "" } = typed ?? {};
  const setValues = (next: Typed["values"] | null) => setTyped(next && { values: next, why });
  const columns = correctable(suite, row);
  const begun = useRef(false);
  const begin = () => {
    begun.current = true;
    setValues(Object.fromEntries(columns.map((name) => [name, row.values[name] ?? ""])));
  };
  const changed = Object.entries(values ?? {}).filter(([name, text]) => text !== (row.values[name] ?? ""));
  const submit = async () => {
    if (!changed.length) return;
    const saved = await save.run({
      run: props.run,
      row: row.row,
      values: Object.fromEntries(changed),
      message: why.trim(),
    });
    if (saved) setValues(null);
  };
  if (!columns.length) return null;
  if (save.value && !values) return <Corrected corrected={save.value} />;
  if (!values)
    return (
      <div class="pm-correct">
        <Button onClick={begin} title={`Correct ${columns.join(", ")} of this row in ${suite.dataset}`}>
          Correct this row
        </Button>
      </div>
    );
  return (
    <fieldset class="pm-correct" aria-label="Correct this row">
      <div class="pm-option-fields">
        {columns.map((name, at) => (
          <TextField
            key={name}
            label={name}
            value={values[name] ?? ""}
            inputRef={(element) => {
              // Not where it was begun before: the keys of whoever goes from row to row are the grid's.
              if (at !== 0 || !element || !begun.current) return;
              begun.current = false;
              element.focus();
            }}
            onInput={(text) => setValues({ ...values, [name]: text })}
            onEnter={() => void submit()}
            onEscape={() => setValues(null)}
          />
        ))}
        <TextField
          label="Why"
          value={why}
          placeholder="optional"
          onInput={(text) => setTyped({ values, why: text })}
          onEnter={() => void submit()}
          onEscape={() => setValues(null)}
        />
        <span class="pm-field pm-setup-run pm-row">
          <Button
            kind="primary"
            busy={save.busy}
            disabled={!changed.length}
            title={changed.length ? undefined : "Nothing is changed yet"}
            onClick={() => void submit()}
          >
            Save as the next version of {suite.dataset}
          </Button>
          <Button kind="quiet" onClick={() => setValues(null)}>
            Leave it
          </Button>
        </span>
      </div>
      {save.error && (
        <div class="pm-problem" role="alert">
          {sentence(save.error.message)}
        </div>
      )}
    </fieldset>
  );
}

function Corrected(props: { corrected: CorrectedView }) {
  const { corrected } = props;
  const move = useAct("move_suites");
  const changes = Object.entries(corrected.changes).map(
    ([name, [before, after]]) => `${name} ${before || "nothing"} → ${after || "nothing"}`,
  );
  const moved = move.value ?? [];
  const behind = corrected.suites.filter((name) => !moved.includes(name));
  return (
    <Note kind="done">
      Row {corrected.row} of {corrected.dataset} is corrected: {changes.join(", ")}
      {corrected.note && ` (${corrected.note})`}. The run shown keeps the rows that it was asked with.{" "}
      {behind.length > 0 && (
        <>
          {behind.join(", ")} still {behind.length === 1 ? "judges" : "judge"} by the old rows.{" "}
          <Button
            busy={move.busy}
            onClick={() => void move.run({ dataset: corrected.dataset, suites: behind })}
          >
            Move {behind.length === 1 ? behind[0] : plural(behind.length, "suite")} to the corrected rows
          </Button>
        </>
      )}
      {moved.length > 0 &&
        `${moved.join(", ")} judges by the corrected rows now: run again to see the verdict.`}
      {move.error && <span role="alert">{sentence(move.error.message)}</span>}
    </Note>
  );
}
