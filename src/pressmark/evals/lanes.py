"""The way to one endpoint: how many calls at once, how many a minute, and whether the budget allows one more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from pressmark.errors import EndpointError
from pressmark.evals.adaptive import AtOnce, Ticket
from pressmark.evals.answer import Answer, Completion
from pressmark.evals.budget import Hold, Ledger, Price
from pressmark.evals.rates import Rate
from pressmark.evals.sizes import Sizes


class Lane:
    """Lets calls to one endpoint pass.

    Args:
        complete: The completion function; its optional `rpm`, `tpm` and `price` are the endpoint's.
        bound: How many calls may be under way at once, at most.
        ledger: The run's.
        sizes: The run's.

    Attributes:
        at_once: The limit on calls under way.
    """

    def __init__(self, complete: Completion, bound: int, ledger: Ledger, sizes: Sizes) -> None:
        self.at_once = AtOnce(bound)
        self._ledger, self._sizes = ledger, sizes
        rpm, tpm = getattr(complete, "rpm", None), getattr(complete, "tpm", None)
        self._requests = Rate(rpm) if rpm else None
        self._tokens = Rate(tpm) if tpm else None
        self._price: Price | None = getattr(complete, "price", None)

    async def admit(self, request: Mapping[str, Any]) -> Permit:
        """Wait until a call may be made.

        Raises:
            Halt: It may not: the budget is used up, or the run is to stop.
        """
        ticket = await self.at_once.enter()
        hold: Hold | None = None
        try:
            hold = await self._ledger.reserve(request, self._price)
            usual = self._sizes.usual(request) if self._tokens is not None else 0
            seconds = self._requests.take() if self._requests is not None else 0.0
            if self._tokens is not None:
                seconds = max(seconds, self._tokens.take(usual))
            if seconds > 0:
                await asyncio.sleep(seconds)
        except BaseException:
            if hold is not None:
                self._ledger.release(hold)
            self.at_once.leave(ticket)
            raise
        return Permit(self, request, ticket, hold, usual)

    def ended(self, permit: Permit, answer: Answer | None, error: EndpointError | None, seconds: float) -> None:
        """Count the end of a call, and let the next one in."""
        if answer is not None and (self._tokens is not None or self._ledger.sized):
            self._sizes.learn(permit.request, answer)
        if self._tokens is not None and answer is not None and answer.tokens_in is not None:
            self._tokens.correct(answer.tokens_in + (answer.tokens_out or 0) - permit.usual)
        self._ledger.settle(permit.hold, answer, error, seconds)
        refused = error is not None and error.status == 429
        self.at_once.leave(permit.ticket, refused=refused, latency=seconds if answer is not None else None)


class Permit:
    """Leave to make one call. `answered`, `failed` or `dropped` ends it; what comes after the first does nothing."""

    __slots__ = ("_began", "_lane", "hold", "request", "ticket", "usual")

    def __init__(self, lane: Lane, request: Mapping[str, Any], ticket: Ticket, hold: Hold, usual: int) -> None:
        self._lane: Lane | None = lane
        self.request, self.ticket, self.hold, self.usual = request, ticket, hold, usual
        self._began = time.monotonic()

    def answered(self, answer: Answer) -> None:
        """An answer came."""
        self._end(answer, None)

    def failed(self, error: EndpointError) -> None:
        """The endpoint did not answer properly."""
        self._end(None, error)

    def dropped(self) -> None:
        """Nobody waits for the answer any more, or it could not be made sense of."""
        self._end(None, None)

    def _end(self, answer: Answer | None, error: EndpointError | None) -> None:
        lane, self._lane = self._lane, None
        if lane is not None:
            lane.ended(self, answer, error, time.monotonic() - self._began)
