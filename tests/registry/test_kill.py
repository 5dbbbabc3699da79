"""kill -9 at any moment: what was acknowledged is there, and no move is half done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pressmark.errors import RegistryUnavailableError
from pressmark.registry.remote import Remote
from pressmark.registry.store import Store
from pressmark.registry.values import UNSET, Move

from .making import publish

WRITER = """
import sys
from pressmark.registry.store import Store
from pressmark.registry.values import Move
store, turn = Store(sys.argv[1], actor="writer"), int(sys.argv[2])
while True:
    turn += 1
    to = f"v{turn % 2 + 1}"
    entry = store.moves([Move("a/one", "production", to), Move("b/two", "production", to)], reason=f"turn {turn}")
    print(entry.seq, to, flush=True)
"""

SERVER = """
import sys
from pressmark.registry.serving import serve
serve(sys.argv[1], port=int(sys.argv[2]), say=lambda line: print(line, flush=True))
"""


def killed_writer(url: str, turn: int, after: int) -> list[list[str]]:
    """Let a process write, kill it after some acknowledged writes, and return those."""
    command = [sys.executable, "-c", WRITER, url, str(turn)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        told = [writer.stdout.readline() for _ in range(after)]
        os.kill(writer.pid, signal.SIGKILL)
        told += writer.stdout.readlines()
    return [line.split() for line in told if line.endswith("\n")]


def check(store: Store, told: list[list[str]]) -> None:
    """Hold a store against what was acknowledged."""
    count = store.verify().count
    seq, to = told[-1]
    assert int(seq) <= count <= int(seq) + 1  # one more may have been done and not told
    by_number = {entry.seq: entry for entry in store.log(limit=1000)}
    for seq, to in told:
        assert [f"v{move['to']}" for move in by_number[int(seq)].data["moves"]] == [to, to]
    assert store.version("a/one", "production").version == store.version("b/two", "production").version


def rounds_of_kills(store_url: str, rounds: int) -> None:
    """Kill a writer again and again, each time at another moment."""
    with Store(store_url) as store:
        publish(store, "a/one", "one", "two")
        publish(store, "b/two", "one", "two")
        store.moves([Move("a/one", "production", "v1"), Move("b/two", "production", "v1")], reason="start")
        for number in range(rounds):
            held = store.version("a/one", "production").number
            check(store, killed_writer(store_url, turn=held - 1, after=3 + 2 * number))


def test_killed_writers(store_url: str) -> None:
    """A writer that is killed in mid-loop loses no acknowledged write and leaves no half move."""
    rounds_of_kills(store_url, 3)


@pytest.mark.soak
def test_killed_writers_many_times(store_url: str) -> None:
    """The same, fifty times."""
    rounds_of_kills(store_url, 50)


def start_server(path: Path, port: int) -> tuple[subprocess.Popen[str], str, str | None]:
    """Start a server process; return it, its URL, and the first token where it told one."""
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(path), str(port)], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    token = None
    for line in server.stdout:
        if line.startswith("First admin token"):
            token = line.split()[-1]
        if "http://" in line:
            return server, line.split()[-1], token
    pytest.fail("the server did not start")


def test_killed_server(tmp_path: Path) -> None:
    """A server that is killed loses no acknowledged write; a new one takes its place and port at once."""
    path = tmp_path / "registry.db"
    server, url, token = start_server(path, 0)
    assert token is not None
    admin = Remote(url, token, sleep=lambda _: None)
    publish(admin, "a/one", "one", "two")
    acknowledged = [
        admin.move("a/one", label="production", to=f"v{turn % 2 + 1}", reason="go", expected=UNSET).seq
        for turn in range(5)
    ]
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    server.stdout.close()  # type: ignore[union-attr]
    with pytest.raises(RegistryUnavailableError):
        admin.position()
    # The mark of a server goes with its process: an embedded write is possible again.
    with Store(path) as store:
        assert store.position().seq == acknowledged[-1]
        store.verify()
        store.move("a/one", label="production", to="v2", reason="by hand", expected=UNSET)
    again, same_url, no_token = start_server(path, int(url.rpartition(":")[2]))
    assert (same_url, no_token) == (url, None)
    assert admin.position().seq == acknowledged[-1] + 1
    again.terminate()
    assert again.wait(5) == 0
    again.stdout.close()  # type: ignore[union-attr]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_clean_stop(tmp_path: Path, number: signal.Signals) -> None:
    """A server stops in under 2 s on SIGTERM and SIGINT, with streams open, says nothing and exits with 0."""
    server, url, token = start_server(tmp_path / "registry.db", 0)
    admin = Remote(url, token)
    streams = [admin.events() for _ in range(3)]
    for stream in streams:
        next(stream)
    began = time.monotonic()
    server.send_signal(number)
    assert server.wait(10) == 0
    took = time.monotonic() - began
    server.stdout.close()  # type: ignore[union-attr]
    # On a machine that is busy with other tests a process alone can take a second to end.
    assert took < 2 + os.getloadavg()[0] / (os.cpu_count() or 1)


def test_token_is_told_once(tmp_path: Path) -> None:
    """The first admin token is told at the first start and never again; it works, with every right."""
    path = tmp_path / "registry.db"
    told = []
    for _ in range(2):
        server, url, token = start_server(path, 0)
        told.append(token)
        assert Remote(url, told[0]).whoami().role == "admin"
        server.terminate()
        server.wait(10)
        server.stdout.close()  # type: ignore[union-attr]
    assert told[0] is not None
    assert told[1] is None
