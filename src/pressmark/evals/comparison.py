"""Comparisons: one version against another by a scorer, row by row."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pressmark import stats
from pressmark.errors import StatsError
from pressmark.evals import shown
from pressmark.evals.records import OutputRecord
from pressmark.evals.scorers import PairwiseJudge, Scorer
from pressmark.evals.suite import Suite

if TYPE_CHECKING:
    import pandas


class Flip(NamedTuple):
    """A row whose score changed.

    Attributes:
        row: Its number in the dataset, from 0.
        before: The baseline's score.
        after: The candidate's.
        change: `regression` where the candidate is worse, else `improvement`.
    """

    row: int
    before: float
    after: float
    change: Literal["regression", "improvement"]


@dataclass(frozen=True, slots=True)
class Slice:
    """The comparison on the rows of one slice.

    Attributes:
        name: The slice column's value there; None where it is empty.
        result: The paired comparison on these rows alone.
        p: Its p value adjusted for looking at all slices together (Holm).
    """

    name: Hashable
    result: stats.Paired
    p: float

    @property
    def verdict(self) -> stats.Verdict:
        """The verdict that holds although several slices are looked at."""
        return self.result.verdict if self.p <= 1 - self.result.confidence else "cannot tell"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A candidate against a baseline by one scorer, paired on rows.

    Attributes:
        scorer: The scorer's name.
        unit: `points` for scores in [0, 1], else the measurement's unit.
        baseline: What to call the baseline.
        candidate: What to call the candidate.
        result: The paired comparison.
        rows: The rows compared, in order.
        before: The baseline's scores of these rows, the mean over repeats.
        after: The candidate's.
        left_out: Rows without a score of both.
        slices: One for each value of the slice column.
        votes: For a pairwise judge, the votes: those between the two where it compared them with one another, else
            those of the baseline and of the candidate, each against the reference.
        opens: Makes the widget that shows it; None for scores that are not of a run.
    """

    scorer: str
    unit: str
    baseline: str
    candidate: str
    result: stats.Paired
    rows: tuple[int, ...] = field(repr=False)
    before: tuple[float, ...] = field(repr=False)
    after: tuple[float, ...] = field(repr=False)
    left_out: tuple[int, ...] = field(default=(), repr=False)
    slices: tuple[Slice, ...] = field(default=(), repr=False)
    votes: tuple[stats.Votes, ...] = field(default=(), repr=False)
    opens: Callable[[], Any] | None = field(default=None, repr=False, compare=False)

    @property
    def verdict(self) -> stats.Verdict:
        """`better`, `worse` or `cannot tell`: the candidate against the baseline."""
        return self.result.verdict

    @property
    def difference(self) -> float:
        """Mean of candidate minus baseline."""
        return self.result.difference

    @property
    def low(self) -> float:
        """Lower end of the difference's interval."""
        return self.result.low

    @property
    def high(self) -> float:
        """Upper end of the difference's interval."""
        return self.result.high

    @property
    def p(self) -> float:
        """Two-sided p value of "no difference"."""
        return self.result.p

    @property
    def n(self) -> int:
        """Rows compared."""
        return self.result.n

    @property
    def up(self) -> int:
        """Rows whose score is higher with the candidate."""
        return self.result.up

    @property
    def down(self) -> int:
        """Rows whose score is lower with the candidate."""
        return self.result.down

    @property
    def same(self) -> int:
        """Rows whose score is the same."""
        return self.result.same

    @property
    def test(self) -> str:
        """The test behind the verdict."""
        return self.result.test

    @property
    def rows_needed(self) -> int | None:
        """How many rows like these would tell a difference of this size."""
        return self.result.rows_needed

    @property
    def flips(self) -> tuple[Flip, ...]:
        """Rows whose score changed: regressions first, the largest change first."""
        found = []
        for row, before, after in zip(self.rows, self.before, self.after, strict=True):
            if not math.isclose(before, after, rel_tol=stats.SAME_WITHIN, abs_tol=stats.SAME_WITHIN):
                worse = (after < before) == (self.result.direction == "higher")
                found.append(Flip(row, before, after, "regression" if worse else "improvement"))
        found.sort(key=lambda flip: (flip.change != "regression", -abs(flip.after - flip.before), flip.row))
        return tuple(found)

    @property
    def sentence(self) -> str:
        """The verdict in one line."""
        return self.result.sentence(self.candidate, self.unit)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the sentence leaves out: the test, and rows that could not be compared."""
        told = [f"{self.scorer}, against {self.baseline}; {100 * self.result.confidence:g} % interval, {self.test}"]
        if self.left_out:
            number = len(self.left_out)
            rows = "1 row has" if number == 1 else f"{number:,} rows have"
            told.append(f"{rows} no score of both versions and {'is' if number == 1 else 'are'} left out")
        if len(self.votes) == 1:
            told.append(self.votes[0].sentence(self.baseline, self.candidate))
        else:
            told.extend(
                f"{name} against the reference: {votes.b} preferred, {votes.a} not, {_ties(votes.ties)}"
                for name, votes in zip((self.baseline, self.candidate), self.votes, strict=False)
            )
        return tuple(told)

    def to_frame(self) -> pandas.DataFrame:
        """Return a row for each row compared: row, baseline, candidate, difference."""
        import pandas as pd

        frame = pd.DataFrame({"row": self.rows, "baseline": self.before, "candidate": self.after})
        frame["difference"] = frame["candidate"] - frame["baseline"]
        return frame

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form; an end of an interval that is open is None."""
        return {
            "scorer": self.scorer,
            "unit": self.unit,
            "baseline": self.baseline,
            "candidate": self.candidate,
            "sentence": self.sentence,
            **_numbers(self.result),
            "left_out": list(self.left_out),
            "flips": [flip._asdict() for flip in self.flips],
            "slices": [
                {"name": part.name, **_numbers(part.result), "verdict": part.verdict, "p_adjusted": part.p}
                for part in self.slices
            ],
            "notes": list(self.notes),
        }

    def view(self) -> Any:
        """Return the Compare and Evaluate panels as a widget, opened on these two versions.

        Raises:
            StatsError: It is not of a run that is kept.
        """
        if self.opens is None:
            raise StatsError("these scores are of no run that is kept: take the comparison from run.compare(…)")
        return self.opens()

    def __str__(self) -> str:
        return shown.text(self)

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        return shown.markdown(self)

    def _repr_html_(self) -> str:
        return shown.page(self)


def row_scores(records: Iterable[OutputRecord], version: str, scorer: str) -> dict[int, float]:
    """The scores of a version by row: the mean over the repeats that have one."""
    found: dict[int, list[float]] = {}
    for record in records:
        if record.version == version and (value := record.scores.get(scorer)) is not None:
            found.setdefault(record.row, []).append(value)
    return {row: math.fsum(values) / len(values) for row, values in sorted(found.items())}


def compare(
    records: Iterable[OutputRecord],
    suite: Suite,
    baseline: str,
    candidate: str,
    *,
    scorer: str | None = None,
    clusters: str | None = None,
    names: Mapping[str, str] | None = None,
) -> Comparison:
    """Compare two versions of a run by one scorer.

    Args:
        records: The run's records.
        suite: What they were scored with.
        baseline: Digest of the baseline version.
        candidate: Digest of the candidate version.
        scorer: The scorer's name; else the suite's primary.
        clusters: A column that names what rows share; rows with the same value there are not independent.
        names: What to call the versions, by digest; else `A` and `B`.

    Raises:
        SuiteError: The suite has no such scorer.
        StatsError: The versions have no scored row in common, or there is no such column.
    """
    chosen = suite.scorer(scorer)
    kept = [record for record in records if record.version in (baseline, candidate)]
    return compare_scores(
        row_scores(kept, baseline, chosen.name),
        row_scores(kept, candidate, chosen.name),
        suite,
        chosen,
        clusters=clusters,
        asked=sorted({record.row for record in kept}),
        names=((names or {}).get(baseline, "A"), (names or {}).get(candidate, "B")),
    )


def compare_scores(
    before: Mapping[int, float],
    after: Mapping[int, float],
    suite: Suite,
    scorer: Scorer,
    *,
    clusters: str | None = None,
    asked: Sequence[int] = (),
    names: tuple[str, str] = ("A", "B"),
    planned: int | None = None,
) -> Comparison:
    """Compare two versions by their row scores.

    Args:
        before: The baseline's scores by row.
        after: The candidate's.
        suite: The suite that the rows belong to.
        scorer: The scorer that they come from.
        clusters: A column that names what rows share.
        asked: Every row that was run; those without both scores are told as left out.
        names: What to call baseline and candidate.
        planned: For a run that goes on or was stopped: how many rows it was to have. The verdict then comes from the
            confidence sequence, which may be looked at at any time; it has no slices, which are too many looks, and no
            clusters.

    Raises:
        StatsError: No row has both scores, there is no such column, or a run that goes on has fewer than 30 rows.
    """
    direct = isinstance(scorer, PairwiseJudge) and scorer.needs_baseline and not (before and after)
    if direct:
        # The baseline was not held against itself: that would be a tie.
        before, after = before or dict.fromkeys(after, 0.5), after or dict.fromkeys(before, 0.5)
    rows = sorted(before.keys() & after.keys())
    left_out = sorted((set(asked) | before.keys() | after.keys()) - set(rows))
    if not rows:
        raise StatsError(
            f"no row has a score of {scorer.name!r} from both versions, so there is nothing to compare: look at the"
            " errors of the run, and ask for what is missing",
            left_out=tuple(left_out),
        )
    data = suite.dataset.rows
    if clusters is not None and clusters not in suite.dataset.columns:
        raise StatsError(f"dataset {suite.dataset.name!r} has no column {clusters!r} to cluster by")

    def paired(chosen: Sequence[int]) -> stats.Paired:
        if planned is not None:
            return _so_far(before, after, chosen, scorer, planned)
        shared = None if clusters is None else [_hashable(data[row][clusters]) for row in chosen]
        return stats.paired(
            [before[row] for row in chosen], [after[row] for row in chosen], shared, direction=scorer.direction
        )

    return Comparison(
        scorer=scorer.name,
        unit="points" if scorer.kind == "score" else scorer.unit,
        baseline=names[0],
        candidate=names[1],
        result=paired(rows),
        rows=tuple(rows),
        before=tuple(before[row] for row in rows),
        after=tuple(after[row] for row in rows),
        left_out=tuple(left_out),
        slices=() if planned is not None else _slices(suite, rows, paired),
        votes=_all_votes(scorer, before, after, rows, direct),
    )


def _so_far(
    before: Mapping[int, float], after: Mapping[int, float], rows: Sequence[int], scorer: Scorer, planned: int
) -> stats.Paired:
    found = stats.sequential(
        [before[row] for row in rows],
        [after[row] for row in rows],
        max(planned, len(rows)),
        direction=scorer.direction,
        bounded=scorer.kind == "score",
    )
    if found is None:
        raise StatsError(
            f"too early to tell: {len(rows)} of {planned:,} rows so far, and nothing is shown under 30; resume the run",
            rows=len(rows),
        )
    return found


def _slices(suite: Suite, rows: Sequence[int], paired: Any) -> tuple[Slice, ...]:
    if suite.slice is None:
        return ()
    parts: dict[Hashable, list[int]] = {}
    for row in rows:
        parts.setdefault(_hashable(suite.dataset.rows[row][suite.slice]), []).append(row)
    results = {name: paired(chosen) for name, chosen in sorted(parts.items(), key=lambda part: str(part[0]))}
    adjusted = stats.holm([result.p for result in results.values()]).adjusted
    return tuple(Slice(name, result, p) for (name, result), p in zip(results.items(), adjusted, strict=True))


def _all_votes(
    scorer: Scorer, before: Mapping[int, float], after: Mapping[int, float], rows: Sequence[int], direct: bool
) -> tuple[stats.Votes, ...]:
    if not isinstance(scorer, PairwiseJudge):
        return ()
    if not direct:
        return _votes(before, rows), _votes(after, rows)
    return (_votes({row: 0.5 + (after[row] - before[row]) for row in rows}, rows),)


def _votes(scores: Mapping[int, float], rows: Sequence[int]) -> stats.Votes:
    values = [scores[row] for row in rows]
    preferred = sum(value > 0.5 for value in values)
    ties = sum(value == 0.5 for value in values)
    return stats.votes(len(values) - preferred - ties, preferred, ties)


def _ties(number: int) -> str:
    return f"{number} tie" if number == 1 else f"{number} ties"


def _numbers(result: stats.Paired) -> dict[str, Any]:
    return {
        "verdict": result.verdict,
        "difference": result.difference,
        "low": result.low if math.isfinite(result.low) else None,
        "high": result.high if math.isfinite(result.high) else None,
        "p": result.p,
        "n": result.n,
        "up": result.up,
        "down": result.down,
        "same": result.same,
        "test": result.test,
        "rows_needed": result.rows_needed,
    }


def _hashable(value: Any) -> Hashable:
    if type(value) is str:
        return str(value)
    return value if isinstance(value, Hashable) else str(value)
