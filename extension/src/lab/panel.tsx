// The side panel: the registry's state, its prompts, and the page of one prompt.

import { render } from "preact";
import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import { count, plural } from "../logic/format";
import { sentence } from "../logic/text";
import { Button, Empty, ErrorNote, Loading, Time } from "../parts/ui";
import type { Acts } from "./acts";
import { LabelChip } from "./chips";
import { found, type Prompt, type Sight } from "./model";
import { PromptPage } from "./prompt";
import { Rows } from "./rows";

const NONE: readonly Prompt[] = [];

export function showPanel(root: HTMLElement, acts: Acts): void {
  render(<Panel acts={acts} />, root);
}

export function Panel(props: { acts: Acts }) {
  const { acts } = props;
  const [, again] = useReducer((n: number, _: null) => n + 1, 0);
  const [search, setSearch] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLElement | null>(null);
  useEffect(() => acts.watch(() => again(null)), [acts]);
  useEffect(
    () =>
      acts.whenAsked((what) => {
        const wanted = what === "search" ? field.current : (list.current ?? field.current);
        wanted?.focus();
        if (what === "search") field.current?.select();
      }),
    [acts],
  );

  const { sight, opened } = acts;
  const prompts = sight.prompts ?? NONE;
  const shown = useMemo(() => found(prompts, search), [prompts, search]);
  const chosen = shown.some((prompt) => prompt.name === acts.selected)
    ? acts.selected
    : (shown[0]?.name ?? null);
  useEffect(() => acts.select(chosen), [acts, chosen]);

  const focusList = () => requestAnimationFrame(() => list.current?.focus());
  const open = prompts.find((prompt) => prompt.name === opened);
  const keys = (event: KeyboardEvent) => {
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
    if (event.key === "/" && !typing && field.current) field.current.focus();
    else if (event.key === "Escape" && opened !== null) {
      acts.close();
      focusList();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <section class="pm-side-page" aria-label="Pressmark prompts" onKeyDown={keys}>
      <Where sight={sight} look={() => acts.look()} />
      {opened !== null && sight.prompts ? (
        <PromptPage
          key={opened}
          name={opened}
          prompt={open ?? null}
          acts={acts}
          close={() => {
            acts.close();
            focusList();
          }}
        />
      ) : sight.prompts && prompts.length > 0 ? (
        <>
          <div class="pm-side-search">
            <input
              class="pm-input"
              type="search"
              aria-label="Search prompts"
              placeholder="Search prompts and labels   /"
              autocomplete="off"
              spellcheck={false}
              value={search}
              ref={field}
              onInput={(event) => setSearch(event.currentTarget.value)}
              onKeyDown={(event) => {
                if (event.key === "ArrowDown" || (event.key === "Enter" && shown.length > 0))
                  list.current?.focus();
                else if (event.key === "Escape" && search) setSearch("");
                else if (event.key === "Escape") list.current?.focus();
                else return;
                event.preventDefault();
                event.stopPropagation();
              }}
            />
            <div class="pm-side-count pm-soft pm-number">
              <span role="status">
                {search.trim()
                  ? `${count(shown.length)} of ${plural(prompts.length, "prompt")}`
                  : plural(prompts.length, "prompt")}
              </span>
              {sight.principal && (
                <span class="pm-cut" title="Whose token the Jupyter server shows the registry">
                  {sight.principal.name}, {sight.principal.role}
                </span>
              )}
            </div>
          </div>
          {shown.length > 0 ? (
            <Rows
              label="Prompts"
              items={shown}
              keyOf={(prompt) => prompt.name}
              spoken={(prompt) =>
                [
                  prompt.name,
                  `newest ${prompt.newest}`,
                  ...Object.entries(prompt.labels).map((at) => at.join(" ")),
                ].join(", ")
              }
              selected={chosen}
              select={(name) => acts.select(name)}
              open={(name) => acts.open(name)}
              order={search}
              box={(element) => {
                list.current = element;
              }}
            >
              {(prompt) => <PromptRow prompt={prompt} wanted={acts.settings.label} />}
            </Rows>
          ) : (
            <Empty title="No prompt is called so">
              <p>Names and labels were searched for “{search.trim()}”.</p>
              <Button onClick={() => setSearch("")}>Show all {plural(prompts.length, "prompt")}</Button>
            </Empty>
          )}
        </>
      ) : (
        <Nothing sight={sight} look={() => acts.look()} />
      )}
    </section>
  );
}

/** Which registry, as whom, and how it is. */
function Where(props: { sight: Sight; look: () => void }) {
  const { sight } = props;
  const connected = sight.state === "connected";
  const troubled = sight.prompts !== null && !connected;
  const place = sight.where.replace(/^https?:\/\//, "");
  return (
    <>
      <header class="pm-side-where">
        <span
          class={`pm-side-dot ${connected ? "pm-is-better" : "pm-is-same"}`}
          aria-hidden="true"
          title={connected ? "Connected" : "Not connected"}
        >
          {connected ? "●" : "○"}
        </span>
        <span class="pm-hidden">{connected ? "Connected to" : "Not connected to"}</span>
        <span class="pm-cut" title={sight.where}>
          {place || "Registry"}
        </span>
        <span class="pm-push" />
        <Button kind="quiet" onClick={props.look} title="Ask the registry again">
          Refresh
        </Button>
      </header>
      {troubled && (
        <div class="pm-side-note">
          <ErrorNote error={{ ...sight, kind: sight.state }}>
            <span class="pm-soft">
              What you see is from <Time at={sight.at} />.
            </span>
          </ErrorNote>
        </div>
      )}
    </>
  );
}

const TITLES: Partial<Record<Sight["state"], string>> = {
  unset: "No registry yet",
  refused: "The registry refuses the token",
  down: "The registry does not answer",
  failed: "The registry failed",
  away: "JupyterLab does not answer",
};

function Nothing(props: { sight: Sight; look: () => void }) {
  const { sight } = props;
  if (sight.state === "loading")
    return (
      <div class="pm-side-note">
        <Loading what="the registry's prompts" lines={6} />
      </div>
    );
  if (sight.state === "connected")
    return (
      <Empty title="No prompt is published yet">
        <p>Publish a version, and it stands here: in the workbench under Publish, or with</p>
        <pre class="pm-code pm-block">registry.publish(version, reason="…")</pre>
      </Empty>
    );
  const title = TITLES[sight.state] ?? "The registry failed";
  return (
    <div role="alert">
      <Empty title={title}>
        {sentence(sight.message) !== `${title}.` && <p>{sentence(sight.message)}</p>}
        {sight.hint && <p>{sentence(sight.hint)}</p>}
        {sight.details && (
          <details>
            <summary>Details</summary>
            <pre class="pm-code">{sight.details}</pre>
          </details>
        )}
        <Button onClick={props.look}>Ask again</Button>
      </Empty>
    </div>
  );
}

function PromptRow(props: { prompt: Prompt; wanted: string }) {
  const { prompt, wanted } = props;
  const slash = prompt.name.lastIndexOf("/") + 1;
  const labels = Object.keys(prompt.labels).sort(
    (a, b) => Number(b === wanted) - Number(a === wanted) || a.localeCompare(b),
  );
  return (
    <>
      <div class="pm-side-line">
        <span class="pm-side-name" title={prompt.name}>
          {slash > 0 && <span class="pm-soft pm-cut pm-side-folder">{prompt.name.slice(0, slash - 1)}</span>}
          {slash > 0 && <span class="pm-soft">/</span>}
          <b class="pm-cut">{prompt.name.slice(slash)}</b>
        </span>
        <span class="pm-soft pm-number" title="Newest version">
          {prompt.newest}
        </span>
      </div>
      <div class="pm-side-line pm-side-chips">
        {labels.length === 0 && <span class="pm-soft">no label yet</span>}
        {labels.map((label) => (
          <LabelChip key={label} label={label} version={prompt.labels[label] ?? ""} />
        ))}
      </div>
    </>
  );
}
