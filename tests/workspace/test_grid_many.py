"""The grid, held against the same rules in plain Python."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pressmark.errors import DatasetNotFoundError, WorkspaceError
from pressmark.evals.dataset import Dataset
from pressmark.workspace import Cell, Page, Store

from .records import make_record

A, B, C = ("sha256:" + letter * 64 for letter in "abc")
ROWS = 6


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


class Oracle:
    """The rules of the grid, row by row."""

    def __init__(self, records: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]]) -> None:
        self.records = records
        self.rows = rows

    def of(self, row: int, version: str) -> list[dict[str, Any]]:
        return [r for r in self.records if (r["row"], r["version"]) == (row, version)]

    def score(self, row: int, version: str, scorer: str) -> float | None:
        values = [r["scores"].get(scorer) for r in self.of(row, version)]
        return _mean([value for value in values if value is not None])

    def changes(self, row: int, versions: Sequence[str], scorer: str, sign: int) -> list[float]:
        base = self.score(row, versions[0], scorer)
        others = [self.score(row, version, scorer) for version in versions[1:]]
        return [sign * (other - base) for other in others if base is not None and other is not None]

    def passes(self, row: int, versions: Sequence[str], scorer: str, sign: int) -> dict[str, bool]:
        changes = self.changes(row, versions, scorer, sign)
        worse, better = any(c < 0 for c in changes), any(c > 0 for c in changes)
        failed = any(r["error"] for version in versions for r in self.of(row, version))
        return {"all": True, "flipped": worse or better, "worse": worse, "better": better, "errors": failed}

    def found(self, row: int, versions: Sequence[str], search: str) -> bool:
        texts = [str(value) for value in self.rows[row].values()]
        for version in versions:
            for told in self.of(row, version):
                texts.append(told["answer"]["output"] if told["answer"] else told["error"]["message"])
        return any(search.lower() in text.lower() for text in texts)

    def order(self, versions: Sequence[str], scorer: str, sign: int, filter: str, sort: str, search: str) -> list[int]:
        rows = [row for row in range(len(self.rows)) if self.found(row, versions, search)]
        rows = [row for row in rows if self.passes(row, versions, scorer, sign)[filter]]

        def key(row: int) -> tuple[float, ...]:
            changes = self.changes(row, versions, scorer, sign)
            told = self.passes(row, versions, scorer, sign)
            if sort == "change":
                return (0, min(changes), row) if changes else (1, 0, row)
            if sort == "flipped":
                return (0 if told["worse"] else 1 if told["better"] else 2 if told["errors"] else 3, row)
            return (row,)

        return sorted(rows, key=key)


def _run(seed: int) -> tuple[str, list[dict[str, Any]], list[dict[str, Any]]]:
    """A run's id, records and rows, with gaps, errors, repeats and awkward texts."""
    chance = random.Random(seed)
    run_id = f"run-{next(_ids)}"
    words = ["Yes", "no", 'it\'s "ÄÖ" 100%', "line\nbreak", "_"]
    records = []
    for version, row in itertools.product((A, B, C), range(ROWS)):
        for repeat in range(chance.choice([0, 1, 1, 2])):
            error = chance.choice([None, None, None, "Boom: 500", "cut"])
            scores = {name: chance.choice([None, 0.0, 0.25, 0.5, 1.0]) for name in ("exact", "cost")}
            records.append(
                make_record(
                    version,
                    row,
                    repeat,
                    run_id=run_id,
                    output=chance.choice(words),
                    error=error,
                    scores={} if error else scores,
                )
            )
    return run_id, records, [{"text": chance.choice(words), "n": row, "run": run_id} for row in range(ROWS)]


def _kept(store: Store, seed: int) -> tuple[str, list[dict[str, Any]], list[dict[str, Any]]]:
    run_id, records, rows = _run(seed)
    dataset = store.save_dataset(Dataset.of("d", rows))
    store.create_run(run_id, {}, dataset=dataset.digest)
    store.append_outputs(records)
    return run_id, records, rows


_ids = itertools.count()
seeds = st.integers(0, 2**32)
quickly = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quickly
@given(
    seed=seeds,
    versions=st.sampled_from([[A], [A, B], [B, A], [C, A, B], [A, B, C]]),
    scorer=st.sampled_from(["exact", "cost", "unknown"]),
    direction=st.sampled_from(["higher", "lower"]),
    filter=st.sampled_from(["all", "flipped", "better", "worse", "errors"]),
    sort=st.sampled_from(["row", "flipped", "change"]),
    search=st.sampled_from(["", "YES", "boom", '"äö" 100%', "_", "\n", "4", "nowhere", "%"]),
    offset=st.integers(0, 4),
    limit=st.integers(0, 8),
)
def test_a_page_is_what_plain_python_makes_of_it(
    seed: int,
    versions: list[str],
    scorer: str,
    direction: Any,
    filter: Any,
    sort: Any,
    search: str,
    offset: int,
    limit: int,
    store: Store,
) -> None:
    """Order, counts, cells and changes of any page equal those worked out row by row in Python."""
    run_id, records, rows = _kept(store, seed)
    page = store.run_page(
        run_id,
        versions,
        scorer,
        offset=offset,
        limit=limit,
        filter=filter,
        search=search,
        sort=sort,
        direction=direction,
    )
    oracle = Oracle(records, rows)
    sign = 1 if direction == "higher" else -1
    expected = oracle.order(versions, scorer, sign, filter, sort, search)
    assert [row.row for row in page.rows] == expected[offset : offset + limit]
    assert page.total == len(expected)
    assert page.counts == {
        name: len(oracle.order(versions, scorer, sign, name, "row", search))
        for name in ("all", "flipped", "better", "worse", "errors")
    }
    for row in page.rows:
        assert row.values == rows[row.row]
        assert list(row.cells) == versions
        for version, cell in row.cells.items():
            _check_cell(cell, oracle, row.row, version)
            _check_change(cell, oracle, row.row, version, versions[0], scorer, sign)


def _check_cell(cell: Cell, oracle: Oracle, row: int, version: str) -> None:
    told = oracle.of(row, version)
    assert cell.pending == (not told)
    assert cell.repeats == len(told)
    assert cell.output == next((r["answer"]["output"] for r in told if r["answer"]), "")
    assert cell.error == next((r["error"]["message"] for r in told if r["error"]), None)
    assert cell.scores == {
        scorer: oracle.score(row, version, scorer) for scorer in sorted({name for r in told for name in r["scores"]})
    }


def _check_change(cell: Cell, oracle: Oracle, row: int, version: str, baseline: str, scorer: str, sign: int) -> None:
    if version == baseline:
        assert cell.change is None
    elif not oracle.of(row, version) or not oracle.of(row, baseline):
        assert cell.change == "pending"
    elif not (changes := oracle.changes(row, [baseline, version], scorer, sign)):
        assert cell.change == "error"
    else:
        assert cell.change == ("better" if changes[0] > 0 else "worse" if changes[0] < 0 else "same")


@quickly
@given(seed=seeds)
def test_paired_scores_are_means_over_repeats(seed: int, store: Store) -> None:
    """A row's score is the mean over its repeats, NaN where a version has none; rows without any score are left out."""
    run_id, records, rows = _kept(store, seed)
    oracle = Oracle(records, rows)
    paired = store.paired_scores(run_id, A, B, "exact", slice="text").to_dict("records")
    told = {int(row["row"]): (row["baseline"], row["candidate"], row["slice"]) for row in paired}
    for row in range(ROWS):
        expected = [oracle.score(row, version, "exact") for version in (A, B)]
        baseline, candidate, slice = told.get(row, (math.nan, math.nan, rows[row]["text"]))
        assert [None if math.isnan(value) else value for value in (baseline, candidate)] == expected
        assert slice == rows[row]["text"]
    assert list(told) == sorted(told)
    frame = store.row_scores(run_id)
    for version, scorer, row, value in frame.itertuples(index=False):
        assert oracle.score(row, version, scorer) == (None if math.isnan(value) else value)


def test_a_baseline_may_meet_itself(store: Store, record: Callable[..., dict[str, Any]]) -> None:
    """A version compared with itself is the same on every row."""
    store.create_run("run-1", {})
    store.append_outputs([record(A, row, scores={"exact": row / 3}) for row in range(4)])
    frame = store.paired_scores("run-1", A, A, "exact")
    assert frame["baseline"].tolist() == frame["candidate"].tolist() == [0, 1 / 3, 2 / 3, 1]


@pytest.fixture
def run(store: Store, record: Callable[..., dict[str, Any]]) -> Store:
    """A store with a run of two versions that names no dataset."""
    store.create_run("run-1", {})
    store.append_outputs([record(A, 0, output="x" * 1000), record(B, 0, output="x" * 400)])
    store.append_outputs([record(A, 1, score_errors={"exact": "no JSON"}, scores={"exact": None})])
    return store


def test_long_outputs_are_cut_unless_asked_for_whole(run: Store) -> None:
    """A page cuts texts and says so; one row is read in full, with the reasons of missing scores."""
    page: Page = run.run_page("run-1", [A, B], "exact")
    assert [(len(cell.output), cell.cut) for cell in page.rows[0].cells.values()] == [(400, True), (400, False)]
    (row,) = run.run_rows("run-1", [A, B], [0], cut=None)
    assert (len(row.cells[A].output), row.cells[A].cut, row.cells[A].change) == (1000, False, None)
    (row,) = run.run_rows("run-1", [A, B], [1])
    assert row.cells[A].score_errors == {"exact": "no JSON"}
    assert row.cells[B].pending


def test_rows_come_in_the_order_asked_for(run: Store) -> None:
    """Rows are given in the order of their numbers in the question; a row that nobody knows is pending everywhere."""
    rows = run.run_rows("run-1", [A], [1, 7, 0])
    assert [row.row for row in rows] == [1, 7, 0]
    assert rows[1].cells[A] == Cell()


def test_a_run_without_a_dataset_cannot_be_sliced(run: Store) -> None:
    """A slice asks for the dataset's rows, and says so where they are not in the file."""
    with pytest.raises(DatasetNotFoundError, match="channel"):
        run.paired_scores("run-1", A, B, "exact", slice="channel")


@pytest.mark.parametrize("wrong", [{"filter": "flip"}, {"sort": "up"}, {"direction": "down"}])
def test_a_wrong_choice_names_the_right_ones(run: Store, wrong: Any) -> None:
    """A filter, sort or direction that does not exist is refused with those that do."""
    with pytest.raises(WorkspaceError, match="is one of"):
        run.run_page("run-1", [A], "exact", **wrong)
    with pytest.raises(WorkspaceError, match="at least one version"):
        run.run_page("run-1", [], "exact")
