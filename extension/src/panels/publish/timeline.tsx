import { useEffect, useState } from "preact/hooks";
import { backOf } from "../../logic/effect";
import type { EntryView, RegistryPromptView, UnitBody } from "../../model";
import { Difference } from "../../parts/difference/difference";
import { useAct, useTrait } from "../../parts/hooks";
import { Button, ErrorNote, Loading, Time } from "../../parts/ui";
import { VersionLink } from "./links";
import type { Rolling } from "./move";

const PAGE = 50;

/** The change log, the newest first: who, what, why; what it changed opens in place. */
export function Timeline(props: {
  prompt: RegistryPromptView;
  off: boolean;
  onRoll: (rolling: Rolling) => void;
}) {
  const { prompt } = props;
  const older = useAct("older_entries");
  const [more, setMore] = useState<{ name: string; items: EntryView[] }>({ name: "", items: [] });
  const [ended, setEnded] = useState(false);
  useEffect(() => {
    setMore({ name: prompt.name, items: [] });
    setEnded(false);
  }, [prompt.name]);
  if (prompt.log.length === 0)
    return <p class="pm-soft">Empty: the first publication of this prompt begins it.</p>;
  const last = prompt.log.at(-1)?.seq ?? 0;
  const beyond = more.name === prompt.name ? more.items.filter((each) => each.seq < last) : [];
  const entries = [...prompt.log, ...beyond];
  const load = async () => {
    const got = await older.run({ before: entries.at(-1)?.seq ?? 0 });
    if (!got) return;
    setMore({ name: prompt.name, items: [...beyond, ...got.value.items] });
    setEnded(got.value.items.length < PAGE);
  };
  return (
    <>
      <ol class="pm-timeline">
        {entries.map((entry) => (
          <Entry key={entry.seq} entry={entry} {...props} />
        ))}
      </ol>
      {older.error && <ErrorNote error={older.error} onClose={older.clear} />}
      {prompt.log.length >= PAGE && !ended && (
        <Button busy={older.busy} disabled={props.off} onClick={() => void load()}>
          {older.busy ? "Loading…" : "Show older entries"}
        </Button>
      )}
    </>
  );
}

function Entry(props: {
  entry: EntryView;
  prompt: RegistryPromptView;
  off: boolean;
  onRoll: (rolling: Rolling) => void;
}) {
  const { entry, prompt } = props;
  const [open, setOpen] = useState(false);
  const choose = useAct("choose_label");
  const before =
    entry.kind === "publish"
      ? (prompt.versions.find((each) => each.version === entry.after)?.parent ?? null)
      : entry.before;
  const held = prompt.labels.find((each) => each.label === entry.label);
  const target = held && entry.after && entry.after !== held.version ? entry.after : null;
  return (
    <li class={`pm-entry pm-entry-${entry.kind}`}>
      <span class="pm-entry-mark" aria-hidden="true">
        {{ publish: "+", move: "→", rollback: "↩" }[entry.kind] ?? "·"}
      </span>
      <div class="pm-entry-text">
        <div class="pm-entry-what">
          <b>{entry.actor}</b> {entry.sentence}
        </div>
        {entry.reason && (
          <div class="pm-entry-reason" dir="auto">
            {entry.reason}
          </div>
        )}
        <div class="pm-soft pm-number">
          <Time at={entry.at} /> · entry {entry.seq}
          {entry.after && (
            <>
              {" · "}
              <VersionLink version={entry.after} against={before} />
            </>
          )}
          {entry.after && before && before !== entry.after && (
            <>
              {" · "}
              <button type="button" class="pm-link" aria-expanded={open} onClick={() => setOpen(!open)}>
                {open ? "Hide what changed" : "What changed"}
              </button>
            </>
          )}
        </div>
        {open && entry.after && before && (
          <>
            <Changed before={before} after={entry.after} name={prompt.name} />
            {target && held && (
              <Button
                disabled={props.off}
                onClick={() =>
                  void choose
                    .run({ label: held.label })
                    .then(() => props.onRoll({ label: held.label, to: target }))
                }
              >
                {backOf(held.label, held.version, target)}…
              </Button>
            )}
          </>
        )}
      </div>
    </li>
  );
}

function Changed(props: { before: string; after: string; name: string }) {
  const { before, after } = props;
  const act = useAct("published_units");
  const [units, setUnits] = useState<Record<string, UnitBody> | null>(null);
  const prompt = useTrait("prompt");
  const { run } = act;
  useEffect(() => {
    let alive = true;
    void run({ versions: [before, after] }).then((got) => {
      if (alive && got) setUnits(got.value.units);
    });
    return () => {
      alive = false;
    };
  }, [run, before, after]);
  if (act.error) return <ErrorNote error={act.error} />;
  const [left, right] = [units?.[before], units?.[after]];
  if (!left || !right || prompt !== props.name) return <Loading what={`${before} and ${after}`} lines={2} />;
  return (
    <div class="pm-entry-diff">
      <Difference
        sides={[
          { name: before, unit: left, index: 0 },
          { name: after, unit: right, index: 1 },
        ]}
        view="unified"
      />
    </div>
  );
}
