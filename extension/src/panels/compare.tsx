import type { VersionView } from "../model";
import { Difference } from "../parts/difference";
import { useAct, useTrait } from "../parts/hooks";
import { Button, Empty, ErrorNote, Loading, Select, Time } from "../parts/ui";

export function ComparePanel() {
  const state = useTrait("state_compare");
  const versions = useTrait("state_versions");
  const items = versions.items ?? [];
  if (!versions.ready) return <Loading what="versions" />;
  if (items.length === 0)
    return (
      <Empty title="Nothing to compare yet">
        <p>Save a version in Draft; with the second one the difference is shown here.</p>
      </Empty>
    );
  return (
    <div class="pm-compare">
      <Pair items={items} />
      {state.error && <ErrorNote error={state.error} />}
      {!state.ready && <Loading what="both versions" lines={6} />}
      {state.left && state.right && !state.error && (
        <Difference
          key={`${state.name} ${state.baseline} ${state.candidate}`}
          left={state.left}
          right={state.right}
          names={[state.baseline ?? "", state.candidate ?? ""]}
        />
      )}
    </div>
  );
}

function Pair(props: { items: VersionView[] }) {
  const baseline = useTrait("baseline");
  const version = useTrait("version");
  const choose = useAct("choose_pair");
  const registry = useTrait("state_registry");
  const known = new Set(props.items.map((each) => each.version));
  const published = (registry.prompt?.versions ?? []).filter((each) => !known.has(each.version));
  const options = [...props.items, ...published].map((each) => ({
    value: each.version,
    text: `${each.version}  ${each.message}`,
  }));
  const about = (name: string) => [...props.items, ...published].find((each) => each.version === name);
  return (
    <div class="pm-pair">
      <div class="pm-pair-side">
        <Select
          label="Baseline"
          value={baseline}
          options={options}
          onChange={(next) => void choose.run({ baseline: next, version })}
        />
        <About version={about(baseline)} />
      </div>
      <Button
        onClick={() => void choose.run({ baseline: version, version: baseline })}
        title="Exchange baseline and candidate"
      >
        ⇄ Swap
      </Button>
      <div class="pm-pair-side">
        <Select
          label="Candidate"
          value={version}
          options={options}
          onChange={(next) => void choose.run({ baseline, version: next })}
        />
        <About version={about(version)} />
      </div>
    </div>
  );
}

function About(props: { version: VersionView | undefined }) {
  const { version } = props;
  if (!version) return null;
  return (
    <span class="pm-soft pm-cut">
      {version.author}, <Time at={version.created_at} />
    </span>
  );
}
