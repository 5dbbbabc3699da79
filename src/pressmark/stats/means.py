"""Means and shares with their intervals."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pressmark.errors import StatsError
from pressmark.stats.inputs import check_confidence, constant, read_clusters, read_scores

if TYPE_CHECKING:
    from pressmark.stats.inputs import Floats

_RESAMPLES = 9_999
# Numbers that the bootstrap holds in memory at once.
_BATCH = 4_000_000
# Cochran's rule.
_ROWS_A_SKEWNESS = 25


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
    values = read_scores(scores, "scores")
    check_confidence(confidence)
    n = len(values)
    middle = float(values.mean())
    spread = not constant(values)
    if clusters is not None:
        groups = read_clusters(clusters, n)
        if max(groups) == 0 or not spread:
            stderr, low, high = (0.0 if max(groups) else math.nan), math.nan, math.nan
        else:
            _, stderr, low, high, _ = clustered_mean(values, groups, confidence)
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


def bootstrap_mean(scores: Iterable[float], *, confidence: float = 0.95, seed: int = 0) -> Mean:
    """The mean of few or skewed row scores with its bias-corrected and accelerated bootstrap interval.

    It stays within what the rows hold, and reaches further to the side on which they straggle. Equal rows and one row
    have no interval: nan.

    Args:
        scores: One finite number a row.
        confidence: Level of the interval.
        seed: Of the resamples; the same seed gives the same interval.

    Raises:
        StatsError: There is no row, or a score is missing or not finite.
    """
    values = read_scores(scores, "scores")
    check_confidence(confidence)
    n, middle = len(values), float(values.mean())
    stderr = float(values.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan
    if n < 2 or constant(values):
        return Mean(middle, stderr, math.nan, math.nan, n)

    import numpy as np
    from scipy.stats import bootstrap

    found = bootstrap(
        (values,),
        np.mean,
        confidence_level=confidence,
        method="BCa",
        n_resamples=_RESAMPLES,
        batch=max(1, _BATCH // n),
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Mean(middle, stderr, float(found.low), float(found.high), n)


def skewed(scores: Iterable[float]) -> bool:
    """Whether rows are too skewed for the t interval of their mean: fewer than 25 for each square of their skewness.

    Raises:
        StatsError: There is no row, or a score is missing or not finite.
    """
    values = read_scores(scores, "scores")
    if constant(values):
        return False

    from scipy.stats import skew

    return bool(_ROWS_A_SKEWNESS * float(skew(values)) ** 2 > len(values))


def pass_rate(passed: int, n: int, *, confidence: float = 0.95) -> PassRate:
    """The share of rows that passed, with Wilson's interval.

    Raises:
        StatsError: `n` is not positive, or `passed` does not lie between 0 and `n`.
    """
    check_confidence(confidence)
    if n < 1:
        raise StatsError("a pass rate needs at least one row: there is none", n=n)
    if not 0 <= passed <= n:
        raise StatsError(f"{passed} of {n} rows cannot have passed: give a count between 0 and {n}", passed=passed, n=n)

    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(passed, n, alpha=1 - confidence, method="wilson")
    # At 0 and at n Wilson's end is exactly 0 and 1; rounding would leave something such as 5.6e-17.
    return PassRate(passed / n, float(low) if passed else 0.0, float(high) if passed < n else 1.0, passed, n)


def clustered_mean(
    values: Floats, groups: Sequence[int], confidence: float
) -> tuple[float, float, float, float, float]:
    """Mean, standard error, interval and p value by ordinary least squares with clustered covariance."""
    import numpy as np
    from statsmodels.regression.linear_model import OLS

    fit = OLS(values, np.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": np.asarray(groups)}, use_t=True)
    low, high = fit.conf_int(1 - confidence)[0]
    return float(fit.params[0]), float(fit.bse[0]), float(low), float(high), float(fit.pvalues[0])
