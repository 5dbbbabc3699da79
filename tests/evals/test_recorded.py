"""The runner against a real server, with faults, stops and bounds; each figure is the server's own count."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pressmark.errors import EndpointConnectionError, EndpointError
from pressmark.evals import Dataset, Memory, Patience, Suite, execute, plan, scorers
from pressmark.providers import Endpoint, completer

from . import stoppable
from .making import version


@pytest.fixture(scope="module")
def queries(shared: Path) -> Dataset:
    """600 real instructions, whose recorded answers cost the server nothing to find."""
    table = pq.read_table(shared / "data/alpacaeval/gpt-3.5-turbo-1106.parquet", columns=["instruction"])
    return Dataset.of("alpaca/instructions", [{"text": row["instruction"]} for row in table.to_pylist()[:600]])


def suite_of(data: Dataset) -> Suite:
    """A suite that measures the answers."""
    return Suite.of("alpaca/length", data, [scorers.Length()])


def test_faults(recorded_model: Callable[..., Any], queries: Dataset) -> None:
    """Rate limits, server errors, cut connections and garbage end with each row answered or an error row."""
    model = recorded_model(faults="429=0.05,500=0.03,cut=0.02,garbage=0.02", seed=3)
    model.stats(reset=True)
    sink = Memory()
    progress = execute(
        plan([version(model="gpt-3.5-turbo-1106")], queries, base_url=model.base_url, repeats=2),
        suite_of(queries),
        completer(Endpoint("faulty", model.base_url)),
        sink,
        run_id="run",
        concurrency=16,
        patience=Patience(attempts=4, first_wait=0.02),
    )
    told = model.stats()
    assert progress.done == progress.total == len(sink.records) == 1200
    assert all((record.answer is None) == (record.error is not None) for record in sink.records)
    assert progress.calls == told["calls"]
    assert progress.retries == told["calls"] - sum(not record.cached for record in sink.records)
    sent = sum(told["sent"].values())
    assert sent > 80
    assert {"429", "500", "cut", "garbage"} <= told["sent"].keys()
    # Four attempts fail together in one row of 5,000.
    assert progress.errors <= 5
    assert all(record.error.message for record in sink.records if record.error)


def test_faults_without_patience(recorded_model: Callable[..., Any], queries: Dataset) -> None:
    """Asked once only, each fault is an error row of its kind, as many as the server sent."""
    model = recorded_model(faults="429=0.1,500=0.1,cut=0.1,garbage=0.1", seed=4)
    model.stats(reset=True)
    sink = Memory()
    execute(
        plan([version(model="gpt-3.5-turbo-1106")], queries, base_url=model.base_url),
        suite_of(queries),
        completer(Endpoint("faulty", model.base_url)),
        sink,
        run_id="run",
        patience=Patience(attempts=1),
    )
    kinds = Counter(record.error.kind for record in sink.records if record.error)
    sent = model.stats()["sent"]
    assert kinds == {
        "rate limit": sent["429"],
        "server": sent["500"],
        "connection": sent["cut"],
        "garbage": sent["garbage"],
    }


def test_a_server_that_hangs(recorded_model: Callable[..., Any], queries: Dataset) -> None:
    """A call that is never answered is cut off, asked again, and holds up nobody else."""
    model = recorded_model(faults="hang=0.02", seed=5)
    sink = Memory()
    began = time.monotonic()
    progress = execute(
        plan([version(model="gpt-3.5-turbo-1106")], queries, base_url=model.base_url),
        suite_of(queries),
        completer(Endpoint("hanging", model.base_url)),
        sink,
        run_id="run",
        concurrency=16,
        patience=Patience(timeout=5.0, first_wait=0.02),
    )
    assert progress.retries >= 5
    assert progress.errors == 0
    assert time.monotonic() - began < 120


def test_concurrency_is_a_bound(recorded_model: Callable[..., Any], queries: Dataset) -> None:
    """The server never sees more calls at once than asked for, and does see that many."""
    model = recorded_model(latency_ms=20)
    model.stats(reset=True)
    execute(
        plan([version(model="gpt-3.5-turbo-1106")], queries, base_url=model.base_url),
        suite_of(queries),
        completer(Endpoint("slow", model.base_url)),
        Memory(),
        run_id="run",
        concurrency=12,
    )
    assert model.stats()["peak"] == 12


def test_wrong_model_and_wrong_address(recorded_model: Callable[..., Any], queries: Dataset) -> None:
    """A model that is not there, and an address without an API, are one clear error before long."""
    model = recorded_model()
    model.stats(reset=True)
    for base_url, words in (
        (model.base_url, "The model 'gpt-3.5-turbo-1107' does not exist. Check the model's name"),
        (model.url, "does not know what was asked for: Not Found. Check the model's name"),
    ):
        with pytest.raises(EndpointError, match=words):
            execute(
                plan([version(model="gpt-3.5-turbo-1107")], queries, base_url=base_url),
                suite_of(queries),
                completer(Endpoint("wrong", base_url)),
                Memory(),
                run_id="run",
            )
    assert model.stats()["calls"] <= 16


def test_nothing_listens(queries: Dataset) -> None:
    """An address where nothing listens is one clear error within seconds."""
    began = time.monotonic()
    with pytest.raises(EndpointConnectionError, match=r"nothing answers at http://127.0.0.1:9/v1"):
        execute(
            plan([version()], queries, base_url="http://127.0.0.1:9/v1"),
            suite_of(queries),
            completer(Endpoint("gone", "http://127.0.0.1:9/v1")),
            Memory(),
            run_id="run",
        )
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_stopped_and_resumed(
    recorded_model: Callable[..., Any], shared: Path, tmp_path: Path, how: signal.Signals
) -> None:
    """Stopped in the middle by kill -9 or Ctrl-C and started again, a run asks only what was missing."""
    model = recorded_model(latency_ms=10)
    model.stats(reset=True)
    journal = tmp_path / "journal.jsonl"
    data = str(shared / "data/alpacaeval/gpt-3.5-turbo-1106.parquet")
    command = [sys.executable, "-m", "tests.evals.stoppable", model.base_url, data, str(journal)]
    command[1:3] = [str(Path(stoppable.__file__))]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not journal.exists() or journal.read_bytes().count(b"\n") < 150:
        assert first.poll() is None, "it ended too early"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(first.pid, how)
    told, _ = first.communicate(timeout=20)
    assert told == ("interrupted\n" if how is signal.SIGINT else "")
    kept = len(stoppable.read(journal))
    assert 150 <= kept < 590
    second = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=120)
    assert second.stdout == "done\n"
    records = stoppable.read(journal)
    assert sorted(record.row for record in records) == list(range(600))
    in_flight = 8
    assert 600 - 600 * 0.05 <= model.stats()["calls"] <= 600 + in_flight
