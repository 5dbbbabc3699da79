"""What the stand-in's prompt and its messages say: the support desk of a web shop."""

from __future__ import annotations

import json
import random

CATEGORIES = ("billing", "delivery", "returns", "account", "technical")
OPENINGS = (
    "My parcel with order {order} was due on Monday and the tracking page has not moved since.",
    "You charged me twice for {order}. I need one of the two payments back this week.",
    "I cannot sign in any more: the reset mail never arrives, not even in spam.",
    "The kettle from {order} leaks at the handle. Do I send it back or do you collect it?",
    "How do I change the address on my invoices? The form only lets me edit the delivery address.",
    "The app closes by itself as soon as I open the basket. Android 15, newest version.",
    "Wrong size delivered with {order}, I ordered 42 and got 44. What now?",
)

FIRST = "You sort messages to the support desk of a web shop.\nAnswer with the category only."
SECOND = (
    "You sort messages to the support desk of a web shop.\n"
    "Answer with one category only: billing, delivery, returns, account, technical.\n"
    "Where two fit, take the one that has to be dealt with first."
)
THIRD = (
    "You sort messages to the support desk of a web shop.\n\n"
    "{% for category in categories %}\n- {{ category }}\n{% endfor %}\n\n"
    'Answer with JSON: {"category": ..., "urgent": true or false, "order": the number or null}.\n'
    "Where two fit, take the one that has to be dealt with first."
)
SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "triage",
        "schema": {
            "type": "object",
            "properties": {"category": {"enum": list(CATEGORIES)}, "urgent": {"type": "boolean"}},
            "required": ["category"],
        },
    },
}


def short(value: object) -> str:
    """The first of a value's text."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text[:200]


def rows_of(count: int, hostile: bool) -> list[dict[str, str]]:
    """Messages to the desk, the same at every time; hostile ones try to be HTML and script."""
    rows = []
    for at in range(count):
        dice = random.Random(at)
        text = OPENINGS[at % len(OPENINGS)].format(order=f"A{10_000 + at * 7}")
        if hostile:
            text = f"<script>window.hacked='input'</script><b onclick=\"window.hacked='b'\">{text}</b>"
        rows.append(
            {
                "channel": ("mail", "chat", "form")[at % 3],
                "text": text,
                "category": CATEGORIES[dice.randrange(len(CATEGORIES))],
            }
        )
    return rows
