"""Datasets as Parquet files: what goes in comes back, digest and all."""

from __future__ import annotations

import io
from typing import Any

import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from pressmark.errors import DatasetError
from pressmark.evals import parquet as files
from pressmark.evals.dataset import Dataset

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner), max_leaves=5
)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.lists(st.fixed_dictionaries({"a": values, "b": scalars, "ü [1]": values}), min_size=1, max_size=5))
def test_any_dataset_comes_back(rows: list[dict[str, Any]]) -> None:
    """Whatever JSON the rows hold, the same dataset comes back."""
    made = Dataset.of("any/rows", rows)
    again = files.from_parquet("any/rows", files.to_parquet(made))
    assert again == made
    assert again.digest == made.digest


def test_other_programs_read_it() -> None:
    """Columns of one kind are of that kind in the file; others hold JSON text and say so."""
    rows: list[dict[str, Any]] = [
        {"text": "a", "n": 1, "x": 0.5, "ok": True, "tags": ["b"]},
        {"text": None, "n": 2, "x": 1.0, "ok": False, "tags": None},
    ]
    table = parquet.read_table(io.BytesIO(files.to_parquet(Dataset.of("d", rows))))
    assert [str(field.type) for field in table.schema] == ["string", "int64", "double", "bool", "string"]
    assert table.column("tags").to_pylist() == ['["b"]', None]
    assert table.schema.field("tags").metadata == {b"pressmark": b"json"}


def test_same_rows_make_the_same_file() -> None:
    """One dataset makes one file, so that it is kept once."""
    made = Dataset.of("d", [{"a": 1}, {"a": None}])
    assert files.to_parquet(made) == files.to_parquet(made)


@pytest.mark.parametrize(
    "body", [b"", b"PAR1", b"PAR1" + b"x" * 50 + b"PAR1", files.to_parquet(Dataset.of("d", [{"a": 1}]))[:-9]]
)
def test_what_is_no_dataset(body: bytes) -> None:
    """A file that is none, or that is cut off, is told in words."""
    with pytest.raises(DatasetError, match="get it again"):
        files.from_parquet("d", body)


def test_file_that_unpacks_to_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file says how much it unpacks to; too much is not read."""
    monkeypatch.setattr(files, "MAX_BYTES", 100)
    body = files.to_parquet(Dataset.of("d", [{"a": f"{number:40}"} for number in range(100)]))
    with pytest.raises(DatasetError, match="unpacks to"):
        files.from_parquet("d", body)


def test_column_that_says_it_is_json() -> None:
    """A column that says that it holds JSON and does not is told in words."""
    body = files.to_parquet(Dataset.of("d", [{"a": [1]}]))
    table = parquet.read_table(io.BytesIO(body))
    broken = table.set_column(0, table.schema.field(0), [["{"]])
    file = io.BytesIO()
    parquet.write_table(broken, file)
    with pytest.raises(DatasetError, match="get it again"):
        files.from_parquet("d", file.getvalue())


def test_a_correction_travels_without_what_it_corrected() -> None:
    """A corrected train part stays one; the values that were taken out of it do not travel."""
    rows = [{"text": f"message {n}", "mail": f"person{n}@example.org"} for n in range(10)]
    train = Dataset.of("inbox", rows).split().train
    corrected = train.corrected(0, {"mail": "removed"})
    body = files.to_parquet(corrected)
    read = files.from_parquet("inbox/train", body)
    assert (read.origin.part, read.origin.parent, read.origin.changes) == ("train", train.digest, ())
    assert read == corrected
    assert str(train.rows[0]["mail"]).encode() not in body
    assert files.to_parquet(Dataset.of("a", train.rows)) == files.to_parquet(Dataset.of("b", train.rows))


@pytest.mark.parametrize(
    "told", [b"{", b"[]", b"{}", b'{"parent":"","part":"third","told":""}', b'{"parent":1,"part":"train","told":""}']
)
def test_an_origin_that_is_none(told: bytes) -> None:
    """What a file says of its origin is checked: it comes from somebody else."""
    table = pyarrow.table({"a": ["x"]}).replace_schema_metadata({b"pressmark.origin": told})
    file = io.BytesIO()
    parquet.write_table(table, file)
    with pytest.raises(DatasetError, match=r"dataset 'd' (does not say where it comes from|is a part of a split)"):
        files.from_parquet("d", file.getvalue())
