"""Checking the tool calls in a prompt's example messages against its tools."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jinja2 import nodes

from pressmark.errors import InvalidUnitError
from pressmark.prompts import ChatTemplate, Unit
from pressmark.prompts.quoting import listed, shown
from pressmark.prompts.schemas import OPEN
from pressmark.rendering.checks import environment


def check_tool_calls(unit: Unit) -> None:
    """Check that each tool call names a tool of the unit and gives it declared parameters only.

    Raises:
        InvalidUnitError: With the call that does not fit.
    """
    if not isinstance(unit.template, ChatTemplate):
        return
    tools = {tool["function"]["name"]: tool["function"] for tool in unit.tools}
    for place, message in enumerate(unit.template.messages):
        for number, call in enumerate(message.get("tool_calls") or ()):
            _check_call(call["function"], f"messages[{place}].tool_calls[{number}]", tools)


def _check_call(function: Mapping[str, Any], field: str, tools: Mapping[str, Any]) -> None:
    name = function["name"]
    if "{{" in name or "{%" in name:
        raise InvalidUnitError(
            f"{field} has a template as its tool's name: write the name of one tool, since only its arguments can vary",
            field=field,
        )
    if name not in tools:
        raise InvalidUnitError(
            f"{field} calls {shown(name)}, which is not among the prompt's tools ({listed(tools) or 'it has none'}):"
            " declare the tool or drop the call",
            field=field,
        )
    given = _parameters(function["arguments"], f"{field}.function.arguments")
    schema = tools[name].get("parameters", {})
    properties = schema.get("properties", {})
    if schema.get("additionalProperties") or OPEN & schema.keys():
        return
    if undeclared := [parameter for parameter in given if parameter not in properties]:
        raise InvalidUnitError(
            f"{field} gives {name!r} the parameter {listed(undeclared)}, which the tool does not declare;"
            f" it declares {listed(properties) or 'none'}: declare it or drop it from the call",
            field=field,
        )


def _parameters(arguments: str, field: str) -> list[str]:
    """The names of the parameters that a call gives, as far as they can be told before it is rendered."""
    if not arguments.strip():
        return []
    parts = _parts(arguments)
    try:
        # Jinja's expressions stand for values mostly, so any number will do for them.
        told = json.loads("".join("0" if part is None else part for part in parts))
    except (ValueError, RecursionError) as error:
        if None in parts:
            return []
        raise InvalidUnitError(f"{field} is not readable JSON ({error}): correct it", field=field) from None
    if not isinstance(told, dict):
        raise InvalidUnitError(
            f"{field} must be a JSON object of parameters, got {type(told).__name__}: write it as {{…}}", field=field
        )
    return list(told)


def _parts(source: str) -> list[str | None]:
    """The texts of a template, with None for what is only known when it is rendered."""
    parts: list[str | None] = []
    for node in environment.parse(source).body:
        for part in node.nodes if isinstance(node, nodes.Output) else [node]:
            parts.append(part.data if isinstance(part, nodes.TemplateData) else None)
    return parts
