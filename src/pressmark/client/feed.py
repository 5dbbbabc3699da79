"""Everything about a client that is not the reading: where its state starts, what feeds it, what is said of it."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from weakref import WeakSet

from pressmark.client import snapshot
from pressmark.client.absence import checked_label, too_old, why_absent
from pressmark.client.cache import View
from pressmark.client.expiry import Expiry
from pressmark.client.fallbacks import fallback_prompt
from pressmark.client.fetcher import Fetcher
from pressmark.client.prompt import Prompt
from pressmark.client.refresher import Refresher
from pressmark.client.settings import Settings
from pressmark.client.start import from_disk
from pressmark.client.status import Status
from pressmark.errors import ClientClosedError, PressmarkError, RegistryError, RegistryUnavailableError

Maps = Mapping[str | None, Mapping[str, Prompt]]
_log: Final = logging.getLogger("pressmark.client")


_feeds: Final[WeakSet[Feed]] = WeakSet()


class Feed:
    """Keeps one client's map fresh.

    Args:
        settings: What the client was asked to do.
        swap: Called with each new map.
        on_error: The caller's callback, or None to log.
        on_change: The caller's callback, or None.
        clock: A monotonic clock.
    """

    def __init__(
        self,
        settings: Settings,
        swap: Callable[[Maps], None],
        *,
        on_error: Callable[[PressmarkError], object] | None,
        on_change: Callable[[str, str, Prompt | None], object] | None,
        clock: Callable[[], float] | None,
    ) -> None:
        self.settings = settings
        self._swap = swap
        self._on_error = on_error
        self._on_change = on_change
        self._clock = clock or time.monotonic
        self._started = False
        self._closed = False
        self._expired = False
        self._served = View()
        self._maps: Maps = {}
        # Writers only: the refresher, the watch over age, and whoever closes, a signal handler too. Readers take none.
        self._lock = threading.RLock()
        self._expiry: Expiry | None = None
        self._snapshot: snapshot.Snapshot | None = None
        if settings.snapshot_dir is not None:
            scope = snapshot.scope_key(
                settings.url, settings.token, settings.labels, settings.names, keep_gone=settings.keep_gone
            )
            self._snapshot = snapshot.Snapshot(settings.snapshot_dir, scope)
        view, age = from_disk(self._snapshot, settings.bundle, self._report)
        self._refresher = self._new_refresher(view, None if age is None else self._clock() - age)
        self._serve(view)
        _feeds.add(self)

    def start(self) -> None:
        """Start the threads, and wait for the registry's first answer.

        Raises:
            RegistryError: The registry refuses plainly, and there is nothing else to serve.
        """
        refresher = self._refresher
        self._started = True
        self._start_threads()
        refresher.settled.wait(self.settings.start_timeout)
        refused = refresher.last_error
        if (
            isinstance(refused, RegistryError)
            and not isinstance(refused, RegistryUnavailableError)
            and not self._can_serve(refresher.view)
        ):
            self.close()
            raise refused

    def missing(self, name: object, label: object, fallback: Any) -> Prompt:
        """Answer `get()` where the map holds nothing: a fallback, or the error that says why."""
        name, label = checked_label(name, label, self.settings.labels)
        if self._closed:
            raise ClientClosedError("the client was closed: make a new pm.Client", name=name, label=label)
        found = self._maps.get(label, {}).get(name)  # it may have come while `get()` was failing
        if found is not None:
            return found
        if fallback is not None:
            return fallback_prompt(name, label, fallback)
        found = self.settings.fallbacks.get(label, {}).get(name)
        if found is not None:
            return found
        if self._expired:
            raise too_old(self._age(), self.settings.max_age, {"name": name, "label": label})
        raise why_absent(self._served, name, label, self._refresher.last_error)

    def status(self) -> Status:
        """Return the client's state at this moment."""
        refresher, served = self._refresher, self._served
        age = self._age()
        source = served.source
        if source == "none" and any(self.settings.fallbacks.values()):
            source = "fallback"
        return Status(
            state="closed" if self._closed else refresher.state,
            source=source,
            position=served.position,
            age=age,
            lag=max(0, refresher.newest_heard - served.position.seq) if served.position else 0,
            last_error=refresher.last_error or refresher.snapshot_error or _left_out(served),
            prompts=sum(len(names) for label, names in self._maps.items() if label is not None),
            removed={f"{name}@{label}": gone.why for (label, name), gone in served.gone.items()},
            scope=(self.settings.labels, self.settings.names),
            url=self.settings.url,
        )

    def close(self) -> None:
        """Stop the threads and serve nothing any more."""
        with self._lock:
            self._closed = True
            self._publish({})
        if self._expiry is not None:
            self._expiry.stop()
        self._refresher.stop()

    def after_fork(self) -> None:
        """In a forked child: keep the map, and start threads, since none crosses a fork."""
        if self._closed or not self._started:
            return
        # The parent's lock may have been held at that moment, and nobody here would ever release it.
        self._lock = threading.RLock()
        old = self._refresher
        old.abandon()
        self._refresher = self._new_refresher(old.view, old.confirmed_at)
        self._refresher.last_error = old.last_error
        self._start_threads()

    def check_age(self) -> None:
        """Take away what the registry has not confirmed for too long, or give it back once it has."""
        with self._lock:
            if self._closed:
                return
            expired = self._is_expired()
            if expired == self._expired:
                return
            self._expired = expired
            self._publish({} if expired else self._maps_of(self._served))
        if expired:
            self._report(too_old(self._age(), self.settings.max_age, {}))

    def _new_refresher(self, view: View, confirmed_at: float | None) -> Refresher:
        settings = self.settings
        return Refresher(
            Fetcher(settings.url, settings.token, settings.labels, settings.names),
            self._snapshot,
            self._serve,
            self._report,
            poll_interval=settings.poll_interval,
            keep_gone=settings.keep_gone,
            clock=self._clock,
            view=view,
            confirmed_at=confirmed_at,
            impatient=self._can_serve(view),
        )

    def _start_threads(self) -> None:
        self._refresher.start()
        if self.settings.max_age is not None:
            self._expiry = Expiry(self.check_age)
            self._expiry.start()

    def _can_serve(self, view: View) -> bool:
        return view.position is not None or any(self.settings.fallbacks.values())

    def _serve(self, view: View) -> None:
        with self._lock:
            if self._closed:
                return
            before, self._served = self._served, view
            was_expired, self._expired = self._expired, self._is_expired()
            if view is not before or self._expired != was_expired:
                self._publish({} if self._expired else self._maps_of(view))
        if view is not before:
            self._tell_refusals(before, view)
            if self._on_change is not None:
                self._tell_changes(before, view)

    def _publish(self, maps: Maps) -> None:
        self._maps = maps
        self._swap(maps)

    def _maps_of(self, view: View) -> Maps:
        maps: dict[str | None, Mapping[str, Prompt]] = {}
        maps.update(view.prompts)
        if len(self.settings.labels) == 1:
            maps[None] = view.prompts.get(self.settings.labels[0], {})  # what `label=None` means
        return maps

    def _is_expired(self) -> bool:
        age = self._age()
        return self.settings.max_age is not None and age is not None and age > self.settings.max_age

    def _age(self) -> float | None:
        confirmed_at = self._refresher.confirmed_at
        return None if confirmed_at is None else max(0.0, self._clock() - confirmed_at)

    def _tell_refusals(self, before: View, view: View) -> None:
        new = {key: why for key, why in view.refused.items() if before.refused.get(key) != why}
        for why in dict.fromkeys(new.values()):
            self._report(RegistryError(f"a move was left out: {why}. What was served before stays", code="refused"))

    def _tell_changes(self, before: View, view: View) -> None:
        assert self._on_change is not None
        for label in {**before.prompts, **view.prompts}:
            old, new = before.prompts.get(label, {}), view.prompts.get(label, {})
            if old is new:
                continue
            for name in {**old, **new}:
                was, now = old.get(name), new.get(name)
                if was is not now and (was is None or now is None or was.digest != now.digest or was.seq != now.seq):
                    self._call(self._on_change, name, label, now)

    def _report(self, error: PressmarkError | None) -> None:
        if self._closed:
            return
        if error is None:
            _log.info("the registry at %s answers again", self.settings.url)
        elif self._on_error is not None:
            self._call(self._on_error, error)
        else:
            _log.warning("%s", error)

    def _call(self, callback: Callable[..., object], *arguments: object) -> None:
        try:
            callback(*arguments)
        except Exception:  # noqa: BLE001 - the caller's mistake must not stop the prompts from being fresh
            _log.exception("a callback of pm.Client failed")


def _left_out(view: View) -> RegistryError | None:
    for why in view.refused.values():
        return RegistryError(f"a move was left out: {why}. What was served before stays", code="refused")
    return None


def _after_fork() -> None:
    for feed in list(_feeds):
        feed.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
