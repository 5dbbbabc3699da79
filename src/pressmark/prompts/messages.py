"""The shape of a chat prompt's messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pressmark.errors import InvalidUnitError
from pressmark.prompts.frozen import FrozenDict, freeze
from pressmark.prompts.names import check_variable
from pressmark.prompts.quoting import listed, shown

ROLES: Final = ("system", "developer", "user", "assistant", "tool")
_KEYS: Final = frozenset({"role", "content", "name", "tool_calls", "tool_call_id"})


def read_message(told: Any, place: int) -> FrozenDict:
    """Return the message, frozen, when it has the shape of one.

    Args:
        told: A message or a placeholder.
        place: Where it stands in the prompt; errors name it.

    Raises:
        InvalidUnitError: It has another shape; `field` names the part.
    """
    where = f"messages[{place}]"
    if not isinstance(told, Mapping):
        raise _error(where, f'must be an object such as {{"role": "user", "content": "…"}}, got {_kind(told)}')
    if "placeholder" in told:
        if set(told) != {"placeholder"}:
            raise _error(where, 'must be {"placeholder": "variable name"} and nothing else')
        return FrozenDict({"placeholder": check_variable(told["placeholder"], where)})
    if told.get("role") not in ROLES:
        raise _error(where, f"has role {shown(told.get('role'))}: choose one of {', '.join(ROLES)}")
    if unknown := set(told) - _KEYS:
        raise _error(
            where,
            f"has unknown keys: {listed(sorted(map(str, unknown)))}; it may have {', '.join(sorted(_KEYS))}",
        )
    _check_content(told, where)
    _check_calls(told, where)
    for key in ("name", "tool_call_id"):
        if key in told and (not isinstance(told[key], str) or not told[key]):
            raise _error(where, f"has the {key} {shown(told[key])}: write it as text, or drop it")
    if (told["role"] == "tool") != ("tool_call_id" in told):
        raise _error(where, "of role 'tool' needs the tool_call_id of the call that it answers; others have none")
    try:
        frozen: FrozenDict = freeze(told)
    except TypeError as error:
        raise InvalidUnitError(f"{where}: {error}", field=where) from error
    return frozen


def _check_content(told: Mapping[str, Any], where: str) -> None:
    content = told.get("content")
    if content is None and not told.get("tool_calls"):
        raise _error(where, "has neither content nor tool_calls: add one of them")
    if isinstance(content, list | tuple):
        if not content:
            raise _error(f"{where}.content", "has no parts: write one, or give a text")
        for number, part in enumerate(content):
            _check_part(part, f"{where}.content[{number}]")
    elif content is not None and not isinstance(content, str):
        raise _error(f"{where}.content", f"must be text or a list of parts, got {_kind(content)}")


def _check_part(part: Any, where: str) -> None:
    if not isinstance(part, Mapping) or not isinstance(part.get("type"), str):
        raise _error(where, 'must be an object with a type, such as {"type": "text", "text": "…"}')
    if part["type"] == "text" and not isinstance(part.get("text"), str):
        raise _error(where, 'of type text must have the form {"type": "text", "text": "…"}')
    image = part.get("image_url")
    if part["type"] == "image_url" and not (isinstance(image, Mapping) and isinstance(image.get("url"), str)):
        raise _error(where, 'of type image_url must have the form {"type": "image_url", "image_url": {"url": "…"}}')


def _check_calls(told: Mapping[str, Any], where: str) -> None:
    if "tool_calls" not in told:
        return
    calls, where = told["tool_calls"], f"{where}.tool_calls"
    if told["role"] != "assistant":
        raise _error(where, f"stands in a message of role {told['role']!r}: only the assistant calls tools")
    if not isinstance(calls, list | tuple) or not calls:
        raise _error(where, "must be a list of calls: add one, or drop the key")
    for number, call in enumerate(calls):
        here = f"{where}[{number}]"
        function = call.get("function") if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping) or call.get("type") != "function" or not isinstance(call.get("id"), str):
            raise _error(
                here,
                'must have the form {"id": "call_1", "type": "function", "function": {"name": …, "arguments": "{…}"}}',
            )
        if not isinstance(function.get("name"), str) or not function["name"]:
            raise _error(here, "has no function name: write the name of a tool")
        if not isinstance(function.get("arguments"), str):
            raise _error(
                f"{here}.function.arguments",
                f"must be JSON written as text, such as '{{\"id\": 7}}', got {_kind(function.get('arguments'))}",
            )


def _error(where: str, said: str) -> InvalidUnitError:
    return InvalidUnitError(f"{where} {said}", field=where)


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__
