"""DuckDB itself, started once in a process.

Starting it takes some 30 ms, in which thousands of functions are registered; attaching a file to one that runs takes
one. So it runs on an empty database in memory, and `connection` attaches the workspace for a moment at a time.

A forked child inherits its memory without its threads, and would hang or crash on it. So it is stopped before a fork,
once the other threads are done with it, and starts again where it is next needed.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

try:
    import duckdb
except ModuleNotFoundError as missing:
    raise ImportError(
        "a workspace needs duckdb, which is not installed: pip install 'pressmark[evals]'", name="duckdb"
    ) from missing

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection

__all__ = ["ENGINE", "Engine", "duckdb"]  # duckdb comes from here, so that one place says what to install

_LONGEST_WAIT: Final = 10.0
# Queries may come from anywhere a user copies them from; none of them fetches code from the network.
_SETTINGS: Final = (
    "set global timezone = 'UTC'",
    "set autoinstall_known_extensions = false",
    "set autoload_known_extensions = false",
)


class Engine:
    """The running DuckDB of this process, if there is one."""

    def __init__(self) -> None:
        self._guard = threading.Condition()
        self._root: Connection | None = None
        self._users: list[int] = []
        self._stopping = False

    @contextmanager
    def cursor(self) -> Iterator[Connection]:
        """Lend a connection of its own, starting DuckDB where it does not run."""
        me = threading.get_ident()
        with self._guard:
            # A thread that is inside already goes on: whoever stops waits for it.
            self._guard.wait_for(lambda: not self._stopping or me in self._users)
            if self._root is None:
                self._root = _start()
            cursor = self._root.cursor()
            self._users.append(me)
        try:
            yield cursor
        finally:
            cursor.close()
            with self._guard:
                self._users.remove(me)
                self._guard.notify_all()

    def discard(self) -> None:
        """After a fatal error, which DuckDB does not survive: whoever comes next starts it anew."""
        with self._guard:
            self._root = None

    def stop(self) -> None:
        """Before a fork: wait for other threads, stop DuckDB, and let nobody start it until `go_on`."""
        self._guard.acquire()
        self._stopping = True
        me = threading.get_ident()
        self._guard.wait_for(lambda: all(user == me for user in self._users), _LONGEST_WAIT)
        if self._root is not None and not self._users:
            self._root.close()
            self._root = None

    def go_on(self) -> None:
        """After a fork, in the parent."""
        self._stopping = False
        self._guard.notify_all()
        self._guard.release()

    def begin_anew(self) -> None:
        """After a fork, in the child."""
        if self._root is not None:
            # It was in use for longer than we waited. Its destructor would wait for threads that are not there.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._root))
        self._guard = threading.Condition()
        self._root = None
        self._users = []
        self._stopping = False

    @contextmanager
    def apart(self, path: Path) -> Iterator[Connection]:
        """Lend a DuckDB of its own over a file, which is closed for good at the end.

        One that is attached may be held by the transaction of any other thread that looked through all databases, and
        is written to when that ends: too late for a file that takes another name meanwhile.
        """
        with self.cursor():  # so that a fork waits for it
            own = _start(str(path))
            try:
                yield own
            finally:
                own.close()


def _start(path: str = ":memory:") -> Connection:
    root = duckdb.connect(path)
    for setting in _SETTINGS:
        root.execute(setting)
    # Where a large query spills to; else DuckDB would make a directory in the working directory. Not asked of tempfile,
    # which tries to write, and a workspace on a full disk can still be read.
    place = Path(os.environ.get("TMPDIR") or "/tmp") / f"pressmark-duckdb-{os.getpid()}"  # noqa: S108  DuckDB makes it
    root.execute("set temp_directory = ?", [str(place)])
    return root


ENGINE: Final = Engine()
os.register_at_fork(before=ENGINE.stop, after_in_parent=ENGINE.go_on, after_in_child=ENGINE.begin_anew)
