"""Follows the change log in a thread of its own and tells the event loop what is new.

The newest events stay in memory, so that a move is read once however many streams tell it on.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from typing import Any, Final

from pressmark.prompts import Position
from pressmark.prompts.entry import timestamp
from pressmark.registry import state
from pressmark.registry.store import Store
from pressmark.registry.watch import Watch, watch

KEPT: Final = 1000
_LOG = logging.getLogger("pressmark.registry")


class Feed:
    """The newest part of a store's log, in memory.

    Everything but the thread's own function runs on the event loop.

    Args:
        store: The store, seen by somebody who sees everything.
        loop: The event loop that is told.
    """

    def __init__(self, store: Store, loop: asyncio.AbstractEventLoop) -> None:
        self.watch: Watch = watch(store.database)
        self.position, self.digest = self._now(store)
        self.listeners: set[asyncio.Event] = set()
        self.closed = False
        self._store = store
        self._loop = loop
        self._recent: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._rendered: dict[tuple[int, str], bytes | None] = {}
        self._pause = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="pressmark-feed", daemon=True)
        self._thread.start()

    def since(self, seq: int) -> list[dict[str, Any]] | None:
        """Return the `move` events after `seq`, or None where memory does not go back so far."""
        if seq == self.position.seq:
            return []
        if not self._recent or seq < self._recent[0]["seq"] - 1 or seq > self.position.seq:
            return None
        return [event for event in self._recent if event["seq"] > seq]

    def rendered(self, subscription: state.Subscription, event: dict[str, Any]) -> bytes | None:
        """Return an event as its stream's bytes, or None where it does not belong to the subscription."""
        key = event["seq"], subscription.scope
        if key not in self._rendered:
            told = state.within(subscription, event)
            self._rendered[key] = None if told is None else state.sse("move", event["seq"], told)
        return self._rendered[key]

    def head(self) -> bytes:
        """Return a `head` event's bytes."""
        told = state.head(self.position, self.digest, timestamp(self._store.database.now()))
        return state.sse("head", self.position.seq, told)

    def close(self) -> None:
        """Stop, and let every stream end."""
        self.closed = True
        for listener in self.listeners:
            listener.set()
        self._pause.set()
        self.watch.close()

    def join(self) -> None:
        """Wait for the thread to end."""
        self._thread.join(timeout=2)

    def _follow(self) -> None:
        position, stamp = self.position, self.watch.stamp()
        while not self.closed:
            self.watch.wait(1.0)
            if self.closed:
                return
            seen = self.watch.stamp()
            try:
                self._store.database.ownership.keep()
                news, now, digest = self._news(position)
            except Exception:  # noqa: BLE001 - whatever it is, streams must go on once it is over
                _LOG.exception("the registry's log could not be read; it is tried again")
                self._pause.wait(1.0)
                continue
            changed = now != position or seen != stamp
            position, stamp = now, seen
            if changed:
                try:
                    self._loop.call_soon_threadsafe(self._tell, news, now, digest)
                except RuntimeError:  # the loop was closed meanwhile
                    return

    def _news(self, after: Position) -> tuple[list[dict[str, Any]], Position, str]:
        with self._store.database.read() as connection:
            now, digest = self._store.database.position(connection)
            if now[:2] != after[:2] or now.seq - after.seq > KEPT:
                return [], now, digest  # streams read what they lack from the store
            return [event for _, event in state.events(connection, now, after.seq)], now, digest

    def _tell(self, news: list[dict[str, Any]], position: Position, digest: str) -> None:
        if position != self.position and not news:
            self._recent.clear()
        self._recent.extend(news)
        self.position, self.digest = position, digest
        self._rendered.clear()
        for listener in self.listeners:
            listener.set()

    @staticmethod
    def _now(store: Store) -> tuple[Position, str]:
        with store.database.read() as connection:
            return store.database.position(connection)
