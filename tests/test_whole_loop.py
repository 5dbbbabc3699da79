"""Real recorded data through the whole loop: draft, evaluate, compare, publish, read in production."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import pressmark as pm
from pressmark.registry import serving
from tests.conftest import RecordedModel

ALPACA_SYSTEM = {
    "plain": "You are a helpful assistant.",
    "concise": (
        "You are a helpful assistant. Be as concise as possible while still providing all the necessary information"
        " to answer the question."
    ),
    "verbose": "You are a helpful assistant. Always answer with as much detail as possible.",
}
# The AlpacaEval 2 leaderboard: win rate and standard error in %, votes for the version, against it, ties.
PUBLISHED = {
    "plain": (9.177964561962735, 0.8904117511864436, 64, 737, 4),
    "concise": (7.41586497762733, 0.8374438113826953, 57, 744, 4),
    "verbose": (12.76316981026087, 1.044246819212278, 94, 709, 2),
}
DISCRETE = {"plain": 8.198757763975156, "concise": 7.329192546583851, "verbose": 11.801242236024844}
MODEL = "gpt-3.5-turbo-1106"
FAULTS = "429=0.05,500=0.03,cut=0.02,garbage=0.02"


@pytest.fixture(scope="module")
def alpaca(
    shared: Path, recorded_model: Callable[..., RecordedModel], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[pm.Workspace, dict[str, Any], Any]]:
    """A workspace with the three AlpacaEval versions, run over all 805 rows, preferences and judge as scorers."""
    ws = pm.Workspace(tmp_path_factory.mktemp("alpaca") / "prompts.duckdb")
    ws.endpoint("recorded", base_url=recorded_model().base_url)
    rows = pd.read_parquet(shared / "data" / "alpacaeval" / f"{MODEL}.parquet")
    versions = {
        name: ws.save(
            "eval/assistant",
            messages=[{"role": "system", "content": system}, {"role": "user", "content": "{{ instruction }}"}],
            model=MODEL,
            message=name,
        )
        for name, system in ALPACA_SYSTEM.items()
    }
    suite = ws.suite(
        "eval/alpaca",
        dataset=ws.dataset("eval/alpaca", rows),
        slice="slice",
        scorers=[
            pm.scorers.Recorded("win", {f"output_{name}": f"win_{name}" for name in versions}),
            pm.scorers.PairwiseJudge(against="output_baseline", model="judge", question="instruction", name="vote"),
        ],
    )
    yield ws, versions, ws.evaluate(list(versions.values()), suite, concurrency=32, progress=False)


def test_alpaca_runs_whole(alpaca: tuple[pm.Workspace, dict[str, Any], Any]) -> None:
    """All 805 rows of three versions are answered, with the model's recorded outputs."""
    _, versions, run = alpaca
    results = run.results
    assert len(results) == 3 * 805
    assert results["error"].isna().all()
    assert set(results["version"]) == {version.version for version in versions.values()}
    assert set(results["model"]) == {MODEL}


@pytest.mark.parametrize("name", list(ALPACA_SYSTEM))
def test_alpaca_published_win_rates(alpaca: tuple[pm.Workspace, dict[str, Any], Any], name: str) -> None:
    """The recorded preferences give the published win rate and standard error to 10 digits."""
    _, versions, run = alpaca
    told = run.summary().set_index(["version", "scorer", "slice"]).loc[(versions[name].version, "win", "all")]
    rate, error, *_ = PUBLISHED[name]
    assert told["n"] == 805
    assert 100 * told["mean"] == pytest.approx(rate, rel=1e-10)
    assert 100 * told["stderr"] == pytest.approx(error, rel=1e-10)


@pytest.mark.parametrize("name", list(ALPACA_SYSTEM))
def test_alpaca_published_votes(alpaca: tuple[pm.Workspace, dict[str, Any], Any], name: str) -> None:
    """The pairwise judge, its order drawn for each row, gives the published votes and discrete win rate exactly."""
    _, versions, run = alpaca
    votes = run.results.query(f"version == '{versions[name].version}'")["vote"]
    _, _, wins, losses, ties = PUBLISHED[name]
    assert ((votes == 1).sum(), (votes == 0).sum(), (votes == 0.5).sum()) == (wins, losses, ties)
    assert 100 * votes.mean() == pytest.approx(DISCRETE[name], rel=1e-15)


def test_alpaca_judge_saw_both_orders(alpaca: tuple[pm.Workspace, dict[str, Any], Any]) -> None:
    """The judge's order is recorded with each vote, and about half of the rows had either one first."""
    ws, _, run = alpaca
    orders = [record["judgements"]["vote"]["order"] for record in ws.store.records(run.id)]
    first = orders.count("output first")
    assert first + orders.count("reference first") == 3 * 805
    assert 0.45 < first / len(orders) < 0.55


def test_alpaca_winner_is_served(alpaca: tuple[pm.Workspace, dict[str, Any], Any], tmp_path: Path) -> None:
    """The version that the comparison calls better is published, and a client in another process serves it."""
    ws, versions, run = alpaca
    comparison = run.compare(versions["plain"], versions["verbose"])
    assert comparison.verdict == "better"
    assert run.compare(versions["plain"], versions["concise"]).difference < 0
    with serving.running(tmp_path / "registry.db") as running:
        registry = pm.Registry(running.url, token=running.token)
        registry.publish(versions["plain"], reason="what we have")
        winner = registry.publish(versions["verbose"], reason=comparison.sentence, workspace=ws)
        registry.move("eval/assistant", label="production", to=winner, reason=comparison.sentence, expected=None)
        script = (
            "import json, pressmark as pm\n"
            "with pm.Client(snapshot_dir=False) as client:\n"
            "    prompt = client.get('eval/assistant')\n"
            "    print(json.dumps([prompt.version, prompt.source, prompt.request(instruction='Hello')]))\n"
        )
        environment = {**os.environ, "PRESSMARK_URL": running.url, "PRESSMARK_TOKEN": running.token or ""}
        served = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True, timeout=60
        )
        version, source, request = json.loads(served.stdout)
    assert (version, source) == ("v2", "live")
    assert request == versions["verbose"].request(instruction="Hello")


def banking(ws: pm.Workspace, shared: Path) -> tuple[list[Any], Any]:
    """Two prompts over the BANKING77 test queries, one of which lists the labels."""
    labels = json.loads((shared / "data" / "banking77" / "categories.json").read_text())
    ask = {"role": "user", "content": "{{ text }}"}
    plain = "Say which intent the customer's query has."
    versions = [
        ws.save("bank/intent", messages=[{"role": "system", "content": system}, ask], model="banking77-knn")
        for system in (plain, f"{plain} Answer with one of: {', '.join(labels)}.")
    ]
    rows = ws.dataset("bank/queries", shared / "data" / "banking77" / "test.csv")
    return versions, ws.suite("bank/intents", dataset=rows, scorers=[pm.scorers.Exact("category")])


def test_banking_verdict_and_cache(shared: Path, recorded_model: Callable[..., RecordedModel], tmp_path: Path) -> None:
    """3,080 real queries tell that listing the labels is better, and a second run asks the endpoint nothing."""
    model = recorded_model(seed=77)
    ws = pm.Workspace(tmp_path / "bank.duckdb")
    ws.endpoint("recorded", base_url=model.base_url)
    versions, suite = banking(ws, shared)
    model.stats(reset=True)
    run = ws.evaluate(versions, suite, concurrency=32, progress=False)
    comparison = run.compare()
    assert comparison.n == 3080
    assert comparison.verdict == "better"
    assert comparison.low > 0.7
    assert model.stats()["calls"] == 2 * 3080
    again = ws.evaluate(versions, suite, concurrency=32, progress=False)
    assert model.stats()["calls"] == 2 * 3080
    assert again.id != run.id
    assert again.results["cached"].all()
    assert again.compare().sentence == comparison.sentence


def test_faults_end_in_answers_or_reasons(
    shared: Path, recorded_model: Callable[..., RecordedModel], tmp_path: Path
) -> None:
    """With 12 % of calls failing, every row is answered or is an error row that says why."""
    model = recorded_model(faults=FAULTS)
    ws = pm.Workspace(tmp_path / "bank.duckdb")
    ws.endpoint("recorded", base_url=model.base_url)
    versions, suite = banking(ws, shared)
    run = ws.evaluate(versions[:1], suite, concurrency=32, progress=False)
    results = run.results
    assert sorted(results["row"]) == list(range(3080))
    failed = results[results["output"].isna()]
    assert failed["error"].notna().all()
    assert failed["error"].str.len().gt(20).all()
    assert results.loc[results["output"].notna(), "error"].isna().all()
    assert run.status == "done"


def test_kill_and_resume(shared: Path, recorded_model: Callable[..., RecordedModel], tmp_path: Path) -> None:
    """Killed by SIGKILL in the middle and started again, a run with faults asks only what was missing."""
    in_flight = 16
    model = recorded_model(faults=FAULTS, latency_ms=2, seed=5)
    file = tmp_path / "bank.duckdb"
    ws = pm.Workspace(file)
    ws.endpoint("recorded", base_url=model.base_url)
    versions, suite = banking(ws, shared)
    model.stats(reset=True)
    script = (
        "import sys, pressmark as pm\n"
        "ws = pm.Workspace(sys.argv[1])\n"
        "ws.evaluate([ws.version('bank/intent', '#1')], 'bank/intents', concurrency=16, progress=False)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script, str(file)])
    deadline = time.monotonic() + 120
    while model.stats()["calls"] < 1000:
        assert child.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    [interrupted] = ws.runs()["run"]
    assert ws.run(interrupted).status == "interrupted"
    run = ws.evaluate(versions[:1], suite, concurrency=in_flight, progress=False)
    assert run.id == interrupted
    told = model.stats()
    results = run.results
    assert sorted(results["row"]) == list(range(3080))
    assert (results["output"].notna() | results["error"].notna()).all()
    assert told["calls"] - sum(told["sent"].values()) <= 3080 + in_flight
