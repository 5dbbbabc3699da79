"""The suite's verdict on two versions, and the summary of a run: the numbers behind what a person reads."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pressmark import stats
from pressmark.errors import StatsError
from pressmark.evals.comparison import Comparison, compare, row_scores
from pressmark.evals.records import OutputRecord
from pressmark.evals.suite import Suite


@dataclass(frozen=True, slots=True)
class Report:
    """What a suite says of a candidate: the primary scorer's verdict, unless a guard is worse.

    Attributes:
        suite: The suite's name.
        primary: The comparison by the primary scorer.
        guards: The comparisons by the others that have scores.
        worse: Names of the guards that are worse, adjusted for looking at all of them (Holm).
        unscored: Names of the guards without a score to compare, such as a cost that is not known.
    """

    suite: str
    primary: Comparison
    guards: tuple[Comparison, ...]
    worse: tuple[str, ...]
    unscored: tuple[str, ...] = ()

    @property
    def verdict(self) -> stats.Verdict:
        """`worse` where a guard is, else the primary scorer's verdict."""
        return "worse" if self.worse else self.primary.verdict

    @property
    def sentence(self) -> str:
        """The verdict in one line."""
        if not self.worse:
            return self.primary.sentence
        names = ", ".join(self.worse)
        return f"{self.primary.candidate} worse by guard {names}; by {self.primary.scorer}: {self.primary.sentence}"

    def __str__(self) -> str:
        lines = [self.sentence, "", f"{self.primary.scorer} (primary)", *_indented(str(self.primary))]
        for guard in self.guards:
            lines += ["", guard.scorer + (" (worse)" if guard.scorer in self.worse else ""), f"  {guard.sentence}"]
        lines += [f"\n{name}\n  no score to compare" for name in self.unscored]
        return "\n".join(lines)


def report(
    records: Iterable[OutputRecord],
    suite: Suite,
    baseline: str,
    candidate: str,
    *,
    names: Mapping[str, str] | None = None,
) -> Report:
    """Compare two versions of a run by every scorer of its suite.

    Args:
        records: The run's records.
        suite: What they were scored with.
        baseline: Digest of the baseline version.
        candidate: Digest of the candidate version.
        names: What to call the versions, by digest; else `A` and `B`.

    Raises:
        StatsError: The versions have no row in common that the primary scorer scored.
    """
    kept = list(records)
    primary = compare(kept, suite, baseline, candidate, names=names)
    guards, unscored = [], []
    for scorer in suite.guards:
        try:
            guards.append(compare(kept, suite, baseline, candidate, scorer=scorer.name, names=names))
        except StatsError:
            unscored.append(scorer.name)
    significant = stats.holm([guard.p for guard in guards]).significant
    worse = tuple(g.scorer for g, sure in zip(guards, significant, strict=True) if sure and g.verdict == "worse")
    return Report(suite.name, primary, tuple(guards), worse, tuple(unscored))


class SummaryRow(NamedTuple):
    """The mean of one version by one scorer on one slice.

    Attributes:
        version: Digest of the version.
        scorer: The scorer's name.
        slice: The slice column's value; `all` for every row.
        n: Rows with a score.
        missing: Rows that were run and have none.
        mean: Mean of the row scores; nan where no row has one.
        stderr: Its standard error.
        low: Lower end of its 95 % interval: Wilson's for scores of 0 and 1, else t's.
        high: Upper end.
    """

    version: str
    scorer: str
    slice: Hashable
    n: int
    missing: int
    mean: float
    stderr: float
    low: float
    high: float


def summary(records: Iterable[OutputRecord], suite: Suite) -> list[SummaryRow]:
    """Summarise a run's records: for each version and scorer, the whole and each slice."""
    kept = list(records)
    run: dict[str, set[int]] = {}
    for record in kept:
        run.setdefault(record.version, set()).add(record.row)
    scores = {
        (version, scorer.name): row_scores(kept, version, scorer.name) for version in run for scorer in suite.scorers
    }
    return summarise(scores, {version: sorted(rows) for version, rows in run.items()}, suite)


def summarise(
    scores: Mapping[tuple[str, str], Mapping[int, float]], rows: Mapping[str, Sequence[int]], suite: Suite
) -> list[SummaryRow]:
    """Summarise row scores: for each version and scorer, the whole and each slice.

    Args:
        scores: By version and scorer, the score of each row that has one.
        rows: By version, the rows that were run.
        suite: The suite.
    """
    told = []
    for version, run in rows.items():
        for scorer in suite.scorers:
            found = scores.get((version, scorer.name), {})
            for name, part in _parts(suite, run):
                told.append(_summary_row(version, scorer.name, name, [found.get(row) for row in part]))
    return told


def _parts(suite: Suite, rows: Sequence[int]) -> list[tuple[Hashable, Sequence[int]]]:
    parts: dict[Hashable, list[int]] = {}
    if suite.slice is not None:
        for row in rows:
            value = suite.dataset.rows[row][suite.slice]
            parts.setdefault(value if isinstance(value, Hashable) else str(value), []).append(row)
    return [("all", rows), *sorted(parts.items(), key=lambda part: str(part[0]))]


def _summary_row(version: str, scorer: str, name: Hashable, scores: Sequence[float | None]) -> SummaryRow:
    values = [score for score in scores if score is not None]
    missing = len(scores) - len(values)
    if not values:
        return SummaryRow(version, scorer, name, 0, missing, math.nan, math.nan, math.nan, math.nan)
    mean = stats.mean(values)
    low, high = mean.low, mean.high
    if all(value in (0.0, 1.0) for value in values):
        rate = stats.pass_rate(round(sum(values)), len(values))
        low, high = rate.low, rate.high
    return SummaryRow(version, scorer, name, len(values), missing, mean.mean, mean.stderr, low, high)


def _indented(text: str) -> list[str]:
    return [f"  {line}" for line in text.splitlines()]
