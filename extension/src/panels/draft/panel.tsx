import { useMemo, useState } from "preact/hooks";
import { useAct, useHost, useTrait } from "../../parts/hooks";
import { Button, Empty, ErrorNote, Loading, TextField } from "../../parts/ui";
import { Changes } from "./changes";
import { Standing } from "./conflict";
import { Preview } from "./preview";
import { Rail } from "./rail";
import { SaveBar } from "./savebar";
import { Settings } from "./settings";
import { useDraft, viewId } from "./state";
import { Templates } from "./templates";
import { Trying } from "./trying";
import { Variables } from "./variables";

export function DraftPanel() {
  const host = useHost();
  const view = useMemo(viewId, []);
  const draft = useDraft(host, view);
  const prompt = useTrait("prompt");
  const state = useTrait("state_draft");
  const prompts = useTrait("state_prompts");

  if (!prompt && prompts.ready) return <FirstPrompt />;
  if (state.error && (!draft.body || draft.name !== prompt)) return <ErrorNote error={state.error} />;
  if (!draft.body || draft.name !== prompt) return <Loading what="the draft" lines={6} />;
  return (
    <div class="pm-draft">
      <Rail draft={draft} />
      <div class="pm-draft-main">
        <Standing draft={draft} />
        <Templates draft={draft} body={draft.body} />
        <Changes draft={draft} body={draft.body} />
        <Variables draft={draft} body={draft.body} />
      </div>
      <div class="pm-draft-side">
        <Preview draft={draft} />
        <Trying draft={draft} />
        <Settings draft={draft} body={draft.body} />
      </div>
      <SaveBar draft={draft} view={view} />
    </div>
  );
}

function FirstPrompt() {
  const open = useAct("open_prompt");
  const [name, setName] = useState("");
  const begin = () => name.trim() && open.run({ name: name.trim() });
  return (
    <Empty title="Begin with a prompt">
      <p>
        Give it a name, such as support/triage. It is saved as a draft while you type; a version is made when
        you say so.
      </p>
      <div class="pm-row">
        <TextField
          label="Name"
          hideLabel
          value={name}
          onInput={setName}
          onEnter={begin}
          placeholder="support/triage"
        />
        <Button kind="primary" onClick={begin} busy={open.busy} disabled={!name.trim()}>
          Begin the draft
        </Button>
      </div>
      {open.error && <ErrorNote error={open.error} />}
    </Empty>
  );
}
