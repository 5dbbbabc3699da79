"""Columns for Jinja's tokens, which know their line only, and bounds on how many of them a template may have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jinja2 import TemplateSyntaxError

from pressmark.rendering.limits import MAX_BRACKETS, MAX_DIGITS, MAX_TOKENS

Token = tuple[int, str, str]


class Place(int):
    """A line number that knows its column; Jinja carries it through its parser as the line."""

    column: int

    def __new__(cls, line: int, column: int) -> Place:
        """Make a place of line and column, both from 1."""
        place = super().__new__(cls, line)
        place.column = column
        return place


class OversizeError(TemplateSyntaxError):
    """A template has more in it than a prompt's template may have; its message is a whole sentence."""


def column_of(line: int) -> int:
    """Return the column that a line number of the parser knows, else 1."""
    return line.column if isinstance(line, Place) else 1


def placed(source: str, tokens: Iterator[Token]) -> Iterator[Token]:
    """Give each raw token its column.

    Whitespace control makes the lexer drop text between tokens, so each token is looked for from the end of the one
    before it rather than counted on.

    Raises:
        OversizeError: There are too many tokens, brackets stand too deep in each other, or a number is too long.
        TemplateSyntaxError: Of the lexer, with its column.
    """
    cursor = _Cursor(source.replace("\r\n", "\n").replace("\r", "\n"))
    depth = 0
    try:
        for count, (_, kind, text) in enumerate(tokens):
            place = cursor.find(text)
            if kind == "operator":
                depth += (text in "([{") - (text in ")]}")
            if depth > MAX_BRACKETS:
                raise OversizeError(f"brackets stand over {MAX_BRACKETS} deep: simplify the expression", place)
            if kind in ("integer", "float") and len(text) > MAX_DIGITS:
                raise OversizeError(f"a number has {len(text):,} characters: write a shorter one", place)
            if count >= MAX_TOKENS:
                raise OversizeError(f"there are over {MAX_TOKENS:,} parts: move data into a variable", place)
            yield place, kind, text
    except TemplateSyntaxError as error:
        if not isinstance(error.lineno, Place):
            # The lexer's own errors end in the offset, or concern what stands right after the last token.
            named = re.search(r" at (\d+)$", error.message or "")
            error.lineno = cursor.at(int(named[1]) if named else cursor.offset)
        raise


class _Cursor:
    """Walks through a source from token to token."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.offset = 0
        self._line, self._line_start, self._seen = 1, 0, 0

    def find(self, text: str) -> Place:
        """Go behind the next occurrence of the text and return where it begins."""
        found = self.source.find(text, self.offset)
        place = self.at(found if found >= 0 else self.offset)
        if found >= 0:
            self.offset = found + len(text)
        return place

    def at(self, offset: int) -> Place:
        """Return the place of an offset that does not lie before the last one."""
        if newlines := self.source.count("\n", self._seen, offset):
            self._line += newlines
            self._line_start = self.source.rfind("\n", self._seen, offset) + 1
        self._seen = offset
        return Place(self._line, offset - self._line_start + 1)
