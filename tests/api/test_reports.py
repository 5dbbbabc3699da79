"""`run.report()` and `run.chart()`: from the workspace's file, after the run and after it was stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import pressmark as pm
from pressmark.errors import StatsError, VersionNotFoundError

ROWS = 90


@pytest.fixture
def space(tmp_path: Path) -> Any:
    """A workspace with three versions, a suite and a finished run of recorded outputs."""
    from pressmark.evals import Answer, OutputRecord
    from pressmark.prompts import FrozenDict

    ws = pm.Workspace(tmp_path / "w.duckdb")
    made = [
        ws.save(
            "tests/prompt", messages=[{"role": "user", "content": f"{word} {{{{ text }}}}"}], model="m", message=word
        )
        for word in ("one", "two", "three")
    ]
    data = ws.dataset("tests/data", [{"text": f"row {n}", "part": "ab"[n % 2], "label": "x"} for n in range(ROWS)])
    suite = ws.suite("tests/suite", dataset=data, scorers=[pm.scorers.Exact("label")], slice="part")
    store = ws.store
    store.save_suite(suite.name, suite.digest, suite.spec())
    spec = {
        "format": 1,
        "versions": [{"name": v.name, "version": v.version, "digest": v.digest} for v in made],
        "suite": {"name": suite.name, "digest": suite.digest},
        "endpoint": {"name": "recorded", "base_url": "http://127.0.0.1:9/v1"},
        "repeats": 1,
    }
    name = suite.primary

    def add(run_id: str, rows: int, status: str) -> None:
        store.create_run(run_id, spec, prompt="tests/prompt", dataset=data.digest)
        store.append_outputs(
            [
                OutputRecord(
                    run_id,
                    v.digest,
                    n,
                    0,
                    f"{v.digest}{n}",
                    Answer("x", model="other" if v is made[2] else "m", cost=1e-5 * (k + 1), latency=1 + n % 3 + k),
                    None,
                    1,
                    False,
                    v.created_at,
                    FrozenDict({name: float(n % 4 == 0 or (k == 1 and n % 2 == 0))}),
                ).to_dict()
                for k, v in enumerate(made)
                for n in range(rows)
            ]
        )
        store.finish_run(run_id, status)

    add("whole", ROWS, "done")
    add("part", 60, "cancelled")
    return ws


def test_report_of_a_finished_run(space: Any) -> None:
    """All candidates against the first version, at the declared size, with cost, latency and served models."""
    found = space.run("whole").report()
    assert [candidate.name for candidate in found.candidates] == ["#2", "#3"]
    assert (found.method, found.planned, found.baseline) == ("fixed", ROWS, "#1")
    assert (found["#2"].verdict, found["#3"].verdict) == ("better", "cannot tell")
    assert [told.scorer for told in found["#2"].measured] == ["cost", "latency"]
    assert any("#3 asks for model m, and the endpoint served other in 90 outputs" in note for note in found.notes)
    assert found["#2"].primary.result == space.run("whole").compare("#1", "#2").result
    assert "all 90 declared rows were asked" in str(found)


def test_report_of_a_stopped_run(space: Any) -> None:
    """A run that was stopped is judged by the confidence sequence."""
    found = space.run("part").report(candidates="#2")
    assert (found.method, found.primary.test, found.primary.n) == ("sequence", "confidence sequence", 60)
    assert any("30 of 90 rows were not asked" in note for note in found.notes)


def test_which_versions(space: Any) -> None:
    """Baseline and candidates can be named; unknown ones are refused."""
    run = space.run("whole")
    assert run.report("#2", ["#1", "#3"])["#1"].verdict == "worse"
    with pytest.raises(VersionNotFoundError):
        run.report(candidates="#9")


@pytest.mark.parametrize("kind", ["intervals", "slices", "cost", "scores"])
def test_charts(space: Any, kind: Any) -> None:
    """Each chart comes as a picture that needs no network."""
    drawn = space.run("whole").chart(kind)
    assert drawn.svg().startswith("<svg")
    with pytest.raises(StatsError, match="one of intervals"):
        space.run("whole").chart("pie")
