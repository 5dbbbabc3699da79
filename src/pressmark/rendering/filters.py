"""The filters and tests that templates may use.

Left out on purpose: whatever multiplies its input without bound (`center`, `format`, `wordwrap`), depends on chance
(`random`), or marks text as HTML (`e`, `safe`, `urlize`). Of the rest, Jinja's own are used where their work is in
proportion to their input, and replaced where it is not (`replace`, `round`, `divisibleby`: the stock test formats
`'%300000000d' % 5`). All of them spend from the rendering's budget, and give lists where Jinja gives generators.
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any

from jinja2.exceptions import UndefinedError
from jinja2.filters import FILTERS
from jinja2.runtime import Undefined
from jinja2.tests import TESTS

from pressmark.errors import PressmarkError, RenderError
from pressmark.prompts import thaw
from pressmark.prompts.quoting import shown, with_article
from pressmark.rendering.limits import CHARACTERS_A_STEP, MAX_BITS, budget, check_length, kind

# Names that no template can write.
LOOP, CONCAT, BUILT, COMPARE, SLICE = (f"_pressmark_{name}" for name in ("loop", "concat", "built", "compare", "slice"))

Function = Callable[..., Any]
# They must take what is missing.
_LENIENT = frozenset({"d", "default", "defined", "undefined"})
# Their work does not grow with their input.
_FREE_FILTERS = "count first last length"
_FREE_TESTS = "boolean false float integer iterable mapping none number sequence string true"
# What calling a filter costs, whatever it does.
_CALL = 5
# How many times as slow as a copy they were measured to be.
_RATES = {"dictsort": 4, "sort": 4, "title": 32, "tojson": 2, "unique": 4, "wordcount": 16}


def _strict(function: Function) -> Function:
    """Let a filter or test refuse what is missing."""
    place = 1 if hasattr(function, "jinja_pass_arg") else 0

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        if isinstance(args[place], Undefined):
            str(args[place])  # StrictUndefined says what is missing
        return function(*args, **kwargs)

    return run


def _counted(function: Function, rate: int = 1, name: str = "~") -> Function:
    """Let a filter or test spend for its input and its result, and say in words what it cannot work with."""
    start = 1 if hasattr(function, "jinja_pass_arg") else 0

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        purse = budget.get()
        purse.spend(_CALL)
        for value in args[start:]:
            purse.handle(value, rate)
        for value in kwargs.values():
            purse.handle(value)
        try:
            result = function(*args, **kwargs)
            if isinstance(result, Iterator):
                result = list(result)
        except (PressmarkError, UndefinedError):
            raise
        except Exception as error:  # whatever Python says of its own types means nothing to a template's author
            told = "" if isinstance(error, AttributeError) or "Frozen" in str(error) else f" ({str(error).rstrip('.')})"
            raise RenderError(
                f"{name!r} cannot work with {_article(args[start])}{told}: check the value, or convert it before"
            ) from error
        if not isinstance(result, bool | Undefined):
            purse.handle(result)
        return result

    return run


def _article(value: Any) -> str:
    said = "nothing" if value is None else kind(value)
    return said if value is None else f"{with_article(said)} such as {shown(thaw(value), 40)}"


def _float(value: Any, default: float = 0.0) -> Any:
    number = FILTERS["float"](value, default)
    # "inf" and "nan" are words, and no numbers that could be sent.
    return number if not isinstance(number, float) or math.isfinite(number) else default


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
    if count is not None and (not isinstance(count, int) or count < 0):
        raise RenderError(f"replace takes a count of 0 or more, got {count!r}")
    _spend_on_search(text, old)
    found = text.count(old) if count is None else min(text.count(old), count)
    check_length(len(text) + found * max(len(new) - len(old), 0))
    budget.get().spend(found // 4)
    replaced: str = text.replace(old, new, -1 if count is None else count)
    return replaced


def _spend_on_search(text: str, wanted: str) -> None:
    # Python's search of short texts compares each place with the whole of what is looked for, at worst.
    budget.get().spend(len(text) * min(len(wanted), 1024) // CHARACTERS_A_STEP // 8)


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
    if indent is not None and (not isinstance(indent, int) or not 0 <= indent <= 8):
        raise RenderError(f"tojson takes an indent of 0 to 8, got {indent!r}")
    encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, indent=indent)
    if indent is None:
        return encoder.encode(thaw(value))
    # Deep values under an indent can take many times their own size, so the text is counted while it grows.
    chunks, length = [], 0
    for chunk in encoder.iterencode(thaw(value)):
        length += len(chunk)
        check_length(length)
        chunks.append(chunk)
    return "".join(chunks)


def _trim(text: Any, characters: str | None = None) -> str:
    if characters is not None and len(str(characters)) > 100:
        raise RenderError("trim takes 100 characters at most: drop the argument to trim white space")
    trimmed: str = str(text).strip(None if characters is None else str(characters))
    return trimmed


def _round(value: Any, precision: int = 0, method: str = "common") -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RenderError(f"round takes a number, got {kind(value)}: use | float first")
    if not isinstance(precision, int) or not -15 <= precision <= 15:
        raise RenderError(f"round takes a precision of -15 to 15 digits, got {precision!r}")
    return FILTERS["round"](value, precision, method)


def _int(value: Any, default: int = 0, base: int = 10) -> Any:
    number = FILTERS["int"](value, default, base)
    if isinstance(number, int) and number.bit_length() > MAX_BITS:
        raise RenderError(f"int meets a number of over {MAX_BITS} bits: use smaller numbers")
    return number


def _integers(name: str, test: Callable[[int, int], bool], fixed: int | None = None) -> Function:
    def with_another(value: Any, other: Any) -> bool:
        for part in (value, other):
            if isinstance(part, bool) or not isinstance(part, int) or part.bit_length() > MAX_BITS:
                raise RenderError(
                    f"the test {name!r} takes whole numbers of at most {MAX_BITS} bits, got {kind(part)}:"
                    " convert it with | int"
                )
        if other == 0:
            raise RenderError(f"the test {name!r} cannot divide by 0: give another number")
        return test(value, other)

    def alone(value: Any) -> bool:
        return with_another(value, fixed)

    return with_another if fixed is None else alone


def _loop(value: Any, body: int = 1) -> Any:
    """Return what a loop may run over, having spent for all its passes; `body` is the size of one."""
    if isinstance(value, Undefined):
        return iter(value)  # StrictUndefined says what is missing
    if not isinstance(value, list | tuple | Mapping):
        raise RenderError(f"a loop needs a list, got {kind(value)}: pass a list or drop the loop")
    budget.get().spend(len(value) * max(body, 1))
    return value


def _built(value: Any) -> Any:
    """Spend for a list or object that the template writes; without it, lists of lists could double without end."""
    budget.get().handle(value)
    return value


def _slice(value: Any, start: Any = None, stop: Any = None, step: Any = None) -> Any:
    if isinstance(value, Undefined):
        str(value)  # StrictUndefined says what is missing
    if not isinstance(value, str | list | tuple):
        raise RenderError(f"a slice such as [1:3] works on lists and texts, got {kind(value)}: drop it")
    part = value[start:stop:step]
    budget.get().handle(part)
    return part


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
}


def _compare(left: Any, symbol: str, right: Any) -> bool:
    if symbol in ("in", "notin"):
        return _contains(right, left) == (symbol == "in")
    purse = budget.get()
    purse.handle(left)
    purse.handle(right)
    return bool(_OPERATORS[symbol](left, right))


def _contains(container: Any, item: Any) -> bool:
    purse = budget.get()
    purse.handle(item)
    if isinstance(container, Mapping):
        return isinstance(item, str) and item in container
    if isinstance(container, str) and isinstance(item, str):
        purse.handle(container)
        _spend_on_search(container, item)
    elif isinstance(container, list | tuple) and isinstance(item, str | int | float | None):
        purse.spend(len(container) * (8 + len(str(item))) // 64)
    else:
        purse.handle(container)
    return item in container


def _in(item: Any, container: Any) -> bool:
    return _contains(container, item)


def _table(stock: Mapping[str, Any], counted: str, free: str, own: dict[str, Function]) -> dict[str, Function]:
    told = {name: _counted(own.get(name) or stock[name], _RATES.get(name, 1), name) for name in counted.split()}
    told |= {name: _strict(stock[name]) for name in free.split()}
    return told | {name: stock[name] for name in _LENIENT & stock.keys()}


ALLOWED = _table(
    FILTERS,
    "abs capitalize dictsort float indent int items join list lower map max min reject rejectattr replace reverse round"
    " select selectattr sort string title tojson trim truncate unique upper wordcount",
    _FREE_FILTERS,
    {
        "float": _float,
        "indent": _indent,
        "int": _int,
        "join": _join,
        "replace": _replace,
        "round": _round,
        "tojson": _tojson,
        "trim": _trim,
    },
)
INTERNAL: dict[str, Function] = {
    LOOP: _loop,
    CONCAT: _counted(_join),
    BUILT: _built,
    COMPARE: _compare,
    SLICE: _slice,
}
ALLOWED_TESTS = _table(
    TESTS,
    # Symbols such as == arrive as tests of these names in `select`.
    "divisibleby eq equalto even ge greaterthan gt in le lessthan lower lt ne odd upper == != > >= < <=",
    _FREE_TESTS,
    {
        "divisibleby": _integers("divisibleby", lambda value, other: value % other == 0),
        "even": _integers("even", lambda value, other: value % other == 0, 2),
        "odd": _integers("odd", lambda value, other: value % other == 1, 2),
        "in": _in,
    },
)
