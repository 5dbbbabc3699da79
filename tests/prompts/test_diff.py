"""What differs between two units, to be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pressmark.prompts.diff import _HIDDEN, Change


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


def test_the_page_names_the_same() -> None:
    """The editor's marks and the difference in text are of one set of characters."""
    source = (Path(__file__).parents[2] / "extension" / "src" / "logic" / "hidden.ts").read_text()
    found = re.search(r"^\s*/(\[.+\])/u;$", source, re.MULTILINE)
    assert found is not None
    pattern = re.sub(r"\\u\{([0-9a-f]+)\}", lambda code: f"\\U{code[1]:0>8}", found[1])
    page = re.compile(pattern)
    differing = [hex(code) for code in range(0x110000) if bool(page.match(chr(code))) != bool(_HIDDEN.match(chr(code)))]
    assert differing == []
