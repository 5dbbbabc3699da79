import { useState } from "preact/hooks";
import { plural } from "../../logic/format";
import { against } from "../../logic/stale";
import { sentence } from "../../logic/text";
import type { RatableView, RatingKind } from "../../model";
import { useAct, useTrait } from "../../parts/hooks";
import { Button, ErrorNote, Note, Segments, Select, TextField } from "../../parts/ui";

/** Which run, which pair, who, and how. */
export function Begin(props: { offer: RatableView }) {
  const { offer } = props;
  const runs = useTrait("state_runs");
  const open = useAct("open_run");
  const begin = useAct("begin_rating");
  const pairable = offer.versions.length > 1;
  const [baseline, setBaseline] = useState(offer.versions[0] ?? "");
  const [candidate, setCandidate] = useState(offer.versions.at(-1) ?? "");
  const [rater, setRater] = useState(offer.author);
  const [kind, setKind] = useState<RatingKind>(pairable ? "pairwise" : "pointwise");
  const known = offer.raters.find((each) => each.rater === rater.trim() && each.kind === kind);
  const listed = (runs.items ?? []).map((each) => ({
    value: each.run,
    text: `${against(each.versions)} on ${each.suite}, ${each.started_at.slice(0, 16).replace("T", " ")}`,
  }));
  const options = listed.some((each) => each.value === offer.run)
    ? listed
    : [{ value: offer.run, text: `${against(offer.versions)} on ${offer.suite}` }, ...listed];
  const why = offer.why_not
    ? sentence(offer.why_not)
    : !rater.trim()
      ? "Say who rates: each rater sees the rows in another order."
      : baseline === candidate && kind === "pairwise"
        ? "A pair is of two versions: choose another one."
        : "";
  const versions = offer.versions.map((each) => ({ value: each, text: each }));
  return (
    <section class="pm-rate-begin" aria-label="Begin to rate">
      <p class="pm-sentence">
        Rate outputs of {plural(offer.rows, "row")} blind: which version wrote what is told at the end.
      </p>
      <div class="pm-setup-fields">
        <Select
          label="Run"
          value={offer.run}
          options={options}
          onChange={(run) => void open.run({ run })}
          class="pm-rate-run"
        />
        <Select label="Baseline" value={baseline} options={versions} onChange={setBaseline} />
        <Select label="Candidate" value={candidate} options={versions} onChange={setCandidate} />
        <TextField
          label="Rater"
          value={rater}
          onInput={setRater}
          suggestions={offer.raters.map((each) => each.rater)}
          onEnter={() => {
            if (!why) void begin.run({ baseline, candidate, rater, kind });
          }}
        />
      </div>
      <div class="pm-row pm-rate-how">
        <Segments
          label="How to rate"
          value={kind}
          options={[
            ...(pairable
              ? [
                  {
                    value: "pairwise" as const,
                    text: "Pairs",
                    title: "Two outputs side by side: which is better?",
                  },
                ]
              : []),
            { value: "pointwise" as const, text: "Grades", title: "One output at a time, from 1 to 5" },
          ]}
          onChange={setKind}
        />
        <span class="pm-soft">
          {kind === "pairwise"
            ? "Two outputs side by side, their sides drawn: which one is better?"
            : "One output at a time, from 1 (worst) to 5 (best)."}
        </span>
      </div>
      <div class="pm-row">
        <Button
          kind="primary"
          busy={begin.busy}
          disabled={why !== ""}
          title={why || undefined}
          onClick={() => void begin.run({ baseline, candidate, rater, kind })}
        >
          {begin.busy ? "Drawing the order…" : known ? `Go on as ${rater.trim()}` : "Begin to rate"}
        </Button>
        <span class="pm-soft" role="status">
          {why ||
            (known
              ? `${plural(known.answers, "answer")} kept so far.`
              : "Every answer is kept at once; pause whenever you like.")}
        </span>
      </div>
      {begin.error && <ErrorNote error={begin.error} onClose={begin.clear} />}
      {open.error && <ErrorNote error={open.error} onClose={open.clear} />}
      {offer.raters.length > 0 && (
        <Note>
          Rated so far:{" "}
          {offer.raters
            .map(
              (each) => `${each.rater} (${each.kind === "pairwise" ? "pairs" : "grades"}, ${each.answers})`,
            )
            .join(", ")}
          . The verdict counts all raters; choose yourself above to go on or to look at it.
        </Note>
      )}
    </section>
  );
}
