"""Between a unit and the form in which it is edited."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from pressmark.errors import InvalidUnitError, PressmarkError, TemplateError
from pressmark.prompts import ChatTemplate, Unit, Variable, thaw
from pressmark.prompts.schemas import check_response_format, check_tools
from pressmark.prompts.unit import FORMAT
from pressmark.rendering import Template, build_unit
from pressmark.widgets.protocols import CheckError, CheckView, UnitBody, VariableBody, VariableView

SHORT = 80


def empty_body(model: str = "") -> UnitBody:
    """The form that a new prompt starts with."""
    return {
        "kind": "chat",
        "messages": [{"role": "system", "content": ""}, {"role": "user", "content": "{{ text }}"}],
        "text": "",
        "variables": {},
        "model": model,
        "params": {"temperature": 0},
        "tools": None,
        "tool_choice": None,
        "response_format": None,
        "inputs": {},
    }


def body_of(unit: Unit) -> UnitBody:
    """The form of a unit."""
    chat = isinstance(unit.template, ChatTemplate)
    # What the template says by itself is not listed: a variable renamed in the text leaves no declaration behind.
    inferred = Template(unit).used
    declared = {name: variable for name, variable in unit.variables.items() if variable != inferred.get(name)}
    return {
        "kind": "chat" if chat else "text",
        "messages": thaw(unit.template.messages) if isinstance(unit.template, ChatTemplate) else [],
        "text": "" if isinstance(unit.template, ChatTemplate) else unit.template.text,
        "variables": {name: cast("VariableBody", variable.to_dict()) for name, variable in declared.items()},
        "model": unit.model,
        "params": thaw(unit.params),
        "tools": thaw(unit.tools) or None,
        "tool_choice": thaw(unit.tool_choice),
        "response_format": thaw(unit.response_format),
        "inputs": dict(unit.inputs),
    }


def unit_of(body: UnitBody, *, placeholder_model: str | None = None) -> Unit:
    """The unit of a form; variables that are used and not declared are inferred.

    Args:
        body: The form.
        placeholder_model: A model's name to stand in for an empty one, where only the template matters.

    Raises:
        InvalidUnitError: A part is wrong.
    """
    chat = body.get("kind", "chat") == "chat"
    used = _used(body)
    declared: dict[str, Any] = {
        name: variable.to_dict() for name, variable in used.items() if name not in body["variables"]
    }
    declared |= body["variables"]
    return build_unit(
        messages=body["messages"] if chat else None,
        text=None if chat else body["text"],
        model=body["model"] or placeholder_model or "",
        params=body["params"],
        variables=declared,
        tools=body["tools"],
        tool_choice=body["tool_choice"],
        response_format=body["response_format"],
        inputs=body["inputs"],
    )


def check_body(body: UnitBody) -> CheckView:
    """Everything that keeps a form from being saved, and the variables that were found on the way."""
    errors: list[CheckError] = []
    used: dict[str, Variable] = {}
    for where, part in _parts(body):
        try:
            used |= {name: variable for name, variable in _template(part).used.items() if name not in used}
        except PressmarkError as error:
            errors.append(_error(error, where))
    try:
        check_tools(body["tools"] or (), body["tool_choice"])
    except PressmarkError as error:
        errors.append(_error(error))
    try:
        check_response_format(body["response_format"])
    except PressmarkError as error:
        errors.append(_error(error))
    if not errors:
        try:
            unit_of(body)
        except PressmarkError as error:
            errors.append(_error(error))
    return {"errors": errors, "variables": _variables(body, used)}


def _parts(body: UnitBody) -> list[tuple[str, dict[str, Any]]]:
    """The pieces of a form that hold a template of their own, so that one wrong message does not hide another."""
    if body.get("kind", "chat") == "text":
        return [("text", {"text": body["text"]})]
    return [(f"messages.{place}", {"messages": [message]}) for place, message in enumerate(body["messages"])] or [
        ("messages", {"messages": []})
    ]


def _template(template: Mapping[str, Any]) -> Template:
    return Template(Unit.from_dict({"format": FORMAT, "template": template, "model": "unset", "params": {}}))


def _used(body: UnitBody) -> dict[str, Variable]:
    chat = body.get("kind", "chat") == "chat"
    return _template({"messages": body["messages"]} if chat else {"text": body["text"]}).used


def _error(error: PressmarkError, where: str | None = None) -> CheckError:
    field = getattr(error, "field", None) or ""
    told = str(error)
    if isinstance(error, TemplateError) and error.line is not None:
        # The form shows the place beside the editor; the sentence need not repeat it.
        told = re.sub(r"^[^:]*, line \d+, column \d+: ", "", told)
    return {
        "message": told,
        "line": getattr(error, "line", None),
        "column": getattr(error, "column", None),
        "where": where if where is not None else _where(field),
        "path": list(getattr(error, "place", ())),
    }


def _where(field: str) -> str:
    if found := re.match(r"messages\[(\d+)\]", field):
        return f"messages.{found[1]}"
    for part in ("tools", "tool_choice", "response_format", "params", "inputs", "model", "text"):
        if re.match(rf"{part}\b", field):
            return part
    return field if field.startswith("variables.") else ""


def _variables(body: UnitBody, used: Mapping[str, Variable]) -> list[VariableView]:
    views: list[VariableView] = []
    for name in dict.fromkeys([*used, *body["variables"]]):
        variable = used.get(name, Variable(str(name)))
        if declared := name in body["variables"]:
            try:
                variable = Variable.from_dict(name, body["variables"][name])
            except InvalidUnitError:
                variable = used.get(name, Variable(str(name)))  # the error itself is told beside it
        example = variable.example if variable.example is not None else variable.default
        views.append(
            {
                "name": name,
                "type": variable.type,
                "used": name in used,
                "declared": declared,
                "required": variable.required and name not in body["inputs"],
                "example": short(example) if example is not None and not _is_missing(example) else "",
            }
        )
    return views


def _is_missing(value: Any) -> bool:
    from pressmark.prompts import MISSING

    return value is MISSING


def short(value: Any, most: int = SHORT) -> str:
    """A value as short text."""
    told = as_text(value)
    return told if len(told) <= most else told[: most - 1] + "…"


def as_text(value: Any) -> str:
    """A value as text: text as it is, anything else as JSON."""
    import json

    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
