"""How many calls may be under way at an endpoint at once, learned from how it takes them.

Additive increase and multiplicative decrease (Chiu and Jain, "Analysis of the increase and decrease algorithms for
congestion avoidance in computer networks", Computer Networks and ISDN Systems 17, 1989), begun by TCP's slow start
(RFC 5681, 3.1): from a few calls the limit rises by one with each answer, until the endpoint refuses calls (429) or
answers take much longer than at fewer calls; then it falls, and from there on rises by one a window.

Two things differ from TCP. What is judged is a window of calls, not a single one, because endpoints refuse some calls
whatever their number: less than a tenth refused changes nothing. And the decrease is by the share that was refused,
which leads to what the endpoint can take in one step where it refuses all above a limit. Rising latency is read as in
Netflix's Gradient2 (github.com/Netflix/concurrency-limits): against a baseline that forgets slowly.
"""

from __future__ import annotations

import asyncio
import statistics
from collections import deque
from typing import NamedTuple

_START = 8
_WINDOW = 50
_TOLERATED = 0.1
# So many refused, and so large a share of the calls: no need to wait for the window's end.
_EARLY, _EARLY_SHARE = 3, 0.3
_LEAST_FACTOR = 0.5
_LONGEST_HOLD = 16
_SLOWER, _SLACK = 2.0, 0.05
_FORGET = 1.05


class Ticket(NamedTuple):
    """A place among the calls under way; `after` tells how often the limit had been lowered when it began."""

    after: int


class AtOnce:
    """The limit of one endpoint, and the queue in front of it. One event loop uses it.

    Args:
        bound: The limit never rises above it.
        start: Where it begins, if that is below the bound.

    Attributes:
        under_way: Calls under way now.
    """

    def __init__(self, bound: int, start: int = _START) -> None:
        self._bound = bound
        self._limit = float(min(start, bound))
        self.under_way = 0
        self._queue: deque[asyncio.Future[None]] = deque()
        self._climbing = True
        self._lowered = 0
        self._ceiling = float(bound)
        self._hold, self._calm = 1, 0
        self._usual: float | None = None
        self._seen = self._refused = 0
        self._full = False
        self._latencies: list[float] = []

    @property
    def limit(self) -> int:
        """How many calls may be under way now: 1 or more."""
        return max(1, int(self._limit))

    async def enter(self) -> Ticket:
        """Wait for a place, first come, first served."""
        if self._queue or self.under_way >= self.limit:
            turn = asyncio.get_running_loop().create_future()
            self._queue.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self.under_way -= 1  # the place was given in the same moment
                    self._let_in()
                raise
        else:
            self.under_way += 1
        self._full = self._full or self.under_way >= self.limit
        return Ticket(self._lowered)

    def leave(self, ticket: Ticket, *, refused: bool = False, latency: float | None = None) -> None:
        """Give the place back.

        Args:
            ticket: The place.
            refused: Whether the endpoint asked to slow down.
            latency: Seconds that the answer took, where one came.
        """
        self.under_way -= 1
        if ticket.after == self._lowered:  # what began under another limit says nothing of this one
            self._learn(refused, latency)
        self._let_in()

    def _let_in(self) -> None:
        while self._queue and self.under_way < self.limit:
            turn = self._queue.popleft()
            if not turn.done():
                self.under_way += 1
                turn.set_result(None)

    def _learn(self, refused: bool, latency: float | None) -> None:
        self._seen += 1
        self._refused += refused
        if latency is not None:
            self._latencies.append(latency)
            if self._climbing and self._full:
                self._limit = min(float(self._bound), self._limit + 1)
        share = self._refused / self._seen
        if self._refused >= _EARLY and share >= _EARLY_SHARE:
            self._lower(1 - share)
        elif self._seen >= max(_WINDOW, self.limit):
            self._judge(share)

    def _judge(self, share: float) -> None:
        """Decide at the end of a window."""
        slower = self._slower()
        if share > _TOLERATED:
            self._lower(1 - share)
        elif slower > 1:
            self._lower(1 / slower)
        else:
            if self._full and not self._climbing:
                self._calm += 1
                if self._calm >= self._hold:
                    self._raise()
            self._begin_window()

    def _slower(self) -> float:
        """How many times longer answers take than can be put up with."""
        if not self._latencies:
            return 0.0
        middle = statistics.median(self._latencies)
        usual = self._usual
        self._usual = middle if usual is None else min(middle, usual * _FORGET)
        return middle / (_SLOWER * self._usual + _SLACK)

    def _raise(self) -> None:
        self._limit = min(float(self._bound), self._limit + 1)
        self._calm = 0
        if self._limit > self._ceiling:
            self._hold = max(1, self._hold // 2)

    def _lower(self, factor: float) -> None:
        self._ceiling = self._limit
        self._limit = max(1.0, self._limit * max(_LEAST_FACTOR, factor))
        self._climbing = False
        self._hold, self._calm = min(_LONGEST_HOLD, self._hold * 2), 0
        self._lowered += 1
        self._begin_window()

    def _begin_window(self) -> None:
        self._seen = self._refused = 0
        self._full = self.under_way >= self.limit
        self._latencies.clear()
