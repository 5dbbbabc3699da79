"""`sql`: it reads, and only reads."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from pressmark.errors import WorkspaceError
from pressmark.evals.dataset import Dataset
from pressmark.workspace import Store


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with a dataset in it, which no test of this module may change."""
    store = Store(tmp_path_factory.mktemp("filled") / "prompts.duckdb", deadline=10)
    store.save_dataset(Dataset.of("inbox", [{"text": "a", "n": 1}, {"text": "b", "n": 2}]))
    return store


@pytest.mark.parametrize(
    "query",
    [
        "select name from datasets",
        "from datasets select name;",
        "with d as (from datasets) select name from d",
        "select name from datasets -- a remark; with a semicolon",
        "explain select 1",
        "explain analyze select name from datasets",
        "show tables",
        "describe datasets",
        "summarize datasets",
        "values (1), (2)",
        "pragma table_info('datasets')",
        "pivot dataset_rows on row using count(*)",
        "select data->>'text', sum((data->>'n')::int) from dataset_rows group by all",
        "select distinct published_at, started_at from publications, runs",
    ],
)
def test_questions_are_answered(filled: Store, query: str) -> None:
    """Every way to ask in DuckDB gives a DataFrame."""
    assert len(filled.sql(query).columns) >= 1


SIZES = "select table_name, estimated_size from duckdb_tables() where database_name = current_database() order by all"
CHANGES = {
    "insert into versions values (1)": "ws.save",
    "update versions set message = 'x'": "ws.save",
    "delete from versions": "ws.save",
    "truncate versions": "ws.save",
    "drop table datasets": "ws.dataset",
    "insert into outputs values (1)": "ws.evaluate",
    "update endpoints set key_env = 'sk-1'": "ws.endpoint",
    "create table mine as select 1": "ws.save",
    "alter table runs add column x int": "ws.evaluate",
    "copy datasets to '{out}'": "DataFrame",
    "explain analyze copy datasets to '{out}'": "DataFrame",
    "explain (analyze) copy datasets to '{out}'": "DataFrame",
    "export database '{out}'": "DataFrame",
    "attach '{out}' as other": "pm.Workspace",
    "install httpfs": "extensions",
    "load json": "extensions",
    "set threads = 1": "settings",
    "set global memory_limit = '1MB'": "settings",
    "begin": "transaction",
    "checkpoint": "only reads",
    "vacuum": "only reads",
    "call force_checkpoint()": "only reads",
    "pragma disable_checkpoint_on_shutdown": "only reads",
    "pragma memory_limit = '1MB'": "only reads",
    "prepare p as insert into versions values (1)": "only reads",
    "use memory": "settings",
    "select 1; drop table versions": "one statement",
    "": "one statement",
    "selec 1": "not SQL",
    "select '": "not SQL",
    "explain": "not SQL",
    "with x as (insert into versions values (1) returning *) from x": "refuse|transaction|could not",
    "select nowhere from datasets": "nowhere",
    "select 'a'::int": "Conversion",
    "from query('drop table versions')": "refuse|SELECT",
}


@pytest.mark.parametrize("query", CHANGES)
def test_changes_are_refused_with_the_function_that_makes_them(filled: Store, tmp_path: Path, query: str) -> None:
    """A statement that would change the file, another file or a setting is refused, and nothing changes."""
    out = tmp_path / "out"
    before = filled.sql(SIZES)
    with pytest.raises(WorkspaceError, match=CHANGES[query]) as caught:
        filled.sql(query.format(out=out))
    assert "\n" not in str(caught.value)
    assert not out.exists()
    assert filled.sql(SIZES).equals(before)


def test_no_query_reaches_the_network(filled: Store) -> None:
    """A URL in a query is refused and not fetched, and no extension is downloaded for it."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.setblocking(False)
        with pytest.raises(WorkspaceError):
            filled.sql(f"from 'http://127.0.0.1:{server.getsockname()[1]}/x.parquet'")
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_long_query_can_be_interrupted(filled: Store) -> None:
    """Ctrl-C ends a query that would run for minutes at once, and the next one works."""
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        filled.sql("select count(*) from range(1000000) a, range(1000000) b where a.range * b.range % 7 = 3")
    assert time.monotonic() - begin < 30
    assert filled.sql("select 1 as one")["one"].tolist() == [1]


def test_a_query_from_another_thread_works_too(filled: Store) -> None:
    """A widget's worker thread may ask as well."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(len(filled.sql("from datasets"))))
    thread.start()
    thread.join()
    assert found == [1]
