"""Frozen values refuse every change, all the way down, and are JSON all the same."""

from __future__ import annotations

import copy
import dataclasses
import enum
import json
import pickle
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pressmark.prompts import MISSING, FrozenDict, FrozenList, Unit, Variable, freeze, thaw
from pressmark.rendering import build_unit

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_freezing_changes_nothing_but_mutability(value: Any) -> None:
    """A frozen value equals what it was made of, dumps to the same JSON, and thaws to it."""
    frozen = freeze(value)
    assert frozen == value
    assert json.dumps(frozen) == json.dumps(value)
    assert thaw(frozen) == value
    assert freeze(frozen) is frozen or not isinstance(value, dict | list)
    assert pickle.loads(pickle.dumps(frozen)) == value
    assert _sealed(frozen)
    assert _sealed(pickle.loads(pickle.dumps(frozen)))
    assert not _holds_frozen(thaw(frozen))
    assert hash(frozen) == hash(freeze(copy.deepcopy(value)))


def _sealed(value: Any) -> bool:
    if isinstance(value, dict):
        return type(value) is FrozenDict and all(map(_sealed, value.values()))
    return not isinstance(value, list) or (type(value) is FrozenList and all(map(_sealed, value)))


def _holds_frozen(value: Any) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, FrozenDict | FrozenList) or any(map(_holds_frozen, inner))


DICT_CHANGES: list[Callable[[Any], Any]] = [
    lambda d: d.__setitem__("a", 1),
    lambda d: d.__delitem__("a"),
    lambda d: d.update(a=1),
    lambda d: d.update({}),
    lambda d: d.setdefault("a", 1),
    lambda d: d.pop("a"),
    lambda d: d.pop("z", None),
    lambda d: d.popitem(),
    lambda d: d.clear(),
    lambda d: d.__ior__({"a": 1}),
]
LIST_CHANGES: list[Callable[[Any], Any]] = [
    lambda x: x.__setitem__(0, 1),
    lambda x: x.__setitem__(slice(None), []),
    lambda x: x.__delitem__(0),
    lambda x: x.append(1),
    lambda x: x.extend([1]),
    lambda x: x.insert(0, 1),
    lambda x: x.remove(1),
    lambda x: x.pop(),
    lambda x: x.clear(),
    lambda x: x.sort(),
    lambda x: x.reverse(),
    lambda x: x.__iadd__([1]),
    lambda x: x.__imul__(2),
]


@pytest.mark.parametrize("change", DICT_CHANGES)
def test_a_frozen_dict_refuses(change: Callable[[Any], Any]) -> None:
    """Each method that would change a dict raises, says what to do, and changes nothing."""
    frozen = freeze({"a": 1, "b": [2]})
    with pytest.raises(TypeError, match=r"immutable prompt version: copy it with pressmark\.prompts\.thaw\(\) first"):
        change(frozen)
    assert frozen == {"a": 1, "b": [2]}


@pytest.mark.parametrize("change", LIST_CHANGES)
def test_a_frozen_list_refuses(change: Callable[[Any], Any]) -> None:
    """Each method that would change a list raises and changes nothing."""
    frozen = freeze([1, {"a": 2}])
    with pytest.raises(TypeError, match="immutable"):
        change(frozen)
    assert frozen == [1, {"a": 2}]


def test_every_changing_method_is_known() -> None:
    """No method of dict or list that could change one is left out of the tests above."""
    reading = {"copy", "fromkeys", "get", "items", "keys", "values", "count", "index"}
    for kind in (FrozenDict, FrozenList):
        public = {name for name in dir(kind.__base__) if not name.startswith("_")}
        assert {name for name in public if getattr(kind, name) is getattr(kind.__base__, name)} <= reading
    assert FrozenDict.__ior__ is not dict.__ior__
    assert FrozenList.__imul__ is not list.__imul__


def test_it_cannot_be_filled_again() -> None:
    """Calling the initialiser a second time changes nothing."""
    told, items = freeze({"a": 1}), freeze([1])
    told.__init__({"b": 2})
    items.__init__([2, 3])
    assert told == {"a": 1}
    assert items == [1]


def test_constructors_seal_what_they_are_given() -> None:
    """A frozen value made by hand is frozen to the bottom too, and knows nothing of its source."""
    source: dict[str, Any] = {"a": [{"b": []}], "t": ([],), "m": MappingProxyType({"x": []})}
    made = FrozenDict(source, c={"d": [1]})
    source["a"][0]["b"].append(1)
    assert made == {"a": [{"b": []}], "t": ([],), "m": {"x": []}, "c": {"d": [1]}}
    for inner in (made["a"], made["a"][0], made["a"][0]["b"], made["t"][0], made["m"], made["m"]["x"], made["c"]["d"]):
        assert type(inner) in (FrozenDict, FrozenList)
    assert type(FrozenList([[1]])[0]) is FrozenList
    assert FrozenDict([("a", 1)]) == {"a": 1}
    assert FrozenDict() == {}
    assert FrozenList() == []


def test_copies() -> None:
    """A shallow copy is the value itself; a deep copy and whatever else makes a new one gives a plain one."""
    frozen = freeze({"a": [1, {"b": 2}]})
    assert copy.copy(frozen) is frozen
    deep = copy.deepcopy(frozen)
    deep["a"][1]["b"] = 3
    assert not _holds_frozen(deep)
    for plain in (frozen.copy(), frozen | {"c": 1}, {**frozen}, dict(frozen)):
        plain["c"] = 2
    for plain in (frozen["a"].copy(), frozen["a"] + [1], frozen["a"][:], [*frozen["a"]]):
        plain.append(3)
    assert frozen == {"a": [1, {"b": 2}]}


class Color(enum.StrEnum):
    """A text that is more than a text."""

    RED = "red"


class Count(enum.IntEnum):
    """A number that is more than a number."""

    ONE = 1


def test_subclasses_become_plain() -> None:
    """Members of enums, and whatever else is a text or a number, become plain ones."""
    frozen = freeze({Color.RED: [Color.RED, Count.ONE]})
    assert frozen == {"red": ["red", 1]}
    assert [type(value) for value in frozen["red"]] == [str, int]
    assert [type(key) for key in frozen] == [str]
    numpy = pytest.importorskip("numpy")
    assert type(freeze(numpy.float64(1.5))) is float
    with pytest.raises(TypeError, match="int64 has no JSON form"):
        freeze(numpy.int64(1))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (object(), "object has no JSON form"),
        ({1}, "set has no JSON form"),
        (b"x", "bytes has no JSON form"),
        (float("nan"), "nan has no JSON form"),
        (float("-inf"), "-inf has no JSON form"),
        ({1: 2}, "keys are strings, got int 1"),
        ({None: 2}, "keys are strings, got NoneType"),
        (iter([]), "list_iterator has no JSON form"),
        (1j, "complex has no JSON form"),
    ],
)
def test_what_is_no_json(value: Any, said: str) -> None:
    """What JSON has no form for is refused, at whatever depth."""
    for wrapped in (value, [value], {"a": [value]}):
        with pytest.raises(TypeError, match=said.replace("-", r"\-")):
            freeze(wrapped)


def test_depth() -> None:
    """Sixty-four levels are enough; more are refused, and so is a value that holds itself."""
    deep: Any = 1
    for _ in range(64):
        deep = {"a": deep}
    assert freeze(deep) == deep
    endless: list[Any] = []
    endless.append(endless)
    for value in ([deep], endless):
        with pytest.raises(TypeError, match="nested over 64 deep"):
            freeze(value)


def test_a_unit_is_frozen_however_it_was_made() -> None:
    """A unit, its variables and its template hold no value that can be changed, and no field can be set."""
    made = Unit(
        template=build_unit(
            messages=[{"role": "user", "content": [{"type": "text", "text": "x"}]}], model="m"
        ).template,
        model="m",
        params={"stop": ["a"]},  # type: ignore[arg-type]
        variables={"v": Variable("v", default=[{"a": 1}], example={"b": []})},  # type: ignore[arg-type]
        tools=[{"type": "function"}],  # type: ignore[arg-type]
        tool_choice={"a": {}},
        response_format={"b": []},
        inputs={"v": "p@production"},  # type: ignore[arg-type]
    )
    parts = [made.params, made.tools, made.tool_choice, made.response_format, made.inputs, made.template.messages]  # type: ignore[union-attr]
    assert all(map(_sealed, parts))
    assert _sealed(made.variables["v"].default)
    assert _sealed(made.variables["v"].example)
    for value in (made, made.template, made.variables["v"]):
        assert copy.copy(value) is value
        assert copy.deepcopy(value) is value
        assert pickle.loads(pickle.dumps(value)) == value
        for field in dataclasses.fields(value):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(value, field.name, None)
            with pytest.raises(dataclasses.FrozenInstanceError):
                delattr(value, field.name)
        with pytest.raises((AttributeError, TypeError)):
            value.new = 1  # type: ignore[union-attr]
    assert hash(made) == hash(pickle.loads(pickle.dumps(made)))


def test_missing_is_one_value() -> None:
    """There is one MISSING, also after copying and pickling; it is false and says its name."""
    assert copy.deepcopy(MISSING) is MISSING
    assert pickle.loads(pickle.dumps(MISSING)) is MISSING
    assert not MISSING
    assert repr(MISSING) == "MISSING"
