"""Several processes on one file, some of which are killed: no acknowledged row is lost, and none is there twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from pressmark.workspace import Store

WORKER = Path(__file__).with_name("worker.py")


def _start(path: Path, name: str, count: int, begin: int = 0) -> subprocess.Popen[bytes]:
    place = path.parent / f"told-{name}"
    command = [sys.executable, str(WORKER), str(path), name, str(count), str(place)]
    return subprocess.Popen(command, env=os.environ | {"BEGIN_AT": str(begin)})


def _told(path: Path, name: str) -> list[str]:
    place = path.parent / f"told-{name}"
    # A line that the kill cut in the middle was not acknowledged to anybody.
    return place.read_text().rpartition("\n")[0].split("\n") if place.exists() else []


def _check(path: Path, names: list[str]) -> None:
    """Hold the file against everything that was acknowledged."""
    store = Store(path, deadline=120)
    saved = {version.number: version.digest for version in store.versions("shared")}
    assert sorted(saved) == list(range(1, len(saved) + 1))
    acknowledged = []
    for name in names:
        lines = [line.split() for line in _told(path, name)]
        acknowledged += [(int(line[1]), line[2]) for line in lines if line[0] == "version"]
        batched = {int(line[1]) * 5 + part for line in lines if line[0] == "batch" for part in range(5)}
        journaled = {int(line[1]) for line in lines if line[0] == "journaled"}
        for run, wanted in (("batch", batched), ("journaled", journaled)):
            rows = store.sql(f"select row from outputs where run_id = '{run}-{name}'")["row"].tolist()
            assert wanted <= set(rows), f"lost by {name}: {sorted(wanted - set(rows))[:5]}"
            assert not [row for row, times in Counter(rows).items() if times > 1]
        scored = store.sql(f"select row from scores where run_id = 'journaled-{name}'")["row"].tolist()
        assert journaled <= set(scored)
        assert len(scored) == len(set(scored))
    assert len({number for number, _ in acknowledged}) == len(acknowledged)
    for number, digest in acknowledged:
        assert saved[number] == digest
    assert not store.running()
    assert not path.with_name(path.name + ".journal").exists()
    assert store.sql("select * from journals").empty


def test_four_processes_at_once_lose_nothing(path: Path) -> None:
    """Four processes save versions of one prompt, append batches and journal answers; all of it is there, once."""
    names = ["a", "b", "c", "d"]
    processes = [_start(path, name, 8) for name in names]
    assert [process.wait(280) for process in processes] == [0] * 4
    assert all(_told(path, name)[-1] == "done" for name in names)
    _check(path, names)
    assert len(Store(path).versions("shared")) == 32


def _kill_and_check(path: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    begun = {"a": 0, "b": 0}
    for turn in range(kills):
        processes = {name: _start(path, name, 10_000, begin * 10_000) for name, begin in begun.items()}
        limit = time.monotonic() + 120
        counts = {name: len(_told(path, name)) for name in begun}
        while time.monotonic() < limit and any(len(_told(path, name)) < counts[name] + 4 for name in begun):
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.6))  # the kill may come at any point of the work
        for process in processes.values():
            process.send_signal(signal.SIGKILL)
        for name, process in processes.items():
            assert process.wait(30) == -signal.SIGKILL
            begun[name] += 1
        if turn % 4 == 3:
            _check(path, list(begun))
    _check(path, list(begun))


def test_killed_processes_lose_nothing(path: Path) -> None:
    """After each of 8 kill -9 of two writers, whatever was acknowledged is there, once."""
    _kill_and_check(path, 4, seed=7)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_many_killed_processes_lose_nothing(path: Path) -> None:
    """The same after 150 kills."""
    _kill_and_check(path, 75, seed=11)
