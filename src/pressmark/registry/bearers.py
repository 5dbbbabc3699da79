"""Who comes with a request: tokens looked up once, and again after any token was revoked."""

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
        watch: Tells whether the store changed, and so whether to look for revocations.
    """

    def __init__(self, store: Store, watch: Watch) -> None:
        self._store = store
        self._watch = watch
        self._lock = threading.Lock()
        self._stamp: object = None
        self._revocations = -1
        self._known: dict[str, TokenInfo] = {}

    def at_hand(self, authorization: str | None) -> Principal | None:
        """Return who sent this header where that is known without asking the store; for the event loop.

        Raises:
            AuthenticationError: The header is none, or its token has ended.
        """
        kept = tokens.hashed(_secret(authorization))
        info = self._known.get(kept) if self._watch.stamp() == self._stamp else None
        return None if info is None else tokens.demand_live(info, self._store.database.now())

    def principal(self, authorization: str | None) -> Principal:
        """Return who sent this `Authorization` header.

        Raises:
            AuthenticationError: Nobody that the registry knows.
        """
        secret = _secret(authorization)
        kept = tokens.hashed(secret)
        with self._lock:
            self._forget_if_revoked()
            info = self._known.get(kept)
            if info is None:
                info = self._known[kept] = self._store.bearer(secret)
        return tokens.demand_live(info, self._store.database.now())

    def _forget_if_revoked(self) -> None:
        stamp = self._watch.stamp()
        if stamp == self._stamp and len(self._known) <= _MOST:
            return
        revocations = self._store.revocations()
        if revocations != self._revocations or len(self._known) > _MOST:
            self._known = {}
        self._revocations, self._stamp = revocations, stamp


def _secret(authorization: str | None) -> str:
    kind, _, secret = (authorization or "").partition(" ")
    if kind.lower() != "bearer" or not secret.strip():
        raise AuthenticationError(
            "this registry wants a token: set PRESSMARK_TOKEN, or send Authorization: Bearer pm_…",
            hint="send Authorization: Bearer pm_…",
        )
    return secret.strip()
