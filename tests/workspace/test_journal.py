"""The journal: an answer that was appended is never lost, and never there twice."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pressmark.errors import WorkspaceError, WorkspaceFullError, WorkspaceLockedError
from pressmark.workspace import Journal, Store, journal

A = "sha256:" + "a" * 64
Records = Callable[..., dict[str, Any]]


def _rows(store: Store, run_id: str = "run-1") -> list[int]:
    found: list[int] = store.sql(f"select row from outputs where run_id = '{run_id}' order by row")["row"].tolist()
    return found


def _journals(path: Path) -> list[Path]:
    return sorted(path.with_name(path.name + ".journal").glob("*.jsonl"))


def _until(condition: Callable[[], bool], seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not come to pass"
        time.sleep(0.01)


def test_an_answer_is_on_disk_when_append_returns(store: Store, record: Records) -> None:
    """Each answer is one whole line of the journal before anything else happens."""
    journal = store.journal("run-1")
    for row in range(3):
        journal.append(record(A, row, output="é\n\ud800"))
        lines = journal.path.read_bytes().split(b"\n")
        assert [json.loads(line)["row"] for line in lines[:-1]] == list(range(row + 1))
        assert lines[-1] == b""
    journal.close()


def test_the_drainer_moves_answers_while_they_arrive(store: Store, record: Records) -> None:
    """New lines reach the file without being asked for, and at the end the journal is gone."""
    journal = store.journal("run-1")
    with store.drainer(journal, interval=0.05):
        journal.append(record(A, 0))
        _until(lambda: _rows(store) == [0])
        assert store.running() == {"run-1"}
        journal.append(record(A, 1))
    assert _rows(store) == [0, 1]
    assert store.running() == set()
    assert _journals(store.path) == []
    assert not store.path.with_name(store.path.name + ".journal").exists()
    with pytest.raises(WorkspaceError, match="closed"):
        journal.append(record(A, 2))


def test_many_threads_append_at_once(store: Store, record: Records) -> None:
    """Lines of several threads never mix, and each row arrives once."""
    journal = store.journal("run-1")

    def work(thread: int) -> None:
        for number in range(250):
            journal.append(record(A, thread * 250 + number, output="x" * (number % 300)))

    with store.drainer(journal, interval=0.02):
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert _rows(store) == list(range(1000))


def test_what_a_dead_process_left_is_saved_by_the_next_opening(store: Store, path: Path, record: Records) -> None:
    """A journal that nobody holds is drained and deleted when anybody opens the workspace."""
    journal = store.journal("run-1")
    journal.append(record(A, 0))
    journal.append(record(A, 1))
    journal.close()  # as the kernel does for a killed process
    assert _rows(store) == []
    assert _rows(Store(path)) == [0, 1]
    assert _journals(path) == []


def test_the_journal_of_a_living_process_is_left_alone(store: Store, path: Path, record: Records) -> None:
    """While its owner lives, nobody else touches a journal; also not another store of the same process."""
    journal = store.journal("run-1")
    journal.append(record(A, 0))
    script = f"from pressmark.workspace import Store; print(Store({str(path)!r}).recover())"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout == "0\n"
    assert Store(path).recover() == 0
    journal.append(record(A, 1))
    journal.close()
    assert store.recover() == 2
    assert _rows(store) == [0, 1]


@pytest.mark.parametrize(
    "torn",
    [
        b'{"run_id": "run-1", "ver',
        b"{",
        b"\xff\xfe\n",
        b'{"run_id": "run-1"}\n',
        b"7\n\n",
        b'{"run_id": "run-1", "version": "v", "row": "seven", "repeat": 0}\n',
        b'{"run_id": "run-1", "version": "v", "row": 99999999999, "repeat": 0}\n',
        b'{"run_id": "run-1", "version": "v", "row": 1, "repeat": 0, "at": "yesterday"}\n',
        b'{"run_id": "run-1", "version": "v", "row": 1, "repeat": 0, "scores": {"exact": "good"}}\n',
        b'{"run_id": "run-1", "version": "v", "row": 1, "repeat": 0, "answer": 7}\n',
    ],
)
def test_a_torn_line_harms_no_other(store: Store, path: Path, record: Records, torn: bytes) -> None:
    """A line that was cut off, or is no output, is left out; a whole one is set aside: it may have been paid for."""
    journal = store.journal("run-1")
    journal.append(record(A, 0))
    with journal.path.open("ab") as file:
        file.write(torn)
    journal.close()
    assert _rows(Store(path)) == [0]
    assert _journals(path) == []
    aside = journal.path.with_suffix(".left-out")
    assert aside.exists() == torn.endswith(b"\n")
    if aside.exists() and torn.startswith(b"{"):
        assert json.loads(aside.read_bytes()) == json.loads(torn)


def test_a_torn_line_in_the_middle_harms_no_other(store: Store, record: Records) -> None:
    """What stands behind a broken line is drained too."""
    journal = store.journal("run-1")
    journal.append(record(A, 0))
    with journal.path.open("ab") as file:
        file.write(b'{"half": \n')
    journal.append(record(A, 1))
    with store.drainer(journal):
        pass
    assert _rows(store) == [0, 1]


def test_a_journal_longer_than_a_chunk_is_drained_whole(
    store: Store, record: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunks end at line ends, and one line may be longer than a chunk."""
    monkeypatch.setattr(journal, "_CHUNK", 1000)
    book = store.journal("run-1")
    for row in range(20):
        book.append(record(A, row, output="x" * (5000 if row == 7 else 100)))
    with store.drainer(book):
        pass
    assert _rows(store) == list(range(20))


def test_a_kill_between_commit_and_deletion_doubles_nothing(store: Store, path: Path, record: Records) -> None:
    """The offset is committed with the rows: a journal that was drained and not yet deleted is not drained again."""
    book = store.journal("run-1")
    book.append(record(A, 0, output="first"))
    journal.drain(store._database, book)
    # Written later from elsewhere; a second drain of the same line would put the first answer back.
    store.append_outputs([record(A, 0, output="second")])
    book.append(record(A, 1))
    book.close()
    again = Store(path)
    assert [told["answer"]["output"] for told in _known(again)] == ["second", "yes"]
    assert again.sql("select * from journals").empty


def _known(store: Store) -> list[dict[str, Any]]:
    store.create_run("run-1", {})
    return store.records("run-1")


def test_a_locked_file_delays_the_drainer_and_loses_nothing(store: Store, path: Path, record: Records) -> None:
    """While another process keeps the file, answers wait in the journal; then they arrive by themselves."""
    impatient = Store(path, deadline=0.1)
    script = f"import duckdb; c = duckdb.connect({str(path)!r}); print(1, flush=True); input()"
    book = impatient.journal("run-1")
    drainer = impatient.drainer(book, interval=0.02).start()
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdin
        holder.stdout.readline()
        book.append(record(A, 0))
        _until(lambda: isinstance(drainer.error, WorkspaceLockedError))
        holder.stdin.close()
        holder.wait(30)
    _until(lambda: _rows(store) == [0])
    _until(lambda: drainer.error is None)
    drainer.stop()


def test_a_run_that_ends_under_a_lock_keeps_its_journal(store: Store, path: Path, record: Records) -> None:
    """Where the last answers cannot be moved, stopping says so, and the next opening saves them."""
    impatient = Store(path, deadline=0.1)
    script = f"import duckdb; c = duckdb.connect({str(path)!r}); print(1, flush=True); input()"
    book = impatient.journal("run-1")
    drainer = impatient.drainer(book, interval=60).start()
    book.append(record(A, 0))
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        with pytest.raises(WorkspaceLockedError):
            drainer.stop()
        holder.kill()
    assert len(_journals(path)) == 1
    assert _rows(Store(path)) == [0]


def test_a_forked_child_does_not_keep_a_journal_alive(store: Store, path: Path, record: Records) -> None:
    """A child that lives on after its parent's journal was given up holds no lock on it."""
    book = store.journal("run-1")
    book.append(record(A, 0))
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            os.write(tell, b"!")  # what happens at a fork has happened in the child
            signal.pause()
        os._exit(0)
    try:
        assert os.read(ready, 1) == b"!"
        book.close()
        assert store.recover() == 1
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(ready)
        os.close(tell)


def test_a_full_disk_refuses_the_answer_and_spoils_no_line(store: Store, path: Path, record: Records) -> None:
    """An answer that does not fit is refused whole; there is room again, and the journal goes on."""
    book = store.journal("run-1")
    book.append(record(A, 0))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    room = book.path.stat().st_size + 50
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        for _ in range(2):
            with pytest.raises(WorkspaceFullError, match="make room"):
                book.append(record(A, 1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    book.append(record(A, 2))
    with store.drainer(book):
        pass
    assert _rows(store) == [0, 2]


def test_run_ids_of_any_form_have_a_journal(store: Store, record: Records) -> None:
    """A run id with slashes, such as a judge's, makes a plain file name, and its answers arrive under the id."""
    run_id = "run-1/judge é" + "x" * 300
    book = store.journal(run_id)
    book.append(record(A, 0, run_id=run_id))
    assert book.path.parent == store.path.with_name(store.path.name + ".journal")
    with store.drainer(book):
        pass
    assert _rows(store, run_id) == [0]


def test_a_journal_that_cannot_be_made_says_so(store: Store, path: Path) -> None:
    """A file in the place of the journals' directory is one clear error."""
    path.with_name(path.name + ".journal").write_text("in the way")
    with pytest.raises(WorkspaceError, match="journal of run 'run-1'"):
        Journal(path, "run-1")


def test_a_kill_at_any_moment_of_a_drain_loses_and_doubles_nothing(store: Store, path: Path) -> None:
    """A process that is killed while it appends and drains leaves a journal from which the next opening goes on."""
    script = """
import sys
sys.path.insert(0, sys.argv[2])
from records import make_record
from pressmark.workspace import Store
store = Store(sys.argv[1])
journal = store.journal("run-1")
store.drainer(journal, interval=0.01).start()
row = 0
while True:
    journal.append(make_record(row=row, scores={"exact": 1.0}))
    sys.stdout.write(f"{row}\\n")
    sys.stdout.flush()
    row += 1
"""
    command = [sys.executable, "-c", script, str(path), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        told = -1
        _until(lambda: len(_rows(store)) > 0)
        process.kill()
        for line in process.stdout:
            if line.endswith("\n"):
                told = int(line)
    rows = _rows(Store(path))
    assert rows == list(range(len(rows)))
    assert len(rows) >= told + 1
    with duckdb.connect(str(path)) as connection:
        assert connection.execute("select count(*), count(distinct row) from scores").fetchall() == [(len(rows),) * 2]
