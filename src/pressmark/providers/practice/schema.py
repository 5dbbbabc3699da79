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

    def value(self, name: str, part: Any, depth: int) -> Any:
        """A value for the property ``name``, whose schema is ``part``."""
        part = self._resolved(part)
        if "const" in part:
            return part["const"]
        if depth > _DEEPEST:
            return None
        for joint in ("anyOf", "oneOf", "allOf"):
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
        return [] if item in (None, "") and not least else [item] * max(1, least)

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
            part = target
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
