"""Votes and yes or no: preferences between two, paired tables, and several p values at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pressmark.errors import StatsError
from pressmark.stats.inputs import Verdict, check_confidence, counted
from pressmark.stats.means import pass_rate


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
        decided, ties = counted(self.a + self.b, "decided vote"), counted(self.ties, "tie")
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
        check_confidence(confidence)
        return Votes(a, b, ties, math.nan, 0.0, 1.0, 1.0, confidence)

    from scipy.stats import binomtest

    rate = pass_rate(b, a + b, confidence=confidence)
    return Votes(a, b, ties, rate.rate, rate.low, rate.high, float(binomtest(b, a + b).pvalue), confidence)


def holm(p_values: Iterable[float], *, alpha: float = 0.05) -> Holm:
    """Adjust the p values of several versions or slices that are looked at together.

    Raises:
        StatsError: A p value does not lie in [0, 1].
    """
    given = list(p_values)
    if any(not 0 <= p <= 1 for p in given):  # nan fails this too
        raise StatsError(f"p values lie between 0 and 1, not {given!r}")
    if not given:
        return Holm((), ())
    if len(given) == 1:
        # Nothing to adjust for; statsmodels would collect garbage over the whole process at the end.
        return Holm((float(given[0]),), (given[0] <= alpha,))

    from statsmodels.stats.multitest import multipletests

    rejected, adjusted, _, _ = multipletests(given, alpha=alpha, method="holm")
    return Holm(tuple(float(p) for p in adjusted), tuple(bool(r) for r in rejected))
