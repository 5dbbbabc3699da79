"""What differs between two units, to be read."""

from __future__ import annotations

import pytest

from pressmark.prompts.diff import Change


@pytest.mark.parametrize(
    ("hidden", "named"),
    [
        ("\u200b", "‹U+200B›"),
        ("\u202e", "‹U+202E›"),
        ("\x1b", "‹U+001B›"),
        ("\u2028", "‹U+2028›"),
        ("\U000e0041", "‹U+E0041›"),
    ],
)
def test_what_shows_nothing_is_named(hidden: str, named: str) -> None:
    """Two lines that look alike are told apart by the name of what is not seen."""
    lines = Change("text", "Be kind to", f"Be kind{hidden} to").unified()
    assert lines[-2:] == ["-Be kind to", f"+Be kind{named} to"]


def test_what_people_write_is_left_alone() -> None:
    """Lines, tabs, emoji and scripts with joiners stand as they are."""
    lines = Change("text", None, "one\n\t👩‍👩‍👧\r\nمی\u200cخواهم").unified()
    assert lines[-3:] == ["+one", "+\t👩‍👩‍👧", "+می\u200cخواهم"]
