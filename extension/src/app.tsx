import type { ComponentChildren, JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import type { PanelName } from "./model";
import { ComparePanel } from "./panels/compare/panel";
import { DraftPanel } from "./panels/draft/panel";
import { EvaluatePanel } from "./panels/evaluate/panel";
import { PublishPanel } from "./panels/publish/panel";
import { RatePanel } from "./panels/rate/panel";
import { useAct, useHost, useName, useTrait, useWidth, WidthContext } from "./parts/hooks";
import { Silence } from "./parts/silence";
import { Button, ErrorNote, Loading, Mark, Select, TextField, VersionName } from "./parts/ui";

const PANELS: [PanelName, string][] = [
  ["draft", "Draft"],
  ["compare", "Compare"],
  ["evaluate", "Evaluate"],
  ["rate", "Rate"],
  ["publish", "Publish"],
];

export function App() {
  const [panel, show] = usePanel();
  const id = useName("workbench");
  const prompts = useTrait("state_prompts");
  const [attach, width] = useWidth();
  const panels = useTrait("panels");
  const whole = panels.length === PANELS.length;
  const tabs = PANELS.filter(([name]) => panels.includes(name));
  const role =
    tabs.length > 1
      ? { role: "tabpanel" as const, "aria-labelledby": `${id}-${panel}` }
      : { role: "region" as const, "aria-label": tabs[0]?.[1] ?? "" };
  return (
    <WidthContext.Provider value={width}>
      <header class={`pm-bar ${tabs.length > 1 ? "" : "pm-bar-alone"}`} ref={attach}>
        {whole ? <PromptPicker /> : <PromptName />}
        {tabs.length > 1 && <Tabs id={id} tabs={tabs} panel={panel} show={show} />}
        <Sight />
      </header>
      <Silence />
      <div class="pm-panel" id={`${id}-panel`} {...role}>
        {prompts.error && <ErrorNote error={prompts.error} />}
        {!prompts.ready ? (
          <Loading what="the workspace" lines={6} />
        ) : (
          {
            draft: <DraftPanel />,
            compare: <ComparePanel />,
            evaluate: <EvaluatePanel />,
            rate: <RatePanel />,
            publish: <PublishPanel />,
          }[panel]
        )}
      </div>
    </WidthContext.Provider>
  );
}

/** The panel in sight: at once where it was chosen here, else as the trait says. */
function usePanel(): [PanelName, (panel: PanelName) => void] {
  const host = useHost();
  const trait = useTrait("panel");
  const [chosen, choose] = useState<PanelName | null>(null);
  const waiting = useRef(0);
  const show = (panel: PanelName) => {
    waiting.current += 1;
    choose(panel);
    host
      .call("show", { panel })
      .catch(() => undefined)
      .finally(() => {
        waiting.current -= 1;
        // Answers to earlier keys must not turn the page back under the hand.
        if (waiting.current === 0) choose(null);
      });
  };
  return [chosen ?? trait, show];
}

function Tabs(props: {
  id: string;
  tabs: readonly (readonly [PanelName, string])[];
  panel: PanelName;
  show: (panel: PanelName) => void;
}) {
  const { id, tabs, panel, show } = props;
  const bar = useRef<HTMLDivElement>(null);
  const keys = (event: JSX.TargetedKeyboardEvent<HTMLDivElement>) => {
    const at = tabs.findIndex(([name]) => name === panel);
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: tabs.length - 1 }[event.key];
    const name = next === undefined ? undefined : tabs[(next + tabs.length) % tabs.length]?.[0];
    if (!name) return;
    event.preventDefault();
    show(name);
    bar.current?.querySelector<HTMLElement>(`#${id}-${name}`)?.focus();
  };
  return (
    <div class="pm-tabs" role="tablist" aria-label="Workbench" onKeyDown={keys} ref={bar}>
      {tabs.map(([name, text]) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={`${id}-${name}`}
          aria-selected={name === panel}
          aria-controls={`${id}-panel`}
          tabIndex={name === panel ? 0 : -1}
          onClick={() => show(name)}
        >
          {/* The bold text's room is kept for every tab: the choice of one must not move the others. */}
          <span class="pm-tab-text" data-text={text}>
            {text}
          </span>
          {/* Its place is kept: a mark that comes or goes must not move the next tab from under the pointer. */}
          <span class="pm-tab-mark">
            <TabMark name={name} />
          </span>
        </button>
      ))}
    </div>
  );
}

function TabMark(props: { name: PanelName }): ComponentChildren {
  const draft = useTrait("state_draft");
  const run = useTrait("state_run");
  const registry = useTrait("state_registry");
  const verdict = useTrait("verdict");
  if (props.name === "draft" && draft.unsaved)
    return (
      <span class="pm-dot" title="Unsaved changes">
        ●<span class="pm-hidden"> unsaved changes</span>
      </span>
    );
  const progress = run.progress;
  if (props.name === "evaluate" && progress?.status === "running")
    return (
      <span class="pm-soft pm-number">
        {Math.floor((100 * progress.done) / Math.max(1, progress.total))} %
      </span>
    );
  if (props.name === "evaluate" && verdict) return <Mark of={verdict} />;
  const state = registry.view?.state;
  if (props.name === "publish" && (state === "down" || state === "refused")) {
    const why = state === "down" ? "the registry does not answer" : "the registry refuses the token";
    return (
      <span class="pm-sign pm-is-error" title={why}>
        !<span class="pm-hidden"> {why}</span>
      </span>
    );
  }
  return null;
}

/** A view that was opened on something stays with it. */
function PromptName() {
  const prompt = useTrait("prompt");
  return (
    <b class="pm-picker pm-cut" title={prompt}>
      {prompt || "Pressmark"}
    </b>
  );
}

function PromptPicker() {
  const prompt = useTrait("prompt");
  const prompts = useTrait("state_prompts");
  const open = useAct("open_prompt");
  const [naming, setNaming] = useState<string | null>(null);
  const items = prompts.items ?? [];
  const names = [...new Set([...(prompt ? [prompt] : []), ...items.map((each) => each.name)])];
  const begin = async () => {
    const name = naming?.trim();
    if (!name) return;
    // A refused name stays in the field, to be mended.
    if (await open.run({ name })) setNaming(null);
  };
  if (naming !== null)
    return (
      <span class="pm-picker pm-row">
        <TextField
          label="Name of the new prompt"
          hideLabel
          value={naming}
          placeholder="support/triage"
          onInput={setNaming}
          onEnter={() => void begin()}
          onEscape={() => setNaming(null)}
          inputRef={(element) => element && document.activeElement !== element && element.focus()}
        />
        <Button onClick={() => void begin()} busy={open.busy} disabled={!naming.trim()}>
          Begin
        </Button>
        <Button kind="quiet" onClick={() => setNaming(null)}>
          Cancel
        </Button>
        {open.error && <ErrorNote error={open.error} onClose={open.clear} />}
      </span>
    );
  if (names.length === 0) return <b class="pm-picker">Pressmark</b>;
  return (
    <span class="pm-picker" title={prompt}>
      <Select
        label="Prompt"
        hideLabel
        value={prompt}
        options={[...names.map((name) => ({ value: name, text: name })), { value: "+", text: "New prompt…" }]}
        onChange={(name) => {
          if (name === "+") setNaming("");
          else void open.run({ name });
        }}
      />
    </span>
  );
}

/** Which versions the panels are about: the baseline left, the candidate right. */
function Sight() {
  const picked = [useTrait("baseline"), useTrait("version")] as const;
  const run = useTrait("run");
  const verdict = useTrait("state_verdict");
  const panel = useTrait("panel");
  // What Evaluate shows is the run's, whatever is picked for the next one.
  const shown = panel === "evaluate" && run && verdict.run === run ? verdict.pair : null;
  const [baseline, version] = shown ?? picked;
  if (!version || panel === "draft" || panel === "rate") return <span class="pm-sight" />;
  return (
    <span class="pm-sight pm-number pm-soft">
      {baseline !== version && (
        <>
          <VersionName version={baseline} index={0} /> baseline{" "}
        </>
      )}
      <VersionName version={version} index={1} /> {baseline !== version ? "candidate" : ""}
    </span>
  );
}
