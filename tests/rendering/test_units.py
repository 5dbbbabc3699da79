"""A unit is checked whole when it is built."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from pressmark.errors import InvalidNameError, InvalidUnitError
from pressmark.prompts import MISSING, Unit, Variable
from pressmark.rendering import build_unit, check_unit

TOOL = {
    "type": "function",
    "function": {
        "name": "find_order",
        "description": "Find an order",
        "parameters": {
            "type": "object",
            "properties": {"number": {"type": "string"}, "limit": {"type": "integer"}},
            "required": ["number"],
        },
    },
}
FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "answer", "schema": {"type": "object", "properties": {"a": {"type": "string"}}}},
}


def call(arguments: str, name: str = "find_order") -> dict[str, Any]:
    """An assistant's message that calls a tool."""
    function = {"name": name, "arguments": arguments}
    return {"role": "assistant", "tool_calls": [{"id": "call_1", "type": "function", "function": function}]}


def test_everything_at_once() -> None:
    """A unit with every part is built, keeps every part, and passes the check again when it is loaded."""
    unit = build_unit(
        messages=[
            {"role": "system", "content": "Sort for {{ team | default('support') }}."},
            {"placeholder": "history"},
            {"role": "user", "name": "ana", "content": [
                {"type": "text", "text": "{{ text }}"},
                {"type": "image_url", "image_url": {"url": "{{ picture }}", "detail": "low"}},
            ]},
            call('{"number": {{ number | tojson }}, "limit": 3}'),
            {"role": "tool", "tool_call_id": "call_1", "content": "{{ summary }}"},
        ],
        model="gpt-5-mini",
        params={"temperature": 0, "stop": ["\n\n"]},
        variables={
            "team": {"type": "string", "default": "support", "description": "Who reads it"},
            "history": {"type": "messages", "default": []},
            "text": {"type": "string", "example": "Where is my order?"},
            "picture": "string",
            "number": Variable("number", "string"),
            "summary": {},
        },
        tools=[TOOL],
        tool_choice={"type": "function", "function": {"name": "find_order"}},
        response_format=FORMAT,
        inputs={"summary": "support/summarise@production"},
    )  # fmt: skip
    assert unit.required == ("text", "picture", "number")
    assert unit.variables["summary"] == Variable("summary")
    loaded = Unit.from_dict(json.loads(json.dumps(unit.to_dict())))
    assert loaded == unit
    check_unit(loaded)


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"text": None}, "template", "either messages or a text"),
        ({"messages": [{"role": "user", "content": "x"}]}, "template", "either messages or a text"),
        ({"text": " \n"}, "template.text", "must not be empty"),
        ({"text": 3}, "template.text", "must not be empty"),
        ({"model": ""}, "model", "such as 'gpt-5-mini'"),
        ({"model": " m"}, "model", "such as 'gpt-5-mini'"),
        ({"model": None}, "model", "such as 'gpt-5-mini'"),
        ({"params": {"model": "x"}}, "params", "params cannot hold model"),
        ({"params": {"stream": True, "n": 2}}, "params", "params cannot hold n, stream"),
        ({"params": [1]}, "params", "must be an object"),
        *(
            ({"params": {key: "sk-live-123"}}, "params", f"params cannot hold {key}, which belongs to whoever")
            for key in ("api_key", "extra_headers", "extra_query", "timeout", "base_url", "organization", "http_client")
        ),
        ({"params": {"extra_body": "x"}}, "params", "as an object, got 'x'"),
        ({"params": {"extra_body": {"model": "other"}}}, "params", "extra_body cannot hold model"),
        ({"params": {"extra_body": {"api_key": "sk-live-123"}}}, "params", "params.extra_body cannot hold api_key"),
        ({"params": {"extra_body": {"extra_body": {}}}}, "params", "extra_body cannot hold extra_body"),
        ({"params": {"extra_body": {"a": [{"API-Key": "sk-live-123"}]}}}, "params", "cannot hold 'API-Key'"),
        ({"params": {"metadata": {"authorization": "sk-live-123"}}}, "params", "params.metadata cannot hold"),
        ({"params": {"Authorization": "Bearer sk-live-123"}}, "params", "params cannot hold 'Authorization'"),
        ({"params": {"x": {1, 2}}}, "params", "set has no JSON form"),
        ({"params": {"x": math.nan}}, "params", "nan has no JSON form"),
        ({"params": {1: 2}}, "params", "keys are strings"),
        ({"variables": {"a": "string", "b": "string"}}, "variables", "declare 'b', which the template does not use"),
        ({"variables": {}}, "variables", "uses 'a', which the variables do not declare"),
        ({"variables": ["a"]}, "variables", "must be an object such as"),
        ({"variables": {"a": "text"}}, "variables.a", "has type 'text': choose one of any, string"),
        ({"variables": {"a": 3}}, "variables.a", "must be a type or an object"),
        ({"variables": {"a": {"typ": "string"}}}, "variables.a", "has unknown keys: 'typ'"),
        ({"variables": {"a": {"description": 3}}}, "variables.a", "description must be text"),
        (
            {"variables": {"a": {"type": "integer", "default": "3"}}},
            "variables.a.default",
            "declared as integer, got str",
        ),
        ({"variables": {"a": {"type": "integer", "default": True}}}, "variables.a.default", "got bool True"),
        ({"variables": {"a": {"type": "string", "default": None}}}, "variables.a.default", "got NoneType None"),
        ({"variables": {"a": {"type": "list", "example": "x"}}}, "variables.a.example", "the example of variable 'a'"),
        ({"variables": {"a": {"default": {1}}}}, "variables.a", "set has no JSON form"),
        ({"variables": {"a": "messages"}}, "variables.a", "a placeholder's variable, and no other"),
        (
            {"text": "{% for x in a %}{% endfor %}", "variables": {"a": "string"}},
            "variables.a",
            "the template loops over it",
        ),
        (
            {"text": "{{ a.b }}", "variables": {"a": "list"}},
            "variables.a",
            "reads parts of it by name: declare it as object",
        ),
        ({"text": "{{ a.b }}", "variables": {"a": "string"}}, "variables.a", "reads parts of it by name"),
        ({"inputs": {"a": "support/summarise"}}, "inputs", "such as 'support/summarise@production'; got"),
        ({"inputs": {"a": "Support@production"}}, "name", "cannot be a prompt name"),
        ({"inputs": {"a": "support@Prod"}}, "label", "cannot be a label"),
        ({"inputs": {"a": 3}}, "inputs", "such as 'support/summarise@production'; got 3"),
        ({"inputs": {"z": "p@production"}}, "inputs", "'z' is not a variable of the template"),
        ({"inputs": ["p@production"]}, "inputs", "must be an object of variable"),
        ({"tools": {"a": 1}}, "tools", "must be a list"),
        ({"tools": ["x"]}, "tools[0]", "must have the form"),
        ({"tools": [{"type": "function"}]}, "tools[0]", "must have the form"),
        ({"tools": [{"type": "web", "function": {"name": "a"}}]}, "tools[0]", "must have the form"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name", "letters, digits"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name", "letters, digits"),
        ({"tools": [TOOL, TOOL]}, "tools[1]", "two tools are called 'find_order': rename"),
        ({"tool_choice": "auto"}, "tool_choice", "has no tools: add tools or drop it"),
        ({"tools": [TOOL], "tool_choice": "always"}, "tool_choice", "choose one of auto, none, required"),
        (
            {"tools": [TOOL], "tool_choice": {"type": "function", "function": "x"}},
            "tool_choice",
            "there are 'find_order'",
        ),
        (
            {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "x"}}},
            "tool_choice",
            "find_order",
        ),
        ({"response_format": "json"}, "response_format", "choose one of text, json_object, json_schema"),
        ({"response_format": {"type": "xml"}}, "response_format", "has the type 'xml'"),
        ({"response_format": {"type": "json_schema"}}, "response_format", "needs"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "a b", "schema": {}}}},
            "response_format.json_schema.name",
            "letters, digits",
        ),
    ],
)
def test_bad_input(changes: dict[str, Any], field: str, said: str) -> None:
    """Each wrong part gives one error that names the part and says what to write."""
    parts: dict[str, Any] = {"text": "Hello {{ a }}", "model": "m", **changes}
    with pytest.raises(InvalidUnitError) as caught:
        build_unit(**parts)
    assert said in str(caught.value)
    assert (caught.value.field or "").startswith(field)


@pytest.mark.parametrize(
    ("messages", "field", "said"),
    [
        ([], "template.messages", "needs at least one message"),
        ("hello", "template.messages", "needs at least one message"),
        (["hello"], "messages[0]", "must be an object such as"),
        ([{"content": "x"}], "messages[0]", "has role None: choose one of system, developer, user, assistant, tool"),
        ([{"role": "bot", "content": "x"}], "messages[0]", "has role 'bot'"),
        ([{"role": "user"}], "messages[0]", "neither content nor tool_calls"),
        ([{"role": "user", "content": None}], "messages[0]", "neither content nor tool_calls"),
        ([{"role": "user", "content": 3}], "messages[0].content", "must be text or a list of parts, got int"),
        ([{"role": "user", "content": []}], "messages[0].content", "has no parts"),
        ([{"role": "user", "content": ["x"]}], "messages[0].content[0]", "must be an object with a type"),
        ([{"role": "user", "content": [{"type": "text"}]}], "messages[0].content[0]", "must have the form"),
        (
            [{"role": "user", "content": [{"type": "image_url", "image_url": "u"}]}],
            "messages[0].content[0]",
            '{"url": "…"}',
        ),
        ([{"role": "user", "content": "x", "weight": 1}], "messages[0]", "has unknown keys: 'weight'"),
        ([{"role": "user", "content": "x", "name": ""}], "messages[0]", "has the name ''"),
        ([{"role": "user", "content": "x", "tool_call_id": "c"}], "messages[0]", "others have none"),
        ([{"role": "tool", "content": "x"}], "messages[0]", "needs the tool_call_id"),
        ([{"placeholder": "a", "role": "user"}], "messages[0]", "and nothing else"),
        ([{"placeholder": "a b"}], "messages[0]", "cannot be a variable's name"),
        ([{"placeholder": "loop"}], "messages[0]", "a word of the template language"),
        ([{"placeholder": 3}], "messages[0]", "cannot be a variable's name"),
        ([{**call("{}"), "role": "user"}], "messages[0].tool_calls", "only the assistant calls tools"),
        (
            [{"role": "assistant", "content": "x", "tool_calls": []}],
            "messages[0].tool_calls",
            "must be a list of calls",
        ),
        ([{"role": "assistant", "tool_calls": [{}]}], "messages[0].tool_calls[0]", "must have the form"),
        ([call({"number": 1})], "messages[0].tool_calls[0].function.arguments", "must be JSON written as text"),  # type: ignore[arg-type]
        (
            [call("{}", "other")],
            "messages[0].tool_calls[0]",
            "calls 'other', which is not among the prompt's tools ('find_order')",
        ),
        ([call("{}", "{{ name }}")], "messages[0].tool_calls[0]", "has a template as its tool's name"),
        (
            [call('{"nummer": "1"}')],
            "messages[0].tool_calls[0]",
            "the parameter 'nummer', which the tool does not declare",
        ),
        ([call('{"number": {{ n | tojson }}, "x": {{ y }}}')], "messages[0].tool_calls[0]", "the parameter 'x'"),
        ([call('{"number": "{{ n }}", "x": 1}')], "messages[0].tool_calls[0]", "it declares 'number', 'limit'"),
        ([call("{number: 1}")], "messages[0].tool_calls[0].function.arguments", "is not readable JSON"),
        (
            [call("[1]")],
            "messages[0].tool_calls[0].function.arguments",
            "must be a JSON object of parameters, got list",
        ),
        ([call("{{ all }} 1]")], None, ""),
        ([call("")], None, ""),
    ],
)
def test_bad_messages(messages: Any, field: str | None, said: str) -> None:
    """Each malformed message, part or call gives one error that names it; what only rendering can tell passes."""
    if field is None:
        build_unit(messages=messages, model="m", tools=[TOOL])
        return
    with pytest.raises(InvalidUnitError) as caught:
        build_unit(messages=messages, model="m", tools=[TOOL])
    assert said in str(caught.value)
    assert caught.value.field == field


@pytest.mark.timeout(60, method="thread")
@pytest.mark.parametrize(
    "arguments",
    [
        "{% raw %}" + "{{" * 100_000 + "{% endraw %}",
        "{% raw %}" + "{%" * 100_000 + "{% endraw %}",
        "[" * 100_000,
        "{" * 100_000,
    ],
    ids=["raw braces", "raw tags", "brackets", "braces"],
)
def test_hostile_arguments(arguments: str) -> None:
    """Arguments made to be slow to read are refused at once."""
    with pytest.raises(InvalidUnitError) as caught:
        build_unit(messages=[call(arguments)], model="m", tools=[TOOL])
    assert len(str(caught.value)) < 600


def test_raw_arguments() -> None:
    """Braces in a raw block are the text of a parameter, and a comment is nothing."""
    build_unit(messages=[call('{"number": "{% raw %}{{ x }}{% endraw %}"{# , "x": 1 #}}')], model="m", tools=[TOOL])


def test_a_call_without_tools() -> None:
    """A tool call in a prompt that has no tools says so."""
    with pytest.raises(InvalidUnitError, match="it has none"):
        build_unit(messages=[call("{}")], model="m")


@pytest.mark.parametrize(
    "parameters",
    [
        {"additionalProperties": True},
        {"$ref": "#/$defs/x", "$defs": {"x": {}}},
        {"anyOf": [{}]},
        {"patternProperties": {"^x": {}}},
    ],
)
def test_an_open_schema_takes_any_parameter(parameters: dict[str, Any]) -> None:
    """Where a tool's schema leaves parameters open, a call may give them."""
    tool = {"type": "function", "function": {"name": "find_order", "parameters": parameters}}
    build_unit(messages=[call('{"x": 1}')], model="m", tools=[tool])


def test_variables_of_a_version_can_be_given_again() -> None:
    """The declarations of one unit serve to build the next."""
    first = build_unit(text="{{ a }}", model="m", variables={"a": {"type": "string", "default": "x"}})
    assert build_unit(text="{{ a }}!", model="m", variables=dict(first.variables)).variables == first.variables


@pytest.mark.parametrize("name", ["loop", "self", "none", "True", "_x", "a b", "1a", "", "ﬁ", "and"])
def test_names_that_no_variable_can_have(name: str) -> None:
    """A declared name that the template language or Python would take for something else is refused."""
    with pytest.raises(InvalidNameError) as caught:
        build_unit(text="x", model="m", variables={name: "string"})
    assert caught.value.field == f"variables.{name}"


def test_a_unit_remembers_nothing_of_its_maker() -> None:
    """Changing what a unit was built from does not change the unit."""
    messages: list[Any] = [{"role": "user", "content": [{"type": "text", "text": "{{ a }}"}]}]
    params: dict[str, Any] = {"stop": ["x"]}
    default: list[Any] = [{"k": 1}]
    unit = build_unit(messages=messages, model="m", params=params, variables={"a": {"default": default}}, tools=[TOOL])
    kept = unit.to_dict()
    messages[0]["content"][0]["text"] = "changed"
    params["stop"].append("y")
    default[0]["k"] = 2
    assert unit.to_dict() == kept
    assert unit.variables["a"].default is not MISSING
