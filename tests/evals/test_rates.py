"""Requests and tokens a minute, on a clock that the test turns."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pressmark.evals.rates import Rate


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 5000))
def test_no_minute_gets_more(per_minute: int) -> None:
    """Of calls that are all wanted at once, no minute gets more than the limit, and little less."""
    clock = Clock()
    rate = Rate(per_minute, clock)
    at = [clock.now + rate.take() for _ in range(3 * per_minute)]
    assert at == sorted(at)
    for first in range(0, len(at), max(1, len(at) // 50)):
        assert sum(at[first] <= moment < at[first] + 59.999 for moment in at) <= per_minute
    assert at[-1] - at[0] <= 3 * 60 * 1.04


def test_after_a_rest() -> None:
    """Time without calls is not saved up beyond a second's worth."""
    clock = Clock()
    rate = Rate(6100, clock)
    clock.now += 3600
    waits = [rate.take() for _ in range(200)]
    assert sum(wait == 0 for wait in waits) == 100


def test_tokens_are_corrected() -> None:
    """What a call took beyond its estimate is taken from the next ones, and what it did not need is theirs."""
    clock = Clock()
    rate = Rate(61 * 60, clock)
    assert rate.take(60) == 0
    rate.correct(120)
    assert rate.take(60) == pytest.approx(3)
    rate.correct(-120)
    clock.now += 2
    assert rate.take(60) == pytest.approx(0)


def test_a_call_larger_than_the_bucket_goes_alone() -> None:
    """A call of more than a second's worth waits for a full bucket only, and the next one makes up for it."""
    clock = Clock()
    rate = Rate(6100, clock)
    assert rate.take(1000) == 0
    assert rate.take(1) == pytest.approx(9.01)
