"""What differs between two versions of a dataset: rows added, removed and changed, and columns."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pressmark.errors import DatasetError
from pressmark.evals.dataset import Dataset
from pressmark.evals.drawing import identity
from pressmark.face import Faced
from pressmark.face.forms import Face, Table
from pressmark.prompts.canonical import canonical_bytes
from pressmark.prompts.quoting import shown

if TYPE_CHECKING:
    import pandas

# What is told in a notebook or a terminal; `to_frame` has everything.
_SHOWN: Final = 50
_LONGEST: Final = 120
# Beyond this, rows that repeat each other between two that do not are paired by place: all ways are too many to try.
_MOST_MATCHED: Final = 25_000_000
_MARKS: Final = {"added": "+\u00a0added", "removed": "−\u00a0removed", "changed": "~\u00a0changed"}


class CellChange(NamedTuple):
    """A value that is another one.

    Attributes:
        column: Where.
        before: What stood there; None also where there was no such column.
        after: What stands there.
    """

    column: str
    before: Any
    after: Any


class RowChange(NamedTuple):
    """A row that is new, gone or changed.

    Attributes:
        kind: `added`, `removed` or `changed`.
        before: Its number in the first dataset, or None.
        after: Its number in the second, or None.
        cells: Of a changed row, what changed; else all of its values.
    """

    kind: str
    before: int | None
    after: int | None
    cells: tuple[CellChange, ...]


@dataclass(frozen=True, slots=True)
class DatasetDifference(Faced):
    """What two datasets do not have in common. `Dataset.diff` makes one.

    Attributes:
        before: The first dataset.
        after: The second.
        key: The columns by which rows are known; empty where they were matched as they stand.
        rows: Rows that are new, gone or changed, in their order.
    """

    before: Dataset
    after: Dataset
    key: tuple[str, ...]
    rows: tuple[RowChange, ...]

    @classmethod
    def of(cls, before: Dataset, after: Dataset, key: str | Sequence[str] | None = None) -> DatasetDifference:
        """Compare two datasets, as `Dataset.diff` describes it."""
        columns = () if key is None else (key,) if isinstance(key, str) else tuple(key)
        before.check_columns(columns)
        after.check_columns(columns)
        pairs = _by_key(before, after, columns) if columns else _by_place(before, after)
        return cls(before, after, columns, tuple(_changes(before, after, pairs)))

    @property
    def added(self) -> tuple[RowChange, ...]:
        """The rows that only the second has."""
        return tuple(row for row in self.rows if row.kind == "added")

    @property
    def removed(self) -> tuple[RowChange, ...]:
        """The rows that only the first has."""
        return tuple(row for row in self.rows if row.kind == "removed")

    @property
    def changed(self) -> tuple[RowChange, ...]:
        """The rows that both have, with other values."""
        return tuple(row for row in self.rows if row.kind == "changed")

    @property
    def columns_added(self) -> tuple[str, ...]:
        """The columns that only the second has."""
        return tuple(name for name in self.after.columns if name not in self.before.columns)

    @property
    def columns_removed(self) -> tuple[str, ...]:
        """The columns that only the first has."""
        return tuple(name for name in self.before.columns if name not in self.after.columns)

    @property
    def sentence(self) -> str:
        """What changed, in one line."""
        title = f"{_named(self.before)} → {_named(self.after)}"
        counts = [
            f"{len(rows):,} {what}"
            for what, rows in (("added", self.added), ("removed", self.removed), ("changed", self.changed))
            if rows
        ]
        columns = [f"column {name} added" for name in self.columns_added]
        columns += [f"column {name} removed" for name in self.columns_removed]
        if self.before.columns != self.after.columns and not columns:
            columns = ["columns in another order"]
        rows = f"rows: {', '.join(counts)}" if counts else ""
        told = "; ".join(said for said in (rows, *columns) if said)
        return f"{title}: {told or 'the same rows'}"

    def to_frame(self) -> pandas.DataFrame:
        """Return a row for each value: change, row_before, row_after, column, before, after."""
        import pandas as pd

        names = ["change", "row_before", "row_after", "column", "before", "after"]
        told = [
            [row.kind, row.before, row.after, cell.column, cell.before, cell.after]
            for row in self.rows
            for cell in row.cells
        ]
        frame = pd.DataFrame(told, columns=names, dtype=object)
        return frame.astype({"row_before": "Int64", "row_after": "Int64"})

    def __str__(self) -> str:
        below = [*(" ".join(filter(None, line)) for line in self._lines()), *self._rest()]
        return "\n".join([self.sentence, *(f"  {line}" for line in below)])

    __repr__ = __str__

    def _face(self) -> Face:
        table = Table(("", "row", "column", "before", "after"), self._lines(), right=(1,))
        return Face(self.sentence, self._rest(), tables=[table])

    def _lines(self) -> list[tuple[str, ...]]:
        lines: list[tuple[str, ...]] = []
        for row in self.rows[:_SHOWN]:
            number = row.before if row.after is None else row.after
            for place, cell in enumerate(row.cells):
                start = (_MARKS[row.kind], str(number)) if place == 0 else ("", "")
                before = "" if row.kind == "added" else _cell(cell.before)
                after = "" if row.kind == "removed" else _cell(cell.after)
                arrow = "→ " if row.kind == "changed" else ""
                lines.append((*start, cell.column, before, f"{arrow}{after}"))
        return lines

    def _rest(self) -> list[str]:
        more = len(self.rows) - _SHOWN
        return [f"and {more:,} more rows: .to_frame() has them all"] if more > 0 else []


def _changes(before: Dataset, after: Dataset, pairs: Iterator[tuple[int | None, int | None]]) -> Iterator[RowChange]:
    columns = dict.fromkeys((*before.columns, *after.columns))
    for old, new in pairs:
        if old is None and new is not None:
            yield RowChange("added", None, new, tuple(CellChange(c, None, after.rows[new][c]) for c in after.columns))
        elif new is None and old is not None:
            yield RowChange(
                "removed", old, None, tuple(CellChange(c, before.rows[old][c], None) for c in before.columns)
            )
        elif old is not None and new is not None:
            one, other = before.rows[old], after.rows[new]
            cells = tuple(
                CellChange(column, one.get(column), other.get(column))
                for column in columns
                if column in one and column in other and not _same(one[column], other[column])
            )
            if cells:
                yield RowChange("changed", old, new, cells)


def _same(one: Any, other: Any) -> bool:
    # True equals 1 in Python, and is another value in JSON.
    return one == other and (type(one) is type(other) or canonical_bytes(one) == canonical_bytes(other))


def _by_key(before: Dataset, after: Dataset, key: tuple[str, ...]) -> Iterator[tuple[int | None, int | None]]:
    old, new = _keyed(before, key), _keyed(after, key)
    for known, row in old.items():
        if known not in new:
            yield row, None
    for known, row in new.items():
        yield old.get(known), row


def _keyed(dataset: Dataset, key: tuple[str, ...]) -> dict[bytes, int]:
    rows: dict[bytes, int] = {}
    for number, row in enumerate(dataset.rows):
        first = rows.setdefault(identity(row, key), number)
        if first != number:
            value = ", ".join(shown(row[column]) for column in key)
            raise DatasetError(
                f"rows {first} and {number} of dataset {dataset.name!r} have the same key ({value}): name the columns"
                " that tell them apart, or leave the key out",
                rows=(first, number),
            )
    return rows


def _by_place(before: Dataset, after: Dataset) -> Iterator[tuple[int | None, int | None]]:
    """Pair rows: equal ones with each other in order, and what stands between two such by its place there."""
    shared = [column for column in before.columns if column in after.columns]
    old = [identity(row, shared) for row in before.rows]
    new = [identity(row, shared) for row in after.rows]
    low = begin = 0
    for i, j in (*_anchors(old, new), (len(old), len(new))):
        for first, last, onset, stop in _unequal(old[low:i], new[begin:j]):
            for place in range(max(last - first, stop - onset)):
                yield (
                    low + first + place if first + place < last else None,
                    begin + onset + place if onset + place < stop else None,
                )
        low, begin = i + 1, j + 1


def _anchors(old: Sequence[bytes], new: Sequence[bytes]) -> list[tuple[int, int]]:
    """The longest run of rows that stand once in each, in the same order: what is between them is matched by itself."""
    once, there = Counter(old), Counter(new)
    places = {row: place for place, row in enumerate(new) if there[row] == 1}
    common = [(i, places[row]) for i, row in enumerate(old) if once[row] == 1 and row in places]
    tails: list[int] = []  # by length of a run, the least place in `new` that one ends with
    ends: list[int] = []
    before: list[int] = []
    for number, (_, j) in enumerate(common):
        length = bisect_left(tails, j)
        before.append(ends[length - 1] if length else -1)
        tails[length : length + 1] = [j]
        ends[length : length + 1] = [number]
    run, at = [], ends[-1] if ends else -1
    while at >= 0:
        run.append(common[at])
        at = before[at]
    return run[::-1]


def _unequal(old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[tuple[int, int, int, int]]:
    """The blocks that stand between equal rows: from and to in the first, from and to in the second."""
    if not old or not new or len(old) * len(new) > _MOST_MATCHED:
        if old or new:
            yield 0, len(old), 0, len(new)
        return
    from rapidfuzz.distance import LCSseq

    low = begin = 0
    for step in LCSseq.opcodes(old, new):
        if step.tag == "equal":
            if (low, begin) != (step.src_start, step.dest_start):
                yield low, step.src_start, begin, step.dest_start
            low, begin = step.src_end, step.dest_end
    if (low, begin) != (len(old), len(new)):
        yield low, len(old), begin, len(new)


def _named(dataset: Dataset) -> str:
    return f"{dataset.name} {dataset.digest[7:15]}"


def _cell(value: Any) -> str:
    told = value if isinstance(value, str) else canonical_bytes(value).decode()
    told = " ".join(told.split()) if isinstance(value, str) else told
    if value == "":
        return "(empty)"
    return told if len(told) <= _LONGEST else told[: _LONGEST - 1] + "…"
