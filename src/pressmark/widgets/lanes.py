"""Worker threads of a widget: a lane runs one job after the other, away from the kernel's main thread."""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
Job = Callable[[], None]
_CLOSING_SECONDS = 5.0


class Lane:
    """One thread that runs jobs in order; started with the first job, gone after a while without any.

    A job that carries a key takes the place of one with the same key that has not begun: while somebody types, only
    the last state is looked at. The replaced job's `dropped` is called instead.
    """

    IDLE_SECONDS = 30.0

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: deque[tuple[str | None, Job, Job | None]] = deque()
        self._wake = threading.Condition()
        self._busy = False
        self._last = float("-inf")
        self._thread: threading.Thread | None = None
        self._closed = False
        _lanes.add(self)

    def submit(self, job: Job, *, key: str | None = None, dropped: Job | None = None) -> None:
        """Queues a job, which must not raise."""
        replaced: Job | None = None
        with self._wake:
            if self._closed:
                return
            if key is not None:
                for waiting in [each for each in self._jobs if each[0] == key]:
                    self._jobs.remove(waiting)
                    replaced = waiting[2]
            self._jobs.append((key, job, dropped))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=f"pressmark-{self._name}", daemon=True)
                self._thread.start()
            self._wake.notify_all()
        if replaced is not None:
            replaced()

    def settle(self, seconds: float) -> bool:
        """Waits until nothing is queued or running; tells whether that came about in time."""
        if threading.current_thread() is self._thread:
            return False
        with self._wake:
            return self._wake.wait_for(lambda: not (self._jobs or self._busy), timeout=seconds)

    def value(self, call: Callable[[], T], seconds: float) -> T | None:
        """The result of a call made in order with the jobs; None if it fails or takes longer."""
        got: list[T] = []
        done = threading.Event()

        def job() -> None:
            try:
                got.append(call())
            finally:
                done.set()

        self.submit(job)
        done.wait(seconds)
        return got[0] if got else None

    def calm(self, quiet: float, at_most: float) -> None:
        """Waits until nothing was queued or running for a while, as long work elsewhere does to leave the way free."""
        until = time.monotonic() + at_most
        with self._wake:
            while not self._closed and (left := until - time.monotonic()) > 0:
                if self._jobs or self._busy:
                    self._wake.wait(left)
                elif (rest := self._last + quiet - time.monotonic()) > 0:
                    self._wake.wait(min(left, rest))
                else:
                    return

    def close(self) -> None:
        """Forgets what is queued and ends the thread after the job it is at."""
        with self._wake:
            self._closed = True
            self._jobs.clear()
            self._wake.notify_all()

    def _work(self) -> None:
        while True:
            with self._wake:
                waits = self._wake.wait_for(lambda: self._jobs or self._closed, self.IDLE_SECONDS)
                if not waits or self._closed:
                    self._thread = None
                    return
                _, job, _ = self._jobs.popleft()
                self._busy = True
            try:
                job()
            finally:
                with self._wake:
                    self._busy, self._last = False, time.monotonic()
                    self._wake.notify_all()


# A thread that is still inside the database when the interpreter ends would take the whole process down with it.
_lanes: weakref.WeakSet[Lane] = weakref.WeakSet()


@atexit.register
def _close_lanes() -> None:
    for lane in list(_lanes):
        lane.close()
    for lane in list(_lanes):
        lane.settle(_CLOSING_SECONDS)


class Throttle:
    """Calls a function at most once an interval, with the last value it was given; the last one is never lost."""

    def __init__(self, call: Callable[[], None], seconds: float) -> None:
        self._call = call
        self._seconds = seconds
        self._lock = threading.Lock()
        self._last = float("-inf")
        self._timer: threading.Timer | None = None

    def __call__(self) -> None:
        """Calls now, or as soon as the interval is over."""
        with self._lock:
            if self._timer is not None:
                return
            wait = self._last + self._seconds - time.monotonic()
            if wait > 0:
                self._timer = threading.Timer(wait, self._fire)
                self._timer.daemon = True
                self._timer.start()
                return
            self._last = time.monotonic()
        self._call()

    def flush(self) -> None:
        """Calls now, whatever the interval."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._last = time.monotonic()
        self._call()

    def _fire(self) -> None:
        with self._lock:
            self._timer = None
            self._last = time.monotonic()
        self._call()
