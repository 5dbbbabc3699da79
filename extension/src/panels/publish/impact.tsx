import { sentence } from "../../logic/text";
import type { AffectedView, ImpactView } from "../../model";
import { useHost, useTrait } from "../../parts/hooks";
import { Button, ErrorNote, Loading, Time } from "../../parts/ui";
import { EvaluateChange } from "./evaluate";
import { Graph, MOST } from "./graph";
import { rowId, SIGNS } from "./outcomes";

/** What the change reaches, and what it does there. */
export function Impact(props: { open: boolean; onOpen: (open: boolean) => void; off: boolean }) {
  const state = useTrait("state_impact");
  const gate = useTrait("state_gate").view;
  const view = state.view ?? null;
  if (!gate || (gate.target !== null && gate.target === gate.current)) return null;
  const fitting = view && view.to === gate.to && view.label === gate.label ? view : null;
  return (
    <section class="pm-impact" aria-label="What the change reaches">
      <div class="pm-head">
        <h3>What the change reaches</h3>
        <span class="pm-push" />
        {!props.open && fitting && state.progress?.status !== "running" && (
          <Button disabled={props.off} onClick={() => props.onOpen(true)}>
            Evaluate {gate.to} for {gate.label}…
          </Button>
        )}
      </div>
      {state.error && <ErrorNote error={state.error} />}
      {!fitting && !state.error && <Loading what="what it reaches" lines={2} />}
      {fitting && (
        <>
          <p class="pm-sentence">{headline(fitting)}</p>
          {fitting.made_at && (
            <p class="pm-soft">
              {fitting.source === "here" ? "Evaluated in this notebook" : "Evidence in the registry"} by{" "}
              {fitting.made_by}, <Time at={fitting.made_at} />
              {fitting.submitted
                ? ""
                : "; its evidence is not submitted yet, so that the gate does not know it"}
              .
            </p>
          )}
          <EvaluateChange open={props.open} onOpen={props.onOpen} off={props.off} view={fitting} />
          {fitting.prompts.length > 1 && <Graph view={fitting} />}
          {(fitting.source !== "none" || fitting.prompts.length > MOST) && (
            <Verdicts prompts={fitting.prompts} />
          )}
        </>
      )}
    </section>
  );
}

function headline(view: ImpactView): string {
  const downstream = view.prompts.length - 1;
  const reach =
    downstream === 0
      ? `No other prompt takes the output of ${view.name}@${view.label}.`
      : `${downstream === 1 ? "1 prompt takes" : `${downstream} prompts take`} its output, directly or not.`;
  if (view.source === "none") return reach;
  const worse = view.prompts.filter((each) => each.outcome === "worse").map((each) => each.name);
  const open = view.prompts.filter((each) => each.outcome === "not evaluated").map((each) => each.name);
  if (worse.length) return `${reach} ▼ ${worse.join(", ")} ${worse.length === 1 ? "gets" : "get"} worse.`;
  if (open.length) return `${reach} Not evaluated: ${open.join(", ")}.`;
  return `${reach} Nothing gets worse.`;
}

/** The graph in words, for whoever reads no picture, with every suite's sentence. */
function Verdicts(props: { prompts: AffectedView[] }) {
  const host = useHost();
  return (
    <div class="pm-table-box">
      <table class="pm-table pm-verdicts">
        <thead>
          <tr>
            <th>Prompt</th>
            <th>Suite</th>
            <th>Verdict</th>
          </tr>
        </thead>
        <tbody>
          {props.prompts.flatMap((prompt) => {
            const suites = prompt.suites.length
              ? prompt.suites
              : [{ suite: null, outcome: prompt.outcome, sentence: "not evaluated yet", run: null }];
            return suites.map((each, at) => (
              <tr
                key={`${prompt.name}/${each.suite}/${each.sentence}`}
                id={at === 0 ? rowId(prompt.name) : undefined}
              >
                <th scope="row" class="pm-verdict-name">
                  {at === 0 ? prompt.name : <span class="pm-hidden">{prompt.name}</span>}
                </th>
                <td class="pm-verdict-name">
                  {each.run ? (
                    <button
                      type="button"
                      class="pm-link"
                      title="Show its rows in Evaluate"
                      onClick={() => {
                        void host.call("open_run", { run: each.run as string });
                        void host.call("show", { panel: "evaluate" });
                      }}
                    >
                      {each.suite}
                    </button>
                  ) : (
                    (each.suite ?? <span class="pm-soft">no suite</span>)
                  )}
                </td>
                <td>
                  <span class={`pm-sign pm-is-${each.outcome.replace(" ", "-")}`} aria-hidden="true">
                    {SIGNS[each.outcome]}
                  </span>{" "}
                  <span class="pm-hidden">{each.outcome}: </span>
                  {sentence(each.sentence)}
                </td>
              </tr>
            ));
          })}
        </tbody>
      </table>
    </div>
  );
}
