"""Datasets: rows of variables, expected values and a slice column."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from pressmark.errors import DatasetError, InvalidUnitError
from pressmark.evals.origin import Origin
from pressmark.face import Faced
from pressmark.face.forms import Face, Table
from pressmark.prompts import FrozenDict, check_name, freeze
from pressmark.prompts.canonical import canonical_bytes
from pressmark.prompts.quoting import shown

if TYPE_CHECKING:
    from pressmark.evals.drawing import Split
    from pressmark.evals.row_changes import DatasetDifference

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
        origin: Where it came from. No part of it either.
    """

    name: str
    digest: str
    columns: tuple[str, ...]
    rows: tuple[FrozenDict, ...] = field(repr=False)
    note: str = field(default="", compare=False)
    origin: Origin = field(default=Origin(), compare=False, repr=False)

    @classmethod
    def of(
        cls,
        name: str,
        rows: Iterable[Mapping[str, Any]],
        columns: Sequence[str] | None = None,
        *,
        origin: Origin = Origin(),  # noqa: B008  it never changes
    ) -> Dataset:
        """Make a dataset of rows.

        What a table calls missing (NaN, NaT) becomes None, times become ISO 8601 text, and scalars of numpy become
        Python's.

        Args:
            name: Its name, of the form of a prompt's name.
            rows: At least one; a column that a row lacks is None there.
            columns: Their names in order; without it, in the order of their first appearance.
            origin: Where they came from.

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
        return cls(name, _digest(name, tuple(known), frozen), tuple(known), tuple(frozen), origin=origin)

    def unique(self, columns: Sequence[str] | str | None = None, *, near: float | None = None) -> Dataset:
        """Return the rows without those that repeat an earlier one; `origin.told` says how many were left out.

        Args:
            columns: What makes two rows the same; else all columns.
            near: Also leave out rows whose text is so similar to that of one kept: 0.95 is nearly the same.

        Raises:
            DatasetError: There is no such column, or `near` is no share.
        """
        from pressmark.evals.drawing import unique

        return unique(self, columns, near)

    def sample(self, rows: int, *, by: str | None = None, seed: int = 0) -> Dataset:
        """Return a random part of the rows, the same on every machine, in their order here.

        Args:
            rows: How many; all where there are no more.
            by: A column whose values keep their shares, each with at least one row where there is room.
            seed: Another one draws other rows.

        Raises:
            DatasetError: There is no such column, or the number is not positive.
        """
        from pressmark.evals.drawing import sample

        return sample(self, rows, by, seed)

    def split(
        self, holdout: float = 0.3, *, by: str | None = None, clusters: str | None = None, seed: int = 0
    ) -> Split:
        """Part the rows in two: what a prompt may be tuned on, and what it is then judged by.

        Equal rows always stand in the same part. The draw is the same on every machine and in whatever order rows come.

        Args:
            holdout: The share that is held out.
            by: A column whose values keep their shares in both parts.
            clusters: A column that names what rows share, such as a conversation; such rows stay together.
            seed: Another one parts the rows otherwise.

        Returns:
            `train` and `holdout`, called `NAME/train` and `NAME/holdout`.

        Raises:
            DatasetError: There is no such column, the share is none, or the rows cannot be parted.
        """
        from pressmark.evals.drawing import split

        return split(self, holdout, by, clusters, seed)

    def corrected(self, row: int, values: Mapping[str, Any], *, message: str = "") -> Dataset:
        """Return the dataset with other values in a row: a new version, which notes what it was made of.

        Args:
            row: Which, from 0.
            values: The new value by column.
            message: Why.

        Raises:
            DatasetError: There is no such row or column, or nothing would change.
        """
        before = self.row(row)
        if not isinstance(values, Mapping) or not values:
            raise DatasetError(
                f"a correction gives the new value by column, such as {{{self.columns[-1]!r}: …}}, not {shown(values)}"
            )
        self.check_columns(values)
        after = {column: _value(value, self.name, row, column) for column, value in values.items()}
        changes = [
            {"row": row, "column": column, "before": before[column], "after": value}
            | ({"message": message} if message else {})
            for column, value in after.items()
            # 1, 1.0 and True are equal to Python, and three values to whoever reads them.
            if (type(value), value) != (type(before[column]), before[column])
        ]
        if not changes:
            raise DatasetError(f"row {row} of dataset {self.name!r} holds that already: nothing was changed", row=row)
        rows = [*self.rows[:row], FrozenDict({**before, **after}), *self.rows[row + 1 :]]
        names = ", ".join(change["column"] for change in changes)
        return Dataset(
            self.name,
            _digest(self.name, self.columns, rows),
            self.columns,
            tuple(rows),
            origin=Origin(
                "correction",
                self.digest,
                self.origin.part,
                f"row {row} corrected in {names}",
                tuple(freeze(change) for change in changes),
            ),
        )

    def row(self, number: int) -> FrozenDict:
        """Return a row by its number, from 0.

        Raises:
            DatasetError: There is none.
        """
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(self.rows):
            raise DatasetError(
                f"dataset {self.name!r} has no row {shown(number)}: its rows are 0 to {len(self.rows) - 1}", row=number
            )
        return self.rows[number]

    def diff(self, after: Dataset, *, key: str | Sequence[str] | None = None) -> DatasetDifference:
        """Return what another version has more, less and otherwise.

        Args:
            after: The other one.
            key: The column, or columns, by which a row is known; else rows are matched where they are equal, and those
                between by their place.

        Raises:
            DatasetError: There is no such column, or two rows of a dataset have the same key.
        """
        from pressmark.evals.row_changes import DatasetDifference

        return DatasetDifference.of(self, after, key)

    def check_columns(self, names: Iterable[str]) -> None:
        """Refuse names that are no columns.

        Raises:
            DatasetError: One is not; the message lists those that there are.
        """
        for name in names:
            if name not in self.columns:
                raise DatasetError(
                    f"dataset {self.name!r} has no column {shown(name)}: it has {', '.join(self.columns)}", column=name
                )

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        told = "; ".join(said for said in (self.origin.told, self.note) if said)
        note = f" ({told})" if told else ""
        return f"<Dataset {self.name} {self.digest[:15]}: {len(self.rows):,} rows of {', '.join(self.columns)}{note}>"

    def _face(self) -> Face:
        rows = [[_short(row[column]) for column in self.columns] for row in self.rows[:_FIRST]]
        first = [f"the first {len(rows):,} of them"] if len(rows) < len(self.rows) else []
        asides = [*([self.note] if self.note else []), *first]
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
        nested = "it holds itself, or is nested too deep for JSON: keep a flat value, or a text made of it"
        told = nested if isinstance(error, RecursionError) else error
        raise DatasetError(
            f"row {row}, column {column!r} of dataset {name!r}: {told}", row=row, column=column
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
        return value.isoformat() if value == value else None  # noqa: PLR0124  # as the line above says
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
            row, column = number - 1, _culprit(rows[number - 1]) if number else None
            where = f"row {row} of dataset {name!r}" if column is None else f"row {row}, column {column!r} of {name!r}"
            raise DatasetError(f"{where}: {error}", row=row, column=column) from error
    return f"sha256:{summed.hexdigest()}"


def _culprit(row: Mapping[str, Any]) -> str | None:
    """The column whose value has no canonical form."""
    for column, value in row.items():
        try:
            canonical_bytes(value)
        except InvalidUnitError:
            return column
    return None
