"""The thread that keeps the state fresh: one sync, then the stream; polling while the stream fails.

What it hears is written to the snapshot first and served then, so that a service which is killed and starts again
without its registry never begins before what it has already served. What it cannot accept changes nothing: it says so
and asks again, with pauses that grow, differ from client to client, and honour Retry-After.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from pressmark.client.answers import Head, Move
from pressmark.client.cache import View, after_moves, after_sync, confirmed
from pressmark.client.fetcher import Synced
from pressmark.client.snapshot import Snapshot
from pressmark.errors import ClientError, PressmarkError, RegistryUnavailableError
from pressmark.prompts import Position

FIRST_PAUSE: Final = 0.5
STOP_PATIENCE: Final = 0.5


class Source(Protocol):
    """Where answers come from; `Fetcher` over HTTP."""

    def sync(self, etag: str | None = None) -> Synced | None:
        """Return everything, or None where nothing changed since the ETag."""

    def stream(self, after: Position, opened: Callable[[], None]) -> Iterable[list[Move | Head]]:
        """Follow the events after a position."""

    def close(self) -> None:
        """Cut what is under way."""

    def abandon(self) -> None:
        """In a forked child: let go of the parent's connections without touching them."""


class Refresher:
    """Feeds one client.

    Args:
        source: Where answers come from.
        snapshot: Where the state is kept on disk, or None.
        serve: Called with each new view, and with the same one when the registry confirms it.
        report: Called with each error, and with None once all is well again.
        poll_interval: Seconds between syncs while the stream fails.
        keep_gone: Go on serving what was removed.
        clock: A monotonic clock.
        view: What is served at first.
        confirmed_at: When, by the clock, the registry last confirmed that; None where it never did.
        impatient: Whether a first failure settles the start; else only success and a plain refusal do.
    """

    def __init__(
        self,
        source: Source,
        snapshot: Snapshot | None,
        serve: Callable[[View], None],
        report: Callable[[PressmarkError | None], None],
        *,
        poll_interval: float,
        keep_gone: bool,
        clock: Callable[[], float],
        view: View,
        confirmed_at: float | None,
        impatient: bool,
    ) -> None:
        self.view = view
        self.confirmed_at = confirmed_at
        self.state = "starting"
        self.last_error: PressmarkError | None = None
        self.snapshot_error: PressmarkError | None = None
        self.newest_heard = view.position.seq if view.position else 0
        self.settled = threading.Event()
        self._source = source
        self._snapshot = snapshot
        self._serve = serve
        self._report = report
        self._poll_interval = poll_interval
        self._keep_gone = keep_gone
        self._clock = clock
        self._impatient = impatient
        # A view that was live (a forked child's) is continued by the stream; any other is synced first.
        self._synced = view.source == "live"
        self._streaming = False
        self._failures = 0
        self._sync_failed = False
        self._said: object = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pressmark-refresher", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread, and wait a moment for it; it serves nothing after this."""
        self._stopping.set()
        self.settled.set()
        self._source.close()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(STOP_PATIENCE)

    def abandon(self) -> None:
        """In a forked child, where the thread does not exist: let go of the parent's connections."""
        self._source.abandon()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                pause = self._turn()
            except PressmarkError as error:
                pause = self._failed(error)
            except Exception as error:  # noqa: BLE001 - a thread that dies in silence would serve stale prompts for ever
                pause = self._failed(
                    ClientError(f"the refresher met what it should not have ({error!r}); it goes on, please report it")
                )
            self._stopping.wait(pause)

    def _turn(self) -> float:
        """Sync where that is due, then follow the stream until it ends; return how long to pause."""
        if not self._synced:
            try:
                self._sync()
            except Exception:
                self.state = "stale" if self.view.source == "live" else "offline"
                self._sync_failed = True
                raise
        self._streaming = False
        try:
            self._follow()
        except Exception as error:
            self.state = "polling"
            # What broke under way is taken up where it stood; whatever else happened, a sync tells where we are.
            self._synced = self._streaming and isinstance(error, RegistryUnavailableError)
            raise
        return 0.0

    def _sync(self) -> None:
        synced = self._source.sync(self.view.etag)
        if synced is None:
            self._accept(confirmed(self.view), news=False)
        else:
            self.newest_heard = max(self.newest_heard, synced.answer.position.seq)
            self._accept(after_sync(self.view, synced.answer, synced.etag, keep_gone=self._keep_gone), news=True)
        self._synced = True
        self.state = "polling"
        if self._sync_failed:
            # What keeps the stream from opening stays to be told until it opens.
            self._sync_failed, self.last_error = False, None
        self.settled.set()

    def _follow(self) -> None:
        assert self.view.position is not None
        for moves in self._source.stream(self.view.position, self._opened):
            self.newest_heard = max(self.newest_heard, moves[-1].seq)
            before = self.view
            view = after_moves(before, moves, keep_gone=self._keep_gone)
            self._accept(view, news=view is not before)
            if not self._streaming:
                self._streaming = True
                self._failures = 0
                self._say(None)
        if not self._stopping.is_set():
            raise RegistryUnavailableError("the registry ended the event stream; the client opens it again")

    def _opened(self) -> None:
        self.state = "live"

    def _accept(self, view: View, *, news: bool) -> None:
        if self._stopping.is_set():
            return
        if self._snapshot is not None:
            self._keep(self._snapshot, view, news)
        self.view = view
        self.confirmed_at = self._clock()
        self._serve(view)

    def _keep(self, snapshot: Snapshot, view: View, news: bool) -> None:
        if not news and self.snapshot_error is None:
            snapshot.touch()
            return
        try:
            snapshot.write(view)
            self.snapshot_error = None
        except ClientError as error:
            # Serving what is new goes before keeping it.
            if self.snapshot_error is None:
                self._report(error)
            self.snapshot_error = error

    def _failed(self, error: PressmarkError) -> float:
        """Note a failure and return how long to pause."""
        if self._stopping.is_set():
            return 0.0
        self._failures += 1
        self._say(error)
        if self._impatient or not isinstance(error, RegistryUnavailableError):
            self.settled.set()
        pause: float = min(self._poll_interval, FIRST_PAUSE * 2.0 ** min(self._failures - 1, 16))
        pause *= random.uniform(0.5, 1.5)  # noqa: S311 - spreads clients in time, hides nothing
        asked: float | None = getattr(error, "retry_after", None)
        return pause if asked is None else max(pause, asked * random.uniform(1.0, 1.2))  # noqa: S311 - as above

    def _say(self, error: PressmarkError | None) -> None:
        """Keep the error for `status()`, and report it where it is another one than before."""
        kind = None if error is None else (type(error), getattr(error, "code", None), getattr(error, "status", None))
        self.last_error = error
        if kind != self._said:
            self._said = kind
            self._report(error)
