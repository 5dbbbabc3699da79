"""The registry: published versions, labels, the change log, and the decision on every label move.

- `RegistryBackend` is the interface, `values` what it takes and gives.
- `Remote` speaks to a registry over HTTP.
- `store.Store` is the registry itself, on SQLite or PostgreSQL.
- `server` puts a store behind HTTP: `create_app`, `serve`, `running`.

`store` and `server` are not loaded from here: who only talks to a registry needs no database driver and no web server.
"""

from __future__ import annotations

from pressmark.registry.backend import RegistryBackend
from pressmark.registry.values import (
    ROLES,
    UNSET,
    Event,
    Move,
    NewToken,
    Principal,
    PromptSummary,
    Published,
    Refusal,
    TokenInfo,
    Verification,
)

__all__ = [
    "ROLES",
    "UNSET",
    "Event",
    "Move",
    "NewToken",
    "Principal",
    "PromptSummary",
    "Published",
    "Refusal",
    "RegistryBackend",
    "TokenInfo",
    "Verification",
]
