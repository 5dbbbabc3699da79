"""Checks of tools and response formats against JSON Schema; used when a unit is made, never in production."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pressmark.errors import InvalidUnitError
from pressmark.prompts.frozen import thaw
from pressmark.prompts.quoting import listed, shown

Place = tuple[str | int, ...]

MAX_PARTS = 2000
MAX_PATTERN = 500
_FORMATS = ("text", "json_object", "json_schema")
_CHOICES = ("auto", "none", "required")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
# With one of these, a schema of an object may take what its own `properties` do not name.
OPEN = frozenset({"$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "patternProperties"})


def check_schema(schema: Any, field: str, at: Place = ()) -> None:
    """Refuse what is not a valid JSON Schema (its own `$schema`, else draft 2020-12).

    Args:
        schema: What should be one.
        field: The part of the unit that it stands in, for the message.
        at: Where it stands in the tools or the response format.

    Raises:
        InvalidUnitError: With the place in the schema that is wrong; `place` is the way there from the tools or the
            response format.
    """
    import jsonschema
    from jsonschema.validators import validator_for

    if not isinstance(schema, Mapping):
        raise InvalidUnitError(
            f"{field} must be a JSON Schema object, got {type(schema).__name__}: write it as"
            ' {"type": "object", "properties": {…}}',
            field=field,
            place=at,
        )
    if not isinstance(schema.get("$schema", ""), str):
        raise InvalidUnitError(f"{field} has a $schema that is no text: write its address, or drop it", field=field)
    schema = thaw(schema)
    _check_size(schema, field)
    try:
        validator_for(schema, default=jsonschema.Draft202012Validator).check_schema(schema)
    except (RecursionError, OverflowError, ValueError) as error:
        raise InvalidUnitError(f"{field} cannot be checked ({error}): simplify it", field=field) from error
    except jsonschema.SchemaError as error:
        said = error.message if len(error.message) <= 200 else error.message[:199] + "…"
        raise InvalidUnitError(
            f"{field} is not a valid JSON Schema: at {_place(error.absolute_path)}: {said}; correct it there",
            field=field,
            place=(*at, *error.absolute_path),
        ) from error
    for place, required, properties in _objects(schema, ()):
        if undeclared := [name for name in required if name not in properties]:
            raise InvalidUnitError(
                f"{field} requires {listed(undeclared)} at {_place(place)}, which its properties do not"
                " declare: declare it or drop it from 'required'",
                field=field,
                place=(*at, *place, "required"),
            )


def _check_size(schema: dict[str, Any], field: str) -> None:
    """Refuse what would take seconds to check."""
    left: list[Any] = [schema]
    count = 0
    while left and count <= MAX_PARTS:
        part = left.pop()
        count += 1
        if isinstance(part, dict):
            patterns = [part.get("pattern"), *(part.get("patternProperties") or ())]
            if any(isinstance(pattern, str) and len(pattern) > MAX_PATTERN for pattern in patterns):
                raise InvalidUnitError(
                    f"{field} has a pattern of over {MAX_PATTERN} characters: shorten it", field=field
                )
        members = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        left.extend(member for member in members if isinstance(member, dict | list))
    if left:
        raise InvalidUnitError(f"{field} has over {MAX_PARTS:,} parts: leave some out", field=field)


def _place(steps: Sequence[str | int]) -> str:
    return "/".join(map(str, steps)) or "the top"


def _objects(schema: Any, place: Place) -> Iterator[tuple[Place, list[str], dict[str, Any]]]:
    """Yield what each object in a schema requires and what properties it declares, with its place."""
    if isinstance(schema, dict):
        required, properties = schema.get("required"), schema.get("properties", None if place else {})
        if isinstance(required, list) and isinstance(properties, dict) and not OPEN & schema.keys():
            yield place, required, properties
        for key, value in schema.items():
            if key not in ("enum", "const", "default", "examples"):
                yield from _objects(value, (*place, key))
    elif isinstance(schema, list):
        for number, value in enumerate(schema):
            yield from _objects(value, (*place, number))


def check_tools(tools: Sequence[Any], tool_choice: Any) -> None:
    """Check the tools' shape, their parameter schemas, and that the choice names one of them.

    Raises:
        InvalidUnitError: With the tool that is wrong.
    """
    names: list[str] = []
    for place, tool in enumerate(tools):
        field = f"tools[{place}]"
        function = tool.get("function") if isinstance(tool, Mapping) else None
        if not isinstance(function, Mapping) or tool.get("type") != "function":
            raise InvalidUnitError(
                f'{field} must have the form {{"type": "function", "function": {{"name": …, "parameters": …}}}}',
                field=field,
                place=(place,),
            )
        name = _checked_name(function.get("name"), f"{field}.function.name", (place, "function", "name"))
        if name in names:
            raise InvalidUnitError(
                f"two tools are called {name!r}: rename one of them", field=field, place=(place, "function", "name")
            )
        names.append(name)
        if "parameters" in function:
            at = (place, "function", "parameters")
            check_schema(function["parameters"], f"{field}.function.parameters ({name})", at)
    _check_choice(tool_choice, names)


def _checked_name(name: Any, field: str, place: Place) -> str:
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    raise InvalidUnitError(
        f"{field} is {shown(name)}: give it a name of letters, digits, '_' and '-', at most 64 characters",
        field=field,
        place=place,
    )


def _check_choice(choice: Any, names: list[str]) -> None:
    if choice is None:
        return
    if not names:
        raise InvalidUnitError(
            "tool_choice is set, but the prompt has no tools: add tools or drop it", field="tool_choice"
        )
    if choice in _CHOICES:
        return
    function = choice.get("function") if isinstance(choice, Mapping) else None
    wanted = function.get("name") if isinstance(function, Mapping) else None
    if wanted not in names or choice.get("type") != "function":
        raise InvalidUnitError(
            f"tool_choice is {shown(choice)}: choose one of {', '.join(_CHOICES)}, or name a tool as"
            f' {{"type": "function", "function": {{"name": …}}}}; there are {listed(names)}',
            field="tool_choice",
        )


def check_response_format(response_format: Any) -> None:
    """Check a response format of the chat completions interface.

    Raises:
        InvalidUnitError: With what is missing.
    """
    if response_format is None:
        return
    kind = response_format.get("type") if isinstance(response_format, Mapping) else None
    if kind not in _FORMATS:
        raise InvalidUnitError(
            f"response_format has the type {shown(kind)}: choose one of {', '.join(_FORMATS)}", field="response_format"
        )
    if kind == "json_schema":
        body = response_format.get("json_schema")
        if not isinstance(body, Mapping) or "schema" not in body:
            raise InvalidUnitError(
                'response_format of type json_schema needs {"json_schema": {"name": …, "schema": …}}: add it',
                field="response_format",
            )
        _checked_name(body.get("name"), "response_format.json_schema.name", ("json_schema", "name"))
        check_schema(body["schema"], "response_format.json_schema.schema", ("json_schema", "schema"))
