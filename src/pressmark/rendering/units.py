"""Making a unit out of what a person writes, with all its checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pressmark.errors import InvalidUnitError, VariableTypeError
from pressmark.prompts import MISSING, Unit, Variable
from pressmark.prompts.quoting import listed
from pressmark.prompts.unit import FORMAT
from pressmark.rendering.template import Template
from pressmark.rendering.values import check_value


def build_unit(
    *,
    messages: Sequence[Mapping[str, Any]] | None = None,
    text: str | None = None,
    model: str | None = None,
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
    template = Template(Unit.from_dict(told))
    if variables is None:
        told["variables"] = {name: variable.to_dict() for name, variable in template.used.items()}
    unit = Unit.from_dict({**told, "inputs": inputs or {}})
    _check(unit, template.used)
    return unit


def check_unit(unit: Unit) -> None:
    """Check a whole unit: templates, declared against used variables, tools, response format.

    Raises:
        InvalidUnitError: A part is wrong; `field` names it.
        TemplateError: A template is wrong; with line and column.
    """
    _check(unit, Template(unit).used)


def _check(unit: Unit, used: Mapping[str, Variable]) -> None:
    from pressmark.prompts.schemas import check_response_format, check_tools
    from pressmark.rendering.toolcalls import check_tool_calls

    _check_declared(unit.variables, used)
    for variable in unit.variables.values():
        _check_use(variable, used[variable.name])
        _check_samples(variable)
    check_tools(unit.tools, unit.tool_choice)
    check_response_format(unit.response_format)
    check_tool_calls(unit)


def _check_declared(declared: Mapping[str, Variable], used: Mapping[str, Variable]) -> None:
    if undeclared := [name for name in used if name not in declared]:
        raise InvalidUnitError(
            f"the template uses {listed(undeclared)}, which the variables do not declare:"
            " declare it, or correct the name in the template",
            field="variables",
        )
    if unused := [name for name in declared if name not in used]:
        raise InvalidUnitError(
            f"the variables declare {listed(unused)}, which the template does not use: use it, or drop the declaration",
            field="variables",
        )


# What a declared type must be where the template loops over the variable, or reads its parts.
_FITTING = {"list": ("any", "list", "object"), "object": ("any", "object")}


def _check_use(declared: Variable, used: Variable) -> None:
    field = f"variables.{declared.name}"
    if (used.type == "messages") != (declared.type == "messages"):
        raise InvalidUnitError(
            f"variable {declared.name!r} is declared as {declared.type}: a placeholder's variable, and no other,"
            " is of type 'messages'; declare it so, or correct the template",
            field=field,
        )
    if declared.type not in _FITTING.get(used.type, (declared.type,)):
        does = "loops over it" if used.type == "list" else "reads parts of it by name"
        raise InvalidUnitError(
            f"variable {declared.name!r} is declared as {declared.type}, but the template {does}: declare it as"
            f" {used.type}, or correct the template",
            field=field,
        )


def _check_samples(variable: Variable) -> None:
    for what, value in (("default", variable.default), ("example", variable.example)):
        if value is MISSING or (what == "example" and value is None):
            continue
        try:
            check_value(variable, value)
        except VariableTypeError as error:
            raise InvalidUnitError(f"the {what} of {error}", field=f"variables.{variable.name}.{what}") from None
