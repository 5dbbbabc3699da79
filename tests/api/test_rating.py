"""Blind ratings over a run: what is asked, what is kept, and what it says."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pressmark as pm
from pressmark.api.session import Session
from pressmark.errors import DatasetError, RatingError
from pressmark.evals.rating import Rating, graded, questions, result
from pressmark.testing import RecordedEndpoint

ROWS = [{"text": f"question {number}", "same": number % 10 == 0} for number in range(60)]
A, B = ("sha256:" + letter * 64 for letter in "ab")


@pytest.fixture
def run(tmp_path: Path) -> Iterator[tuple[pm.Workspace, Any]]:
    """Two versions on 60 rows; in six of them both say the same."""

    def answer(request: dict[str, Any]) -> str:
        said = str(request["messages"][-1]["content"])
        if said.endswith("True"):
            return "the same <b>text</b>"
        return f"kind answer to {said}" if said.startswith("kindly") else f"answer to {said}"

    with RecordedEndpoint(answer) as endpoint:
        ws = pm.Workspace(tmp_path / "r.duckdb", author="ana")
        ws.endpoint("local", base_url=endpoint.base_url)
        versions = [
            ws.save("p", text=f"{start} {{{{ text }}}} {{{{ same }}}}", model="m") for start in ("so", "kindly")
        ]
        suite = ws.suite("s", dataset=ROWS, scorers=[pm.scorers.Length()])
        yield ws, ws.evaluate(versions, suite, progress=False)


def test_a_session_is_blind_and_balanced(run: tuple[pm.Workspace, Any]) -> None:
    """Sides are drawn half each way, rows in another order for each rater, and nothing shown says who wrote what."""
    ws, done = run
    session = ws.rate(done, again=0.2)
    assert session.total == 54 + 11
    sides, rows = [], []
    while session.question is not None:
        shown = session._repr_html_()
        assert "#1" not in shown
        assert "#2" not in shown
        assert "sha256" not in repr(session.question)
        sides.append(session.question.texts[0].startswith("kind"))
        rows.append(session.question.row)
        session.answer("skip")
    assert sum(sides[:54]) == 27
    assert sorted(rows[:54]) == [row for row in range(60) if row % 10]
    assert rows[:54] != sorted(rows[:54])
    assert "&lt;b&gt;" not in session._repr_html_()
    other = ws.rate(done, rater="bo", again=0.2)
    assert other.question is not None
    order = []
    while other.question is not None:
        order.append(other.question.row)
        other.answer("skip")
    assert order != rows
    # The second look shows the sides changed.
    first = {question.row: question.texts for question in session._questions[:54]}
    assert all(first[question.row] == question.texts[::-1] for question in session._questions[54:])


def test_the_verdict_of_raters(run: tuple[pm.Workspace, Any]) -> None:
    """Who prefers the kind answers nine times in ten finds the candidate better; agreement is told beside."""
    ws, done = run
    for rater in ("ana", "bo"):
        session = ws.rate(done, rater=rater, again=0.5)
        while (question := session.question) is not None:
            kind = random.Random(f"{rater}{question.row}").random() < 0.9
            side = "left" if question.texts[0].startswith("kind") == kind else "right"
            session.answer(side)
        found = session.reveal()
    assert found.verdict == "better"
    assert found.raters == {"ana": 81, "bo": 81}
    assert found.identical == 6
    assert found.result.n == 60
    assert found.votes is not None
    assert found.votes.a + found.votes.b + found.votes.ties == 60
    told = {each.who: each.kappa for each in found.agreements}
    assert set(told) == {"ana with themselves", "bo with themselves", "ana and bo"}
    assert told["ana with themselves"].agreed == 1
    assert found.sentence.startswith("#2 better by")
    assert "6 rows have the same text" in str(found)


def test_a_session_goes_on_where_it_stopped(run: tuple[pm.Workspace, Any]) -> None:
    """Every answer is kept at once; another session of the same rater begins at the next question."""
    ws, done = run
    first = ws.rate(done)
    for _ in range(5):
        first.answer("tie", note="alike")
    again = pm.Workspace(ws.store.path, author="ana")
    session = again.rate(again.run(done.id))
    assert session.answered == 5
    assert session.question == first.question
    back = session.back()
    assert back is not None
    assert session.question == back
    session.answer("left")
    kept = ws.store.ratings(done.id)
    assert list(kept["note"])[:4] == ["alike"] * 4
    assert list(kept["choice"]) == ["tie"] * 4 + ["left"]


@pytest.mark.parametrize("kind", ["pairwise", "pointwise"])
def test_an_answer_that_was_taken_back_is_gone(run: tuple[pm.Workspace, Any], kind: Any) -> None:
    """Who undoes an answer and stops there has not given it; other raters' answers and second looks stay."""
    ws, done = run
    choice = "tie" if kind == "pairwise" else "3"
    for rater in ("bo", "ana"):
        session = ws.rate(done, rater=rater, kind=kind, again=1)
        while session.question is not None:
            session.answer(choice)
    total = session.total
    heard: list[Any] = []
    ws.changes.subscribe(heard.append)
    asked = session.back()
    assert asked is not None
    assert asked.again
    assert heard == [{"topic": "ratings", "run": done.id}]
    again = ws.rate(done, rater="ana", kind=kind, again=1)
    assert (again.answered, again.question) == (total - 1, asked)
    kept = ws.store.ratings(done.id)
    assert kept["rater"].value_counts().to_dict() == {"bo": total, "ana": total - 1}
    assert ((kept["rater"] == "ana") & (kept["row"] == asked.row) & ~kept["again"]).any()


def test_nothing_to_take_back(run: tuple[pm.Workspace, Any]) -> None:
    """Before the first answer there is nothing, and nothing happens."""
    ws, done = run
    assert ws.rate(done).back() is None


def test_nothing_is_revealed_early(run: tuple[pm.Workspace, Any]) -> None:
    """The result waits for the last answer, unless the rater says so."""
    ws, done = run
    session = ws.rate(done)
    session.answer("left")
    with pytest.raises(RatingError, match="questions are open"):
        session.reveal()
    assert session.reveal(early=True).result.n == 7


def test_grades(run: tuple[pm.Workspace, Any]) -> None:
    """Outputs one at a time, on a scale; row grades are compared in pairs."""
    ws, done = run
    session = ws.rate(done, kind="pointwise", again=0.1)
    assert session.choices == ("1", "2", "3", "4", "5", "skip")
    while (question := session.question) is not None:
        assert len(question.texts) == 1
        session.answer(5 if question.texts[0].startswith("kind") else 2 + question.row % 2)
    found = session.reveal()
    assert found.verdict == "better"
    assert found.votes is None
    assert found.result.difference == pytest.approx(sum(0.75 - 0.25 * (r % 2) for r in range(60) if r % 10) / 60)


@pytest.mark.parametrize("choice", ["Left", "", "6", None, True, 1.5])
def test_other_answers_are_refused(run: tuple[pm.Workspace, Any], choice: Any) -> None:
    """What is no choice is told, and the question stays."""
    ws, done = run
    session = ws.rate(done)
    before = session.question
    with pytest.raises(RatingError, match="answer one of left, right, tie, skip"):
        session.answer(choice)
    assert session.question == before
    assert len(ws.store.ratings(done.id)) == 0


def test_bad_input(run: tuple[pm.Workspace, Any]) -> None:
    """Nothing to rate, no rater, unknown rows, nobody rated: each is one sentence."""
    ws, done = run
    for wrong in ({"rater": " "}, {"rows": [99]}, {"again": 2}, {"scale": (5, 1)}, {"rows": [0, 10]}):
        with pytest.raises(RatingError):
            ws.rate(done, **wrong)
    with pytest.raises(RatingError, match="nobody has rated"):
        ws.ratings(done)
    with pytest.raises(RatingError, match="no row has a grade"):
        ws.ratings(done, kind="pointwise")
    with pytest.raises(RatingError, match="pairs are of two versions"):
        questions({0: {}}, {(0, A): "x"}, [A, A])


def test_the_last_answer_counts() -> None:
    """Of one rater and question the last answer counts; skipped ones do not."""
    told = [
        Rating(0, A, B, "left", "ana"),
        Rating(0, B, A, "left", "ana"),
        Rating(1, A, B, "skip", "ana"),
        Rating(2, A, B, "tie", "ana"),
        Rating(2, A, B, "right", "bo"),
    ]
    found = result(told, A, B)
    assert found.result.n == 2
    assert found.result.difference == pytest.approx((0.5 + 0.25) / 2)
    assert found.skipped == 1
    with pytest.raises(RatingError):
        graded(told, A, B)


def test_a_judge_is_held_to_what_people_said_last(tmp_path: Path) -> None:
    """A judge's agreement counts a rater's last vote on a row: no second look, skip, grade or what was taken back."""

    def answer(request: dict[str, Any]) -> str:
        said = str(request["messages"][-1]["content"])
        return "tie" if "Answer A" in said else said

    with RecordedEndpoint(answer) as endpoint:
        ws = pm.Workspace(tmp_path / "r.duckdb", author="ana")
        ws.endpoint("local", base_url=endpoint.base_url)
        versions = [ws.save("p", text=f"{start} {{{{ text }}}}", model="m") for start in ("so", "kindly")]
        suite = ws.suite("s", dataset=ROWS[:10], scorers=[pm.scorers.PairwiseJudge(model="judge")])
        run = ws.evaluate(versions, suite, progress=False)
    ws.rate(run, again=0).answer("left")
    session = ws.rate(run, again=1)
    while session.question is not None:
        session.answer("left" if session.question.again else "tie" if session.answered < 9 else "skip")
    session.back()
    session.answer("skip")
    ws.rate(run, kind="pointwise").answer(5)
    [judge] = run.report().judges
    assert judge.agreement is not None
    # Ten rows: the first was answered "left" before, eight are ties, and the last one was skipped.
    assert (judge.rated, judge.agreement.agreed) == (9, pytest.approx(8 / 9))


@pytest.fixture
def sorted_mail(tmp_path: Path) -> Iterator[tuple[pm.Workspace, Any]]:
    """A run whose rows hold the answer, and what a judge reads."""
    rows = [{"text": f"message {n}", "category": f"answer {n}", "channel": "mail", "about": "x"} for n in range(4)]
    with RecordedEndpoint(lambda request: str(request["messages"][-1]["content"])) as endpoint:
        ws = pm.Workspace(tmp_path / "s.duckdb", author="ana")
        ws.endpoint("local", base_url=endpoint.base_url)
        versions = [ws.save("p", text=f"{start} {{{{ text }}}} {{{{ about }}}}", model="m") for start in ("so", "and")]
        scorers = [pm.scorers.Exact("category"), pm.scorers.TextSimilarity("about")]
        suite = ws.suite("s", dataset=rows, scorers=scorers, slice="channel")
        yield ws, ws.evaluate(versions, suite, progress=False)


def test_a_rater_does_not_see_the_answer(sorted_mail: tuple[pm.Workspace, Any]) -> None:
    """What filled the prompts is shown, what a scorer expects is not, and another column where it is named."""
    ws, done = sorted_mail

    def seen(**options: Any) -> list[str]:
        session = ws.rate(done, **options)
        assert session.question is not None
        assert "answer" not in session._repr_html_() or "category" in options["show"]
        return list(session.question.values)

    assert seen() == ["text"]
    assert seen(show="channel") == ["text", "channel"]
    assert seen(show=["category", "about"]) == ["text", "category", "about"]
    with pytest.raises(DatasetError, match="no column 'mood': it has text, category"):
        ws.rate(done, show=["mood"])


def test_a_page_is_not_sent_the_answer(sorted_mail: tuple[pm.Workspace, Any]) -> None:
    """What a page shows of a question is what the session shows; the reveal opens whole rows."""
    ws, done = sorted_mail
    blind = Session(ws).begin_rating(done.id, "#1", "#2", "ana", "pairwise")
    question = blind.view()["question"]
    assert question is not None
    assert [name for name, _ in question["values"]] == ["text"]
    assert "answer 0" not in str(question)
    blind.answer("left")
    assert ("category", "answer 0") in blind.texts(0)["values"]


def test_what_a_judge_is_given_is_no_answer() -> None:
    """A judge's question is shown to raters, its reference is not."""
    grade = pm.scorers.Judge("Is it kind?", model="m", question="text", reference="reply")
    prefer = pm.scorers.PairwiseJudge("reply", model="m", question="text")
    assert grade.expects == prefer.expects == ("reply",)
    assert pm.scorers.Judge("Is it kind?", model="m").expects == ()
