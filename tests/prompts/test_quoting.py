"""Values and names in errors are short."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pressmark.prompts.quoting import listed, shown


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("a", "'a'"),
        (3, "3"),
        (None, "None"),
        ([1, "b"], "[1, 'b']"),
        ({"a": 1}, "an object with 1 key"),
        ("x" * 100, "'" + "x" * 58 + "…"),
        (["x" * 100], "['" + "x" * 57 + "…"),
        (b"ab", "b'ab'"),
    ],
)
def test_values(value: Any, told: str) -> None:
    """A short value is written as Python writes it, a long one is cut, an object is counted."""
    assert shown(value) == told


@given(st.text() | st.lists(st.text(), max_size=5) | st.integers() | st.dictionaries(st.text(), st.text(), max_size=3))
def test_nothing_is_long(value: Any) -> None:
    """Whatever it is, sixty characters are enough for it."""
    assert len(shown(value)) <= 60
    assert len(shown([value] * 1000)) <= 60


def test_names() -> None:
    """Names are listed in quotes; of many, the first eight with how many more there are."""
    assert listed([]) == ""
    assert listed(["a"]) == "'a'"
    assert listed({"a": 1, "b": 2}) == "'a', 'b'"
    assert listed([str(number) for number in range(8)]) == "'0', '1', '2', '3', '4', '5', '6', '7'"
    assert listed(list(range(5008))) == "0, 1, 2, 3, 4, 5, 6, 7 and 5,000 more"
