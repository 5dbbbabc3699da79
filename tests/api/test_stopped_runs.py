"""Runs that end before their last row: by a budget, or because the versions are told apart."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pressmark as pm
from pressmark import errors, stats
from pressmark.api.stopping import Sure
from pressmark.evals import Memory
from pressmark.evals.plan import order_of
from tests.evals.making import dataset, record, suite
from tests.providers.scripted import Reply, Request, Server, completion

ROWS = [{"text": f"question {n}", "answer": "yes"} for n in range(240)]
# Of a hundred rows, how many a version answers rightly.
RIGHT = {"Guess.": 40, "Think.": 80, "Think hard.": 81}


def reply(request: Request) -> Reply:
    """Answer rightly as often as the system message has it, by the row's text alone."""
    system, user = (message["content"] for message in request.body["messages"])
    right = zlib.crc32(user.encode()) % 100 < RIGHT[system]
    return Reply(completion("yes" if right else "no"))


@pytest.fixture
def server() -> Iterator[Server]:
    """The endpoint."""
    serving = Server(reply)
    yield serving
    serving.close()


@pytest.fixture
def space(tmp_path: Path, server: Server) -> pm.Workspace:
    """A workspace with the endpoint, a suite of 240 rows and three versions."""
    ws = pm.Workspace(tmp_path / "prompts.duckdb")
    ws.endpoint("local", base_url=server.base_url)
    ws.suite("s", dataset=ws.dataset("d", ROWS), scorers=[pm.scorers.Exact("answer", name="right")])
    for system in RIGHT:
        save(ws, system)
    return ws


def save(ws: pm.Workspace, system: str, **more: Any) -> Any:
    """Save a version."""
    messages = [{"role": "system", "content": system}, {"role": "user", "content": "{{ text }}"}]
    return ws.save("p", messages=messages, **{"model": "m", **more})


def versions(ws: pm.Workspace, *names: str) -> list[Any]:
    """Versions by their numbers."""
    return [ws.version("p", name) for name in names]


def test_a_budget_stops_and_more_goes_on(space: pm.Workspace, server: Server) -> None:
    """The run returns with what it has; the same budget adds nothing, a larger one goes on, none ends it."""
    pair = versions(space, "#1", "#2")
    run = space.evaluate(pair, "s", budget=pm.Budget(calls=100), progress=False)
    assert (run.status, run.method, run.planned) == ("stopped", "unplanned", 240)
    assert run.note == (
        "Stopped at 100 of 480 answers: the budget of 100 calls is used up. Run it again with a larger budget to go on."
    )
    assert len(run.results) == len(server.requests) == 100
    # The versions of one row are asked side by side, in the order that the dataset's digest gives.
    order = order_of(space.store.dataset("d"))
    assert set(run.results["row"]) <= set(order[:54])

    again = space.evaluate(pair, "s", budget=pm.Budget(calls=100), progress=False)
    assert (again.id, again.status, len(server.requests)) == (run.id, "stopped", 100)
    more = space.evaluate(pair, "s", budget=pm.Budget(calls=150, minutes=10), progress=False)
    assert (more.id, len(more.results), len(server.requests)) == (run.id, 150, 150)
    whole = space.evaluate(pair, "s", progress=False)
    assert (whole.id, whole.status, whole.method, whole.note) == (run.id, "done", "fixed", None)
    assert (len(whole.results), len(server.requests)) == (480, 480)
    assert space.store.run(run.id).record["spent"]["calls"] == 480
    assert space.store.run(run.id).record["rows_done"] == 240


async def test_a_budget_of_tokens_for_an_async_caller(space: pm.Workspace) -> None:
    """An async caller's budget is kept likewise, counted in tokens."""
    run = await space.aevaluate(versions(space, "#1"), "s", budget=pm.Budget(tokens=1000), progress=False)
    assert run.status == "stopped"
    used = int(run.results["tokens_in"].sum() + run.results["tokens_out"].sum())
    assert 1000 - 60 < used <= 1000
    assert f"the budget is 1,000 tokens; {used} are used" in str(run.note)


def test_money_without_a_price_is_refused_before_anything(space: pm.Workspace, server: Server) -> None:
    """A model without a known price and a budget of money: a sentence, no call, no run."""
    with pytest.raises(errors.BudgetError, match=r"the price of 'm' at .* is not known"):
        space.evaluate(versions(space, "#1"), "s", budget=pm.Budget(money=1), progress=False)
    with pytest.raises(ValueError, match="concurrency is the number of calls at once"):
        space.evaluate(versions(space, "#1"), "s", concurrency=0, progress=False)
    assert server.requests == []
    assert space.runs().empty
    assert space.store.running() == set()


def test_sure_enough(space: pm.Workspace, server: Server) -> None:
    """A large difference stops the run early, by a sequence that excludes none; its record tells all of it."""
    pair = versions(space, "#1", "#2")
    run = space.evaluate(pair, "s", stop_when_sure=True, concurrency=4, progress=False)
    assert (run.status, run.method, run.planned) == ("stopped", "sequence", 240)
    told = space.store.run(run.id).record
    assert 30 <= told["rows_done"] < 200
    assert run.note == (
        f"Stopped after {told['rows_done']} of 240 rows: the confidence sequence tells the versions apart."
    )
    [sequence] = told["sequence"]
    assert sequence["candidate"] == pair[1].digest
    assert sequence["low"] > 0
    # The sequence is that of the first rows in the run's order.
    first = order_of(space.store.dataset("d"))[: sequence["rows"]]
    values = run.results.pivot(index="row", columns="version", values="right").loc[list(first)]
    again = stats.sequential(values["#1"].tolist(), values["#2"].tolist(), 240, bounded=True)
    assert again is not None
    assert (again.low, again.high) == (sequence["low"], sequence["high"])
    asked = len(server.requests)
    # The same again is sure at once; and what was once watched stays so, also when the rest is asked.
    assert space.evaluate(pair, "s", stop_when_sure=True, progress=False).id == run.id
    assert len(server.requests) == asked
    whole = space.evaluate(pair, "s", progress=False)
    assert (whole.id, whole.status, whole.method, len(server.requests)) == (run.id, "done", "sequence", 480)


def test_never_sure(space: pm.Workspace) -> None:
    """Two versions that hardly differ are asked to the end; the run was watched all the same."""
    run = space.evaluate(versions(space, "#2", "#3"), "s", stop_when_sure=True, concurrency=16, progress=False)
    assert (run.status, run.method, run.note) == ("done", "sequence", None)
    assert len(run.results) == 480


def test_three_versions_must_all_be_told_apart(space: pm.Workspace) -> None:
    """With two candidates both have to differ from the baseline, each at its share of the error."""
    run = space.evaluate(versions(space, "#1", "#2", "#3"), "s", stop_when_sure=True, concurrency=4, progress=False)
    assert run.status == "stopped"
    assert len(space.store.run(run.id).record["sequence"]) == 2
    run = space.evaluate(versions(space, "#2", "#3", "#1"), "s", stop_when_sure=True, concurrency=16, progress=False)
    assert run.status == "done"


def test_one_version_has_nothing_to_be_sure_of(space: pm.Workspace) -> None:
    """One version alone cannot be told apart."""
    with pytest.raises(errors.VersionNotFoundError, match="pass the baseline and a candidate"):
        space.evaluate(versions(space, "#1"), "s", stop_when_sure=True, progress=False)


def test_a_cancelled_run_is_unplanned(space: pm.Workspace) -> None:
    """A failed run's method says that nobody planned its size."""
    broken = space.endpoint("gone", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(errors.EndpointConnectionError):
        space.evaluate(versions(space, "#1"), "s", endpoint=broken, progress=False)
    [run_id] = space.runs()["run"]
    run = space.run(run_id)
    assert (run.status, run.method, run.planned) == ("failed", "unplanned", 240)


def test_only_the_beginning_counts() -> None:
    """Rows count up to the first one that is not finished, in the run's order, whatever came back before it."""
    data = dataset(*(f"text {n}" for n in range(60)))
    order = order_of(data)
    sink = Memory()
    sure = Sure(sink, suite(data), ["a", "b"], order, run_id="run", repeats=1)
    for row in order[1:50]:
        sure.record(record("a", row, length=0.0))
        sure.record(record("b", row, length=1.0 + row % 2 / 10))
    assert not sure()
    assert sure.told == []
    sure.record(record("a", order[0], length=0.0))
    sure.record(record("b", order[0], error="no"))
    assert sure()
    assert [told["rows"] for told in sure.told] == [49]
    assert len(sink.records) == 100
