import { useState } from "preact/hooks";
import { cost, count, plural } from "../../logic/format";
import type { CallEstimateView, PreviewView } from "../../model";
import { useAct, useTrait } from "../../parts/hooks";
import { Plain } from "../../parts/plain";
import { Button, ErrorNote, Loading, Problems, Select, TextField } from "../../parts/ui";
import { type Draft, useAbsent } from "./state";

export function Preview(props: { draft: Draft }) {
  const preview = useTrait("state_preview");
  const catalog = useTrait("state_catalog");
  const choose = useAct("choose_preview");
  const absent = useAbsent();
  const [typed, setTyped] = useState<string | null>(null);
  const view = preview.view ?? null;
  const dataset = preview.dataset ?? null;
  const row = preview.row ?? 0;
  const rows = view?.rows ?? 0;
  const go = (next: number) => {
    const wanted = Math.min(Math.max(next, 0), Math.max(0, rows - 1));
    if (Number.isFinite(wanted)) void choose.run({ dataset, row: wanted });
  };
  return (
    <section aria-label="Preview" class="pm-preview">
      <div class="pm-head">
        <h3>Preview</h3>
        <span class="pm-push" />
        <Select
          label="Preview with"
          hideLabel
          value={dataset ?? ""}
          options={[
            { value: "", text: "defaults and examples" },
            ...(catalog.datasets ?? []).map((each) => ({ value: each.name, text: each.name })),
          ]}
          onChange={(name) => void choose.run({ dataset: name || null, row: 0 })}
        />
        {dataset && (
          // biome-ignore lint/a11y/noStaticElementInteractions: the arrows belong to the field and buttons inside
          <span
            class="pm-row pm-tight pm-nowrap"
            onKeyDown={(event) => {
              const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
              if (!step) return;
              event.preventDefault();
              setTyped(null);
              go(row + step);
            }}
          >
            <span class="pm-soft">row</span>
            <Button kind="quiet" disabled={row <= 0} onClick={() => go(row - 1)} label="Previous row">
              ‹
            </Button>
            <TextField
              label="Row"
              hideLabel
              class="pm-rowbox"
              value={typed ?? String(row)}
              onInput={(text) => {
                setTyped(text);
                const wanted = Number.parseInt(text, 10);
                if (wanted >= 0) go(wanted);
              }}
              onEnter={() => setTyped(null)}
              onEscape={() => setTyped(null)}
            />
            <span class="pm-soft pm-number" title={plural(rows, "row")}>
              … {count(Math.max(0, rows - 1))}
            </span>
            <Button
              kind="quiet"
              disabled={row >= rows - 1}
              onClick={() => {
                setTyped(null);
                go(row + 1);
              }}
              label="Next row"
            >
              ›
            </Button>
          </span>
        )}
      </div>
      {preview.error && <ErrorNote error={preview.error} />}
      {!preview.ready && <Loading what="the preview" />}
      {props.draft.conflict && (
        <p class="pm-absent" role="status">
          This is the other draft, not the one in the editor: choose there which of the two goes on.
        </p>
      )}
      {view && absent.length > 0 && (
        <p class="pm-absent" role="status">
          <span class="pm-mark" aria-hidden="true">
            !
          </span>{" "}
          {absent.map((name) => `‹${name}›`).join(", ")}: no column in {dataset}. A run on it would need{" "}
          {absent.length === 1
            ? "a column of that name, or a default."
            : "columns of these names, or defaults."}
        </p>
      )}
      {view && <Rendered view={view} />}
      {view?.estimate && <Estimate estimate={view.estimate} />}
    </section>
  );
}

function Estimate(props: { estimate: CallEstimateView }) {
  const { tokens_in, tokens_out, cost: dollars, basis } = props.estimate;
  const parts = [
    `about ${plural(tokens_in, "token")} in`,
    tokens_out === null ? "an unknown number out" : `${count(tokens_out)} out`,
    dollars === null ? "price not known" : dollars === 0 ? "free" : `about ${cost(dollars)}`,
  ];
  return (
    <p class="pm-soft pm-number pm-estimate">
      {parts.join(", ")} ({basis})
    </p>
  );
}

function Rendered(props: { view: PreviewView }) {
  const { messages, error } = props.view;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a long preview is scrolled by keyboard
    <section class="pm-rendered" aria-live="polite" aria-label="Rendered messages" tabIndex={0}>
      {messages.map((message, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a rendered message has nothing of its own but its place
        <div key={index} class="pm-bubble">
          <div class="pm-soft">{message.role}</div>
          <pre class="pm-code" dir="auto">
            <Plain text={message.content || " "} />
          </pre>
        </div>
      ))}
      {error && <Problems of={[error]} />}
    </section>
  );
}
