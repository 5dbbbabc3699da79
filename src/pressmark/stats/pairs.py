"""A candidate against a baseline on the same rows: the verdict, and whether it is not worse by a margin."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pressmark.errors import StatsError
from pressmark.stats.amounts import measured
from pressmark.stats.exact import exact_test, is_binary
from pressmark.stats.inputs import (
    SAME_WITHIN,
    Direction,
    Verdict,
    check_confidence,
    constant,
    counted,
    read_clusters,
    read_scores,
)
from pressmark.stats.means import clustered_mean
from pressmark.stats.power import rows_needed, rows_to_bound

if TYPE_CHECKING:
    from pressmark.stats.inputs import Floats

T_ROWS = 30
T_CHANGED = 25
# Where nearly every row flips between 0 and 1, t follows the few values that their count can take: with 50 of 50 rows
# flipped it gave 6.5 % false verdicts.
_FLIPPED = 0.9


@dataclass(frozen=True, slots=True)
class Paired:
    """A candidate against a baseline on the same rows.

    Attributes:
        difference: Mean of candidate minus baseline.
        low: Lower end of its interval.
        high: Upper end of its interval.
        p: Two-sided p value of "no difference".
        n: Number of rows.
        up: Rows whose score is higher with the candidate.
        down: Rows whose score is lower.
        same: Rows whose score is the same.
        test: The test behind `p` and the interval: `paired t`, `clustered t`, `sign test`, `sign-flip test`, or
            `confidence sequence` for a run that was looked at while it went on.
        sd: Standard deviation of the differences, the pilot for `rows_needed`; with clusters it is inflated so
            that `sd / sqrt(n)` is the clustered standard error.
        direction: Which direction of the score is the better one.
        confidence: Level of the interval.
    """

    difference: float
    low: float
    high: float
    p: float
    n: int
    up: int
    down: int
    same: int
    test: str
    sd: float
    direction: Direction = "higher"
    confidence: float = 0.95

    @property
    def verdict(self) -> Verdict:
        """`better`, `worse` or `cannot tell`: the candidate against the baseline."""
        if self.low > 0:
            return "better" if self.direction == "higher" else "worse"
        if self.high < 0:
            return "worse" if self.direction == "higher" else "better"
        return "cannot tell"

    @property
    def rows_needed(self) -> int | None:
        """How many rows like these would tell a difference of this size; None where no number would."""
        if self.up + self.down == 0 or self.difference == 0:
            return None
        alpha = 1 - self.confidence
        needed = rows_needed(self.difference, self.sd, alpha=alpha) if self.sd > 0 else 2
        if needed is None:
            return None
        # An exact test cannot speak before a handful of rows changed, however clear they are.
        fewest = math.ceil(1 - math.log2(alpha))
        needed = max(needed, math.ceil(fewest * self.n / (self.up + self.down)))
        return needed if self.verdict != "cannot tell" else max(needed, self.n + 1)

    def sentence(self, name: str = "B", unit: str = "points") -> str:
        """The verdict in one line.

        Args:
            name: What to call the candidate.
            unit: `points` for scores in [0, 1], which are told in hundredths; else the unit of a measurement.

        Returns:
            Such as `B better by 5.9 points [0.4, 11.3] on 198 rows: 62 up, 46 down, 90 same`.
        """
        counts = f"on {counted(self.n, 'row')}: {self.up} up, {self.down} down, {self.same} same"
        if self.verdict == "cannot tell":
            change = measured(self.difference, self.low, self.high, unit, sign=True)
            if not (math.isfinite(self.low) and math.isfinite(self.high)):
                changed = self.up + self.down
                counts += f"; no interval, since only {counted(changed, 'row')} changed" if changed else "; no interval"
            return f"cannot tell: {name} differs by {change} {counts}; {self._what_would_tell()}"
        lower, upper = (self.low, self.high) if self.low > 0 else (-self.high, -self.low)
        change = measured(abs(self.difference), lower, upper, unit)
        if self.direction == "higher":
            return f"{name} {self.verdict} by {change} {counts}"
        way = "lower" if self.verdict == "better" else "higher"
        return f"{name} {self.verdict}: {way} by {change} {counts}"

    def _what_would_tell(self) -> str:
        if self.up + self.down == 0:
            return "no row changed, so these rows cannot say how many would tell"
        needed = self.rows_needed
        if needed is None:
            return "no number of rows would tell so small a difference"
        return f"about {counted(needed, 'row')} would tell"


@dataclass(frozen=True, slots=True)
class NonInferiority:
    """Whether a candidate is not worse than the baseline by more than a margin.

    Attributes:
        passed: Whether the lower end of the paired interval (for a score that should be low: the upper end) stays
            within the margin.
        margin: The loss that is put up with.
        result: The paired comparison behind it.
        rows_needed: How many rows like these would pass; None where it passed, or where no number would.
    """

    passed: bool
    margin: float
    result: Paired
    rows_needed: int | None


def paired(
    baseline: Iterable[float],
    candidate: Iterable[float],
    clusters: Iterable[Hashable] | None = None,
    *,
    direction: Direction = "higher",
    confidence: float = 0.95,
) -> Paired:
    """Compare a candidate with a baseline on the same rows.

    Args:
        baseline: One finite number a row.
        candidate: The same rows in the same order.
        clusters: What the rows share (a document, a conversation), one a row.
        direction: Which direction of the score is the better one; it decides the verdict, not the numbers.
        confidence: Level of the interval.

    Returns:
        The difference with its interval, p value, counts and test. Where the rows cannot tell, so does the verdict.

    Raises:
        StatsError: There is no row, the lengths differ, or a score is missing or not finite.
    """
    import numpy as np

    before, after, differences = read_pairs(baseline, candidate, direction, confidence)
    groups = None if clusters is None else read_clusters(clusters, len(differences))
    units = differences if groups is None else _cluster_parts(differences, groups)

    changed = int(np.count_nonzero(units))
    span = _span(before, after, groups)
    enough = len(units) >= T_ROWS and changed >= T_CHANGED and not constant(units)
    if enough and not (changed > _FLIPPED * len(units) and is_binary(units, span)):
        test, low, high, p = _t_test(before, after, differences, groups, confidence)
    else:
        test, low, high, p = exact_test(units, span, confidence)
    n = len(differences)
    sd = float(differences.std(ddof=1)) if n > 1 else 0.0
    if len(units) < n and len(units) > 1:
        sd = float(units.std(ddof=1)) * math.sqrt(n / len(units))
    return made(differences, (low, high), p, test=test, sd=sd, direction=direction, confidence=confidence)


def made(
    differences: Floats,
    ends: tuple[float, float],
    p: float,
    *,
    test: str,
    sd: float,
    direction: Direction,
    confidence: float,
) -> Paired:
    """Return the comparison that a test made of the row differences."""
    up, down = int((differences > 0).sum()), int((differences < 0).sum())
    return Paired(
        difference=float(differences.mean()),
        low=ends[0],
        high=ends[1],
        p=p,
        n=len(differences),
        up=up,
        down=down,
        same=len(differences) - up - down,
        test=test,
        sd=sd,
        direction=direction,
        confidence=confidence,
    )


def read_pairs(
    baseline: Iterable[float], candidate: Iterable[float], direction: Direction, confidence: float
) -> tuple[Floats, Floats, Floats]:
    """Both sides and their differences, which are exactly 0 where only the order of a sum differs.

    Raises:
        StatsError: As `paired`.
    """
    import numpy as np

    before, after = read_scores(baseline, "baseline"), read_scores(candidate, "candidate")
    check_confidence(confidence)
    if direction not in ("higher", "lower"):
        raise StatsError(f"direction must be 'higher' or 'lower', not {direction!r}", direction=direction)
    if len(before) != len(after):
        raise StatsError(
            f"baseline has {len(before)} rows and candidate {len(after)}: pair them row by row, and leave out the "
            "rows that only one of them has",
            baseline=len(before),
            candidate=len(after),
        )
    differences = after - before
    differences[np.isclose(before, after, rtol=SAME_WITHIN, atol=SAME_WITHIN)] = 0.0
    return before, after, differences


def non_inferior(
    baseline: Iterable[float],
    candidate: Iterable[float],
    margin: float,
    clusters: Iterable[Hashable] | None = None,
    *,
    direction: Direction = "higher",
    confidence: float = 0.95,
) -> NonInferiority:
    """Whether the candidate is at most `margin` worse: the end of the paired interval decides.

    Too few rows do not pass; they get the number of rows that would.

    Raises:
        StatsError: As `paired`, or the margin is negative or not finite.
    """
    if not (math.isfinite(margin) and margin >= 0):
        raise StatsError(f"a margin is a loss to put up with, 0 or more, not {margin!r}", margin=margin)
    result = paired(baseline, candidate, clusters, direction=direction, confidence=confidence)
    loss_end, gain = (result.low, result.difference) if direction == "higher" else (-result.high, -result.difference)
    passed = loss_end >= -margin
    needed = None
    if not passed and gain > -margin:
        alpha = 1 - confidence
        needed = rows_needed(gain + margin, result.sd, alpha=alpha) if result.sd > 0 else None
        needed = max(needed or 0, rows_to_bound(margin, alpha) if result.sd == 0 else 0, result.n + 1)
    return NonInferiority(passed, margin, result, needed)


def _t_test(
    before: Floats, after: Floats, differences: Floats, groups: Sequence[int] | None, confidence: float
) -> tuple[str, float, float, float]:
    if groups is not None:
        _, _, low, high, p = clustered_mean(differences, groups, confidence)
        return "clustered t", low, high, p

    from scipy import stats

    result = stats.ttest_rel(after, before)
    interval = result.confidence_interval(confidence)
    return "paired t", float(interval.low), float(interval.high), float(result.pvalue)


def _span(before: Floats, after: Floats, groups: Sequence[int] | None) -> float:
    """The largest change that one unit could show: 1 for scores in [0, 1], unknown for measurements."""
    lowest, highest = min(before.min(), after.min()), max(before.max(), after.max())
    if lowest < 0 or highest > 1:
        return math.inf
    if groups is None:
        return 1.0
    sizes = [0] * (max(groups) + 1)
    for group in groups:
        sizes[group] += 1
    return max(sizes) * len(sizes) / len(groups)


def _cluster_parts(differences: Floats, groups: Sequence[int]) -> Floats:
    """One number a cluster, whose mean over clusters is the mean over rows."""
    import numpy as np

    sums = np.bincount(np.asarray(groups), weights=differences)
    parts = np.asarray(sums * (len(sums) / len(differences)), dtype=np.float64)
    parts[np.isclose(parts, 0.0, atol=SAME_WITHIN)] = 0.0
    return parts
