"""How things show themselves: in one line, without what means nothing to a reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import pressmark as pm
from pressmark import errors
from pressmark.gate import GateDecision
from pressmark.providers import practice

NAME = "support/triage"
ROWS = [{"text": "Where is my parcel?", "category": "delivery"}, {"text": "Refund me", "category": "refund"}]


@pytest.fixture
def registry(tmp_path: Path) -> Any:
    """An embedded registry with two versions, the first in production."""
    ws = pm.Workspace(tmp_path / "prompts.duckdb", author="ana")
    with pm.Registry(f"sqlite:///{tmp_path / 'registry.db'}") as opened:
        for text in ("one {{ text }}", "two {{ text }}"):
            opened.publish(ws.save(NAME, text=text, model="m", message=f"say {text[:3]}"), reason="for a test")
        opened.move(NAME, label="production", to="v1", reason="it is <good>")
        yield opened


def test_one_line_each(registry: pm.Registry) -> None:
    """Versions, labels, entries, verifications and decisions say in one line what they are."""
    faces = {
        "<Published support/triage v2 sha256:": registry.version(NAME),
        "<LabelPointer production of support/triage at v1, moved ": registry.label(NAME, "production"),
        "<Entry 3: moved production of support/triage to v1, ": registry.log()[0],
        "<Entry 2: published support/triage v2, ": registry.log()[1],
        "<Verification 3 entries in place, head sha256:": registry.verify(),
        "<GateDecision allowed, ": registry.gate(NAME, label="production", to="v2", reason="r"),
        "<GateDecision refused, ": registry.gate(NAME, label="production", to="v2"),
    }
    for start, thing in faces.items():
        said = repr(thing)
        assert said.startswith(start), said
        assert said.endswith(">")
        assert "\n" not in said
    assert "'it is <good>'" in repr(registry.label(NAME, "production"))


def test_decision_as_a_table() -> None:
    """In a notebook a decision is a table, with every text escaped."""
    from pressmark.gate import Reason

    reason = Reason("role", False, True, "a <reader> may not", "ask")
    told = GateDecision(False, (reason,))._repr_html_()
    assert "The move is refused." in told
    assert "a &lt;reader&gt; may not" in told
    assert "<reader>" not in told


def test_histories_show_texts_whole(registry: pm.Registry, tmp_path: Path) -> None:
    """A table of the change log or of versions cuts no sentence, also in part, and what is missing is no number."""
    reason = "the answers of the new version were too long for the people who read them, so back to the old one"
    registry.move(NAME, label="production", to="v2", reason="try")
    registry.rollback(NAME, label="production", reason=reason)
    history = registry.history()
    for table in (history, history[history["seq"] > 2]):
        assert reason in repr(table)
        assert reason in table._repr_html_()
    versions = pm.Workspace(tmp_path / "prompts.duckdb").versions(NAME)
    assert versions["parent"].tolist() == ["#1", None]
    assert versions["restores"].tolist() == [None, None]
    assert "NaN" not in repr(versions) + versions._repr_html_()


def test_label(registry: pm.Registry) -> None:
    """A label's version reads like a published version's; a label that is not there is told."""
    pointer = registry.label(NAME, "production")
    assert (pointer.version, pointer.number) == ("v1", 1)
    assert registry.version(NAME, pointer.version).version == pointer.version
    with pytest.raises(errors.LabelNotFoundError, match=r"no label 'staging' on 'support/triage'"):
        registry.label(NAME, "staging")
    with pytest.raises(errors.InvalidNameError):
        registry.label(NAME, "../staging")


def test_a_name_that_is_used_again(ws: pm.Workspace) -> None:
    """Other rows or scorers under a known name make a version, and what is returned says so; equal ones do not."""
    exact, length = pm.scorers.Exact("category"), pm.scorers.Length()
    first = ws.dataset("inbox", ROWS)
    assert "version" not in repr(first)
    assert repr(ws.dataset("inbox", ROWS)) == repr(first)
    suite = ws.suite("basics", dataset=first, scorers=[exact])
    assert "version" not in repr(suite)
    assert repr(ws.suite("basics")) == repr(suite)
    second = ws.dataset("inbox", ROWS[:1])
    assert repr(second).endswith("(version 2; 2 → 1 rows)>")
    assert repr(ws.dataset("inbox")).endswith("(version 2)>")
    assert "dataset 'inbox' has other rows now: make the suite again" in repr(ws.suite("basics"))
    assert len(ws.suite("basics").dataset) == 2
    again = ws.suite("basics", dataset=second, scorers=[exact, length])
    assert repr(again).endswith("(version 2)>")
    assert ws.suite("basics").digest == again.digest
    assert "other rows" not in repr(ws.suite("basics"))


def test_lambda_as_scorer(ws: pm.Workspace, practice_url: str) -> None:
    """A bare function is refused by its name, never by its address; wrapped, a lambda runs and keeps its suite."""
    ws.endpoint("practice", base_url=practice_url)
    data = ws.dataset("inbox", ROWS)

    def polite(output: str, row: Any) -> bool:
        return "please" in output

    for bare, called in ((lambda output, row: 1, "a lambda"), (polite, "the function polite"), (3, "3")):
        with pytest.raises(errors.SuiteError, match=f"was given {called} as a scorer: wrap") as caught:
            ws.suite("basics", dataset=data, scorers=[bare])  # type: ignore[list-item]
        assert " at 0x" not in str(caught.value)
    suite = ws.suite("basics", dataset=data, scorers=[pm.scorers.Function("f", lambda output, row: len(output) > 3)])
    version = ws.save(NAME, text="Sort: {{ text }}", model=practice.PRACTICE_MODEL)
    run = ws.evaluate(version, suite, progress=False)
    assert run.status == "done"
    assert ws.evaluate(version, "basics", progress=False).status == "done"
