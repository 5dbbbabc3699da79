import { useState } from "preact/hooks";
import { Difference } from "../../parts/difference/difference";
import { Button, ErrorNote, Note, Time } from "../../parts/ui";
import type { Draft } from "./state";

/** What stands between what is typed here and the draft in the file, and what can be done about it. */
export function Standing(props: { draft: Draft }) {
  const { draft } = props;
  const [open, setOpen] = useState(false);
  return (
    <>
      {draft.failed && (
        <ErrorNote error={draft.failed}>
          <Button onClick={draft.keepMine}>Try to keep it again</Button>
        </ErrorNote>
      )}
      {draft.left && (
        <Note>
          <div>
            This browser holds a text of {draft.name}, typed <Time at={draft.left.at} />, that did not reach
            the workspace.
          </div>
          <div class="pm-actions">
            <Button kind="primary" onClick={draft.useLeft}>
              Put it into the editor
            </Button>
            <Button onClick={draft.dropLeft}>Forget it</Button>
          </div>
        </Note>
      )}
      {draft.conflict && draft.theirs && draft.body && (
        <>
          <ErrorNote error={draft.conflict}>
            <Button kind="primary" onClick={draft.keepMine}>
              Go on with what is here
            </Button>
            <Button onClick={draft.takeTheirs}>Take the other one</Button>
            <Button kind="quiet" onClick={() => setOpen(!open)} pressed={open}>
              Show the difference
            </Button>
          </ErrorNote>
          {open && (
            <div class="pm-compare">
              <Difference
                sides={[
                  { name: "the other", unit: draft.theirs, index: 0 },
                  { name: "this one", unit: draft.body, index: 1 },
                ]}
                view="unified"
              />
            </div>
          )}
        </>
      )}
    </>
  );
}
