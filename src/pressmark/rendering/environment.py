"""The Jinja environment that templates run in: sandboxed, strict, with columns in its errors.

Values are JSON data, so an attribute is always a key of an object: nothing of Python's object model can be reached.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError
from jinja2.lexer import TokenStream
from jinja2.runtime import LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pressmark.errors import RenderError
from pressmark.rendering.filters import ALLOWED, ALLOWED_TESTS, INTERNAL
from pressmark.rendering.limits import check_length

LOOP_ATTRIBUTES = frozenset(
    {"index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0", "previtem", "nextitem"}
)
_NUMBERS_ONLY = frozenset({"-", "*", "/", "//", "%"})
_MAX_BITS = 256


class Place(int):
    """A line number that knows its column; Jinja carries it through its parser as the line."""

    column: int

    def __new__(cls, line: int, column: int) -> Place:
        """Make a place of line and column, both from 1."""
        place = super().__new__(cls, line)
        place.column = column
        return place


class PromptEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2's immutable sandbox, without globals, with the allowed filters and tests only."""

    intercepted_binops = frozenset({"+", *_NUMBERS_ONLY, "**"})

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
        self.globals.clear()
        self.filters.clear()
        self.filters.update(ALLOWED | INTERNAL)
        self.tests.clear()
        self.tests.update(ALLOWED_TESTS)

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        source = self.preprocess(source, name, filename)
        raw = _placed(source, self.lexer.tokeniter(source, name, filename, state))
        return TokenStream(self.lexer.wrap(raw, name, filename), name, filename)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return the key of an object, or one of a loop's counters."""
        if isinstance(obj, Mapping):
            return obj[attribute] if attribute in obj else self._no_key(obj, attribute)
        if isinstance(obj, LoopContext) and attribute in LOOP_ATTRIBUTES:
            return getattr(obj, attribute)
        if isinstance(obj, Undefined):
            return getattr(obj, attribute)
        return self.undefined(f"{type(obj).__name__} has no {attribute!r}: only objects have named parts")

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return the key of an object, or an item or slice of a list or text."""
        if isinstance(obj, Mapping):
            return obj[argument] if argument in obj else self._no_key(obj, argument)
        if isinstance(obj, list | tuple | str) and isinstance(argument, int | slice):
            try:
                return obj[argument]
            except IndexError:
                return self.undefined(f"the list has {len(obj)} items, so there is no item {argument}")
        if isinstance(obj, Undefined):
            return obj[argument]
        return self.undefined(f"{type(obj).__name__} has no item {argument!r}")

    def _no_key(self, obj: Mapping[str, Any], key: object) -> Undefined:
        keys = ", ".join(list(obj)[:8]) or "nothing"
        return self.undefined(f"the object has no {key!r}; it has {keys}", obj=obj, name=str(key))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Calculate with numbers; join texts and lists by `+`; refuse whatever could grow without bound."""
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if isinstance(left, Undefined) or isinstance(right, Undefined):
            str(left), str(right)  # StrictUndefined says what is missing
        if operator == "**" or (operator in _NUMBERS_ONLY and not numbers):
            raise RenderError(
                f"'{operator}' works on numbers only, got {type(left).__name__} and {type(right).__name__}"
            )
        if operator == "*" and isinstance(left, int) and isinstance(right, int):
            if left.bit_length() + right.bit_length() > _MAX_BITS:
                raise RenderError("a product in the template is too large: use smaller numbers")
        elif operator == "+" and not numbers:
            check_length(_size(left) + _size(right))
        return super().call_binop(context, operator, left, right)


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str | list | tuple) else 0


def _placed(source: str, raw: Iterator[tuple[int, str, str]]) -> Iterator[tuple[int, str, str]]:
    """Give each raw token its column.

    Whitespace control makes the lexer drop text between tokens, so each token is looked for from the end of the one
    before it rather than counted on.
    """
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    offset = 0
    try:
        for line, kind, text in raw:
            found = source.find(text, offset)
            start = found if found >= 0 else offset
            yield _place(source, start, line), kind, text
            offset = start + len(text) if found >= 0 else offset
    except TemplateSyntaxError as error:
        if not isinstance(error.lineno, Place):
            # The lexer's own errors end in the offset, or concern what stands right after the last token.
            named = re.search(r" at (\d+)$", error.message or "")
            error.lineno = _place(source, int(named[1]) if named else offset, error.lineno)
        raise


def _place(source: str, offset: int, line: int) -> Place:
    return Place(line, offset - source.rfind("\n", 0, offset))
