"""Deleting datasets, and the file without them: whole at any moment, whoever else is at work."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pressmark.errors import DatasetNotFoundError, WorkspaceError, WorkspaceLockedError
from pressmark.evals import Dataset
from pressmark.evals.origin import Origin
from pressmark.workspace import Store

WORKER = Path(__file__).with_name("worker.py")


def fill(store: Store, name: str = "inbox", rows: int = 4000) -> Dataset:
    """Keep a dataset with a word that can be looked for in the file."""
    return store.save_dataset(Dataset.of(name, [{"text": f"mrs-secret-{number} " * 8} for number in range(rows)]))


def run_on(store: Store, dataset: Dataset, record: Callable[..., dict[str, Any]], run: str = "r1") -> None:
    """A run with outputs, a judge's among them, on a suite of the dataset."""
    suite = {"dataset": {"name": dataset.name, "digest": dataset.digest}}
    store.save_suite("basics", "sha256:suite", suite)
    store.create_run(run, {"suite": {"digest": "sha256:suite"}}, dataset=dataset.digest)
    store.append_outputs([record(run_id=run, row=0, scores={"exact": 1.0}), record(run_id=f"{run}/judge", row=0)])
    store.finish_run(run, "done")


def test_a_dataset_goes_with_what_was_made_of_it(
    store: Store, path: Path, record: Callable[..., dict[str, Any]]
) -> None:
    """Rows, suites, runs, outputs and scores are gone, in the file too; who did it and why is remembered."""
    dataset, other = fill(store), fill(store, "other", 10)
    run_on(store, dataset, record)
    told = store.weigh_dataset("inbox")
    assert (told.rows, told.suites, told.runs, told.outputs, told.also_in) == (
        4000,
        ("basics",),
        ("r1",),
        2,
        ("other",),
    )
    store.delete_dataset("inbox", "asked by the customer", "ana", runs=True)
    expected = store.weigh_file()
    sizes = store.compact()
    assert sizes.after < sizes.before
    assert expected.before == sizes.before
    assert abs(expected.after - sizes.after) < sizes.before / 4
    assert store.weigh_file() == (sizes.after, sizes.after)
    assert sizes.after == path.stat().st_size
    assert b"mrs-secret-3999" not in path.read_bytes()
    assert store.runs() == []
    for table in ("outputs", "scores", "suites"):
        assert store.sql(f"select count(*) as n from {table}")["n"].tolist() == [0]
    assert len(store.dataset("other")) == len(other)
    with pytest.raises(DatasetNotFoundError, match=r"ana deleted it on .*: asked by the customer"):
        store.dataset("inbox")


def test_what_was_made_of_it_is_named(store: Store) -> None:
    """A part of its rows, a corrected copy, and whatever SQL made since are named: only a label they share is not."""
    rows = [{"text": f"mrs secret {number}", "label": "late" if number % 2 else "lost"} for number in range(20)]
    store.save_dataset(Dataset.of("before", [{"t": "x"}], origin=Origin("sql")))
    store.save_dataset(Dataset.of("inbox", rows))
    store.save_dataset(Dataset.of("labels", [{"label": "late"}, {"label": "lost"}]))
    store.save_dataset(Dataset.of("texts", [{"t": row["text"]} for row in rows[:3]]))
    store.save_dataset(Dataset.of("again", [{**row, "label": "new"} for row in rows]))
    store.save_dataset(Dataset.of("counted", [{"n": 20}], origin=Origin("sql")))
    assert store.weigh_dataset("inbox").also_in == ("again", "counted", "texts")


def test_what_is_left_in_memory_does_not_come_back_by_itself(store: Store) -> None:
    """A dataset that was deleted is kept anew only by whoever says so."""
    dataset = fill(store, rows=10)
    store.delete_dataset("inbox", "asked by the customer", "ana")
    with pytest.raises(
        DatasetNotFoundError, match=r"ana deleted it on .*: asked by the customer.*keep its rows with ws"
    ):
        store.save_dataset(dataset, again=False)
    assert store.datasets().empty
    other = Dataset.of("inbox", [{"text": "nobody"}])
    assert store.save_dataset(other, again=False).digest == other.digest
    with pytest.raises(DatasetNotFoundError, match="dataset 'inbox' was deleted"):
        store.save_dataset(dataset.split(0.5).train)
    store.save_dataset(dataset)
    assert len(store.dataset("inbox")) == 10
    store.save_dataset(dataset, again=False)


def test_runs_stay_unless_they_are_to_go(store: Store, record: Callable[..., dict[str, Any]]) -> None:
    """Without being asked, outputs and scores are kept."""
    run_on(store, fill(store, rows=10), record)
    store.delete_dataset("inbox", "no longer needed")
    assert len(store.records("r1")) == 1


def test_what_may_not_be_deleted(store: Store, record: Callable[..., dict[str, Any]]) -> None:
    """An unknown dataset, a missing reason and a run under way are refused, and nothing is gone."""
    dataset = fill(store, rows=10)
    run_on(store, dataset, record)
    with pytest.raises(DatasetNotFoundError, match="no dataset 'inbx' to delete: the workspace holds inbox"):
        store.delete_dataset("inbx", "why")
    with pytest.raises(WorkspaceError, match="needs a reason"):
        store.delete_dataset("inbox", "  ")
    journal = store.journal("r1")
    with pytest.raises(WorkspaceError, match="run r1 is working on 'inbox' just now"):
        store.delete_dataset("inbox", "why", runs=True)
    journal.close()
    assert store.dataset("inbox").digest == dataset.digest


def test_rows_that_another_dataset_has_under_the_same_digest_stay(store: Store) -> None:
    """Only the name goes where the rows are another dataset's too."""
    fill(store, rows=10)
    fill(store, "copy", 10)
    store.delete_dataset("inbox", "why")
    assert len(store.dataset("copy")) == 10


def test_everything_survives_compacting(store: Store, path: Path) -> None:
    """Keys, views and rows are those of before; nothing is left beside the file; its permissions stay."""
    fill(store, rows=100)
    store.save_draft("p", {"text": "x"})
    path.chmod(0o640)

    def form() -> list[Any]:
        with duckdb.connect(str(path)) as connection:
            return [
                connection.execute(
                    "select * exclude (database_oid, table_oid, constraint_index) from (select table_name,"
                    " constraint_type, constraint_text, 0 as database_oid, 0 as table_oid, 0 as constraint_index"
                    " from duckdb_constraints()) order by all"
                ).fetchall(),
                connection.execute("select view_name, sql from duckdb_views() where not internal").fetchall(),
                connection.execute("select count(*) from dataset_rows").fetchall(),
            ]

    before = form()
    store.compact()
    assert form() == before
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o640
    store.save_draft("p", {"text": "y"})


def test_a_connection_in_this_process_is_in_the_way(store: Store, path: Path) -> None:
    """It is said what to close, and the file stays as it was."""
    with duckdb.connect(str(path)), pytest.raises(WorkspaceLockedError, match="close that, then compact"):
        store.compact()
    store.compact()


def test_what_a_killed_compaction_left_is_cleaned_up(store: Store, path: Path) -> None:
    """The next one removes the half copy."""
    half = path.with_name(f".{path.name}.0.compact")
    half.write_bytes(b"half")
    store.compact()
    assert not half.exists()


def test_writers_lose_nothing_while_the_file_is_compacted(store: Store, path: Path, tmp_path: Path) -> None:
    """Two processes save, append and journal without a pause; every piece that was acknowledged is there."""
    fill(store, rows=2000)
    store.delete_dataset("inbox", "why")
    places = [tmp_path / f"{name}.told" for name in "ab"]
    workers = [
        subprocess.Popen([sys.executable, str(WORKER), str(path), place.stem, "15", str(place)]) for place in places
    ]
    patient = Store(path, deadline=120)
    rounds = 0
    while any(worker.poll() is None for worker in workers):
        patient.compact()
        rounds += 1
    assert rounds >= 2
    assert [worker.returncode for worker in workers] == [0, 0]
    whole = Store(path)
    for place in places:
        told = place.read_text().split("\n")
        assert "done" in told
        versions = {f"version {version.number} {version.digest}" for version in whole.versions("shared")}
        assert {line for line in told if line.startswith("version ")} <= versions
        assert len(whole.sql(f"select * from outputs where run_id = 'journaled-{place.stem}'")) == 75
        assert len(whole.sql(f"select * from outputs where run_id = 'batch-{place.stem}'")) == 75


@pytest.mark.parametrize("after", [0.0, 0.01, 0.03, 0.06, 0.1])
def test_a_compaction_killed_at_any_moment_leaves_a_whole_file(store: Store, path: Path, after: float) -> None:
    """The file is the old one or the new one, and can be written."""
    fill(store)
    store.save_draft("p", {"text": "kept"})
    script = f"""
import sys
from pressmark.workspace import Store
store = Store({str(path)!r})
print("ready", flush=True)
while True:
    store.compact()
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    until = time.monotonic() + after
    while time.monotonic() < until:
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    again = Store(path)
    draft = again.draft("p")
    assert draft is not None
    assert draft.body == {"text": "kept"}
    assert len(again.dataset("inbox")) == 4000
    again.save_draft("p", {"text": "written"})
    again.compact()
