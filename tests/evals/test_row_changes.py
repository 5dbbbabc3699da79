"""Differences of datasets, and corrections by hand."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pressmark.errors import DatasetError
from pressmark.evals import Dataset
from pressmark.evals.drawing import identity

CELLS = st.none() | st.booleans() | st.integers(-2, 2) | st.text("a<é😀\n", max_size=2)
TABLES = st.lists(st.fixed_dictionaries({"a": CELLS, "b<i>": CELLS}), min_size=1, max_size=9)


@settings(max_examples=150, deadline=None)
@given(TABLES, TABLES)
def test_a_difference_leads_from_one_to_the_other(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> None:
    """Taking away what was removed, changing what was changed and adding what was added gives the second dataset."""
    one, other = Dataset.of("d", before), Dataset.of("d", after)
    found = one.diff(other)
    rows: dict[int, Any] = {}
    unchanged = [n for n in range(len(one)) if n not in {row.before for row in found.rows}]
    for row in found.rows:
        if row.after is not None:
            start = {} if row.before is None else dict(one.rows[row.before])
            rows[row.after] = start | {cell.column: cell.after for cell in row.cells}
    rest = [n for n in range(len(other)) if n not in rows]
    assert len(rest) == len(unchanged)
    rows |= {new: dict(one.rows[old]) for old, new in zip(unchanged, rest, strict=True)}
    assert [identity(rows[n]) for n in range(len(other))] == [identity(row) for row in other.rows]
    assert len(found.to_frame()) == sum(len(row.cells) for row in found.rows)
    assert (str(found).endswith("the same rows")) == (one.digest == other.digest)


def test_a_row_at_the_beginning_moves_no_other() -> None:
    """Rows are matched where they are equal, so that an insertion is one row and not all of them."""
    one = Dataset.of("d", [{"n": n} for n in range(50)])
    other = Dataset.of("d", [{"n": "new"}, *one.rows[:20], *one.rows[21:]])
    found = one.diff(other)
    assert [(row.kind, row.before, row.after) for row in found.rows] == [("added", None, 0), ("removed", 20, None)]
    assert found.sentence.endswith("rows: 1 added, 1 removed")


def test_by_key() -> None:
    """With a key, order does not matter, and a row is known by it."""
    one = Dataset.of("d", [{"id": 1, "v": "a"}, {"id": 2, "v": "b"}, {"id": 3, "v": "c"}])
    other = Dataset.of("d", [{"id": 3, "v": "C"}, {"id": 1, "v": "a"}, {"id": 4, "v": "d"}])
    found = one.diff(other, key="id")
    assert [row.before for row in found.removed] == [1]
    assert [row.after for row in found.added] == [2]
    assert [(row.before, row.after, row.cells) for row in found.changed] == [(2, 0, (("v", "c", "C"),))]
    with pytest.raises(DatasetError, match=r"rows 0 and 1 .* have the same key \(1\)"):
        one.diff(Dataset.of("d", [{"id": 1}, {"id": 1}]), key="id")
    with pytest.raises(DatasetError, match="no column 'x': it has id, v"):
        one.diff(other, key=["id", "x"])


def test_columns() -> None:
    """Columns that come and go are told; rows are compared in what both have."""
    one, other = Dataset.of("d", [{"a": 1, "b": 2}]), Dataset.of("d", [{"a": 1, "c": 2}])
    found = one.diff(other)
    assert (found.rows, found.columns_added, found.columns_removed) == ((), ("c",), ("b",))
    assert "column c added; column b removed" in str(found)
    assert "columns in another order" in str(one.diff(Dataset.of("d", one.rows, ["b", "a"])))


def test_what_is_shown_is_text() -> None:
    """Values and names cannot inject HTML, are cut where they are long, and of many rows the rest is counted."""
    hostile = "<script>alert(1)</script>" + "x" * 10_000
    one = Dataset.of("d", [{"<b>": n, "t": ""} for n in range(100)])
    other = Dataset.of("d", [{"<b>": n, "t": hostile} for n in range(100)])
    told = one.diff(other)
    page = told._repr_html_()
    assert "<script" not in page
    assert "<b>" not in page
    assert len(page) < 60_000
    assert "50 more rows" in page
    assert "(empty) → <script>" in str(told)


def test_large_datasets() -> None:
    """A correction, an insertion and a removal among 20,000 rows are found in seconds; so are all rows changed."""
    rows = [{"n": n, "text": f"row {n}"} for n in range(20_000)]
    one = Dataset.of("d", rows)
    other = Dataset.of("d", [{"n": -1, "text": "x"}, *rows[:5_000], *rows[5_001:], {"n": -2, "text": "y"}])
    started = time.perf_counter()
    assert len(one.diff(other).rows) == 3
    assert len(one.diff(Dataset.of("d", [{**row, "text": "z"} for row in rows])).changed) == 20_000
    assert time.perf_counter() - started < 120


def test_a_correction_is_a_new_version() -> None:
    """It notes its parent and each cell; the old one stays as it was."""
    one = Dataset.of("d", [{"text": "a", "category": "x", "n": 1}, {"text": "b", "category": "y", "n": 1}])
    other = one.corrected(1, {"category": "z", "n": 1}, message="it asks for money back")
    assert (other.rows[1]["category"], one.rows[1]["category"]) == ("z", "y")
    assert other.origin.parent == one.digest
    assert [dict(change) for change in other.origin.changes] == [
        {"row": 1, "column": "category", "before": "y", "after": "z", "message": "it asks for money back"}
    ]
    assert one.corrected(0, {"n": True}).rows[0]["n"] is True
    assert Dataset.of("d", other.rows, other.columns).digest == other.digest
    back = other.corrected(1, {"category": "y"})
    assert back.digest == one.digest


@pytest.mark.parametrize(
    ("row", "values", "message"),
    [
        (2, {"a": 2}, "no row 2: its rows are 0 to 1"),
        (-1, {"a": 2}, "no row -1"),
        (True, {"a": 2}, "no row True"),
        ("0", {"a": 2}, "no row '0'"),
        (0, {"x": 2}, "no column 'x': it has a"),
        (0, {}, "gives the new value by column"),
        (0, "a", "gives the new value by column"),
        (0, {"a": 1}, "holds that already"),
        (0, {"a": object()}, "row 0, column 'a'.*no JSON form"),
        (0, {"a": float("inf")}, "infinity"),
        (0, {"a": 2**60 + 1}, r"2\*\*53"),
    ],
)
def test_bad_corrections(row: Any, values: Any, message: str) -> None:
    """What cannot be corrected is refused, and says what there is."""
    with pytest.raises(DatasetError, match=message):
        Dataset.of("d", [{"a": 1}, {"a": 2}]).corrected(row, values)
