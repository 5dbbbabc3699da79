"""As a judge it is simple, honest and blind to the order of the outputs."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

Ask = Callable[..., str]
GOOD = (
    "Hello,\n\nthank you for writing to us. We are sorry that the vase arrived broken. Please send us a photo; the "
    "replacement for order 48260 leaves tomorrow.\n\nKind regards"
)
BAD = "We do not know."
REQUEST = (
    "The request:\nsystem: Reply politely to the customer.\nuser: The vase from order ORD-48260 arrived in pieces."
)
PREFER = (
    "You compare two answers of an assistant to the same request. "
    "Reply with one word: A, B, or tie if neither is better."
)
GRADE = (
    "You grade one answer of an assistant by a rubric: polite and helpful. "
    "Reply with one number from 1 (worst) to 5 (best) and nothing else."
)


@pytest.mark.parametrize(
    "form",
    [
        "{request}\n\nAnswer A:\n{a}\n\nAnswer B:\n{b}",
        "{request}\n\n<a>{a}</a>\n<b>{b}</b>",
        "{request}\n\n[A]\n{a}\n\n[B]\n{b}\n\nWhich one is better?",
        "{request}\n\n## Response A\n{a}\n\n## Response B\n{b}",
    ],
)
def test_the_better_output_wins_in_either_place(ask: Ask, form: str) -> None:
    """The same output is preferred, whichever place it has and however the two are marked."""
    assert ask(PREFER, form.format(request=REQUEST, a=GOOD, b=BAD)) == "A"
    assert ask(PREFER, form.format(request=REQUEST, a=BAD, b=GOOD)) == "B"
    assert ask(PREFER, form.format(request=REQUEST, a=GOOD, b=GOOD)) == "tie"


def test_labels_are_held_against_its_own(ask: Ask) -> None:
    """Of two labels it prefers the one that it would give itself."""
    request = "The request:\nsystem: Classify into billing, refund, damaged_item.\nuser: My vase arrived in pieces."
    assert ask(PREFER, f"{request}\n\nAnswer A:\nbilling\n\nAnswer B:\ndamaged_item") == "B"


def test_grades_keep_to_the_scale(ask: Ask) -> None:
    """A good answer gets more than a bad one, an empty one the least, all within the rubric's scale."""
    good, bad, empty = (int(ask(GRADE, f"{REQUEST}\n\nThe answer to grade:\n{output}")) for output in (GOOD, BAD, ""))
    assert 5 >= good > bad > empty == 1
    share = float(
        ask("Rate the output by the rubric between 0 and 1. Only the number.", f"{REQUEST}\n\nOutput: {GOOD}")
    )
    assert 0 < share <= 1


def test_a_reference_decides(ask: Ask) -> None:
    """Given a correct answer, agreement with it is what counts."""
    prompt = "Reference answer: damaged_item\n\nOutput: {output}\n\nRate the output between 0 and 1. Only the number."
    assert float(ask(None, prompt.format(output="damaged_item"))) == 1
    assert float(ask(None, prompt.format(output="billing"))) == 0


def test_a_judgement_as_json(ask: Ask) -> None:
    """Judgements come as JSON when that is asked for."""
    told = f"{GRADE.replace(' and nothing else', '')} Answer as JSON and nothing else, with the keys score and reason."
    assert set(json.loads(ask(told, f"{REQUEST}\n\nThe answer to grade:\n{GOOD}"))) == {"score", "reason"}
