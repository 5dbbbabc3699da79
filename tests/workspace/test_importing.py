"""Rows from frames and files."""

from __future__ import annotations

import csv
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pressmark.errors import DatasetError
from pressmark.evals.dataset import Dataset
from pressmark.workspace import Store, import_rows

ROWS = [
    {'te"xt': "a, b", "emoji 😀": 'say "hi"', "n": 1},
    {'te"xt': "line\nbreak", "emoji 😀": "", "n": 2},
]


def _read(source: Any) -> Dataset:
    told = import_rows(source)
    return Dataset.of("d", told.rows, told.columns)


@pytest.fixture(params=["frame", "dicts", "arrow", "csv", "tsv", "jsonl", "parquet"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """The same rows in each form that can be imported."""
    frame = pd.DataFrame(ROWS)
    file = tmp_path / f"rows.{request.param}"
    match request.param:
        case "frame":
            return frame
        case "dicts":
            return ROWS
        case "arrow":
            return pa.table(frame)
        case "csv":
            frame.to_csv(file, index=False)
        case "tsv":
            frame.to_csv(file, index=False, sep="\t")
        case "jsonl":
            file.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
        case "parquet":
            frame.to_parquet(file)
    return file


def test_every_source_gives_the_same_dataset(source: Any, store: Store) -> None:
    """A frame, dicts, Arrow, CSV, TSV, JSONL and Parquet of the same rows have the same digest."""
    dataset = _read(source)
    assert dataset == Dataset.of("d", ROWS)
    store.save_dataset(dataset)
    assert store.dataset("d") == dataset


def test_csv_numbers_lose_nothing(tmp_path: Path) -> None:
    """A CSV column becomes numbers only where each cell is one and is written as the number would be."""
    file = tmp_path / "rows.csv"
    file.write_text(
        "zip,n,price,mixed,exp,big,empty,signed\n00123,1,1.50,1,1e5,12345678901234567890,,-0\n04000,,2,x,2,1,,-7\n"
    )
    rows = import_rows(file).rows
    assert rows[0] == {
        "zip": "00123",
        "n": 1,
        "price": 1.5,
        "mixed": "1",
        "exp": "1e5",
        "big": "12345678901234567890",
        "empty": "",
        "signed": 0,
    }
    assert rows[1]["n"] is None
    assert rows[1]["price"] == 2.0


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_separators_are_seen(tmp_path: Path, separator: str) -> None:
    """Comma, semicolon (Excel in much of Europe) and tab are told apart, with a byte order mark and CRLF too."""
    file = tmp_path / "rows.csv"
    file.write_bytes("\ufeff".encode() + f"text{separator}label\r\nhé{separator}x\r\n".encode())
    assert import_rows(file).rows == [{"text": "hé", "label": "x"}]


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@settings(max_examples=60, deadline=None)
@given(table=st.lists(st.tuples(cells, cells), min_size=1, max_size=5))
def test_csv_text_comes_back_as_it_was_written(table: list[tuple[str, str]], tmp_path_factory: Any) -> None:
    """What Python's csv module writes is read back, whatever it holds; numbers are the only thing that changes type."""
    file = tmp_path_factory.mktemp("csv") / "rows.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_ALL)
        writer.writerows([("a", "b"), *table])
    for told, row in zip(import_rows(file).rows, table, strict=True):
        for value, cell in zip(told.values(), row, strict=True):
            if isinstance(value, str):
                assert value == cell
            else:
                assert (value is None and cell == "") or value == float(cell)


def test_long_cells_are_read(tmp_path: Path) -> None:
    """A cell may hold a document that is longer than the csv module's own bound, which stays as it was."""
    file = tmp_path / "rows.csv"
    before = csv.field_size_limit()
    file.write_text("text,n\n" + "x" * 300_000 + ",1\n")
    assert len(import_rows(file).rows[0]["text"]) == 300_000
    assert csv.field_size_limit() == before


def test_frames_of_every_kind(tmp_path: Path) -> None:
    """Missing values become None, times text, NumPy's values Python's, lists and dicts stay."""
    frame = pd.DataFrame(
        {
            "t": pd.to_datetime(["2026-01-02T03:04:05Z", None]),
            "f": [1.5, float("nan")],
            "i": pd.array([1, None], dtype="Int64"),
            "c": pd.Categorical(["a", None]),
            "l": [[1, 2], None],
            "a": [np.array([1.0, 2.0]), None],
            "d": [{"k": "v"}, None],
            3: [True, False],
        }
    )
    dataset = _read(frame)
    assert dict(dataset.rows[0]) == {
        "t": "2026-01-02T03:04:05+00:00",
        "f": 1.5,
        "i": 1,
        "c": "a",
        "l": [1, 2],
        "a": [1.0, 2.0],
        "d": {"k": "v"},
        "3": True,
    }
    assert [value for value in dataset.rows[1].values() if value is not None] == [False]


def test_parquet_types_that_json_lacks(tmp_path: Path) -> None:
    """Decimals become numbers, dates text, lists and structs JSON; bytes are refused by row and column."""
    file = tmp_path / "rows.parquet"
    columns = {"price": [Decimal("1.50")], "day": [date(2026, 1, 2)], "tags": [["a"]], "who": [{"name": "x"}]}
    pyarrow.parquet.write_table(pa.table(columns), file)
    assert dict(_read(file).rows[0]) == {"price": 1.5, "day": "2026-01-02", "tags": ["a"], "who": {"name": "x"}}
    pyarrow.parquet.write_table(pa.table({"image": [b"\x89PNG"]}), file)
    with pytest.raises(DatasetError, match="row 0, column 'image'"):
        _read(file)


def test_rows_with_different_keys(tmp_path: Path) -> None:
    """A key that a row lacks is None there; columns stand in the order of their first appearance."""
    assert import_rows([{"b": 1}, {"a": 2}]) == (("b", "a"), [{"b": 1, "a": None}, {"b": None, "a": 2}])


BAD_FILES = {
    "bad.csv": [
        (b"", "empty"),
        (b"text,label\n", "empty"),
        (b"a,a\n1,2\n", "more than once"),
        (b",text\n0,x\n", "no name"),
        (b"a,b\n1,2\n1,2,3\n", "line 3"),
        (b"a,b\n1\n", "line 2"),
        (b'a,b\n"1,2\n', "quotation mark"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "not text"),
        (b"text\nna\xefve\n", "line 2 is not UTF-8"),
        ("text\nhé\n".encode("utf-16"), "not text"),
    ],
    "bad.jsonl": [
        (b"", "no columns|empty"),
        (b'{"a": 1}\n[1]\n', "line 2"),
        (b'{"a": 1}\n{"a": \n', "line 2"),
        (b'{"a": NaN}\n', "NaN"),
        (b'{"a": 1}\n{"a": 1, "b": 2, "a": 3}\n', "line 2 has the key 'a' more than once"),
        (b'{"a": {"b": 1, "b": 1}}\n', "line 1 has the key 'b' more than once"),
        (b"{}\n", "no columns"),
        (b"[" * 100_000 + b"\n", "line 1"),
        (b"\x89PNG\0", "not text"),
    ],
    "bad.parquet": [(b"PAR1 but not really", "Parquet"), (b"", "Parquet")],
    "bad.xlsx": [(b"PK", "does not end in")],
}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [(name, content, told) for name, cases in BAD_FILES.items() for content, told in cases],
)
def test_bad_files_are_refused_in_words(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    """A file that is no table gives one error that names it and says what is wrong."""
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(DatasetError, match=told) as caught:
        _read(file)
    assert caught.value.__traceback__ is not None
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_directory(tmp_path: Path) -> None:
    """A path to nothing, or to a directory, says so."""
    with pytest.raises(DatasetError, match="is not there"):
        import_rows(tmp_path / "none.csv")
    (tmp_path / "dir.csv").mkdir()
    with pytest.raises(DatasetError, match="cannot be read"):
        import_rows(tmp_path / "dir.csv")
    (tmp_path / "dir.parquet").mkdir()
    with pytest.raises(DatasetError):
        import_rows(tmp_path / "dir.parquet")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ([], "no columns|empty"),
        (pd.DataFrame(), "empty"),
        (pd.DataFrame({"a": []}), "empty"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "more than once"),
        (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), "levels"),
        ([{"a": 1}, 2], "row 1"),
        ([{1: 2}], "text"),
        ([{"": 2}], "no name"),
        (17, "no source"),
        (b"bytes", "no source"),
        ({"a": [1]}, "no source"),
        ([{"a": float("inf")}], "row 0, column 'a'"),
        ([{"a": 2**60}], "row 0"),
        ([{"a": "\ud800"}], "row 0"),
        ([{"a": object()}], "row 0, column 'a'"),
    ],
)
def test_what_is_no_table_is_refused_in_words(source: Any, told: str) -> None:
    """Anything that is not rows of JSON values gives one error, which names the row and column where there is one."""
    with pytest.raises(DatasetError, match=told):
        _read(source)
