"""Running a coroutine on a thread of its own, so that a run works from a script and from a notebook cell alike.

A notebook's event loop is running while its cells do, and cannot be waited for from inside. So the run gets a loop on
another thread, and the caller waits for it in a way that Ctrl-C and the notebook's stop button interrupt::

    engine = Engine(main, name="pressmark-run")
    engine.wait()              # in a script or a cell
    await engine.finished()    # in an async caller
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")

# Waking up now and then lets Ctrl-C through where a lock's wait cannot be interrupted (Windows).
_LOOK_EVERY = 0.1
_CLOSING_TIME = 10.0


class Engine(Generic[T]):
    """A coroutine that runs on an event loop and thread of its own, from the moment this is made.

    Args:
        main: Makes the coroutine; called on the thread.
        name: Of the thread.
    """

    def __init__(self, main: Callable[[], Coroutine[Any, Any, T]], name: str) -> None:
        self._main = main
        self._result: concurrent.futures.Future[T] = concurrent.futures.Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[T] | None = None
        self._cancelled = False
        self._guard = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._result.done()

    def cancel(self) -> None:
        """Ask it to stop; safe from any thread, and more than once."""
        with self._guard:
            if self._cancelled:
                return  # a second cancellation would interrupt the tidying that the first one began
            self._cancelled = True
            if self._loop is not None and self._task is not None:
                # It may have ended just now, and its loop be closed.
                with contextlib.suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(self._task.cancel)

    def wait(self, look: Callable[[], object] = lambda: None) -> T:
        """Wait for the end, in a way that KeyboardInterrupt interrupts: the run is stopped first, then it is raised.

        Args:
            look: Called about ten times a second, on the waiting thread: the place to draw progress.

        Returns:
            What the coroutine returned.

        Raises:
            asyncio.CancelledError: It was cancelled.
            BaseException: What the coroutine raised.
        """
        try:
            while not self._result.done():
                look()
                concurrent.futures.wait([self._result], timeout=_LOOK_EVERY)
            look()
        except BaseException:
            self.cancel()
            concurrent.futures.wait([self._result], timeout=_CLOSING_TIME)
            raise
        return self._outcome()

    async def finished(self, look: Callable[[], object] = lambda: None) -> T:
        """Wait for the end from another event loop; cancelling the waiter stops the run.

        Raises:
            asyncio.CancelledError: It was cancelled, or the waiter was.
            BaseException: What the coroutine raised.
        """
        ended, loop = asyncio.Event(), asyncio.get_running_loop()

        def wake(_: object) -> None:
            # The waiter may have given up, and its loop be closed.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(ended.set)

        self._result.add_done_callback(wake)
        try:
            while not self.done:
                look()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_EVERY):
                        await ended.wait()
            look()
        except BaseException:
            self.cancel()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLOSING_TIME):
                    await ended.wait()
            raise
        return self._outcome()

    def _outcome(self) -> T:
        self._thread.join()
        return self._result.result()

    def _run(self) -> None:
        try:
            with asyncio.Runner() as runner:
                result = runner.run(self._start())
        except BaseException as error:  # noqa: BLE001  # raised again where the caller waits
            self._result.set_exception(error)
        else:
            self._result.set_result(result)

    async def _start(self) -> T:
        task = asyncio.ensure_future(self._main())
        with self._guard:
            self._loop, self._task = asyncio.get_running_loop(), task
            if self._cancelled:
                task.cancel()
        return await task
