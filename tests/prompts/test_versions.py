"""How versions are named, and the round trip of a unit."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pressmark.errors import InvalidUnitError, VersionNotFoundError
from pressmark.prompts import MISSING, Unit, Variable, is_digest, parse_input, parse_number
from pressmark.prompts.canonical import unit_bytes
from pressmark.prompts.unit import RESERVED_PARAMS
from pressmark.rendering import build_unit


def test_numbers_of_both_stores() -> None:
    """`#12` names a workspace's version and `v3` a registry's; labels and digests are left to others."""
    assert parse_number("#12", "workspace") == 12
    assert parse_number("v3", "registry") == 3
    for reference in ("production", "latest", "sha256:0123456789abcdef", "v3-beta", "v1.2", "#x", "vv3", "#", "v"):
        assert parse_number(reference, "workspace") is None
        assert parse_number(reference, "registry") is None


@pytest.mark.parametrize(
    ("reference", "store", "said"),
    [
        ("v3", "workspace", "'v3' is a registry version, and this is a workspace: write #… or the digest"),
        ("#3", "registry", "'#3' is a workspace version, and this is a registry: write v… or the digest"),
        ("3", "workspace", "'3' does not name a version: write '#3', a label or a digest"),
        ("12", "registry", "'12' does not name a version: write 'v12', a label or a digest"),
        (3, "workspace", "3 does not name a version: write '#3'"),
        (None, "registry", "None does not name a version: write 'v3'"),
        ("", "registry", "'' does not name a version"),
        ("  ", "workspace", "does not name a version"),
        ("#0", "workspace", "'#0' names no version, since the first one is #1"),
        ("v000", "registry", "since the first one is v1"),
        ("٣", "registry", "does not name a version"),
        (["#3"], "workspace", "does not name a version"),
        ("9" * 5000, "workspace", "does not name a version"),
    ],
)
def test_what_names_no_version(reference: object, store: Any, said: str) -> None:
    """A bare number, or the number of the other kind of store, is refused with the form to write."""
    with pytest.raises(VersionNotFoundError) as caught:
        parse_number(reference, store)
    assert said in str(caught.value)


def test_numbers_too_long_to_be_numbers() -> None:
    """A reference of thousands of digits is no number of ours, and does no harm."""
    assert parse_number("v" + "9" * 5000, "registry") is None


@pytest.mark.parametrize(
    ("reference", "digest"),
    [
        ("sha256:" + "a" * 64, True),
        ("sha256:01234567", True),
        ("sha256:0123456", False),
        ("sha256:" + "a" * 65, False),
        ("sha256:ABCDEF01", False),
        ("sha1:01234567", False),
        ("production", False),
        ("sha256:01234567\n", False),
    ],
)
def test_digests(reference: str, digest: bool) -> None:
    """A digest may be shortened to eight digits."""
    assert is_digest(reference) is digest


def test_inputs() -> None:
    """An input is a prompt's name and a label."""
    assert parse_input("support/summarise@production") == ("support/summarise", "production")
    for wrong in ("support", "support@", "@production", "a@b@c", "A@b", "a@v3", None, 3):
        with pytest.raises(InvalidUnitError):
            parse_input(wrong)  # type: ignore[arg-type]


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["a", "b", "größe", "rows"])
VARIABLES = st.fixed_dictionaries(
    {"type": st.just("any")}, optional={"default": JSON, "example": JSON, "description": TEXT}
)
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "user"]), "content": TEXT | st.lists(
        st.fixed_dictionaries({"type": st.just("text"), "text": TEXT}), min_size=1, max_size=2)})
    | st.fixed_dictionaries({"placeholder": NAMES}),
    min_size=1, max_size=4,
)  # fmt: skip
UNITS = st.fixed_dictionaries(
    {
        "format": st.just(1),
        "template": st.fixed_dictionaries({"messages": MESSAGES})
        | st.fixed_dictionaries({"text": TEXT.filter(str.strip)}),
        "model": st.sampled_from(["m", "gpt-5-mini", "org/model:latest"]),
    },
    optional={
        "params": st.dictionaries(TEXT.filter(lambda key: key not in RESERVED_PARAMS), JSON, max_size=3),
        "variables": st.dictionaries(NAMES, VARIABLES, max_size=3),
        "tools": st.lists(JSON, max_size=2),
        "tool_choice": JSON,
        "response_format": JSON,
    },
)


@given(UNITS)
def test_a_unit_comes_back_from_its_json(told: Any) -> None:
    """A unit comes back from its JSON form, and from its canonical bytes, as what it was."""
    unit = Unit.from_dict(told)
    assert Unit.from_dict(unit.to_dict()) == unit
    data = unit_bytes(unit)
    loaded = Unit.from_dict(json.loads(data))
    assert loaded == unit
    assert unit_bytes(loaded) == data
    assert loaded.to_dict() == unit.to_dict()


@pytest.mark.parametrize(
    ("told", "field", "said"),
    [
        (None, "unit", "a unit is a JSON object with the parts format,"),
        ([], "unit", "got list"),
        ({}, "format", "a unit says its format: 1; got None"),
        ({"format": True}, "format", "got True"),
        ({"format": "1"}, "format", "got '1'"),
        ({"format": 2}, "format", "this unit has format 2, and this Pressmark reads format 1: upgrade pressmark"),
        ({"format": 1, "templat": {}}, "unit", "no part called 'templat'; its parts are format, inputs, model,"),
        ({"format": 1, 3: 4}, "unit", "no part called '3'"),
        ({"format": 1, "template": {"text": "x", "messages": []}}, "template", 'is {"messages": […]} or {"text": "…"}'),
        ({"format": 1, "template": "x"}, "template", 'is {"messages": […]} or {"text": "…"}'),
        ({"format": 1, "template": {"text": "x"}}, "model", "got None"),
        ({"format": 1, "template": {"text": "x"}, "model": "m", "variables": []}, "variables", "got list"),
        (
            {"format": 1, "template": {"text": "x"}, "model": "m", "tools": None},
            "tools",
            "must be a list, got NoneType",
        ),
    ],
)
def test_malformed_units(told: Any, field: str, said: str) -> None:
    """A unit of another shape is refused: unknown parts are never dropped in silence."""
    with pytest.raises(InvalidUnitError) as caught:
        Unit.from_dict(told)
    assert said in str(caught.value)
    assert caught.value.field == field


@given(JSON | st.dictionaries(st.sampled_from(["format", "template", "model", "variables", "inputs", "tools"]), JSON))
def test_any_json_is_a_unit_or_one_error(told: Any) -> None:
    """Whatever arrives, reading it gives a unit or the one error."""
    if isinstance(told, dict):
        told = {"format": 1, "template": {"text": "x"}, "model": "m", **told}
    try:
        Unit.from_dict(told)
    except InvalidUnitError as error:
        assert str(error)


def test_variables_in_json() -> None:
    """A variable's JSON form holds what was said of it, and tells an absent default from one that is null."""
    assert Variable("a").to_dict() == {"type": "any"}
    assert Variable("a", "string", None, "e", "d").to_dict() == {
        "type": "string", "description": "d", "example": "e", "default": None,
    }  # fmt: skip
    assert Variable.from_dict("a", {"default": None}).default is None
    assert Variable.from_dict("a", {}).default is MISSING
    assert Variable.from_dict("a", "list") == Variable("a", "list")


def test_what_a_caller_must_give() -> None:
    """Required are the variables without a default that are not another prompt's output."""
    unit = build_unit(
        text="{{ a }}{{ b }}{{ c }}", model="m", variables={"a": "any", "b": {"default": 1}, "c": "any"},
        inputs={"c": "p@production"},
    )  # fmt: skip
    assert unit.required == ("a",)
