"""Intervals, the paired verdict on two versions, and how many rows would tell.

Everything here takes row scores and returns values: a row's score is the mean over its repeats, so `n` counts rows,
never rows × repeats. The formulas are library calls of scipy and statsmodels, which are imported when they are
needed, because they take a second to load.

The verdict on two versions comes from one rule. From 30 rows on, of which 25 changed, it is the paired t interval;
below that an exact test, because t is wrong there (three rows that go from 0 to 1 give it p = 0): the sign test where
each row went from 0 to 1 or back, the sign-flip permutation test otherwise. With `clusters`, whole clusters are the
units that the rule counts. The result names its test::

    >>> result = paired([0, 0, 1, 0, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1, 1])
    >>> result.test, result.verdict
    ('sign test', 'better')
    >>> print(result.sentence())
    B better by 75.0 points [6.0, 96.8] on 8 rows: 6 up, 0 down, 2 same

**The interval beside an exact test.** A difference is the share of rows that changed times the mean change of those.
The first has its exact binomial interval, the second the one that inverts the test, and the two are joined by the
recovery of variances (MOVER). Its sign always agrees with the test, and it stays honest where few rows changed: no
change in 5 rows leaves ±52 points open, none in 500 rows ±0.7.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pressmark.errors import StatsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Direction = Literal["higher", "lower"]
Verdict = Literal["better", "worse", "cannot tell"]

T_ROWS = 30
T_CHANGED = 25
SEQUENCE_ROWS = 30
POWER = 0.8
# Asked for more rows than this, the honest answer is that no dataset will tell.
MOST_ROWS = 10_000_000
# Two scores that differ by less are one score that was computed in two orders.
SAME_WITHIN = 1e-12
RESAMPLES = 2**14


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of row scores with its interval.

    Attributes:
        mean: The mean.
        stderr: Its standard error; nan for one row.
        low: Lower end of the interval; nan where the rows cannot tell it.
        high: Upper end.
        n: Number of rows.
    """

    mean: float
    stderr: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class PassRate:
    """A share of rows that passed, with Wilson's interval."""

    rate: float
    low: float
    high: float
    passed: int
    n: int


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
        test: The test behind `p` and the interval: `paired t`, `clustered t`, `sign test` or `sign-flip test`.
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
        counts = f"on {_count(self.n, 'row')}: {self.up} up, {self.down} down, {self.same} same"
        if self.verdict == "cannot tell":
            ends = f"[{_number(self.low, unit)}, {_number(self.high, unit)}]"
            return (
                f"cannot tell: {name} differs by {_number(self.difference, unit, sign=True)} {unit} {ends} {counts}; "
                f"{self._what_would_tell()}"
            )
        lower, upper = (self.low, self.high) if self.low > 0 else (-self.high, -self.low)
        amount = f"{_number(abs(self.difference), unit)} {unit} [{_number(lower, unit)}, {_number(upper, unit)}]"
        if self.direction == "higher":
            return f"{name} {self.verdict} by {amount} {counts}"
        way = "lower" if self.verdict == "better" else "higher"
        return f"{name} {self.verdict}: {way} by {amount} {counts}"

    def _what_would_tell(self) -> str:
        if self.up + self.down == 0:
            return "no row changed, so these rows cannot say how many would tell"
        needed = self.rows_needed
        if needed is None:
            return "no number of rows would tell so small a difference"
        return f"about {_count(needed, 'row')} would tell"


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


@dataclass(frozen=True, slots=True)
class McNemar:
    """McNemar's test on a 2 × 2 table of paired yes and no."""

    statistic: float
    p: float


@dataclass(frozen=True, slots=True)
class Votes:
    """Votes between A and B; ties are told beside and decide nothing.

    Attributes:
        a: Votes for A.
        b: Votes for B.
        ties: Votes for neither.
        share: B's share of the decided votes; nan where none was decided.
        low: Lower end of its Wilson interval.
        high: Upper end.
        p: Two-sided exact binomial p value of "B's share is one half".
    """

    a: int
    b: int
    ties: int
    share: float
    low: float
    high: float
    p: float
    confidence: float = 0.95

    @property
    def verdict(self) -> Verdict:
        """`better`, `worse` or `cannot tell`: B against A."""
        if self.p >= 1 - self.confidence:
            return "cannot tell"
        return "better" if self.b > self.a else "worse"

    def sentence(self, a: str = "A", b: str = "B") -> str:
        """The votes in one line, such as `B preferred in 61.0 % [51.2, 70.0] of 100 decided votes, 5 ties`."""
        decided, ties = _count(self.a + self.b, "decided vote"), _count(self.ties, "tie")
        if self.a + self.b == 0:
            return f"cannot tell: no vote was decided, {ties}"
        winner, share, low, high = (
            (b, self.share, self.low, self.high)
            if self.b >= self.a
            else (a, 1 - self.share, 1 - self.high, 1 - self.low)
        )
        start = "cannot tell: " if self.verdict == "cannot tell" else ""
        interval = f"{100 * share:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
        return f"{start}{winner} preferred in {interval} of {decided}, {ties}"


@dataclass(frozen=True, slots=True)
class Holm:
    """Holm's adjustment of several p values: `adjusted` in the order given, and which ones stay significant."""

    adjusted: tuple[float, ...]
    significant: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class SequenceInterval:
    """An interval that may be looked at after every row, while a run streams."""

    mean: float
    low: float
    high: float
    n: int


def mean(scores: Iterable[float], clusters: Iterable[Hashable] | None = None, *, confidence: float = 0.95) -> Mean:
    """The mean of row scores with its standard error and t interval.

    One row has no standard error, and equal rows say nothing of their spread: the interval is nan there, except for
    scores of 0 and 1, which have Wilson's.

    Args:
        scores: One finite number a row.
        clusters: What the rows share (a document, a conversation), one a row; rows of one cluster are not
            independent, and the interval widens accordingly.
        confidence: Level of the interval.

    Returns:
        Mean, standard error, interval and number of rows.

    Raises:
        StatsError: There is no row, or a score is missing or not finite, or `clusters` is not as long.
    """
    values = _scores(scores, "scores")
    _check_confidence(confidence)
    n = len(values)
    middle = float(values.mean())
    spread = not _constant(values)
    if clusters is not None:
        groups = _groups(clusters, n)
        if max(groups) == 0 or not spread:
            stderr, low, high = (0.0 if max(groups) else math.nan), math.nan, math.nan
        else:
            _, stderr, low, high, _ = _clustered(values, groups, confidence)
        return Mean(middle, stderr, low, high, n)

    from scipy import stats

    stderr = float(stats.sem(values)) if n > 1 else math.nan
    if spread:
        low, high = map(float, stats.t.interval(confidence, n - 1, loc=middle, scale=stderr))
    elif middle in (0.0, 1.0):
        rate = pass_rate(round(middle * n), n, confidence=confidence)
        low, high = rate.low, rate.high
    else:
        low, high = math.nan, math.nan
    return Mean(middle, stderr, low, high, n)


def pass_rate(passed: int, n: int, *, confidence: float = 0.95) -> PassRate:
    """The share of rows that passed, with Wilson's interval.

    Raises:
        StatsError: `n` is not positive, or `passed` does not lie between 0 and `n`.
    """
    _check_confidence(confidence)
    if n < 1:
        raise StatsError("a pass rate needs at least one row: there is none", n=n)
    if not 0 <= passed <= n:
        raise StatsError(f"{passed} of {n} rows cannot have passed: give a count between 0 and {n}", passed=passed, n=n)

    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(passed, n, alpha=1 - confidence, method="wilson")
    # At 0 and at n Wilson's end is exactly 0 and 1, but for rounding.
    return PassRate(passed / n, max(0.0, float(low)), min(1.0, float(high)), passed, n)


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

    before, after = _scores(baseline, "baseline"), _scores(candidate, "candidate")
    _check_confidence(confidence)
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
    groups = None if clusters is None else _groups(clusters, len(differences))
    units = differences if groups is None else _cluster_parts(differences, groups)

    changed = int(np.count_nonzero(units))
    if len(units) >= T_ROWS and changed >= T_CHANGED and not _constant(units):
        test, low, high, p = _t_test(before, after, differences, groups, confidence)
    else:
        test, low, high, p = _exact_test(units, _span(before, after, groups), confidence)
    n = len(differences)
    sd = float(differences.std(ddof=1)) if n > 1 else 0.0
    if len(units) < n and len(units) > 1:
        sd = float(units.std(ddof=1)) * math.sqrt(n / len(units))
    up, down = int((differences > 0).sum()), int((differences < 0).sum())
    return Paired(
        difference=float(differences.mean()),
        low=low,
        high=high,
        p=p,
        n=n,
        up=up,
        down=down,
        same=n - up - down,
        test=test,
        sd=sd,
        direction=direction,
        confidence=confidence,
    )


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
        needed = max(needed or 0, _rows_to_bound(margin, alpha) if result.sd == 0 else 0, result.n + 1)
    return NonInferiority(passed, margin, result, needed)


def mcnemar(table: Sequence[Sequence[int]], *, exact: bool = True, correction: bool = True) -> McNemar:
    """McNemar's test: do the two off-diagonal counts of a paired 2 × 2 table differ?

    Args:
        table: `[[both, only the first], [only the second, neither]]`.
        exact: The exact binomial test; else chi squared.
        correction: Whether chi squared is corrected for continuity.

    Raises:
        StatsError: The table is not 2 × 2 of counts.
    """
    counts = [value for row in table for value in row]
    if [len(row) for row in table] != [2, 2] or any(
        isinstance(c, bool) or not isinstance(c, int) or c < 0 for c in counts
    ):
        raise StatsError(f"McNemar's test takes a 2 × 2 table of counts, not {table!r}")
    if table[0][1] + table[1][0] == 0:
        return McNemar(0.0, 1.0)

    from statsmodels.stats.contingency_tables import mcnemar as test

    result = test(table, exact=exact, correction=correction)
    return McNemar(float(result.statistic), float(result.pvalue))


def votes(a: int, b: int, ties: int = 0, *, confidence: float = 0.95) -> Votes:
    """Votes between A and B: B's share of the decided ones with Wilson's interval and an exact test.

    Raises:
        StatsError: A count is negative.
    """
    if min(a, b, ties) < 0:
        raise StatsError(f"votes are counts, not {a}, {b} and {ties}", a=a, b=b, ties=ties)
    if a + b == 0:
        _check_confidence(confidence)
        return Votes(a, b, ties, math.nan, 0.0, 1.0, 1.0, confidence)

    from scipy.stats import binomtest

    rate = pass_rate(b, a + b, confidence=confidence)
    return Votes(a, b, ties, rate.rate, rate.low, rate.high, float(binomtest(b, a + b).pvalue), confidence)


def holm(p_values: Iterable[float], *, alpha: float = 0.05) -> Holm:
    """Adjust the p values of several versions or slices that are looked at together.

    Raises:
        StatsError: A p value does not lie in [0, 1].
    """
    if any(not 0 <= p <= 1 for p in p_values):  # nan fails this too
        raise StatsError(f"p values lie between 0 and 1, not {list(p_values)!r}")
    if not p_values:
        return Holm((), ())

    from statsmodels.stats.multitest import multipletests

    rejected, adjusted, _, _ = multipletests(list(p_values), alpha=alpha, method="holm")
    return Holm(tuple(float(p) for p in adjusted), tuple(bool(r) for r in rejected))


def rows_needed(difference: float, sd: float, *, alpha: float = 0.05, power: float = POWER) -> int | None:
    """How many rows a paired comparison needs to see a difference.

    Args:
        difference: The difference to be seen.
        sd: Standard deviation of the row differences, from a pilot.
        alpha: Two-sided level of the test.
        power: Probability of seeing it.

    Returns:
        Rows, at least 2; None where the difference is 0 or more than ten million rows would be needed.

    Raises:
        StatsError: `sd` is not positive, or a value is not finite.
    """
    _check_pilot(sd)
    if not math.isfinite(difference):
        raise StatsError(f"a difference must be a finite number, not {difference!r}", difference=difference)
    effect = abs(difference) / sd
    rough = _normal_rows(effect, alpha, power)
    if rough > MOST_ROWS:
        return None
    # Power is indistinguishable from 1 at two rows for such effects, and the solver finds no root.
    if rough < 1:
        return 2
    return max(2, math.ceil(_solve_power(effect_size=effect, nobs=None, alpha=alpha, power=power)))


def smallest_effect(n: int, sd: float, *, alpha: float = 0.05, power: float = POWER) -> float:
    """The smallest difference that `n` rows would show with this power.

    Raises:
        StatsError: `n` is below 2 or `sd` is not positive.
    """
    _check_pilot(sd)
    if n < 2:
        raise StatsError(f"a difference needs at least 2 rows to be seen, not {n}", n=n)
    return sd * _solve_power(effect_size=None, nobs=n, alpha=alpha, power=power)


def confidence_sequence(
    differences: Iterable[float], planned: int, *, confidence: float = 0.95
) -> SequenceInterval | None:
    """The interval to show while a run streams: it stays valid however often it is looked at.

    An asymptotic confidence sequence, narrowest at the planned number of rows. Acting on an ordinary interval at
    every look gives one false win in five.

    Args:
        differences: The row differences so far, in the order in which they came.
        planned: How many rows the run will have.
        confidence: Level that holds over all looks together.

    Returns:
        The interval, or None under 30 rows: it is not valid there.

    Raises:
        StatsError: A difference is missing or not finite, or `planned` is not positive.
    """
    _check_confidence(confidence)
    if planned < 1:
        raise StatsError(f"a run has at least one planned row, not {planned}", planned=planned)
    given = list(differences)
    if len(given) < SEQUENCE_ROWS:
        return None
    values = _scores(given, "differences")
    n, middle, sd = len(values), float(values.mean()), float(values.std(ddof=1))
    half = sd * _sequence_width(n, max(planned, SEQUENCE_ROWS), 1 - confidence)
    return SequenceInterval(middle, middle - half, middle + half, n)


def _sequence_width(n: int, planned: int, alpha: float) -> float:
    from scipy.special import lambertw

    # r² that makes the width at n = planned smallest: the root of its derivative, by Lambert's W.
    r2 = (-float(lambertw(-(alpha**2) / math.e, -1).real) - 1) / planned
    return math.sqrt(2 * (n * r2 + 1) / (n**2 * r2) * math.log(math.sqrt(n * r2 + 1) / alpha))


def _t_test(
    before: Floats, after: Floats, differences: Floats, groups: Sequence[int] | None, confidence: float
) -> tuple[str, float, float, float]:
    if groups is not None:
        _, _, low, high, p = _clustered(differences, groups, confidence)
        return "clustered t", low, high, p

    from scipy import stats

    result = stats.ttest_rel(after, before)
    interval = result.confidence_interval(confidence)
    return "paired t", float(interval.low), float(interval.high), float(result.pvalue)


def _clustered(values: Floats, groups: Sequence[int], confidence: float) -> tuple[float, float, float, float, float]:
    """Mean, standard error, interval and p value by ordinary least squares with clustered covariance."""
    import numpy as np
    from statsmodels.regression.linear_model import OLS

    fit = OLS(values, np.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": np.asarray(groups)}, use_t=True)
    low, high = fit.conf_int(1 - confidence)[0]
    return float(fit.params[0]), float(fit.bse[0]), float(low), float(high), float(fit.pvalues[0])


def _exact_test(units: Floats, span: float, confidence: float) -> tuple[str, float, float, float]:
    """The exact test of the rule, and the interval that goes with it (see the module's story)."""
    import numpy as np
    from scipy.stats import binomtest

    alpha = 1 - confidence
    changes = units[units != 0]
    changed, n = len(changes), len(units)
    share = binomtest(changed, n).proportion_ci(confidence, method="exact")
    binary = bool(np.all(np.abs(units) == np.rint(np.abs(units)))) and bool(np.all(np.abs(units) <= 1)) and span == 1
    if not changed:
        reach = span * float(share.high)
        return ("sign test" if binary else "sign-flip test"), -reach, reach, 1.0
    if binary:
        result = binomtest(int((changes > 0).sum()), changed)
        ends = result.proportion_ci(confidence, method="exact")
        test, p = "sign test", float(result.pvalue)
        change_low, change_high = 2 * float(ends.low) - 1, 2 * float(ends.high) - 1
    else:
        test, p = "sign-flip test", _sign_flip_p(changes)
        change_low, change_high = _sign_flip_interval(changes, span, alpha)
    low, high = _joined(
        changed / n, (float(share.low), float(share.high)), float(changes.mean()), (change_low, change_high)
    )
    if p > alpha:
        # Beyond 14 changed rows both come from draws, and could disagree by a hair: p decides.
        low, high = min(low, 0.0), max(high, 0.0)
    return test, max(low, -span), min(high, span), p


def _sign_flip_p(changes: Floats) -> float:
    import numpy as np
    from scipy.stats import permutation_test

    if len(changes) == 1:
        return 1.0
    result = permutation_test(
        (changes,),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(0),
    )
    return min(1.0, float(result.pvalue))


def _sign_flip_interval(changes: Floats, span: float, alpha: float) -> tuple[float, float]:
    """The mean changes that the sign-flip test does not refuse: order statistics of the means of all subsets.

    Flipping the rows of a subset makes the sum of (change - m) larger exactly where the subset's mean is below m.
    """
    import numpy as np

    if len(changes) <= 18:
        sums, sizes = np.zeros(1), np.zeros(1)
        for change in changes:
            sums, sizes = np.concatenate([sums, sums + change]), np.concatenate([sizes, sizes + 1])
    else:
        chosen = np.random.default_rng(0).random((RESAMPLES, len(changes))) < 0.5
        sums, sizes = chosen @ changes, chosen.sum(axis=1).astype(float)
    means = np.sort(sums[sizes > 0] / sizes[sizes > 0])
    rank = math.floor(alpha / 2 * len(sums) * (1 + 1e-9))
    if rank < 1:
        return -span, span
    return float(means[rank - 1]), float(means[-rank])


def _joined(
    share: float, share_ends: tuple[float, float], change: float, change_ends: tuple[float, float]
) -> tuple[float, float]:
    """The interval of share × change from the intervals of both (MOVER).

    Its lower end is above 0 exactly where the lower end of the change is, and the upper end below likewise.
    """
    middle = share * change
    low_change, high_change = change_ends
    if math.isinf(low_change) or math.isinf(high_change):
        return low_change, high_change
    low_share = share_ends[1] if low_change < 0 else share_ends[0]
    high_share = share_ends[1] if high_change > 0 else share_ends[0]
    low = middle - math.hypot(share * (change - low_change), low_change * (low_share - share))
    high = middle + math.hypot(share * (high_change - change), high_change * (high_share - share))
    return low, high


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


def _rows_to_bound(margin: float, alpha: float) -> int:
    """Rows without any change that bound the share of changes, and so any loss, by the margin."""
    if margin == 0:
        return 0
    if margin >= 1:
        return 1
    return math.ceil(math.log(alpha / 2) / math.log1p(-margin))


def _normal_rows(effect: float, alpha: float, power: float) -> float:
    from statistics import NormalDist

    if effect == 0:
        return math.inf
    quantile = NormalDist().inv_cdf
    return ((quantile(1 - alpha / 2) + quantile(power)) / effect) ** 2


def _solve_power(**known: float | None) -> float:
    from statsmodels.stats.power import TTestPower

    with warnings.catch_warnings():
        # The search steps through sizes at which the noncentral t warns; a failed search comes back as nan.
        warnings.simplefilter("ignore")
        solved = TTestPower().solve_power(**known, alternative="two-sided")
    value = float(solved if not hasattr(solved, "__len__") else solved[0])
    if not math.isfinite(value):
        raise StatsError(f"no sample size was found for {known}")
    return value


def _scores(values: Iterable[float], name: str) -> Floats:
    import numpy as np

    given: list[Any] = list(values)
    if not given:
        raise StatsError(f"{name} has no row: nothing can be said of nothing", rows=0)
    for row, value in enumerate(given):
        try:
            usable = value is not None and not isinstance(value, str) and math.isfinite(value)
        except (TypeError, ValueError, OverflowError):
            usable = False
        if not usable:
            raise StatsError(
                f"row {row} of {name} is {value!r}, not a finite number: leave out the rows that have no score",
                row=row,
                value=value,
            )
    return np.asarray([float(value) for value in given], dtype=np.float64)


def _groups(clusters: Iterable[Hashable], n: int) -> list[int]:
    """Clusters as consecutive numbers from 0."""
    given = list(clusters)
    if len(given) != n:
        raise StatsError(f"clusters names {len(given)} rows, the scores are {n}: give one cluster a row")
    numbers: dict[Hashable, int] = {}
    for row, cluster in enumerate(given):
        if cluster is None or (isinstance(cluster, float) and math.isnan(cluster)):
            raise StatsError(f"row {row} has no cluster: name one for each row, or give none at all", row=row)
        numbers.setdefault(cluster, len(numbers))
    return [numbers[cluster] for cluster in given]


def _constant(values: Floats) -> bool:
    return float(values.max() - values.min()) <= SAME_WITHIN * max(1.0, float(abs(values).max()))


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise StatsError(f"a confidence lies between 0 and 1, such as 0.95, not {confidence!r}", confidence=confidence)


def _check_pilot(sd: float) -> None:
    if not (math.isfinite(sd) and sd > 0):
        raise StatsError(
            f"a standard deviation of differences must be positive, not {sd!r}: run a pilot whose rows differ", sd=sd
        )


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def _number(value: float, unit: str, *, sign: bool = False) -> str:
    if unit == "points":
        text = f"{100 * value:+.1f}" if sign else f"{100 * value:.1f}"
    else:
        text = f"{value:+.3g}" if sign else f"{value:.3g}"
    # A rounded zero has no sign worth showing.
    return text.lstrip("+-") if float(text) == 0 else text
