"""Datasets: plain JSON values under column names, and a digest of what they hold."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pressmark.errors import DatasetError, InvalidNameError
from pressmark.evals import Dataset

CELLS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | st.text(max_size=5)
ROWS = st.lists(st.fixed_dictionaries({"a": CELLS, "b": CELLS}), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_digest_is_of_the_content(rows: list[dict[str, Any]]) -> None:
    """Name and order of keys are not part of the digest; columns, rows and their order are."""
    one = Dataset.of("one", rows, columns=["a", "b"])
    other = Dataset.of("other", [dict(reversed(row.items())) for row in rows], columns=["a", "b"])
    assert one.digest == other.digest
    assert Dataset.of("one", rows, columns=["b", "a"]).digest != one.digest
    assert Dataset.of("one", [*rows, rows[0]], ["a", "b"]).digest != one.digest
    assert Dataset.of("one", [{**rows[0], "a": "something else"}, *rows[1:]], ["a", "b"]).digest != one.digest


def test_rows_are_frozen() -> None:
    """No row can be changed, down to the bottom."""
    data = Dataset.of("d", [{"a": {"b": [1]}}])
    with pytest.raises(TypeError):
        data.rows[0]["a"]["b"].append(2)


def test_missing_cells() -> None:
    """A column that a row lacks is None there; so are NaN and NaT."""
    data = Dataset.of("d", [{"a": 1}, {"b": math.nan}, {"a": pd.NaT, "b": pd.NA}])
    assert data.columns == ("a", "b")
    assert [dict(row) for row in data.rows] == [{"a": 1, "b": None}, {"a": None, "b": None}, {"a": None, "b": None}]


def test_cells_become_json() -> None:
    """Scalars of numpy become Python's, times ISO text, arrays lists."""
    cells = {
        "int": np.int64(3),
        "float": np.float64(0.5),
        "bool": np.bool_(True),
        "text": np.str_("x"),
        "array": np.array([1, 2]),
        "time": datetime(2026, 1, 2, tzinfo=UTC),
        "date": date(2026, 1, 2),
    }
    (row,) = Dataset.of("d", [cells]).rows
    assert dict(row) == {
        "int": 3,
        "float": 0.5,
        "bool": True,
        "text": "x",
        "array": [1, 2],
        "time": "2026-01-02T00:00:00+00:00",
        "date": "2026-01-02",
    }
    assert {type(value) for value in row.values()} <= {int, float, bool, str, type(row["array"])}


CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        ([], None, "is empty: give at least one row"),
        ([{}], None, "no columns"),
        (["text"], None, "row 0 .* is str, not a mapping"),
        ([{"a": 1}, {"a": object()}], None, "row 1, column 'a'.*no JSON form"),
        ([{"a": math.inf}], None, "row 0, column 'a'.*infinity"),
        ([{"a": 2**53 + 1}], None, r"row 0, column 'a' .*2\*\*53"),
        ([{"a": "x", "b": "\ud800"}], None, "row 0, column 'b' of 'd'"),
        ([{"a": CIRCLE}], None, "row 0, column 'a'.*holds itself"),
        ([{1: "a"}], None, "column names are text"),
        ([{"": "a"}], None, "column names are text"),
        ([{"a": 1, "b": 2}], ["a"], "unknown column 'b'"),
    ],
)
def test_bad_rows(rows: list[Any], columns: list[str] | None, message: str) -> None:
    """What is no dataset is refused with row and column."""
    with pytest.raises(DatasetError, match=message):
        Dataset.of("d", rows, columns)


def test_bad_name() -> None:
    """A dataset's name has the form of a prompt's."""
    with pytest.raises(InvalidNameError, match="dataset name"):
        Dataset.of("No Spaces", [{"a": 1}])
