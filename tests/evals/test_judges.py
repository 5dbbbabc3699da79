"""Judges: what they ask, and how they read what they are told."""

from __future__ import annotations

from collections import Counter

import pytest

from pressmark.evals import Answer
from pressmark.evals.scorers import Judge, PairwiseJudge, ScoringError, ScoringInput
from pressmark.prompts import FrozenDict

ROW = FrozenDict({"reference": "the reference answer", "question": "what is asked"})
REQUEST = {"model": "m", "messages": [{"role": "user", "content": "the whole request"}]}
PAIRWISE = PairwiseJudge("reference", model="judge", question="question")


def row(number: int, repeat: int = 0, output: str = "the output") -> ScoringInput:
    """The judge's view of a row."""
    return ScoringInput(output, ROW, Answer(output), REQUEST, number, repeat)


def test_both_answers_are_shown_word_for_word() -> None:
    """The request holds question, output and reference, in the drawn order."""
    for number in range(20):
        text = PAIRWISE.request(row(number))["messages"][-1]["content"]
        first = text.index("the output") < text.index("the reference answer")
        assert first == (PAIRWISE.order(row(number)) == "output first")
        assert "what is asked" in text


def test_the_order_is_drawn_evenly_and_repeats() -> None:
    """The order is near even over rows, the same each time, and another with another seed."""
    drawn = [PAIRWISE.order(row(number)) for number in range(1000)]
    assert 440 < Counter(drawn)["output first"] < 560
    assert drawn == [PAIRWISE.order(row(number, output="another version's")) for number in range(1000)]
    other = PairwiseJudge("reference", model="judge", seed=1)
    assert drawn != [other.order(row(number)) for number in range(1000)]
    assert drawn != [PAIRWISE.order(row(number, repeat=1)) for number in range(1000)]


@pytest.mark.parametrize(
    ("said", "vote"),
    [
        ("A", "A"),
        ("b", "B"),
        ("tie", "tie"),
        (" **B** ", "B"),
        ("[[A]]", "A"),
        ("Answer B.", "B"),
        ("Verdict: tie", "tie"),
        ("Both are correct, but the first is shorter.\nA", "A"),
    ],
)
def test_votes_are_read(said: str, vote: str) -> None:
    """A vote scores 1 for the output, 0 for the reference, 0.5 for a tie, whatever stood first."""
    for number in range(8):
        judgement = PAIRWISE.read(row(number), Answer(said, model="judge-7"))
        first = PAIRWISE.order(row(number)) == "output first"
        assert judgement.score == (0.5 if vote == "tie" else float((vote == "A") == first))
        assert judgement.details == {"order": PAIRWISE.order(row(number)), "vote": vote, "model": "judge-7"}


@pytest.mark.parametrize("said", ["", "C", "A or B", "I like A", "neither", "a tie between A and B\nbut who knows"])
def test_unreadable_votes_are_errors(said: str) -> None:
    """An answer that is no vote is an error, never a zero."""
    with pytest.raises(ScoringError, match="neither A, B nor tie"):
        PAIRWISE.read(row(0), Answer(said))


def test_a_row_without_a_reference_is_an_error() -> None:
    """A row whose reference is empty cannot be judged."""
    with pytest.raises(ScoringError, match="nothing in column 'reference'"):
        PAIRWISE.request(ScoringInput("o", FrozenDict({"reference": None}), Answer("o"), REQUEST))


def test_judge_shows_the_rubric_and_reads_the_grade() -> None:
    """A grade between the ends becomes a score in [0, 1]."""
    judge = Judge("polite and short", model="judge", reference="reference", params={"temperature": 0})
    request = judge.request(row(0))
    assert request["temperature"] == 0
    assert "polite and short" in request["messages"][0]["content"]
    asked = request["messages"][1]["content"]
    assert all(part in asked for part in ("the whole request", "the output", "the reference answer"))
    scores = [judge.read(row(0), Answer(said)).score for said in ("1", "3", "5", "Grade: 4", "2/5", "Fine.\n**5**")]
    assert scores == [0, 0.5, 1, 0.75, 0.25, 1]


@pytest.mark.parametrize("said", ["", "good", "0", "6", "3 or 4", "4.5"])
def test_unreadable_grades_are_errors(said: str) -> None:
    """An answer that is no grade is an error, never a zero."""
    with pytest.raises(ScoringError, match="not a whole number from 1 to 5"):
        Judge("good", model="judge").read(row(0), Answer(said))


def test_multi_part_requests_are_shown_as_text() -> None:
    """Without a question column, parts of a message are told by their text."""
    parts = [{"type": "text", "text": "look at this"}, {"type": "image_url", "image_url": {"url": "data:"}}]
    request = {"messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": None}]}
    asked = Judge("good", model="m").request(ScoringInput("o", ROW, Answer("o"), request))["messages"][1]["content"]
    assert "user: look at this\n[image_url]" in asked
