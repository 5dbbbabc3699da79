"""Amounts to be read: without an exponent, and with no more digits than say something."""

from __future__ import annotations

import math

# Beyond these digits there is nothing that anybody measures.
_MOST_DECIMALS = 9


def amount(value: float, unit: str = "", *, sign: bool = False, beside: tuple[float, ...] = ()) -> str:
    """Return a number as it is told: scores in hundredths with one decimal, all else with three digits.

    Args:
        value: A finite number.
        unit: `points` for scores in [0, 1]; the unit itself is not part of the text.
        sign: Whether a gain has its plus.
        beside: Numbers that it stands beside, such as the ends of its interval: all get as many decimals.
    """
    plus = "+" if sign else ""
    if unit == "points":
        return f"{100 * value:{plus}.1f}"
    beside = tuple(filter(math.isfinite, beside))
    largest = max(map(abs, (value, *beside)))
    decimals = 0 if largest == 0 else min(_MOST_DECIMALS, max(0, 2 - math.floor(math.log10(largest))))
    text = f"{value:{plus},.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals and not beside else text


def ends(low: float, high: float, unit: str = "", *, beside: float = 0.0) -> str:
    """Return an interval such as `[-0.4, 2.8]`; empty where it has no ends.

    Args:
        low: Its lower end.
        high: Its upper end.
        unit: As for `amount`.
        beside: What it is the interval of.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"[{amount(low, unit, beside=(high, beside))}, {amount(high, unit, beside=(low, beside))}]"


def with_ends(value: float, low: float, high: float, unit: str = "", *, sign: bool = False) -> str:
    """Return a number and its interval, such as `+1.2 [-0.4, 2.8]`; the number alone where there are no ends."""
    return f"{amount(value, unit, sign=sign, beside=(low, high))} {ends(low, high, unit, beside=value)}".rstrip()
