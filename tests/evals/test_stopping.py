"""Stopping a run when enough is known: when it is looked at, and what becomes of the calls under way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from pressmark.evals import Memory, execute, finished, plan, start
from pressmark.evals.runner import Execution

from .making import Scripted, dataset, suite, version

TEXTS = [f"text {n}" for n in range(60)]


async def slow(text: str) -> str:
    """An answer that lets others be asked meanwhile."""
    await asyncio.sleep(0.001)
    return f"echo of {text}"


def begin(
    sink: Memory, stop_when: Callable[[], bool], answered: Any = (), **options: Any
) -> tuple[Execution, Scripted]:
    """A run of two versions over 60 texts."""
    complete = Scripted(slow)
    data = dataset(*TEXTS)
    made = plan([version("one"), version("two")], data, base_url=complete.base_url, answered=answered)
    return start(made, suite(data), complete, sink, run_id="run", stop_when=stop_when, **options), complete


def test_it_is_looked_at_every_ten_rows() -> None:
    """The hook is called on a thread of its own after 10, 20, … finished rows: those that both versions answered."""
    sink = Memory()
    seen: list[int] = []
    threads = set()

    def look() -> bool:
        threads.add(threading.current_thread().name)
        versions: dict[int, int] = {}
        for record in sink.records:
            versions[record.row] = versions.get(record.row, 0) + 1
        seen.append(sum(count == 2 for count in versions.values()))
        return False

    execution, complete = begin(sink, look, concurrency=1)
    assert execution.wait().done == 120
    assert execution.stopped is None
    assert len(complete.asked) == 120
    assert seen
    assert len(seen) <= 6
    assert all(count >= 10 * number for number, count in enumerate(seen, 1))
    assert not any(name.startswith("pressmark-run") for name in threads)


def test_it_stops_the_run() -> None:
    """When the hook says so, no further call is begun; those under way are answered and kept."""
    sink = Memory()
    looks = iter([False, True])
    execution, complete = begin(sink, lambda: next(looks), concurrency=4)
    progress = execution.wait()
    assert 40 <= progress.done == len(sink.records) == len(complete.asked) < 120
    assert execution.stopped is not None
    assert execution.stopped.by == "sequence"
    # The versions of one row stand side by side, so at the most a few rows are half done.
    rows = [record.row for record in sink.records]
    assert sum(rows.count(row) == 1 for row in set(rows)) <= 4


def test_a_run_that_goes_on_looks_first() -> None:
    """What an earlier part answered may be enough: then nothing is asked."""
    sink = Memory()
    execution, _ = begin(sink, lambda: True)
    execution.wait()
    answered = finished(sink.records, suite(dataset(*TEXTS)))
    execution, complete = begin(sink, lambda: True, answered)
    assert execution.wait().done == len(answered)
    assert complete.asked == []
    execution, complete = begin(sink, lambda: False, answered)
    assert execution.wait().done == 120
    assert len(complete.asked) == 120 - len(answered)


def test_a_hook_that_fails_ends_the_run() -> None:
    """A fault of the hook is told, not swallowed; the answers are kept."""
    sink = Memory()
    execution, _ = begin(sink, lambda: bool(1 / 0))
    with pytest.raises(ZeroDivisionError):
        execution.wait()
    assert sink.records


def test_a_run_without_calls_ends() -> None:
    """Where nothing is to be asked, the hook keeps nobody waiting."""
    sink = Memory()
    data = dataset("a")
    complete = Scripted(slow)
    made = plan([version("one")], data, base_url=complete.base_url)
    execute(made, suite(data), complete, sink, run_id="run")
    done = finished(sink.records, suite(data))
    made = plan([version("one")], data, base_url=complete.base_url, answered=done)
    assert execute(made, suite(data), complete, sink, run_id="run", stop_when=lambda: False).done == 1
