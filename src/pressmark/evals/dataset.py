"""Datasets: rows of variables, expected values and a slice column."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from pressmark.errors import DatasetError, InvalidUnitError
from pressmark.face import Faced
from pressmark.face.forms import Face, Table
from pressmark.prompts import FrozenDict, check_name, freeze
from pressmark.prompts.canonical import canonical_bytes

_FIRST, _CUT = 5, 80


@dataclass(frozen=True, slots=True)
class Dataset(Faced):
    """Rows under column names, immutable, with a digest over what they hold. `Dataset.of` makes one.

    Attributes:
        name: Its name.
        digest: `sha256:` over columns and rows; the name is not part of it.
        columns: Column names, in order.
        rows: One mapping a row; every row has every column.
        note: What its name stood for before, such as `version 2; 3 → 1 rows`; empty for the first one. No part of it.
    """

    name: str
    digest: str
    columns: tuple[str, ...]
    rows: tuple[FrozenDict, ...] = field(repr=False)
    note: str = field(default="", compare=False)

    @classmethod
    def of(cls, name: str, rows: Iterable[Mapping[str, Any]], columns: Sequence[str] | None = None) -> Dataset:
        """Make a dataset of rows.

        What a table calls missing (NaN, NaT) becomes None, times become ISO 8601 text, and scalars of numpy become
        Python's.

        Args:
            name: Its name, of the form of a prompt's name.
            rows: At least one; a column that a row lacks is None there.
            columns: Their names in order; without it, in the order of their first appearance.

        Raises:
            DatasetError: There are no rows or columns, or a value has no JSON form; row and column are named.
            InvalidNameError: The name is not of the allowed form.
        """
        check_name(name, "dataset name")
        given = list(rows)
        if not given:
            raise DatasetError(f"dataset {name!r} is empty: give at least one row")
        for number, row in enumerate(given):
            if not isinstance(row, Mapping):
                raise DatasetError(
                    f"row {number} of dataset {name!r} is {type(row).__name__}, not a mapping", row=number
                )
        known = dict.fromkeys(columns) if columns is not None else dict.fromkeys(key for row in given for key in row)
        _check_columns(name, known)
        frozen = []
        for number, row in enumerate(given):
            if unknown := [key for key in row if key not in known]:
                raise DatasetError(
                    f"row {number} of dataset {name!r} has the unknown column {unknown[0]!r}", row=number
                )
            frozen.append(FrozenDict({column: _value(row.get(column), name, number, column) for column in known}))
        return cls(name, _digest(name, tuple(known), frozen), tuple(known), tuple(frozen))

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        note = f" ({self.note})" if self.note else ""
        return f"<Dataset {self.name} {self.digest[:15]}: {len(self.rows):,} rows of {', '.join(self.columns)}{note}>"

    def _face(self) -> Face:
        rows = [[_short(row[column]) for column in self.columns] for row in self.rows[:_FIRST]]
        more = len(self.rows) - len(rows)
        asides = [*([self.note] if self.note else []), *([f"and {more:,} more rows"] if more else [])]
        return Face(f"Dataset {self.name}: {len(self.rows):,} rows", asides, tables=[Table(self.columns, rows)])


def _short(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ".join(text.split())
    return line if len(line) <= _CUT else f"{line[: _CUT - 1]}…"


def _check_columns(name: str, columns: Iterable[object]) -> None:
    known = list(columns)
    if not known:
        raise DatasetError(f"dataset {name!r} has no columns: give each row at least one value")
    for column in known:
        if not isinstance(column, str) or not column.strip():
            raise DatasetError(f"dataset {name!r} has the column {column!r}: column names are text", column=column)


def _value(value: Any, name: str, row: int, column: str) -> Any:
    try:
        return freeze(_plain(value))
    except (TypeError, ValueError, RecursionError) as error:
        raise DatasetError(
            f"row {row}, column {column!r} of dataset {name!r}: {error}", row=row, column=column
        ) from error


def _plain(value: Any) -> Any:
    """The JSON value that stands for a cell."""
    if value is None or isinstance(value, str | bool | int):
        # A subclass of str or int (numpy's, an enum's) would not survive being stored.
        return value if value is None or type(value) in (str, bool, int) else _plain_subclass(value)
    if isinstance(value, float):
        if math.isnan(value):
            return None
        if math.isinf(value):
            raise ValueError("infinity has no JSON form: use a finite number or leave the cell empty")
        return float(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime | date | time):
        # NaT is a datetime that is not equal to itself.
        return value.isoformat() if value == value else None  # noqa: PLR0124
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    return value


def _plain_subclass(value: str | int) -> str | int:
    for kind in (str, bool, int):
        if isinstance(value, kind):
            return kind(value) if kind is not str else str.__str__(value)
    return value


def _digest(name: str, columns: tuple[str, ...], rows: Sequence[FrozenDict]) -> str:
    summed = hashlib.sha256()
    for number, line in enumerate((list(columns), *rows)):
        try:
            summed.update(canonical_bytes(line) + b"\n")
        except InvalidUnitError as error:
            raise DatasetError(f"row {number - 1} of dataset {name!r}: {error}", row=number - 1) from error
    return f"sha256:{summed.hexdigest()}"
