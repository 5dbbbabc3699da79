"""`ws.sql`: questions to the file, in SQL, that change nothing."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from pressmark.errors import WorkspaceError
from pressmark.workspace.batches import dataframe
from pressmark.workspace.engine import duckdb

if TYPE_CHECKING:
    import pandas
    import pyarrow
    from duckdb import DuckDBPyConnection as Connection

    from pressmark.workspace.connection import Database

Found = TypeVar("Found")

_READS: Final = {"SELECT", "MULTI"}  # MULTI is a PIVOT without its list of values
# PRAGMAs that only tell; many others set.
_TELLING = re.compile(r"\s*pragma\s+(table_info|show_tables|show|database_size|storage_info|version)\b", re.IGNORECASE)
_EXPLAIN = re.compile(r"\s*explain\s+(analyze\s+)?(\([^)]*\)\s*)?", re.IGNORECASE)
_WAYS: Final = {
    "versions": "ws.save(...) adds a version; saved ones never change",
    "drafts": "the workbench keeps drafts",
    "datasets": "ws.dataset(name, rows) adds a dataset",
    "dataset_rows": "ws.dataset(name, rows) adds a dataset",
    "suites": "ws.suite(...) adds a suite",
    "endpoints": "ws.endpoint(...) sets an endpoint",
    "runs": "ws.evaluate(...) adds a run",
    "outputs": "ws.evaluate(...) adds outputs",
    "scores": "ws.evaluate(...) adds scores",
    "publications": "registry.publish(...) publishes",
}
_COPYING: Final = "take the DataFrame that ws.sql returns and write it, for instance with .to_csv or .to_parquet"
_OTHERS: Final = {
    "COPY": _COPYING,
    "EXPORT": _COPYING,
    "COPY_DATABASE": "copy the file itself while nothing writes to it",
    "ATTACH": "open the other file as a workspace of its own, with pm.Workspace(path)",
    "DETACH": "open the other file as a workspace of its own, with pm.Workspace(path)",
    "LOAD": "extensions are not loaded here; read the data with pandas and save it with ws.dataset(name, df)",
    "TRANSACTION": "each query is a transaction of its own",
    "SET": "settings are not kept from one query to the next; open the file with duckdb where you need them",
}


def sql(database: Database, query: str) -> pandas.DataFrame:
    """Return what a query finds, as `Store.sql` describes it."""
    statement = _statement(query, "ws.sql")
    with database.reading() as connection:
        return _found(connection, query, lambda: dataframe(connection, statement))


def table(database: Database, query: str, logs: pyarrow.Table | None) -> pyarrow.Table:
    """Return what a query finds, as `Store.sql_table` describes it."""
    statement = _statement(query, "ws.dataset(sql=…)")
    with database.reading() as connection:
        if logs is not None:
            connection.register("logs", logs)
        try:
            return _found(connection, query, lambda: connection.sql(statement).to_arrow_table())
        finally:
            if logs is not None:
                connection.unregister("logs")


def _found(connection: Connection, query: str, work: Callable[[], Found]) -> Found:
    try:
        return _interruptibly(connection, work)
    except (duckdb.ProgrammingError, duckdb.DataError) as error:
        raise WorkspaceError(f"DuckDB refused this query. {_told(error)}", query=query) from error


def _interruptibly(connection: Connection, work: Callable[[], Found]) -> Found:
    """Run a query so that Ctrl-C, or a notebook's stop button, ends it at once; DuckDB alone would run to the end."""
    if threading.current_thread() is not threading.main_thread():
        return work()
    results: list[Found] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001  it is raised in the thread that asked
            errors.append(error)
        finally:
            done.set()

    threading.Thread(target=run, daemon=True).start()
    try:
        done.wait()
    except BaseException:
        connection.interrupt()
        done.wait()
        raise
    if errors:
        raise errors[0]
    return results[0]


def _statement(query: str, called: str) -> duckdb.Statement:
    try:
        statements = duckdb.extract_statements(query)
    except duckdb.Error as error:
        raise WorkspaceError(f"this is not SQL that DuckDB understands. {_told(error)}", query=query) from error
    if len(statements) != 1:
        raise WorkspaceError(
            f"{called} takes one statement, and this text holds {len(statements)}: call it once for each", query=query
        )
    statement = statements[0]
    kind = statement.type.name
    text = statement.query
    if kind == "EXPLAIN":
        # EXPLAIN ANALYZE runs what it explains, and a COPY writes a file even where the transaction may not write.
        kind = duckdb.extract_statements(_EXPLAIN.sub("", text, count=1))[0].type.name
    if kind in _READS or (kind == "PRAGMA" and _TELLING.match(text)):
        return statement
    raise WorkspaceError(
        f"{called} only reads, so {kind.replace('_', ' ')} is refused and nothing was changed: {_way(kind, text)}",
        query=query,
    )


def _way(kind: str, text: str) -> str:
    if kind in _OTHERS:
        return _OTHERS[kind]
    words = re.findall(r"\w+", text.lower())
    for word in words:
        if word in _WAYS:
            return _WAYS[word]
    return "change versions with ws.save, datasets with ws.dataset, runs with ws.evaluate"


def _told(error: duckdb.Error) -> str:
    return " ".join(line.strip() for line in str(error).strip().splitlines() if line.strip(" ^"))
