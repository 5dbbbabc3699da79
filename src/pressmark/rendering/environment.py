"""The Jinja environment that templates run in: sandboxed, strict, with columns in its errors.

Values are JSON data, so an attribute is always a key of an object: nothing of Python's object model can be reached.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined
from jinja2.lexer import TokenStream
from jinja2.runtime import LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pressmark.errors import RenderError
from pressmark.prompts.quoting import shown
from pressmark.rendering.filters import ALLOWED, ALLOWED_TESTS, INTERNAL
from pressmark.rendering.limits import MAX_BITS, budget, check_length, kind
from pressmark.rendering.places import placed

LOOP_ATTRIBUTES = frozenset(
    {"index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0", "previtem", "nextitem"}
)
_NUMBERS_ONLY = frozenset({"-", "*", "/", "//", "%"})


class PromptEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2's immutable sandbox, without globals, with the allowed filters and tests only."""

    intercepted_binops = frozenset({"+", *_NUMBERS_ONLY, "**"})

    def __init__(self) -> None:
        # Nothing is calculated before there is a budget to spend from, so the optimizer would try in vain.
        super().__init__(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True, optimized=False)
        self.globals.clear()
        self.filters.clear()
        self.filters.update(ALLOWED | INTERNAL)
        self.tests.clear()
        self.tests.update(ALLOWED_TESTS)

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        raw = placed(source, self.lexer.tokeniter(source, name, filename, state))
        return TokenStream(self.lexer.wrap(raw, name, filename), name, filename)

    def call_filter(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Call a filter that another one names, as in `map('upper')`: the internal ones are not for templates."""
        if name not in ALLOWED:
            raise RenderError(f"there is no filter {shown(name)} here: write the name of one")
        return super().call_filter(name, *args, **kwargs)

    def call_test(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Call a test that a filter names, as in `select('odd')`."""
        if name not in ALLOWED_TESTS:
            raise RenderError(f"there is no test {shown(name)} here: write the name of one")
        return super().call_test(name, *args, **kwargs)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return the key of an object, or one of a loop's counters."""
        if isinstance(obj, Mapping):
            return obj[attribute] if attribute in obj else self._no_key(obj, attribute)
        if isinstance(obj, LoopContext):
            if attribute in LOOP_ATTRIBUTES:
                return getattr(obj, attribute)
            return self.undefined(f"a loop has no {attribute!r}; it has {', '.join(sorted(LOOP_ATTRIBUTES))}")
        if isinstance(obj, Undefined):
            str(obj)  # StrictUndefined says what is missing
        return self.undefined(f"{kind(obj)} has no {attribute!r}: only objects have named parts")

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return the key of an object, or an item of a list or text."""
        if isinstance(obj, Mapping):
            return obj[argument] if isinstance(argument, str) and argument in obj else self._no_key(obj, argument)
        if isinstance(obj, list | tuple | str) and isinstance(argument, int):
            if -len(obj) <= argument < len(obj):
                return obj[argument]
            what = "text" if isinstance(obj, str) else "list"
            return self.undefined(f"the {what} has {len(obj)} items, so there is no item {argument}")
        if isinstance(obj, Undefined):
            str(obj)
        return self.undefined(f"{kind(obj)} has no item {argument!r}")

    def _no_key(self, obj: Mapping[str, Any], key: object) -> Undefined:
        keys = ", ".join(list(obj)[:8]) or "nothing"
        return self.undefined(f"the object has no {key!r}; it has {keys}", obj=obj, name=str(key))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Calculate with numbers; join texts and lists by `+`; refuse whatever could grow without bound."""
        for side in (left, right):
            if isinstance(side, Undefined):
                str(side)
        if isinstance(left, int | float) and isinstance(right, int | float):
            _check_size(operator, left, right)
        elif operator != "+":
            raise RenderError(
                f"'{operator}' works on numbers only, got {kind(left)} and {kind(right)}:"
                " convert them with | int or | float"
            )
        else:
            _spend_on_sum(left, right)
        result = super().call_binop(context, operator, left, right)
        if isinstance(result, float) and not math.isfinite(result):
            raise RenderError(f"'{operator}' in the template leads to a number that is too large: use smaller numbers")
        return result


def _check_size(operator: str, left: int | float, right: int | float) -> None:
    bits = [side.bit_length() for side in (left, right) if isinstance(side, int)]
    if max(bits, default=0) > MAX_BITS or (operator == "*" and sum(bits) > MAX_BITS):
        raise RenderError(f"'{operator}' in the template meets a number of over {MAX_BITS} bits: use smaller numbers")


def _spend_on_sum(left: Any, right: Any) -> None:
    for joined in (str, list, tuple):
        if isinstance(left, joined) and isinstance(right, joined):
            check_length(len(left) + len(right))
            budget.get().handle(left)
            budget.get().handle(right)
            return
    raise RenderError(
        f"'+' joins two texts or two lists, got {kind(left)} and {kind(right)}:"
        " use ~ to join a text with something else"
    )
