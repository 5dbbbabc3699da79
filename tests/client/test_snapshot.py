"""The snapshot file: whole or not at all, its own scope only, never older than what it holds."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import pressmark as pm
from pressmark.client.answers import read_sync
from pressmark.client.cache import View, after_sync
from pressmark.client.snapshot import Snapshot, default_directory, read, scope_key
from pressmark.errors import ClientError

from .simulator import Book, unit_text, until

NAME = "support/triage"
SCOPE = "a" * 64


def _view(moves: int) -> View:
    book = Book()
    for number in range(moves):
        book.put((NAME, "production", unit_text(f"Sort {number}: {{{{ text }}}}")), ("x", "production", unit_text("X")))
    book.put(("gone", "production", unit_text()))
    book.put(("gone", "production", None))
    return after_sync(View(), read_sync(json.dumps(book.sync(["production"])).encode()), '"etag"')


def test_it_gives_back_what_was_written(tmp_path):
    """Position, ETag, prompts and removed labels come back; the file is its owner's alone."""
    snapshot = Snapshot(tmp_path / "deep" / "down", SCOPE)
    assert snapshot.read() is None
    written = _view(3)
    snapshot.write(written)
    stored = snapshot.read()
    assert stored is not None
    assert stored.view.position == written.position
    assert stored.view.etag == '"etag"'
    assert stored.view.gone == written.gone
    prompt = stored.view.prompts["production"][NAME]
    assert (prompt.version, prompt.source, prompt.seq) == ("v3", "snapshot", 3)
    assert prompt.render(text="x")[0]["content"] == "Sort 2: x"
    assert snapshot.path.stat().st_mode & 0o077 == 0
    assert snapshot.path.parent.stat().st_mode & 0o077 == 0


def test_no_flipped_byte_and_no_cut_is_accepted(tmp_path):
    """Flip any byte or cut the file anywhere: it is left aside in words, and the next write replaces it."""
    snapshot = Snapshot(tmp_path, SCOPE)
    snapshot.write(_view(1))
    whole = snapshot.path.read_bytes()
    for place in range(len(whole)):
        for spoiled in (whole[:place], whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]):
            snapshot.path.write_bytes(spoiled)
            with pytest.raises(ClientError, match="was left aside"):
                snapshot.read()
    snapshot.write(_view(1))
    assert snapshot.path.read_bytes() == whole


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda header: header.update(version=2), "has version 2, and this Pressmark reads 1"),
        (lambda header: header.update(format="zip"), "is not a Pressmark snapshot"),
        (lambda header: header.update(scope="b" * 64), "belongs to another URL, token or subscription"),
        (lambda header: header["position"].update(seq=99), "does not match its digest"),
    ],
)
def test_a_foreign_header_is_left_aside(tmp_path, spoil, said):
    """A file of another form, version or scope is told apart from a damaged one."""
    snapshot = Snapshot(tmp_path, SCOPE)
    snapshot.write(_view(1))
    first, body = snapshot.path.read_bytes().split(b"\n", 1)
    header = json.loads(first)
    spoil(header)
    snapshot.path.write_bytes(json.dumps(header).encode() + b"\n" + body)
    with pytest.raises(ClientError, match=said) as caught:
        snapshot.read()
    assert caught.value.path == str(snapshot.path)


def test_a_newer_state_of_another_process_is_not_overwritten(tmp_path):
    """Of two processes that share the file, the one that lags does not take the other back."""
    ahead, behind = Snapshot(tmp_path, SCOPE), Snapshot(tmp_path, SCOPE)
    ahead.write(_view(5))
    behind.write(_view(2))
    stored = read(ahead.path, "snapshot", SCOPE)
    assert stored.view.position == _view(5).position


def test_a_snapshot_that_cannot_be_read_or_locked_is_told(tmp_path):
    """A folder in the file's place, and a writer that keeps the lock, are each one clear error."""
    snapshot = Snapshot(tmp_path, SCOPE)
    snapshot.path.mkdir()
    with pytest.raises(ClientError, match="cannot be read"):
        snapshot.read()
    snapshot.path.rmdir()
    with snapshot.path.with_suffix(".lock").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ClientError, match=r"could not be written \(another process holds"):
            snapshot.write(_view(1))
    snapshot.write(_view(1))
    assert snapshot.read() is not None


def test_scopes_never_share_a_file(sim, connect, tmp_path):
    """Another URL, token, label or pattern is another file; the same asked in another order is the same."""
    base = ("http://r", "t", ("a", "b"), ("x/*", "y"))
    assert scope_key(*base) == scope_key("http://r/", "t", ("b", "a"), ("y", "x/*"))
    others = [
        ("http://q", *base[1:]),
        ("http://r", "u", *base[2:]),
        ("http://r", None, *base[2:]),
        (*base[:2], ("a",), base[3]),
        (*base[:3], ("x/*",)),
    ]
    assert len({scope_key(*other) for other in [base, *others]} | {scope_key(*base, keep_gone=True)}) == 7
    connect()
    connect()
    connect(names=["support/*"])
    files = list((tmp_path / "snapshots").glob("*.snapshot"))
    assert len(files) == 2
    assert all(sim.token not in file.read_text() for file in files)


def test_a_damaged_snapshot_is_told_and_replaced(sim, connect, tmp_path):
    """A client whose snapshot was damaged reports it, starts from the registry and writes a good one."""
    connect().close()
    path = next((tmp_path / "snapshots").glob("*.snapshot"))
    path.write_bytes(path.read_bytes()[:-5])
    heard: list[Exception] = []
    client = connect(on_error=heard.append)
    assert client.get(NAME).source == "live"
    assert "was left aside" in str(heard[0])
    assert read(path, "snapshot", None).view.position is not None


def test_the_position_outlives_the_process(sim, connect, tmp_path):
    """After a restart a registry that answers with an older state is refused; what the snapshot holds stays."""
    client = connect()
    until(lambda: client.status().state == "live", "the stream is open")
    sim.put((NAME, "production", unit_text("Sort anew: {{ text }}")))
    until(lambda: client.get(NAME).version == "v2", "v2 is served")
    client.close()
    sim.fault["sync"], sim.stale_seq = "stale", 1
    again = connect(start_timeout=1)
    assert (again.get(NAME).version, again.get(NAME).source) == ("v2", "snapshot")
    assert "lags behind" in str(again.status().last_error)
    sim.fault.clear()
    until(lambda: again.get(NAME).source == "live", "the replica caught up")


def test_a_snapshot_is_confirmed_without_being_sent_again(sim, connect):
    """A start with an unchanged registry costs one question that is answered 304."""
    connect().close()
    sim.requests.clear()
    client = connect()
    assert client.get(NAME).source == "live"
    asked = [headers.get("if-none-match") for path, _, headers in sim.requests if path == "/v1/sync"]
    assert asked == ['"reg-1-1-1"']


WRITER = """
import json, sys
from pathlib import Path
from tests_simulator import Book, unit_text
from pressmark.client.answers import read_sync
from pressmark.client.cache import View, after_sync
from pressmark.client.snapshot import Snapshot

snapshot, book, view = Snapshot(Path(sys.argv[1]), "a" * 64), Book(), View()
print("ready", flush=True)
for number in range(1, 100_000):
    book.put(*((f"p{i}", "production", unit_text(f"{number} {i} " + "x" * 2000)) for i in range(30)))
    view = after_sync(view, read_sync(json.dumps(book.sync(["production"])).encode()), None)
    snapshot.write(view)
    print(number, flush=True)
"""


@pytest.mark.parametrize("delay", [0.003, 0.011, 0.029, 0.05, 0.083, 0.12])
def test_kill_9_in_mid_write_leaves_a_whole_file(tmp_path, delay):
    """Killed at any moment, the file is whole and holds at least the last state that was written before."""
    helper = tmp_path / "lib"
    helper.mkdir()
    (helper / "tests_simulator.py").write_text((Path(__file__).parent / "simulator.py").read_text())
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "snapshots")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(helper), *sys.path])},
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.readline()  # at least one state is on disk
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    told = [line for line in process.stdout.read().split("\n") if line]
    process.wait()
    last = int(told[-1]) if told else 1
    stored = Snapshot(tmp_path / "snapshots", SCOPE).read()
    assert stored is not None
    assert stored.view.position is not None
    assert last <= stored.view.position.seq <= last + 2
    assert len(stored.view.prompts["production"]) == 30
    Snapshot(tmp_path / "snapshots", SCOPE).write(stored.view)
    assert sorted(p.suffix for p in (tmp_path / "snapshots").iterdir()) in ([".lock", ".snapshot"],)


def test_a_full_disk_is_told_and_survived(sim, connect, tmp_path):
    """Where the file may not grow (RLIMIT_FSIZE), new prompts are served all the same and the old file stays whole."""
    connect().close()
    code = f"""
import resource, signal, sys, time, pressmark as pm
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
client = pm.Client({sim.url!r}, {sim.token!r}, snapshot_dir={str(tmp_path / "snapshots")!r}, on_error=lambda e: None)
while client.status().state != "live": time.sleep(0.005)
resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
print("ready", flush=True)
while client.get({NAME!r}).version != "v2": time.sleep(0.005)
while client.status().last_error is None: time.sleep(0.005)
sys.stdout.write(str(client.status().last_error))
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    sim.put((NAME, "production", unit_text("Sort anew: {{ text }}")))
    said, _ = process.communicate(timeout=30)
    assert "could not be written (File too large)" in said
    path = next((tmp_path / "snapshots").glob("*.snapshot"))
    assert read(path, "snapshot", None).view.prompts["production"][NAME].version == "v1"


def test_the_default_directory_is_the_users_cache(monkeypatch, tmp_path, sim):
    """Without `snapshot_dir` the file lies in the user's cache directory; with False there is none."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_directory() == tmp_path / "pressmark"
    with pm.Client(sim.url, sim.token, snapshot_dir=False):
        assert list(tmp_path.iterdir()) == []
    with pm.Client(sim.url, sim.token):
        assert len(list((tmp_path / "pressmark").glob("*.snapshot"))) == 1


SERVICE = """
import sys, pressmark as pm
client = pm.Client(sys.argv[1], sys.argv[2], snapshot_dir=sys.argv[3])
last = 0
print("ready", flush=True)
while True:
    seq = client.get("support/triage").seq
    if seq != last:
        last = seq
        print(seq, flush=True)
"""


@pytest.mark.parametrize("delay", [0.03, 0.11, 0.23])
def test_a_killed_service_never_starts_before_what_it_has_served(sim, tmp_path, delay):
    """Killed with -9 while moves pour in and started without a registry, a service begins at or after its last read."""
    folder = tmp_path / "snapshots"
    process = subprocess.Popen(
        [sys.executable, "-c", SERVICE, sim.url, sim.token, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    killer = threading.Timer(delay, process.kill)
    killer.start()
    for number in range(2000):
        sim.put((NAME, "production", unit_text(f"Sort {number}: {{{{ text }}}}")))
        if process.poll() is not None:
            break
    process.wait(30)
    told = [int(line) for line in process.stdout.read().split("\n") if line]
    assert told == sorted(told)
    sim.down()
    with pm.Client(sim.url, sim.token, snapshot_dir=folder, start_timeout=0.2, on_error=lambda error: None) as client:
        assert client.get(NAME).source == "snapshot"
        assert client.get(NAME).seq >= told[-1]
