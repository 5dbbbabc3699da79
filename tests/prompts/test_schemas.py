"""Tools and response formats are valid JSON Schema."""

from __future__ import annotations

from typing import Any

import pytest

from pressmark.errors import InvalidUnitError
from pressmark.prompts import freeze
from pressmark.prompts.schemas import check_response_format, check_schema, check_tools

DEEP: dict[str, Any] = {
    "type": "object",
    "properties": {
        "orders": {"type": "array", "items": {"type": "object", "properties": {"id": {}}, "required": ["id", "nummer"]}}
    },
}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},
        {"type": "object", "properties": {"a": {"type": ["string", "null"]}}, "required": ["a"]},
        {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "definitions": {}},
        {"$schema": "https://example.org/our-own", "type": "object"},
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}},
        {"allOf": [{"properties": {"a": {}}}], "required": ["a"]},
        {"properties": {"required": {"type": "boolean"}, "properties": {"type": "object"}}, "required": ["required"]},
        {"properties": {"a": {"enum": [{"required": ["x"], "properties": {}}]}}},
        {"properties": {"a": {"type": "object", "required": ["anything"]}}},
    ],
)
def test_valid_schemas(schema: dict[str, Any]) -> None:
    """Valid schemas of any draft pass, plain or frozen."""
    check_schema(schema, "tools[0]")
    check_schema(freeze(schema), "tools[0]")


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (True, "must be a JSON Schema object, got bool: write it as"),
        (None, "must be a JSON Schema object, got NoneType"),
        ([{}], "got list"),
        ({"type": "text"}, "at type: 'text' is not valid"),
        ({"properties": {"a": {"type": "text"}}}, "at properties/a/type: 'text' is not valid"),
        ({"properties": []}, "at properties: [] is not of type 'object'"),
        ({"required": "a"}, "at required: 'a' is not of type 'array'"),
        ({"required": [1]}, "at required/0: 1 is not of type 'string'"),
        ({"pattern": "("}, "at pattern: '(' is not a 'regex'"),
        ({"minimum": "1"}, "at minimum"),
        ({"$schema": 3}, "has a $schema that is no text"),
        (
            {"required": ["a", "b"], "properties": {"a": {}}},
            "requires 'b' at the top, which its properties do not declare",
        ),
        ({"required": ["a"]}, "requires 'a' at the top"),
        (DEEP, "requires 'nummer' at properties/orders/items"),
        ({"type": "object", "properties": {"a": {"type": "x" * 5000}}}, "at properties/a/type"),
    ],
)
def test_invalid_schemas(schema: Any, said: str) -> None:
    """An invalid schema is refused at its place, in a sentence of reasonable length."""
    with pytest.raises(InvalidUnitError) as caught:
        check_schema(schema, "tools[0].function.parameters (f)")
    assert said in str(caught.value)
    assert str(caught.value).startswith("tools[0].function.parameters (f) ")
    assert len(str(caught.value)) < 400
    assert caught.value.field == "tools[0].function.parameters (f)"
    with pytest.raises(InvalidUnitError):
        check_tools([{"type": "function", "function": {"name": "f", "parameters": schema}}], None)
    with pytest.raises(InvalidUnitError):
        check_response_format({"type": "json_schema", "json_schema": {"name": "a", "schema": schema}})


@pytest.mark.timeout(60, method="thread")
@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"properties": {f"p{number}": {} for number in range(100_000)}}, "has over 2,000 parts: leave some out"),
        ({"pattern": "(" * 5000}, "has a pattern of over 500 characters: shorten it"),
        ({"patternProperties": {"(" * 5000: {}}}, "has a pattern of over 500 characters: shorten it"),
        ({"pattern": "(" * 500}, "x "),
        ({"pattern": "a{99999999999}"}, "cannot be checked (the repetition number is too large): simplify it"),
        ({"$schema": "http://["}, "cannot be checked (Invalid IPv6 URL): simplify it"),
        ({"required": [f"a{number}" for number in range(5000)], "properties": {}}, "and 4,992 more at the top"),
    ],
    ids=["wide", "pattern", "pattern of names", "brackets", "repetition", "address", "required"],
)
def test_hostile_schemas(schema: Any, said: str) -> None:
    """A schema made to be slow to check, or to break the check, gives one short error at once."""
    with pytest.raises(InvalidUnitError) as caught:
        check_schema(schema, "x")
    assert said in str(caught.value)
    assert len(str(caught.value)) < 400


def test_deep_schemas() -> None:
    """A schema as deep as a unit may be is checked."""
    for key in ("properties", "allOf"):
        deep: Any = {}
        for _ in range(30):
            deep = {key: {"a": deep} if key == "properties" else [deep]}
        check_schema(deep, "x")


@pytest.mark.parametrize("choice", [None, "auto", "none", "required", {"type": "function", "function": {"name": "f"}}])
def test_choices(choice: Any) -> None:
    """The words of the interface and the name of a tool are choices."""
    check_tools([{"type": "function", "function": {"name": "f"}}], choice)


@pytest.mark.parametrize(
    "choice", ["f", "any", 3, [], {}, {"type": "function"}, {"function": {"name": "f"}}, {"function": []}]
)
def test_no_choices(choice: Any) -> None:
    """Anything else is refused, with the choices there are."""
    with pytest.raises(InvalidUnitError, match="choose one of auto, none, required, or name a tool"):
        check_tools([{"type": "function", "function": {"name": "f"}}], choice)


def test_formats() -> None:
    """The formats of the interface pass."""
    check_response_format(None)
    check_response_format({"type": "text"})
    check_response_format({"type": "json_object"})
    check_response_format({"type": "json_schema", "json_schema": {"name": "a-1", "strict": True, "schema": {}}})
