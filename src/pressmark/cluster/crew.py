"""The workers that take part in a run, as the caller sees them.

All of it goes on in the Dask client's event loop. Whoever is least busy gets the next piece of work; what a worker had
under way when it was lost is raised as `WorkerLostError`, and the run asks for it again. Workers that join the cluster
later, such as those that replace a dead one, take part as well.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pressmark import __version__
from pressmark.cluster.desk import Desk, hindrance
from pressmark.cluster.hand import Hand
from pressmark.errors import ClusterError, EndpointAuthError, EndpointConnectionError, PressmarkError
from pressmark.evals import Answer
from pressmark.evals.scorers import ScoringInput
from pressmark.evals.scoring import Marks
from pressmark.providers import Endpoint

if TYPE_CHECKING:
    from distributed import Client

_log = logging.getLogger("pressmark.cluster")
_LOOK_EVERY = 1.0
_CLOSING_TIME = 2.0
# Seconds in which one worker at least has to be free to begin.
_FIRST = 30.0


class Crew:
    """The workers of one run.

    Args:
        client: The cluster's.
        endpoint: Where they ask.
        scorers: Pickled, by name.
        stream: Whether answers are streamed.
    """

    def __init__(self, client: Client, endpoint: Endpoint, scorers: Mapping[str, bytes], *, stream: bool) -> None:
        self._client = client
        self._endpoint, self._scorers = endpoint, scorers
        self._desk = (endpoint, scorers, stream)
        self._hands: dict[str, Hand] = {}
        self._joining: dict[str, asyncio.Task[None]] = {}
        self._refused: set[str] = set()
        self._changed = asyncio.Condition()
        self._watcher: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Gather the workers, and return as soon as one of them can begin.

        Raises:
            ClusterError: There is none, all are busy with other work, one has another Pressmark, or a scorer cannot
                be loaded there.
            EndpointAuthError: A worker lacks the endpoint's key.
        """
        addresses = await self._addresses()
        if not addresses:
            raise ClusterError("the cluster has no workers: start some, or scale it, and try again; nothing was asked")
        if refusals := await self._refusals(addresses):
            raise next(iter(refusals.values()))
        self._watcher = asyncio.create_task(self._watch())
        self._join(addresses)
        try:
            async with asyncio.timeout(_FIRST), self._changed:
                await self._changed.wait_for(lambda: self._hands or not self._joining)
        except TimeoutError:
            raise ClusterError(
                f"none of the {len(addresses)} workers was free within {_FIRST:g} s: they are busy with other tasks;"
                " wait for those, or add workers. Nothing was asked"
            ) from None
        if not self._hands:
            raise ClusterError("the cluster's workers went away before the first call: nothing was asked")

    async def answer(self, request: Mapping[str, Any]) -> Answer:
        """Have a request asked, once.

        Raises:
            EndpointError: There is no proper answer.
            WorkerLostError: The worker went away before it came.
            ClusterError: No worker is left.
        """
        hand = await self._free()
        told = await hand.have("answer", request)
        if isinstance(told, EndpointAuthError | EndpointConnectionError):
            # What one worker meets with may be that worker's own.
            raise _said_by(hand.address, told)
        if isinstance(told, Exception):
            raise told
        answer: Answer = told
        return answer

    async def marks(self, given: ScoringInput) -> Marks:
        """Have an answer scored.

        Raises:
            WorkerLostError: The worker went away before it was.
            ClusterError: No worker is left.
        """
        marks: Marks = await (await self._free()).have("marks", given)
        return marks

    async def close(self) -> None:
        """Let the workers go; what they have under way ends."""
        tasks = [*self._joining.values(), *((self._watcher,) if self._watcher else ())]
        for task in tasks:
            task.cancel()
        hands = list(self._hands.values())
        self._hands.clear()
        closing = [asyncio.create_task(hand.close()) for hand in hands]
        if closing:
            _, late = await asyncio.wait(closing, timeout=_CLOSING_TIME)
            for task in late:
                task.cancel()
        await asyncio.gather(*tasks, *closing, return_exceptions=True)
        for hand in hands:
            hand.let_go()

    async def _free(self) -> Hand:
        """Return the worker that has least to do."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._hands or not self._joining)
        if not self._hands:
            raise ClusterError(
                "no worker of the cluster is left: what was answered is kept. Run it again to ask only what is missing,"
                " with the cluster when it has workers, or without",
                kind="cluster",
                hopeless=True,
            )
        return min(self._hands.values(), key=lambda hand: hand.busy)

    def _lose(self, hand: Hand) -> None:
        if self._hands.get(hand.address) is hand:
            _log.warning("worker %s is lost; what it had under way goes to the others", hand.address)
            del self._hands[hand.address]
        hand.let_go()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _watch(self) -> None:
        """Lose the workers that the scheduler has lost, and take in new ones."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            try:
                there = await self._addresses()
            except OSError as error:
                _log.warning("the scheduler does not answer: %s", error)
                there = []
            for hand in [hand for hand in self._hands.values() if hand.address not in there]:
                self._lose(hand)
            for address in [address for address in self._joining if address not in there]:
                self._joining[address].cancel()
            new = [each for each in there if each not in {*self._hands, *self._joining, *self._refused}]
            refusals = await self._refusals(new) if new else {}
            for why in refusals.values():
                _log.warning("a worker that came later takes no part: %s", why)
            self._refused.update(refusals)
            self._join([address for address in new if address not in refusals])

    def _join(self, addresses: Sequence[str]) -> None:
        for address in addresses:
            self._joining[address] = asyncio.create_task(self._hire(address))

    async def _hire(self, address: str) -> None:
        try:
            kept = self._client.submit(
                Desk, *self._desk, actor=True, workers=[address], allow_other_workers=False, pure=False
            )
            self._hands[address] = Hand(address, kept, await kept, self._lose)
        except Exception as error:  # noqa: BLE001  # it was ready a moment ago: it has gone, or is about to
            _log.warning("worker %s takes no part: %s: %s", address, type(error).__name__, error)
            self._refused.add(address)
        finally:
            self._joining.pop(address, None)
            await self._tell()

    async def _addresses(self) -> list[str]:
        told: dict[str, int] = await self._client.nthreads()  # type: ignore[no-untyped-call]
        return list(told)

    async def _refusals(self, addresses: Sequence[str]) -> dict[str, PressmarkError]:
        """Return why workers cannot take part, by their address; those that go away meanwhile are left out."""
        # A function of the standard library: it is there whatever Pressmark the worker has.
        told = await self._run(addresses, importlib.metadata.version, "pressmark")
        refusals: dict[str, PressmarkError] = {}
        for address, version in told.items():
            if isinstance(version, importlib.metadata.PackageNotFoundError):
                what = "has no Pressmark"
            elif isinstance(version, Exception) or version == __version__:
                continue
            else:
                what = f"runs Pressmark {version}, and here it is {__version__}"
            refusals[address] = ClusterError(
                f"worker {address} {what}: install pressmark[cluster]=={__version__} on every worker, and restart them."
                " Nothing was asked",
                worker=address,
            )
        ready = [address for address in addresses if address not in refusals]
        for address, hindered in (await self._run(ready, hindrance, self._endpoint, self._scorers)).items():
            if isinstance(hindered, PressmarkError):
                refusals[address] = _said_by(address, hindered)
        return refusals

    async def _run(self, addresses: Sequence[str], function: Any, *args: Any) -> dict[str, Any]:
        told: dict[str, Any] = await self._client.run(function, *args, workers=list(addresses), on_error="return")
        return told


def _said_by(address: str, error: PressmarkError) -> PressmarkError:
    return type(error)(f"worker {address}: {error}", **{**error.facts, "worker": address})
