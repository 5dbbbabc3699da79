"""Asking once more: which errors are worth it, and after how long."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pressmark.errors import EndpointAuthError, EndpointConnectionError, EndpointError
from pressmark.evals import Patience
from pressmark.evals.asking import ask, kind_of, row_error

from .making import Scripted

QUICK = Patience(first_wait=0.001)
REQUEST = {"messages": [{"content": "q"}]}


def replies(*told: Any) -> Scripted:
    """A completion that gives these, one after the other."""
    left = iter(told)
    return Scripted(lambda text: next(left))


@settings(deadline=None)
@given(st.integers(1, 20), st.floats(0, 1, exclude_max=True), st.integers(1, 20))
def test_waits_double_and_are_spread(attempt: int, draw: float, attempts: int) -> None:
    """A wait is between half and the whole of a doubling time, never above the longest; the last attempt has none."""
    patience = Patience(attempts=attempts, first_wait=0.5, longest_wait=60)
    seconds = patience.wait(attempt, None, draw)
    if attempt >= attempts:
        assert seconds is None
    else:
        whole = min(60, 0.5 * 2 ** (attempt - 1))
        assert seconds is not None
        assert whole / 2 <= seconds <= whole


@settings(deadline=None)
@given(st.floats(0, 1e6), st.floats(0, 1, exclude_max=True))
def test_retry_after_is_honoured(retry_after: float, draw: float) -> None:
    """We wait at least as long as the endpoint asked, and give up where that is too long."""
    seconds = Patience(longest_wait=60).wait(1, retry_after, draw)
    if retry_after > 60:
        assert seconds is None
    else:
        assert seconds is not None
        assert retry_after <= seconds <= 1.1 * retry_after


async def test_retryable_errors_are_asked_again() -> None:
    """Errors that may pass are asked again until there is an answer."""
    complete = replies(
        EndpointError("busy", status=429, retryable=True, retry_after=0.001),
        EndpointError("broken", status=500, retryable=True),
        EndpointConnectionError("cut", retryable=True),
        "the answer",
    )
    asked = await ask(complete, REQUEST, QUICK)
    assert asked.answer is not None
    assert (asked.answer.output, asked.attempts) == ("the answer", 4)


async def test_other_errors_end_it() -> None:
    """An error that would come again is not asked again."""
    asked = await ask(replies(EndpointError("bad request", status=400)), REQUEST, QUICK)
    assert (asked.answer, asked.attempts) == (None, 1)


async def test_patience_ends() -> None:
    """After so many attempts the last error stays."""
    complete = Scripted(lambda text: EndpointError("broken", status=500, retryable=True))
    asked = await ask(complete, REQUEST, Patience(attempts=3, first_wait=0.001))
    assert asked.attempts == len(complete.asked) == 3
    assert asked.error is not None
    assert row_error(asked.error, asked.attempts).message == "broken (asked 3 times)"


async def test_a_call_that_hangs_is_cut_off() -> None:
    """No answer in time is an error that may pass."""
    complete = Scripted(lambda text: asyncio.Event().wait())
    asked = await ask(complete, REQUEST, Patience(attempts=2, timeout=0.05, first_wait=0.001))
    assert asked.attempts == 2
    assert asked.error is not None
    assert row_error(asked.error, 2).kind == "timeout"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (EndpointError("e", kind="garbage"), "garbage"),
        (EndpointError("e", status=429), "rate limit"),
        (EndpointError("e", status=503), "server"),
        (EndpointError("e", status=400), "bad request"),
        (EndpointAuthError("e", status=401), "key"),
        (EndpointConnectionError("e"), "connection"),
    ],
)
def test_kinds(error: EndpointError, kind: str) -> None:
    """Errors are grouped by a few words."""
    assert kind_of(error) == kind


@pytest.mark.parametrize("settings", [{"attempts": 0}, {"timeout": 0}, {"first_wait": -1}, {"longest_wait": 0}])
def test_bad_patience(settings: dict[str, Any]) -> None:
    """Patience is positive."""
    with pytest.raises(ValueError, match="positive"):
        Patience(**settings)
