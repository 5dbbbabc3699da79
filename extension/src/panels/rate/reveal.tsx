import { useState } from "preact/hooks";
import { count, oneLine, plural } from "../../logic/format";
import { sentence } from "../../logic/text";
import type { BlindView, ComparisonView, RatedView } from "../../model";
import { useAct, useTrait } from "../../parts/hooks";
import { Interval } from "../../parts/interval";
import { Button, ErrorNote, Mark, VersionName } from "../../parts/ui";
import { Texts } from "./blind";
import { Values } from "./values";

const SHOWN = 50;

/** What was which, and what all raters say. */
export function Reveal(props: { result: RatedView; blind: BlindView | null }) {
  const { result, blind } = props;
  const pause = useAct("pause_rating");
  const show = useAct("show");
  const panels = useTrait("panels");
  return (
    <div class="pm-rate-result">
      <section aria-label="Verdict of the raters">
        <p class="pm-sentence" role="status">
          <Mark of={result.verdict} /> {sentence(result.sentence)}
        </p>
        <Interval comparison={asComparison(result)} scorer={undefined} />
        <p class="pm-soft">
          <VersionName version={result.candidate} index={1} /> against{" "}
          <VersionName version={result.baseline} index={0} />, {plural(result.n, "row")}, {result.test}.
        </p>
      </section>
      {result.votes && <Votes result={result} votes={result.votes} />}
      <section aria-label="Raters">
        <h3>Raters</h3>
        <dl class="pm-rate-facts">
          {result.raters.map(([rater, answers]) => (
            <div key={rater}>
              <dt>{rater}</dt>
              <dd>{plural(answers, "answer")}</dd>
            </div>
          ))}
          {result.agreements.map(([who, told]) => (
            <div key={who}>
              <dt>{who}</dt>
              <dd>{told}</dd>
            </div>
          ))}
          <div>
            <dt>asked twice</dt>
            <dd>
              {result.repeated
                ? `${plural(result.repeated, "question")} came a second time${result.kind === "pairwise" ? ", sides changed" : ""}`
                : "no question was answered a second time"}
            </dd>
          </div>
          {result.skipped > 0 && (
            <div>
              <dt>skipped</dt>
              <dd>{plural(result.skipped, "question")}</dd>
            </div>
          )}
          {result.identical > 0 && (
            <div>
              <dt>same text</dt>
              <dd>{plural(result.identical, "row")} count as ties without a look</dd>
            </div>
          )}
        </dl>
      </section>
      <Rows result={result} />
      <div class="pm-row">
        {blind && blind.answered < blind.total && (
          <Button busy={pause.busy} onClick={() => void pause.run({})}>
            Back to rating
          </Button>
        )}
        {blind && blind.answered >= blind.total && (
          <Button busy={pause.busy} onClick={() => void pause.run({})}>
            Another rater or run
          </Button>
        )}
        {panels.includes("evaluate") && (
          <Button kind="quiet" onClick={() => void show.run({ panel: "evaluate" })}>
            See the run in Evaluate
          </Button>
        )}
      </div>
      {pause.error && <ErrorNote error={pause.error} onClose={pause.clear} />}
    </div>
  );
}

function Votes(props: { result: RatedView; votes: readonly number[] }) {
  const { result } = props;
  const [baseline = 0, candidate = 0, ties = 0] = props.votes;
  const all = Math.max(1, baseline + candidate + ties);
  const bar = (value: number, kind: string) => (
    <span class={`pm-rate-share pm-rate-share-${kind}`} style={{ flexGrow: value / all }} />
  );
  return (
    <section aria-label="Votes by version">
      <h3>Votes by version</h3>
      <div class="pm-rate-votes" aria-hidden="true">
        {bar(baseline, "0")}
        {bar(ties, "tie")}
        {bar(candidate, "1")}
      </div>
      <p class="pm-rate-legend">
        <span>
          <VersionName version={result.baseline} index={0} /> preferred on {plural(baseline, "row")}
        </span>
        <span>{plural(ties, "tie")}</span>
        <span>
          <VersionName version={result.candidate} index={1} /> preferred on {plural(candidate, "row")}
        </span>
      </p>
      <p class="pm-soft">{sentence(result.vote_sentence)}</p>
    </section>
  );
}

/** Row by row; one opens to both outputs, by now with their names. */
function Rows(props: { result: RatedView }) {
  const { result } = props;
  const [all, setAll] = useState(false);
  const [opened, setOpened] = useState<number | null>(null);
  const row = useAct("rated_row");
  const shown = all ? result.rows : result.rows.slice(0, SHOWN);
  const open = (number: number) => {
    if (opened === number) {
      setOpened(null);
      return;
    }
    setOpened(number);
    void row.run({ row: number });
  };
  return (
    <section aria-label="Rated rows">
      <h3>Rows</h3>
      <div class="pm-table-box">
        <table class="pm-table">
          <thead>
            <tr>
              <th scope="col">row</th>
              <th scope="col">begins with</th>
              <th scope="col">preferred</th>
              <th scope="col">who chose what</th>
            </tr>
          </thead>
          <tbody>
            {shown.flatMap((each) => [
              <tr key={each.row}>
                <th scope="row">
                  <button
                    type="button"
                    class="pm-link"
                    aria-expanded={opened === each.row}
                    aria-label={`Row ${each.row}, show both outputs`}
                    onClick={() => open(each.row)}
                  >
                    {each.row}
                  </button>
                </th>
                <td class="pm-rate-excerpt" dir="auto">
                  {oneLine(each.text)}
                </td>
                <td class="pm-nowrap">
                  <Mark of={each.change} spoken={false} />{" "}
                  {each.change === "same"
                    ? "neither"
                    : each.change === "better"
                      ? result.candidate
                      : result.baseline}
                </td>
                <td>{each.votes.map(([rater, vote]) => `${rater}: ${vote}`).join(" · ")}</td>
              </tr>,
              opened === each.row && (
                <tr key={`${each.row}-texts`}>
                  <td colSpan={4}>
                    {row.busy && <span class="pm-soft">Loading row {each.row}…</span>}
                    {row.error && <ErrorNote error={row.error} />}
                    {row.value && (
                      <>
                        <Values values={row.value.values} />
                        <Texts
                          names={[`${result.baseline} (baseline)`, `${result.candidate} (candidate)`]}
                          texts={row.value.texts}
                        />
                      </>
                    )}
                  </td>
                </tr>
              ),
            ])}
          </tbody>
        </table>
      </div>
      {!all && result.rows.length > SHOWN && (
        <Button kind="quiet" onClick={() => setAll(true)}>
          Show {count(result.rows.length - SHOWN)} more rows
        </Button>
      )}
    </section>
  );
}

function asComparison(result: RatedView): ComparisonView {
  return {
    baseline: result.baseline,
    candidate: result.candidate,
    scorer: "",
    sentence: result.sentence,
    verdict: result.verdict,
    difference: result.difference,
    low: result.low,
    high: result.high,
    n: result.n,
    up: 0,
    down: 0,
    same: 0,
    baseline_mean: null,
    candidate_mean: null,
    provisional: false,
    rows_needed: null,
    test: result.test,
    guards: [],
    slices: [],
  };
}
