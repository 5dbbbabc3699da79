"""Make a value that fits a JSON Schema, out of what the model knows of a message."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from typing import Any

# Asked for a property: its name, the values it may have, and its description.
Knows = Callable[[str, tuple[str, ...], str], Any]

_DEEPEST = 12
_MOST_VALUES = 1000
_JOINTS = ("anyOf", "oneOf", "allOf")
_BOUNDS = ("minimum", "maximum", "maxLength", "minItems")
_SHAPES: tuple[tuple[str, type | tuple[type, ...], str], ...] = (
    ("type", (str, list), "a name or a list of names"),
    ("properties", dict, "an object"),
    ("$defs", dict, "an object"),
    ("enum", list, "a list"),
    ("required", list, "a list"),
    *((joint, list, "a list") for joint in _JOINTS),
)


def flaw(schema: Any, where: str = "schema") -> str | None:
    """What keeps ``schema`` from being filled, in words; None when nothing does.

    Args:
        schema: What should be a JSON Schema.
        where: Its name in the words.
    """
    if isinstance(schema, bool):
        return None
    if not isinstance(schema, dict):
        return f"{where} must be an object"
    for key, kind, name in _SHAPES:
        if key in schema and not isinstance(schema[key], kind):
            return f"{where}.{key} must be {name}"
    for key in _BOUNDS:
        if key in schema and not _finite(schema[key]):
            return f"{where}.{key} must be a number"
    parts = [(f"{where}.properties.{name}", part) for name, part in schema.get("properties", {}).items()]
    parts += [(f"{where}.$defs.{name}", part) for name, part in schema.get("$defs", {}).items()]
    parts += [(f"{where}.{joint}[{at}]", part) for joint in _JOINTS for at, part in enumerate(schema.get(joint, ()))]
    parts += [(f"{where}.items", schema["items"])] if "items" in schema else []
    return next((found for name, part in parts if (found := flaw(part, name))), None)


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15


def allowed_values(schema: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The enumerated words of every property in ``schema``, at any depth, by property name."""
    found: dict[str, tuple[str, ...]] = {}
    for name, part in _properties(schema, 0):
        items = part.get("items")
        values = part.get("enum") or (items.get("enum") if isinstance(items, Mapping) else None) or ()
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
    for name, part in schema.get("properties", {}).items():
        if isinstance(part, Mapping):
            found.append((str(name), part))
            found += _properties(part, depth + 1)
            found += _properties(part.get("items"), depth + 1)
    return found


def fill(schema: Mapping[str, Any], knows: Knows, dice: random.Random) -> Any:
    """A value for ``schema``.

    Args:
        schema: A JSON Schema; local references (`#/$defs/...`), types, enumerations and bounds are understood.
        knows: Gives what the model knows of a property.
        dice: Decides where nothing is known.

    Returns:
        A value of the type that the schema names.
    """
    return _Filler(schema, knows, dice).value("", schema, 0)


class _Filler:
    """One schema being filled."""

    def __init__(self, root: Mapping[str, Any], knows: Knows, dice: random.Random) -> None:
        self._root = root
        self._knows = knows
        self._dice = dice
        self._made = 0

    def value(self, name: str, part: Any, depth: int) -> Any:
        """A value for the property ``name``, whose schema is ``part``."""
        part = self._resolved(part)
        if "const" in part:
            return part["const"]
        self._made += 1
        # A schema that refers to itself has no end of its own.
        if depth > _DEEPEST or self._made > _MOST_VALUES:
            return None
        for joint in _JOINTS:
            if part.get(joint) and "type" not in part:
                return self._alternative(name, part[joint], depth)
        kinds = _kinds(part)
        if "object" in kinds:
            properties = part.get("properties") or {}
            return {key: self.value(key, inner, depth + 1) for key, inner in properties.items()}
        if "array" in kinds:
            return self._items(name, part, depth)
        values = list(part.get("enum") or ())
        texts = tuple(value for value in values if isinstance(value, str))
        known = self._knows(name, texts, f"{part.get('description', '')} {part.get('pattern', '')}")
        if not values:
            return _typed(known, kinds, part, self._dice)
        if known in values:
            return known
        return self._dice.choice([value for value in values if value is not None] or values)

    def _items(self, name: str, part: Mapping[str, Any], depth: int) -> list[Any]:
        item = self.value(name, part.get("items") or {}, depth + 1)
        least = int(part.get("minItems", 0))
        return [] if item in (None, "") and not least else [item] * min(max(1, least), _MOST_VALUES)

    def _alternative(self, name: str, parts: list[Any], depth: int) -> Any:
        """The first alternative that is not null; null, if nothing is known and null may be said."""
        options = [self._resolved(part) for part in parts]
        rest = [part for part in options if part.get("type") != "null"]
        value = self.value(name, rest[0], depth + 1) if rest else None
        return None if len(rest) < len(options) and value == "" else value

    def _resolved(self, part: Any) -> Mapping[str, Any]:
        for _ in range(_DEEPEST):
            if not isinstance(part, Mapping) or not str(part.get("$ref", "")).startswith("#/"):
                break
            target: Any = self._root
            for step in part["$ref"][2:].split("/"):
                target = target.get(step, {}) if isinstance(target, Mapping) else {}
            # A reference may lead to any place in the document, so to something that is no schema.
            part = target if flaw(target) is None else {}
        return part if isinstance(part, Mapping) else {}


def _kinds(part: Mapping[str, Any]) -> list[str]:
    kinds = part.get("type") or ("object" if "properties" in part else "string")
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _typed(known: Any, kinds: list[str], part: Mapping[str, Any], dice: random.Random) -> Any:
    """``known`` as one of the types that the schema allows."""
    if known is None and "null" in kinds:
        return None
    if "string" in kinds:
        text = "" if known is None else str(known)
        return text[: part["maxLength"]] if isinstance(part.get("maxLength"), int) else text
    if "boolean" in kinds:
        return known is True or known in ("yes", "true", "high", "urgent", "critical")
    if "integer" in kinds or "number" in kinds:
        return _number(known, whole="number" not in kinds, part=part, dice=dice)
    return None


def _number(known: Any, *, whole: bool, part: Mapping[str, Any], dice: random.Random) -> float | int:
    low, high = part.get("minimum", 0), part.get("maximum", 10 if whole else 1)
    if isinstance(known, int | float):
        value = float(known)
    else:
        digits = re.sub(r"\D", "", str(known))
        value = float(digits) if digits else low + (high - low) * dice.choice((0.5, 0.6, 0.7, 0.8))
    value = max(value, low) if "minimum" in part else value
    value = min(value, high) if "maximum" in part else value
    return round(value) if whole else round(value, 2)
