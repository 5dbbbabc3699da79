"""A worker that takes part in a run, as the caller sees it.

Work goes out and results come back in whatever portions there are at the moment: a message for each would keep the
caller and Dask's scheduler busier than the work itself.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pressmark.cluster.desk import Piece, Work

if TYPE_CHECKING:
    from distributed import Future

_log = logging.getLogger("pressmark.cluster")


class WorkerLostError(Exception):
    """A worker went away with a piece of work."""


class Hand:
    """The caller's end of a worker's desk. Dask's event loop uses it.

    Args:
        address: Where the worker is.
        kept: Dask's future of the desk, which lives as long as this is kept.
        desk: Dask's proxy of the desk.
        lost: Told when the worker is lost.
    """

    def __init__(self, address: str, kept: Future[Any], desk: Any, lost: Callable[[Hand], None]) -> None:
        self.address = address
        self._kept, self._desk, self._lost = kept, desk, lost
        self._number = 0
        self._closing = False
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._out: list[Piece] = []
        self._more = asyncio.Event()
        self._talking = [asyncio.create_task(self._talk(part)) for part in (self._give, self._take)]

    @property
    def busy(self) -> int:
        """How many pieces of work it has."""
        return len(self._waiting)

    async def have(self, what: Work, given: Any) -> Any:
        """Have a piece of work done; cancelled here, it is dropped there.

        Raises:
            WorkerLostError: The worker went away.
        """
        self._number += 1
        number = self._number
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._send(Piece(number, what, given))
        try:
            return await waiting
        finally:
            if self._waiting.pop(number, None) is not None:
                self._send(Piece(number, "drop", None))

    def let_go(self) -> None:
        """Give the worker up: its desk is cleared, and what it had under way is lost."""
        for task in self._talking:
            task.cancel()
        waiting, self._waiting = self._waiting, {}
        for each in waiting.values():
            if not each.done():
                each.set_exception(WorkerLostError(self.address))
        self._kept.release()  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        """End what it has under way, and the talk with it."""
        self._closing = True
        await self._desk.close()
        await self._talking[-1]

    def _send(self, piece: Piece) -> None:
        self._out.append(piece)
        self._more.set()

    async def _give(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            out, self._out = self._out, []
            await self._desk.give(pickle.dumps(out))

    async def _take(self) -> None:
        while not self._closing:
            for number, told in pickle.loads(await self._desk.take()):  # noqa: S301  # from the caller's own worker
                waiting = self._waiting.pop(number, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(told)

    async def _talk(self, part: Callable[[], Any]) -> None:
        try:
            await part()
        except Exception as error:  # noqa: BLE001  # the desk raises nothing: this is the worker, or the way to it
            _log.warning("worker %s: %s: %s", self.address, type(error).__name__, error)
            self._lost(self)
