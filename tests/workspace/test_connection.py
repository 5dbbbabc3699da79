"""Opening the file: what stands in the way, and what is said about it."""

from __future__ import annotations

import itertools
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pressmark.errors import WorkspaceError, WorkspaceFormatError, WorkspaceLockedError
from pressmark.evals import Dataset
from pressmark.prompts import Unit
from pressmark.workspace import Store, migrations
from pressmark.workspace.connection import Database
from pressmark.workspace.engine import ENGINE


@contextmanager
def held(path: Path, seconds: str = "600") -> Iterator[subprocess.Popen[str]]:
    """A foreign process that keeps the file open for writing."""
    script = f"import duckdb, time; c = duckdb.connect({str(path)!r}); print(1, flush=True); time.sleep({seconds})"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def test_a_locked_file_names_who_holds_it(store: Store, path: Path) -> None:
    """After the deadline the error names the program and process that keep the file, and what to do."""
    impatient = Store(path, deadline=0.3)
    with held(path) as holder:
        begin = time.monotonic()
        with pytest.raises(WorkspaceLockedError, match=f"process {holder.pid}.*close it there") as caught:
            impatient.prompts()
        assert time.monotonic() - begin < 5
        assert caught.value.facts["pid"] == holder.pid
        with pytest.raises(WorkspaceLockedError):
            Store(path, deadline=0.1)
    assert store.prompts().empty


def test_a_lock_that_ends_in_time_is_waited_for(store: Store, path: Path, unit: Callable[[str], Unit]) -> None:
    """A call that finds the file locked goes through as soon as the other process is done with it."""
    with held(path, "0.7"):
        assert store.save_version("p", unit("a")).version.number == 1


def test_nothing_is_kept_open(store: Store, path: Path, unit: Callable[[str], Unit]) -> None:
    """Between two calls anybody may open the file, and no handle to it stays behind."""
    store.save_version("p", unit("a"))
    with pytest.raises(WorkspaceError) as caught:
        store.sql("select nowhere from versions")
    assert caught.value.__traceback__  # which keeps alive whatever the failed call had in its hands
    with held(path):
        pass
    assert not [link for link in Path("/proc/self/fd").iterdir() if _target(link) == str(path)]


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return ""


def test_a_connection_of_ones_own_does_no_harm(store: Store, path: Path, unit: Callable[[str], Unit]) -> None:
    """In one process, a plain DuckDB connection and the workspace work side by side; a read-only one is named."""
    with duckdb.connect(str(path)) as own:
        store.save_version("p", unit("a"))
        assert own.execute("select count(*) from versions").fetchall() == [(1,)]
    with duckdb.connect(str(path), read_only=True), pytest.raises(WorkspaceLockedError, match="this very process"):
        store.prompts()
    assert len(store.prompts()) == 1


def test_a_thread_that_takes_too_long_is_told_apart(path: Path) -> None:
    """A thread waits for another one of its process at most until the deadline."""
    Store(path)
    database, impatient = Database(path), Database(path, deadline=0.2)
    inside, done = threading.Event(), threading.Event()

    def hold() -> None:
        with database.writing():
            inside.set()
            done.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(30)
    try:
        with pytest.raises(WorkspaceLockedError, match="another thread"), impatient.reading():
            pass
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("content", [b"name,text\n", b"SQLite format 3\0" + bytes(4096), b"", os.urandom(20_000)])
def test_a_file_of_another_kind_is_left_alone(path: Path, content: bytes) -> None:
    """A file that DuckDB did not write is refused in words and stays as it was."""
    path.write_bytes(content)
    with pytest.raises(WorkspaceFormatError, match="not a DuckDB file"):
        Store(path)
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_a_directory_is_no_workspace(tmp_path: Path) -> None:
    """A directory in the place of the file is refused with a path that would do."""
    with pytest.raises(WorkspaceFormatError, match="is a directory"):
        Store(tmp_path)
    with pytest.raises(WorkspaceError, match="no directory"):
        Store(tmp_path / "nowhere" / "prompts.duckdb")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_went_away_is_not_made_again(store: Store, path: Path) -> None:
    """A workspace whose file was moved says so, and does not begin an empty one in its place."""
    moved = path.rename(path.with_suffix(".moved"))
    with pytest.raises(WorkspaceError, match="not there any more"):
        store.prompts()
    assert not path.exists()
    assert Store(moved).prompts().empty


def test_a_lone_write_ahead_log_is_not_trampled(path: Path) -> None:
    """Where the file is missing and its log is there, nothing new is begun: the log may hold what was saved last."""
    log = path.with_name(path.name + ".wal")
    log.write_bytes(b"precious")
    with pytest.raises(WorkspaceFormatError, match="write-ahead log"):
        Store(path)
    assert log.read_bytes() == b"precious"
    assert not path.exists()


def test_a_damaged_file_is_refused(store: Store, path: Path, unit: Callable[[str], Unit]) -> None:
    """A file whose middle was overwritten gives one error of the workspace, whatever DuckDB makes of it."""
    store.save_version("p", unit("a"))
    data = bytearray(path.read_bytes())
    data[4096 : len(data) // 2] = os.urandom(len(data) // 2 - 4096)
    path.write_bytes(data)
    with pytest.raises(WorkspaceError):
        Store(path).prompts()


AS_NOBODY = """
import os, sys
from pathlib import Path
from pressmark.errors import PressmarkError
from pressmark.workspace import Store, import_rows
import pandas
os.setegid(65534); os.seteuid(65534)
try:
    Store(sys.argv[1]).prompts()
except PressmarkError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody without permissions")
@pytest.mark.parametrize("kind", ["file", "directory", "closed directory"])
def test_a_file_that_may_not_be_written_is_named(kind: str) -> None:
    """No permission for the file or its directory is one clear error."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "prompts.duckdb"
        Path(directory).chmod(0o700 if kind == "closed directory" else 0o755)
        if kind == "file":
            Store(path)
            path.chmod(stat.S_IRUSR)
        told = subprocess.run([sys.executable, "-c", AS_NOBODY, path], capture_output=True, text=True, check=True)
        assert told.stdout.startswith("WorkspaceError")
        assert "permissions" in told.stdout
        assert len(list(Path(directory).iterdir())) == (kind == "file")


def test_a_link_leads_to_the_same_workspace(store: Store, path: Path, unit: Callable[[str], Unit]) -> None:
    """Two names of one file are one workspace, to its journals too."""
    link = path.with_name("link.duckdb")
    link.symlink_to(path)
    other = Store(link)
    other.save_version("p", unit("a"))
    assert other.path == store.path
    assert len(store.versions("p")) == 1


def test_an_interrupt_at_the_worst_moment_locks_nobody_out(store: Store, path: Path) -> None:
    """A file that an interrupted call left attached is given back by the next call of the process."""
    database = Database(path)
    with ENGINE.cursor() as keeper:
        database._attach(keeper, time.monotonic() + 10)
    assert store.prompts().empty
    with held(path):
        pass


def test_interrupts_at_any_moment_harm_nothing(store: Store, path: Path, unit: Callable[[str], Unit]) -> None:
    """A call that is interrupted over and over either happened or did not, and the file stays free."""
    store.save_version("p", unit("before"))
    happened = 1
    for turn in range(15):
        with suppress(KeyboardInterrupt):
            threading.Timer(0.004 * turn, os.kill, (os.getpid(), signal.SIGINT)).start()
            store.save_version("p", unit(f"turn {turn}"))
            happened += 1
            for _ in range(1000):  # the interrupt is on its way and ends this
                time.sleep(0.01)
    saved = store.versions("p")
    assert [version.number for version in saved] == list(range(len(saved), 0, -1))
    assert len(saved) >= happened
    with held(path):
        pass


def test_two_files_at_once_in_one_process(tmp_path: Path) -> None:
    """While one is worked on, the other is opened and closed: DuckDB lets go of its name before it does of its file."""
    files = [tmp_path / "one.duckdb", tmp_path / "other.duckdb"]
    failed: list[Exception] = []

    def work(file: Path, name: str) -> None:
        for number in range(60):
            try:
                Store(file).save_dataset(Dataset.of(name, [{"n": number}]))
            except Exception as error:
                failed.append(error)

    threads = [threading.Thread(target=work, args=(file, name)) for file in files for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [len(Store(file).dataset_versions(name)) for file in files for name in ("a", "b", "c")] == [60] * 6


def test_a_new_file_is_whole_whoever_looks_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that looked through all databases holds on to them: a file that was made meanwhile is not its."""
    one = Store(tmp_path / "one.duckdb")
    last, made = migrations.MIGRATIONS[-1], []
    with Database(one.path).reading() as elsewhere:

        def step(connection: Any) -> None:
            last(connection)
            elsewhere.execute("select * from duckdb_tables()").fetchall()
            made.append(connection.execute("select current_database()").fetchall())

        monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS[:-1], step))
        other = Store(tmp_path / "other.duckdb", deadline=2)
        for number in range(10):
            other.save_dataset(Dataset.of("rows", [{"n": number, "text": "x" * 5000}] * 50))
    assert len(made) == 1  # each step once: none was lost with a log that nobody folded in
    assert len(Store(other.path).dataset_versions("rows")) == 10


def test_a_file_that_another_transaction_holds_on_to_is_in_use(tmp_path: Path) -> None:
    """It is waited for, and after the deadline told as what it is: not as damage."""
    one, other = Store(tmp_path / "one.duckdb"), Store(tmp_path / "other.duckdb")
    with Database(one.path).reading() as elsewhere:
        with Database(other.path).reading():
            elsewhere.execute("select * from duckdb_tables()").fetchall()
        with (
            pytest.raises(WorkspaceLockedError, match=r"in use by another thread of this process for 0\.3 s: wait"),
            Database(other.path, deadline=0.3).reading(),
        ):
            pass
    with Database(other.path).reading() as free:
        assert free.execute("select 1").fetchall() == [(1,)]


def test_a_compacted_file_is_whole_whoever_looks_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same while the copy is made: all of it is in the file before that takes its name."""
    one, other = Store(tmp_path / "one.duckdb"), Store(tmp_path / "other.duckdb")
    other.save_dataset(Dataset.of("rows", [{"n": number} for number in range(5)]))
    copy, left = Database._copy, []

    def watched(self: Database, keeper: Any, fresh: Path) -> None:
        class Watched:
            def execute(self, sql: str, *given: Any) -> Any:
                if sql.startswith("detach"):
                    elsewhere.execute("select * from duckdb_tables()").fetchall()
                return keeper.execute(sql, *given)

        copy(self, Watched(), fresh)  # type: ignore[arg-type]
        log = fresh.with_name(fresh.name + ".wal")
        left.append(log.stat().st_size if log.exists() else 0)

    monkeypatch.setattr(Database, "_copy", watched)
    with Database(one.path).reading() as elsewhere:
        other.compact()
    assert left == [0]
    assert len(Store(other.path).dataset("rows").rows) == 5


def test_a_damaged_file_harms_no_other(tmp_path: Path) -> None:
    """DuckDB does not survive some damage: it is started anew for the other files, and for the one from the backup."""
    good, bad = Store(tmp_path / "good.duckdb"), Store(tmp_path / "bad.duckdb")
    good.save_dataset(Dataset.of("kept", [{"n": 1}]))
    rows = [{"text": f"{number} " * 50, "label": "x"} for number in range(5000)]
    bad.save_dataset(Dataset.of("inbox", rows))
    whole, block, head = bad.path.read_bytes(), 262144, 3 * 4096
    places = range(head, len(whole) - block + 1, block)
    told = ""
    for to, come in itertools.product(places, places):
        bad.path.write_bytes(whole[:to] + whole[come : come + block] + whole[to + block :])
        try:
            Store(bad.path).dataset("inbox")
        except WorkspaceError as error:
            told = str(error)
        if "FATAL" in told:
            break
    assert "is damaged and cannot be read" in told
    assert "FATAL" in told
    assert len(good.dataset("kept")) == 1
    bad.path.write_bytes(whole)
    assert len(bad.dataset("inbox")) == 5000
