"""The interval and the verdict while a run streams.

The sequence is asymptotic: it trusts the standard deviation of the rows that it has seen. Few or lopsided rows deceive
it there: where a rare large loss pays for many small gains, it gave up to 86 % false verdicts before the loss was seen.
`sequential` therefore counts two more rows into the variance, a gain and a loss as large as a row can show. Between
scores in [0, 1] that is 1, and no difference whose mean is 0 deceived it in more than 3.5 % of runs. What a measurement
can show nobody knows: there it is the largest change seen, and nothing is said before the rows are 50 times the square
of their skewness. docs/statistics.md has the table.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pressmark.errors import StatsError
from pressmark.stats.inputs import Direction, check_confidence, constant, read_scores
from pressmark.stats.pairs import Paired, made, read_pairs

if TYPE_CHECKING:
    from pressmark.stats.inputs import Floats

SEQUENCE_ROWS = 30
SEQUENCE_TEST = "confidence sequence"
# Rows for each square of their skewness, before a mean of theirs is trusted: twice Cochran's rule of 25.
_ROWS_A_SKEWNESS = 50


@dataclass(frozen=True, slots=True)
class SequenceInterval:
    """An interval that may be looked at after every row, while a run streams."""

    mean: float
    low: float
    high: float
    n: int


def confidence_sequence(
    differences: Iterable[float], planned: int, *, confidence: float = 0.95
) -> SequenceInterval | None:
    """The plain asymptotic confidence sequence: an interval that stays valid however often it is looked at.

    It is narrowest at the planned number of rows. Acting on an ordinary interval at every look gives one false win in
    five. For a verdict use `sequential`, which also stands rare and lopsided changes.

    Args:
        differences: The row differences so far, in the order in which they came.
        planned: How many rows the run will have.
        confidence: Level that holds over all looks together.

    Returns:
        The interval, or None under 30 rows: it is not valid there.

    Raises:
        StatsError: A difference is missing or not finite, or `planned` is not positive.
    """
    check_confidence(confidence)
    _check_planned(planned)
    given = list(differences)
    if len(given) < SEQUENCE_ROWS:
        return None
    values = read_scores(given, "differences")
    n, middle, sd = len(values), float(values.mean()), float(values.std(ddof=1))
    half = sd * sequence_width(n, max(planned, SEQUENCE_ROWS), 1 - confidence)
    return SequenceInterval(middle, middle - half, middle + half, n)


def sequential(
    baseline: Iterable[float],
    candidate: Iterable[float],
    planned: int,
    *,
    direction: Direction = "higher",
    confidence: float = 0.95,
    bounded: bool | None = None,
) -> Paired | None:
    """Compare a candidate with a baseline on the rows so far, with a verdict that may be acted on at any look.

    It comes in the form of a finished comparison; `test` is `confidence sequence`. Its `p` is valid at every look too.

    Args:
        baseline: One finite number a row, in the order in which the rows came.
        candidate: The same rows.
        planned: How many rows the run will have, as declared before it began.
        direction: Which direction of the score is the better one.
        confidence: Level that holds over all looks together.
        bounded: Whether the scores lie in [0, 1] by what they are; else they are looked at.

    Returns:
        The comparison so far, or None under 30 rows.

    Raises:
        StatsError: As `paired`, or `planned` is not positive.
    """
    _check_planned(planned)
    given_before, given_after = list(baseline), list(candidate)
    if len(given_before) == len(given_after) < SEQUENCE_ROWS:
        return None
    before, after, differences = read_pairs(given_before, given_after, direction, confidence)
    middle, sd = float(differences.mean()), float(differences.std(ddof=1))
    if bounded is None:
        bounded = bool(min(before.min(), after.min()) >= 0 and max(before.max(), after.max()) <= 1)
    low, high, p = _ends(
        differences, middle, sd, planned=max(planned, SEQUENCE_ROWS), alpha=1 - confidence, bounded=bounded
    )
    return made(differences, (low, high), p, test=SEQUENCE_TEST, sd=sd, direction=direction, confidence=confidence)


def _ends(
    differences: Floats, middle: float, sd: float, *, planned: int, alpha: float, bounded: bool
) -> tuple[float, float, float]:
    """The interval and its p value; without ends where the rows are too lopsided to trust their mean."""
    from scipy.stats import skew

    n = len(differences)
    if not bounded and not constant(differences) and _ROWS_A_SKEWNESS * float(skew(differences)) ** 2 > n:
        return -math.inf, math.inf, 1.0
    reach = 1.0 if bounded else float(abs(differences).max())
    spread = math.sqrt(sd**2 + 2 * reach**2 / n)
    if spread == 0:
        # No measurement changed, and nobody knows by how much the next one could.
        return -math.inf, math.inf, 1.0
    half = spread * sequence_width(n, planned, alpha)
    low, high = middle - half, middle + half
    if bounded:
        low, high = max(low, -1.0), min(high, 1.0)
    return low, high, sequence_p(middle / spread, n, planned, alpha)


def sequence_p(effect: float, n: int, planned: int, alpha: float) -> float:
    """The level at which the sequence just leaves out 0.

    Args:
        effect: The mean difference, in standard deviations.
        n: Rows seen.
        planned: Rows declared.
        alpha: The level that it is tuned for.
    """
    r2 = _tuning(planned, alpha)
    return min(1.0, math.sqrt(n * r2 + 1) * math.exp(-(effect**2) * n**2 * r2 / (2 * (n * r2 + 1))))


def sequence_width(n: int, planned: int, alpha: float) -> float:
    """Half the interval's width in standard deviations; narrowest at the planned number.

    Args:
        n: Rows seen.
        planned: Rows declared.
        alpha: 1 less the level of the interval.
    """
    r2 = _tuning(planned, alpha)
    return math.sqrt(2 * (n * r2 + 1) / (n**2 * r2) * math.log(math.sqrt(n * r2 + 1) / alpha))


def _tuning(planned: int, alpha: float) -> float:
    """The r² that makes the width at the planned number smallest: the root of its derivative, by Lambert's W."""
    from scipy.special import lambertw

    return (-float(lambertw(-(alpha**2) / math.e, -1).real) - 1) / planned


def _check_planned(planned: int) -> None:
    if planned < 1:
        raise StatsError(f"a run has at least one planned row, not {planned}", planned=planned)
