import { useEffect, useState } from "preact/hooks";
import type { UnitBody } from "../../model";
import { Difference } from "../../parts/difference/difference";
import { useAct } from "../../parts/hooks";
import { ErrorNote, Loading } from "../../parts/ui";
import type { Draft } from "./state";

/** What changed since the version that the draft was begun from; read only while it is open. */
export function Changes(props: { draft: Draft; body: UnitBody }) {
  const { draft, body } = props;
  const [open, setOpen] = useState(false);
  const read = useAct("read_version");
  const { base } = draft;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a version never changes, so its name says when to read
  useEffect(() => {
    if (open && base) void read.run({ version: base });
  }, [open, base, draft.name]);
  if (!base || !draft.unsaved) return null;
  return (
    <section aria-label={`What changed since ${base}`}>
      <button type="button" class="pm-fold-line" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span aria-hidden="true">{open ? "▾" : "▸"}</span> What changed since {base}
        {draft.proposal && <span class="pm-soft">: {draft.proposal}</span>}
      </button>
      {open && read.error && <ErrorNote error={read.error} />}
      {open && read.busy && <Loading what={base} />}
      {open && read.value && (
        <div class="pm-compare">
          <Difference
            sides={[
              { name: base, unit: read.value, index: 0 },
              { name: "the draft", unit: body, index: 1 },
            ]}
            view="unified"
          />
        </div>
      )}
    </section>
  );
}
