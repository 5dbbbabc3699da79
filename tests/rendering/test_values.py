"""The values of a rendering are checked against what the prompt declares."""

from __future__ import annotations

import enum
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from pressmark.errors import MissingVariablesError, UnknownVariablesError, VariableTypeError
from pressmark.prompts import FrozenList
from pressmark.rendering import Template, build_unit
from pressmark.rendering.values import check_value


class Color(enum.StrEnum):
    """A member of an enum is a text too."""

    RED = "red"


class Counted:
    """What Python takes for a whole number."""

    def __index__(self) -> int:
        return 3


@pytest.fixture(scope="module")
def template() -> Template:
    """A prompt with one variable of each kind."""
    declared = {
        "any": {"default": None},
        "string": {"type": "string", "default": ""},
        "number": {"type": "number", "default": 0},
        "integer": {"type": "integer", "default": 0},
        "boolean": {"type": "boolean", "default": False},
        "list": {"type": "list", "default": []},
        "object": {"type": "object", "default": {}},
    }
    text = "|".join(f"{{{{ {name} }}}}" for name in declared)
    return Template(build_unit(text=text, model="m", variables=declared))


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("any", "x", "x"),
        ("any", 1.5, "1.5"),
        ("any", None, "None"),
        ("any", {"a": [1]}, "{'a': [1]}"),
        ("string", "ü", "ü"),
        ("string", "", ""),
        ("string", Color.RED, "red"),
        ("number", 1, "1"),
        ("number", 2.5, "2.5"),
        ("integer", 7, "7"),
        ("boolean", True, "True"),
        ("list", [1, "a"], "[1, 'a']"),
        ("list", (1, 2), "[1, 2]"),
        ("list", FrozenList([1]), "[1]"),
        ("object", {"a": None}, "{'a': None}"),
        ("integer", np.int64(7), "7"),
        ("integer", np.uint8(7), "7"),
        ("integer", Counted(), "3"),
        ("number", np.int32(7), "7"),
        ("number", np.float32(0.5), "0.5"),
        ("number", np.float64(0.5), "0.5"),
        ("number", Fraction(1, 4), "0.25"),
        ("boolean", np.bool_(True), "True"),
        ("any", np.int64(7), "7"),
        ("string", "\U0001f600", "\U0001f600"),
    ],
)
def test_a_value_of_the_declared_type(template: Template, name: str, value: Any, written: str) -> None:
    """A value of its type is written as text."""
    defaults = {"any": "None", "number": "0", "integer": "0", "boolean": "False", "list": "[]", "object": "{}"}
    expected = "|".join(written if kind == name else defaults.get(kind, "") for kind in template.unit.variables)
    assert template.render({name: value}) == expected


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("string", 3, "'string' is declared as string, got int 3: convert it, or declare another type"),
        ("string", None, "got NoneType None"),
        ("string", b"x", "got bytes b'x'"),
        ("number", "3", "got str '3'"),
        ("number", True, "got bool True"),
        ("number", math.nan, "nan has no JSON form"),
        ("integer", 3.0, "got float 3.0"),
        ("integer", False, "got bool False"),
        ("boolean", 1, "got int 1"),
        ("list", "abc", "got str 'abc'"),
        ("list", {"a": 1}, "got an object with 1 key"),
        ("list", {1, 2}, "got set {1, 2}"),
        ("list", [object()], "object has no JSON form"),
        ("object", [1], "got list [1]"),
        ("object", {1: 2}, "keys are strings, got int 1"),
        ("any", object(), "object has no JSON form"),
        ("any", math.inf, "inf has no JSON form"),
        ("any", {"a": {"b": {1}}}, "set has no JSON form"),
        ("string", ["x" * 10_000], "xxx…: convert it"),
        ("integer", np.float64(3), "got float"),
        ("integer", np.bool_(True), "got bool True"),
        ("integer", Fraction(1, 4), "got Fraction"),
        ("number", np.bool_(True), "got bool True"),
        ("number", np.float32("inf"), "inf has no JSON form"),
        ("boolean", np.int64(1), "got int 1"),
        ("string", "a\ud800", "half of a character (a lone surrogate)"),
        ("list", ["a", ["\udfff"]], "half of a character"),
        ("object", {"\ud83d": 1}, "half of a character"),
        ("any", "\udc80", "half of a character"),
    ],
)
def test_a_value_of_another_type(template: Template, name: str, value: Any, said: str) -> None:
    """A value of another type is refused; the error names variable, type and value."""
    with pytest.raises(VariableTypeError) as caught:
        template.render({name: value})
    assert said in str(caught.value)
    assert caught.value.variable == name
    assert len(str(caught.value)) < 250


def test_a_value_that_holds_itself(template: Template) -> None:
    """A list that holds itself is refused, as is one nested deeper than any honest data."""
    endless: list[Any] = []
    endless.append(endless)
    deep: Any = 1
    for _ in range(65):
        deep = [deep]
    for value in (endless, deep):
        with pytest.raises(VariableTypeError, match="nested over 64 deep: flatten it"):
            template.render({"any": value})
    check_value(template.unit.variables["any"], deep[0])


def test_missing_and_unknown() -> None:
    """Missing and unknown variables are named, all of them at once, with what the prompt takes."""
    template = Template(build_unit(text="{{ a }} {{ b }} {{ c | default(1) }}", model="m"))
    with pytest.raises(
        MissingVariablesError, match=r"the prompt needs 'a', 'b', which were not given: pass a=…, b=…"
    ) as m:
        template.render({})
    assert m.value.missing == ("a", "b")
    with pytest.raises(MissingVariablesError, match="the prompt needs 'b', which was not given: pass b=…"):
        template.render({"a": 1})
    with pytest.raises(UnknownVariablesError, match=r"no variable 'x', 'y': .*; the prompt takes a, b, c$") as u:
        template.render({"a": 1, "x": 1, "y": 1})
    assert u.value.unknown == ("x", "y")
    with pytest.raises(UnknownVariablesError, match="the prompt takes none"):
        Template(build_unit(text="x", model="m")).render({"a": 1})


HISTORY = [
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}], "refusal": None},
    {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "x"}]},
]


def test_a_history() -> None:
    """A history's messages stand where its placeholder stood, none or many of them, unchanged."""
    unit = build_unit(
        messages=[{"role": "system", "content": "s"}, {"placeholder": "past"}, {"role": "user", "content": "{{ q }}"}],
        model="m",
        variables={"past": {"type": "messages", "default": []}, "q": "string"},
    )
    template = Template(unit)
    first, last = {"role": "system", "content": "s"}, {"role": "user", "content": "?"}
    assert template.render({"q": "?"}) == [first, last]
    assert template.render({"q": "?", "past": HISTORY}) == [first, *HISTORY, last]


@pytest.mark.parametrize(
    "past",
    [
        "Hello",
        ["Hello"],
        [{"content": "x"}],
        [{"role": "bot", "content": "x"}],
        [{"role": "user", "content": 3}],
        [[]],
        {},
    ],
)
def test_a_malformed_history(past: Any) -> None:
    """What is no list of messages is refused before anything is sent."""
    template = Template(build_unit(messages=[{"placeholder": "past"}], model="m"))
    with pytest.raises(VariableTypeError, match=r"variable 'past'"):
        template.render({"past": past})
