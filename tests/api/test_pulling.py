"""Pulling a version brings what it needs to be run and judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import pressmark as pm
from pressmark.errors import DatasetNotFoundError, LabelNotFoundError, VersionNotFoundError
from pressmark.testing import RecordedEndpoint

ROWS = [{"text": f"order {number}", "number": str(number)} for number in range(5)]


def answer(request: dict[str, Any]) -> str:
    return str(request["messages"][-1]["content"]).split()[-1]


def publish(made: pm.Workspace, registry: pm.Registry, name: str, text: str, **inputs: str) -> None:
    version = made.save(name, text=text, model="m", inputs=inputs or None)
    published = registry.publish(version, reason="first")
    registry.move(name, label="production", to=published, reason="first")


def test_upstream_and_suites_come_along(tmp_path: Path, registry: pm.Registry) -> None:
    """A chain pulled by its last prompt can be evaluated at once by somebody else."""
    made = pm.Workspace(tmp_path / "made.duckdb", author="ana")
    publish(made, registry, "c/top", "{{ text }}")
    publish(made, registry, "c/middle", "say {{ got }}", got="c/top@production")
    publish(made, registry, "c/last", "say {{ got }}", got="c/middle@production")
    publish(made, registry, "c/apart", "{{ text }}")
    for name in ("c/last", "c/apart"):
        suite = made.suite(f"s{name[1:]}", dataset=ROWS, scorers=[pm.scorers.Exact("number")], prompt=name)
        registry.publish_suite(suite)
    mine = pm.Workspace(tmp_path / "mine.duckdb", author="bo")
    pulled = mine.pull(registry, "c/last@production")
    assert set(mine.prompts()["prompt"]) == {"c/top", "c/middle", "c/last"}
    assert set(mine.suites()["name"]) == {"s/last"}
    with RecordedEndpoint(answer) as endpoint:
        mine.endpoint("local", base_url=endpoint.base_url)
        run = mine.evaluate(pulled, "s/last", progress=False)
    assert run.results["number"].eq(1.0).all()
    assert mine.pull(registry, "c/last@production").version == pulled.version


def test_a_suite_on_deleted_rows_is_left_out(tmp_path: Path, registry: pm.Registry) -> None:
    """The prompt comes, and a warning tells of the suite: its rows were deleted here, and stay so."""
    made = pm.Workspace(tmp_path / "made.duckdb", author="ana")
    publish(made, registry, "c/top", "{{ text }}")
    registry.publish_suite(made.suite("s/top", dataset=ROWS, scorers=[pm.scorers.Exact("number")], prompt="c/top"))
    mine = pm.Workspace(tmp_path / "mine.duckdb", author="bo")
    mine.pull(registry, "c/top@production")
    mine.delete_dataset("s/top", reason="asked by the customer")
    with pytest.warns(UserWarning, match="suite 's/top' was left out of the pull: .* deleted .*asked by the customer"):
        assert mine.pull(registry, "c/top@production").name == "c/top"
    assert mine.datasets().empty
    assert mine.suites().empty
    kept = made.suite("s/top")
    with pytest.raises(DatasetNotFoundError, match="was deleted"):
        mine.suite("s/again", dataset=kept.dataset, scorers=[pm.scorers.Exact("number")])
    with pytest.raises(DatasetNotFoundError, match="was deleted"):
        mine.split(kept.dataset)
    assert mine.suites().empty


def test_what_is_not_there(tmp_path: Path, registry: pm.Registry) -> None:
    """A reference without a version, and an input whose label is not there, are told."""
    made = pm.Workspace(tmp_path / "made.duckdb", author="ana")
    publish(made, registry, "c/last", "say {{ got }}", got="c/top@staging")
    publish(made, registry, "c/top", "{{ text }}")
    mine = pm.Workspace(tmp_path / "mine.duckdb")
    with pytest.raises(VersionNotFoundError, match="does not say which version"):
        mine.pull(registry, "c/last")
    with pytest.raises(LabelNotFoundError):
        mine.pull(registry, "c/last@production")
