"""How many calls may be under way at an endpoint at once, learned from how it takes them.

Additive increase and multiplicative decrease (Chiu and Jain, "Analysis of the increase and decrease algorithms for
congestion avoidance in computer networks", Computer Networks and ISDN Systems 17, 1989), begun by TCP's slow start
(RFC 5681, 3.1): from a few calls the limit rises by one with each answer, until the endpoint refuses calls (429) or
answers take much longer than at fewer calls; then it falls, and from there on rises by one a round.

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
# Calls over which the share of refused ones is taken; so large a share need not wait for all of them.
_WINDOW, _TOLERATED, _EARLY_SHARE = 100, 0.1, 0.3
# A round is as many calls as may be under way, but at least these: latencies of fewer have no sure median.
_LEAST_ROUND = 10
_LEAST_FACTOR = 0.5
# Rounds between two steps upwards, where such steps were refused before.
_LONGEST_HOLD = 32
# Times the usual latency, and seconds on top, that can be put up with.
_SLOWER, _SLACK = 2.0, 0.05
_RISE, _FALL = 0.01, 0.2


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
        self._seen = self._refused = self._in_round = 0
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
        self._in_round += 1
        if self._in_round < max(_LEAST_ROUND, self.limit):
            return
        share, slower = self._refused / self._seen, self._slower()
        if share >= _EARLY_SHARE or (share > _TOLERATED and self._seen >= _WINDOW):
            self._lower(1 - share)
        elif slower > 1:
            self._lower(1 / slower)
        else:
            self._end_round(share)

    def _end_round(self, share: float) -> None:
        if self._full and not self._climbing and share <= _TOLERATED:
            self._calm += 1
            if self._calm >= self._hold:
                self._raise()
        if self._seen >= _WINDOW:
            self._seen = self._refused = 0
        self._begin_round()

    def _slower(self) -> float:
        """How much longer answers take than can be put up with: more than 1 is too long."""
        if not self._latencies:
            return 0.0
        middle = statistics.median(self._latencies)
        usual = middle if self._usual is None else self._usual
        self._usual = usual * (1 + _RISE) if middle > usual else usual + _FALL * (middle - usual)
        return middle / (_SLOWER * usual + _SLACK)

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
        self._seen = self._refused = 0
        self._begin_round()

    def _begin_round(self) -> None:
        self._in_round = 0
        self._full = self.under_way >= self.limit
        self._latencies.clear()
