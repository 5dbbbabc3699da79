import { inOrder, parted } from "../../logic/effect";
import { sentence } from "../../logic/text";
import type { ActView, GateView, ReasonView, Told } from "../../model";
import { useTrait } from "../../parts/hooks";
import { Button, ErrorNote, Loading, Mark, Tag } from "../../parts/ui";

/** The gate's decision line by line, whatever its lines are; what can be done about one stands beside it. */
export function Checklist(props: {
  gate: GateView | null;
  error: Told | null;
  waiting: boolean;
  off: boolean;
  onAct: (act: ActView) => void;
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
  const act = (reason: ReasonView) => <Act of={reason} off={props.off} onAct={props.onAct} />;
  return (
    <div class="pm-gate">
      <p class="pm-sentence" role="status">
        {gate.allowed
          ? "The gate lets this move through."
          : stopping === 1
            ? "The gate stops this move: one thing is missing."
            : `The gate stops this move: ${stopping} things are missing.`}
      </p>
      <ul class="pm-checklist" aria-label="What the gate asks for">
        {inOrder(requirements).map((reason) => (
          <li
            key={reason.code + reason.sentence}
            class={reason.met ? "pm-met" : reason.blocking ? "pm-unmet" : "pm-advice"}
          >
            <span class="pm-mark" aria-hidden="true">
              {reason.met ? "✓" : "!"}
            </span>
            <span class="pm-hidden">{reason.met ? "met:" : "not met:"}</span>
            <div class="pm-checklist-text">
              {sentence(reason.sentence)}{" "}
              {!reason.met && (
                <Tag kind={reason.blocking ? "blocking" : ""}>
                  {reason.blocking ? "stops the move" : "only advice"}
                </Tag>
              )}
              {!reason.met && reason.next_step && <div class="pm-soft">{sentence(reason.next_step)}</div>}
            </div>
            {act(reason)}
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
              <div class="pm-checklist-text">
                <span class="pm-soft">Evidence: </span>
                {sentence(reason.sentence)}
                {reason.next_step && <div class="pm-soft">{sentence(reason.next_step)}</div>}
              </div>
              {act(reason)}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Act(props: { of: ReasonView; off: boolean; onAct: (act: ActView) => void }) {
  const { act } = props.of;
  const progress = useTrait("state_impact").progress;
  if (!act) return null;
  if (act.kind === "evaluate" && progress?.status === "running") {
    const share = progress.total ? progress.done / progress.total : 0;
    const percent = progress.steps ? Math.floor((100 * (progress.step - 1 + share)) / progress.steps) : 0;
    return <span class="pm-soft pm-number pm-nowrap">Evaluating, {percent} %</span>;
  }
  return (
    <Button disabled={props.off} onClick={() => props.onAct(act)}>
      {act.effect}
      {act.kind === "evaluate" && "…"}
    </Button>
  );
}
