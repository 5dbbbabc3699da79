"""Making a unit out of what a person writes, with all its checks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pressmark.errors import InvalidUnitError
from pressmark.prompts import ChatTemplate, Unit, Variable
from pressmark.prompts.unit import FORMAT
from pressmark.rendering.template import Template
from pressmark.rendering.values import check_value


def build_unit(
    *,
    messages: Sequence[Mapping[str, Any]] | None = None,
    text: str | None = None,
    model: str,
    params: Mapping[str, Any] | None = None,
    variables: Mapping[str, Any] | None = None,
    tools: Sequence[Mapping[str, Any]] | None = None,
    tool_choice: Any = None,
    response_format: Mapping[str, Any] | None = None,
    inputs: Mapping[str, str] | None = None,
) -> Unit:
    """Return the unit of a draft, checked whole.

    Args:
        messages: Chat messages with Jinja2 in their strings; or
        text: One text with Jinja2 in it.
        model: The model's name.
        params: Request parameters, such as `temperature`.
        variables: Declarations by name (a type, or an object with type, default, example and description). Where
            none are given they are found in the template.
        tools: Tools of the chat completions interface.
        tool_choice: Which tool to use.
        response_format: The answer's form.
        inputs: Variables that are another prompt's output, as `prompt@label`.

    Raises:
        InvalidUnitError: A part is wrong; `field` names it.
        TemplateError: A template is wrong; with line and column.
    """
    if (messages is None) == (text is None):
        raise InvalidUnitError("a prompt has either messages or a text: give one of the two", field="template")
    told: dict[str, Any] = {
        "format": FORMAT,
        "template": {"messages": messages} if messages is not None else {"text": text},
        "model": model,
        "params": params or {},
        "variables": {} if variables is None else variables,
        "tools": tools or [],
        "tool_choice": tool_choice,
        "response_format": response_format,
    }
    if variables is None:
        used = Template(Unit.from_dict(told)).used
        told["variables"] = {name: variable.to_dict() for name, variable in used.items()}
    told["inputs"] = inputs or {}
    unit = Unit.from_dict(told)
    check_unit(unit)
    return unit


def check_unit(unit: Unit) -> None:
    """Check a whole unit: templates, declared against used variables, tools, response format.

    Raises:
        InvalidUnitError: A part is wrong; `field` names it.
        TemplateError: A template is wrong; with line and column.
    """
    from pressmark.prompts.schemas import check_response_format, check_tools

    used = Template(unit).used
    declared = unit.variables
    if undeclared := [name for name in used if name not in declared]:
        raise InvalidUnitError(
            f"the template uses {', '.join(map(repr, undeclared))}, which the variables do not declare:"
            " declare it, or correct the name in the template",
            field="variables",
        )
    if unused := [name for name in declared if name not in used]:
        raise InvalidUnitError(
            f"the variables declare {', '.join(map(repr, unused))}, which the template does not use:"
            " use it, or drop the declaration",
            field="variables",
        )
    _check_histories(used, declared)
    _check_defaults(unit)
    check_tools(unit.tools, unit.tool_choice)
    check_response_format(unit.response_format)
    _check_tool_calls(unit)


def _check_histories(used: Mapping[str, Variable], declared: Mapping[str, Variable]) -> None:
    for name, variable in declared.items():
        if (used[name].type == "messages") != (variable.type == "messages"):
            raise InvalidUnitError(
                f"variable {name!r} is declared as {variable.type}; a placeholder's variable, and no other, is of type"
                " 'messages'",
                field=f"variables.{name}",
            )


def _check_defaults(unit: Unit) -> None:
    for name, variable in unit.variables.items():
        if not variable.required:
            try:
                check_value(variable, variable.default)
            except ValueError as error:
                raise InvalidUnitError(f"the default of {error}", field=f"variables.{name}") from None


def _check_tool_calls(unit: Unit) -> None:
    """A tool call in an example message must fit the tools that the unit declares."""
    if not isinstance(unit.template, ChatTemplate):
        return
    tools = {tool["function"]["name"]: tool["function"] for tool in unit.tools}
    for place, message in enumerate(unit.template.messages):
        for call in message.get("tool_calls") or ():
            name = call["function"]["name"]
            field = f"messages[{place}].tool_calls"
            if name not in tools:
                raise InvalidUnitError(
                    f"{field} calls {name!r}, which is not among the prompt's tools"
                    f" ({', '.join(tools) or 'it has none'}): declare the tool or drop the call",
                    field=field,
                )
            try:
                arguments = json.loads(call["function"].get("arguments") or "{}")
            except ValueError:
                continue  # Jinja inside: known only once rendered
            properties = tools[name].get("parameters", {}).get("properties", {})
            undeclared = [key for key in arguments if key not in properties] if isinstance(arguments, dict) else []
            if undeclared:
                raise InvalidUnitError(
                    f"{field} gives {name!r} the parameter {', '.join(map(repr, undeclared))}, which the tool does not"
                    f" declare; it declares {', '.join(properties) or 'none'}",
                    field=field,
                )
