"""Who comes with a request: tokens looked up once, and again after every change of the store."""

from __future__ import annotations

import threading
from typing import Final

from pressmark.errors import AuthenticationError
from pressmark.registry import tokens
from pressmark.registry.store import Store
from pressmark.registry.values import Principal, TokenInfo
from pressmark.registry.watch import Watch

_MOST: Final = 10_000


class Bearers:
    """The tokens that were shown lately.

    Args:
        store: Where tokens are kept.
        watch: Tells whether the store changed since a token was looked up.
    """

    def __init__(self, store: Store, watch: Watch) -> None:
        self._store = store
        self._watch = watch
        self._lock = threading.Lock()
        self._stamp: object = None
        self._known: dict[str, TokenInfo] = {}

    def principal(self, authorization: str | None) -> Principal:
        """Return who sent this `Authorization` header.

        Raises:
            AuthenticationError: Nobody that the registry knows.
        """
        kind, _, secret = (authorization or "").partition(" ")
        if kind.lower() != "bearer" or not secret.strip():
            raise AuthenticationError(
                "this registry wants a token: set PRESSMARK_TOKEN, or send Authorization: Bearer pm_…",
                hint="send Authorization: Bearer pm_…",
            )
        secret = secret.strip()
        kept = tokens.hashed(secret)
        with self._lock:
            stamp = self._watch.stamp()
            if stamp != self._stamp or len(self._known) > _MOST:
                self._known, self._stamp = {}, stamp
            info = self._known.get(kept)
        if info is None:
            info = self._store.bearer(secret)
            with self._lock:
                if stamp == self._stamp:
                    self._known[kept] = info
        return tokens.demand_live(info, self._store.database.now())
