"""Datasets as Parquet files, in which they travel.

A column whose values are all texts, truths, whole numbers or floats is one of that type, so that other programs read
it as it is. Any other column holds JSON text and says so in its metadata. A row comes back exactly as it was, and the
dataset's digest with it. A part of a split says so in the file's metadata, for whoever tunes or judges on it elsewhere.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any, Final

from pressmark.errors import DatasetError
from pressmark.evals.dataset import Dataset
from pressmark.evals.origin import HOLDOUT, TRAIN, Origin
from pressmark.prompts import thaw

if TYPE_CHECKING:
    import pyarrow

MAX_BYTES: Final = 1024 * 1024 * 1024
"""Bytes that a file may unpack to: it comes from somebody else."""
_JSON = {b"pressmark": b"json"}
_ORIGIN: Final = b"pressmark.origin"


def to_parquet(dataset: Dataset) -> bytes:
    """Return the dataset as a Parquet file."""
    import pyarrow
    from pyarrow import parquet

    fields, arrays = [], []
    for column in dataset.columns:
        values = [row[column] for row in dataset.rows]
        kind = _type(values)
        if kind is None:
            values = [None if value is None else json.dumps(thaw(value), ensure_ascii=False) for value in values]
        fields.append(pyarrow.field(column, kind or pyarrow.string(), metadata=None if kind else _JSON))
        arrays.append(pyarrow.array(values, fields[-1].type))
    file = io.BytesIO()
    schema = pyarrow.schema(fields, metadata=_told(dataset.origin))
    parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=schema), file, compression="zstd")
    return file.getvalue()


def from_parquet(name: str, body: bytes) -> Dataset:
    """Read a dataset from the Parquet file that `to_parquet` made.

    Args:
        name: What to call it.
        body: The file.

    Raises:
        DatasetError: It is no such file, or unpacks to more than 1 GiB.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(io.BytesIO(body))
        groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
        size = sum(group.total_byte_size for group in groups)
        if size > MAX_BYTES:
            raise DatasetError(
                f"dataset {name!r} unpacks to {size:,} bytes; at most {MAX_BYTES:,} are read: take a part of it"
            )
        table = file.read()
        columns = {field.name: _values(table.column(field.name), field) for field in table.schema}
    except (pyarrow.ArrowException, OSError, ValueError, LookupError) as error:
        raise DatasetError(f"dataset {name!r} is no Parquet file of a dataset ({error}): get it again") from error
    names = list(columns)
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return Dataset.of(name, rows, names, origin=_origin(name, (table.schema.metadata or {}).get(_ORIGIN)))


def _told(origin: Origin) -> dict[bytes, bytes] | None:
    """What travels of an origin: that it is a part of a split. The values that a correction changed stay at home."""
    if not origin.part:
        return None
    told = {"kind": "split", "parent": origin.parent, "part": origin.part, "told": origin.told}
    return {_ORIGIN: json.dumps(told, ensure_ascii=False).encode()}


def _origin(name: str, told: bytes | None) -> Origin:
    if told is None:
        return Origin()
    try:
        found = json.loads(told)
        parent, part, said = (found[key] for key in ("parent", "part", "told"))
    except (ValueError, LookupError, TypeError) as error:
        raise DatasetError(f"dataset {name!r} does not say where it comes from ({error}): get it again") from error
    if part not in (TRAIN, HOLDOUT) or not isinstance(parent, str) or not isinstance(said, str):
        raise DatasetError(f"dataset {name!r} is a part of a split that this Pressmark does not know: upgrade it")
    return Origin("split", parent, part, said)


def _type(values: list[Any]) -> pyarrow.DataType | None:
    """The Arrow type of a column of one kind; None where it has several, or one that Arrow would change."""
    import pyarrow

    kinds = {type(value) for value in values if value is not None}
    if len(kinds) != 1:
        return None
    (kind,) = kinds
    if kind is int and all(value is None or -(2**63) <= value < 2**63 for value in values):
        return pyarrow.int64()
    return {str: pyarrow.string(), bool: pyarrow.bool_(), float: pyarrow.float64()}.get(kind)


def _values(column: pyarrow.ChunkedArray, field: pyarrow.Field) -> list[Any]:
    values: list[Any] = column.to_pylist()
    if (field.metadata or {}).get(b"pressmark") != b"json":
        return values
    return [None if value is None else json.loads(value) for value in values]
