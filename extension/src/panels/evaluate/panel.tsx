import { cost, count, plural, seconds, significant } from "../../logic/format";
import { sentence } from "../../logic/text";
import type { ComparisonView, RunProgress, ScorerView } from "../../model";
import { useAct, useHost, useTrait } from "../../parts/hooks";
import { Interval, scaleOf } from "../../parts/interval";
import { Button, Empty, ErrorNote, Fold, Loading, Mark, Select, Tag, Time } from "../../parts/ui";
import { Outputs } from "./outputs";

export function EvaluatePanel() {
  const catalog = useTrait("state_catalog");
  const versions = useTrait("state_versions");
  const run = useTrait("state_run");
  const runs = useTrait("state_runs");
  const runName = useTrait("run");
  const chosen = useTrait("state_evaluate");
  const suite = catalog.suites?.find((each) => each.name === chosen.suite);
  if (!catalog.ready || !versions.ready) return <Loading what="suites and versions" />;
  if (catalog.error) return <ErrorNote error={catalog.error} />;
  const progress = run.progress && run.progress.run === runName ? run.progress : null;
  return (
    <div class="pm-evaluate">
      <Setup progress={progress} />
      {run.error && <ErrorNote error={run.error} />}
      {runName && !progress && !run.error && <Loading what="the run" />}
      {progress && <Progress progress={progress} />}
      {progress && <VerdictStrip progress={progress} />}
      {progress && <Outputs progress={progress} />}
      {!runName && runs.ready && (versions.items?.length ?? 0) > 0 && (catalog.suites?.length ?? 0) > 0 && (
        <Empty title="No run yet">
          <p>
            {suite?.rows === 0
              ? `The dataset ${suite.dataset} has no rows: import some, or choose another suite. `
              : ""}
            Choose versions, a suite and an endpoint above, then run. Outputs stand side by side here, with
            the verdict above them.
          </p>
        </Empty>
      )}
    </div>
  );
}

function Setup(props: { progress: RunProgress | null }) {
  const host = useHost();
  const catalog = useTrait("state_catalog");
  const versions = useTrait("state_versions");
  const chosen = useTrait("state_evaluate");
  const runs = useTrait("state_runs");
  const run = useTrait("run");
  const start = useAct("start_run");
  const choose = useAct("choose_versions");
  const suites = catalog.suites ?? [];
  const items = versions.items ?? [];
  const suite = suites.find((each) => each.name === chosen.suite);
  const endpoint = catalog.endpoints?.find((each) => each.name === chosen.endpoint);
  const picked = chosen.versions ?? [];
  const running = props.progress?.status === "running";

  if (items.length === 0)
    return (
      <Empty title="Nothing to run yet">
        <p>A run needs a saved version. Write one in Draft and save it.</p>
        <Button kind="primary" onClick={() => void host.call("show", { panel: "draft" })}>
          Go to Draft
        </Button>
      </Empty>
    );
  if (suites.length === 0)
    return (
      <Empty title="No suite in this workspace yet">
        <p>A suite is a dataset with scorers. Make one in a cell; it shows up here at once:</p>
        <pre class="pm-code pm-block">{`data = ws.dataset("triage/inbox", df)
ws.suite("triage/basics", dataset=data, primary="category",
         scorers=[pm.scorers.Exact("category")])`}</pre>
      </Empty>
    );

  if (catalog.endpoints?.length === 0)
    return (
      <Empty title="No endpoint to ask yet">
        <p>An endpoint is where a model is reached. Name one in a cell; it shows up here at once:</p>
        <pre class="pm-code pm-block">{`ws.endpoint("local", base_url="http://127.0.0.1:8901/v1")`}</pre>
        <p>
          With no key and no network, <code class="pm-code">pressmark practice-model</code> serves a small
          model to try things with.
        </p>
      </Empty>
    );

  const free = items.filter((each) => !picked.includes(each.version));
  const set = (list: string[]) => void choose.run({ versions: list });
  const estimate = chosen.estimate;
  const rows = estimate?.rows ?? suite?.rows ?? 0;
  const price =
    estimate?.cost === null || estimate?.cost === undefined
      ? ""
      : estimate.cost === 0
        ? ", free"
        : `, about ${cost(estimate.cost)}`;
  const text = `Run ${plural(rows, "row")} × ${plural(picked.length, "version")}${price}`;
  const missing =
    picked.length === 0
      ? "Choose a version first"
      : !suite
        ? "Choose a suite first"
        : !endpoint
          ? "Choose an endpoint first"
          : rows === 0
            ? "The suite's dataset has no rows"
            : null;
  const option = (version: string) => {
    const about = items.find((each) => each.version === version);
    return { value: version, text: `${version}  ${about?.message ?? ""}` };
  };
  return (
    <section class="pm-setup" aria-label="What to run">
      <div class="pm-setup-fields">
        <Select
          label="Baseline"
          value={picked[0] ?? ""}
          options={[...picked, ...free.map((each) => each.version)].map(option)}
          onChange={(version) => set([version, ...picked.slice(1).filter((each) => each !== version)])}
        />
        {picked.slice(1).map((version, index) => (
          <span class="pm-candidate" key={version}>
            <Select
              label={picked.length > 2 ? `Candidate ${index + 1}` : "Candidate"}
              value={version}
              options={[version, ...free.map((each) => each.version)].map(option)}
              onChange={(next) => set(picked.map((each) => (each === version ? next : each)))}
            />
            {picked.length > 2 && (
              <Button
                kind="quiet"
                label={`Leave out ${version}`}
                onClick={() => set(picked.filter((each) => each !== version))}
              >
                Leave out
              </Button>
            )}
          </span>
        ))}
        {picked.length < 2 && free.length > 0 && (
          <Select
            label="Candidate"
            value=""
            options={[{ value: "", text: "Choose a version…" }, ...free.map((each) => option(each.version))]}
            onChange={(version) => version && set([...picked, version])}
          />
        )}
        <Select
          label="Suite"
          value={chosen.suite ?? ""}
          options={suites.map((each) => ({
            value: each.name,
            text: `${each.name}, ${plural(each.rows, "row")}`,
          }))}
          onChange={(name) => void host.call("choose_suite", { suite: name })}
        />
        <Select
          label="Endpoint"
          value={chosen.endpoint ?? ""}
          options={(catalog.endpoints ?? []).map((each) => ({
            value: each.name,
            text: each.key_env && !each.key_present ? `${each.name} (no key)` : each.name,
          }))}
          onChange={(name) => void host.call("choose_endpoint", { endpoint: name })}
        />
        <span class="pm-field pm-setup-run">
          <Button
            kind="primary"
            busy={start.busy}
            disabled={running || missing !== null}
            title={running ? "A run is going on: stop it first" : (missing ?? undefined)}
            onClick={() => void start.run({})}
          >
            {start.busy ? "Starting…" : text}
          </Button>
        </span>
      </div>
      <div class="pm-row pm-soft pm-setup-notes">
        {picked.length >= 2 && free.length > 0 && (
          <Select
            label="Another candidate"
            hideLabel
            value=""
            class="pm-add"
            options={[{ value: "", text: "Add a version…" }, ...free.map((each) => option(each.version))]}
            onChange={(version) => version && set([...picked, version])}
          />
        )}
        {estimate && (
          <span>
            {estimate.calls > 0 && estimate.cached === estimate.calls
              ? `all ${count(estimate.calls)} answers are in the cache`
              : `${plural(estimate.calls - estimate.cached, "answer")} to ask for`}
            {estimate.cached > 0 &&
              estimate.cached < estimate.calls &&
              `, ${count(estimate.cached)} in the cache`}
            {estimate.cost === null && estimate.cached < estimate.calls && "; price not known"}
          </span>
        )}
        {endpoint?.practice && (
          <Tag kind="practice" title="A small local model to try things with; its answers are no evidence">
            practice model
          </Tag>
        )}
        {endpoint?.key_env && !endpoint.key_present && (
          <span class="pm-problem-count">! {endpoint.key_env} is not set: set it and restart the kernel</span>
        )}
        {suite && !suite.publishable && (
          <span title={suite.why_not ?? ""}>this suite cannot be published</span>
        )}
        <span class="pm-push" />
        {(runs.items?.length ?? 0) > 0 && (
          <Select
            label="Shown run"
            class="pm-inline"
            value={run}
            options={(runs.items ?? []).map((each) => ({ value: each.run, text: runTitle(each) }))}
            onChange={(next) => void host.call("open_run", { run: next })}
          />
        )}
      </div>
      {chosen.estimate_error && <ErrorNote error={chosen.estimate_error} />}
      {start.error && <ErrorNote error={start.error} onClose={start.clear} />}
      {choose.error && <ErrorNote error={choose.error} onClose={choose.clear} />}
    </section>
  );
}

function runTitle(run: RunProgress): string {
  const began = new Date(run.started_at);
  const time = Number.isNaN(began.getTime())
    ? run.started_at
    : began.toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  const state = run.status === "done" ? "" : `, ${run.status}`;
  return `${time}: ${run.versions.join(", ")} on ${run.suite}${state}`;
}

function Progress(props: { progress: RunProgress }) {
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
        {!running && (
          <Tag kind={status}>
            {{ done: "done", stopped: "stopped early", cancelled: "stopped", failed: "failed" }[status] ??
              status}
          </Tag>
        )}
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
        <p class="pm-soft">
          Stopped with {count(total - done)} answers missing. Run again to ask only for those; the verdict is
          provisional until then.
        </p>
      )}
      {progress.note && <p class="pm-soft">{progress.note}</p>}
      {progress.error && <ErrorNote error={{ message: progress.error, kind: "run" }} />}
      {stop.error && <ErrorNote error={stop.error} onClose={stop.clear} />}
    </section>
  );
}

function VerdictStrip(props: { progress: RunProgress }) {
  const verdict = useTrait("state_verdict");
  const run = useTrait("state_run");
  const scorer = run.suite?.scorers.find((each) => each.name === verdict.scorer);
  const [first, ...others] = verdict.run === props.progress.run ? (verdict.items ?? []) : [];
  if (verdict.error) return <ErrorNote error={verdict.error} />;
  if (!first)
    return props.progress.versions.length < 2 ? (
      <p class="pm-sentence pm-soft">One version was run: add a second one for a verdict.</p>
    ) : (
      <Loading what="the verdict" lines={1} />
    );
  return (
    <section class="pm-verdict" aria-label="Verdict">
      <div class="pm-verdict-main">
        <div class="pm-verdict-words">
          <p class="pm-verdict-sentence" aria-live="polite">
            <Mark of={first.verdict} spoken={false} />
            <span>
              {first.provisional && first.n === 0
                ? "Waiting for the first rows that both versions answer."
                : sentence(first.sentence)}
            </span>
            {first.provisional && (
              <Tag
                kind="provisional"
                title="The run is not complete: the interval shown is one that holds at every look"
              >
                provisional
              </Tag>
            )}
          </p>
          <Details comparison={first} scorer={scorer} scorers={run.suite?.scorers ?? []} />
        </div>
        <Interval comparison={first} scorer={scorer} />
      </div>
      {others.map((other) => (
        <div class="pm-verdict-other" key={other.candidate}>
          <p>
            <Mark of={other.verdict} spoken={false} /> <span>{sentence(other.sentence)}</span>
          </p>
          <Interval comparison={other} scorer={scorer} />
        </div>
      ))}
      {first.guards.length > 0 && (
        <Fold summary={<Guards guards={first.guards} />} class="pm-guards">
          <ul class="pm-list">
            {first.guards.map((guard) => (
              <li key={guard.scorer}>
                <Mark of={guard.verdict} spoken={false} /> <b>{guard.scorer}</b>: {sentence(guard.sentence)}
              </li>
            ))}
          </ul>
        </Fold>
      )}
    </section>
  );
}

function Guards(props: { guards: ComparisonView["guards"] }) {
  return (
    <span class="pm-row pm-tight">
      Guards
      {props.guards.map((guard) => (
        <span key={guard.scorer} class="pm-guard">
          <Mark of={guard.verdict} /> {guard.scorer}
        </span>
      ))}
    </span>
  );
}

function Details(props: {
  comparison: ComparisonView;
  scorer: ScorerView | undefined;
  scorers: ScorerView[];
}) {
  const { comparison, scorer } = props;
  const host = useHost();
  const { factor, unit } = scaleOf(scorer);
  const { baseline_mean: before, candidate_mean: after } = comparison;
  const words = [
    before !== null && after !== null
      ? `${comparison.baseline} ${significant(before * factor)}, ${comparison.candidate} ${significant(after * factor)} ${unit}`
      : "",
    scorer?.direction === "lower" ? "lower is better" : "",
    comparison.rows_needed !== null ? `about ${plural(comparison.rows_needed, "row")} would tell` : "",
    comparison.test,
  ].filter(Boolean);
  return (
    <div class="pm-row pm-details">
      {props.scorers.length > 1 ? (
        <Select
          label="Scorer shown"
          hideLabel
          value={comparison.scorer}
          options={props.scorers.map((each) => ({
            value: each.name,
            text: each.primary ? `${each.name} (primary)` : each.name,
          }))}
          onChange={(name) => void host.call("choose_scorer", { scorer: name })}
        />
      ) : (
        <span>{comparison.scorer}</span>
      )}
      <span class="pm-soft pm-number">{words.join(" · ")}</span>
    </div>
  );
}
