"""Clusters that are lost for a reason of the run's own, or that the caller closes: nothing is lost, and it is told."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from dask.distributed import Client, LocalCluster

import pressmark as pm
from pressmark.errors import ClusterError
from pressmark.testing import RecordedEndpoint

ROWS = 40
DEADLY = 7
PATIENCE = 60


class Counting:
    """Answers, and says when so many calls were made."""

    def __init__(self) -> None:
        self.calls = 0
        self.enough = threading.Event()
        self.at = ROWS

    def __call__(self, request: dict[str, Any]) -> str:
        """Answer with the message."""
        self.calls += 1
        if self.calls >= self.at:
            self.enough.set()
        return str(request["messages"][-1]["content"])


@pytest.fixture
def model() -> Counting:
    return Counting()


@pytest.fixture
def ws(tmp_path: Path, model: Counting) -> Iterator[pm.Workspace]:
    """A prompt, and rows of which one is deadly to a scorer that is not careful."""
    with RecordedEndpoint(model, model="m") as endpoint:
        space = pm.Workspace(tmp_path / "prompts.duckdb", author="ana")
        space.endpoint("local", base_url=endpoint.base_url)
        space.save("p", text="{{ text }}", model="m")
        space.dataset("d", [{"text": f"row {number}"} for number in range(ROWS)])
        yield space


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as entered:
        yield entered


def cluster(stack: ExitStack, workers: int, *, processes: bool = True) -> Client:
    """A cluster of its own: what happens to it shall meet no other test."""
    local = LocalCluster(n_workers=workers, threads_per_worker=1, processes=processes, dashboard_address=":0")
    return stack.enter_context(Client(stack.enter_context(local)))


def ends_the_process(output: str, row: Any) -> float:
    """What a crash in a library's C code does."""
    if row["text"] == f"row {DEADLY}":
        os._exit(1)
    return float(len(output))


def careful(output: str, row: Any) -> float:
    """The same without the crash."""
    return float(len(output))


def test_a_scorer_that_ends_its_worker(ws: pm.Workspace, stack: ExitStack) -> None:
    """The answer is kept without a score, which says what was met with; every other row is scored."""
    suite = ws.suite("s", dataset="d", scorers=[pm.scorers.Function("fatal", ends_the_process, kind="measurement")])
    run = ws.evaluate(ws.version("p"), suite, cluster=cluster(stack, 4), concurrency=4, progress=False)
    assert (run.status, len(run.errors)) == ("done", 0)
    assert sorted(run.results["row"]) == list(range(ROWS))
    missing = run.results[run.results["fatal"].isna()]
    assert missing["row"].tolist() == [DEADLY]
    assert missing["output"].tolist() == [f"row {DEADLY}"]


def test_a_scorer_that_ends_every_worker(ws: pm.Workspace, stack: ExitStack, model: Counting) -> None:
    """With too few workers to lose, the error names the scorer as a likely reason; nothing is asked twice after."""
    suite = ws.suite("s", dataset="d", scorers=[pm.scorers.Function("fatal", ends_the_process, kind="measurement")])
    likely = rf"no worker of the cluster is left.* was scoring row {DEADLY} when it was lost \(fatal\).*a scorer ends"
    with pytest.raises(ClusterError, match=likely):
        ws.evaluate(ws.version("p"), suite, cluster=cluster(stack, 1), concurrency=1, progress=False)
    [run_id] = ws.runs()["run"]
    assert ws.run(run_id).status == "failed"
    assert len(ws.run(run_id).results) == model.calls
    mended = ws.suite("s", dataset="d", scorers=[pm.scorers.Function("fatal", careful, kind="measurement")])
    run = ws.evaluate(ws.version("p"), mended, progress=False)
    assert (run.status, run.results["fatal"].notna().sum(), model.calls) == ("done", ROWS, ROWS)


@pytest.mark.parametrize("what", ["client", "cluster"])
def test_a_cluster_that_is_closed_under_way(ws: pm.Workspace, stack: ExitStack, model: Counting, what: str) -> None:
    """By another cell, say: the run ends with one error that says what to do, and goes on without a cluster."""
    client = cluster(stack, 2)
    model.at = 10
    suite = ws.suite("s", dataset="d", scorers=[pm.scorers.Length()])

    def close() -> None:
        assert model.enough.wait(PATIENCE)
        (client if what == "client" else client.cluster).close()

    thread = threading.Thread(target=close)
    thread.start()
    with pytest.raises(ClusterError, match=r"what was answered is kept\. Run it again to ask only what is missing"):
        ws.evaluate(ws.version("p"), suite, cluster=client, concurrency=2, progress=False)
    thread.join()
    [run_id] = ws.runs()["run"]
    kept = ws.run(run_id)
    assert (kept.status, len(kept.results) >= model.at - 2) == ("failed", True)
    run = ws.evaluate(ws.version("p"), suite, progress=False)
    assert (run.id, run.status, len(run.errors)) == (run_id, "done", 0)
    assert sorted(run.results["row"]) == list(range(ROWS))
    # What was under way when it was closed, and no more, is asked a second time.
    assert model.calls <= ROWS + 2
