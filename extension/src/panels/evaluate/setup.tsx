import { budgetWords, planWords, statusWord } from "../../logic/asking";
import { cost, plural } from "../../logic/format";
import type { RunProgress, SuiteView } from "../../model";
import { useAct, useHost, useTrait, useWidest } from "../../parts/hooks";
import { Button, Empty, ErrorNote, Select, Tag } from "../../parts/ui";
import { Options } from "./options";
import { Overrides, overrideWords } from "./overrides";

const MOST_VERSIONS = 4;

/** A suite may be run on any prompt; one that was made for another is not what is looked for first. */
function foreign(suite: SuiteView, prompt: string): boolean {
  return suite.prompt !== null && suite.prompt !== prompt;
}

function offered(suites: readonly SuiteView[], prompt: string): SuiteView[] {
  return [...suites].sort((a, b) => Number(foreign(a, prompt)) - Number(foreign(b, prompt)));
}

export function Setup(props: { progress: RunProgress | null }) {
  const host = useHost();
  const catalog = useTrait("state_catalog");
  const versions = useTrait("state_versions");
  const chosen = useTrait("state_evaluate");
  const runs = useTrait("state_runs");
  const run = useTrait("run");
  const prompt = useTrait("prompt");
  const start = useAct("start_run");
  const choose = useAct("choose_versions");
  const [attachRun, runWidth] = useWidest();
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
    rows === 0 || estimate?.cost === null || estimate?.cost === undefined
      ? ""
      : estimate.cost === 0
        ? ", free"
        : `, about ${cost(estimate.cost)}`;
  const known = estimate ? estimate.calls > 0 && estimate.cached === estimate.calls : false;
  const repeats = chosen.asking?.repeats ?? 1;
  const times = `${picked.length === 1 ? "" : ` × ${plural(picked.length, "version")}`}${repeats > 1 ? ` × ${repeats}` : ""}`;
  const limit = chosen.asking ? budgetWords(chosen.asking.budget) : "";
  const text = `Run ${plural(rows, "row")}${times}${known ? ", all known" : `${price}${limit && `, ${limit}`}`}`;
  const full = picked.length >= MOST_VERSIONS;
  const primary = suite?.scorers.find((each) => each.primary);
  const refused = chosen.estimate_error ?? null;
  const missing =
    picked.length === 0
      ? "Choose a version first"
      : !suite
        ? "Choose a suite first"
        : !endpoint
          ? "Choose an endpoint first"
          : rows === 0
            ? "The suite's dataset has no rows: give it some, or choose another suite"
            : (refused?.message ?? null);
  // The newest first, as in every other list, wherever the chosen ones stand.
  const choices = (others: string[]) => {
    const names = items.map((each) => each.version).filter((version) => !others.includes(version));
    const gone = picked.filter((version) => !others.includes(version) && !names.includes(version));
    return [...names, ...gone].map(option);
  };
  const option = (version: string) => {
    const about = items.find((each) => each.version === version);
    const override = chosen.overrides?.[version];
    return {
      value: version,
      text: `${version}  ${override ? overrideWords(override) : (about?.message ?? "")}`,
    };
  };
  return (
    <section class="pm-setup" aria-label="What to run">
      <div class="pm-setup-fields">
        <Select
          label="Baseline"
          value={picked[0] ?? ""}
          options={choices([])}
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
          options={offered(suites, prompt).map((each) => ({
            value: each.name,
            text: `${each.name}, ${plural(each.rows, "row")}${foreign(each, prompt) ? `, made for ${each.prompt}` : ""}`,
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
        <span class="pm-field pm-setup-run" ref={attachRun} style={{ minWidth: `${runWidth}px` }}>
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
        {picked.length >= 2 && !full && free.length > 0 && (
          <Select
            label="Another candidate"
            hideLabel
            value=""
            class="pm-add"
            options={[{ value: "", text: "Add a version…" }, ...free.map((each) => option(each.version))]}
            onChange={(version) => version && set([...picked, version])}
          />
        )}
        {estimate ? (
          <span
            class="pm-plan"
            aria-label="Plan"
            role="status"
            title={`${estimate.basis}${estimate.smallest_from && `; differences ${estimate.smallest_from}`}`}
          >
            {planWords(estimate, primary).join(" · ")}
          </span>
        ) : (
          missing === null && <span role="status">working out the plan…</span>
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
        {(runs.items?.length ?? 0) > 0 && (
          <Select
            label="Shown run"
            class="pm-inline pm-shown-run"
            value={run}
            options={(runs.items ?? []).map((each) => ({ value: each.run, text: runTitle(each) }))}
            onChange={(next) => void host.call("open_run", { run: next })}
          />
        )}
      </div>
      <div class="pm-row pm-option-folds">
        <Options />
        <Overrides picked={picked} full={full} />
      </div>
      {refused && <ErrorNote error={refused} />}
      {start.error && start.error.message !== refused?.message && (
        <ErrorNote error={start.error} onClose={start.clear} />
      )}
      {choose.error && <ErrorNote error={choose.error} onClose={choose.clear} />}
    </section>
  );
}

function runTitle(run: RunProgress): string {
  const began = new Date(run.started_at);
  const time = Number.isNaN(began.getTime())
    ? run.started_at
    : began.toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  const state = run.status === "done" ? "" : `, ${statusWord(run.status)}`;
  return `${time}: ${run.versions.join(", ")} on ${run.suite}${state}`;
}
