"""Make a value that fits a JSON Schema, out of what the model knows of a message."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from typing import Any

# Asked for a property: its name, the values it may have, and its description.
Knows = Callable[[str, tuple[str, ...], str], Any]

_DEEPEST = 12


def allowed_values(schema: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The enumerated words of every property in ``schema``, at any depth, by property name."""
    found: dict[str, tuple[str, ...]] = {}
    for name, part in _properties(schema, 0):
        values = part.get("enum") or (part.get("items") or {}).get("enum") or ()
        texts = tuple(value for value in values if isinstance(value, str))
        if texts:
            found.setdefault(name, texts)
    return found


def described(schema: Mapping[str, Any]) -> str:
    """What ``schema`` says in words, a line for each property, as a prompt would."""
    lines = [str(schema.get("description", ""))]
    for name, part in _properties(schema, 0):
        pattern = f" (pattern {part['pattern']})" if isinstance(part.get("pattern"), str) else ""
        if part.get("description") or pattern:
            lines.append(f"{name.replace('_', ' ')}: {part.get('description', '')}{pattern}")
    return "\n".join(line for line in lines if line)


def _properties(schema: Any, depth: int) -> list[tuple[str, Mapping[str, Any]]]:
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return []
    found = []
    for name, part in (schema.get("properties") or {}).items():
        if isinstance(part, Mapping):
            found.append((str(name), part))
            found += _properties(part, depth + 1)
            found += _properties(part.get("items"), depth + 1)
    return found


def fill(schema: Mapping[str, Any], knows: Knows, dice: random.Random) -> Any:
    """A value for ``schema``.

    Args:
        schema: A JSON Schema; local references (`#/$defs/...`), types, enums, bounds and patterns of order numbers are
            understood.
        knows: Gives what the model knows of a property.
        dice: Decides where nothing is known.

    Returns:
        A value of the type that the schema names.
    """
    return _value("", schema, schema, knows, dice, 0)


def _value(name: str, part: Any, root: Mapping[str, Any], knows: Knows, dice: random.Random, depth: int) -> Any:
    part = _resolved(part, root)
    if "const" in part:
        return part["const"]
    kinds = part.get("type") or ("object" if "properties" in part else "string")
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    for joint in ("anyOf", "oneOf", "allOf"):
        if part.get(joint) and "type" not in part:
            return _alternative(name, part[joint], root, knows, dice, depth)
    if depth > _DEEPEST:
        return None
    if "object" in kinds:
        properties = part.get("properties") or {}
        return {key: _value(key, inner, root, knows, dice, depth + 1) for key, inner in properties.items()}
    if "array" in kinds:
        item = _value(name, part.get("items") or {}, root, knows, dice, depth + 1)
        least = max(1, int(part.get("minItems", 1)))
        return [] if item is None or item == "" else [item] * least
    values = tuple(part.get("enum") or ())
    words = tuple(value for value in values if isinstance(value, str))
    known = knows(name, words, str(part.get("description", "")) + " " + str(part.get("pattern", "")))
    if values:
        if known in values:
            return known
        return (
            None
            if known is None and None in values
            else dice.choice([value for value in values if value is not None] or values)
        )
    return _typed(known, kinds, part, dice)


def _alternative(
    name: str, parts: list[Any], root: Mapping[str, Any], knows: Knows, dice: random.Random, depth: int
) -> Any:
    """The first alternative that is not null; null, if nothing is known and null may be said."""
    nullable = any(_resolved(part, root).get("type") == "null" for part in parts)
    rest = [part for part in parts if _resolved(part, root).get("type") != "null"]
    value = _value(name, rest[0], root, knows, dice, depth + 1) if rest else None
    return None if nullable and value in ("", None) else value


def _resolved(part: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    for _ in range(_DEEPEST):
        if not isinstance(part, Mapping) or not str(part.get("$ref", "")).startswith("#/"):
            break
        target: Any = root
        for step in part["$ref"][2:].split("/"):
            target = target.get(step, {}) if isinstance(target, Mapping) else {}
        part = target
    return part if isinstance(part, Mapping) else {}


def _typed(known: Any, kinds: list[str], part: Mapping[str, Any], dice: random.Random) -> Any:
    """``known`` as one of the types that the schema allows."""
    if known is None and "null" in kinds:
        return None
    if "string" in kinds:
        text = "" if known is None else str(known)
        return text[: part["maxLength"]] if isinstance(part.get("maxLength"), int) else text
    if "boolean" in kinds:
        return bool(known) if isinstance(known, bool) else known in ("yes", "true", "high", "urgent", "critical")
    if "integer" in kinds or "number" in kinds:
        number = known if isinstance(known, int | float) and not isinstance(known, bool) else _number_in(str(known))
        low, high = part.get("minimum", 0), part.get("maximum", 1 if "number" in kinds else 10)
        value = number if number is not None else low + (high - low) * dice.choice((0.5, 0.6, 0.7, 0.8))
        if "minimum" in part:
            value = max(value, low)
        if "maximum" in part:
            value = min(value, high)
        return round(value, 2) if "number" in kinds else round(value)
    return None


def _number_in(text: str) -> int | None:
    digits = re.sub(r"\D", "", text)
    return int(digits) if digits else None
