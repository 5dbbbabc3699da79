import { cost, plural, seconds } from "../../logic/format";
import type { TryView } from "../../model";
import { useAct, useTrait } from "../../parts/hooks";
import { Plain } from "../../parts/plain";
import { Button, ErrorNote, Tag } from "../../parts/ui";
import type { Draft } from "./state";

/** One streamed answer to the draft as it stands: part of no run, and kept nowhere. */
export function Trying(props: { draft: Draft }) {
  const { draft } = props;
  const state = useTrait("state_try");
  const check = useTrait("state_check");
  const evaluate = useTrait("state_evaluate");
  const begin = useAct("try_once");
  const stop = useAct("stop_try");
  const view = state.view ?? null;
  const going = view?.status === "asking" || view?.status === "answering";
  const problems = check.errors?.length ?? 0;
  const off = problems > 0 || draft.waiting || draft.conflict !== null || !evaluate.endpoint;
  const why = draft.conflict
    ? "Choose first which draft goes on"
    : problems
      ? "Mend the problems first"
      : evaluate.endpoint
        ? undefined
        : "There is no endpoint to ask: make one with ws.endpoint(…)";
  return (
    <section aria-label="Try once" class="pm-try">
      <div class="pm-head">
        <h3>Try once</h3>
        <Tag title="It is asked anew each time, belongs to no run, and is not kept">not kept</Tag>
        <span class="pm-push" />
        {going ? (
          <Button onClick={() => void stop.run({})}>Stop</Button>
        ) : (
          <Button onClick={() => void begin.run({})} busy={begin.busy} disabled={off} title={why}>
            {evaluate.endpoint ? `Ask ${evaluate.endpoint} once` : "Ask once"}
          </Button>
        )}
      </div>
      {begin.error && <ErrorNote error={begin.error} onClose={begin.clear} />}
      {view ? (
        <Answer view={view} />
      ) : (
        <p class="pm-soft">The answer to the messages above is shown here as it comes.</p>
      )}
    </section>
  );
}

const WORDS: Record<TryView["status"], string> = {
  asking: "Asking…",
  answering: "Answering…",
  done: "Done",
  stopped: "Stopped by you",
  failed: "Failed",
};

function Answer(props: { view: TryView }) {
  const { view } = props;
  const facts = [
    view.dataset ? `row ${view.row} of ${view.dataset}` : "defaults and examples",
    view.ttft !== null ? `first token after ${seconds(view.ttft)}` : "",
    view.status === "done" ? `${seconds(view.seconds)} in all` : "",
    view.tokens_in !== null && view.tokens_out !== null
      ? `${plural(view.tokens_in, "token")} in, ${plural(view.tokens_out, "token")} out`
      : "",
    view.status === "done"
      ? view.cost === null
        ? "price not known"
        : view.cost === 0
          ? "free"
          : cost(view.cost)
      : "",
    view.model ?? "",
    view.finish_reason && view.finish_reason !== "stop" ? `ended by ${view.finish_reason}` : "",
  ];
  return (
    <>
      {view.error && <ErrorNote error={view.error} />}
      {(view.text || !view.error) && (
        <pre class="pm-code pm-block pm-try-text" dir="auto" aria-busy={view.status === "answering"}>
          <Plain text={view.text || " "} />
        </pre>
      )}
      <p class="pm-soft pm-number" role="status">
        {[WORDS[view.status], ...facts].filter(Boolean).join(" · ")}
      </p>
    </>
  );
}
