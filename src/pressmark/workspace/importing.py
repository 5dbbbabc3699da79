"""Rows for a dataset, from wherever an analyst has them.

This module reads; `Dataset.of` then turns every value into JSON or refuses it. CSV has no types, so a column of it
becomes numbers only where that loses nothing: `007` and `1e5` stay text, and what is empty is None among numbers and
empty text among texts.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

from pressmark.errors import DatasetError

_LARGEST: Final = 2**53
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,15}")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,9})?")
_ENDINGS: Final = ".csv, .tsv, .jsonl, .ndjson or .parquet"


class Rows(NamedTuple):
    """What was read.

    Attributes:
        columns: Their names, in order.
        rows: One dict a row; every row has every column.
    """

    columns: tuple[str, ...]
    rows: list[dict[str, Any]]


def import_rows(source: Any) -> Rows:
    """Read rows from a DataFrame, a path to a CSV, TSV, JSONL or Parquet file, or a sequence of dicts.

    Args:
        source: Where the rows are. Anything that offers Arrow (a Polars frame, a DuckDB relation) is taken too.

    Raises:
        DatasetError: There is nothing to read, or something that is not rows; the message names file, row and column.
    """
    if isinstance(source, str | os.PathLike):
        rows = _from_path(Path(source).expanduser())
    elif hasattr(source, "columns") and hasattr(source, "iloc"):
        rows = _from_frame(source)
    elif hasattr(source, "__arrow_c_stream__"):
        rows = _from_arrow(source, "the table")
    elif isinstance(source, Iterable) and not isinstance(source, bytes | Mapping):
        rows = _from_mappings(list(source), "row")
    else:
        raise DatasetError(
            f"{type(source).__name__} is no source of rows: give a DataFrame, a path to a {_ENDINGS} file, or a list of"
            " dicts"
        )
    if not rows.rows:
        raise DatasetError("the dataset is empty: give at least one row")
    if not rows.columns:
        raise DatasetError("the dataset has no columns: give each row at least one value")
    return rows


def _from_path(path: Path) -> Rows:
    readers = {
        ".csv": _from_csv,
        ".tsv": _from_csv,
        ".jsonl": _from_jsonl,
        ".ndjson": _from_jsonl,
        ".parquet": _from_parquet,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DatasetError(f"{path} does not end in {_ENDINGS}: rename it, or read it with pandas and give the frame")
    try:
        return reader(path)
    except FileNotFoundError:
        raise DatasetError(f"{path} is not there: look at the path (the working directory is {Path.cwd()})") from None
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror or error}): look at the path") from error


def _from_csv(path: Path) -> Rows:
    text = _text(path)
    head = text.partition("\n")[0]
    separator = "\t" if path.suffix.lower() == ".tsv" else max(",;\t", key=head.count)
    limit = csv.field_size_limit(max(len(text), 1))  # a cell may hold a whole document
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        lines = [(reader.line_num, cells) for cells in reader if cells]
    except csv.Error as error:
        raise DatasetError(
            f"{path}, line {reader.line_num}: {error}. Look for a quotation mark that is not closed"
        ) from error
    finally:
        csv.field_size_limit(limit)
    if not lines:
        raise DatasetError(f"{path} is empty: it needs a line of column names and at least one row")
    columns = _names(lines[0][1], str(path))
    for number, cells in lines[1:]:
        if len(cells) != len(columns):
            raise DatasetError(
                f"{path}, line {number}: {len(cells)} values for {len(columns)} columns. A value that holds"
                f" {separator!r} or a line break must stand in quotation marks",
                line=number,
            )
    told = [_typed([cells[n] for _, cells in lines[1:]]) for n in range(len(columns))]
    return _rows(columns, told)


def _typed(cells: list[str]) -> list[Any]:
    """Return the cells of one CSV column as numbers where every one of them is one and none loses a digit."""
    filled = [cell for cell in cells if cell]
    if filled and all(_INTEGER.fullmatch(cell) and abs(int(cell)) <= _LARGEST for cell in filled):
        return [int(cell) if cell else None for cell in cells]
    if filled and all(_NUMBER.fullmatch(cell) for cell in filled):
        return [float(cell) if cell else None for cell in cells]
    return cells


def _from_jsonl(path: Path) -> Rows:
    rows = []
    # Not splitlines(): JSON text may hold characters that Python takes for line ends and JSON does not.
    for number, line in enumerate(_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_constant=_refuse_constant, object_pairs_hook=_once)
        except _TwiceError as error:
            raise DatasetError(
                f"{path}, line {number} has the key {error.args[0]!r} more than once: keep one of them", line=number
            ) from error
        except (ValueError, RecursionError) as error:
            raise DatasetError(
                f"{path}, line {number} is not JSON ({error}): each line holds one object", line=number
            ) from error
        if not isinstance(row, dict):
            raise DatasetError(
                f'{path}, line {number} is not an object: each line reads like {{"column": "value"}}', line=number
            )
        rows.append(row)
    return _from_mappings(rows, f"{path}, row")


def _from_parquet(path: Path) -> Rows:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
    except pyarrow.ArrowException as error:
        raise DatasetError(
            f"{path} is not a Parquet file that can be read: {str(error).partition(chr(10))[0]}"
        ) from error
    return _from_arrow(table, str(path))


def _from_arrow(source: Any, where: str) -> Rows:
    import pyarrow

    table = pyarrow.table(source)
    columns = _names(table.column_names, where)
    told = []
    for column in table.columns:
        # JSON has one kind of number; a spreadsheet's decimals are no more exact than that.
        plain = column.cast("float64") if pyarrow.types.is_decimal(column.type) else column
        told.append(plain.to_pylist())
    return _rows(columns, told)


def _from_frame(frame: Any) -> Rows:
    if getattr(frame.columns, "nlevels", 1) > 1:
        raise DatasetError("the frame's columns have several levels: flatten them to one name each")
    columns = _names([str(name) for name in frame.columns], "the frame")
    told = []
    for n in range(len(columns)):
        series = frame.iloc[:, n]
        told.append(series.astype(object).where(series.notna(), None).tolist())
    return _rows(columns, told)


def _from_mappings(rows: Sequence[Any], where: str) -> Rows:
    columns: dict[str, None] = {}
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise DatasetError(f"{where} {number} is {type(row).__name__}, not a dict of column name to value")
        columns.update(dict.fromkeys(row))
    for name in columns:
        if not isinstance(name, str):
            raise DatasetError(f"column names are text, got {name!r}: rename the key")
    names = _names(list(columns), "the dataset")
    return Rows(names, [{name: row.get(name) for name in names} for row in rows])


def _rows(columns: tuple[str, ...], values: list[list[Any]]) -> Rows:
    return Rows(columns, [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)])


def _names(names: Sequence[str], where: str) -> tuple[str, ...]:
    for number, name in enumerate(names):
        if not name.strip():
            raise DatasetError(
                f"column {number + 1} of {where} has no name: name it (a frame that was written with its index has such"
                " a column: write it with index=False)"
            )
    if twice := [name for n, name in enumerate(names) if name in names[:n]]:
        raise DatasetError(f"{where} has the column {twice[0]!r} more than once: rename one of them")
    return tuple(names)


def _text(path: Path) -> str:
    data = path.read_bytes()
    if b"\0" in data[:65536]:
        raise DatasetError(f"{path} is not text, whatever its name says: save it as UTF-8 text, or as Parquet")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DatasetError(
            f"{path}, line {line} is not UTF-8 text: save the file as UTF-8 (Excel calls it 'CSV UTF-8')", line=line
        ) from error


class _TwiceError(Exception):
    """A JSON object that has a key twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for key, value in pairs:
        if key in told:
            raise _TwiceError(key)
        told[key] = value
    return told


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")
