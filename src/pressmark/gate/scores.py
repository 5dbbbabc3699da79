"""One scorer's row scores in one trial, worked out again: how far the candidate is from the baseline."""

from __future__ import annotations

import functools
import math
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from pressmark.prompts.evidence import RowScores, Trial

if TYPE_CHECKING:
    from pressmark.stats import Direction, Paired


class Scored:
    """A scorer's rows of a trial.

    Args:
        trial: The trial.
        found: The scores.
    """

    def __init__(self, trial: Trial, found: RowScores) -> None:
        self.trial = trial
        self.found = found
        before = found.baseline if trial.baseline is not None else (0.0,) * len(found.candidate)
        pairs = enumerate(zip(before, found.candidate, strict=True))
        kept = [(row, a, b) for row, (a, b) in pairs if a is not None and b is not None]
        self._before = [a for _, a, _ in kept]
        self._after = [b for _, _, b in kept]
        self._clusters = [trial.clusters[row] for row, _, _ in kept] if trial.clusters else None

    @property
    def name(self) -> str:
        """The scorer's name."""
        return self.found.scorer

    @property
    def rows(self) -> int:
        """Rows that can be compared; without a baseline, those that have a score."""
        return len(self._after)

    @property
    def missing(self) -> int:
        """Rows that were asked and have no score on either side."""
        return len(self.trial.rows) - self.rows

    @functools.cached_property
    def mean(self) -> float:
        """The candidate's mean over the rows that it has a score for; nan without any."""
        scores = [score for score in self.found.candidate if score is not None]
        if not scores:
            return float("nan")
        from pressmark.stats import mean

        return mean(scores).mean

    @functools.cached_property
    def difference(self) -> Paired | None:
        """How far the candidate is from the baseline; None where there is none, or no row to compare.

        Where the run was stopped, the interval is the confidence sequence's, and `p` is still that of the fixed test.
        """
        if self.trial.baseline is None or not self.rows:
            return None
        from pressmark.stats import paired, sequential

        fixed = paired(self._before, self._after, self._clusters, direction=self._direction)
        if self.trial.method != "sequence":
            return fixed
        sequence = sequential(
            self._before,
            self._after,
            max(self.trial.planned, self.rows),
            direction=self._direction,
            bounded=self.found.kind == "score",
        )
        if sequence is None:
            return replace(fixed, low=-math.inf, high=math.inf)
        # Where few rows changed, the sequence's normal limit is narrower than an exact test allows.
        return replace(fixed, low=min(fixed.low, sequence.low), high=max(fixed.high, sequence.high))

    @property
    def loss(self) -> float:
        """How much is lost by the mean; negative for a gain, nan where nothing can be compared."""
        if self.difference is None:
            return math.nan
        return -self.difference.difference if self._direction == "higher" else self.difference.difference

    @property
    def worst_loss(self) -> float:
        """The largest loss that the interval leaves open; infinite where it is no number."""
        if self.difference is None:
            return math.inf
        worst = -self.difference.low if self._direction == "higher" else self.difference.high
        return math.inf if math.isnan(worst) else worst

    def what_would_show(self, margin: float) -> str:
        """Return what to do where too few rows are the reason that a loss of more than the margin is not ruled out."""
        from pressmark.stats import non_inferior

        asked = non_inferior(self._before, self._after, margin, self._clusters, direction=self._direction)
        if asked.passed:
            # The confidence sequence pays for each look that was taken with a wider interval.
            return f"run it on all of its {self.trial.planned:,} rows"
        if asked.rows_needed is None:
            return "no number of rows like these would show it: change the version, or the policy"
        return f"run it on about {asked.rows_needed:,} rows"

    def amount(self, value: float) -> str:
        """A value with its unit; scores are told in hundredths."""
        from pressmark.stats import amount, readable

        unit, by = readable(self.found.unit, value)
        return f"{amount(by * value, unit)} {unit}".rstrip()

    def told(self) -> str:
        """The difference in one line, such as `+1.2 points [-0.4, 2.8] on 198 rows`."""
        found = self.difference
        if found is None:
            return f"no row of {len(self.trial.rows)} can be compared"
        from pressmark.stats import measured

        told = measured(found.difference, found.low, found.high, self.found.unit, sign=True, without="(no interval)")
        return f"{told} on {found.n} row{'' if found.n == 1 else 's'}"

    @property
    def _direction(self) -> Direction:
        return cast("Direction", self.found.direction)


class Scores:
    """The scores of a record's trials; each is worked out once, and only where it is looked at."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], Scored | None] = {}

    def of(self, trial: Trial, scorer: str | None = None) -> Scored | None:
        """Return a scorer's rows, the primary one's where none is named; None where the trial has none of that name."""
        name = scorer or trial.primary
        key = (id(trial), name)
        if key not in self._known:
            found = next((each for each in trial.scores if each.scorer == name), None)
            self._known[key] = None if found is None else Scored(trial, found)
        return self._known[key]
