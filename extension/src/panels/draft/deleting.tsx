import { useState } from "preact/hooks";
import { count, plural } from "../../logic/format";
import type { CompactedView, DeletionView } from "../../model";
import { useAct, useTrait } from "../../parts/hooks";
import { Button, ErrorNote, Fold, Note, TextField } from "../../parts/ui";
import type { Draft } from "./state";

/** What must go, and the room that it left: a dataset, such as one with personal data, with what was made of it; and a draft with its steps. */
export function Deleting(props: { draft: Draft }) {
  const { draft } = props;
  const catalog = useTrait("state_catalog");
  const weigh = useAct("weigh_dataset");
  const remove = useAct("delete_dataset");
  const forget = useAct("delete_draft");
  const file = useAct("weigh_file");
  const compact = useAct("compact");
  const [reason, setReason] = useState("");
  const [runs, setRuns] = useState(true);
  const [sure, setSure] = useState(false);
  const found = weigh.value;
  const end = () => {
    weigh.clear();
    setReason("");
    setRuns(true);
  };
  const go = async () => {
    if (!found || !reason.trim()) return;
    if (await remove.run({ dataset: found.dataset, reason: reason.trim(), runs })) end();
    void file.run({});
  };
  const squeeze = async () => {
    await compact.run({});
    void file.run({});
  };
  return (
    <Fold
      summary="Delete what must go"
      class="pm-rail-delete"
      onToggle={(open) => {
        if (open) void file.run({});
      }}
    >
      {remove.value && (
        <Note kind="done">
          Deleted; the file went from {bytes(remove.value.before)} to {bytes(remove.value.after)}.
        </Note>
      )}
      {remove.error && <ErrorNote error={remove.error} onClose={remove.clear} />}
      {weigh.error && <ErrorNote error={weigh.error} onClose={weigh.clear} />}
      <ul class="pm-list">
        {(catalog.datasets ?? []).map((each) => (
          <li key={each.name} class="pm-row pm-tight">
            <span class="pm-cut pm-delete-name" title={each.name}>
              {each.name}
            </span>
            <span class="pm-push" />
            <Button
              kind="quiet"
              label={`Delete the dataset ${each.name}…`}
              onClick={() => {
                remove.clear();
                void weigh.run({ dataset: each.name });
              }}
            >
              Delete…
            </Button>
          </li>
        ))}
        <li class="pm-row pm-tight">
          <span class="pm-cut pm-delete-name">the draft of {draft.name}</span>
          <span class="pm-push" />
          <Button
            kind="quiet"
            busy={forget.busy}
            onClick={() => {
              if (!sure) return setSure(true);
              setSure(false);
              void forget.run({});
            }}
          >
            {sure ? "Delete it and its undo steps" : "Delete…"}
          </Button>
        </li>
      </ul>
      {forget.error && <ErrorNote error={forget.error} onClose={forget.clear} />}
      {compact.value && (
        <Note kind="done">
          Compacted: {bytes(compact.value.before - compact.value.after)} freed, the file takes{" "}
          {bytes(compact.value.after)} now.
        </Note>
      )}
      {compact.error && <ErrorNote error={compact.error} onClose={compact.clear} />}
      {file.error && <ErrorNote error={file.error} onClose={file.clear} />}
      {file.value && (
        <div class="pm-row pm-tight pm-compact">
          <span class="pm-soft">{room(file.value)}</span>
          {file.value.before > file.value.after && (
            <Button busy={compact.busy} onClick={() => void squeeze()}>
              {compact.busy
                ? "Compacting…"
                : `Compact the file, frees about ${bytes(file.value.before - file.value.after)}`}
            </Button>
          )}
        </div>
      )}
      {found && (
        <fieldset class="pm-card pm-pad" aria-label={`Delete ${found.dataset}`}>
          <p>
            {[
              plural(found.rows, "row"),
              found.versions > 1 ? `${count(found.versions)} versions` : "",
              found.suites.length ? plural(found.suites.length, "suite") : "",
            ]
              .filter(Boolean)
              .join(", ")}{" "}
            will be gone for good.
          </p>
          {found.runs > 0 && (
            <label class="pm-row pm-tight">
              <input
                type="checkbox"
                checked={runs}
                onChange={(event) => setRuns(event.currentTarget.checked)}
              />
              <span>
                also {plural(found.runs, "run")} on it with {plural(found.outputs, "output")}, which quote it
              </span>
            </label>
          )}
          {found.also_in.length > 0 && (
            <p class="pm-absent">
              ! Rows or values of it may also stand in {found.also_in.join(", ")}, which stays: look there
              too.
            </p>
          )}
          <p class="pm-soft">Saved versions and drafts that quote rows stay as they are.</p>
          <TextField
            label="Reason"
            hideLabel
            class="pm-wide"
            placeholder="Why, for those who miss it"
            value={reason}
            onInput={setReason}
            onEnter={() => void go()}
            onEscape={end}
          />
          <div class="pm-row pm-actions">
            <Button
              kind="primary"
              busy={remove.busy}
              disabled={!reason.trim()}
              title={reason.trim() ? undefined : "Give the reason first"}
              onClick={() => void go()}
            >
              {effect(found, runs)}
            </Button>
            <Button onClick={end}>Keep it</Button>
          </div>
        </fieldset>
      )}
    </Fold>
  );
}

function effect(found: DeletionView, runs: boolean): string {
  const parts = [plural(found.rows, "row")];
  if (found.suites.length) parts.push(plural(found.suites.length, "suite"));
  if (runs && found.runs) parts.push(plural(found.runs, "run"));
  return `Delete ${parts.join(", ")} and compact the file`;
}

function room(file: CompactedView): string {
  const told = `The workspace file takes ${bytes(file.before)}`;
  return file.before > file.after
    ? `${told}; what was deleted left room in it.`
    : `${told}, all of it in use.`;
}

function bytes(size: number): string {
  return size < 1e6 ? `${count(Math.round(size / 1000))} kB` : `${(size / 1e6).toFixed(1)} MB`;
}
