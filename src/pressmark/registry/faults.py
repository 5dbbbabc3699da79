"""Errors as they travel: `{"error": {code, message, hint}}`, and back to the same exception on the other side."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pressmark import errors
from pressmark.errors import GateError, NotFoundError, PressmarkError, RegistryError
from pressmark.gate import GateDecision
from pressmark.prompts import LabelPointer
from pressmark.prompts.entry import timestamp
from pressmark.registry.values import decision_from_dict, decision_to_dict
from pressmark.wire import pointer_from_dict, pointer_to_dict

GATE_REFUSED: Final = "gate_refused"
_HOUSEKEEPING = frozenset({"status", "code", "hint"})


def status_of(error: PressmarkError) -> int:
    """Return the HTTP status that stands for an error."""
    if isinstance(error, RegistryError):
        return error.status
    if isinstance(error, NotFoundError):
        return 404
    return 409 if isinstance(error, GateError) else 422


def code_of(error: PressmarkError) -> str:
    """Return the short machine name of an error, such as `prompt_not_found`."""
    if isinstance(error, RegistryError):
        return error.code
    if isinstance(error, GateError):
        return GATE_REFUSED
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__.removesuffix("Error")).lower()


def fault_to_dict(error: PressmarkError) -> dict[str, Any]:
    """Return the body of an error answer; `kind` and `facts` let our own client raise what was raised here."""
    facts = {name: _fact(value) for name, value in error.facts.items() if name not in _HOUSEKEEPING}
    return {
        "error": {
            "code": code_of(error),
            "message": str(error),
            "hint": getattr(error, "hint", "") or _next_step(error),
            "kind": type(error).__name__,
            "facts": {name: value for name, value in facts.items() if value is not None},
        }
    }


def fault_from_dict(told: Any, status: int, where: str) -> PressmarkError:
    """Return the exception that an error answer stands for.

    Args:
        told: The answer's JSON, whatever it is.
        status: The answer's HTTP status.
        where: Who answered, for the message.
    """
    body = told.get("error") if isinstance(told, Mapping) else None
    if not isinstance(body, Mapping) or not isinstance(body.get("message"), str):
        return RegistryError(
            f"{where} answered {status} in a form that is not a Pressmark registry's: check the URL",
            status=status,
            code="malformed",
            hint="check the URL",
        )
    kind = getattr(errors, str(body.get("kind")), None)
    if not (isinstance(kind, type) and issubclass(kind, PressmarkError)):
        kind = RegistryError
    facts = body.get("facts")
    known = {str(name): _read(name, value) for name, value in facts.items()} if isinstance(facts, Mapping) else {}
    if issubclass(kind, RegistryError):
        known |= {"status": status, "code": str(body.get("code", "")), "hint": str(body.get("hint", ""))}
    return kind(body["message"], **known)


def _fact(value: object) -> Any:
    if isinstance(value, GateDecision):
        return decision_to_dict(value)
    if isinstance(value, LabelPointer):
        return pointer_to_dict(value)
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, tuple):
        return [_fact(item) for item in value]
    return value if isinstance(value, str | int | float | bool) else None


def _read(name: str, value: Any) -> Any:
    if name == "decision" and isinstance(value, Mapping):
        return decision_from_dict(value)
    if name == "current" and isinstance(value, Mapping):
        return pointer_from_dict(value)
    return tuple(value) if isinstance(value, list) else value


def _next_step(error: PressmarkError) -> str:
    # Every message ends with what to do next, after its last colon.
    return str(error).rpartition(": ")[2] if ": " in str(error) else ""
