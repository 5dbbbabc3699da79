"""Rows on their way into DuckDB, whole columns at once through Arrow, and what is read, on its way out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import pyarrow

if TYPE_CHECKING:
    import duckdb
    import pandas
    from duckdb import DuckDBPyConnection as Connection

TEXT: Final = pyarrow.string()
INTEGER: Final = pyarrow.int32()
BIG: Final = pyarrow.int64()
REAL: Final = pyarrow.float64()
FLAG: Final = pyarrow.bool_()
TIME: Final = pyarrow.timestamp("us", tz="UTC")


def arrow(types: Mapping[str, pyarrow.DataType], columns: Mapping[str, Sequence[Any]]) -> pyarrow.Table:
    """Return the columns as an Arrow table of the given types.

    Text that is no valid Unicode (half of a surrogate pair, which models do send) has that half replaced.
    """
    return pyarrow.table({name: _array(columns[name], kind) for name, kind in types.items()})


def insert(connection: Connection, table: str, batch: pyarrow.Table) -> None:
    """Append a batch to a table; columns that the batch lacks become null."""
    connection.register("batch", batch)
    try:
        connection.execute(f"insert into {table} by name select * from batch")
    finally:
        connection.unregister("batch")


def first(connection: Connection, query: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> tuple[Any, ...] | None:
    """Return the first row that a query finds, or None.

    Not `fetchone`: it leaves the result open, and the connection then refuses to register a batch.
    """
    rows = connection.execute(query, values).fetchall()
    return rows[0] if rows else None


def dataframe(
    connection: Connection, query: str | duckdb.Statement, values: Mapping[str, Any] | Sequence[Any] = ()
) -> pandas.DataFrame:
    """Return what a query finds as a DataFrame, with times in UTC.

    DuckDB cannot hand a time with a zone to this pandas without a warning, so the zone is taken off and put on again.
    """
    found = connection.sql(query, params=values)
    zoned = [number for number, kind in enumerate(found.types) if str(kind) == "TIMESTAMP WITH TIME ZONE"]
    columns = [f"#{n + 1} at time zone 'UTC'" if n in zoned else f"#{n + 1}" for n, _ in enumerate(found.types)]
    told: pandas.DataFrame = found.project(", ".join(columns)).df()
    told.columns = found.columns
    for number in zoned:
        told.isetitem(number, told.iloc[:, number].dt.tz_localize("UTC"))
    return told


def json_text(value: Any) -> str:
    """Return the JSON text of a value as the file keeps it: readable Unicode, so that a search finds it."""
    return clean(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def clean(text: str) -> str:
    """Return the text with halves of surrogate pairs, which UTF-8 has no form for, joined or else replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _array(values: Sequence[Any], kind: pyarrow.DataType) -> pyarrow.Array:
    try:
        return pyarrow.array(values, kind)
    except UnicodeEncodeError:
        return pyarrow.array([clean(value) if isinstance(value, str) else value for value in values], kind)
