import { useContext, useState } from "preact/hooks";
import { count } from "../../logic/format";
import { useAct, useHost, useTrait, WidthContext } from "../../parts/hooks";
import { Button, ErrorNote, Fold, Tag, Time } from "../../parts/ui";
import { Deleting } from "./deleting";
import type { Draft } from "./state";

export function Rail(props: { draft: Draft }) {
  const { draft } = props;
  const host = useHost();
  // Beside the editor both lists stand open; above it they would push the editor out of sight.
  const wide = useContext(WidthContext) >= 1280;
  const prompts = useTrait("state_prompts");
  const versions = useTrait("state_versions");
  const open = useAct("open_prompt");
  const from = useAct("start_from");
  const [asked, setAsked] = useState<string | null>(null);
  const registry = useTrait("state_registry");
  const items = versions.items ?? [];
  const labelsOf = (digest: string) =>
    (registry.prompt?.labels ?? []).filter((each) => each.digest === digest).map((each) => each.label);
  const start = (version: string) => {
    if (draft.unsaved && asked !== version) return setAsked(version);
    setAsked(null);
    void from.run({ version });
  };
  const compare = (version: string, parent: string | null) => {
    void host.call("choose_pair", { baseline: parent ?? version, version });
    void host.call("show", { panel: "compare" });
  };
  return (
    <nav class="pm-rail" aria-label="Prompts and versions">
      <Fold summary={`Prompts, ${count(prompts.items?.length ?? 0)}`} class="pm-rail-prompts" open={wide}>
        {prompts.error && <ErrorNote error={prompts.error} />}
        <ul class="pm-list">
          {prompts.items?.map((each) => (
            <li key={each.name}>
              <button
                type="button"
                class="pm-item"
                aria-current={each.name === draft.name}
                title={each.name}
                onClick={() => {
                  draft.flush();
                  void open.run({ name: each.name });
                }}
              >
                <span class="pm-cut">{each.name}</span>
                {each.draft && (
                  <span class="pm-dot" title="has a draft that is not saved as a version">
                    ●<span class="pm-hidden">unsaved draft</span>
                  </span>
                )}
                <span class="pm-soft pm-number">{each.latest ?? "draft"}</span>
              </button>
            </li>
          ))}
        </ul>
      </Fold>
      <Fold summary={`Versions, ${count(items.length)}`} class="pm-rail-versions" open={wide}>
        {items.length === 0 && <p class="pm-soft">None yet: write the messages, then save the first.</p>}
        <ol class="pm-list">
          {items.map((each) => (
            <li key={each.version} class="pm-version">
              <div class="pm-row pm-tight">
                <button
                  type="button"
                  class="pm-link pm-number"
                  title={`Compare ${each.version} with ${each.parent ?? "itself"}`}
                  onClick={() => compare(each.version, each.parent)}
                >
                  {each.version}
                </button>
                {labelsOf(each.digest).map((label) => (
                  <Tag key={label} title={`${label} holds this version`}>
                    {label}
                  </Tag>
                ))}
                {each.version === draft.base && <span class="pm-soft">in the editor</span>}
                <span class="pm-push" />
                {each.version !== draft.base || draft.unsaved ? (
                  <Button
                    kind="quiet"
                    busy={from.busy}
                    onClick={() => start(each.version)}
                    title={`Put ${each.version} into the editor`}
                  >
                    {asked === each.version ? "Replace the unsaved draft" : "Edit"}
                  </Button>
                ) : null}
              </div>
              <div class="pm-version-message" title={each.message}>
                {each.message || "no change message"}
                {each.restores && <span class="pm-soft"> (restores {each.restores})</span>}
              </div>
              <div class="pm-soft pm-cut">
                {each.author}, <Time at={each.created_at} />
              </div>
            </li>
          ))}
        </ol>
        {from.error && <ErrorNote error={from.error} onClose={from.clear} />}
      </Fold>
      <Deleting draft={draft} />
    </nav>
  );
}
