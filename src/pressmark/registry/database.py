"""Opens the store's database and runs its transactions: the only module that knows SQLite from PostgreSQL.

Writers stand in one line. Each locks the registry's only row first, so numbers come out without gaps and in the order
in which they are committed. Readers see one moment and wait for nobody.
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from pressmark.address import told as url_told
from pressmark.errors import RegistryError, RegistryUnavailableError
from pressmark.prompts import GENESIS, Entry, Position
from pressmark.prompts.canonical import canonical_bytes
from pressmark.prompts.changelog import chained
from pressmark.prompts.entry import timestamp
from pressmark.registry import migrate, schema
from pressmark.registry.ownership import AdvisoryOwnership, FileOwnership, Ownership

CHANNEL = "pressmark"
BUSY_SECONDS = 10


@dataclass(slots=True)
class Transaction:
    """A write under way: its connection, its time and the end of the log.

    Attributes:
        connection: Holds the lock on the registry's row.
        now: The time that everything in it carries.
        position: Where the registry stood, then where it will stand.
        head: Hash of the newest entry.
    """

    connection: sa.Connection
    now: datetime
    position: Position
    head: str

    def append(self, kind: str, *, actor: str, reason: str, data: dict[str, Any]) -> Entry:
        """Add an entry to the change log and return it."""
        seq, text = self.position.seq + 1, canonical_bytes(data).decode()
        # Read back, so that whoever wrote it holds what everybody else will read, to the order of its keys.
        entry = chained(
            seq=seq, kind=kind, at=self.now, actor=actor, reason=reason, data=json.loads(text), previous=self.head
        )
        self.connection.execute(
            schema.log.insert().values(
                seq=seq,
                kind=kind,
                at=timestamp(self.now),
                actor=actor,
                reason=reason,
                data=text,
                previous=self.head,
                hash=entry.hash,
            )
        )
        self.connection.execute(schema.registry.update().values(seq=seq, head=entry.hash))
        self.position, self.head = self.position._replace(seq=seq), entry.hash
        return entry


class Database:
    """An open store.

    Args:
        url: `sqlite:///file`, a file's path, or `postgresql://…`.
        now: The clock.

    Raises:
        RegistryError: It is no registry, or a newer Pressmark's.
        RegistryUnavailableError: It cannot be opened.
    """

    def __init__(self, url: str | Path, *, now: Callable[[], datetime] | None = None) -> None:
        self.url = _parse(url)
        shown = self.url.set(drivername="postgresql").render_as_string(hide_password=True)
        self.where = shown if self.is_postgres else str(self.url.database)
        self.engine = self._engine()
        self.committed: list[Callable[[], None]] = []
        self.closing: list[Callable[[], None]] = []
        self._now = now or (lambda: datetime.now(UTC))
        self._writing = threading.Lock()
        self.ownership: Ownership = (
            AdvisoryOwnership(self.engine, self.where)
            if self.is_postgres
            else FileOwnership(Path(str(self.url.database)).absolute())
        )
        try:
            self._migrate()
        except BaseException:
            self.engine.dispose()
            raise

    @property
    def is_postgres(self) -> bool:
        """Whether it is PostgreSQL; else it is SQLite."""
        return self.url.get_backend_name() == "postgresql"

    def now(self) -> datetime:
        """Return the time by the store's clock, in UTC."""
        return self._now().astimezone(UTC)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Give a connection that sees one moment of the store.

        Raises:
            RegistryUnavailableError: The database does not answer.
        """
        with self._spoken("nothing was read"), self.engine.connect() as opened:
            moment = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True} if self.is_postgres else {}
            connection = opened.execution_options(**moment)
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Give a transaction that no other writer can cross; all of it is kept, or nothing.

        Raises:
            RegistryUnavailableError: The database does not answer, or is full; nothing was written.
        """
        with self._writing, self._spoken("nothing was changed"), self._writable() as connection:
            told = connection.execute(sa.select(schema.registry).with_for_update()).one()
            position = Position(told.registry, told.epoch, told.seq)
            yield Transaction(connection, self.now(), position, told.head)
            if self.is_postgres:
                connection.execute(sa.select(sa.func.pg_notify(CHANNEL, "")))
        for wake in tuple(self.committed):
            wake()

    def position(self, connection: sa.Connection) -> tuple[Position, str]:
        """Return where the registry stands, and the hash of its newest entry."""
        told = connection.execute(sa.select(schema.registry)).one()
        return Position(told.registry, told.epoch, told.seq), told.head

    def close(self) -> None:
        """Give the store back; whoever watches it stops."""
        for stop in tuple(self.closing):
            stop()
        self.ownership.release()
        self.engine.dispose()

    @contextmanager
    def _writable(self) -> Iterator[sa.Connection]:
        with self.engine.connect() as connection, connection.execution_options(pressmark_write=True).begin():
            yield connection

    def _migrate(self) -> None:
        with self._spoken("it was not opened"):
            with self.engine.connect() as connection:
                if migrate.current(connection, self.where) == migrate.newest():
                    return
            with self._writable() as connection:
                if self.is_postgres:
                    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": 0x6D696772})
                # Another process may have been quicker while this one waited.
                if migrate.current(connection, self.where) != migrate.newest():
                    migrate.upgrade(connection)
                if connection.execute(sa.select(schema.registry)).first() is None:
                    connection.execute(
                        schema.registry.insert().values(id=1, registry=str(uuid.uuid4()), epoch=1, seq=0, head=GENESIS)
                    )

    @contextmanager
    def _spoken(self, outcome: str) -> Iterator[None]:
        try:
            yield
        except sa.exc.DBAPIError as error:
            told = re.sub(r"\[Errno -?[0-9]+\] ", "", str(error.orig).strip().split("\n")[0])
            if "file is not a database" in told:
                raise RegistryError(
                    f"{self.where} is not a Pressmark registry (it is no SQLite file): choose another path",
                    code="not_a_registry",
                ) from error
            if not isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError):
                raise
            raise RegistryUnavailableError(
                f"the registry's database at {self.where} cannot be used ({told}), so {outcome}:"
                " check the disk or the database server, then try again",
                hint="try again in a moment",
            ) from error
        except sa.exc.TimeoutError as error:
            raise RegistryUnavailableError(
                f"the registry is busy (no free connection to {self.where}), so {outcome}: try again in a moment",
                hint="try again in a moment",
            ) from error

    def _engine(self) -> sa.Engine:
        if self.is_postgres:
            return sa.create_engine(self.url, pool_size=8, max_overflow=32, pool_pre_ping=True)
        engine = sa.create_engine(
            self.url,
            connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False, "isolation_level": None},
            pool_size=8,
            max_overflow=32,
        )
        sa.event.listen(engine, "connect", _prepare)
        sa.event.listen(engine, "begin", _begin)
        return engine

    def lone_connection(self) -> sa.Connection:
        """Return a connection outside the pool, for a watcher to keep."""
        return sa.create_engine(
            self.url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={} if self.is_postgres else {"timeout": BUSY_SECONDS, "check_same_thread": False},
        ).connect()


def _parse(url: str | Path) -> sa.URL:
    text = str(url)
    if "://" not in text:
        return _in_a_folder(sa.URL.create("sqlite", database=text))
    try:
        parsed = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise RegistryError(f"{url_told(text)} is not a registry's address: give a URL or a file's path") from error
    backend = parsed.get_backend_name()
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise RegistryError(
            f"a registry's store is SQLite or PostgreSQL, not {backend!r}: write sqlite:///file.db or postgresql://…"
        )
    if not parsed.database or parsed.database == ":memory:":
        raise RegistryError("a registry in memory would be lost: write sqlite:///file.db, with the file's path")
    return _in_a_folder(parsed)


def _in_a_folder(url: sa.URL) -> sa.URL:
    folder = Path(str(url.database)).absolute().parent
    if not folder.is_dir():
        raise RegistryError(f"the registry's file cannot be made: there is no folder {folder}; make it first")
    return url


def _prepare(connection: Any, record: object) -> None:
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    # A writer that begins as a reader can find its moment taken; one that begins as a writer waits its turn.
    immediate = connection.get_execution_options().get("pressmark_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
