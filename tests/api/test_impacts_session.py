"""What a real workspace and registry tell the Publish panel of a change: its reach, its evaluation, its evidence."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pressmark as pm
from pressmark.api.session import Session
from pressmark.errors import EvidenceError, PressmarkError, SuiteNotFoundError
from pressmark.testing import RecordedEndpoint
from pressmark.widgets.protocols import ActView, ChangeAsked, ChangeProgressView

TOP, NEXT = "c/top", "c/next"
ROWS = [{"text": f"order {number}", "number": str(number)} for number in range(40)]
ASKED: ChangeAsked = {"name": TOP, "label": "production", "to": "#2", "endpoint": "local", "suites": []}
PATIENCE = 60


class Model:
    """Answers what stands in the message; it may be held until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self.asked = threading.Event()

    def __call__(self, request: dict[str, Any]) -> str:
        """Answer the number in the message, or a sentence where it is asked for one."""
        self.asked.set()
        assert self.go.wait(PATIENCE)
        verb, _, rest = str(request["messages"][-1]["content"]).partition(": ")
        number = rest.split()[-1].rstrip(".") if rest else ""
        return f"The number is {number}." if verb == "verbose" else number


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def ws(tmp_path: Path, model: Model) -> Iterator[pm.Workspace]:
    """A prompt in two versions, one downstream, a suite for each; the second version breaks its own suite."""
    with RecordedEndpoint(model, model="m") as endpoint:
        space = pm.Workspace(tmp_path / "chain.duckdb", author="ana")
        space.endpoint("local", base_url=endpoint.base_url)
        space.save(TOP, text="number: {{ text }}", model="m")
        space.save(TOP, text="verbose: {{ text }}", model="m")
        space.save(NEXT, text="number: {{ got }}", model="m", inputs={"got": f"{TOP}@production"})
        space.dataset("orders", ROWS)
        space.suite("s/top", dataset="orders", scorers=[pm.scorers.Exact("number")], prompt=TOP)
        space.suite("s/next", dataset=ROWS, scorers=[pm.scorers.Exact("number")], prompt=NEXT)
        yield space


@pytest.fixture
def registry(ws: pm.Workspace, tmp_path: Path) -> Iterator[pm.Registry]:
    """Production holds the first versions, and a team works there: the gate wants evidence."""
    with pm.Registry(f"sqlite:///{tmp_path / 'registry.db'}") as opened:
        for name in (TOP, NEXT):
            published = opened.publish(ws.version(name, "#1"), reason="first")
            opened.move(name, label="production", to=published, reason="first")
        opened.set_policy("production", "team", reason="a team works here")
        yield opened


def acts(session: Session) -> list[ActView]:
    """What the gate's lines offer for the second version."""
    return [reason["act"] for reason in session.gate(TOP, "production", "#2")["reasons"] if "act" in reason]


def evaluated(ws: pm.Workspace, registry: pm.Registry | None) -> pm.ChangeEvaluation:
    """An evaluation of the second version, made by a line of Python."""
    return ws.evaluate_change(ws.version(TOP, "#2"), registry=registry, progress=False)


def begin(session: Session, asked: ChangeAsked = ASKED) -> queue.SimpleQueue[ChangeProgressView]:
    """Begin an evaluation as the panel does, and return where its progress is told."""
    told: queue.SimpleQueue[ChangeProgressView] = queue.SimpleQueue()
    session.evaluate_change(asked, told.put)
    return told


def last(told: queue.SimpleQueue[ChangeProgressView]) -> ChangeProgressView:
    """The last progress of an evaluation."""
    while True:
        progress = told.get(timeout=PATIENCE)
        if progress["status"] != "running":
            return progress


class TestMadeInPython:
    """An evaluation by `ws.evaluate_change` counts in the panel as one that was made there."""

    def test_it_is_shown_with_its_next_step(self, ws: pm.Workspace, registry: pm.Registry) -> None:
        """Verdicts, runs and who made it are told, and what is next is to submit it."""
        session = Session(ws, registry)
        before = session.impact(TOP, "production", "#2")
        assert (before["source"], before["prompts"][0]["outcome"]) == ("none", "not evaluated")
        assert {act["kind"] for act in acts(session)} == {"evaluate"}

        made = evaluated(ws, registry)
        view = session.impact(TOP, "production", "#2")
        assert (view["source"], view["submitted"], view["made_by"]) == ("here", False, "ana")
        assert view["sentence"] == made.sentence
        assert [(each["name"], each["outcome"]) for each in view["prompts"]] == [
            (TOP, "worse"),
            (NEXT, "cannot tell"),
        ]
        assert [each["suites"][0]["run"] for each in view["prompts"]] == [
            part.run.id for part in made.parts if part.run
        ]
        assert {act["kind"] for act in acts(session)} == {"submit"}

    def test_a_workbench_that_is_open_is_told(self, ws: pm.Workspace, registry: pm.Registry) -> None:
        """The panel asks again as soon as the cell is done."""
        heard: list[Any] = []
        end = Session(ws, registry).subscribe(heard.append)
        evaluated(ws, registry)
        end()
        assert {"topic": "registry", "name": TOP} in heard

    def test_it_is_there_the_next_day(self, ws: pm.Workspace, registry: pm.Registry) -> None:
        """Another process that opens the file finds it, and may submit it: the very same evidence."""
        made = evaluated(ws, registry)
        session = Session(pm.Workspace(ws.store.path, author="ben"), registry)
        assert session.impact(TOP, "production", "#2")["sentence"] == made.sentence
        done = session.submit_evidence(TOP, "production", "#2", "as found")
        assert done["published"] == "v2"
        assert registry.backend.evidence_by_digest(done["digest"]) == made.evidence
        assert session.impact(TOP, "production", "#2")["submitted"]
        assert "submit" not in {act["kind"] for act in acts(session)}

    def test_without_a_registry_it_counts_where_it_compared_the_same(
        self, ws: pm.Workspace, registry: pm.Registry
    ) -> None:
        """Made from the workspace's versions, it is of the same change where those are what the labels hold."""
        session = Session(ws, registry)
        evaluated(ws, None)
        assert session.impact(TOP, "production", "#2")["source"] == "here"

    def test_a_new_one_takes_its_place(self, ws: pm.Workspace, registry: pm.Registry) -> None:
        """Evaluated again on another suite, the newest counts."""
        evaluated(ws, registry)
        again = ws.suite("s/other", dataset="orders", scorers=[pm.scorers.Contains("number")])
        ws.evaluate_change(ws.version(TOP, "#2"), registry=registry, suites={TOP: [again]}, progress=False)
        [top, _] = Session(ws, registry).impact(TOP, "production", "#2")["prompts"]
        assert [suite["suite"] for suite in top["suites"]] == ["s/other"]

    def test_a_suite_that_was_changed_since_is_marked(self, ws: pm.Workspace, registry: pm.Registry) -> None:
        """The verdict is shown as what it is: one by the suite as it was."""
        session = Session(ws, registry)
        evaluated(ws, registry)

        def sentences() -> list[str]:
            return [each["suites"][0]["sentence"] for each in session.impact(TOP, "production", "#2")["prompts"]]

        assert not any("changed since" in each for each in sentences())
        ws.suite("s/top", dataset="orders", scorers=[pm.scorers.Contains("number")], prompt=TOP)
        assert [each.endswith("; the suite was changed since") for each in sentences()] == [True, False]

    def test_it_says_nothing_once_the_label_or_one_downstream_moved(
        self, ws: pm.Workspace, registry: pm.Registry
    ) -> None:
        """What it was held against is not what stands today, so it is neither shown nor submitted."""
        session = Session(ws, registry)
        evaluated(ws, registry)
        registry.set_policy("production", "solo", reason="to move")
        spaced = ws.save(NEXT, text="number:  {{ got }}", model="m", inputs={"got": f"{TOP}@production"})
        other = registry.publish(spaced, reason="another space")
        registry.move(NEXT, label="production", to=other, reason="another space")
        assert session.impact(TOP, "production", "#2")["source"] == "none"
        with pytest.raises(EvidenceError, match="was not evaluated for production here as it stands: evaluate"):
            session.submit_evidence(TOP, "production", "#2", "why")
        registry.move(NEXT, label="production", to="v1", reason="back")
        assert session.impact(TOP, "production", "#2")["source"] == "here"
        third = registry.publish(ws.save(TOP, text="number: {{ text }} ", model="m"), reason="another space")
        registry.move(TOP, label="production", to=third, reason="moved")
        assert session.impact(TOP, "production", "#2")["source"] == "none"

    def test_a_dataset_that_was_deleted(self, ws: pm.Workspace, registry: pm.Registry) -> None:
        """What judged by it cannot be told any more, and the sentence says so."""
        evaluated(ws, registry)
        ws.delete_dataset("orders", reason="asked by the customer")
        [top, _] = Session(ws, registry).impact(TOP, "production", "#2")["prompts"]
        assert top["outcome"] == "not evaluated"
        assert top["suites"][0]["sentence"].startswith(
            "its run cannot be read any more (suite 's/top' went with its dataset 'orders'. ana deleted it on"
        )

    def test_deleted_with_the_runs(self, ws: pm.Workspace, registry: pm.Registry) -> None:
        """Evidence quotes outputs, so it goes where they go."""
        made = evaluated(ws, registry)
        assert made.evidence.trials[0].flipped
        ws.delete_dataset("orders", reason="asked by the customer", runs=True)
        assert Session(ws, registry).impact(TOP, "production", "#2")["source"] == "none"
        assert ws.sql("select count(*) as n from evaluations")["n"].tolist() == [0]


class TestMadeInThePanel:
    """Evaluating from the panel, in the background."""

    def test_done(self, ws: pm.Workspace, registry: pm.Registry) -> None:
        """It is told run by run, and its end shows the verdicts."""
        session = Session(ws, registry)
        plan = session.plan_change(ASKED)
        assert [(step["prompt"], step["calls"]) for step in plan["steps"]] == [(TOP, 80), (NEXT, 160)]
        progress = last(begin(session))
        assert (progress["status"], progress["step"], progress["steps"], progress["errors"]) == ("done", 2, 2, 0)
        assert session.impact(TOP, "production", "#2")["source"] == "here"
        # What was answered is known now.
        assert session.plan_change(ASKED)["calls"] == 0

    def test_one_at_a_time_and_stopped(self, ws: pm.Workspace, registry: pm.Registry, model: Model) -> None:
        """A second one is refused by name while the first goes on; stopped, it leaves room and keeps its answers."""
        session = Session(ws, registry)
        model.go.clear()
        told = begin(session)
        assert model.asked.wait(PATIENCE)
        with pytest.raises(PressmarkError, match="#2 of c/top is being evaluated: wait for it or stop it"):
            session.evaluate_change(ASKED, lambda progress: None)
        session.cancel_change()
        model.go.set()
        assert last(told)["status"] == "cancelled"
        assert session.impact(TOP, "production", "#2")["source"] == "none"
        assert last(begin(session))["status"] == "done"
        session.cancel_change()  # nothing is under way, so nothing happens

    def test_what_goes_wrong_is_told(self, ws: pm.Workspace, registry: pm.Registry) -> None:
        """A refusal comes at once; an endpoint that is gone ends it with a reason, and it may be begun again."""
        session = Session(ws, registry)
        unknown: ChangeAsked = {**ASKED, "endpoint": "elsewhere"}
        with pytest.raises(PressmarkError, match="elsewhere"):
            session.evaluate_change(unknown, lambda progress: None)
        ws.endpoint("gone", base_url="http://127.0.0.1:9/v1")
        progress = last(begin(session, {**ASKED, "endpoint": "gone"}))
        assert progress["status"] == "failed"
        assert "127.0.0.1:9" in str(progress["error"])
        assert last(begin(session))["status"] == "done"

    def test_without_a_suite(self, ws: pm.Workspace, registry: pm.Registry) -> None:
        """The plan says that a suite is missing, and how one is made."""
        ws.save("c/apart", text="number: {{ text }}", model="m")
        asked: ChangeAsked = {**ASKED, "name": "c/apart", "to": "#1"}
        with pytest.raises(SuiteNotFoundError, match="make one with"):
            Session(ws, registry).plan_change(asked)

    def test_what_was_not_evaluated_is_not_published(self, ws: pm.Workspace, registry: pm.Registry) -> None:
        """Submitting publishes only what has an evaluation to submit."""
        fresh = ws.save(TOP, text="number: {{ text }}!", model="m")
        with pytest.raises(EvidenceError, match=f"{fresh.version} was not evaluated for production"):
            Session(ws, registry).submit_evidence(TOP, "production", fresh.version, "why")
        assert [version.version for version in registry.backend.versions(TOP)] == ["v1"]
