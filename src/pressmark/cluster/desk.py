"""What a run has on a worker: a desk, where the endpoint is asked and answers are scored.

Everything here runs in the worker's process. Nothing of the run is kept there, so a worker that dies loses no more
than what it was doing.
"""

from __future__ import annotations

import asyncio
import contextlib
import pickle
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, NamedTuple

from pressmark.errors import ClusterError, EndpointAuthError, EndpointError, PressmarkError
from pressmark.evals import Answer
from pressmark.evals.scorers import DirectScorer, ScoringInput
from pressmark.evals.scoring import Marks, marks_of
from pressmark.providers import Endpoint, completer

# Seconds in which results are gathered before they go back together; next to nothing beside a model's answer.
_GATHER = 0.005
# Seconds after which a caller that waits is answered with nothing: one that was killed is not waited for longer.
_WAIT = 10.0

Work = Literal["answer", "marks", "drop"]


class Piece(NamedTuple):
    """A piece of work: `answer` a request, give `marks` to an answer, or `drop` an earlier piece."""

    number: int
    what: Work
    given: Any


class Desk:
    """A Dask actor. Asking goes on in the worker's event loop, scoring on a thread, one answer at a time.

    Args:
        endpoint: Where to ask; the key is read from the environment of the worker.
        scorers: The scorers that need no model, pickled one by one.
        stream: Whether answers are streamed.
    """

    def __init__(self, endpoint: Endpoint, scorers: Mapping[str, bytes], stream: bool) -> None:
        self._complete = completer(endpoint, stream=stream)
        self._scorers = tuple(_scorer(name, pickled) for name, pickled in scorers.items())
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pressmark-score")
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._done: list[tuple[int, Any]] = []
        self._some: asyncio.Event | None = None
        self._closed = False

    async def give(self, pieces: bytes) -> None:
        """Begin pieces of work."""
        for number, what, given in pickle.loads(pieces):  # noqa: S301  # from the caller, who may run any code here
            if what != "drop":
                self._under_way[number] = asyncio.create_task(self._do(number, what, given))
            elif number in self._under_way:
                self._under_way[number].cancel()

    async def take(self) -> bytes:
        """Wait until something is done, or a while, and return what is with its numbers."""
        if not (self._done or self._closed):
            self._some = asyncio.Event()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_WAIT):
                    await self._some.wait()
                    await asyncio.sleep(_GATHER)
        done, self._done = self._done, []
        return pickle.dumps(done)

    async def close(self) -> None:
        """Drop everything, and close the connections to the endpoint."""
        self._closed = True
        if self._some is not None:
            self._some.set()
        for task in self._under_way.values():
            task.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)
        await self._complete.aclose()

    async def _do(self, number: int, what: str, given: Any) -> None:
        try:
            told = await (self._answer(given) if what == "answer" else self._marks(given))
        finally:
            del self._under_way[number]
        self._done.append((number, told))
        if self._some is not None:
            self._some.set()

    async def _answer(self, request: Mapping[str, Any]) -> Answer | EndpointError:
        """Ask once. Errors are results too: what is raised to the caller is a worker's trouble."""
        try:
            return await self._complete(request)
        except EndpointError as error:
            return error
        except Exception as error:  # noqa: BLE001  # it costs a row, as it does without a cluster
            return EndpointError(f"{type(error).__name__}: {error}", kind="unexpected")

    async def _marks(self, given: ScoringInput) -> Marks:
        return await asyncio.get_running_loop().run_in_executor(self._thread, marks_of, self._scorers, given)


def hindrance(endpoint: Endpoint, scorers: Mapping[str, bytes]) -> PressmarkError | None:
    """Return why this worker could not do its part, or None; run there before the first call."""
    if not endpoint.key_present:
        return EndpointAuthError(
            f"endpoint {endpoint.name!r} reads its key from the environment variable {endpoint.key_env}, which is not"
            " set there: a key never travels, so set it where the worker is started",
            key_env=endpoint.key_env,
            hopeless=True,
        )
    try:
        completer(endpoint)
        for name, pickled in scorers.items():
            _scorer(name, pickled)
    except PressmarkError as error:
        return error
    return None


def _scorer(name: str, pickled: bytes) -> DirectScorer:
    try:
        scorer: DirectScorer = pickle.loads(pickled)  # noqa: S301  # it comes from the caller, who may run any code here
    except Exception as error:
        raise ClusterError(
            f"scorer {name!r} cannot be loaded there ({type(error).__name__}: {error}): install on the workers what its"
            " function imports, or send them its file with client.upload_file('….py')",
            scorer=name,
        ) from error
    return scorer
