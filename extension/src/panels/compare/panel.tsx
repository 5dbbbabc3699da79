import { useContext, useState } from "preact/hooks";
import { Difference, type View } from "../../parts/difference/difference";
import { useHost, useTrait, WidthContext } from "../../parts/hooks";
import { Button, Empty, ErrorNote, Loading, Segments } from "../../parts/ui";
import { Picks } from "./picks";
import { VersionTree } from "./tree";

const NARROW = 760;

export function ComparePanel() {
  const state = useTrait("state_compare");
  const versions = useTrait("state_versions");
  const host = useHost();
  const width = useContext(WidthContext);
  const [chosen, choose] = useState<View | null>(null);
  const items = versions.items ?? [];
  if (!versions.ready) return <Loading what="versions" />;
  if (items.length === 0)
    return (
      <Empty title="Nothing to compare yet">
        <p>Save a version in Draft; with the second one the difference is shown here.</p>
        <Button kind="primary" onClick={() => void host.call("show", { panel: "draft" })}>
          Go to Draft
        </Button>
      </Empty>
    );
  const view = chosen ?? (width > 0 && width < NARROW ? "unified" : "split");
  const names = state.versions ?? [];
  const units = state.units ?? {};
  const problems = state.problems ?? {};
  const [baseline, ...candidates] = names;
  const missing = names.filter((name) => !units[name] && !problems[name]);
  const shown = candidates.filter((name) => units[name]);
  return (
    <div class="pm-compare">
      <Picks names={names} />
      {state.error && <ErrorNote error={state.error} />}
      {names.map((name) => {
        const problem = problems[name];
        return problem ? <ErrorNote key={name} error={problem} /> : null;
      })}
      {(!state.ready || missing.length > 0) && (
        <Loading what={missing.length ? missing.join(" and ") : "the versions"} lines={6} />
      )}
      {baseline && candidates.length === 0 && units[baseline] && (
        <p class="pm-sentence">Both sides are {baseline}: choose another version to see a difference.</p>
      )}
      {baseline && units[baseline] && shown.length > 0 && (
        <Difference
          key={`${state.name} ${names.join(" ")}`}
          sides={[baseline, ...shown].map((name) => ({
            name,
            unit: units[name] as NonNullable<(typeof units)[string]>,
            index: names.indexOf(name),
          }))}
          view={view}
        >
          <Segments<View>
            label="How differences are shown"
            value={view}
            options={[
              { value: "split", text: "Split", title: "Beside the baseline" },
              { value: "unified", text: "Unified", title: "One below the other" },
            ]}
            onChange={choose}
          />
        </Difference>
      )}
      <VersionTree names={names} />
    </div>
  );
}
