"""Suites that one person publishes and another one pulls and runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pressmark import publishing
from pressmark.errors import SuiteError, SuiteNotFoundError
from pressmark.evals import Dataset, Suite
from pressmark.evals.answer import Answer
from pressmark.evals.scorers import Exact, Function, Length, Regex
from pressmark.evals.scorers.base import DirectScorer, ScoringError, ScoringInput
from pressmark.registry.store import Store as Registry
from pressmark.workspace import Store as Workspace

PACKAGE = """
def polite(output, row):
    return 1.0 if "please" in output else 0.0
"""


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """An embedded registry."""
    with Registry(tmp_path / "registry.db", actor="ana") as opened:
        yield opened


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """The workspace of somebody else."""
    return Workspace(tmp_path / "other.duckdb")


@pytest.fixture
def polite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that can be imported."""
    (tmp_path / "house_rules.py").write_text(PACKAGE)
    monkeypatch.syspath_prepend(str(tmp_path))
    import importlib

    return importlib.import_module("house_rules").polite


def data() -> Dataset:
    """Rows of several kinds."""
    return Dataset.of(
        "support/inbox", [{"text": "a", "category": "bug", "tags": ["x"]}, {"text": "b", "category": None, "tags": []}]
    )


def asked(suite: Suite, scorer: str, output: str) -> float | bool | None:
    """What one of a suite's scorers says of an output."""
    found = suite.scorer(scorer)
    assert isinstance(found, DirectScorer)
    answer = Answer(output=output, model="m")
    return found.score(ScoringInput(output, suite.dataset.rows[0], answer, {}))


def test_suite_comes_over_whole(registry: Registry, workspace: Workspace) -> None:
    """A pulled suite has the published one's digest, rows and scorers, and is kept in the workspace."""
    made = Suite.of("support/basics", data(), [Exact("category"), Regex("b.*", name="b"), Length()], slice="category")
    published = publishing.publish_suite(made, registry)
    assert (published.version, published.digest) == ("v1", made.digest)
    pulled = publishing.pull_suite(workspace, registry, "support/basics")
    assert pulled == made
    assert pulled.dataset.digest == made.dataset.digest
    spec = workspace.suite_spec("support/basics")
    kept = Suite.from_spec(spec, workspace.dataset("support/inbox"))
    assert kept == made


def test_older_suite(registry: Registry, workspace: Workspace) -> None:
    """A suite is pulled by number or digest, too."""
    first = Suite.of("support/basics", data(), [Exact("category")])
    publishing.publish_suite(first, registry)
    publishing.publish_suite(Suite.of("support/basics", data(), [Length()]), registry)
    for ref in ("v1", first.digest):
        assert publishing.pull_suite(workspace, registry, "support/basics", ref) == first
    with pytest.raises(SuiteNotFoundError):
        publishing.pull_suite(workspace, registry, "support/basics", "v9")


def test_function_goes_by_its_import_path(registry: Registry, workspace: Workspace, polite: Any) -> None:
    """A function is imported where the caller trusts its package, and runs as it did."""
    made = Suite.of("support/tone", data(), [Function("polite", polite, version="1")])
    published = publishing.publish_suite(made, registry)
    assert published.digest == made.digest
    assert dict(published.spec["functions"]) == {"polite": "house_rules:polite"}
    pulled = publishing.pull_suite(workspace, registry, "support/tone", trusted=["house_rules"])
    assert pulled.digest == made.digest
    assert [asked(pulled, "polite", text) for text in ("please", "now")] == [1.0, 0.0]


def test_nothing_is_imported_unasked(registry: Registry, workspace: Workspace, polite: Any) -> None:
    """Without trust the scorer is a stand-in that fails each row; a function of the caller's own takes its place."""
    made = Suite.of("support/tone", data(), [Function("polite", polite, version="1")])
    publishing.publish_suite(made, registry)
    for trusted in ((), ("house",), ("house_rules.inner",)):
        pulled = publishing.pull_suite(workspace, registry, "support/tone", trusted=trusted)
        assert pulled.digest == made.digest
        with pytest.raises(ScoringError, match="polite"):
            asked(pulled, "polite", "please")

    def mine(output: str, row: Mapping[str, Any]) -> float:
        return 0.25

    own = publishing.pull_suite(workspace, registry, "support/tone", functions={"polite": mine})
    assert asked(own, "polite", "please") == 0.25


def test_function_that_is_gone(registry: Registry, workspace: Workspace, polite: Any) -> None:
    """A trusted function that cannot be imported is told with its path."""
    made = Suite.of("support/tone", data(), [Function("polite", polite, version="1")])
    spec = {**made.spec(), "functions": {"polite": "house_rules:rude"}}
    from pressmark.evals.parquet import to_parquet

    registry.publish_suite(made.name, spec, to_parquet(made.dataset))
    with pytest.raises(SuiteError, match=r"house_rules:rude.*install the package"):
        publishing.pull_suite(workspace, registry, "support/tone", trusted=["house_rules"])


def test_suite_that_others_cannot_run(registry: Registry) -> None:
    """A suite with a lambda, or with a function that has no version, stays where it is."""

    def nameless(output: str, row: Mapping[str, Any]) -> float:
        return 1.0

    for function in (Function("f", lambda output, row: 1.0), Function("f", nameless)):
        with pytest.raises(SuiteError, match="cannot be published"):
            publishing.publish_suite(Suite.of("support/tone", data(), [function]), registry)
    assert registry.suites() == []


def test_dataset_that_was_swapped(registry: Registry, workspace: Workspace) -> None:
    """A dataset that is not the one that the suite was published with is refused, and nothing is kept."""
    from pressmark.evals.parquet import to_parquet

    made = Suite.of("support/basics", data(), [Exact("category")])
    other = Dataset.of("support/inbox", [{"text": "x", "category": "y", "tags": None}])
    registry.publish_suite(made.name, made.spec(), to_parquet(other))
    with pytest.raises(SuiteError, match="was made of dataset"):
        publishing.pull_suite(workspace, registry, "support/basics")
    with pytest.raises(SuiteNotFoundError):
        workspace.suite_spec("support/basics")


def test_pulling_undoes_nothing(registry: Registry, workspace: Workspace) -> None:
    """Pulled again, an older suite and its rows stay the older versions that they are; what is new becomes newest."""
    first = Suite.of("support/basics", data(), [Exact("category")])
    publishing.publish_suite(first, registry)
    publishing.pull_suite(workspace, registry, "support/basics")
    corrected = workspace.correct_dataset("support/inbox", 0, {"category": "praise"})
    mine = Suite.of("support/basics", corrected, [Exact("category"), Length()])
    workspace.save_suite(mine.name, mine.digest, mine.spec())
    assert publishing.pull_suite(workspace, registry, "support/basics") == first
    assert workspace.dataset("support/inbox") == corrected
    assert workspace.suite_spec("support/basics") == mine.spec()
    assert workspace.dataset("support/inbox", first.dataset.digest).rows == first.dataset.rows
    theirs = Suite.of("support/basics", data(), [Length()])
    publishing.publish_suite(theirs, registry)
    assert publishing.pull_suite(workspace, registry, "support/basics") == theirs
    assert workspace.suite_spec("support/basics") == theirs.spec()
    assert workspace.dataset("support/inbox") == corrected


@pytest.mark.parametrize("part", ["train", "holdout"])
def test_a_part_of_a_split_stays_one(registry: Registry, workspace: Workspace, part: str) -> None:
    """A suite on a part of a split says so where it is pulled, under the digests that it has without."""
    rows = [{"text": f"message {n}", "category": "ab"[n % 2]} for n in range(20)]
    drawn = getattr(Dataset.of("inbox", rows).split(), part)
    made = Suite.of("support/basics", drawn, [Exact("category")])
    assert made.digest == Suite.of("support/basics", Dataset.of("x", drawn.rows), [Exact("category")]).digest
    published = publishing.publish_suite(made, registry)
    assert published.digest == made.digest
    pulled = publishing.pull_suite(workspace, registry, "support/basics")
    assert pulled.dataset.origin == drawn.origin
    assert workspace.dataset(drawn.name).origin.part == part
    assert [each.digest for each in workspace.train_parts()] == ([drawn.digest] if part == "train" else [])
