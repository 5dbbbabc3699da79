"""What a real workspace and a real registry tell the workbench."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import pressmark as pm
from pressmark.api.session import Session
from pressmark.api.session.evaluating import plain_sentence
from pressmark.evals.comparison import compare_scores
from pressmark.providers import practice
from pressmark.registry import serving
from pressmark.widgets.protocols import RunProgress

from .triage import EXACT, PROMPT, VAGUE, save, workspace


@pytest.fixture
def ws(tmp_path: Path, practice_url: str) -> pm.Workspace:
    """A workspace with two versions, the second of them much better, and a suite with slices."""
    space = workspace(tmp_path, practice_url)
    for system in (VAGUE, EXACT):
        save(space, system)
    inbox = space.dataset("support/inbox", practice.example_messages()[:60])
    scorers = [pm.scorers.Exact("category"), pm.scorers.Length()]
    space.suite("support/basics", dataset=inbox, scorers=scorers, primary="category", slice="channel")
    return space


def ran(ws: pm.Workspace) -> str:
    """Run both versions and return the run's id."""
    versions = [ws.version(PROMPT, name) for name in ("#1", "#2")]
    return ws.evaluate(versions, "support/basics", progress=False).id


def test_rows_tell_what_the_prompt_reads_and_what_is_expected(ws: pm.Workspace) -> None:
    """Variables stand first among a row's values, and the scorer names its column."""
    session, run = Session(ws, None), ran(ws)
    scorers = {scorer["name"]: scorer for scorer in session.run_suite(run)["scorers"]}
    assert (scorers["category"]["column"], scorers["length"]["column"]) == ("category", None)
    [row] = session.run_rows(run, [7], "#1", "category")
    assert row["inputs"] == ["text"]
    assert next(iter(row["values"])) == "text"
    assert list(session.run_row(run, 7, "#1", "category")["values"]) == list(row["values"])


def test_slices_are_the_comparisons_own_and_narrow_the_rows(ws: pm.Workspace) -> None:
    """Names, numbers and adjusted p values agree with `Run.compare`, rows and counts with the dataset."""
    session, run = Session(ws, None), ran(ws)
    view = session.comparison(run, "#1", "#2", "category")
    told = ws.run(run).compare("#1", "#2")
    assert [(each["name"], each["n"], each["p"]) for each in view["slices"]] == [
        (part.name, part.result.n, part.p) for part in told.slices
    ]
    inside = [number for number, row in enumerate(practice.example_messages()[:60]) if row["channel"] == "email"]
    order = session.run_order(run, "#1", "#2", "category", "all", "row", "", "email")
    assert order["rows"] == inside
    assert order["counts"]["all"] == len(inside)
    flipped = session.run_order(run, "#1", "#2", "category", "flipped", "row", "", "email")
    assert len(flipped["rows"]) == order["counts"]["flipped"] == order["counts"]["better"] + order["counts"]["worse"]
    turned = session.comparison(run, "#2", "#1", "length")
    assert "-" not in turned["sentence"].replace("sign-flip", "")


def test_a_failed_run_is_told_without_the_clients_words(ws: pm.Workspace) -> None:
    """The sentence is the cause and the advice; what the HTTP client said is a detail."""
    ws.endpoint("wrong", base_url="http://127.0.0.1:1/v1")
    session = Session(ws, None)
    last: list[RunProgress] = []
    run = session.start_run(PROMPT, ["#1", "#2"], "support/basics", "wrong", last.append)
    if (runner := ws.runners.get(run)) is not None:
        runner.join(60)
    told = session.run(run)
    assert told["status"] == "failed"
    assert told["error"] is not None
    assert told["error"].endswith("start the server, or correct the address")
    assert told["details"]
    assert told["details"] not in told["error"]


def test_a_run_that_ended_by_itself_is_judged_by_its_sequence(ws: pm.Workspace) -> None:
    """Its note is told, and its interval is one that holds although the run chose its own end."""
    session, run = Session(ws, None), ran(ws)
    ws.store.finish_run(run, "stopped", "the budget of 0.50 USD is spent")
    told = session.run(run)
    assert (told["status"], told["note"], told["error"]) == ("stopped", "the budget of 0.50 USD is spent", None)
    view = session.comparison(run, "#1", "#2", "category")
    assert (view["provisional"], view["test"], view["verdict"]) == (False, "confidence sequence", "better")
    assert "so far" not in view["sentence"]
    assert view["slices"] == []


def test_a_run_that_may_stop_when_sure_does_and_says_so(ws: pm.Workspace) -> None:
    """A real stop: the note is the run's own, and the page's verdict the one that stopped it."""
    versions = [ws.version(PROMPT, name) for name in ("#1", "#2")]
    run = ws.evaluate(versions, "support/basics", stop_when_sure=True, concurrency=1, progress=False)
    session = Session(ws, None)
    told = session.run(run.id)
    assert (told["status"], told["note"]) == ("stopped", run.note)
    assert told["done"] < told["total"] == 120
    view = session.comparison(run.id, "#1", "#2", "category")
    assert (view["verdict"], view["test"], view["provisional"]) == ("better", "confidence sequence", False)


def test_no_interval_is_shown_where_there_is_none(ws: pm.Workspace) -> None:
    """An end that is infinite is left out and explained; a minus is a minus."""
    suite = ws.suite("support/basics")
    told = compare_scores({0: 1.0, 1: 5.0, 2: 3.0}, {0: 2.0, 1: 1.0, 2: 1.0}, suite, suite.scorer("length"))
    sentence = plain_sentence(told)
    assert "inf" not in sentence
    assert "; no interval, since only 3 rows changed; " in sentence
    assert "−1.67 characters on 3 rows" in sentence
    scored = compare_scores(
        dict.fromkeys(range(40), 1.0), {row: float(row > 3) for row in range(40)}, suite, suite.scorer("category")
    )
    assert "−10.0 points [−" in plain_sentence(scored)


def test_evidence_at_the_gate_carries_its_verdict(ws: pm.Workspace, tmp_path: Path) -> None:
    """The line about a comparison has the comparison's verdict; the others have none."""
    ran(ws)
    with serving.running(tmp_path / "registry.db") as server:
        session = Session(ws, pm.Registry(server.url, token=server.token))
        lines: dict[str, Any] = {line["code"]: line for line in session.gate(PROMPT, "production", "#2")["reasons"]}
        assert lines["evaluated"]["verdict"] == "better"
        assert all("verdict" not in line for code, line in lines.items() if code != "evaluated")
        ws.save(PROMPT, messages=[{"role": "user", "content": "{{ text }}!"}], model=practice.PRACTICE_MODEL)
        lines = {line["code"]: line for line in session.gate(PROMPT, "production", "#3")["reasons"]}
        assert lines["evaluated"]["verdict"] is None
