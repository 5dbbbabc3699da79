"""The DuckDB file, opened for one operation at a time.

One process may have a DuckDB file open for writing, and then nobody else may even read it. So every operation opens
the file (attaches it to the `engine` of the process), does its work in one transaction and closes, and whoever finds it
locked tries again a little later, at a random moment, until a deadline. That lets several kernels and a shell work on
one file, as long as each operation is short::

    with database.writing() as connection:
        connection.execute("insert into …")

This is the only module that opens the file, and nothing else may: on Linux a process loses its lock on a file as soon
as it closes *any* handle to it, so reading even one byte of it from another place would let a second writer in.
"""

from __future__ import annotations

import fcntl
import os
import random
import re
import stat
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from pressmark.errors import (
    WorkspaceError,
    WorkspaceFormatError,
    WorkspaceFullError,
    WorkspaceLockedError,
    WorkspaceVersionError,
)
from pressmark.workspace.engine import ENGINE, duckdb

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection

DEADLINE: Final = 30.0
# An attempt costs half a millisecond. Frequent ones find the gaps that a busy process leaves between its operations.
_FIRST_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.03
_HOLDER = re.compile(r"held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")
_FULL = ("no space left", "file too large", "disk quota", "not enough space", "could not write all bytes")
_DAMAGED = (
    "corrupt",
    "checksum",
    "failure while replaying wal",
    "deserialize",
    "block was written with",
    "fatal error",
)

# Where DuckDB keeps its headers: whatever is written to a file ends up changing one of them, or in the write-ahead log.
_HEADERS: Final = 3 * 4096

# Threads of one process share DuckDB's instance of a file, and the lock with it: were they let in side by side, the
# instance might never close and other processes never get a turn.
_turns: dict[str, threading.RLock] = {}
_turns_guard = threading.Lock()


def _forget_turns() -> None:
    # A forked child must not wait for a thread that exists in its parent only.
    global _turns_guard  # noqa: PLW0603  a lock that another thread held at the fork cannot be freed, only replaced
    _turns.clear()
    _turns_guard = threading.Lock()


os.register_at_fork(after_in_child=_forget_turns)


class Compacted(NamedTuple):
    """What compacting came to, or would come to.

    Attributes:
        before: Bytes of the file before it.
        after: Bytes of the file after it.
    """

    before: int
    after: int


class Database:
    """A workspace file; every use of it opens and closes it.

    Attributes:
        path: The file, with links resolved.
        deadline: Seconds to wait for another process before giving up.
        check: Called at the beginning of each transaction; what it raises keeps the transaction from happening.
    """

    def __init__(self, path: str | os.PathLike[str], *, deadline: float = DEADLINE) -> None:
        self.path = Path(os.path.realpath(Path(path).expanduser()))
        self.deadline = deadline
        self.check: Callable[[Connection], None] | None = None
        self._apart: Connection | None = None
        # Several workspaces of one process may be attached at a time.
        self._alias = "workspace_" + sha256(str(self.path).encode("utf-8", "surrogateescape")).hexdigest()[:12]

    def exists(self) -> bool:
        """Say whether there is something at the path.

        Raises:
            WorkspaceError: The directory may not be looked into.
        """
        try:
            return self.path.exists()
        except OSError as error:
            raise WorkspaceError(
                f"{self.path} cannot be reached ({error.strerror}): see to the permissions of its directory",
                path=str(self.path),
            ) from error

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Make the file and work on it with a DuckDB of its own; at the end all of it is in the file, and that closed.

        Raises:
            WorkspaceError: It can't be made.
        """
        with self._translated(), ENGINE.apart(self.path) as own:
            self._apart = own
            try:
                yield
            finally:
                self._apart = None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open the file for a transaction that is committed at the end, or rolled back on any exception.

        Raises:
            WorkspaceError: The file is missing, locked, full, damaged or of another kind; nothing was written.
        """
        with self._transaction("begin transaction") as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open the file for a transaction that cannot write.

        Raises:
            WorkspaceError: As `writing`.
        """
        with self._transaction("begin transaction read only") as connection:
            yield connection

    def weigh(self) -> Compacted:
        """Say what compacting would come to, by the blocks in which nothing is left.

        Raises:
            WorkspaceError: As `reading`.
        """
        with self.reading() as connection:
            asked = (
                "select block_size * free_blocks from pragma_database_size() where database_name = current_database()"
            )
            free = int(connection.execute(asked).fetchall()[0][0])
        size = self.path.stat().st_size
        return Compacted(size, max(0, size - free))

    def compact(self) -> Compacted:
        """Put a fresh copy in the file's place, in which nothing is left of what was deleted.

        The copy is made while nobody else gets in. Then the file is let go and locked again by hand, since its lock
        goes when DuckDB closes it; where anybody wrote in between, all begins anew. The copy takes the name at one
        stroke, and whoever held on to the old file finds it unreadable instead of writing where nobody looks.

        Raises:
            WorkspaceError: As `writing`; the file is as it was.
        """
        limit = time.monotonic() + self.deadline
        with self._turn(limit), ENGINE.cursor() as keeper:
            while True:
                try:
                    done = self._swapped(keeper, limit)
                except OSError as error:
                    raise WorkspaceError(
                        f"{self.path} could not be compacted ({error.strerror or error}) and is as it was: see to the"
                        " room on the disk and the directory's permissions, then try again",
                        path=str(self.path),
                    ) from error
                if done is not None:
                    return done
                if time.monotonic() > limit:
                    raise WorkspaceLockedError(
                        f"{self.path} was written by other processes all the time for {self.deadline:g} s, so it could"
                        " not be compacted and is as it was: try again when they rest",
                        path=str(self.path),
                    )

    def _swapped(self, keeper: Connection, limit: float) -> Compacted | None:
        """Copy and swap; None where another process came in between."""
        if (own := self._attach(keeper, limit)) is not None:
            own.close()
            raise WorkspaceLockedError(
                f"{self.path} is open in this very process by a DuckDB connection of its own: close that, then compact",
                path=str(self.path),
                pid=os.getpid(),
            )
        fresh = self.path.with_name(f".{self.path.name}.{uuid.uuid4().hex}.compact")
        descriptor: int | None = None
        try:
            try:
                with self._translated():
                    for left in self.path.parent.glob(f".{self.path.name}.*.compact*"):
                        left.unlink(missing_ok=True)  # a process that compacted was killed
                    keeper.execute(f"checkpoint {self._alias}")
                    # To be closed last: closing any handle gives up every lock that this process has on the file.
                    descriptor = os.open(self.path, os.O_RDWR)
                    headers = os.pread(descriptor, _HEADERS, 0)
                    self._copy(keeper, fresh)
            finally:
                with suppress(duckdb.Error):
                    keeper.execute(f"detach {self._alias}")
            if not self._seized(descriptor) or os.pread(descriptor, _HEADERS, 0) != headers:
                return None
            sizes = Compacted(os.fstat(descriptor).st_size, fresh.stat().st_size)
            fresh.chmod(stat.S_IMODE(os.fstat(descriptor).st_mode))
            _settle(fresh)
            fresh.replace(self.path)
            _settle(self.path.parent)
            os.pwrite(descriptor, bytes(_HEADERS), 0)
            return sizes
        finally:
            for path in (fresh, fresh.with_name(fresh.name + ".wal")):
                path.unlink(missing_ok=True)
            if descriptor is not None:
                os.close(descriptor)

    def _copy(self, keeper: Connection, fresh: Path) -> None:
        """Copy every table and view into a new file, and count what arrived."""
        copy = f"{self._alias}_fresh"
        place = str(fresh).replace("'", "''")
        keeper.execute(f"attach '{place}' as {copy} (type duckdb)")
        try:
            keeper.execute(f"copy from database {self._alias} to {copy}")
            # Not left to the detaching: another thread's transaction may put that off, and the file takes its new name.
            keeper.execute(f"checkpoint {copy}")
            for (table,) in keeper.execute(
                "select table_name from duckdb_tables() where database_name = ?", [self._alias]
            ).fetchall():
                counts = [
                    keeper.execute(f'select count(*) from {each}."{table}"').fetchall() for each in (self._alias, copy)
                ]
                if counts[0] != counts[1]:
                    raise WorkspaceError(
                        f"the copy of {self.path} lacks rows of {table}, so the file stays as it was: report this",
                        path=str(self.path),
                    )
        finally:
            keeper.execute(f"detach {copy}")

    def _seized(self, descriptor: int) -> bool:
        """Lock the file as DuckDB does; False where another process has it, or left something in the log."""
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        log = self.path.with_name(self.path.name + ".wal")
        return not (log.exists() and log.stat().st_size)

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Connection]:
        with self._translated(), self._open() as connection:
            connection.execute(begin)
            try:
                if self.check:
                    self.check(connection)
                yield connection
                connection.execute("commit")
            except BaseException:
                # After a fatal error there is no transaction left to end; closing drops what it did.
                with suppress(duckdb.Error):
                    connection.execute("rollback")
                raise

    @contextmanager
    def _open(self) -> Iterator[Connection]:
        limit = time.monotonic() + self.deadline
        with self._turn(limit), ENGINE.cursor() as keeper:
            own = self._apart.cursor() if self._apart else self._attach(keeper, limit)
            connection = own or keeper.cursor()
            try:
                if own is None:
                    connection.execute(f"use {self._alias}")
                yield connection
            finally:
                with suppress(duckdb.Error):
                    connection.close()
                if own is None:
                    # Where this cannot fold the write-ahead log into the file, the next opening does.
                    with suppress(duckdb.Error):
                        keeper.execute(f"detach {self._alias}")

    @contextmanager
    def _turn(self, limit: float) -> Iterator[None]:
        with _turns_guard:
            turn = _turns.setdefault(str(self.path), threading.RLock())
        try:
            if not turn.acquire(timeout=max(0.0, limit - time.monotonic())):
                self._refuse_busy()
            yield
        finally:
            # Asked, because an interrupt may come between the taking and the knowing of it.
            if turn._is_owned():  # type: ignore[attr-defined]  # the only way to ask
                turn.release()

    def _attach(self, keeper: Connection, limit: float) -> Connection | None:
        """Attach the file; where the user has it open in this process already, return a connection to that."""
        pause = _FIRST_PAUSE
        place = str(self.path).replace("'", "''")
        while True:
            if not self.exists():
                raise WorkspaceError(
                    f"{self.path} is not there any more: it was moved or deleted. Open the workspace again at its"
                    " new place",
                    path=str(self.path),
                )
            try:
                keeper.execute(f"attach '{place}' as {self._alias} (type duckdb)")
            except duckdb.Error as error:
                told = str(error).lower()
                if f'by database "{self._alias}"' in told:
                    # An interrupt came right after an attaching, and since it is our turn, nobody uses it. Or it was
                    # detached a moment ago, and DuckDB has let go of its name but not yet of its file.
                    with suppress(duckdb.Error):
                        keeper.execute(f"detach {self._alias}")
                    if time.monotonic() + pause > limit:
                        self._refuse_busy()
                    time.sleep(pause)
                    continue
                if "unique file handle conflict" in told:
                    with self._translated():
                        return duckdb.connect(str(self.path))
                if "could not set lock" not in told:
                    self._refuse(error)
                if time.monotonic() + pause > limit:
                    self._refuse_locked(error)
            else:
                return None
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  it spreads attempts, it hides nothing
            pause = min(pause * 2, _LONGEST_PAUSE)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            self._refuse(error)
        except RuntimeError as error:
            # One of the things that DuckDB makes of a Ctrl-C; `_refuse` knows the others.
            if "query interrupted" in str(error).lower():
                raise KeyboardInterrupt from error
            raise

    def _refuse_busy(self) -> NoReturn:
        raise WorkspaceLockedError(
            f"{self.path} has been in use by another thread of this process for {self.deadline:g} s: wait for it to"
            " finish, then try again",
            path=str(self.path),
            pid=os.getpid(),
        )

    def _refuse_locked(self, error: duckdb.Error) -> NoReturn:
        held = _HOLDER.search(str(error))
        holder = f"{held['program']} (process {held['pid']})" if held else "another process"
        raise WorkspaceLockedError(
            f"{self.path} is locked by {holder} and was not free for {self.deadline:g} s. Pressmark shares the file"
            " by opening it only for moments; a DuckDB connection or shell that stays open keeps everyone out: close"
            " it there, then try again",
            path=str(self.path),
            pid=int(held["pid"]) if held else None,
        ) from error

    def _refuse(self, error: duckdb.Error) -> NoReturn:
        text = str(error)
        if "KeyboardInterrupt" in text or isinstance(error, duckdb.InterruptException):
            raise KeyboardInterrupt from error
        told = text.lower()
        facts: dict[str, Any] = {"path": str(self.path)}
        if "fatal" in told or "invalidated" in told:
            ENGINE.discard()
        elsewhere = "during detach failed" in told and self._alias not in told
        if elsewhere or "invalidated because of a previous fatal error" in told:
            raise WorkspaceError(
                f"DuckDB stopped while {self.path} was in use, over another file that is damaged, and nothing was"
                " changed here: try again",
                **facts,
            ) from error
        if any(sign in told for sign in _FULL):
            raise WorkspaceFullError(
                f"{self.path} could not be written: the disk is full or a size limit was met ({_first_line(text)})."
                " Nothing of this was saved, and what was saved before is safe: make room, then try again",
                **facts,
            ) from error
        if "not a valid duckdb database" in told:
            raise WorkspaceFormatError(
                f"{self.path} is not a DuckDB file, so it cannot be a workspace. It was left as it is: give another"
                " path, or move it away to begin a new workspace there",
                **facts,
            ) from error
        if "is a directory" in told:
            raise WorkspaceFormatError(
                f"{self.path} is a directory: give the path of a file in it, such as {self.path / 'prompts.duckdb'}",
                **facts,
            ) from error
        if "permission denied" in told or "read-only file system" in told:
            raise WorkspaceError(
                f"{self.path} may not be opened for writing ({_first_line(text)}). A workspace is always written to:"
                " change the permissions of the file and its directory, or copy it to where you may write",
                **facts,
            ) from error
        if "different configuration" in told:
            raise WorkspaceLockedError(
                f"{self.path} is open in this very process with other settings (read-only, perhaps): close that"
                " DuckDB connection, then try again",
                pid=os.getpid(),
                **facts,
            ) from error
        if "version number" in told or "newer version of duckdb" in told:
            raise WorkspaceVersionError(
                f"{self.path} was written by another version of DuckDB than the {duckdb.__version__} installed here"
                f" ({_first_line(text)}): upgrade with pip install -U duckdb",
                **facts,
            ) from error
        if any(sign in told for sign in _DAMAGED):
            raise WorkspaceFormatError(
                f"{self.path} is damaged and cannot be read ({_first_line(text)}): restore it from a backup",
                **facts,
            ) from error
        raise WorkspaceError(
            f"the workspace {self.path} could not do this, and nothing was changed: {_first_line(text)}", **facts
        ) from error


def _settle(path: Path) -> None:
    """Have the disk keep what was written, or a directory's entries."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
