// The page of one prompt: its labels, what can be done with it, and its versions.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { exact, oneLine, plural } from "../logic/format";
import { Button, ErrorNote, Loading, Note, Time } from "../parts/ui";
import type { Acts } from "./acts";
import { LabelChip } from "./chips";
import { type Fault, type History, labelsAt, type Prompt, readBy, usual, type Version } from "./model";
import { Rows } from "./rows";
import { SourceError } from "./source";

export function PromptPage(props: { name: string; prompt: Prompt | null; acts: Acts; close: () => void }) {
  const { name, prompt, acts } = props;
  const [history, error, again] = useHistory(acts, name, prompt);
  const [chosen, choose] = useState<string | null>(null);
  const [busy, setBusy] = useState<"workbench" | "code" | null>(null);
  const list = useRef<HTMLElement | null>(null);
  const page = useRef<HTMLDivElement>(null);
  const there = history !== null;
  // The focus never leaves the panel: it waits on the page until there is a list, unless it went elsewhere meanwhile.
  useLayoutEffect(() => page.current?.focus(), []);
  useLayoutEffect(() => {
    if (there && document.activeElement === page.current) list.current?.focus();
  }, [there]);
  const wanted = acts.settings.label;
  const version = chosen ?? (prompt ? usual(prompt, wanted) : null);
  const label = prompt && version ? readBy(prompt, version, wanted) : null;
  const act = async (what: "workbench" | "code") => {
    if (!prompt || !version) return;
    setBusy(what);
    await (what === "workbench" ? acts.openInWorkbench(prompt, version) : acts.insertCode(prompt, version));
    setBusy(null);
  };
  return (
    <div class="pm-side-prompt" tabIndex={-1} ref={page}>
      <div class="pm-side-head">
        <Button kind="quiet" onClick={props.close} title="Esc">
          ‹ All prompts
        </Button>
        <h3 class="pm-side-title">{name}</h3>
        <div class="pm-row pm-tight">
          {history?.labels.map((pointer) => (
            <span
              key={pointer.label}
              title={`Moved ${exact(pointer.moved_at)} by ${pointer.moved_by}: ${oneLine(pointer.reason)}`}
            >
              <LabelChip label={pointer.label} version={pointer.version} />
            </span>
          ))}
          {history && history.labels.length === 0 && <span class="pm-soft">no label yet</span>}
        </div>
        {prompt && version && (
          <div class="pm-side-acts">
            <Button kind="primary" busy={busy === "workbench"} onClick={() => void act("workbench")}>
              Open {version} in the workbench
            </Button>
            <Button
              busy={busy === "code"}
              disabled={label === null}
              title={
                label === null ? "Services read a label, and this prompt has none yet" : `${name}@${label}`
              }
              onClick={() => void act("code")}
            >
              {label === null || label === "production"
                ? "Insert code to read it in production"
                : `Insert code to read it at ${label}`}
            </Button>
          </div>
        )}
        <Outcome acts={acts} />
        {!prompt && (
          <ErrorNote
            error={{
              kind: "gone",
              message: `${name} is no longer among the prompts that this token sees`,
              hint: "Go back to all prompts",
            }}
          />
        )}
        {error && (
          <ErrorNote error={{ ...error, kind: "versions" }}>
            <Button onClick={again}>Ask again</Button>
          </ErrorNote>
        )}
        {history && <h3 class="pm-side-versions">{plural(history.versions.length, "version")}</h3>}
      </div>
      {history ? (
        <Rows
          label={`Versions of ${name}`}
          items={history.versions}
          keyOf={(each) => each.version}
          spoken={(each) =>
            [
              each.version,
              ...(prompt ? labelsAt(prompt.labels, each.version, wanted) : []),
              oneLine(each.message),
              `by ${each.author}`,
            ].join(", ")
          }
          selected={version}
          select={choose}
          order={name}
          box={(element) => {
            list.current = element;
          }}
        >
          {(each) => (
            <VersionRow version={each} labels={prompt ? labelsAt(prompt.labels, each.version, wanted) : []} />
          )}
        </Rows>
      ) : (
        !error && (
          <div class="pm-side-note">
            <Loading what={`the versions of ${name}`} lines={4} />
          </div>
        )
      )}
    </div>
  );
}

/** A prompt's versions, fetched again when its newest version or a label changed. */
function useHistory(
  acts: Acts,
  name: string,
  prompt: Prompt | null,
): [History | null, Fault | null, () => void] {
  const [history, setHistory] = useState<History | null>(null);
  const [error, setError] = useState<Fault | null>(null);
  const [tries, retry] = useState(0);
  const stand = JSON.stringify([prompt?.newest, prompt?.labels, acts.sight.state === "connected"]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what stands and each retry are reasons to ask again
  useEffect(() => {
    let current = true;
    acts.versions(name).then(
      (found) => {
        if (!current) return;
        setHistory(found);
        setError(null);
      },
      (problem: unknown) => {
        if (!current) return;
        // While the registry is away the head of the panel says so; what is known stays.
        setError(
          problem instanceof SourceError
            ? problem.fault
            : { message: "The Jupyter server does not answer", hint: "Ask again when it is back" },
        );
      },
    );
    return () => {
      current = false;
    };
  }, [acts, name, stand, tries]);
  return [history, acts.sight.state === "connected" || !history ? error : null, () => retry(tries + 1)];
}

function VersionRow(props: { version: Version; labels: string[] }) {
  const { version, labels } = props;
  return (
    <>
      <div class="pm-side-line">
        <b class="pm-number">{version.version}</b>
        <span class="pm-side-chips">
          {labels.map((label) => (
            <LabelChip key={label} label={label} />
          ))}
        </span>
        <span class="pm-soft pm-number">
          <Time at={version.created_at} />
        </span>
      </div>
      <div class="pm-side-line">
        <span class="pm-cut pm-side-message" title={version.message}>
          {oneLine(version.message)}
        </span>
        <span class="pm-soft pm-cut pm-side-author" title={version.author}>
          {version.author}
        </span>
      </div>
    </>
  );
}

function Outcome(props: { acts: Acts }) {
  const { outcome } = props.acts;
  if (outcome?.kind === "error")
    return <ErrorNote error={{ ...outcome, kind: "act" }} onClose={() => props.acts.dismiss()} />;
  return (
    <div aria-live="polite">
      {outcome && <Note kind={outcome.kind === "done" ? "done" : "plain"}>{outcome.message}</Note>}
    </div>
  );
}
