"""Scores and clusters as they are given, checked: what is no honest input is refused by row."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any, Literal

from pressmark.errors import StatsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Direction = Literal["higher", "lower"]
Verdict = Literal["better", "worse", "cannot tell"]

# Two scores that differ by less are one score that was computed in two orders.
SAME_WITHIN = 1e-12


# Squares of larger numbers, of which a variance is made, would leave the range of a double.
LARGEST = 1e150


def read_scores(values: Iterable[float], name: str) -> Floats:
    """Return scores as an array.

    Raises:
        StatsError: There is none, or one is missing, not finite or beyond ±1e150; its row is named.
    """
    import numpy as np

    given: list[Any] = list(values)
    if not given:
        raise StatsError(f"{name} has no row: nothing can be said of nothing", rows=0)
    if (plain := _plain_numbers(given)) is not None:
        return plain
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
        if abs(float(value)) > LARGEST:
            raise StatsError(
                f"row {row} of {name} is {float(value):g}, too large to calculate with:"
                f" give numbers within ±{LARGEST:g}, such as in a larger unit",
                row=row,
                value=value,
            )
    return np.asarray([float(value) for value in given], dtype=np.float64)


def _plain_numbers(given: list[Any]) -> Floats | None:
    """The array of what are usable numbers without exception; None where each must be looked at."""
    import numpy as np

    try:
        values = np.asarray(given)
    except ValueError:
        return None
    if values.ndim != 1 or values.dtype.kind not in "fiub":
        return None
    numbers = values.astype(np.float64)
    # nan is within no bounds either.
    return numbers if (abs(numbers) <= LARGEST).all() else None


def read_clusters(clusters: Iterable[Hashable], n: int) -> list[int]:
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


def constant(values: Floats) -> bool:
    """Whether all values are the same, but for rounding."""
    return float(values.max() - values.min()) <= SAME_WITHIN * max(1.0, float(abs(values).max()))


def check_confidence(confidence: float) -> None:
    """Refuse what is no level of confidence.

    Raises:
        StatsError: It does not lie between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise StatsError(f"a confidence lies between 0 and 1, such as 0.95, not {confidence!r}", confidence=confidence)


def counted(n: int, noun: str) -> str:
    """A number with its noun, such as `1 row` or `1,200 rows`."""
    return f"{n:,} {noun}" + ("" if n == 1 else "s")
