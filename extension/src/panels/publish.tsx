import { useEffect, useRef, useState } from "preact/hooks";
import { effectOf, nextVersion, parted } from "../logic/effect";
import { sentence } from "../logic/text";
import type { EntryView, GateView, ReasonView, RegistryPromptView, VersionView } from "../model";
import { useAct, useHost, useTrait } from "../parts/hooks";
import {
  Button,
  Empty,
  ErrorNote,
  Loading,
  Mark,
  Note,
  Problems,
  Select,
  Tag,
  TextField,
  Time,
} from "../parts/ui";

const USUAL_LABELS = ["production", "staging"];

export function PublishPanel() {
  const registry = useTrait("state_registry");
  const versions = useTrait("state_versions");
  const prompt = useTrait("prompt");
  const host = useHost();
  const refresh = useAct("refresh_registry");
  const again = (
    <Button onClick={() => void refresh.run({})} busy={refresh.busy}>
      {refresh.busy ? "Refreshing…" : "Refresh"}
    </Button>
  );
  if (!registry.ready) return <Loading what="the registry" lines={5} />;
  if (registry.error) return <ErrorNote error={registry.error}>{again}</ErrorNote>;
  const view = registry.view;
  if (view?.state === "none")
    return (
      <Empty title="No registry is connected">
        <p>{view.message}</p>
      </Empty>
    );
  if (view?.state === "down")
    return (
      <div class="pm-publish-down">
        <ErrorNote error={{ message: view.message, kind: "RegistryUnavailableError" }}>{again}</ErrorNote>
        <p class="pm-soft">
          {view.where}. Drafting, comparing and evaluating go on as before; production keeps serving what it
          has.
        </p>
      </div>
    );
  if (!prompt || !registry.prompt)
    return (
      <Empty title="Nothing to publish yet">
        <p>Write a prompt in Draft and save a version.</p>
        <Button kind="primary" onClick={() => void host.call("show", { panel: "draft" })}>
          Go to Draft
        </Button>
      </Empty>
    );
  return (
    <div class="pm-publish">
      <div class="pm-publish-main">
        <Labels prompt={registry.prompt} />
        <Move prompt={registry.prompt} items={versions.items ?? []} />
      </div>
      <aside class="pm-publish-side">
        <div class="pm-head">
          <h3>Change log</h3>
          <span class="pm-push" />
          <span class="pm-soft pm-cut" title={view?.where}>
            {view?.principal ? `as ${view.principal}${view.role ? `, ${view.role}` : ""}` : view?.where}
          </span>
          {again}
        </div>
        <Timeline entries={registry.prompt.log} />
      </aside>
    </div>
  );
}

function VersionLink(props: { version: string; against?: string | null }) {
  const host = useHost();
  return (
    <button
      type="button"
      class="pm-link pm-number"
      title={
        props.against ? `Compare ${props.against} with ${props.version}` : `Show ${props.version} in Compare`
      }
      onClick={() => {
        void host.call("choose_pair", {
          baseline: props.against ?? host.get("baseline"),
          version: props.version,
        });
        void host.call("show", { panel: "compare" });
      }}
    >
      {props.version}
    </button>
  );
}

function Labels(props: { prompt: RegistryPromptView }) {
  const { labels } = props.prompt;
  const label = useTrait("label");
  const choose = useAct("choose_label");
  if (labels.length === 0)
    return <p class="pm-soft">The registry holds no label of this prompt yet: the first move sets it.</p>;
  return (
    <section aria-label="Labels">
      <div class="pm-head">
        <h3>Labels</h3>
      </div>
      <div class="pm-table-box">
        <table class="pm-table pm-labels">
          <tbody>
            {labels.map((each) => (
              <tr key={each.label} aria-current={each.label === label}>
                <th scope="row">
                  <button
                    type="button"
                    class="pm-link"
                    onClick={() => void choose.run({ label: each.label })}
                    title={`Move ${each.label} below`}
                  >
                    {each.label}
                  </button>
                </th>
                <td>
                  <VersionLink version={each.version} against={each.previous} />
                </td>
                <td class="pm-soft">
                  {each.moved_by}, <Time at={each.moved_at} />
                </td>
                <td>{each.reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Move(props: { prompt: RegistryPromptView; items: VersionView[] }) {
  const { prompt, items } = props;
  const label = useTrait("label");
  const chosen = useTrait("state_publish");
  const gate = useTrait("state_gate");
  const target = useAct("choose_target");
  const pick = useAct("choose_label");
  const move = useAct("move");
  const publish = useAct("publish");
  const rollback = useAct("roll_back");
  const [reason, setReason] = useState("");
  const [naming, setNaming] = useState<string | null>(null);
  const [asked, setAsked] = useState(false);
  const to = chosen.to ?? "";
  const held = prompt.labels.find((each) => each.label === label) ?? null;
  const view = gate.view && gate.view.label === label && gate.view.to === to ? gate.view : null;
  const names = [...new Set([...prompt.labels.map((each) => each.label), ...USUAL_LABELS, label])];
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was told is about the choice as it was then
  useEffect(() => {
    setAsked(false);
    setRolling(false);
    for (const act of [move, publish, rollback]) act.clear();
  }, [to, label]);

  const digests = new Map(prompt.versions.map((each) => [each.digest, each.version]));
  const workspace = items.map((each) => {
    const known = digests.get(each.digest) ?? each.published;
    return { value: each.version, text: `${each.version}${known ? ` = ${known}` : ""}  ${each.message}` };
  });
  const published = prompt.versions.map((each) => ({
    value: each.version,
    text: `${each.version}  ${each.message}`,
  }));
  const given = reason.trim();
  const target_ = view?.target ?? null;
  const already = target_ !== null && target_ === view?.current;
  // Where nothing is to be moved a reason is asked for only once a rollback was begun.
  const [rolling, setRolling] = useState(false);
  const reasonBox = useRef<HTMLInputElement | null>(null);
  useEffect(() => {
    if (rolling) reasonBox.current?.focus();
  }, [rolling]);
  const effect = effectOf(label, to, view, nextVersion(prompt));

  const act = async () => {
    setAsked(true);
    if (!given || !view?.allowed) return;
    const moved = await move.run({ label, to, reason: given, expected: view.current });
    if (moved) {
      setReason("");
      setAsked(false);
    }
  };
  const only = async () => {
    setAsked(true);
    if (!given) return;
    const done = await publish.run({ version: to, reason: given });
    if (done) {
      setReason("");
      setAsked(false);
    }
  };
  const back = async () => {
    if (already && !rolling) return setRolling(true);
    setAsked(true);
    if (!given || !held) return;
    const moved = await rollback.run({ label, reason: given, expected: held.version });
    if (moved) {
      setReason("");
      setAsked(false);
    }
  };
  const outcome = move.value ?? rollback.value;
  return (
    <section aria-label="Move a label" class="pm-move">
      <div class="pm-head">
        <h3>Move a label</h3>
      </div>
      <div class="pm-form pm-move-form">
        <Select
          label="Version"
          value={to}
          options={[...(to ? [] : [{ value: "", text: "Choose a version…" }]), ...workspace, ...published]}
          onChange={(next) => void target.run({ to: next })}
        />
        {naming === null ? (
          <Select
            label="Label"
            value={label}
            options={[
              ...names.map((name) => ({ value: name, text: name })),
              { value: "+", text: "Another label…" },
            ]}
            onChange={(next) => (next === "+" ? setNaming("") : void pick.run({ label: next }))}
          />
        ) : (
          <TextField
            label="New label, then Enter"
            value={naming}
            placeholder="canary"
            onInput={setNaming}
            onEscape={() => setNaming(null)}
            onEnter={() => {
              if (naming.trim()) void pick.run({ label: naming.trim() });
              setNaming(null);
            }}
            inputRef={(element) => element?.focus()}
          />
        )}
        <div class="pm-field">
          <span class="pm-label">It holds now</span>
          <span class="pm-static">
            {held ? (
              <>
                <VersionLink version={held.version} against={held.previous} />
                <span class="pm-soft">
                  {" "}
                  since <Time at={held.moved_at} />
                </span>
              </>
            ) : (
              <span class="pm-soft">nothing: the move sets it for the first time</span>
            )}
          </span>
        </div>
      </div>
      <Checklist
        gate={gate.ready ? view : null}
        error={gate.error ?? null}
        waiting={Boolean(to) && !view && !gate.error}
      />
      {(!already || rolling) && (
        <div>
          <TextField
            label="Reason"
            class="pm-wide"
            value={reason}
            onInput={setReason}
            placeholder={
              rolling && held?.previous
                ? `Why ${label} goes back to ${held.previous}; it is kept in the change log for ever`
                : `Why ${label} should change; it is kept in the change log for ever`
            }
            inputRef={(element) => {
              reasonBox.current = element;
            }}
            invalid={asked && !given}
            onEnter={() => void (already ? back() : act())}
          />
          {asked && !given && (
            <Problems
              of={[
                { message: "Give the reason first: it is kept in the change log.", line: null, column: null },
              ]}
            />
          )}
        </div>
      )}
      <div class="pm-row pm-acts">
        {effect && (
          <Button
            kind="primary"
            busy={move.busy}
            disabled={!view?.allowed}
            title={view && !view.allowed ? "The gate says no: see the list above" : undefined}
            onClick={() => void act()}
          >
            {move.busy ? "Moving…" : effect}
          </Button>
        )}
        {to.startsWith("#") && view && target_ === null && (
          <Button busy={publish.busy} onClick={() => void only()}>
            Publish {to}, move nothing
          </Button>
        )}
        <span class="pm-push" />
        {held?.previous && (
          <Button busy={rollback.busy} onClick={() => void back()}>
            Roll {label} back from {held.version} to {held.previous}
          </Button>
        )}
      </div>
      {held && !held.previous && (
        <p class="pm-soft">
          No rollback: {held.version} is the first version that {label} held.
        </p>
      )}
      {[move, publish, rollback].map(
        (each, index) =>
          each.error && (
            // biome-ignore lint/suspicious/noArrayIndexKey: three fixed acts
            <ErrorNote key={index} error={each.error} onClose={each.clear} />
          ),
      )}
      {outcome && (
        <Note kind="done">
          {outcome.published ? `Published as ${outcome.published}. ` : ""}
          {outcome.label} holds <b>{outcome.after}</b>
          {outcome.before ? `, before ${outcome.before}` : ""}. Clients follow within a moment.
        </Note>
      )}
      {publish.value && (
        <Note kind="done">
          {publish.value.created
            ? `Published as ${publish.value.version}`
            : `Nothing new: it is ${publish.value.version} already`}
          {publish.value.restores ? `; it restores ${publish.value.restores}` : ""}. No label was moved.
        </Note>
      )}
    </section>
  );
}

function Checklist(props: {
  gate: GateView | null;
  error: { message: string; kind: string } | null;
  waiting: boolean;
}) {
  if (props.error) return <ErrorNote error={props.error} />;
  if (!props.gate) return props.waiting ? <Loading what="what the gate says" lines={2} /> : null;
  const { gate } = props;
  if (gate.target !== null && gate.target === gate.current)
    return (
      <p class="pm-sentence" role="status">
        Nothing to move: {gate.label} holds {gate.current} already.
      </p>
    );
  const { requirements, evidence } = parted(gate.reasons);
  const stopping = gate.reasons.filter((reason) => !reason.met && reason.blocking).length;
  return (
    <div class="pm-gate" role="status">
      <p class="pm-sentence">
        {gate.allowed
          ? "The gate lets this move through."
          : stopping === 1
            ? "The gate stops this move: one thing is missing."
            : `The gate stops this move: ${stopping} things are missing.`}
      </p>
      <ul class="pm-checklist">
        {[...requirements]
          .sort((a, b) => weight(a) - weight(b))
          .map((reason) => (
            <li
              key={reason.code + reason.sentence}
              class={reason.met ? "pm-met" : reason.blocking ? "pm-unmet" : "pm-advice"}
            >
              <span class="pm-mark" aria-hidden="true">
                {reason.met ? "✓" : "!"}
              </span>
              <span class="pm-hidden">{reason.met ? "met:" : "not met:"}</span>
              <div>
                {sentence(reason.sentence)}
                {!reason.met && (
                  <Tag kind={reason.blocking ? "blocking" : ""}>
                    {reason.blocking ? "stops the move" : "only advice"}
                  </Tag>
                )}
                {!reason.met && reason.next_step && <div class="pm-soft">{sentence(reason.next_step)}</div>}
              </div>
            </li>
          ))}
      </ul>
      {evidence.length > 0 && (
        <ul class="pm-checklist" aria-label="Evidence">
          {evidence.map((reason) => (
            <li key={reason.code + reason.sentence}>
              <span class="pm-evidence">
                <Mark of={reason.verdict ?? null} />
              </span>
              <div>
                <span class="pm-soft">Evidence: </span>
                {sentence(reason.sentence)}
                {reason.next_step && <div class="pm-soft">{sentence(reason.next_step)}</div>}
              </div>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function weight(reason: ReasonView): number {
  if (reason.met) return 2;
  return reason.blocking ? 0 : 1;
}

function Timeline(props: { entries: EntryView[] }) {
  if (props.entries.length === 0)
    return <p class="pm-soft">Empty: the first publication of this prompt begins it.</p>;
  return (
    <ol class="pm-timeline">
      {props.entries.map((entry) => (
        <li key={entry.seq} class={`pm-entry pm-entry-${entry.kind}`}>
          <span class="pm-entry-mark" aria-hidden="true">
            {{ publish: "+", move: "→", rollback: "↩" }[entry.kind] ?? "·"}
          </span>
          <div>
            <div>
              <b>{entry.actor}</b> {entry.sentence}
            </div>
            {entry.reason && <div class="pm-entry-reason">{entry.reason}</div>}
            <div class="pm-soft pm-number">
              <Time at={entry.at} /> · entry {entry.seq}
              {entry.after && (
                <>
                  {" · "}
                  <VersionLink version={entry.after} against={entry.before} />
                </>
              )}
            </div>
          </div>
        </li>
      ))}
    </ol>
  );
}
