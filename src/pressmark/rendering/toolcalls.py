"""Checking the tool calls in a prompt's example messages against its tools."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pressmark.errors import InvalidUnitError
from pressmark.prompts import ChatTemplate, Unit
from pressmark.prompts.schemas import OPEN

_TAGS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)


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
    if _TAGS.search(name):
        raise InvalidUnitError(
            f"{field} has a template as its tool's name: write the name of one tool, since only its arguments can vary",
            field=field,
        )
    if name not in tools:
        raise InvalidUnitError(
            f"{field} calls {name!r}, which is not among the prompt's tools ({', '.join(tools) or 'it has none'}):"
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
            f"{field} gives {name!r} the parameter {', '.join(map(repr, undeclared))}, which the tool does not declare;"
            f" it declares {', '.join(properties) or 'none'}: declare it or drop it from the call",
            field=field,
        )


def _parameters(arguments: str, field: str) -> list[str]:
    """The names of the parameters that a call gives; Jinja's tags stand for values, so any number will do for them."""
    if not arguments.strip():
        return []
    templated = _TAGS.search(arguments) is not None
    try:
        told = json.loads(_TAGS.sub("0", arguments))
    except (ValueError, RecursionError) as error:
        if templated:
            return []  # a tag may stand for more than one value: known only once rendered
        raise InvalidUnitError(
            f"{field} is not readable JSON ({error}): correct it",
            field=field,
        ) from None
    if not isinstance(told, dict):
        raise InvalidUnitError(
            f"{field} must be a JSON object of parameters, got {type(told).__name__}: write it as {{…}}", field=field
        )
    return list(told)
