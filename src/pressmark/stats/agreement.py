"""How far raters agree beyond chance."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from pressmark.errors import StatsError
from pressmark.stats.inputs import check_confidence, counted


@dataclass(frozen=True, slots=True)
class Kappa:
    """Agreement of raters beyond chance.

    Attributes:
        kappa: 1 is full agreement, 0 what chance gives; nan where all gave one and the same answer.
        low: Lower end of its interval; nan where there is none.
        high: Upper end.
        agreed: Share of the pairs of answers that agree.
        n: Things that were rated.
        confidence: Level of the interval.
    """

    kappa: float
    low: float
    high: float
    agreed: float
    n: int
    confidence: float = 0.95

    def sentence(self) -> str:
        """The agreement in one line, such as `agree in 70.0 % of 50 rows, kappa 0.40 [0.15, 0.65]`."""
        start = f"agree in {100 * self.agreed:.1f} % of {counted(self.n, 'row')}"
        if math.isnan(self.kappa):
            return f"{start}; all have one answer, so kappa cannot tell"
        if math.isnan(self.low):
            return f"{start}, kappa {self.kappa:.2f}"
        return f"{start}, kappa {self.kappa:.2f} [{self.low:.2f}, {self.high:.2f}]"


def kappa(a: Iterable[Hashable], b: Iterable[Hashable], *, confidence: float = 0.95) -> Kappa:
    """Cohen's kappa of two raters who rated the same things.

    Args:
        a: One rater's answers, such as `A`, `B`, `tie`.
        b: The other's, in the same order.
        confidence: Level of the interval, by the asymptotic standard error.

    Raises:
        StatsError: There is nothing rated, or one of them rated more than the other.
    """
    check_confidence(confidence)
    first, second = list(a), list(b)
    if not first or len(first) != len(second):
        raise StatsError(
            f"kappa compares two raters on the same things, not {len(first)} answers with {len(second)}: keep the"
            " rows that both rated"
        )
    levels = sorted(set(first) | set(second), key=str)
    place = {level: number for number, level in enumerate(levels)}
    table = [[0] * len(levels) for _ in levels]
    for one, other in zip(first, second, strict=True):
        table[place[one]][place[other]] += 1
    agreed = sum(one == other for one, other in zip(first, second, strict=True)) / len(first)
    if len(levels) == 1:
        return Kappa(math.nan, math.nan, math.nan, agreed, len(first), confidence)

    import numpy as np
    from scipy.stats import norm
    from statsmodels.stats.inter_rater import cohens_kappa

    with np.errstate(invalid="ignore", divide="ignore"):
        # Its z value, which is not used here, has none where one rater gave a single answer.
        found = cohens_kappa(np.asarray(table))
    half = float(norm.ppf((1 + confidence) / 2)) * math.sqrt(max(0.0, float(found.var_kappa)))
    value = float(found.kappa)
    return Kappa(value, max(-1.0, value - half), min(1.0, value + half), agreed, len(first), confidence)


def fleiss_kappa(table: Sequence[Sequence[int]]) -> Kappa:
    """Fleiss' kappa of several raters.

    Args:
        table: A row for each thing that was rated, and in it how many raters gave each answer; all rows have the same
            number of raters, at least two.

    Returns:
        The agreement, without an interval.

    Raises:
        StatsError: The table is not of that form.
    """
    raters = {sum(row) for row in table}
    whole = all(isinstance(count, int) and count >= 0 for row in table for count in row)
    if not whole or len({len(row) for row in table}) != 1 or len(raters) != 1 or min(raters) < 2:
        raise StatsError(
            "Fleiss' kappa takes a row of counts for each thing rated, each with the same number of raters, at least"
            f" 2; got rows of {', '.join(map(str, sorted(raters))) or 'no'} raters"
        )
    number = raters.pop()
    agreed = sum(count * (count - 1) for row in table for count in row) / (len(table) * number * (number - 1))
    if sum(any(row[level] for row in table) for level in range(len(table[0]))) == 1:
        return Kappa(math.nan, math.nan, math.nan, agreed, len(table))

    import numpy as np
    from statsmodels.stats.inter_rater import fleiss_kappa as kappa_of

    return Kappa(float(kappa_of(np.asarray(table))), math.nan, math.nan, agreed, len(table))
