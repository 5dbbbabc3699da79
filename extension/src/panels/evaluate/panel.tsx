import { useState } from "preact/hooks";
import { staleness } from "../../logic/stale";
import type { RunProgress } from "../../model";
import { useTrait } from "../../parts/hooks";
import { Empty, ErrorNote, Loading, Note } from "../../parts/ui";
import { Charts } from "./charts";
import { Outputs } from "./outputs";
import { Failed, Progress } from "./progress";
import { Setup } from "./setup";
import { VerdictStrip } from "./verdict";

export function EvaluatePanel() {
  const catalog = useTrait("state_catalog");
  const versions = useTrait("state_versions");
  const run = useTrait("state_run");
  const runs = useTrait("state_runs");
  const runName = useTrait("run");
  const chosen = useTrait("state_evaluate");
  const suite = catalog.suites?.find((each) => each.name === chosen.suite);
  if (!catalog.ready || !versions.ready) return <Loading what="suites and versions" />;
  if (catalog.error && !catalog.suites) return <ErrorNote error={catalog.error} />;
  const progress = run.progress && run.progress.run === runName ? run.progress : null;
  return (
    <div class="pm-evaluate">
      {catalog.error && <ErrorNote error={catalog.error} />}
      <Setup progress={progress} />
      {run.error && <ErrorNote error={run.error} />}
      {runName && !progress && !run.error && <Loading what="the run" />}
      {progress && <Result key={progress.run} progress={progress} />}
      {!runName && runs.ready && (versions.items?.length ?? 0) > 0 && (catalog.suites?.length ?? 0) > 0 && (
        <Empty title={suite?.rows === 0 ? `${suite.dataset} has no rows` : "No run yet"}>
          {suite?.rows === 0 ? (
            <>
              <p>
                So there is nothing to run {suite.name} on. Give it rows in a cell, or choose another suite:
              </p>
              <pre class="pm-code pm-block">{`ws.dataset("${suite.dataset}", df)`}</pre>
            </>
          ) : (
            <p>
              Choose versions, a suite and an endpoint above, then run. Outputs stand side by side here, with
              the verdict above them.
            </p>
          )}
        </Empty>
      )}
    </div>
  );
}

/** What a run found. It keeps its own versions, whatever is picked above for the next one. */
function Result(props: { progress: RunProgress }) {
  const { progress } = props;
  const chosen = useTrait("state_evaluate");
  const [slice, setSlice] = useState<string | null>(null);
  const stale = staleness(progress, chosen.versions ?? [], chosen.suite ?? "");
  const failed = progress.status === "failed";
  return (
    <>
      {stale && <Note>{stale}</Note>}
      <div class={`pm-result ${stale ? "pm-stale" : ""}`}>
        <Progress progress={progress} />
        {failed && <Failed progress={progress} />}
        {!failed && <VerdictStrip progress={progress} slice={slice} onSlice={setSlice} />}
        <div class="pm-beside">
          <Outputs progress={progress} slice={slice} onSlice={setSlice} />
          {!failed && <Charts progress={progress} />}
        </div>
      </div>
    </>
  );
}
