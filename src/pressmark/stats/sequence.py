"""The interval to show while a run streams."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from pressmark.errors import StatsError
from pressmark.stats.inputs import check_confidence, read_scores

SEQUENCE_ROWS = 30


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
    check_confidence(confidence)
    if planned < 1:
        raise StatsError(f"a run has at least one planned row, not {planned}", planned=planned)
    given = list(differences)
    if len(given) < SEQUENCE_ROWS:
        return None
    values = read_scores(given, "differences")
    n, middle, sd = len(values), float(values.mean()), float(values.std(ddof=1))
    half = sd * sequence_width(n, max(planned, SEQUENCE_ROWS), 1 - confidence)
    return SequenceInterval(middle, middle - half, middle + half, n)


def sequence_width(n: int, planned: int, alpha: float) -> float:
    """Half the interval's width after `n` rows, in standard deviations; narrowest at the planned number."""
    from scipy.special import lambertw

    # r² that makes the width at n = planned smallest: the root of its derivative, by Lambert's W.
    r2 = (-float(lambertw(-(alpha**2) / math.e, -1).real) - 1) / planned
    return math.sqrt(2 * (n * r2 + 1) / (n**2 * r2) * math.log(math.sqrt(n * r2 + 1) / alpha))
