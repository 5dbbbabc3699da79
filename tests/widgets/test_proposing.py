"""A change message from what changed."""

from __future__ import annotations

from typing import Any

import pytest

from pressmark.widgets.proposing import proposed

from .session import empty_body

SYSTEM = {"role": "system", "content": "Sort."}
USER = {"role": "user", "content": "{{ text }}"}
BASE: Any = {**empty_body(), "messages": [SYSTEM, USER], "model": "a", "params": {"temperature": 0}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, ""),
        ({"messages": [{**SYSTEM, "content": "Sort!"}, USER]}, "system message changed"),
        ({"messages": [USER]}, "system message removed"),
        ({"messages": [SYSTEM, USER, USER]}, "message 3 added"),
        ({"model": "b"}, "model a → b"),
        ({"model": ""}, "model a taken away"),
        ({"params": {"temperature": 0.7}}, "temperature 0 → 0.7"),
        ({"params": {}}, "temperature 0 taken away"),
        ({"params": {"temperature": 0, "seed": 3}}, "seed set to 3"),
        ({"params": {"temperature": 0, "stop": ["x" * 80]}}, "stop added"),
        ({"variables": {"text": {"type": "string"}}}, "variable text added"),
        ({"inputs": {"facts": "kb/facts@production"}}, "input facts set to kb/facts@production"),
        ({"tools": [{}]}, "tools added"),
        ({"response_format": {"type": "json_object"}}, "response format added"),
        ({"kind": "text", "text": "Sort."}, "chat prompt → text prompt"),
        (
            {"params": dict.fromkeys("bcdefg", 1)},
            "b set to 1, c set to 1, d set to 1, e set to 1, 3 more changes",
        ),
    ],
)
def test_the_message_names_what_changed(changes: dict[str, Any], message: str) -> None:
    """One part for each thing that differs, the first few of many."""
    assert proposed(BASE, {**BASE, **changes}) == message


def test_the_first_version_is_called_so() -> None:
    """Without a base there is nothing to compare with."""
    assert proposed(None, BASE) == "first version"
