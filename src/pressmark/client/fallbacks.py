"""Prompts that the caller wrote into the code, for the day when nothing else is there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pressmark.client.prompt import Content, Prompt
from pressmark.errors import InvalidUnitError
from pressmark.prompts import Unit, sha256_digest
from pressmark.rendering import Template


def fallback_prompt(name: str, label: str, told: Any) -> Prompt:
    """Return the prompt of a caller's fallback.

    Args:
        name: The prompt's name.
        label: The label it stands in for.
        told: The whole unit, with model and parameters: what `Workspace.save` takes (`messages=` or `text=`, `model=`,
            `params=`, …), or a unit's JSON form; or a Prompt.

    Raises:
        InvalidUnitError: It is no unit; `field` names the part.
        TemplateError: Its template is wrong.
    """
    if isinstance(told, Prompt):
        return Prompt(name, label, told.version, told._content, source="fallback", seq=told.seq)
    if not isinstance(told, Mapping):
        raise InvalidUnitError(
            f"the fallback for {name!r} must be an object such as {{'messages': [...], 'model': '...'}},"
            f" got {type(told).__name__}",
            field="fallback",
        )
    unit = _unit(dict(told))
    text = json.dumps(unit.to_dict(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    content = Content(sha256_digest(text.encode()), text, unit)
    content.check()
    return Prompt(name, label, "fallback", content, source="fallback", seq=0)


def _unit(told: dict[str, Any]) -> Unit:
    if "template" not in told:
        parts = {key: told.pop(key) for key in ("messages", "text") if key in told}
        told = {"format": 1, "template": parts, **told}
    if told.get("variables") is None:
        told["variables"] = {}
        inputs = told.pop("inputs", {})
        used = Template(Unit.from_dict(told)).used
        told["variables"] = {name: variable.to_dict() for name, variable in used.items()}
        told["inputs"] = inputs
    return Unit.from_dict(told)
