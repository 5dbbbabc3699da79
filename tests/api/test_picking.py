"""Examples from a dataset: in the draft's own words, and never a row that prompts are judged by."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

import pressmark as pm
from pressmark.api.session import Session
from pressmark.api.session.bodies import empty_body
from pressmark.api.session.picking import held_out
from pressmark.errors import DatasetError
from pressmark.evals import Dataset
from pressmark.widgets.protocols import UnitBody

ROWS = [{"text": f"question {number}", "answer": f"answer {number}"} for number in range(6)]


@pytest.fixture
def ws(tmp_path: Path) -> pm.Workspace:
    """A workspace with a dataset and its holdout."""
    space = pm.Workspace(tmp_path / "prompts.duckdb")
    space.dataset("inbox", ROWS)
    space.dataset("inbox/holdout", ROWS[:2])
    return space


def body(user: str) -> UnitBody:
    """A draft with this question."""
    return cast("UnitBody", {**empty_body("m"), "messages": [{"role": "user", "content": user}]})


def test_rows_that_judge_are_found() -> None:
    """A holdout by name, rows that a holdout has too, and rows whose own column says so."""
    whole = Dataset.of("inbox", ROWS)
    part = Dataset.of("inbox/holdout", ROWS[:2])
    assert held_out(whole, [part]) == {0, 1}
    assert held_out(whole, []) == set()
    assert held_out(part, []) == {0, 1}
    told = Dataset.of("table", [{"text": "a", "split": "train"}, {"text": "b", "split": "Holdout "}])
    assert held_out(told, []) == {1}


def test_examples_are_asked_in_the_drafts_own_words(ws: pm.Workspace) -> None:
    """The last user message is rendered with the row; braces in a row stay braces."""
    ws.dataset("braces", [{"text": "say {{ hi }}", "answer": None}, {"text": "x", "answer": {"a": [1, 2]}}])
    session = Session(ws, None)
    made = session.examples(body("Q: {{ text }}"), "inbox", [3], "answer", "messages")
    assert made["messages"] == [
        {"role": "user", "content": "Q: question 3"},
        {"role": "assistant", "content": "answer 3"},
    ]
    odd = session.examples(body("{{ text }}"), "braces", [0, 1], "answer", "messages")["messages"]
    assert [message["content"] for message in odd] == ['say {{ "{" }}{ hi }}', "", "x", '{"a": [1, 2]}']
    view = session.preview(cast("UnitBody", {**body(""), "messages": odd}), None, 0)
    assert view["messages"][0]["content"] == "say {{ hi }}"
    assert session.examples(body("{{ other }}"), "inbox", [2], "answer", "text")["text"] == (
        "Examples:\n\nInput:\ntext: question 2\nOutput:\nanswer 2"
    )


@pytest.mark.parametrize(
    ("dataset", "rows", "answer", "why"),
    [
        ("inbox", [1], "answer", "row 1 of 'inbox' is held out"),
        ("inbox/holdout", [0], "answer", "is held out"),
        ("inbox", [3], "label", "no column 'label' for the answer: choose one of text, answer"),
        ("inbox", [], "answer", "1 to 20 rows, not 0"),
        ("inbox", [99], "answer", "has no row 99: it has rows 0 to 5"),
        ("inbox", [True], "answer", "has no row True"),
    ],
)
def test_what_cannot_be_an_example(ws: pm.Workspace, dataset: str, rows: list[Any], answer: str, why: str) -> None:
    """The refusal says what to choose instead."""
    with pytest.raises(DatasetError, match=why):
        Session(ws, None).examples(body("{{ text }}"), dataset, rows, answer, "messages")


def test_rows_are_listed_a_page_at_a_time(ws: pm.Workspace) -> None:
    """With a search, and with those told that cannot be chosen."""
    session = Session(ws, None)
    page = session.example_rows("inbox", "QUESTION", 1, 2)
    assert (page["total"], page["held"]) == (6, 2)
    assert [(row["row"], row["held"]) for row in page["rows"]] == [(1, True), (2, False)]
    assert session.example_rows("inbox", "nowhere", 0, 2)["rows"] == []
