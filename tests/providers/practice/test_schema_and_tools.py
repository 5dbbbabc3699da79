"""JSON schemas and tools are filled with what is known of the message."""

from __future__ import annotations

import json
import random
from typing import Any

import jsonschema
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pressmark.providers.practice import PRACTICE_MODEL, example_messages
from pressmark.providers.practice.messages import CATEGORIES
from pressmark.providers.practice.schema import fill, flaw

TEXT = "The vase from order 48260 arrived in pieces. Could you please send a new one today?"
TRIAGE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "category": {"type": "string", "enum": list(CATEGORIES)},
        "urgency": {"$ref": "#/$defs/level"},
        "order_number": {"anyOf": [{"type": "string", "pattern": "^ORD-\\d{5}$"}, {"type": "null"}]},
        "summary": {"type": "string", "maxLength": 60},
        "reply": {"type": "string"},
        "needs_human": {"type": "boolean"},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "stars": {"type": "integer", "minimum": 1, "maximum": 5},
        "tags": {"type": "array", "items": {"type": "string", "enum": ["vip", "new"]}, "minItems": 1},
    },
    "required": ["category", "urgency", "order_number", "summary", "reply"],
    "additionalProperties": False,
    "$defs": {"level": {"type": "string", "enum": ["low", "normal", "high"]}},
}
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "file_ticket",
            "description": "File a support ticket",
            "parameters": {key: TRIAGE[key] for key in ("type", "properties", "required", "$defs")},
        },
    },
    {
        "type": "function",
        "function": {
            "name": "send_reply",
            "description": "Send a polite answer",
            "parameters": {"type": "object", "properties": {"reply": {"type": "string"}}},
        },
    },
]


def create(client: openai.OpenAI, instruction: str, text: str = TEXT, **options: Any) -> Any:
    """The whole answer of one call."""
    messages: list[Any] = [{"role": "system", "content": instruction}, {"role": "user", "content": text}]
    return client.chat.completions.create(model=PRACTICE_MODEL, messages=messages, **options)


def test_every_answer_fits_the_schema(client: openai.OpenAI) -> None:
    """With a json_schema each answer is valid, and its enumerations count as listed labels."""
    form = {"type": "json_schema", "json_schema": {"name": "triage", "strict": True, "schema": TRIAGE}}
    right = 0
    for row in example_messages()[:40]:
        answer = create(client, "Triage the message.", str(row["text"]), response_format=form)
        value = json.loads(answer.choices[0].message.content)
        jsonschema.validate(value, TRIAGE)
        right += value["category"] == row["category"]
    assert right > 25


def test_descriptions_in_a_schema_teach(client: openai.OpenAI) -> None:
    """The form of order numbers is read from a description, too."""
    number = {"type": "string", "description": "The order number, written like KX-00000"}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"properties": {"order_number": number}}}}
    answer = create(client, "Extract it.", response_format=form)
    assert json.loads(answer.choices[0].message.content) == {"order_number": "KX-48260"}


def test_a_forced_tool_is_called(client: openai.OpenAI) -> None:
    """With tool_choice naming a function, that one is called, with arguments that fit its parameters."""
    forced = {"type": "function", "function": {"name": "file_ticket"}}
    choice = create(client, "Handle the message.", tools=TOOLS, tool_choice=forced).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    call = choice.message.tool_calls[0]
    assert call.function.name == "file_ticket"
    arguments = json.loads(call.function.arguments)
    jsonschema.validate(arguments, TRIAGE)
    assert (arguments["category"], arguments["order_number"]) == ("damaged_item", "ORD-48260")


def test_auto_calls_a_tool_when_the_prompt_asks(client: openai.OpenAI) -> None:
    """Left to itself it calls the tool that the prompt names, and none when it names none."""
    asked = create(client, "Handle the message with file_ticket.", tools=TOOLS).choices[0]
    assert asked.message.tool_calls[0].function.name == "file_ticket"
    left = create(client, "Answer the customer.", tools=TOOLS).choices[0]
    assert left.message.tool_calls is None
    assert left.finish_reason == "stop"
    none = create(client, "Handle the message with file_ticket.", tools=TOOLS, tool_choice="none").choices[0]
    assert none.message.tool_calls is None
    required = create(client, "Answer the customer.", tools=TOOLS, tool_choice="required").choices[0]
    assert required.message.tool_calls


def test_after_a_tools_result_it_answers(client: openai.OpenAI) -> None:
    """A conversation that ends with a tool's result gets an answer in words."""
    call = {"id": "c1", "type": "function", "function": {"name": "file_ticket", "arguments": "{}"}}
    messages: list[Any] = [
        {"role": "user", "content": TEXT},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "ticket 77 filed"},
    ]
    answer = client.chat.completions.create(model=PRACTICE_MODEL, messages=messages, tools=TOOLS)
    assert "ticket 77 filed" in (answer.choices[0].message.content or "")


def test_a_schema_that_refers_to_itself_ends() -> None:
    """Recursive references are followed to a bound only."""
    branch = {"type": "object", "properties": {name: {"$ref": "#"} for name in "abcd"}}
    value = fill(branch, lambda name, values, described: None, random.Random(1))
    assert set(value) == set("abcd")


JSON_SCHEMAS = st.recursive(
    st.one_of(
        st.booleans(),
        st.fixed_dictionaries(
            {},
            optional={
                "type": st.sampled_from(["string", "integer", "number", "boolean", "null", ["string", "null"], 5, "x"]),
                "enum": st.lists(st.none() | st.text(max_size=3) | st.integers(), max_size=3),
                "minimum": st.integers(-5, 5) | st.text(max_size=1),
                "$ref": st.sampled_from(["#", "#/$defs/a", "#/properties", "elsewhere"]),
            },
        ),
    ),
    lambda parts: st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["object", "array"]),
            "properties": st.dictionaries(st.sampled_from(["category", "order_number", "x"]), parts, max_size=3),
            "items": parts,
            "anyOf": st.lists(parts, max_size=2),
            "$defs": st.dictionaries(st.just("a"), parts, max_size=1),
            "minItems": st.integers(0, 3),
        },
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(JSON_SCHEMAS)
def test_any_schema_is_filled_or_refused_in_words(schema: Any) -> None:
    """Whatever is sent as a schema, it is either refused with a reason or filled with JSON."""
    if flaw(schema) is None and isinstance(schema, dict):
        json.dumps(fill(schema, lambda name, values, described: None, random.Random(1)))


@pytest.mark.parametrize(
    ("schema", "part"),
    [
        ([], "schema must be an object"),
        ({"properties": []}, "schema.properties"),
        ({"properties": {"a": {"enum": "x"}}}, "schema.properties.a.enum"),
        ({"items": {"type": 5}}, "schema.items.type"),
        ({"anyOf": [{"minimum": "low"}]}, "schema.anyOf[0].minimum"),
    ],
)
def test_a_flawed_schema_is_named(schema: Any, part: str) -> None:
    """The refusal names the place in the schema."""
    assert part in (flaw(schema) or "")
