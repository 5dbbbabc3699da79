"""Amounts to be read: without an exponent, and with no more digits than say something."""

from __future__ import annotations

import math

# Beyond these digits there is nothing that anybody measures.
_MOST_DECIMALS = 9


def readable(unit: str, *values: float) -> tuple[str, float]:
    """Return the unit that amounts are told in, and what to multiply them by: parts of a second are milliseconds.

    Args:
        unit: What they are measured in.
        *values: All that stand side by side; infinite ones do not count.
    """
    finite = [abs(value) for value in values if math.isfinite(value)]
    return ("ms", 1000.0) if unit == "s" and finite and 0 < max(finite) < 1 else (unit, 1.0)


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


def measured(value: float, low: float, high: float, unit: str, *, sign: bool = False, without: str = "") -> str:
    """Return a number with its unit and its interval, such as `+1.2 points [-0.4, 2.8]`.

    Args:
        value: A finite number.
        low: Lower end of its interval.
        high: Upper end.
        unit: `points` for scores in [0, 1]; else what it is measured in.
        sign: Whether a gain has its plus.
        without: What stands in the interval's place where it has no ends.
    """
    unit, by = readable(unit, value, low, high)
    value, low, high = by * value, by * low, by * high
    middle = amount(value, unit, sign=sign, beside=(low, high))
    if not middle.strip("+-0.,"):
        middle = middle.lstrip("+-")  # a rounded zero has no sign worth showing
    interval = ends(low, high, unit, beside=value) or without
    return " ".join(part for part in (middle, unit, interval) if part)
