"""The way to an endpoint, on a real server: limits a minute, one lane an endpoint, and refusals."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow.parquet as pq
import pytest

from pressmark.errors import EndpointError
from pressmark.evals import Answer, Dataset, Memory, Patience, Suite, execute, plan, scorers
from pressmark.providers import Endpoint, completer

from .making import Scripted, dataset, suite, version

QUICK = Patience(first_wait=0.001)


class Timed(Scripted):
    """A scripted endpoint with limits, which notes when it was asked."""

    def __init__(self, rpm: float | None = None, tpm: float | None = None) -> None:
        super().__init__(lambda text: Answer("a", "m", tokens_in=50, tokens_out=50))
        self.rpm, self.tpm = rpm, tpm
        self.at: list[float] = []

    async def __call__(self, request: Mapping[str, Any]) -> Answer:
        """Answer."""
        self.at.append(time.monotonic())
        return await super().__call__(request)


@pytest.mark.parametrize("limits", [{"rpm": 6000}, {"tpm": 600_000}])
def test_limits_a_minute(limits: dict[str, float]) -> None:
    """A hundred requests a second, or ten thousand tokens: 150 calls of 100 tokens take at least half a second."""
    complete = Timed(**limits)
    data = dataset(*(f"text {n}" for n in range(150)))
    made = plan([version()], data, base_url=complete.base_url)
    execute(made, suite(data), complete, Memory(), run_id="run", concurrency=32)
    assert len(complete.at) == 150
    # The first second's worth goes at once, and the rest at the rate.
    assert complete.at[-1] - complete.at[0] >= 0.45
    if "rpm" in limits:
        for first, moment in enumerate(complete.at):
            assert sum(moment <= other < moment + 0.1 for other in complete.at[first:]) <= 111


def test_a_judge_has_a_lane_of_its_own() -> None:
    """A judge's endpoint that refuses calls slows down the judge, not the model."""
    busy = iter([True] * 6)

    def judge(text: str) -> Any:
        return EndpointError("busy", status=429, retryable=True) if next(busy, False) else "5"

    judging, asked = Scripted(judge), Timed()
    judging.base_url = "http://judge/v1"
    data = dataset(*(f"text {n}" for n in range(40)))
    made = plan([version()], data, base_url=asked.base_url)
    sink = Memory()
    progress = execute(
        made,
        suite(data, scorers.Judge("good", model="judge")),
        asked,
        sink,
        run_id="run",
        judge=judging,
        patience=QUICK,
    )
    assert (progress.done, progress.errors, progress.retries) == (40, 0, 6)


@pytest.fixture(scope="module")
def queries(shared: Any) -> Dataset:
    """400 real instructions."""
    table = pq.read_table(shared / "data/alpacaeval/gpt-3.5-turbo-1106.parquet", columns=["instruction"])
    return Dataset.of("alpaca/instructions", [{"text": row["instruction"]} for row in table.to_pylist()[:400]])


def test_faults_do_not_throttle(recorded_model: Callable[..., Any], queries: Dataset) -> None:
    """One call in twenty refused at random, 20 ms each: more calls go at once than at the start; no row is lost."""
    model = recorded_model(faults="429=0.05", seed=9, latency_ms=20)
    model.stats(reset=True)
    sink = Memory()
    progress = execute(
        plan([version(model="gpt-3.5-turbo-1106")], queries, base_url=model.base_url),
        Suite.of("alpaca/length", queries, [scorers.Length()]),
        completer(Endpoint("busy", model.base_url)),
        sink,
        run_id="run",
        concurrency=32,
    )
    told = model.stats()
    assert (progress.done, progress.errors) == (400, 0)
    assert told["calls"] - sum(told["sent"].values()) == 400
    assert 8 < told["peak"] <= 32
