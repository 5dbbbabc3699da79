"""How good the model is, and that prompt work pays: measured on messages it never saw."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from scipy.stats import ttest_rel

from pressmark.providers.practice import example_messages
from pressmark.providers.practice.answering import PracticeModel
from pressmark.providers.practice.messages import CATEGORIES, training_messages
from pressmark.providers.practice.requests import parse

LABELS = ", ".join(CATEGORIES)
DEFINITIONS = """
- billing: a charge, fee, discount or invoice is wrong or unclear, even if the customer wants that money back
- refund: wants money back for something returned, or waits for such a refund
- delivery: where a parcel is, whether and when it comes, changing its address, shipping options
- damaged_item: it arrived broken, used, incomplete, or is the wrong article, even if a refund is asked for
- account_access: signing in, passwords, codes, a locked or hacked account
- cancellation: wants an order or a subscription to be stopped
- product_question: asks about a product before buying: size, material, use, stock
- technical_issue: the app, the website or a device does not work: errors, crashes, connection
"""
BARE = f"Classify the customer's message. Categories: {LABELS}. Answer with the category only."
DEFINED = f"Classify the customer's message. Answer with the category only.\n\nCategories:\n{DEFINITIONS}"
Classified = Callable[[str], list[float]]


def shots() -> str:
    """One hard training message of each category, as examples in a prompt."""
    chosen = [
        next(row for row in training_messages() if row["category"] == name and row["hard"]) for name in CATEGORIES
    ]
    return "\n\n".join(f"Message: {row['text']}\nCategory: {row['category']}" for row in chosen)


@pytest.fixture(scope="module")
def model() -> PracticeModel:
    """The model without its server."""
    return PracticeModel()


def answered(model: PracticeModel, instruction: str, text: object, **options: Any) -> str:
    """The model's text for one message."""
    messages = [{"role": "system", "content": instruction}, {"role": "user", "content": text}]
    body = json.dumps({"model": "pressmark-practice", "messages": messages, **options})
    return model.answer(parse(body.encode())).text or ""


def scores(model: PracticeModel, instruction: str, rows: list[dict[str, object]]) -> list[float]:
    """Exact match, a row each."""
    return [float(answered(model, instruction, row["text"]) == row["category"]) for row in rows]


def mean(values: list[float]) -> float:
    """The mean."""
    return sum(values) / len(values)


def test_it_is_trained_in_well_under_a_second() -> None:
    """Making the model takes less than a second of processor time."""
    started = time.process_time()
    PracticeModel()
    assert time.process_time() - started < 1


def test_listed_labels_give_a_fair_but_not_perfect_model(model: PracticeModel) -> None:
    """With nothing but the labels listed, 72 to 85 % of unseen messages are labelled right, fewer of the hard ones."""
    rows = example_messages()
    got = scores(model, BARE, rows)
    hard = [score for score, row in zip(got, rows, strict=True) if row["hard"]]
    easy = [score for score, row in zip(got, rows, strict=True) if not row["hard"]]
    assert 0.72 <= mean(got) <= 0.85
    assert mean(hard) < mean(easy) - 0.1


@pytest.mark.parametrize("better", [DEFINED, f"{BARE}\n\nExamples:\n\n{shots()}", f"{DEFINED}\n\n{shots()}"])
def test_definitions_and_examples_help(model: PracticeModel, better: str) -> None:
    """Definitions, examples and both are each at least 5 points better than bare labels, on hard messages too."""
    rows = example_messages()
    before, after = scores(model, BARE, rows), scores(model, better, rows)
    assert mean(after) >= mean(before) + 0.05
    hard = [at for at, row in enumerate(rows) if row["hard"]]
    assert mean([after[at] for at in hard]) >= mean([before[at] for at in hard]) + 0.03


def test_a_worked_out_prompt_is_better_than_a_bare_one_beyond_doubt(model: PracticeModel) -> None:
    """Labels, definitions and 'only' against a prompt that lists nothing: clear by the paired interval on 117 rows."""
    rows = example_messages()
    careless = scores(model, "Which category is this message? Keep it short.", rows)
    careful = scores(model, DEFINED, rows)
    assert mean(careless) == 0
    found = ttest_rel(careful, careless).confidence_interval()
    assert found.low > 0.7


def test_middling_prompts_lie_between(model: PracticeModel) -> None:
    """A prompt that asks for one of the labels, but allows more, is often right and sometimes wordy."""
    rows = example_messages()
    middling = f"Classify the customer's message. Answer with one of: {LABELS}."
    exact = mean(scores(model, middling, rows))
    named = mean([float(str(row["category"]) in answered(model, middling, row["text"])) for row in rows])
    assert 0.4 < exact < 0.7 < named


def test_fields_are_found_better_when_their_form_is_told(model: PracticeModel) -> None:
    """Order numbers and urgency are right more often when the prompt shows their form and defines the levels."""
    plain = "Extract urgency (low, normal, high) and order_number. Return a JSON object and nothing else."
    told = (
        'Return a JSON object and nothing else: {"urgency": ..., "order_number": ...}\n'
        "Urgency:\n- low: a question, a wish or a remark that can wait, no hurry\n"
        "- normal: something went wrong and has to be put right within a day or two\n"
        "- high: danger, fraud, a hacked account, or a deadline today or tomorrow\n"
        "order_number: ORD- and five digits, such as ORD-12345; null if there is none"
    )
    right = {name: [fields_right(model, prompt, row) for row in example_messages()] for name, prompt in
             (("plain", plain), ("told", told))}  # fmt: skip
    numbers = {name: mean([number for number, _ in pairs]) for name, pairs in right.items()}
    levels = {name: mean([level for _, level in pairs]) for name, pairs in right.items()}
    assert numbers["told"] > 0.93 > numbers["plain"] + 0.1
    assert levels["told"] > levels["plain"] > 0.66


def fields_right(model: PracticeModel, prompt: str, row: Mapping[str, object]) -> tuple[float, float]:
    """Whether order number and urgency are right."""
    found = json.loads(answered(model, prompt, row["text"]))
    return float(found["order_number"] == row["order_number"]), float(found["urgency"] == row["urgency"])


def test_an_example_of_the_same_message_decides(model: PracticeModel) -> None:
    """A message that the prompt shows with a label of its own gets that label, whatever was learned."""
    text = "My parcel has not arrived and the tracking page shows nothing."
    prompt = f"Label the message.\n\nMessage: {text}\nLabel: gardening\n\nMessage: I was billed twice.\nLabel: cooking"
    assert answered(model, prompt, text) == "gardening"
