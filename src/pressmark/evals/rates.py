"""Requests and tokens a minute: a token bucket whose count can be corrected once the real number is known.

An own one, because what a call takes in tokens is known only after it, and a call may take more than a bucket holds:
the libraries at hand (aiolimiter, pyrate-limiter) give nothing back and refuse amounts above their capacity.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_MINUTE = 60.0


class Rate:
    """So much a minute, in even portions: at most one second's worth at once.

    Args:
        per_minute: How much; no minute gets more, unless one call alone takes more than a second's worth.
        clock: Seconds, ever rising.
    """

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        # What the bucket holds at once and what flows in within a minute make up `per_minute` together.
        even = per_minute / (_MINUTE + 1)
        self._capacity = max(1.0, even)
        self._flow = even if even >= 1 else per_minute / _MINUTE
        self._clock = clock
        self._level = self._capacity
        self._at = clock()

    def take(self, amount: float = 1.0) -> float:
        """Take an amount, and return the seconds to wait before it is used; those who take later wait longer."""
        self._fill()
        self._level -= amount
        # A call above the bucket's size may go when the bucket is full: the next ones wait until it is made up for.
        short = min(amount, self._capacity) - (self._level + amount)
        return max(0.0, short / self._flow)

    def correct(self, difference: float) -> None:
        """Take what a call took beyond what was taken for it, or give back what it did not need."""
        self._fill()
        self._level = min(self._capacity, self._level - difference)

    def _fill(self) -> None:
        now = self._clock()
        self._level = min(self._capacity, self._level + (now - self._at) * self._flow)
        self._at = now
