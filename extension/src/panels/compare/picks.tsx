import type { VersionView } from "../../model";
import { useAct, useTrait } from "../../parts/hooks";
import { Button, ErrorNote, Select, Tag, Time, VersionName } from "../../parts/ui";

const MOST = 4;

/** Every version that can be compared, the workspace's first; a published one that stands there is the same one. */
export function useVersions(): VersionView[] {
  const items = useTrait("state_versions").items ?? [];
  const published = useTrait("state_registry").prompt?.versions ?? [];
  return [...items, ...published];
}

/** The baseline and its candidates: who made each, when and why. */
export function Picks(props: { names: string[] }) {
  const { names } = props;
  const versions = useVersions();
  const act = useAct("choose_compared");
  const baseline = names[0] ?? "";
  const candidates = names.length > 1 ? names.slice(1) : [baseline];
  const taken = new Set(names);
  const free = versions.find((each) => !taken.has(each.version));
  const choose = (next: string[]) => void act.run({ versions: next });
  const put = (at: number, version: string) => {
    const next = [baseline, ...candidates];
    // What stands elsewhere already changes places with it.
    const other = next.indexOf(version);
    if (other !== -1 && names.length > 1) next[other] = next[at] as string;
    next[at] = version;
    choose(next);
  };
  return (
    <section class="pm-picks" aria-label="Versions compared">
      <Pick label="Baseline" index={0} version={baseline} onChange={(version) => put(0, version)} />
      {candidates.map((version, at) => (
        <Pick
          // biome-ignore lint/suspicious/noArrayIndexKey: a place keeps its list while versions change in it
          key={at}
          label={candidates.length > 1 ? `Candidate ${at + 1}` : "Candidate"}
          index={at + 1}
          version={version}
          onChange={(next) => put(at + 1, next)}
        >
          {candidates.length > 1 ? (
            <Button
              kind="quiet"
              label={`Compare without ${version}`}
              onClick={() => choose([baseline, ...candidates.filter((_, other) => other !== at)])}
            >
              Remove
            </Button>
          ) : (
            baseline !== version && (
              <Button
                kind="quiet"
                onClick={() => choose([version, baseline])}
                title="Exchange baseline and candidate"
              >
                ⇄ Swap
              </Button>
            )
          )}
        </Pick>
      ))}
      {candidates.length < MOST - 1 && names.length > 1 && free && (
        <div class="pm-pick-more">
          <Button onClick={() => choose([...names, free.version])}>Add a candidate</Button>
        </div>
      )}
      {act.error && <ErrorNote error={act.error} onClose={act.clear} />}
    </section>
  );
}

function Pick(props: {
  label: string;
  index: number;
  version: string;
  onChange: (version: string) => void;
  children?: preact.ComponentChildren;
}) {
  const versions = useVersions();
  const about = versions.find((each) => each.version === props.version);
  const labels = useTrait("state_registry").prompt?.labels ?? [];
  const held = labels.filter((each) => each.digest === about?.digest);
  return (
    <div class={`pm-pick pm-pick-${props.index}`}>
      <div class="pm-row pm-tight">
        <Select
          label={props.label}
          class="pm-grow"
          value={props.version}
          options={versions.map((each) => ({
            value: each.version,
            text: `${each.version}  ${each.message}`,
          }))}
          onChange={props.onChange}
        />
        {props.children}
      </div>
      {about && (
        <div class="pm-about">
          <div class="pm-about-why">
            <VersionName version={about.version} index={props.index} /> {about.message || "no change message"}
          </div>
          <div class="pm-soft">
            {about.author}, <Time at={about.created_at} />
            {about.parent ? `, from ${about.parent}` : ", the first"}
            {about.restores ? `, restores ${about.restores}` : ""}
          </div>
          {held.length > 0 && (
            <div class="pm-row pm-tight">
              {held.map((each) => (
                <Tag key={each.label} kind="label" title={`${each.label} holds it`}>
                  {each.label}
                </Tag>
              ))}
            </div>
          )}
        </div>
      )}
    </div>
  );
}
