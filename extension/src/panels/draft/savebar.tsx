import { useEffect, useState } from "preact/hooks";
import { plural } from "../../logic/format";
import { useAct, useTrait } from "../../parts/hooks";
import { useTyped } from "../../parts/typed";
import { Button, ErrorNote, Note, TextField, Time } from "../../parts/ui";
import type { Draft } from "./state";

export function SaveBar(props: { draft: Draft; view: string }) {
  const { draft, view } = props;
  const check = useTrait("state_check");
  const [message, setMessage] = useTyped(`change message of ${draft.name}`);
  const save = useAct("save");
  const discard = useAct("discard_draft");
  const walk = useAct("undo");
  const state = useTrait("state_draft");
  const [sure, setSure] = useState(false);
  const problems = check.errors?.length ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was told is about the draft as it was then
  useEffect(() => {
    save.clear();
    setSure(false);
  }, [draft.name, draft.revision]);
  const commit = async () => {
    if (!draft.body || save.busy || draft.conflict) return;
    draft.flush();
    const sent = message.trim();
    const saved = await save.run({
      view,
      name: draft.name,
      body: draft.body,
      message: sent,
      base: draft.base,
    });
    // The answer may come when the next message is being written already: that one stays.
    if (saved) setMessage((now) => (now.trim() === sent ? "" : now));
  };
  const told = draft.conflict
    ? "Changed elsewhere: choose above"
    : draft.waiting
      ? "Keeping the draft…"
      : draft.unsaved
        ? `Unsaved changes${draft.base ? ` since ${draft.base}` : ""}`
        : draft.base
          ? `Equal to ${draft.base}`
          : "Nothing written yet";
  return (
    <section class="pm-savebar" aria-label="Save">
      {save.error && <ErrorNote error={save.error} onClose={save.clear} />}
      {discard.error && <ErrorNote error={discard.error} onClose={discard.clear} />}
      {walk.error && <ErrorNote error={walk.error} onClose={walk.clear} />}
      {save.value && !draft.unsaved && (
        <Note kind="done">
          {save.value.created
            ? `Saved as ${save.value.version}`
            : `Nothing new: this is ${save.value.version} already`}
          {save.value.created && save.value.restores ? `; it restores ${save.value.restores}` : ""}.
        </Note>
      )}
      <div class="pm-row">
        <span class="pm-save-state" role="status">
          {draft.unsaved && (
            <span class="pm-dot" aria-hidden="true">
              ●{" "}
            </span>
          )}
          {told}
          {draft.unsaved && !draft.waiting && draft.savedAt && (
            <span class="pm-soft">
              , kept as a draft <Time at={draft.savedAt} />
            </span>
          )}
        </span>
        <span class="pm-row pm-tight">
          <Button
            kind="quiet"
            busy={walk.busy}
            disabled={!state.undo || draft.waiting}
            title={`${plural(state.undo ?? 0, "step")} to undo, also after a reload`}
            label="Undo the last step of the draft"
            onClick={() => void walk.run({ by: -1 })}
          >
            Undo
          </Button>
          <Button
            kind="quiet"
            busy={walk.busy}
            disabled={!state.redo || draft.waiting}
            title={`${plural(state.redo ?? 0, "step")} to do again`}
            label="Redo the undone step of the draft"
            onClick={() => void walk.run({ by: 1 })}
          >
            Redo
          </Button>
        </span>
        {problems > 0 && <span class="pm-problem-count">! {plural(problems, "problem")} above</span>}
        <span class="pm-push" />
        {draft.unsaved && draft.base && (
          <Button
            kind="quiet"
            busy={discard.busy}
            onClick={() => {
              if (!sure) return setSure(true);
              setSure(false);
              void discard.run({});
            }}
          >
            {sure ? `Discard the draft and return to ${draft.base}` : "Discard draft"}
          </Button>
        )}
        <TextField
          label="Change message"
          hideLabel
          class="pm-grow"
          value={message}
          onInput={setMessage}
          onEnter={() => void commit()}
          placeholder={draft.proposal || "What changed, and why"}
        />
        <Button
          kind="primary"
          busy={save.busy}
          disabled={problems > 0 || !draft.unsaved || draft.conflict !== null}
          title={
            draft.conflict
              ? "Choose above which draft goes on"
              : problems > 0
                ? "Mend the problems above first"
                : draft.unsaved
                  ? undefined
                  : "There is nothing new to save"
          }
          onClick={() => void commit()}
        >
          {save.busy ? "Saving…" : "Save version"}
        </Button>
      </div>
    </section>
  );
}
