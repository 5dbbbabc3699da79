# ruff: noqa: D102  # what a scorer's methods promise stands in `base`
"""Scorers that read the output as JSON or as a number."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pressmark.errors import InvalidUnitError, SuiteError
from pressmark.evals.scorers.base import (
    DirectScorer,
    ScoringError,
    ScoringInput,
    check_fields,
    expected,
    name_after,
    text,
)
from pressmark.prompts import freeze
from pressmark.prompts.canonical import canonical_bytes

_NUMBER = re.compile(r"[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+|(?<=\d))(?:[eE][-+]?\d+)?")
_FAILED = object()


@dataclass(frozen=True)
class ValidJSON(DirectScorer):
    """1 where the whole output is JSON.

    Args:
        name: The scorer's name.
    """

    type: ClassVar[str] = "valid_json"
    name: str = "valid_json"

    def score(self, given: ScoringInput) -> bool:
        return _json(given.output) is not _FAILED


@dataclass(frozen=True)
class JSONSchema(DirectScorer):
    """1 where the whole output is JSON that a JSON Schema accepts.

    Args:
        schema: The schema (draft 2020-12 unless it names another).
        name: The scorer's name.
    """

    type: ClassVar[str] = "json_schema"
    schema: Any
    name: str = "json_schema"
    _validator: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        import jsonschema

        try:
            canonical_bytes(self.schema)
            kind = jsonschema.validators.validator_for(self.schema, default=jsonschema.Draft202012Validator)
            kind.check_schema(self.schema)
        except jsonschema.SchemaError as error:
            raise SuiteError(f"the JSON Schema of {self.name!r} is not one: {error.message}") from error
        except (InvalidUnitError, TypeError, AttributeError) as error:
            raise SuiteError(f"the JSON Schema of {self.name!r} must be a JSON object: {error}") from error
        object.__setattr__(self, "schema", freeze(self.schema))
        object.__setattr__(self, "_validator", kind(self.schema))

    def score(self, given: ScoringInput) -> bool:
        value = _json(given.output)
        return value is not _FAILED and bool(self._validator.is_valid(value))


@dataclass(frozen=True)
class FieldEquals(DirectScorer):
    """1 where a field of the output, read as a JSON object, equals the row's value in a column.

    An output that is not a JSON object, or lacks the field, is 0.

    Args:
        column: The column with what is expected.
        field: The field, `a.b` for a field within a field; else named as the column.
        name: The scorer's name; else the column's.
    """

    type: ClassVar[str] = "field_equals"
    column: str
    field: str | None = None
    name: str = ""

    def __post_init__(self) -> None:
        check_fields(self, self.column, self.field)
        name_after(self, self.column)

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def score(self, given: ScoringInput) -> bool:
        wanted = expected(given, self.column)
        found = _field(_json(given.output), self.field or self.column)
        return found is not _FAILED and (found == wanted or text(found) == text(wanted))


@dataclass(frozen=True)
class NumericTolerance(DirectScorer):
    """1 where the output's number is close enough to the row's value in a column.

    The number is the first one in the output, or a field of it read as a JSON object. An output without one is 0.

    Args:
        column: The column with the expected number.
        absolute: How far off it may be.
        relative: How far off it may be, as a share of the expected number.
        field: The JSON field to read.
        name: The scorer's name; else the column's.
    """

    type: ClassVar[str] = "numeric_tolerance"
    column: str
    absolute: float = 0.0
    relative: float = 0.0
    field: str | None = None
    name: str = ""

    def __post_init__(self) -> None:
        check_fields(self, self.column, self.field)
        name_after(self, self.column)
        for tolerance in (self.absolute, self.relative):
            if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 0 <= tolerance < math.inf:
                raise SuiteError(f"a tolerance is a number of 0 or more, not {tolerance!r}")

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def score(self, given: ScoringInput) -> bool:
        wanted = _number(expected(given, self.column))
        if wanted is None:
            raise ScoringError(f"row {given.number} has no number in column {self.column!r}: correct it")
        found = _number(_field(_json(given.output), self.field) if self.field else given.output)
        # The last few bits of a sum such as 0.1 + 0.2 are not a difference.
        slack = 1e-12 * max(1.0, abs(wanted))
        return found is not None and abs(found - wanted) <= max(self.absolute, self.relative * abs(wanted)) + slack


def _json(output: str) -> Any:
    try:
        return json.loads(output, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return _FAILED


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _field(value: Any, path: str) -> Any:
    if isinstance(value, dict) and path in value:
        return value[path]
    for step in path.split("."):
        if not isinstance(value, dict) or step not in value:
            return _FAILED
        value = value[step]
    return value


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) else None
    if not isinstance(value, str):
        return None
    found = _NUMBER.search(value)
    return float(found[0].replace(",", "").replace("−", "-")) if found else None
