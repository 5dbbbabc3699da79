"""Learning that the store may have changed, in this process or in another one."""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import Any, Final, Protocol

import sqlalchemy as sa

from pressmark.registry.database import CHANNEL, Database

POLL: Final = 0.01
"""Seconds between two looks at a SQLite file: `PRAGMA data_version` costs a few microseconds."""
DOUBT: Final = 5.0
"""Seconds after which a PostgreSQL store counts as changed though nobody said so: a notification can get lost."""


class Watch(Protocol):
    """Waits for changes of one store; any thread may ask for the stamp, one waits. It closes with the store."""

    @property
    def closed(self) -> bool:
        """Whether it was closed."""

    def stamp(self) -> object:
        """Return what differs from an earlier stamp once the store has changed since."""

    def wait(self, seconds: float) -> None:
        """Return once something may have changed, at the latest after `seconds`."""

    def close(self) -> None:
        """Stop watching; whoever waits returns soon."""


def watch(database: Database) -> Watch:
    """Return a watch of the store."""
    return _PostgresWatch(database) if database.is_postgres else _SqliteWatch(database)


class _SqliteWatch:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._connection = database.lone_connection()
        self._cursor: Any = self._connection.connection.cursor()
        self._wake = threading.Event()
        self.closed = False
        self._seen = self.stamp()
        database.committed.append(self._wake.set)
        database.closing.append(self.close)

    def stamp(self) -> object:
        """Return SQLite's own counter of what others have committed; every writer has another connection."""
        with self._lock:
            if self.closed:
                return None
            try:
                return self._cursor.execute("PRAGMA data_version").fetchone()
            except sqlite3.Error:
                return object()  # equal to no other: whoever asked looks for himself

    def wait(self, seconds: float) -> None:
        """Return once something may have changed, at the latest after `seconds`."""
        for _ in range(max(1, round(seconds / POLL))):
            woken = self._wake.wait(POLL)
            stamp = self.stamp()
            if woken or stamp != self._seen or self.closed:
                self._wake.clear()
                self._seen = stamp
                return

    def close(self) -> None:
        """Stop watching; whoever waits returns soon."""
        with self._lock:
            if self.closed:
                return
            self.closed = True
            self._connection.close()
        self._database.committed.remove(self._wake.set)
        self._database.closing.remove(self.close)
        self._wake.set()


class _PostgresWatch:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: sa.Connection | None = None
        self._waiting = threading.Lock()
        self.closed = False
        self._count = 0
        database.committed.append(self._counted)
        database.closing.append(self.close)

    def stamp(self) -> object:
        """Return how often something changed, and a slow clock in case that nobody said so."""
        return self._count, int(time.monotonic() / DOUBT)

    def wait(self, seconds: float) -> None:
        """Return once something may have changed, at the latest after `seconds`."""
        until = time.monotonic() + seconds
        with self._waiting:
            while not self.closed and time.monotonic() < until:
                if self._heard(min(0.2, max(0.0, until - time.monotonic()))):
                    self._counted()
                    return

    def close(self) -> None:
        """Stop watching; whoever waits returns soon."""
        if self.closed:
            return
        self.closed = True
        self._database.committed.remove(self._counted)
        self._database.closing.remove(self.close)
        with self._waiting:
            if self._connection is not None:
                self._connection.close()

    def _heard(self, seconds: float) -> bool:
        import psycopg

        try:
            if self._connection is None:
                self._connection = self._database.lone_connection()
                self._connection.exec_driver_sql(f"LISTEN {CHANNEL}")
                return True  # what happened before it listened is looked up once
            driver: Any = self._connection.connection.driver_connection
            return any(True for _ in driver.notifies(timeout=seconds, stop_after=1))
        except (sa.exc.DBAPIError, psycopg.Error):
            self._connection = None
            time.sleep(seconds)
            return False

    def _counted(self) -> None:
        self._count += 1
