"""What a real workspace tells the Evaluate panel: plans, overrides, resuming, a row in full, corrections."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import pressmark as pm
from pressmark.api.session import Session
from pressmark.api.session.outline import Outline
from pressmark.api.session.pace import Pace
from pressmark.errors import DatasetError, PressmarkError, SuiteError, SuiteNotFoundError
from pressmark.providers import practice
from pressmark.widgets.protocols import AskingView, RunProgress

from .triage import PROMPT, VAGUE, save, workspace

ROWS = 40


def asking(**changes: object) -> AskingView:
    """How a run asks, but for what is given."""
    told: dict[str, object] = {
        "repeats": 1,
        "concurrency": 4,
        "budget": {"money": None, "tokens": None, "calls": None, "minutes": None},
        "stop_when_sure": False,
    }
    return told | changes  # type: ignore[return-value]


@pytest.fixture
def ws(tmp_path: Path, practice_url: str) -> pm.Workspace:
    """Two versions, a suite of 40 rows with slices, the practice model."""
    space = workspace(tmp_path, practice_url)
    for system in (VAGUE, "Answer with exactly one label: billing, delivery, refund."):
        save(space, system)
    inbox = space.dataset("support/inbox", practice.example_messages()[:ROWS])
    space.suite("support/basics", dataset=inbox, scorers=[pm.scorers.Exact("category")], slice="channel")
    return space


def finish(ws: pm.Workspace, run: str) -> None:
    """Wait for the end of a run."""
    if (runner := ws.runners.get(run)) is not None:
        runner.join(60)


def start(ws: pm.Workspace, session: Session, versions: list[str], how: AskingView | None = None) -> str:
    """Run versions to their end and return the run's id."""
    heard: list[RunProgress] = []
    run = session.start_run(PROMPT, versions, "support/basics", "practice", heard.append, how)
    finish(ws, run)
    return run


def test_a_view_of_a_run_is_on_the_suite_that_it_ran(ws: pm.Workspace) -> None:
    """A run that ended is not shown as stale because another suite comes first in the list."""
    ws.suite("another/suite", dataset="support/inbox", scorers=[pm.scorers.Length()])
    run = start(ws, Session(ws, None), ["#1", "#2"])
    view = ws.run(run).view()
    assert view.settle(60)
    assert [each["name"] for each in view.state_catalog["suites"]] == ["another/suite", "support/basics"]
    assert view.state_evaluate["suite"] == "support/basics"
    view.close()


def test_a_prompt_opens_with_a_suite_that_may_judge_it(ws: pm.Workspace) -> None:
    """Its own, else one of no certain prompt; one that was made for another only where nothing else is there."""
    inbox = ws.dataset("support/inbox")
    scorers = [pm.scorers.Length()]
    save(ws, VAGUE, name="b/other")
    save(ws, VAGUE, name="c/third")
    ws.suite("a/of-other", dataset=inbox, scorers=scorers, prompt="b/other")
    view = ws.workbench("c/third")
    assert view.settle(60)
    assert view.state_evaluate["suite"] == "support/basics"
    view.prompt = "b/other"
    assert view.settle(60)
    assert view.state_evaluate["suite"] == "support/basics"  # what was chosen may judge it, so that it stays
    ws.suite("support/basics", dataset=inbox, scorers=scorers, prompt=PROMPT)
    view.close()

    view = ws.workbench("b/other")
    assert view.settle(60)
    assert view.state_evaluate["suite"] == "a/of-other"
    view.prompt = PROMPT
    assert view.settle(60)
    assert view.state_evaluate["suite"] == "support/basics"
    view.prompt = "c/third"
    assert view.settle(60)
    assert view.state_evaluate["suite"] == "support/basics"  # neither was made for it
    ws.suite("z/of-third", dataset=inbox, scorers=scorers, prompt="c/third")
    assert view.settle(60)
    assert view.state_evaluate["suite"] == "z/of-third"
    view.close()


def test_a_plan_tells_calls_tokens_and_what_could_be_shown(ws: pm.Workspace) -> None:
    """It is `ws.plan`, with repeats; one version alone shows no difference."""
    session = Session(ws, None)
    told = session.estimate(PROMPT, ["#1", "#2"], "support/basics", "practice", asking(repeats=3))
    plan = ws.plan([ws.version(PROMPT, "#1"), ws.version(PROMPT, "#2")], "support/basics", repeats=3)
    assert (
        (told["calls"], told["cached"], told["tokens_in"])
        == (plan.calls, 0, plan.tokens_in)
        == (240, 0, 0 + plan.tokens_in)
    )
    assert told["smallest"] == plan.smallest_difference
    assert session.estimate(PROMPT, ["#1"], "support/basics", "practice")["smallest"] is None


def test_an_override_runs_beside_its_original_and_can_be_kept(ws: pm.Workspace) -> None:
    """It has a name of its own, is not saved by running it, and gets a number when it is kept."""
    session = Session(ws, None)
    name = session.derive(PROMPT, {"of": "#2", "model": None, "params": {"max_tokens": 5}})
    run = start(ws, session, ["#2", name])
    assert session.run(run)["versions"] == ["#2", name]
    assert len(ws.versions(PROMPT)) == 2
    row = session.run_row(run, 0, "#2", "category")
    assert '"max_tokens": 5' in row["cells"][name]["full"]["settings"]
    assert session.keep(PROMPT, name) == "#3"
    with pytest.raises(PressmarkError, match="asks for exactly that already"):
        session.derive(PROMPT, {"of": "#2", "model": None, "params": {"temperature": 0}})
    with pytest.raises(PressmarkError, match="is not known any more"):
        Session(ws, None).estimate(PROMPT, ["#2", name], "support/basics", "practice")


def test_a_budget_stops_a_run_and_resuming_asks_only_what_is_missing(ws: pm.Workspace) -> None:
    """The run goes on under its id; what was answered is not asked again."""
    session = Session(ws, None)
    limits = {"money": None, "tokens": None, "calls": 30, "minutes": None}
    run = start(ws, session, ["#1", "#2"], asking(budget=limits))
    stopped = session.run(run)
    assert stopped["status"] == "stopped"
    assert stopped["done"] == 30
    heard: list[RunProgress] = []
    assert session.resume_run(run, "practice", heard.append, asking()) == run
    finish(ws, run)
    assert session.run(run)["status"] == "done"
    assert session.run(run)["done"] == 2 * ROWS
    assert ws.store.spent(run)["calls"] == 2 * ROWS


def test_bad_numbers_are_told_before_anything_is_asked(ws: pm.Workspace) -> None:
    """A budget or repeats out of range start nothing."""
    session = Session(ws, None)
    for how in (asking(budget={"money": -1}), asking(repeats=0)):
        with pytest.raises(PressmarkError, match=r"leave it empty|1 or more"):
            session.start_run(PROMPT, ["#1"], "support/basics", "practice", lambda told: None, how)
    assert session.runs(PROMPT) == []


def test_a_correction_is_a_new_version_of_the_dataset(ws: pm.Workspace) -> None:
    """The run keeps its rows, the suite is named that judges by the old ones, and moves when asked to."""
    session = Session(ws, None)
    run = start(ws, session, ["#1", "#2"])
    old = ws.dataset("support/inbox")
    told = session.correct_row(run, 3, {"category": "refund!"}, "seen by eye")
    assert told["suites"] == ["support/basics"]
    assert told["changes"] == {"category": [old.rows[3]["category"], "refund!"]}
    new = ws.dataset("support/inbox")
    assert [a == b for a, b in zip(old.rows, new.rows, strict=True)].count(False) == 1
    assert session.run_rows(run, [3], "#1", "category")[0]["values"]["category"] == old.rows[3]["category"]
    assert session.move_suites("support/inbox", told["suites"]) == ["support/basics"]
    assert ws.suite("support/basics").dataset.digest == new.digest
    assert session.move_suites("support/inbox", told["suites"]) == []


def test_a_correction_that_cannot_be_is_refused_and_changes_nothing(ws: pm.Workspace) -> None:
    """Nothing new, an unknown column, and a row that somebody else changed meanwhile."""
    session = Session(ws, None)
    run = start(ws, session, ["#1"])
    before = ws.dataset("support/inbox")
    for values, why in (
        ({"category": str(before.rows[0]["category"])}, "holds that already"),
        ({"nothing": "x"}, "has no column"),
    ):
        with pytest.raises(DatasetError, match=why):
            session.correct_row(run, 0, values, "")
    assert ws.dataset("support/inbox").digest == before.digest
    session.correct_row(run, 0, {"category": "x"}, "")
    with pytest.raises(DatasetError, match="is another one by now"):
        session.correct_row(run, 0, {"category": "y"}, "")


def test_standings_are_the_charts_numbers(ws: pm.Workspace) -> None:
    """Means agree with the summary, and every scored row is in a bin."""
    session = Session(ws, None)
    run = start(ws, session, ["#1", "#2"])
    told = session.standings(run, "category")
    summary = ws.run(run).summary()
    for item in told["items"]:
        line = summary[(summary["version"] == item["version"]) & (summary["slice"] == "all")].iloc[0]
        assert (item["mean"], item["low"], item["high"], item["n"]) == (
            line["mean"],
            line["low"],
            line["high"],
            line["n"],
        )
        assert sum(item["bins"]) == item["n"]


def test_a_chains_upstream_answers_stand_in_the_row(ws: pm.Workspace) -> None:
    """The row in full shows what the prompt upstream said, and what was asked with it filled in."""
    ws.save(
        "support/answer",
        messages=[{"role": "user", "content": "Category: {{ category_of }}. Answer: {{ text }}"}],
        model=practice.PRACTICE_MODEL,
        inputs={"category_of": f"{PROMPT}@production"},
    )
    ws.suite("support/answers", dataset="support/inbox", scorers=[pm.scorers.Length()])
    session = Session(ws, None)
    run = session.start_run("support/answer", ["#1"], "support/answers", "practice", lambda told: None)
    finish(ws, run)
    cell = session.run_row(run, 2, "#1", "length")["cells"]["#1"]
    [upstream] = cell["full"]["upstream"]
    assert upstream["version"] == f"{PROMPT} #2"
    assert upstream["fills"] == "category_of"
    assert upstream["output"]
    assert f"Category: {upstream['output']}." in cell["request"][0]["content"]


def test_an_endpoint_that_answers_garbage_leaves_error_rows_to_be_asked_again(
    ws: pm.Workspace, practice_url: str
) -> None:
    """Each row is an error that says so; a run on a sound endpoint has its answers."""

    class Garbage(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b"\\x00{not json" * 3)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Garbage) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ws.endpoint("garbage", base_url=f"http://127.0.0.1:{server.server_port}/v1")
        ws.suite(
            "one",
            dataset=[{"text": "Where is my parcel?", "category": "delivery"}],
            scorers=[pm.scorers.Exact("category")],
        )
        session = Session(ws, None)
        run = session.start_run(PROMPT, ["#1"], "one", "garbage", lambda told: None)
        finish(ws, run)
        server.shutdown()
    told = session.run(run)
    assert (told["done"], told["errors"]) == (1, 1)
    assert session.run_rows(run, [0], "#1", "category")[0]["cells"]["#1"]["error"]
    again = session.resume_run(run, "practice", lambda told: None)
    finish(ws, again)
    assert session.run(again)["errors"] == 0


def test_a_run_whose_dataset_was_deleted(ws: pm.Workspace) -> None:
    """It stays in the list with what it had done; what needs the suite says where that went, and what is left."""
    session = Session(ws, None)
    run = session.start_run(PROMPT, ["#1", "#2"], "support/basics", "practice", lambda told: None)
    finish(ws, run)
    before = session.run(run)
    ws.delete_dataset("support/inbox", reason="asked by the customer")
    fresh = Session(pm.Workspace(ws.store.path), None)
    assert fresh.suites() == []
    assert [told["run"] for told in fresh.runs(PROMPT)] == [run]
    told = fresh.run(run)
    assert (
        (told["status"], told["done"], told["total"])
        == ("done", 2 * ROWS, 2 * ROWS)
        == (
            before["status"],
            before["done"],
            before["total"],
        )
    )
    gone = (
        r"'support/basics' went with its dataset 'support/inbox'\. ana deleted it on .*: asked by the customer\. What"
    )
    for look in (
        lambda: fresh.run_suite(run),
        lambda: fresh.run_rows(run, [0], "#1", "category"),
        lambda: fresh.run_order(run, "#1", "#2", "category", "all", "row", ""),
        lambda: fresh.comparison(run, "#1", "#2", "category"),
        lambda: fresh.ratable(run),
        lambda: fresh.resume_run(run, "practice", lambda told: None),
        lambda: ws.suite("support/basics"),
    ):
        with pytest.raises(SuiteNotFoundError, match=gone):
            look()
    assert len(ws.run(run).results) == 2 * ROWS
    with pytest.raises(SuiteNotFoundError, match="there is no suite 'other'"):
        ws.suite("other")


def test_an_outline_without_its_dataset() -> None:
    """What a suite says by itself is told without rows; a scorer it lacks is an error that names those it has."""
    spec = {
        "name": "s",
        "dataset": {"name": "gone", "digest": "sha256:0"},
        "scorers": [{"type": "exact", "name": "right", "column": "category"}, {"type": "length"}],
        "primary": "length",
    }
    outline = Outline.of(spec, {})
    view = outline.view({("other", "sha256:0"): 7})
    assert (view["rows"], view["slice"], view["publishable"]) == (0, None, True)
    assert [(scorer["name"], scorer["primary"], scorer["column"]) for scorer in view["scorers"]] == [
        ("length", True, None),
        ("right", False, "category"),
    ]
    assert outline.view({("gone", "sha256:0"): 7})["rows"] == 7
    with pytest.raises(SuiteError, match="suite 's' has no scorer 'wrong': it has right, length"):
        outline.scorer("wrong")


def test_a_pace_forgets_what_was_long_ago() -> None:
    """A burst from the cache does not make a slow endpoint look quick for ever."""
    pace = Pace()
    assert pace.rate(0.0, 1000) is None
    assert pace.rate(2.0, 1004) == 2.0
    rates = [pace.rate(2.0 + second, 1004 + second) for second in range(1, 40)]
    assert rates[-1] == pytest.approx(1.0)
