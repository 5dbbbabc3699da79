"""A run as evidence: its row scores, and the outputs of rows that flipped."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pressmark.prompts import FrozenDict
from pressmark.prompts.evidence import RowScores, Trial

if TYPE_CHECKING:
    import pandas

    from pressmark.api.runs import Run
    from pressmark.evals.chain import Chain

# Evidence is looked at by people: what they cannot read is left out.
MOST_FLIPPED = 200
LONGEST_OUTPUT = 4_000


def trial_of(run: Run, prompt: str, before: Chain | None, after: Chain) -> Trial:
    """Return what a run of a chain, or of a chain against another, found.

    Args:
        run: The run.
        prompt: Whose outputs were scored.
        before: The chain as it is today; None where there is none.
        after: The chain with the change.
    """
    suite = run.suite
    rows = run.rows
    primary = suite.scorer()
    scores = tuple(
        RowScores(
            scorer.name,
            "score" if scorer.kind == "score" else "measure",
            scorer.direction,
            "points" if scorer.kind == "score" else scorer.unit,
            _scores(run, scorer.name, before.digest if before else None, rows),
            _scores(run, scorer.name, after.digest, rows),
        )
        for scorer in (primary, *suite.guards)
    )
    return Trial(
        prompt=prompt,
        baseline=before.version.digest if before else None,
        candidate=after.version.digest,
        suite=suite.name,
        suite_digest=suite.digest,
        primary=suite.primary,
        planned=run.planned,
        method=run.method,
        rows=rows,
        scores=scores,
        repeats=run.repeats,
        models=run.models,
        tuned_on=_tuned(run, after, rows),
        flipped=_flipped(run, before, after, scores[0], rows) if before else (),
    )


def _tuned(run: Run, after: Chain, rows: tuple[int, ...]) -> tuple[int, ...]:
    asked = set(rows)
    return tuple(row for row in run.tuned_on(after.digest) if row in asked)


def _scores(run: Run, scorer: str, digest: str | None, rows: tuple[int, ...]) -> tuple[float | None, ...]:
    if digest is None:
        return (None,) * len(rows)
    frame: pandas.DataFrame = run.row_scores(scorer)
    own = frame[frame["version"] == digest]
    found = dict(zip(own["row"].tolist(), own["value"].tolist(), strict=True))
    values = [found.get(row, math.nan) for row in rows]
    return tuple(None if value is None or math.isnan(value) else float(value) for value in values)


def _flipped(run: Run, before: Chain, after: Chain, scores: RowScores, rows: tuple[int, ...]) -> tuple[FrozenDict, ...]:
    changed = [
        (row, then, now)
        for row, then, now in zip(rows, scores.baseline, scores.candidate, strict=True)
        if then is not None and now is not None and then != now
    ]
    sign = 1 if scores.direction == "higher" else -1
    changed.sort(key=lambda each: (sign * (each[2] - each[1]), each[0]))
    outputs = run.answers_of([row for row, _, _ in changed[:MOST_FLIPPED]], [before.digest, after.digest])
    told: list[dict[str, Any]] = [
        {
            "row": row,
            "before": then,
            "after": now,
            "baseline": outputs.get((row, before.digest), "")[:LONGEST_OUTPUT],
            "candidate": outputs.get((row, after.digest), "")[:LONGEST_OUTPUT],
        }
        for row, then, now in changed[:MOST_FLIPPED]
    ]
    return tuple(FrozenDict(row) for row in told)
