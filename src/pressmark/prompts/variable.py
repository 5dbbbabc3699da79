"""A declared variable of a template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pressmark.errors import InvalidUnitError
from pressmark.prompts.frozen import Immutable, freeze, thaw
from pressmark.prompts.names import check_variable
from pressmark.prompts.quoting import listed, shown

TYPES: Final = ("any", "string", "number", "integer", "boolean", "list", "object", "messages")


class _Missing:
    """The default of a variable that has none."""

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Variable(Immutable):
    """A variable that the template's caller fills.

    Attributes:
        name: A Python identifier.
        type: One of `TYPES`; `messages` is a history that a placeholder takes.
        default: What stands in when the caller gives none; `MISSING` makes it required.
        example: A value to show in previews.
        description: What it is, in a sentence.
    """

    name: str
    type: str = "any"
    default: Any = MISSING
    example: Any = None
    description: str = ""

    def __post_init__(self) -> None:
        if self.default is not MISSING:
            object.__setattr__(self, "default", freeze(self.default))
        object.__setattr__(self, "example", freeze(self.example))

    @property
    def required(self) -> bool:
        """Whether the caller must give it."""
        return self.default is MISSING

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, without the name."""
        told: dict[str, Any] = {"type": self.type}
        if self.description:
            told["description"] = self.description
        if self.example is not None:
            told["example"] = thaw(self.example)
        if self.default is not MISSING:
            told["default"] = thaw(self.default)
        return told

    @classmethod
    def from_dict(cls, name: str, told: Variable | Mapping[str, Any] | str) -> Variable:
        """Read the JSON form; a bare string is the type, and a variable of that name is taken as it is.

        Raises:
            InvalidUnitError: Unknown type or key, or a name that no variable can have.
        """
        where = f"variables.{name}"
        check_variable(name, where)
        if isinstance(told, Variable):
            told = told.to_dict()
        if isinstance(told, str):
            told = {"type": told}
        if not isinstance(told, Mapping):
            raise InvalidUnitError(
                f"{where} must be a type or an object, got {type(told).__name__}: write it as 'string', or as"
                ' {"type": "string", "default": …}',
                field=where,
            )
        if unknown := set(told) - {"type", "default", "example", "description"}:
            raise InvalidUnitError(
                f"{where} has unknown keys: {listed(sorted(map(str, unknown)))}; it may have type, default, example"
                " and description",
                field=where,
            )
        kind, description = told.get("type", "any"), told.get("description", "")
        if kind not in TYPES:
            raise InvalidUnitError(f"{where} has type {shown(kind)}: choose one of {', '.join(TYPES)}", field=where)
        if not isinstance(description, str):
            raise InvalidUnitError(
                f"{where}.description must be text, got {type(description).__name__}: write a sentence", field=where
            )
        try:
            return cls(name, kind, told.get("default", MISSING), told.get("example"), description)
        except TypeError as error:
            raise InvalidUnitError(f"{where}: {error}", field=where) from error
