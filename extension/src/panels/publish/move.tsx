import { useEffect, useRef, useState } from "preact/hooks";
import { backOf, effectOf, nextVersion } from "../../logic/effect";
import type { ActView, LabelView, RegistryPromptView } from "../../model";
import { useAct, useHost, useTrait } from "../../parts/hooks";
import { useTyped } from "../../parts/typed";
import { Button, ErrorNote, Note, Problems, Select, TextField, Time } from "../../parts/ui";
import { Checklist } from "./checklist";
import { VersionLink } from "./links";
import { LiveLine } from "./live";
import { Meanwhile, useMeanwhile } from "./meanwhile";

const USUAL_LABELS = ["production", "staging"];

/** A rollback that was begun. */
export interface Rolling {
  label: string;
  to: string;
}

/** One move: which version, which label, what the gate says, why, and what exactly happens. */
export function Move(props: {
  prompt: RegistryPromptView;
  off: boolean;
  rolling: Rolling | null;
  onRoll: (rolling: Rolling | null) => void;
  onEvaluate: () => void;
}) {
  const { prompt, off, onRoll } = props;
  const host = useHost();
  const label = useTrait("label");
  const to = useTrait("state_publish").to ?? "";
  const gate = useTrait("state_gate");
  const [move, publish, rollback, submit] = [
    useAct("move"),
    useAct("publish"),
    useAct("roll_back"),
    useAct("submit_evidence"),
  ];
  const acts = [move, publish, rollback, submit];
  const [reason, setReason] = useTyped(`reason of ${prompt.name}`);
  const [asked, setAsked] = useState(false);
  const held = prompt.labels.find((each) => each.label === label) ?? null;
  const view = gate.view && gate.view.label === label && gate.view.to === to ? gate.view : null;
  const rolling = props.rolling?.label === label ? props.rolling : null;
  const given = reason.trim();
  const conflict = [move.error, rollback.error].find((error) => error?.kind === "ConflictError") ?? null;
  const own = useRef(0);
  own.current = move.value?.seq ?? rollback.value?.seq ?? own.current;
  const meanwhile = useMeanwhile(held, prompt.name, label, given !== "" || conflict !== null, own.current);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was told is about the choice as it was then
  useEffect(() => {
    setAsked(false);
    for (const act of acts) act.clear();
  }, [to, label]);
  const reasonBox = useRef<HTMLInputElement | null>(null);
  useEffect(() => {
    if (rolling) reasonBox.current?.focus();
  }, [rolling]);

  const target = view?.target ?? null;
  const already = target !== null && target === view?.current;
  const effect = effectOf(label, to, view, nextVersion(prompt));
  const stopped = meanwhile !== null || conflict !== null;
  const done = (why: string) => {
    // The answer may come when the next reason is being written already: that one stays.
    setReason((now) => (now.trim() === why ? "" : now));
    setAsked(false);
    onRoll(null);
  };
  /** Runs an act once it has its reason; what was typed stays until it went well. */
  const withReason = async (run: (why: string) => Promise<unknown>) => {
    setAsked(true);
    for (const act of acts) act.clear();
    if (!given) {
      reasonBox.current?.focus();
      return;
    }
    if (await run(given)) done(given);
  };
  const forward = () =>
    view?.allowed &&
    !gate.error &&
    withReason((why) => move.run({ label, to, reason: why, expected: view.current }));
  const back = () =>
    rolling &&
    held &&
    withReason((why) => rollback.run({ label, reason: why, expected: held.version, to: rolling.to }));
  const onAct = (act: ActView) => {
    if (act.kind === "evaluate") props.onEvaluate();
    else if (act.kind === "submit") {
      if (target === null) void withReason((why) => submit.run({ reason: why }));
      else void submit.run({ reason: given });
    } else if (act.kind === "flips" && act.run) {
      void host.call("open_run", { run: act.run });
      void host.call("show", { panel: "evaluate" });
    } else if (act.kind === "draft") {
      // A draft that is not saved yet is never thrown away for this.
      if (!host.get("state_draft").unsaved) void host.call("start_from", { version: to });
      void host.call("show", { panel: "draft" });
    } else if (act.kind === "compare" && act.versions?.[0] && act.versions[1]) {
      void host.call("choose_pair", { baseline: act.versions[0], version: act.versions[1] });
      void host.call("show", { panel: "compare" });
    }
  };
  const outcome = move.value ?? rollback.value;
  const asksReason = !already || rolling !== null;
  return (
    <section aria-label="Move a label" class="pm-move">
      <div class="pm-head">
        <h3>Move a label</h3>
      </div>
      <Choice prompt={prompt} held={held} />
      <Checklist
        gate={gate.ready ? view : null}
        error={gate.error ?? null}
        waiting={Boolean(to) && !view && !gate.error && !off}
        off={off || submit.busy}
        onAct={onAct}
      />
      {asksReason && (
        <div>
          <TextField
            label="Reason"
            class="pm-wide"
            value={reason}
            onInput={setReason}
            placeholder={
              rolling
                ? `Why ${label} goes back to ${rolling.to}; it is kept in the change log for ever`
                : `Why ${label} should change; it is kept in the change log for ever`
            }
            inputRef={(element) => {
              reasonBox.current = element;
            }}
            invalid={asked && !given}
            onEnter={() => !stopped && !off && void (rolling ? back() : forward())}
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
      {stopped && (
        <Meanwhile
          label={label}
          before={meanwhile?.before ?? null}
          held={held}
          told={conflict}
          wanted={rolling?.to ?? target ?? to}
          onGoOn={() => {
            meanwhile?.accept();
            move.clear();
            rollback.clear();
          }}
        />
      )}
      <div class="pm-row pm-acts">
        {rolling && held ? (
          <>
            <Button
              kind="primary"
              busy={rollback.busy}
              disabled={off || stopped || rolling.to === held.version}
              onClick={() => void back()}
            >
              {rollback.busy ? "Rolling back…" : backOf(label, held.version, rolling.to)}
            </Button>
            <Button kind="quiet" onClick={() => onRoll(null)}>
              Keep {held.version}
            </Button>
          </>
        ) : (
          <>
            {effect && (
              <Button
                kind="primary"
                busy={move.busy}
                disabled={!view?.allowed || Boolean(gate.error) || off || stopped}
                title={view && !view.allowed ? "The gate says no: see the list above" : undefined}
                onClick={() => void forward()}
              >
                {move.busy ? "Moving…" : effect}
              </Button>
            )}
            {to.startsWith("#") && view && target === null && (
              <Button
                busy={publish.busy}
                disabled={off}
                onClick={() => void withReason((why) => publish.run({ version: to, reason: why }))}
              >
                Publish {to}, move nothing
              </Button>
            )}
          </>
        )}
      </div>
      {held && !held.previous && (
        <p class="pm-soft">
          No rollback: {held.version} is the first version that {label} held.
        </p>
      )}
      {acts.map(
        (each, index) =>
          each.error &&
          each.error !== conflict && (
            // biome-ignore lint/suspicious/noArrayIndexKey: four fixed acts
            <ErrorNote key={index} error={each.error} onClose={each.clear} />
          ),
      )}
      {outcome && (
        <Note kind="done">
          {outcome.published ? `Published as ${outcome.published}. ` : ""}
          {outcome.label} holds <b>{outcome.after}</b>
          {outcome.before ? `; it held ${outcome.before} before` : ""}.
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
      {submit.value && (
        <Note kind="done">
          {submit.value.published ? `Published as ${submit.value.published}; its` : "The"} evidence is
          submitted. No label was moved.
        </Note>
      )}
      <LiveLine label={label} waitsFor={outcome?.label === label ? outcome.seq : null} />
    </section>
  );
}

function Choice(props: { prompt: RegistryPromptView; held: LabelView | null }) {
  const { prompt, held } = props;
  const items = useTrait("state_versions").items ?? [];
  const label = useTrait("label");
  const to = useTrait("state_publish").to ?? "";
  const target = useAct("choose_target");
  const pick = useAct("choose_label");
  const [naming, setNaming] = useState<string | null>(null);
  const names = [...new Set([...prompt.labels.map((each) => each.label), ...USUAL_LABELS, label])];
  // Of several that say the same the newest one counts, as for the gate: the list begins with it.
  const digests = new Map([...prompt.versions].reverse().map((each) => [each.digest, each.version]));
  const workspace = items.map((each) => {
    const known = digests.get(each.digest) ?? each.published;
    return { value: each.version, text: `${each.version}${known ? ` = ${known}` : ""}  ${each.message}` };
  });
  const published = prompt.versions.map((each) => ({
    value: each.version,
    text: `${each.version}  ${each.message}`,
  }));
  return (
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
  );
}
