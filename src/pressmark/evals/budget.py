"""What a run may spend, and the count of what it has spent.

A call is begun only where it still fits: what is spent, what the calls under way could take, and what the next one
could take stay together within the budget. Where only the calls under way stand against it, the next one waits for
them, since an answer is mostly shorter than it could have been.

**How much a call could take.** `max_tokens` (or `max_completion_tokens`) bounds an answer. Where a prompt sets neither,
nothing does: then the first call goes alone, and after it the longest answer so far and half as much again stands for
the next. So a budget of tokens or money is kept strictly with `max_tokens`, and nearly so without.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pressmark.errors import EndpointConnectionError, EndpointError
from pressmark.evals.answer import Answer
from pressmark.evals.sizes import Size, Sizes
from pressmark.face import Faced
from pressmark.face.forms import Face

# US dollars for so many tokens in and out of a model, or None where its price is not known.
Price = Callable[[str, int, int], float | None]


@dataclass(frozen=True, slots=True)
class Budget(Faced):
    """What a run may spend in all, over every time it is taken up again. What is left out is not bounded.

    Args:
        money: US dollars, by list price.
        tokens: Tokens in and out together.
        calls: Requests to the endpoints, repeated ones and those of judges among them.
        minutes: Minutes in which calls are begun; those under way at the end are waited for.

    Raises:
        ValueError: One of them is not a positive number.
    """

    money: float | None = None
    tokens: int | None = None
    calls: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        for name, whole in (("money", False), ("tokens", True), ("calls", True), ("minutes", False)):
            value = getattr(self, name)
            if value is None:
                continue
            kinds = int if whole else (int, float)
            if isinstance(value, bool) or not isinstance(value, kinds) or not (math.isfinite(value) and value > 0):
                kind = "whole number" if whole else "number"
                raise ValueError(f"a budget's {name} is a positive {kind} or None, not {value!r}")

    def _face(self) -> Face:
        told = (
            ("money", f"{self.money:,.2f} USD" if self.money is not None else None),
            ("tokens", f"{self.tokens:,}" if self.tokens is not None else None),
            ("calls", f"{self.calls:,}" if self.calls is not None else None),
            ("minutes", f"{self.minutes:g}" if self.minutes is not None else None),
        )
        bounds = ", ".join(f"{value} {name}" if name != "money" else value for name, value in told if value)
        return Face(f"Budget: {bounds or 'without a bound'}")


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run has spent.

    Attributes:
        calls: Requests sent.
        tokens: Tokens in and out. A call whose end is not known (cut, timed out) counts with what it could have taken.
        money: US dollars, counted likewise; only of calls whose price is known.
        minutes: Minutes in which it was under way.
    """

    calls: int = 0
    tokens: int = 0
    money: float = 0.0
    minutes: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"calls": self.calls, "tokens": self.tokens, "money": self.money, "minutes": self.minutes}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Spent:
        """Read the JSON form; what is missing is nothing spent."""
        return cls(**{name: told[name] for name in cls.__slots__ if told.get(name) is not None})


class Halt(Exception):  # noqa: N818  # no error: the run ends as it was told to
    """No further call is begun; the message says why."""


@dataclass(slots=True, eq=False)
class Hold:
    """A place in the budget for one call under way."""

    model: str
    size: Size
    tokens: int
    money: float


class Ledger:
    """Counts what a run spends, and holds back calls that could exceed its budget. One event loop uses it.

    Args:
        budget: The limits.
        spent: What was spent before.
        sizes: Tells how much a call could take.
        clock: Seconds, ever rising.

    Attributes:
        why: Why no further call is begun, or empty.
    """

    def __init__(
        self,
        budget: Budget | None = None,
        spent: Spent | None = None,
        sizes: Sizes | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._budget = budget or Budget()
        self._before = spent or Spent()
        self._calls, self._tokens, self._money = self._before.calls, self._before.tokens, self._before.money
        self._sizes = sizes or Sizes()
        self._clock, self._began = clock, clock()
        self._longest = 0.0
        self._held: set[Hold] = set()
        self._waiting: list[asyncio.Future[None]] = []
        self.why = ""

    def halt(self, why: str) -> None:
        """Let no further call begin; those under way go on."""
        self.why = self.why or why
        self._wake()

    @property
    def sized(self) -> bool:
        """Whether the sizes of calls matter."""
        return self._budget.tokens is not None or self._budget.money is not None

    @property
    def spent(self) -> Spent:
        """What is spent now; safe from any thread."""
        minutes = self._before.minutes + (self._clock() - self._began) / 60
        return Spent(self._calls, self._tokens, self._money, minutes)

    async def reserve(self, request: Mapping[str, Any], price: Price | None) -> Hold:
        """Take a place for a call, waiting for calls under way where they alone stand against it.

        Raises:
            Halt: It would not fit even if the calls under way took nothing more, or the run is to stop.
        """
        while True:
            if self.why:
                raise Halt(self.why)
            hold = self._measure(request, price)
            if self._over(hold, held=True) is None:
                self._held.add(hold)
                return hold
            why = self._over(hold, held=False)
            if why is not None:
                self.halt(why)
                continue
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn

    def settle(self, hold: Hold, answer: Answer | None, error: EndpointError | None, seconds: float) -> None:
        """Count what a call took.

        Args:
            hold: Its place, which is given up.
            answer: What came, or
            error: why nothing came; neither for a call that was cancelled.
            seconds: How long it took.
        """
        self._held.discard(hold)
        self._calls += 1
        self._longest = max(self._longest, seconds)
        if answer is not None:
            tokens = (answer.tokens_in or 0) + (answer.tokens_out or 0)
            if self.sized and (answer.tokens_in is None or answer.tokens_out is None):
                tokens = hold.size.total if hold.size.tokens_out is not None else hold.size.tokens_in
            self._tokens += tokens
            self._money += answer.cost if answer.cost is not None else hold.money
        elif error is None or _maybe_billed(error):
            known = hold.size.tokens_out is not None
            self._tokens += hold.tokens if known else hold.size.tokens_in
            self._money += hold.money if known else 0.0
        self._wake()

    def release(self, hold: Hold) -> None:
        """Give up the place of a call that was never made."""
        self._held.discard(hold)
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for turn in waiting:
            if not turn.done():
                turn.set_result(None)

    def _measure(self, request: Mapping[str, Any], price: Price | None) -> Hold:
        model = str(request.get("model", ""))
        if not self.sized:
            return Hold(model, Size(0, 0), 0, 0.0)
        size = self._sizes.most(request)
        if size.tokens_out is None:
            # Nothing is known yet: this one goes alone, and holds all that is left.
            money = self._budget.money
            rest = max(0.0, money - self._money) if money is not None else 0.0
            tokens = self._budget.tokens
            return Hold(model, size, max(size.tokens_in, (tokens or 0) - self._tokens), rest)
        cost = price(model, size.tokens_in, size.tokens_out) if price is not None else None
        return Hold(model, size, size.total, cost or 0.0)

    def _over(self, hold: Hold, *, held: bool) -> str | None:
        """Say what a call would exceed, the calls under way counted or not."""
        budget, under_way = self._budget, self._held if held else ()
        if budget.calls is not None and self._calls + len(under_way) + 1 > budget.calls:
            return f"the budget of {budget.calls:,} calls is used up"
        if budget.tokens is not None:
            used = self._tokens + sum(other.tokens for other in under_way)
            if used + hold.tokens > budget.tokens:
                return (
                    f"the budget is {budget.tokens:,} tokens; {self._tokens:,} are used, and the next call could take"
                    f" {hold.tokens:,}"
                )
        if budget.money is not None:
            used_money = self._money + math.fsum(other.money for other in under_way)
            if used_money + hold.money > budget.money or used_money >= budget.money:
                return (
                    f"the budget is {budget.money:.4g} USD; {self._money:.4g} USD are spent, and the next call could"
                    f" cost {hold.money:.2g} USD"
                )
        if budget.minutes is not None:
            passed = self.spent.minutes
            if passed + self._longest / 60 > budget.minutes:
                told = f"the budget is {budget.minutes:.4g} minutes; {passed:.2g} have passed"
                return told + (f", and a call takes up to {self._longest:.2g} s" if self._longest else "")
        return None


def _maybe_billed(error: EndpointError) -> bool:
    """Whether the endpoint may have done the work that it is paid for."""
    if isinstance(error, EndpointConnectionError):
        return not getattr(error, "refused", False)
    return getattr(error, "kind", None) in ("timeout", "garbage")
