import { useEffect, useRef, useState } from "preact/hooks";
import { cost, count, plural } from "../../logic/format";
import { sentence } from "../../logic/text";
import type { ChangePlanView, ChangeProgressView, ImpactView } from "../../model";
import { useAct, useTrait } from "../../parts/hooks";
import { Button, ErrorNote, Fold, Loading, Note, Select } from "../../parts/ui";

const OWN = "";

/** Evaluating the change: what it takes first, then its progress, then nothing: the verdicts stand above. */
export function EvaluateChange(props: {
  open: boolean;
  onOpen: (open: boolean) => void;
  off: boolean;
  view: ImpactView;
}) {
  const { open, view } = props;
  const { progress } = useTrait("state_impact");
  const mine =
    progress && progress.name === view.name && progress.label === view.label && progress.to === view.to;
  if (progress?.status === "running") return <Running progress={progress} mine={Boolean(mine)} />;
  return (
    <>
      {mine && progress.status === "failed" && (
        <ErrorNote error={{ message: progress.error ?? "The evaluation failed.", kind: "run" }} />
      )}
      {mine && progress.status === "cancelled" && (
        <Note>
          Stopped in run {progress.step} of {progress.steps}; what was answered is kept and not asked for
          again.
        </Note>
      )}
      {open && <Form {...props} />}
    </>
  );
}

function Form(props: { onOpen: (open: boolean) => void; off: boolean; view: ImpactView }) {
  const { view } = props;
  const catalog = useTrait("state_catalog");
  const usual = useTrait("state_evaluate").endpoint ?? "";
  const ask = useAct("plan_change");
  const start = useAct("evaluate_change");
  const endpoints = catalog.endpoints ?? [];
  const [chosen, setChosen] = useState("");
  const [suite, setSuite] = useState(OWN);
  const endpoint = chosen || usual || endpoints[0]?.name || "";
  const suites = suite === OWN ? [] : [suite];
  // Until the plan of what is chosen now is there the button says nothing: it would tell the effect of another choice.
  const choice = JSON.stringify([view.name, view.label, view.to, endpoint, suite]);
  const [planned, setPlanned] = useState<{ choice: string; plan: ChangePlanView } | null>(null);
  const plan = planned?.choice === choice ? planned.plan : null;
  const { run } = ask;
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked anew for another change, endpoint or suite
  useEffect(() => {
    if (endpoint)
      void run({ endpoint, suites }).then((told) => told && setPlanned({ choice, plan: told.value }));
  }, [run, choice]);
  const begin = async () => {
    if (await start.run({ endpoint, suites })) props.onOpen(false);
  };
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // It may have been opened from the list above.
    box.current?.scrollIntoView({ block: "nearest" });
    box.current?.querySelector("select")?.focus({ preventScroll: true });
  }, []);
  return (
    <div class="pm-evaluate-change" ref={box}>
      <div class="pm-row">
        <Select
          label="Endpoint"
          value={endpoint}
          options={endpoints.map((each) => ({
            value: each.name,
            text: each.key_env && !each.key_present ? `${each.name} (no key)` : each.name,
          }))}
          onChange={setChosen}
        />
        <Select
          label={`Suite for ${view.name}`}
          value={suite}
          options={[
            { value: OWN, text: "those made for it" },
            ...(catalog.suites ?? []).map((each) => ({ value: each.name, text: each.name })),
          ]}
          onChange={setSuite}
        />
      </div>
      {endpoints.length === 0 && (
        <p class="pm-soft">
          No endpoint is known: make one with ws.endpoint('local', base_url='http://…/v1').
        </p>
      )}
      {!plan && !ask.error && endpoint && <Loading what="what it takes" lines={2} />}
      {ask.error && <ErrorNote error={ask.error} />}
      {plan && <Plan plan={plan} />}
      {start.error && <ErrorNote error={start.error} onClose={start.clear} />}
      <div class="pm-row">
        <Button kind="primary" busy={start.busy} disabled={!plan || props.off} onClick={() => void begin()}>
          {plan ? effect(plan) : "Evaluate"}
        </Button>
        <Button kind="quiet" onClick={() => props.onOpen(false)}>
          Not now
        </Button>
      </div>
    </div>
  );
}

function effect(plan: ChangePlanView): string {
  if (plan.calls === 0) return `Evaluate from ${plural(plan.cached, "known answer")}`;
  const price =
    plan.cost === null ? "cost not known" : plan.cost === 0 ? "free" : `${cost(plan.cost)} at most`;
  return `Ask for ${plural(plan.calls, "answer")}, ${price}`;
}

function Plan(props: { plan: ChangePlanView }) {
  const { plan } = props;
  const prompts = new Set(plan.steps.map((each) => each.prompt)).size;
  return (
    <>
      <Fold
        summary={
          <>
            {plural(plan.steps.length, "run")} on {plural(prompts, "prompt")}: {plural(plan.calls, "answer")}{" "}
            to ask for at most, {count(plan.cached)} known
          </>
        }
      >
        <table class="pm-table">
          <thead>
            <tr>
              <th>Prompt</th>
              <th>Suite</th>
              <th class="pm-right">Answers</th>
              <th class="pm-right">Known</th>
              <th class="pm-right">Cost</th>
            </tr>
          </thead>
          <tbody>
            {plan.steps.map((each) => (
              <tr key={`${each.prompt}/${each.suite}`}>
                <td class="pm-verdict-name">{each.prompt}</td>
                <td class="pm-verdict-name">{each.suite}</td>
                <td class="pm-right pm-number">{count(each.calls)}</td>
                <td class="pm-right pm-number">{count(each.cached)}</td>
                <td class="pm-right pm-number">{each.cost === null ? "not known" : cost(each.cost)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Fold>
      {plan.unjudged.length > 0 && (
        <p class="pm-absent">
          No suite judges {plan.unjudged.join(", ")}: make one with ws.suite(…, prompt=…), or it stays not
          evaluated.
        </p>
      )}
    </>
  );
}

function Running(props: { progress: ChangeProgressView; mine: boolean }) {
  const { progress } = props;
  const stop = useAct("cancel_change");
  const [stopping, setStopping] = useState(false);
  const share = progress.total ? progress.done / progress.total : 0;
  const percent = progress.steps ? (100 * (progress.step - 1 + share)) / progress.steps : 0;
  return (
    <section class="pm-evaluate-change" aria-label="Evaluation">
      <div class="pm-row">
        <div
          class="pm-progressbar"
          role="progressbar"
          aria-valuenow={Math.floor(percent)}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-label="Evaluating the change"
        >
          <span style={{ width: `${percent}%` }} />
        </div>
        <span class="pm-soft pm-number">
          {progress.steps === 0
            ? "Finding what it reaches…"
            : `Run ${progress.step} of ${progress.steps}: ${count(progress.done)} of ${plural(progress.total, "answer")}`}
          {progress.errors ? ` · ${plural(progress.errors, "error")}` : ""}
        </span>
        <Button
          busy={stopping}
          onClick={() => {
            setStopping(true);
            void stop.run({});
          }}
        >
          {stopping ? "Stopping…" : "Stop"}
        </Button>
      </div>
      <p class="pm-soft">
        {props.mine ? "" : `${progress.to} of ${progress.name} for ${progress.label}. `}
        {progress.prompt && sentence(`${progress.prompt} on ${progress.suite}`)}
      </p>
    </section>
  );
}
