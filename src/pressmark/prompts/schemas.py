"""Checks of tools and response formats against JSON Schema; used when a unit is made, never in production."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pressmark.errors import InvalidUnitError
from pressmark.prompts.frozen import thaw

_FORMATS = ("text", "json_object", "json_schema")


def check_schema(schema: Any, field: str) -> None:
    """Refuse what is not a valid JSON Schema (its own `$schema`, else draft 2020-12).

    Raises:
        InvalidUnitError: With the place in the schema that is wrong.
    """
    import jsonschema
    from jsonschema.validators import validator_for

    if not isinstance(schema, Mapping):
        raise InvalidUnitError(f"{field} must be a JSON Schema object, got {type(schema).__name__}", field=field)
    schema = thaw(schema)
    validator = validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        place = "/".join(str(step) for step in error.absolute_path) or "the top"
        raise InvalidUnitError(
            f"{field} is not a valid JSON Schema: at {place}: {error.message}", field=field
        ) from error
    named = set(schema.get("properties", ())) if isinstance(schema.get("properties"), Mapping) else set()
    required = schema.get("required", [])
    undeclared = [name for name in required if isinstance(required, Sequence) and name not in named]
    if undeclared:
        raise InvalidUnitError(
            f"{field} requires {', '.join(map(repr, undeclared))}, which its properties do not declare:"
            " declare it or drop it from 'required'",
            field=field,
        )


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
            )
        name = function.get("name")
        if not isinstance(name, str) or not name:
            raise InvalidUnitError(f"{field} has no function name: give it one", field=field)
        if name in names:
            raise InvalidUnitError(f"two tools are called {name!r}: rename one of them", field=field)
        names.append(name)
        if "parameters" in function:
            check_schema(function["parameters"], f"{field}.function.parameters ({name})")
    _check_choice(tool_choice, names)


def _check_choice(choice: Any, names: list[str]) -> None:
    if choice is None:
        return
    if not names:
        raise InvalidUnitError(
            "tool_choice is set, but the prompt has no tools: add tools or drop it", field="tool_choice"
        )
    if choice in ("auto", "none", "required"):
        return
    wanted = choice.get("function", {}).get("name") if isinstance(choice, Mapping) else None
    if wanted not in names:
        raise InvalidUnitError(
            f"tool_choice names {wanted or choice!r}, which is not among the tools ({', '.join(names)})",
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
            f"response_format must have a type among {', '.join(_FORMATS)}, got {kind!r}",
            field="response_format",
        )
    if kind == "json_schema":
        body = response_format.get("json_schema")
        if not isinstance(body, Mapping) or not isinstance(body.get("name"), str) or "schema" not in body:
            raise InvalidUnitError(
                'response_format of type json_schema needs {"json_schema": {"name": …, "schema": …}}',
                field="response_format",
            )
        check_schema(body["schema"], "response_format.json_schema.schema")
