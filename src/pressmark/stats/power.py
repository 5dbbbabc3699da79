"""How many rows would tell, and what so many rows would show."""

from __future__ import annotations

import math
import warnings

from pressmark.errors import StatsError

POWER = 0.8
# Asked for more rows than this, the honest answer is that no dataset will tell.
MOST_ROWS = 10_000_000


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


def rows_to_bound(margin: float, alpha: float) -> int:
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


def _check_pilot(sd: float) -> None:
    if not (math.isfinite(sd) and sd > 0):
        raise StatsError(
            f"a standard deviation of differences must be positive, not {sd!r}: run a pilot whose rows differ", sd=sd
        )
