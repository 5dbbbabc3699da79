"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pressmark.stats import amount, ends, measured, with_ends


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (0.214, "points", "21.4"),
        (-0.0004, "points", "-0.0"),
        (0.0, "s", "0"),
        (3330.4, "characters", "3,330"),
        (0.5, "s", "0.5"),
        (2.0, "characters", "2"),
        (0.0000326, "s", "0.0000326"),
        (1e-12, "s", "0"),
        (120.0, "characters", "120"),
    ],
)
def test_one_number(value: float, unit: str, told: str) -> None:
    """Scores have one decimal of a hundredth; measurements three digits, and never an exponent."""
    assert amount(value, unit) == told


def test_an_interval_has_one_number_of_decimals() -> None:
    """What stands side by side is compared digit by digit."""
    assert with_ends(3.26e-05, -0.000566, 0.000631, "s", sign=True) == "+0.000033 [-0.000566, 0.000631]"
    assert with_ends(-2.0, -2.76, -1.24, "characters") == "-2.00 [-2.76, -1.24]"
    assert with_ends(-2.11, -3330.0, 3331.5, "characters") == "-2 [-3,330, 3,332]"
    assert with_ends(0.214, 0.138, 0.289, "points", sign=True) == "+21.4 [13.8, 28.9]"


def test_parts_of_a_second_are_milliseconds() -> None:
    """What stands side by side has one unit, and a rounded zero no sign."""
    assert measured(0.00182, -0.00602, 0.00965, "s", sign=True) == "+1.82 ms [-6.02, 9.65]"
    assert measured(0.4, 0.1, 1.2, "s") == "0.40 s [0.10, 1.20]"
    assert measured(0.25, -math.inf, math.inf, "s", without="(no interval)") == "250 ms (no interval)"
    assert measured(0.0, 0.0, 0.0, "s", sign=True) == "0 s [0, 0]"
    assert measured(-0.00001, -0.2, 0.2, "points", sign=True) == "0.0 points [-20.0, 20.0]"


def test_without_ends_a_number_stands_alone() -> None:
    """Rows that tell no interval give none."""
    assert with_ends(2.0, -math.inf, math.inf, "characters", sign=True) == "+2"
    assert ends(-math.inf, math.inf) == ""


@given(st.lists(st.floats(-1e12, 1e12), min_size=3, max_size=3))
def test_the_largest_keeps_three_digits(values: list[float]) -> None:
    """Whatever the numbers, there is no exponent, and the largest is told to a half per cent."""
    middle, low, high = values
    told = with_ends(middle, low, high)
    assert "e" not in told
    largest = max(values, key=abs)
    if abs(largest) > 1e-6:
        shown = amount(largest, beside=(middle, low, high))
        assert float(shown.replace(",", "")) == pytest.approx(largest, rel=0.006)
