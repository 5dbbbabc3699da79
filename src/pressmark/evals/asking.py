"""Asking an endpoint once more: which errors are worth it, and after how long.

The openai client's own retries are off, so that every attempt is counted, every wait can be interrupted, and
Retry-After is honoured to the letter.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pressmark.errors import EndpointAuthError, EndpointConnectionError, EndpointError
from pressmark.evals.answer import Answer, Completion
from pressmark.evals.budget import Halt
from pressmark.evals.lanes import Permit
from pressmark.evals.records import RowError


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try for one answer.

    Attributes:
        attempts: How often it is asked at most.
        timeout: Seconds for one attempt.
        first_wait: Seconds before the second attempt, about; each further wait is twice as long.
        longest_wait: Seconds that a wait takes at most; an endpoint that asks for more is not asked again.
    """

    attempts: int = 6
    timeout: float = 120.0
    first_wait: float = 0.5
    longest_wait: float = 60.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or min(self.timeout, self.first_wait, self.longest_wait) <= 0:
            raise ValueError(f"attempts, timeout and waits are positive, not {self}")

    def wait(self, attempt: int, retry_after: float | None, draw: float) -> float | None:
        """Return the seconds to wait after a failed attempt, or None to give up.

        Args:
            attempt: How many attempts have failed, from 1.
            retry_after: What the endpoint asked for.
            draw: A random number in [0, 1): waits are spread, or all would come back at once.
        """
        if attempt >= self.attempts:
            return None
        if retry_after is not None:
            return None if retry_after > self.longest_wait else max(0.0, retry_after) * (1 + 0.1 * draw)
        return min(self.longest_wait, self.first_wait * 2.0 ** (attempt - 1)) * (0.5 + draw / 2)


class Asked(NamedTuple):
    """The end of asking: an answer or the last error, and how many attempts it took.

    There is neither where a further attempt was not admitted.
    """

    answer: Answer | None
    error: EndpointError | None
    attempts: int


async def ask(
    complete: Completion,
    request: Mapping[str, Any],
    patience: Patience,
    *,
    admit: Callable[[Mapping[str, Any]], Awaitable[Permit]] | None = None,
    go_on: Callable[[EndpointError, int], bool] = lambda error, attempt: True,
    draw: Callable[[], float] = random.random,
) -> Asked:
    """Ask until there is an answer, or an error that further asking would not mend.

    Args:
        complete: Where to ask.
        request: What to ask.
        patience: How long.
        admit: Waited for before each attempt; a `Halt` that it raises ends the asking.
        go_on: Told of each error that may be tried again with the number of attempts; False ends it.
        draw: Random numbers in [0, 1) for the waits.
    """
    attempt = 0
    while True:
        try:
            permit = await admit(request) if admit is not None else None
        except Halt:
            return Asked(None, None, attempt)
        attempt += 1
        try:
            answer, error = await _once(complete, request, patience.timeout)
            if permit is not None:
                if answer is not None:
                    permit.answered(answer)
                elif error is not None:
                    permit.failed(error)
        finally:
            if permit is not None:
                permit.dropped()
        if answer is not None:
            return Asked(answer, None, attempt)
        assert error is not None
        if not error.retryable or not go_on(error, attempt):
            return Asked(None, error, attempt)
        seconds = patience.wait(attempt, error.retry_after, draw())
        if seconds is None:
            return Asked(None, error, attempt)
        await asyncio.sleep(seconds)


async def _once(
    complete: Completion, request: Mapping[str, Any], timeout: float
) -> tuple[Answer | None, EndpointError | None]:
    try:
        async with asyncio.timeout(timeout):
            return await complete(request), None
    except TimeoutError:
        return None, EndpointError(
            f"no answer within {timeout:g} s: the endpoint hangs or is overloaded; run again to ask the rows that are"
            " missing, or give a longer timeout",
            kind="timeout",
            retryable=True,
        )
    except EndpointError as raised:
        return None, raised


def row_error(error: Exception, attempts: int) -> RowError:
    """Describe the error that a row ends with."""
    if not isinstance(error, EndpointError):
        return RowError("unexpected", f"{type(error).__name__}: {error}")
    tried = f" (asked {attempts} times)" if attempts > 1 else ""
    return RowError(kind_of(error), f"{error}{tried}", error.status)


def kind_of(error: EndpointError) -> str:
    """A few words for grouping errors."""
    told = getattr(error, "kind", None)
    if isinstance(told, str):
        return told
    if isinstance(error, EndpointAuthError):
        return "key"
    if isinstance(error, EndpointConnectionError):
        return "connection"
    if error.status == 429:
        return "rate limit"
    if error.status is not None and error.status >= 500:
        return "server"
    return "bad request"
