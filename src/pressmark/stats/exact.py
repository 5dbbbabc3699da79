"""The exact test of few or alike changes, and the interval that goes with it.

A difference is the share of rows that changed times the mean change of those. The first has its exact binomial
interval, the second the one that inverts the test, and the two are joined by the recovery of variances (MOVER).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pressmark.stats.inputs import Floats

RESAMPLES = 2**14
# Up to here the means of all subsets are looked at, beyond it those of some that are drawn.
_ALL_SUBSETS = 18


def exact_test(units: Floats, span: float, confidence: float) -> tuple[str, float, float, float]:
    """The exact test of the rule, and the interval that goes with it (see the module's story)."""
    from scipy.stats import binomtest

    alpha = 1 - confidence
    changes = units[units != 0]
    changed, n = len(changes), len(units)
    share = binomtest(changed, n).proportion_ci(confidence, method="exact")
    binary = is_binary(units, span)
    if not changed:
        reach = span * float(share.high)
        return ("sign test" if binary else "sign-flip test"), -reach, reach, 1.0
    if binary:
        result = binomtest(int((changes > 0).sum()), changed)
        ends = result.proportion_ci(confidence, method="exact")
        test, p = "sign test", float(result.pvalue)
        change_low, change_high = 2 * float(ends.low) - 1, 2 * float(ends.high) - 1
    else:
        test, p = "sign-flip test", sign_flip_p(changes)
        change_low, change_high = sign_flip_interval(changes, span, alpha)
    low, high = _joined(
        changed / n, (float(share.low), float(share.high)), float(changes.mean()), (change_low, change_high)
    )
    if p > alpha:
        # Beyond 14 changed rows both come from draws, and could disagree by a hair: p decides.
        low, high = min(low, 0.0), max(high, 0.0)
    return test, max(low, -span), min(high, span), p


def is_binary(units: Floats, span: float) -> bool:
    """Whether each change is a whole one, as between scores of 0 and 1."""
    import numpy as np

    return span == 1 and bool(np.isin(units, (-1.0, 0.0, 1.0)).all())


def sign_flip_p(changes: Floats) -> float:
    """The two-sided p value of "changes are as often up as down", by flipping their signs."""
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


def sign_flip_interval(changes: Floats, span: float, alpha: float) -> tuple[float, float]:
    """The mean changes that the sign-flip test does not refuse: order statistics of the means of all subsets.

    Flipping the rows of a subset makes the sum of (change - m) larger exactly where the subset's mean is below m.
    """
    import numpy as np

    if len(changes) <= _ALL_SUBSETS:
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
