"""The filters and tests that templates may use.

Left out on purpose: whatever multiplies its input without bound (`center`, `format`, `wordwrap`), depends on chance
(`random`), or marks text as HTML (`e`, `safe`, `urlize`). What is kept but could grow is bounded here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from jinja2.filters import FILTERS
from jinja2.runtime import Undefined
from jinja2.tests import TESTS

from pressmark.errors import RenderError
from pressmark.prompts import thaw
from pressmark.rendering.limits import check_length, passes


def _stock(table: Mapping[str, Any], name: str) -> Callable[..., Any]:
    function: Callable[..., Any] = table[name]
    return function


LOOP, CONCAT = "_pressmark_loop", "_pressmark_concat"


def _join(values: Any, separator: str = "", attribute: str | None = None) -> str:
    items = [_member(value, attribute) for value in values]
    texts = [str(item) for item in items]
    check_length(sum(map(len, texts)) + len(str(separator)) * max(len(texts) - 1, 0))
    joined: str = str(separator).join(texts)
    return joined


def _member(value: Any, attribute: str | None) -> Any:
    if attribute is None:
        return value
    if isinstance(value, Mapping) and attribute in value:
        return value[attribute]
    raise RenderError(f"an item has no {attribute!r} to join by: check the list's items")


def _replace(text: Any, old: str, new: str, count: int | None = None) -> str:
    text, old, new = str(text), str(old), str(new)
    found = text.count(old) if count is None else min(text.count(old), count)
    check_length(len(text) + found * max(len(new) - len(old), 0))
    replaced: str = text.replace(old, new, -1 if count is None else count)
    return replaced


def _indent(text: Any, width: int = 4, first: bool = False, blank: bool = False) -> str:
    if not isinstance(width, int) or not 0 <= width <= 64:
        raise RenderError(f"indent takes a width of 0 to 64 spaces, got {width!r}")
    text = str(text)
    check_length(len(text) + width * (text.count("\n") + 1))
    pad = " " * width
    lines = text.split("\n")
    told = [pad + line if (line or blank) and (first or number) else line for number, line in enumerate(lines)]
    return "\n".join(told)


def _tojson(value: Any, indent: int | None = None) -> str:
    if isinstance(value, Undefined):
        return str(value)  # StrictUndefined says what is missing
    if indent is not None and (not isinstance(indent, int) or not 0 <= indent <= 8):
        raise RenderError(f"tojson takes an indent of 0 to 8, got {indent!r}")
    return json.dumps(thaw(value), ensure_ascii=False, indent=indent)


def _loop(value: Any) -> Any:
    if isinstance(value, Undefined):
        return iter(value)  # StrictUndefined says what is missing
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        raise RenderError(f"a loop needs a list, got {type(value).__name__}: pass a list or drop the loop")
    items = value if isinstance(value, list | dict | tuple) else list(value)
    passes.get().take(len(items))
    return items


def _concat(values: Any) -> str:
    return _join(values)


ALLOWED: dict[str, Callable[..., Any]] = {
    name: _stock(FILTERS, name)
    for name in (
        "abs",
        "capitalize",
        "count",
        "d",
        "default",
        "dictsort",
        "first",
        "float",
        "int",
        "items",
        "last",
        "length",
        "list",
        "lower",
        "map",
        "max",
        "min",
        "reject",
        "rejectattr",
        "reverse",
        "round",
        "select",
        "selectattr",
        "sort",
        "string",
        "title",
        "trim",
        "truncate",
        "unique",
        "upper",
        "wordcount",
    )
}
ALLOWED |= {"join": _join, "replace": _replace, "indent": _indent, "tojson": _tojson}
INTERNAL: dict[str, Callable[..., Any]] = {LOOP: _loop, CONCAT: _concat}
ALLOWED_TESTS: dict[str, Callable[..., Any]] = {
    name: _stock(TESTS, name)
    for name in (
        "boolean",
        "defined",
        "divisibleby",
        "eq",
        "equalto",
        "even",
        "false",
        "float",
        "ge",
        "greaterthan",
        "gt",
        "in",
        "integer",
        "iterable",
        "le",
        "lessthan",
        "lower",
        "lt",
        "mapping",
        "ne",
        "none",
        "number",
        "odd",
        "sequence",
        "string",
        "true",
        "undefined",
        "upper",
    )
}
# Symbols such as == arrive as tests of these names in `select`.
ALLOWED_TESTS |= {name: _stock(TESTS, name) for name in ("==", "!=", ">", ">=", "<", "<=")}
