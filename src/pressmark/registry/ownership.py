"""Whether a server keeps the store: roles hold there, so others may not write past it.

The mark is a lock that the operating system drops with the process, kill -9 included: on a file beside a SQLite
database, an advisory lock in PostgreSQL. Several server processes share it.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from pressmark.errors import RegistryError

_ADVISORY = 0x70726573  # any fixed number does: it names the lock among those of this database


class Ownership(Protocol):
    """The mark of one store."""

    def take(self) -> None:
        """Mark the store as a server's until `release`."""

    def keep(self) -> None:
        """Take the mark again where it was taken and a lost connection has lost it."""

    def release(self) -> None:
        """Give it back; harmless where it was not taken."""

    def check(self, connection: sa.Connection) -> None:
        """Refuse a write, from within its transaction, where a server keeps the store and it is not this one.

        Raises:
            RegistryError: A server keeps it.
        """


def _served(where: str) -> RegistryError:
    return RegistryError(
        f"{where} belongs to a running server, so it was not written directly and nothing changed:"
        " use the server's URL and a token, or stop the server first",
        status=409,
        code="served",
        hint="use the server's URL and a token",
    )


class FileOwnership:
    """A lock on `<database>.server`."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._path = database.with_name(database.name + ".server")
        self._held: int | None = None

    def take(self) -> None:
        """Mark the store as a server's until `release`."""
        if self._held is None:
            self._held = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._held, fcntl.LOCK_SH)

    def keep(self) -> None:
        """Nothing to do: an open file keeps its lock."""

    def release(self) -> None:
        """Give it back; harmless where it was not taken."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def check(self, connection: sa.Connection) -> None:
        """Refuse a write where a server keeps the store and it is not this one."""
        if self._held is not None or not self._path.exists():
            return
        probe = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        try:
            # Embedded writers hold SQLite's write lock here, so one at a time probes: who is in the way is a server.
            fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _served(str(self._database)) from None
        finally:
            os.close(probe)


class AdvisoryOwnership:
    """A PostgreSQL advisory lock, held by a connection of its own."""

    def __init__(self, engine: sa.Engine, where: str) -> None:
        self._engine = engine
        self._where = where
        self._taken = False
        self._holding: sa.Connection | None = None

    def take(self) -> None:
        """Mark the store as a server's until `release`."""
        self._taken = True
        if self._holding is None:
            holding = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            holding.execute(sa.text("SELECT pg_advisory_lock_shared(:key)"), {"key": _ADVISORY})
            self._holding = holding

    def keep(self) -> None:
        """Take the mark again where it was taken and a lost connection has lost it."""
        if not self._taken:
            return
        try:
            if self._holding is not None:
                self._holding.execute(sa.text("SELECT 1"))
        except sa.exc.DBAPIError:
            self._drop()
        self.take()

    def release(self) -> None:
        """Give it back; harmless where it was not taken."""
        self._taken = False
        self._drop()

    def _drop(self) -> None:
        if self._holding is not None:
            # Not back into the pool: the lock goes with the connection.
            self._holding.invalidate()
            self._holding.close()
            self._holding = None

    def check(self, connection: sa.Connection) -> None:
        """Refuse a write where a server keeps the store and it is not this one."""
        if self._taken:
            return
        served = connection.execute(
            sa.text(
                "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = :key AND mode = 'ShareLock' AND granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            ),
            {"key": _ADVISORY},
        ).first()
        if served:
            raise _served(self._where)
