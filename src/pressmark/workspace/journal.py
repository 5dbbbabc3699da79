"""Answers on their way into the file, safe from the moment they arrive.

An answer was paid for, so it may not wait in memory for a batch. Each is appended at once, as a line of JSON and with
one `write`, to a journal beside the database (`prompts.duckdb.journal/`); what the operating system has taken survives
`kill -9`. About once a second a thread moves the new lines into DuckDB::

    journal = store.journal(run_id)
    with Drainer(store, journal):
        …journal.append(record)…

How far a journal was drained stands in DuckDB and changes in the same transaction as the rows, so no row comes twice or
gets lost, wherever the process dies. A journal belongs to the process that holds its `flock`, which the kernel gives
up with the process; whoever opens the workspace next drains the journals that nobody holds.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import re
import threading
import uuid
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pressmark.errors import WorkspaceError, WorkspaceFullError
from pressmark.evals.quickjson import dumps, loads
from pressmark.workspace import runs
from pressmark.workspace.batches import first

if TYPE_CHECKING:
    from pressmark.workspace.connection import Database

_log = logging.getLogger("pressmark.workspace")
_CHUNK: Final = 8 * 1024 * 1024
_PLAIN = re.compile(r"[^A-Za-z0-9._-]+")
_FULL: Final = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
_open: weakref.WeakSet[Journal] = weakref.WeakSet()


def _let_go() -> None:
    # flock goes with the open file, which a forked child shares: kept open there, it would outlive its owner.
    for journal in _open:
        journal._release()


os.register_at_fork(after_in_child=_let_go)


class Journal:
    """The journal of one run in one process.

    Attributes:
        path: The file. Its name is never used again: the database remembers by it how much was drained.
        run_id: The run that it belongs to.
    """

    def __init__(self, database_path: Path, run_id: str) -> None:
        self.run_id = run_id
        self._guard = threading.Lock()
        self._descriptor: int | None = None
        self._torn = False
        self._ended = False
        self._drained = 0
        self.path, self._descriptor = _create(directory_of(database_path), run_id)
        _open.add(self)

    def append(self, record: Mapping[str, Any]) -> None:
        """Keep a record; when this returns, killing the process no longer loses it. Safe from any thread.

        Raises:
            WorkspaceFullError: The disk is full; the record was not kept.
            WorkspaceError: The journal was closed.
        """
        line = dumps(record) + b"\n"
        with self._guard:
            if self._descriptor is None or self._ended:
                raise WorkspaceError(f"the journal of run {self.run_id!r} is closed: begin the run again")
            before = os.fstat(self._descriptor).st_size
            try:
                written = os.write(self._descriptor, b"\n" + line if self._torn else line)
            except OSError as error:
                if error.errno in _FULL:
                    self._refuse_full(error)
                raise
            if written < len(line) + self._torn:
                self._cut(before)
                self._refuse_full()
            self._torn = False

    def end(self) -> None:
        """Take no more records; what is there can still be drained."""
        with self._guard:
            self._ended = True

    def close(self) -> None:
        """Give the journal up; what was not drained yet is drained by whoever opens the workspace next."""
        with self._guard:
            self._release()

    def _release(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
        _open.discard(self)

    def _cut(self, size: int) -> None:
        assert self._descriptor is not None
        try:
            os.ftruncate(self._descriptor, size)
        except OSError:
            self._torn = True

    def _refuse_full(self, error: OSError | None = None) -> None:
        raise WorkspaceFullError(
            f"an answer of run {self.run_id!r} could not be kept in {self.path}: the disk is full or a size limit was"
            " met. What was kept before is safe: make room, then start the run again, which asks only what is missing",
            path=str(self.path),
        ) from error


def directory_of(database_path: Path) -> Path:
    """Return the directory that holds the journals of a database."""
    return database_path.with_name(database_path.name + ".journal")


def drain(database: Database, journal: Journal) -> int:
    """Move what is new in a journal of this process into the database and return how many records that was.

    Raises:
        WorkspaceError: The database could not be written; the journal keeps what it has.
    """
    moved = 0
    if journal._descriptor is None:
        return moved
    # What arrives meanwhile waits for the next time: else a quick run would keep the database busy without a pause.
    end = os.fstat(journal._descriptor).st_size
    while journal._descriptor is not None and journal._drained < end:
        drained, count = _move(database, journal._descriptor, journal.path, journal._drained)
        if drained == journal._drained:
            break
        journal._drained = drained
        moved += count
    return moved


def finish(database: Database, journal: Journal) -> None:
    """Drain a journal for the last time and delete it.

    Raises:
        WorkspaceError: The database could not be written; the journal stays and is drained when the workspace is
            opened next.
    """
    journal.end()  # first, so that nothing is appended behind the last look
    try:
        drain(database, journal)
        _delete(database, journal.path)
    finally:
        journal.close()


def recover(database: Database) -> int:
    """Drain and delete every journal that no living process holds; return how many records were saved.

    Raises:
        WorkspaceError: The database could not be written; the journals stay.
    """
    moved = 0
    for path in sorted(directory_of(database.path).glob("*.jsonl")):
        descriptor = _take(path)
        if descriptor is None:
            continue
        try:
            drained = 0
            while True:
                further, count = _move(database, descriptor, path, drained)
                if further == drained:
                    break
                drained = further
                moved += count
            _delete(database, path)
        finally:
            os.close(descriptor)
    return moved


def owned_runs(database_path: Path) -> set[str]:
    """Return the runs whose journal is held by a living process: those that are really running."""
    living = set()
    for path in directory_of(database_path).glob("*.jsonl"):
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            if not _lock(descriptor, fcntl.LOCK_SH):
                living.add(_run_of(path))
        finally:
            os.close(descriptor)
    return living


class Drainer:
    """Moves a journal into its database about once a second, on a thread of its own, until it is stopped.

    A database that is locked or full for a while delays it and loses nothing: the journal has everything.

    Attributes:
        error: What kept the last attempt from going well, or None.
    """

    def __init__(self, database: Database, journal: Journal, interval: float = 1.0) -> None:
        self.error: WorkspaceError | None = None
        self._database = database
        self._journal = journal
        self._interval = interval
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"pressmark-drain-{journal.run_id}", daemon=True)

    def start(self) -> Drainer:
        """Begin."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Move the rest, delete the journal and end the thread.

        Raises:
            WorkspaceError: The rest could not be moved; it stays in the journal, which is drained when the workspace is
                opened next.
        """
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        finish(self._database, self._journal)

    def __enter__(self) -> Drainer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stopping.wait(self._interval):
            try:
                drain(self._database, self._journal)
                self.error = None
            except WorkspaceError as error:
                self.error = error
                _log.warning("answers wait in %s: %s", self._journal.path, error)


def _create(directory: Path, run_id: str) -> tuple[Path, int]:
    while True:
        path = directory / f"{_PLAIN.sub('-', run_id)[:100]}~{uuid.uuid4().hex}.jsonl"
        try:
            directory.mkdir(exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        except FileNotFoundError:
            continue  # The last journal of another process took the directory with it just now.
        except OSError as error:
            raise WorkspaceError(
                f"the journal of run {run_id!r} could not be made in {directory} ({error.strerror}): make room, or see"
                " to the directory's permissions",
                path=str(directory),
            ) from error
        # Somebody who recovers journals may have found the new file before it was locked here.
        if _lock(descriptor, fcntl.LOCK_EX) and _is_there(path, descriptor):
            return path, descriptor
        os.close(descriptor)


def _take(path: Path) -> int | None:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    if _lock(descriptor, fcntl.LOCK_EX) and _is_there(path, descriptor):
        return descriptor
    os.close(descriptor)
    return None


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_there(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _run_of(path: Path) -> str:
    return path.name.rpartition("~")[0]


def _move(database: Database, descriptor: int, path: Path, known: int) -> tuple[int, int]:
    """Move whole lines from `known` on, a chunk at most; return how far the journal is drained now, and the records."""
    if _lines(descriptor, known) == b"":
        return known, 0
    with database.writing() as connection:
        row = first(connection, "select drained from journals where journal = ?", [path.name])
        start = row[0] if row else 0
        lines = _lines(descriptor, start)
        records = _records(lines)
        if records.good:
            runs.write(connection, records.batch)
        connection.execute(
            "insert into journals values (?, ?) on conflict do update set drained = excluded.drained",
            [path.name, start + len(lines)],
        )
        if records.bad:
            _set_aside(path, records.bad)
    return start + len(lines), records.good


def _lines(descriptor: int, start: int) -> bytes:
    """Return whole lines from `start` on, about a chunk of them; one that is torn or still being written stays."""
    size = _CHUNK
    while True:
        chunk = os.pread(descriptor, size, start)
        whole = chunk[: chunk.rfind(b"\n") + 1]
        if whole or len(chunk) < size:
            return whole
        size *= 2


class _Records(NamedTuple):
    batch: runs.Batch
    good: int
    bad: list[bytes]


def _records(lines: bytes) -> _Records:
    good: list[dict[str, Any]] = []
    bad: list[bytes] = []
    for line in filter(None, lines.split(b"\n")):
        try:
            good.append(loads(line))
        except ValueError:
            bad.append(line)
    try:
        return _Records(runs.prepare(good), len(good), bad)
    except WorkspaceError:
        # One of them would keep all the others out, now and for ever: each is tried alone.
        told = [(record, _fits(record)) for record in good]
        fitting = [record for record, fits in told if fits]
        bad += [dumps(record) for record, fits in told if not fits]
        return _Records(runs.prepare(fitting), len(fitting), bad)


def _fits(record: dict[str, Any]) -> bool:
    try:
        runs.prepare([record])
    except WorkspaceError:
        return False
    return True


def _set_aside(path: Path, lines: list[bytes]) -> None:
    """Keep lines that are no outputs beside the journal, since they may have been paid for."""
    aside = path.with_suffix(".left-out")
    with aside.open("ab") as file:
        file.write(b"\n".join(lines) + b"\n")
    _log.warning("%d lines of a journal are no outputs; they were set aside in %s", len(lines), aside)


def _delete(database: Database, path: Path) -> None:
    path.unlink(missing_ok=True)
    with database.writing() as connection:
        connection.execute("delete from journals where journal = ?", [path.name])
    with suppress(OSError):  # Other journals may be in it.
        path.parent.rmdir()
