import { useState } from "preact/hooks";
import { budgetWords, missingOf, statusWord } from "../../logic/asking";
import { cost, count, plural, seconds, significant } from "../../logic/format";
import { against } from "../../logic/stale";
import { sentence } from "../../logic/text";
import type { RunProgress } from "../../model";
import { useAct, useTrait } from "../../parts/hooks";
import { Button, ErrorNote, Note, Select, Tag, Time } from "../../parts/ui";

export function Progress(props: { progress: RunProgress }) {
  const { progress } = props;
  const stop = useAct("stop_run");
  const { done, total, errors, rate, seconds_left: left, status } = progress;
  const running = status === "running";
  const percent = total ? Math.floor((100 * done) / total) : 0;
  const words = [
    running || status !== "done" ? `${count(done)} of ${plural(total, "answer")}` : plural(done, "answer"),
    progress.cached ? `${count(progress.cached)} from the cache` : "",
    errors ? plural(errors, "error") : "",
    running && rate ? `${significant(rate)} a second` : "",
    running && left !== null ? `${seconds(Math.ceil(left))} left` : "",
    progress.cost ? `${cost(progress.cost)} spent` : "",
    running ? "" : `took ${seconds(progress.elapsed)}`,
  ].filter(Boolean);
  return (
    <section class="pm-progress" aria-label="Run">
      <div class="pm-row">
        {!running && <Tag kind={status}>{statusWord(status)}</Tag>}
        {running && (
          <div
            class="pm-progressbar"
            role="progressbar"
            aria-valuenow={percent}
            aria-valuemin={0}
            aria-valuemax={100}
            aria-label="Answers"
          >
            <span style={{ width: `${total ? (100 * done) / total : 0}%` }} />
          </div>
        )}
        <span class="pm-number pm-soft" role="status" aria-live={running ? "off" : "polite"}>
          {words.join(" · ")}
        </span>
        {running && (
          <Button busy={stop.busy} onClick={() => void stop.run({ run: progress.run })}>
            {stop.busy ? "Stopping…" : "Stop"}
          </Button>
        )}
        <span class="pm-push" />
        <span class="pm-soft">
          {progress.suite} on {progress.endpoint}, <Time at={progress.started_at} />
        </span>
      </div>
      {status === "cancelled" && (
        <div class="pm-resume">
          <span>
            {missingOf(progress) === 0
              ? "Every answer is there, but the run was cut off before it was done: its verdict is provisional."
              : `Stopped with ${plural(total - done, "answer")} not asked for; the verdict is provisional until they are.`}
          </span>
          <Resume progress={progress} />
        </div>
      )}
      {status === "stopped" && (
        <Note>
          {sentence(progress.note ?? "The run ended before its last row.")} {count(total - done)} of{" "}
          {plural(total, "answer")} were not asked for. <Resume progress={progress} />
        </Note>
      )}
      {status === "done" && errors > 0 && (
        <div class="pm-resume">
          <span>{plural(errors, "answer")} ended as errors.</span>
          <Resume progress={progress} />
        </div>
      )}
      {stop.error && <ErrorNote error={stop.error} onClose={stop.clear} />}
    </section>
  );
}

/** Takes a run up again where it was asked: the button says what that asks for. */
function Resume(props: { progress: RunProgress }) {
  const { progress } = props;
  const again = useAct("run_again");
  const asking = useTrait("state_evaluate").asking;
  const limit = asking ? budgetWords(asking.budget) : "";
  const missing = missingOf(progress);
  if (missing === 0 && progress.status !== "cancelled") return null;
  return (
    <>
      <Button
        busy={again.busy}
        title="Answers that are there are not asked for again"
        onClick={() => void again.run({ run: progress.run, endpoint: progress.endpoint })}
      >
        {again.busy
          ? "Starting…"
          : missing === 0
            ? "Finish it"
            : `Ask only for the ${count(missing)} missing${limit ? `, ${limit} in all` : ""}`}
      </Button>
      {again.error && <span role="alert">{sentence(again.error.message)}</span>}
    </>
  );
}

/** A run that failed: why, and how to go on from here. */
export function Failed(props: { progress: RunProgress }) {
  const { progress } = props;
  const catalog = useTrait("state_catalog");
  const again = useAct("run_again");
  const endpoints = catalog.endpoints ?? [];
  const [chosen, choose] = useState(progress.endpoint);
  const endpoint = endpoints.find((each) => each.name === chosen);
  return (
    <ErrorNote
      error={{
        message: progress.error ?? "The run failed.",
        kind: "run",
        ...(progress.details ? { details: progress.details } : {}),
      }}
    >
      <div class="pm-row">
        <Select
          label="Run again on"
          class="pm-inline"
          value={chosen}
          options={endpoints.map((each) => ({
            value: each.name,
            text: each.key_env && !each.key_present ? `${each.name} (no key)` : each.name,
          }))}
          onChange={choose}
        />
        <Button
          kind="primary"
          busy={again.busy}
          disabled={!endpoint}
          onClick={() => void again.run({ run: progress.run, endpoint: chosen })}
        >
          {again.busy
            ? "Starting…"
            : chosen === progress.endpoint && progress.done > progress.errors
              ? `Ask only for the ${count(missingOf(progress))} missing`
              : "Run again"}
        </Button>
        <span class="pm-soft">
          {against(progress.versions)} on {progress.suite}
        </span>
      </div>
      {again.error && <p role="alert">{sentence(again.error.message)}</p>}
    </ErrorNote>
  );
}
