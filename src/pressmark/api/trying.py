"""One answer, asked for while a draft is written: streamed, told as it comes, part of no run and kept nowhere."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from pressmark.errors import EndpointConnectionError, EndpointError, PressmarkError
from pressmark.providers import completer
from pressmark.workspace.batches import clean

if TYPE_CHECKING:
    from pressmark.evals import Answer
    from pressmark.providers import Endpoint

SECONDS = 120.0
MOST_CHARACTERS = 500_000

Status = Literal["asking", "answering", "done", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """How far one try has come.

    Attributes:
        status: asking (nothing came yet), answering, done, stopped (by hand) or failed.
        text: What came so far.
        seconds: Since it began.
        ttft: Seconds to the first token, or None before it.
        answer: The whole answer, once it is there.
        error: Why it failed, or None.
    """

    status: Status = "asking"
    text: str = ""
    seconds: float = 0.0
    ttft: float | None = None
    answer: Answer | None = None
    error: PressmarkError | None = None


def try_once(
    request: Mapping[str, Any], endpoint: Endpoint, tell: Callable[[Attempt], None], *, seconds: float = SECONDS
) -> Callable[[], None]:
    """Ask once, on a thread of its own, and tell of every piece of the answer; nothing is read from a cache or kept.

    Args:
        request: Keyword arguments of `chat.completions.create`.
        endpoint: Where to ask.
        tell: Called from that thread with how far it has come; the last call has a status that ends it.
        seconds: How long it may take.

    Returns:
        What stops it; what came until then stays told.

    Raises:
        EndpointError: The endpoint's key or transport is missing.
    """
    began = time.monotonic()
    last = Attempt()

    def heard(text: str) -> None:
        nonlocal last
        now = time.monotonic() - began
        # The second half of a character may come with the next piece.
        begun = len(text) - 1 if "\ud800" <= text[-1:] <= "\udbff" else len(text)
        shown = clean(text[: min(begun, MOST_CHARACTERS)])
        last = Attempt("answering", shown, now, now if last.ttft is None else last.ttft)
        tell(last)
        if len(text) > MOST_CHARACTERS:
            raise EndpointError(
                f"endpoint {endpoint.name!r} did not stop: its answer has over {MOST_CHARACTERS:,} characters. Their"
                " beginning is shown; set a limit in the parameters, or look whether this is the right address",
                kind="too long",
            )

    complete = completer(endpoint, stream=True, heard=heard)

    async def ask() -> Attempt:
        try:
            async with asyncio.timeout(seconds):
                answer = await complete(request)
        except TimeoutError:
            raise EndpointConnectionError(
                f"endpoint {endpoint.name!r} was not done after {seconds:g} s: it hangs or is overloaded; try again,"
                " or ask for a shorter answer",
                kind="timeout",
            ) from None
        finally:
            await complete.aclose()
        if len(answer.output) > MOST_CHARACTERS:  # an endpoint that does not stream gives all of it at once
            heard(answer.output)
        ttft = last.ttft if last.ttft is not None else answer.ttft
        return Attempt("done", clean(answer.output), time.monotonic() - began, ttft, answer)

    loop = asyncio.new_event_loop()
    asking = loop.create_task(ask())

    def work() -> None:
        nonlocal last
        try:
            last = loop.run_until_complete(asking)
        except asyncio.CancelledError:
            last = replace(last, status="stopped", seconds=time.monotonic() - began)
        except PressmarkError as error:
            last = replace(last, status="failed", seconds=time.monotonic() - began, error=error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the page has to say so
            told = PressmarkError(f"the answer could not be read ({type(error).__name__}: {error}): try again")
            last = replace(last, status="failed", seconds=time.monotonic() - began, error=told)
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
        tell(last)

    def stop() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(asking.cancel)

    tell(last)
    threading.Thread(target=work, name="pressmark-try", daemon=True).start()
    return stop
