"""Runs over a Dask cluster of processes: as without one, whoever dies."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from dask.distributed import Client, LocalCluster

import pressmark as pm
from pressmark.errors import ClusterError, EndpointAuthError
from tests.conftest import RecordedModel

MODEL = "gpt-3.5-turbo-1106"
ROWS = 120
AT_ONCE = 8
KEY = "PRESSMARK_TEST_CLUSTER_KEY"
SAME = ["version", "row", "repeat", "output", "error", "length", "polite", "model", "tokens_in", "tokens_out"]
CHILD = """
import sys
from dask.distributed import Client
import pressmark as pm
ws = pm.Workspace(sys.argv[1])
with Client(sys.argv[2]) as client:
    ws.evaluate(ws.version('p', '#1'), 's', cluster=client, concurrency=8, progress=False)
"""
WITHOUT = """
import sys
import pressmark as pm
ws = pm.Workspace(sys.argv[1])
ws.evaluate(ws.version('p', '#1'), 's', progress=False)
assert not {'dask', 'distributed'} & sys.modules.keys()
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Client]:
    """Two worker processes; one that is killed is replaced after a while."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as local,
        Client(local) as client,
    ):
        yield client


@pytest.fixture
def client(cluster: Client) -> Client:
    """The cluster with both its workers there."""
    cluster.wait_for_workers(2, timeout=60)
    return cluster


@pytest.fixture(scope="module")
def model(recorded_model: Callable[..., RecordedModel]) -> RecordedModel:
    """A recorded model that takes its time."""
    return recorded_model(latency_ms=40)


@pytest.fixture
def space(shared: Path, model: RecordedModel, tmp_path: Path) -> pm.Workspace:
    """A workspace with two versions and a suite of real instructions."""
    return filled(tmp_path / "prompts.duckdb", shared, model)


def filled(path: Path, shared: Path, model: RecordedModel, rows: int = ROWS) -> pm.Workspace:
    """A workspace with what the tests run."""
    ws = pm.Workspace(path)
    ws.endpoint("recorded", base_url=model.base_url)
    frame = pd.read_parquet(shared / "data" / "alpacaeval" / f"{MODEL}.parquet")
    ws.save("p", text="{{ instruction }}", model=MODEL)
    concise = [{"role": "system", "content": "Be concise."}, {"role": "user", "content": "{{ instruction }}"}]
    ws.save("p", messages=concise, model=MODEL)
    scorers = [
        pm.scorers.Length(),
        pm.scorers.Function("polite", lambda output, row: 1.0 if "you" in output else 0.0),
        pm.scorers.Function("pid", lambda output, row: os.getpid(), kind="measurement"),
    ]
    ws.suite("s", dataset=ws.dataset("d", frame[["instruction"]].head(rows)), scorers=scorers)
    model.stats(reset=True)
    return ws


def both(ws: pm.Workspace) -> list[pm.api.PromptVersion]:
    """The two versions, the baseline first."""
    return [ws.version("p", "#1"), ws.version("p", "#2")]


def told(run: pm.api.Run) -> list[list[object]]:
    """What must not depend on who asked, row for row."""
    frame = run.results.sort_values(["version", "row", "repeat"])[SAME]
    return frame.astype(object).where(frame.notna(), None).to_numpy().tolist()


def after(model: RecordedModel, calls: int, act: Callable[[], object]) -> threading.Thread:
    """Act, on a thread, as soon as so many calls were made."""

    def wait() -> None:
        deadline = time.monotonic() + 60
        while model.stats()["calls"] < calls and time.monotonic() < deadline:
            time.sleep(0.002)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def kill(client: Client, count: int) -> None:
    """Kill workers, as the kernel would."""
    for pid in list(client.run(os.getpid).values())[:count]:
        os.kill(pid, signal.SIGKILL)


def test_the_same_as_without_a_cluster(
    client: Client, shared: Path, recorded_model: Callable[..., RecordedModel], tmp_path: Path
) -> None:
    """Row for row, with an endpoint that fails now and then; and workers did it, both of them."""
    faulty = recorded_model(faults="500=0.03,cut=0.02,garbage=0.02", seed=3)
    there, here = (
        filled(tmp_path / "there.duckdb", shared, faulty, 60),
        filled(tmp_path / "here.duckdb", shared, faulty, 60),
    )
    run = there.evaluate(both(there), "s", cluster=client, concurrency=32, progress=False)
    assert run.status == "done"
    assert len(run.results) == len(run.results[["version", "row", "repeat"]].drop_duplicates()) == 120
    assert set(run.results["pid"].dropna()) == set(client.run(os.getpid).values())
    assert told(run) == told(here.evaluate(both(here), "s", concurrency=32, progress=False))


def test_a_worker_is_killed(space: pm.Workspace, client: Client, model: RecordedModel) -> None:
    """The others ask what it had not answered, and no more than that is asked twice."""
    thread = after(model, 40, lambda: kill(client, 1))
    run = space.evaluate(both(space)[0], "s", cluster=client, concurrency=AT_ONCE, progress=False)
    thread.join()
    assert (run.status, len(run.errors)) == ("done", 0)
    assert sorted(run.results["row"]) == list(range(ROWS))
    assert run.results["length"].notna().all()
    assert ROWS <= model.stats()["calls"] <= ROWS + AT_ONCE


def test_no_worker_is_left(space: pm.Workspace, client: Client, model: RecordedModel) -> None:
    """The run ends with one error, keeps what was answered, and goes on without a cluster."""
    thread = after(model, 40, lambda: kill(client, 2))
    with pytest.raises(ClusterError, match="no worker of the cluster is left: what was answered is kept"):
        space.evaluate(both(space)[0], "s", cluster=client, concurrency=AT_ONCE, progress=False)
    thread.join()
    [run_id] = space.runs()["run"]
    assert space.run(run_id).status == "failed"
    assert len(space.run(run_id).results) >= 30
    run = space.evaluate(both(space)[0], "s", concurrency=AT_ONCE, progress=False)
    assert (run.id, run.status, len(run.errors)) == (run_id, "done", 0)
    assert sorted(run.results["row"]) == list(range(ROWS))
    assert model.stats()["calls"] <= ROWS + 2 * AT_ONCE


def test_the_caller_is_killed(space: pm.Workspace, client: Client, model: RecordedModel) -> None:
    """What the workers had answered is in the file, and only what was in flight is asked again."""
    command = [sys.executable, "-c", CHILD, str(space.store.path), client.scheduler.address]
    with subprocess.Popen(command) as child:
        after(model, 60, child.kill).join()
    assert child.returncode == -signal.SIGKILL
    run = space.evaluate(both(space)[0], "s", cluster=client, concurrency=AT_ONCE, progress=False)
    assert (run.status, len(space.runs())) == ("done", 1)
    assert sorted(run.results["row"]) == list(range(ROWS))
    assert ROWS <= model.stats()["calls"] <= ROWS + AT_ONCE


def test_an_interrupt_stops_the_workers_too(space: pm.Workspace, client: Client, model: RecordedModel) -> None:
    """Ctrl-C ends the run, and what the workers were asking; the same call goes on."""
    thread = after(model, 40, lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        space.evaluate(both(space)[0], "s", cluster=client, concurrency=AT_ONCE, progress=False)
    thread.join()
    [run_id] = space.runs()["run"]
    assert space.run(run_id).status == "cancelled"
    stopped_at = model.stats()["calls"]
    assert stopped_at < ROWS
    run = space.run(run_id).resume(cluster=client, progress=False)
    assert (run.id, run.status) == (run_id, "done")
    assert model.stats()["calls"] <= ROWS + AT_ONCE


def test_a_budget_holds_for_all_workers_together(space: pm.Workspace, client: Client, model: RecordedModel) -> None:
    """Not one call more is made, and a larger budget goes on."""
    run = space.evaluate(
        both(space)[0], "s", cluster=client, concurrency=AT_ONCE, budget=pm.Budget(calls=50), progress=False
    )
    assert (run.status, model.stats()["calls"]) == ("stopped", 50)
    more = pm.Budget(calls=90)
    run = space.evaluate(both(space)[0], "s", cluster=client, concurrency=AT_ONCE, budget=more, progress=False)
    assert (run.status, model.stats()["calls"]) == ("stopped", 90)
    assert model.stats()["peak"] <= AT_ONCE
    assert len(run.results) == 90


def test_a_budget_of_tokens_survives_a_dead_worker(space: pm.Workspace, client: Client, model: RecordedModel) -> None:
    """Calls that went down with a worker count with what they could have taken."""
    version = space.save("p", text="{{ instruction }}", model=MODEL, params={"max_tokens": 1000})
    thread = after(model, 20, lambda: kill(client, 1))
    budget = pm.Budget(tokens=15_000)
    run = space.evaluate(version, "s", cluster=client, concurrency=AT_ONCE, budget=budget, progress=False)
    thread.join()
    assert run.status == "stopped"
    answered = int(run.results[["tokens_in", "tokens_out"]].sum().sum())
    lost = model.stats()["calls"] - len(run.results)
    assert answered + 1000 * lost <= space.store.run(run.id).record["spent"]["tokens"] <= 15_000


def test_limits_a_minute_hold_for_all_workers_together(
    space: pm.Workspace, client: Client, model: RecordedModel
) -> None:
    """Fifteen calls at 300 a minute take two seconds, however many workers there are."""
    space.endpoint("slow", base_url=model.base_url, rpm=300)
    suite = space.suite("few", dataset=list(space.dataset("d").rows)[:15], scorers=[pm.scorers.Length()])
    began = time.monotonic()
    run = space.evaluate(both(space)[0], suite, endpoint="slow", cluster=client, concurrency=AT_ONCE, progress=False)
    assert time.monotonic() - began > 1.9
    assert (run.status, model.stats()["calls"]) == ("done", 15)


def test_it_stops_when_sure(space: pm.Workspace, client: Client) -> None:
    """A confidence sequence looks at what the workers scored."""
    short = pm.scorers.Function("short", lambda output, row: 1.0 if len(output) < 700 else 0.0)
    suite = space.suite("short", dataset="d", scorers=[short])
    run = space.evaluate(both(space), suite, cluster=client, concurrency=AT_ONCE, stop_when_sure=True, progress=False)
    assert (run.status, run.method) == ("stopped", "sequence")
    assert run.compare().verdict == "better"


def test_chains_and_judges(ws: pm.Workspace, client: Client) -> None:
    """Prompts upstream are asked first, judges last, all by the workers; the results are those of a local run."""
    model = "pressmark-practice"
    ws.save("sort", text="Answer with one of: billing, refund.\n\n{{ text }}", model=model)
    chained = ws.save(
        "reply",
        text="Answer with one of: good, bad.\n\n{{ label }}: {{ text }}",
        model=model,
        inputs={"label": "sort@latest"},
    )
    rows = [{"text": f"I want my money back for order {number}"} for number in range(12)]
    judge = pm.scorers.Judge("Is it one of the two words?", model=model)
    frames = []
    for name, cluster in (("there", client), ("here", None)):
        space = pm.Workspace(ws.store.path.with_name(f"{name}.duckdb"))
        space.endpoint("practice", base_url=ws.endpoint("practice").base_url)
        for prompt in ("sort", "reply"):
            unit = ws.version(prompt).unit
            space.save(prompt, text=unit.template.text, model=model, inputs=dict(unit.inputs))
        suite = space.suite("s", dataset=rows, scorers=[pm.scorers.Length(), judge])
        run = space.evaluate(space.version(chained.name), suite, cluster=cluster, progress=False)
        assert run.status == "done"
        frames.append(run.results.sort_values("row")[["row", "output", "error", "length", "judge"]])
    pd.testing.assert_frame_equal(frames[0].reset_index(drop=True), frames[1].reset_index(drop=True))


def test_a_scorer_that_cannot_travel(space: pm.Workspace, client: Client, model: RecordedModel) -> None:
    """It is named, with what to do; nothing is asked, and no run is begun."""
    lock = threading.Lock()
    locked = pm.scorers.Function("locked", lambda output, row: float(lock.locked()))
    suite = space.suite("locked", dataset="d", scorers=[locked])
    with pytest.raises(ClusterError, match=r"scorer 'locked' cannot travel to the workers .* open what it needs"):
        space.evaluate(both(space)[0], suite, cluster=client, progress=False)
    assert (len(space.runs()), model.stats()["calls"]) == (0, 0)


def test_a_scorer_whose_module_the_workers_lack(
    space: pm.Workspace, client: Client, model: RecordedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error tells how to get it there."""
    (tmp_path / "only_here.py").write_text("def score(output, row):\n    return 1.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    import only_here  # type: ignore[import-not-found]

    suite = space.suite("away", dataset="d", scorers=[pm.scorers.Function("away", only_here.score)])
    with pytest.raises(ClusterError, match=r"worker tcp.*scorer 'away' cannot be loaded there.*upload_file"):
        space.evaluate(both(space)[0], suite, cluster=client, progress=False)
    assert (len(space.runs()), model.stats()["calls"]) == (0, 0)


def test_each_worker_reads_the_key_from_its_own_environment(
    space: pm.Workspace, client: Client, model: RecordedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that lacks it is named before anything is asked; the caller needs none."""
    space.endpoint("keyed", base_url=model.base_url, key_env=KEY)
    monkeypatch.setenv(KEY, "sk-only-here")
    with pytest.raises(EndpointAuthError, match=rf"worker tcp://.* {KEY}, which is not set there") as raised:
        space.evaluate(both(space)[0], "s", endpoint="keyed", cluster=client, progress=False)
    assert "sk-only-here" not in str(raised.value)
    assert (len(space.runs()), model.stats()["calls"]) == (0, 0)
    monkeypatch.delenv(KEY)
    client.run(lambda: os.environ.update({KEY: "sk-there"}))
    try:
        run = space.evaluate(both(space)[0], "s", endpoint="keyed", cluster=client, concurrency=32, progress=False)
    finally:
        client.run(lambda: os.environ.pop(KEY))
    assert run.status == "done"


def test_workers_with_another_version(
    space: pm.Workspace, client: Client, model: RecordedModel, tmp_path: Path
) -> None:
    """They are refused in words."""
    about = tmp_path / "older" / "pressmark-0.0.1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: pressmark\nVersion: 0.0.1\n")
    [one, _] = client.run(os.getpid)
    client.run(lambda: sys.path.insert(0, str(about.parent)), workers=[one])
    try:
        with pytest.raises(ClusterError, match=rf"worker {one} runs Pressmark 0\.0\.1, and here it is .*install"):
            space.evaluate(both(space)[0], "s", cluster=client, progress=False)
    finally:
        client.run(lambda: sys.path.remove(str(about.parent)), workers=[one])
    assert (len(space.runs()), model.stats()["calls"]) == (0, 0)


def test_what_is_no_cluster(space: pm.Workspace, client: Client) -> None:
    """The error says what to pass."""
    with pytest.raises(ClusterError, match=r"a Dask client, such as .*Client\('tcp://scheduler:8786'\), not 'tcp://x"):
        space.evaluate(both(space)[0], "s", cluster="tcp://x", progress=False)  # type: ignore[arg-type]
    closed = Client(client.scheduler.address)
    closed.close()
    with pytest.raises(ClusterError, match="the Dask client is closed: connect a new one"):
        space.evaluate(both(space)[0], "s", cluster=closed, progress=False)

    async def ask() -> None:
        async with Client(client.scheduler.address, asynchronous=True) as own:
            await space.aevaluate(both(space)[0], "s", cluster=own, progress=False)

    with pytest.raises(ClusterError, match="an asynchronous Dask client"):
        asyncio.run(ask())
    assert len(space.runs()) == 0


def test_a_cluster_without_workers(space: pm.Workspace) -> None:
    """It is told before anything is asked."""
    with (
        LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as empty,
        Client(empty) as client,
        pytest.raises(ClusterError, match="the cluster has no workers"),
    ):
        space.evaluate(both(space)[0], "s", cluster=client, progress=False)
    assert len(space.runs()) == 0


def test_without_a_cluster_no_dask_is_loaded(space: pm.Workspace) -> None:
    """A run in this process does not pay for it."""
    suite = space.suite("s", dataset="d", scorers=[pm.scorers.Length()])
    subprocess.run([sys.executable, "-c", WITHOUT, str(space.store.path)], check=True)
    assert suite.name == "s"
