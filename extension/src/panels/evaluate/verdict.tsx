import { plural, signed, significant } from "../../logic/format";
import { sentence } from "../../logic/text";
import type { ComparisonView, RunProgress, ScorerView, SliceView } from "../../model";
import { useHost, useTrait } from "../../parts/hooks";
import { Interval, scaleOf } from "../../parts/interval";
import { ErrorNote, Fold, Loading, Mark, Select, Tag } from "../../parts/ui";

export function VerdictStrip(props: {
  progress: RunProgress;
  slice: string | null;
  onSlice: (slice: string | null) => void;
}) {
  const verdict = useTrait("state_verdict");
  const run = useTrait("state_run");
  const host = useHost();
  const scorer = run.suite?.scorers.find((each) => each.name === verdict.scorer);
  const [first, ...others] = verdict.run === props.progress.run ? (verdict.items ?? []) : [];
  if (verdict.error) return <ErrorNote error={verdict.error} />;
  if (!first)
    return props.progress.versions.length < 2 ? (
      <p class="pm-sentence pm-soft">One version was run: add a second one for a verdict.</p>
    ) : (
      <Loading what="the verdict" lines={1} />
    );
  return (
    <section class="pm-verdict" aria-label="Verdict">
      <div class="pm-verdict-main">
        <div class="pm-verdict-words">
          <p class="pm-verdict-sentence" aria-live="polite">
            <Mark of={first.verdict} spoken={false} />
            <span>
              {first.provisional && first.n === 0
                ? "Waiting for the first rows that both versions answer."
                : sentence(first.sentence)}
            </span>
            {first.provisional && (
              <Tag
                kind="provisional"
                title="The run is not complete: the interval shown is one that holds at every look"
              >
                provisional
              </Tag>
            )}
          </p>
          <Details comparison={first} scorer={scorer} scorers={run.suite?.scorers ?? []} />
        </div>
        <Interval comparison={first} scorer={scorer} />
      </div>
      {others.map((other) => (
        <div class="pm-verdict-other" key={other.candidate}>
          <p>
            <Mark of={other.verdict} spoken={false} /> <span>{sentence(other.sentence)}</span>{" "}
            <button
              type="button"
              class="pm-link"
              title={`Flipped rows and slices are those of ${other.candidate} then`}
              onClick={() => void host.call("look_at", { candidate: other.candidate })}
            >
              Look at {other.candidate}
            </button>
          </p>
          <Interval comparison={other} scorer={scorer} />
        </div>
      ))}
      <div class="pm-row pm-folds">
        {first.guards.length > 0 && (
          <Fold summary={<Guards guards={first.guards} />} class="pm-guards">
            <ul class="pm-list">
              {first.guards.map((guard) => (
                <li key={guard.scorer}>
                  <Mark of={guard.verdict} spoken={false} /> <b>{guard.scorer}</b>: {sentence(guard.sentence)}
                </li>
              ))}
            </ul>
          </Fold>
        )}
        {first.slices.length > 0 && (
          <Slices
            comparison={first}
            scorer={scorer}
            column={run.suite?.slice ?? "slice"}
            chosen={props.slice}
            onChoose={props.onSlice}
          />
        )}
      </div>
    </section>
  );
}

function Guards(props: { guards: ComparisonView["guards"] }) {
  return (
    <span class="pm-row pm-tight">
      {props.guards.length === 1 ? "1 guard" : `${props.guards.length} guards`}
      {props.guards.map((guard) => (
        <span key={guard.scorer} class="pm-guard">
          <Mark of={guard.verdict} spoken={false} /> {guard.scorer} {guard.verdict ?? "not told yet"}
        </span>
      ))}
    </span>
  );
}

/** The same comparison on each value of the suite's slice column. */
function Slices(props: {
  comparison: ComparisonView;
  scorer: ScorerView | undefined;
  column: string;
  chosen: string | null;
  onChoose: (slice: string | null) => void;
}) {
  const { comparison, column, chosen } = props;
  const { factor, unit } = scaleOf(props.scorer);
  const telling = (verdict: string) => comparison.slices.filter((each) => each.verdict === verdict).length;
  const [better, worse] = [telling("better"), telling("worse")];
  const interval = (each: SliceView) =>
    each.low === null || each.high === null
      ? "no interval: too few rows changed"
      : `[${ends(each.low * factor)}, ${ends(each.high * factor)}]`;
  return (
    <Fold
      class="pm-guards"
      summary={
        <span class="pm-row pm-tight">
          {plural(comparison.slices.length, "slice")} by {column}
          {better > 0 && (
            <span>
              <Mark of="better" spoken={false} /> {better} better
            </span>
          )}
          {worse > 0 && (
            <span>
              <Mark of="worse" spoken={false} /> {worse} worse
            </span>
          )}
        </span>
      }
    >
      <div class="pm-table-box">
        <table class="pm-table pm-slices">
          <thead>
            <tr>
              <th>{column}</th>
              <th>verdict</th>
              <th class="pm-right">difference, {unit}</th>
              <th>95 % interval</th>
              <th class="pm-right">rows</th>
              <th class="pm-right" title="p value adjusted by Holm's method, since all slices are looked at">
                p, Holm
              </th>
            </tr>
          </thead>
          <tbody>
            {comparison.slices.map((each) => (
              <tr key={each.name} aria-current={each.name === chosen}>
                <td>
                  <button
                    type="button"
                    class="pm-link"
                    aria-pressed={each.name === chosen}
                    title={each.name === chosen ? "Show the rows of every slice" : "Show only its rows"}
                    onClick={() => props.onChoose(each.name === chosen ? null : each.name)}
                  >
                    {each.name}
                  </button>
                </td>
                <td class="pm-nowrap">
                  <Mark of={each.verdict} spoken={false} /> {each.verdict}
                </td>
                <td class="pm-right pm-number">{signed(each.difference * factor)}</td>
                <td class="pm-number">{interval(each)}</td>
                <td class="pm-right pm-number">{each.n}</td>
                <td class="pm-right pm-number">{each.p < 0.001 ? "< 0.001" : significant(each.p)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Fold>
  );
}

function ends(value: number): string {
  return significant(value).replace("-", "−");
}

function Details(props: {
  comparison: ComparisonView;
  scorer: ScorerView | undefined;
  scorers: ScorerView[];
}) {
  const { comparison, scorer } = props;
  const host = useHost();
  const { factor, unit } = scaleOf(scorer);
  const { baseline_mean: before, candidate_mean: after } = comparison;
  const words = [
    before !== null && after !== null
      ? `mean ${significant(before * factor)} → ${significant(after * factor)} ${unit}`
      : "",
    scorer?.direction === "lower" ? "lower is better" : "",
    comparison.test ? `${comparison.provisional ? "interval" : "test"}: ${comparison.test}` : "",
  ].filter(Boolean);
  return (
    <div class="pm-row pm-details">
      {props.scorers.length > 1 ? (
        <Select
          label="Scorer shown"
          hideLabel
          value={comparison.scorer}
          options={props.scorers.map((each) => ({
            value: each.name,
            text: each.primary ? `${each.name} (primary)` : each.name,
          }))}
          onChange={(name) => void host.call("choose_scorer", { scorer: name })}
        />
      ) : (
        <span>{comparison.scorer}</span>
      )}
      <span class="pm-soft pm-number">{words.join("; ")}</span>
    </div>
  );
}
