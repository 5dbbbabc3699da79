import { useEffect, useMemo, useState } from "preact/hooks";
import { words } from "../../logic/diff";
import { cost, count, plural, seconds, significant } from "../../logic/format";
import { sentence } from "../../logic/text";
import type { AnswerView, CellView, RowView, SuiteView } from "../../model";
import { Marked } from "../../parts/difference/words";
import { useAct } from "../../parts/hooks";
import { Plain } from "../../parts/plain";
import { Button, ErrorNote, Fold, Loading, Mark, Tag, VersionName } from "../../parts/ui";
import { Correction } from "./correction";

export function FullRow(props: {
  token: number;
  position: number;
  total: number;
  versions: string[];
  run: string;
  suite: SuiteView;
  expected: string | null;
  running: boolean;
  told: string;
  onClose: () => void;
  onStep: (step: number) => void;
}) {
  const { token, position, versions, expected } = props;
  const fetched = useAct("row");
  const [shown, setShown] = useState<RowView | null>(null);
  const { run } = fetched;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a row that was pending is asked for again when the run is done
  useEffect(() => {
    let current = true;
    void run({ token, position }).then((got) => current && got && setShown(got.value));
    return () => {
      current = false;
    };
  }, [run, token, position, props.running]);
  return (
    <section class="pm-full" aria-label={`Row ${shown ? shown.row : ""} in full`} aria-live="polite">
      <div class="pm-head">
        <h3>Row {shown ? count(shown.row) : "…"}</h3>
        <span class="pm-soft">
          <kbd>[</kbd> <kbd>]</kbd> flipped rows, <kbd>Esc</kbd> closes
        </span>
        <span role="status">{props.told}</span>
        <span class="pm-push" />
        <Button kind="quiet" disabled={position === 0} onClick={() => props.onStep(-1)}>
          ‹ Previous
        </Button>
        <Button kind="quiet" disabled={position >= props.total - 1} onClick={() => props.onStep(1)}>
          Next ›
        </Button>
        <Button kind="quiet" onClick={props.onClose} title="Esc">
          Close
        </Button>
      </div>
      {fetched.error && <ErrorNote error={fetched.error} />}
      {!shown && !fetched.error && <Loading what="the row" />}
      {shown && (
        <>
          <dl class="pm-values">
            {ordered(shown, expected).map(([name, value]) => (
              <div key={name} class={name === expected ? "pm-expected" : ""}>
                <dt>
                  {name}
                  {name === expected && <Tag>expected</Tag>}
                </dt>
                <dd dir="auto">{value}</dd>
              </div>
            ))}
          </dl>
          <Correction key={shown.row} run={props.run} row={shown} suite={props.suite} />
          <div class="pm-answers">
            {versions.map((version, index) => {
              const cell = shown.cells[version];
              const first = versions[0];
              return (
                cell && (
                  <Answer
                    key={version}
                    version={version}
                    index={index}
                    cell={cell}
                    baseline={index > 0 && first ? shown.cells[first] : undefined}
                    suite={props.suite}
                    running={props.running}
                  />
                )
              );
            })}
          </div>
        </>
      )}
    </section>
  );
}

/** What the prompt reads stands first, then what is expected of the answer. */
function ordered(row: RowView, expected: string | null): [string, string][] {
  const rank = (name: string) => (row.inputs.includes(name) ? 0 : name === expected ? 1 : 2);
  return Object.entries(row.values).sort(([a], [b]) => rank(a) - rank(b));
}

function Answer(props: {
  version: string;
  index: number;
  cell: CellView;
  baseline: CellView | undefined;
  suite: SuiteView;
  running: boolean;
}) {
  const { version, index, cell, baseline } = props;
  const [marked, setMarked] = useState(false);
  const unasked = props.running ? "not answered yet" : "not asked";
  const differs =
    baseline && !baseline.error && !cell.error && !cell.pending && baseline.output !== cell.output;
  const facts = [
    cell.model ?? "",
    cell.tokens_in !== null && cell.tokens_out !== null
      ? `${count(cell.tokens_in)} in, ${count(cell.tokens_out)} out`
      : "",
    cell.latency !== null ? seconds(cell.latency) : "",
    cell.full && cell.full.ttft !== null ? `first token after ${seconds(cell.full.ttft)}` : "",
    cell.full && cell.full.attempts > 1 ? `asked ${cell.full.attempts} times` : "",
    cell.full?.finish_reason && cell.full.finish_reason !== "stop"
      ? `ended by ${cell.full.finish_reason}`
      : "",
    cell.cost !== null ? cost(cell.cost) : "",
    cell.cached ? "from the cache" : "",
  ].filter(Boolean);
  return (
    <article class={`pm-answer pm-col-${index}`}>
      <header class="pm-row">
        <VersionName version={version} index={index} />
        {index === 0 && <span class="pm-soft">baseline</span>}
        {cell.change && (
          <Tag>
            <Mark of={cell.change} spoken={false} /> {cell.change === "pending" ? unasked : cell.change}
          </Tag>
        )}
        <span class="pm-push" />
        {differs && (
          <Button kind="quiet" pressed={marked} onClick={() => setMarked(!marked)}>
            Mark differences
          </Button>
        )}
      </header>
      {cell.error ? (
        <Failure text={cell.error} />
      ) : (
        <pre class="pm-code pm-answer-text" dir="auto">
          {cell.pending ? (
            sentence(unasked)
          ) : differs && marked ? (
            <Changed from={baseline.output} to={cell.output} />
          ) : (
            <Plain text={cell.output || " "} />
          )}
        </pre>
      )}
      <table class="pm-scores">
        <tbody>
          {props.suite.scorers.map((scorer) => {
            const value = cell.scores[scorer.name];
            return (
              <tr key={scorer.name}>
                <th scope="row">{scorer.name}</th>
                <td
                  class="pm-number"
                  title={value === null || value === undefined ? undefined : String(value)}
                >
                  {value === null || value === undefined
                    ? "no score"
                    : `${significant(value)} ${scorer.unit}`}
                </td>
                <td>
                  <div class="pm-why">{cell.score_errors?.[scorer.name] ?? ""}</div>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p class="pm-soft pm-number">{facts.join(" · ")}</p>
      {cell.request && (
        <Fold summary="What was asked">
          {cell.request.map((message, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a rendered message has nothing of its own but its place
            <div class="pm-bubble" key={at}>
              <div class="pm-soft">{message.role}</div>
              <pre class="pm-code pm-scroll" dir="auto">
                <Plain text={message.content} />
              </pre>
            </div>
          ))}
          {cell.full?.settings && <pre class="pm-code pm-scroll">{cell.full.settings}</pre>}
        </Fold>
      )}
      {cell.full && <More full={cell.full} />}
    </article>
  );
}

/** What stands behind an answer: tools called, other repeats, judges, prompts upstream. */
function More(props: { full: AnswerView }) {
  const { full } = props;
  return (
    <>
      {full.tool_calls && (
        <Fold summary="Tools called" open>
          <pre class="pm-code pm-scroll">{full.tool_calls}</pre>
        </Fold>
      )}
      {full.upstream.length > 0 && (
        <Fold summary={`${plural(full.upstream.length, "answer")} upstream`}>
          {full.upstream.map((each) => (
            <div class="pm-bubble" key={each.version}>
              <div class="pm-soft">
                {each.version}
                {each.fills && `, fills ${each.fills}`}
              </div>
              <Said of={each} />
            </div>
          ))}
        </Fold>
      )}
      {full.repeats.length > 0 && (
        <Fold summary={plural(full.repeats.length, "repeat")}>
          {full.repeats.map((each, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a repeat is its number
            <div class="pm-bubble" key={at}>
              <div class="pm-soft pm-number">
                {at + 1}
                {Object.entries(each.scores).map(
                  ([name, value]) => ` · ${name} ${value === null ? "–" : significant(value)}`,
                )}
              </div>
              <Said of={each} />
            </div>
          ))}
        </Fold>
      )}
      {full.judgements.length > 0 && (
        <Fold summary={plural(full.judgements.length, "judgement")}>
          {full.judgements.map((each) => (
            <div class="pm-bubble" key={each.scorer}>
              <div class="pm-soft">
                {each.scorer}
                {Object.entries(each.told).map(([name, value]) => ` · ${name} ${value}`)}
              </div>
              {each.output && (
                <pre class="pm-code pm-scroll" dir="auto">
                  <Plain text={each.output} />
                </pre>
              )}
            </div>
          ))}
        </Fold>
      )}
    </>
  );
}

/** What a model answered, or why it did not. */
function Said(props: { of: { output: string; error: string | null } }) {
  const { output, error } = props.of;
  if (error) return <Failure text={error} />;
  return (
    <pre class="pm-code pm-scroll" dir="auto">
      <Plain text={output} />
    </pre>
  );
}

function Failure(props: { text: string }) {
  return (
    <div class="pm-problem">
      <span class="pm-mark" aria-hidden="true">
        !
      </span>
      <span dir="auto">{sentence(props.text)}</span>
    </div>
  );
}

function Changed(props: { from: string; to: string }) {
  const parts = useMemo(() => {
    // A word diff of very long texts would hold the page; there the whole text counts as changed.
    if (props.from.length + props.to.length > 40_000) return [{ text: props.to, marked: true }];
    return words(props.from, props.to).right;
  }, [props.from, props.to]);
  return <Marked parts={parts} sort="added" />;
}
