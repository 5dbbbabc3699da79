"""The shipped messages are what their description says."""

from __future__ import annotations

import re
from collections import Counter

from pressmark.providers.practice import example_messages
from pressmark.providers.practice.messages import CATEGORIES, URGENCIES, training_messages

FIELDS = {"id", "text", "category", "urgency", "order_number", "channel", "hard", "split"}
CHANNELS = {"email", "chat", "phone", "social"}


def test_every_message_has_the_documented_fields() -> None:
    """Each row has all fields, and each field a value that the documentation allows."""
    for row in example_messages() + training_messages():
        assert set(row) == FIELDS
        assert isinstance(row["text"], str)
        assert row["text"].strip() == row["text"] != ""
        assert row["category"] in CATEGORIES
        assert row["urgency"] in URGENCIES
        assert row["channel"] in CHANNELS
        assert isinstance(row["hard"], bool)
        assert row["order_number"] is None or re.fullmatch(r"ORD-\d{5}", str(row["order_number"]))


def test_there_are_enough_and_they_are_spread() -> None:
    """At least 240 messages; every category has 20 to learn from and 12 to evaluate on, and hard ones in both."""
    train, example = training_messages(), example_messages()
    assert len(train) + len(example) >= 240
    assert 0.55 < len(train) / len(train + example) < 0.65
    for rows, least in ((train, 20), (example, 12)):
        counts = Counter(row["category"] for row in rows)
        assert all(counts[category] >= least for category in CATEGORIES)
        assert {row["category"] for row in rows if row["hard"]} == set(CATEGORIES)


def test_no_message_stands_twice_or_in_both_splits() -> None:
    """Ids, texts and order numbers are unique, also across the splits."""
    rows = training_messages() + example_messages()
    for field in ("id", "text", "order_number"):
        values = [row[field] for row in rows if row[field] is not None]
        assert len(values) == len(set(values))
    openings = Counter(" ".join(str(row["text"]).lower().split()[:5]) for row in rows)
    assert max(openings.values()) <= 2, "messages that begin alike would be a template"


def test_rows_may_be_changed_by_who_gets_them() -> None:
    """A caller that changes its rows changes nobody else's."""
    example_messages()[0]["text"] = "changed"
    assert example_messages()[0]["text"] != "changed"
