"""Checking the values that a caller gives against what a prompt declares."""

from __future__ import annotations

import numbers
import operator
from collections.abc import Mapping
from typing import Any

from pressmark.errors import MissingVariablesError, UnknownVariablesError, VariableTypeError
from pressmark.prompts import Variable, freeze
from pressmark.prompts.messages import ROLES
from pressmark.prompts.quoting import listed, shown

_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "list": (list, tuple),
    "object": (Mapping,),
    "messages": (list, tuple),
}


def check_values(declared: Mapping[str, Variable], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value for each declared variable: what was given, frozen, or its default.

    Raises:
        UnknownVariablesError: A value is given for what is not declared.
        MissingVariablesError: A variable without a default is missing.
        VariableTypeError: A value is not of its declared type, or no JSON value.
    """
    if unknown := tuple(name for name in given if name not in declared):
        raise UnknownVariablesError(
            f"the prompt has no variable {listed(unknown)}: drop it or correct its name; the prompt takes"
            f" {', '.join(declared) or 'none'}",
            unknown=unknown,
        )
    missing = tuple(name for name, variable in declared.items() if variable.required and name not in given)
    if missing:
        raise MissingVariablesError(
            f"the prompt needs {listed(missing)}, which {'was' if len(missing) == 1 else 'were'}"
            f" not given: pass {', '.join(f'{name}=…' for name in missing[:8])}",
            missing=missing,
        )
    return {
        name: check_value(variable, given[name]) if name in given else variable.default
        for name, variable in declared.items()
    }


def check_value(variable: Variable, value: Any) -> Any:
    """Return the value, frozen, when it is of the variable's type.

    Raises:
        VariableTypeError: It is not, or it is no JSON value.
    """
    value = _python(value, variable.type)
    kinds = _KINDS.get(variable.type)
    numeric = variable.type in ("number", "integer")
    if kinds and (not isinstance(value, kinds) or (numeric and isinstance(value, bool))):
        raise VariableTypeError(
            f"variable {variable.name!r} is declared as {variable.type}, got {_kind(value)}:"
            " convert it, or declare another type",
            variable=variable.name,
        )
    try:
        frozen = freeze(value)
    except TypeError as error:
        raise VariableTypeError(f"variable {variable.name!r}: {error}", variable=variable.name) from None
    if _torn(frozen):
        raise VariableTypeError(
            f"variable {variable.name!r} holds half of a character (a lone surrogate), which no request can carry:"
            " repair the text, such as by text.encode('utf-8', 'replace').decode()",
            variable=variable.name,
        )
    if variable.type == "messages":
        _check_history(variable.name, frozen)
    return frozen


def _python(value: Any, declared: str) -> Any:
    """Return the number or bool of Python's that a scalar of another library stands for; other values as they are."""
    if value is None or isinstance(value, str | bool | int | float | list | dict):
        return value
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        value = value.item()  # numpy's, and whoever follows it
    if declared in ("integer", "number") and not isinstance(value, bool | int | float):
        if hasattr(value, "__index__"):
            return operator.index(value)
        if declared == "number" and isinstance(value, numbers.Real):
            return float(value)
    return value


def _torn(value: Any) -> bool:
    """Whether a text in the value has no UTF-8 form."""
    if isinstance(value, str):
        if value.isascii():
            return False
        try:
            value.encode()
        except UnicodeEncodeError:
            return True
        return False
    if isinstance(value, Mapping):
        return any(_torn(part) for pair in value.items() for part in pair)
    return isinstance(value, list | tuple) and any(map(_torn, value))


def _kind(value: Any) -> str:
    return shown(value) if isinstance(value, Mapping) else f"{type(value).__name__} {shown(value)}"


def _check_history(name: str, messages: Any) -> None:
    for place, message in enumerate(messages):
        if not isinstance(message, Mapping) or message.get("role") not in ROLES:
            raise VariableTypeError(
                f"variable {name!r}: item {place} must be a message with a role among {', '.join(ROLES)}:"
                ' write it as {"role": "user", "content": "…"}',
                variable=name,
            )
        content = message.get("content")
        if not (content is None or isinstance(content, str | list)):
            raise VariableTypeError(
                f"variable {name!r}: the content of item {place} must be text or a list of parts,"
                f" got {type(content).__name__}: convert it",
                variable=name,
            )
