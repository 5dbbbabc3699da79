"""The contract, on the embedded store (SQLite and PostgreSQL) and over HTTP."""

from __future__ import annotations

from .contract import RegistryContract


class TestRegistry(RegistryContract):
    """The fixture `registry` brings every implementation."""
