"""Datasets, suites and endpoints: what a run is made of.

Datasets and suites are versioned as prompts are: saving what the newest of that name holds makes nothing new, and a
digest names the same content everywhere. The rows of a dataset are kept once a digest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pressmark.address import check_endpoint_url, check_key_env
from pressmark.errors import (
    DatasetError,
    DatasetNotFoundError,
    EndpointNotFoundError,
    SuiteNotFoundError,
)
from pressmark.evals.dataset import Dataset
from pressmark.evals.origin import Origin
from pressmark.prompts import check_name, freeze
from pressmark.workspace.batches import INTEGER, TEXT, arrow, clean, dataframe, first, insert, json_text
from pressmark.workspace.deleting import deleted, deleted_rows, deleted_suite

if TYPE_CHECKING:
    import pandas
    from duckdb import DuckDBPyConnection as Connection

    from pressmark.workspace.connection import Database

_ENDPOINT: Final = "name, base_url, key_env, rpm, tpm, transport"


class SavedEndpoint(NamedTuple):
    """Where a model can be reached.

    Attributes:
        name: What the user calls it.
        base_url: Its address.
        key_env: The name of the environment variable that holds its key, or None where it needs none.
        rpm: Requests that it takes a minute, or None.
        tpm: Tokens that it takes a minute, in and out together, or None.
        transport: How it is reached; None for the usual way.
    """

    name: str
    base_url: str
    key_env: str | None
    rpm: float | None = None
    tpm: float | None = None
    transport: str | None = None


def save_dataset(database: Database, dataset: Dataset, author: str = "", *, again: bool = True) -> Dataset:
    """Keep a dataset and return it; the newest of that name again makes nothing new.

    Args:
        database: The file.
        dataset: What to keep.
        author: Who made it.
        again: Whether what is an older version of that name becomes its newest again, and what was deleted is kept
            anew.

    Raises:
        DatasetNotFoundError: It was deleted, or what it was made of, and it is not to be kept anew.
    """
    check_name(dataset.name, "dataset name")
    with database.writing() as connection:
        if not again and (known := _number(connection, "datasets", dataset.name, dataset.digest)):
            return replace(dataset, note=_note(known))
        # What is made of rows in memory, such as a split, would bring them back as well.
        for digest in filter(None, (None if again else dataset.digest, dataset.origin.parent)):
            if told := deleted_rows(connection, digest):
                raise DatasetNotFoundError(
                    f"{told}. What is left of it in memory is not kept again by itself: if it may come back, keep its"
                    " rows with ws.dataset(name, rows)",
                    name=dataset.name,
                )
        return _save(connection, dataset, author)


def correct_dataset(
    database: Database, name: str, row: int, values: Mapping[str, Any], *, author: str, message: str, seen: Any = None
) -> Dataset:
    """Keep the newest dataset of a name with other values in a row, and return it.

    Args:
        database: The file.
        name: The dataset's name.
        row: Which row.
        values: The new value by column.
        author: Who says so.
        message: Why.
        seen: The row as whoever corrects it saw it; it must still stand there.

    Raises:
        DatasetNotFoundError: There is none of that name.
        DatasetError: There is no such row or column, it holds that already, or it was changed by now.
    """
    with database.writing() as connection:
        newest = _read(connection, name, None)
        changed = newest.corrected(row, values, message=message)
        if seen is not None and newest.rows[row] != seen:
            raise DatasetError(
                f"row {row} of dataset {name!r} is another one by now, in its version {newest.digest[:15]}: see what"
                f" changed with ws.diff_datasets({name!r}), and correct the newest",
                row=row,
            )
        return _save(connection, changed, author)


def _save(connection: Connection, dataset: Dataset, author: str) -> Dataset:
    newest = _newest(connection, "datasets", dataset.name)
    if newest and newest[1] == dataset.digest:
        return replace(dataset, note=_note(newest[0]))
    before = first(connection, "select row_count from datasets where name = ? order by number desc", [dataset.name])
    known = first(
        connection, "select count(*) from (select 1 from dataset_rows where digest = ? limit 1)", [dataset.digest]
    )
    if known == (0,):
        rows = [json_text(row) for row in dataset.rows]
        batch = arrow(
            {"digest": TEXT, "row": INTEGER, "data": TEXT},
            {"digest": [dataset.digest] * len(rows), "row": range(len(rows)), "data": rows},
        )
        insert(connection, "dataset_rows", batch)
    origin = dataset.origin
    connection.execute(
        "insert into datasets (name, number, digest, columns, row_count, created_at, author, parent, part, origin)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            dataset.name,
            newest[0] + 1 if newest else 1,
            dataset.digest,
            json_text(list(dataset.columns)),
            len(dataset.rows),
            datetime.now(UTC),
            clean(author),
            origin.parent,
            origin.part,
            json_text(origin.to_dict()),
        ],
    )
    if newest is None or before is None:
        return dataset
    counts = f"{before[0]:,} → {len(dataset.rows):,} rows"
    return replace(dataset, note=f"{_note(newest[0] + 1)}; {counts}")


def _number(connection: Connection, table: str, name: str, digest: str) -> int | None:
    found = first(
        connection,
        f"select number from {table} where name = ? and digest = ? order by number desc limit 1",
        [name, digest],
    )
    return found[0] if found else None


def _note(number: int) -> str:
    return f"version {number}" if number > 1 else ""


def dataset(database: Database, name: str, reference: str | None = None) -> Dataset:
    """Return the newest dataset of that name, or the one with that digest or number (`#2`)."""
    with database.reading() as connection:
        return _read(connection, name, reference)


def _read(connection: Connection, name: str, reference: str | None) -> Dataset:
    found = first(
        connection,
        "select digest, columns, number, parent, part, origin from datasets where name = $name"
        " and ($it is null or digest = $it or '#' || number = $it) order by number desc limit 1",
        {"name": name, "it": reference},
    )
    if not found:
        raise DatasetNotFoundError(
            _unknown(connection, "datasets", "dataset", name, reference), name=name, digest=reference
        )
    rows = connection.execute("select data from dataset_rows where digest = ? order by row", [found[0]]).fetchall()
    return Dataset(
        name=name,
        digest=found[0],
        columns=tuple(json.loads(found[1])),
        # Parsed at once: a call a row takes twice as long.
        rows=tuple(map(freeze, json.loads(f"[{','.join(data for (data,) in rows)}]"))),
        note=_note(found[2]),
        origin=Origin.from_dict(json.loads(found[5] or "{}"), found[3] or "", found[4] or ""),
    )


def dataset_versions(database: Database, name: str) -> pandas.DataFrame:
    """Return a line for each version of a dataset, the newest first."""
    with database.reading() as connection:
        if not _newest(connection, "datasets", name):
            raise DatasetNotFoundError(_unknown(connection, "datasets", "dataset", name), name=name)
        frame = dataframe(
            connection,
            """
            select '#' || number as version, digest, row_count as rows, coalesce(origin ->> 'kind', 'rows') as kind,
                   coalesce(origin ->> 'told', '') as told, nullif(part, '') as part, nullif(parent, '') as parent,
                   coalesce(author, '') as author, created_at
            from datasets where name = $name order by number desc
            """,
            {"name": name},
        )
    for column in ("part", "parent"):
        frame[column] = frame[column].astype(object).where(frame[column].notna(), None)
    return frame


def parts(database: Database, part: str, parent: str | None = None) -> list[tuple[str, str]]:
    """Return name and digest of the datasets that are such a part of a split, the newest first; of one where named."""
    with database.reading() as connection:
        return connection.execute(
            "select name, digest from datasets where part = $part and ($parent is null or parent = $parent)"
            " group by name, digest order by max(created_at) desc",
            {"part": part, "parent": parent},
        ).fetchall()


def dataset_rows(database: Database, digest: str, rows: list[int] | None = None) -> dict[int, dict[str, Any]]:
    """Return rows of a dataset by their numbers; all of them where none are named."""
    chosen = "" if rows is None else "and row in (select unnest($rows))"
    values: dict[str, Any] = {"digest": digest} if rows is None else {"digest": digest, "rows": rows}
    with database.reading() as connection:
        found = connection.execute(
            f"select row, data from dataset_rows where digest = $digest {chosen} order by row", values
        ).fetchall()
    return {number: json.loads(data) for number, data in found}


def datasets(database: Database) -> pandas.DataFrame:
    """Return a line for each dataset: name, digest, columns, rows, versions, created_at."""
    with database.reading() as connection:
        frame = dataframe(
            connection,
            """
            select name, arg_max(digest, number) as digest, arg_max(columns, number) as columns,
                   arg_max(row_count, number) as rows, count(*) as versions, max(created_at) as created_at
            from datasets group by name order by name
            """,
        )
    frame["columns"] = [json.loads(columns) for columns in frame["columns"]]
    return frame


def row_counts(database: Database) -> dict[tuple[str, str], int]:
    """Return how many rows each version of a dataset has, by name and digest, without reading them."""
    with database.reading() as connection:
        found = connection.execute("select name, digest, row_count from datasets").fetchall()
    return {(name, digest): int(rows) for name, digest, rows in found}


def save_suite(database: Database, name: str, digest: str, spec: Mapping[str, Any], *, again: bool = True) -> int:
    """Keep a suite's description and return its number, as `save_dataset` does a dataset."""
    check_name(name, "suite name")
    with database.writing() as connection:
        if not again and (known := _number(connection, "suites", name, digest)):
            return known
        newest = _newest(connection, "suites", name)
        if newest and newest[1] == digest:
            return newest[0]
        number = newest[0] + 1 if newest else 1
        connection.execute(
            "insert into suites values (?, ?, ?, ?, ?)", [name, number, digest, json_text(spec), datetime.now(UTC)]
        )
    return number


def suite_spec(database: Database, reference: str) -> dict[str, Any]:
    """Return the description of the newest suite of that name, or of the one with that digest."""
    with database.reading() as connection:
        found = first(
            connection,
            "select spec from suites where name = $it or digest = $it order by number desc limit 1",
            {"it": reference},
        )
        if not found:
            told = deleted_suite(connection, reference) or _unknown(connection, "suites", "suite", reference)
            raise SuiteNotFoundError(told, name=reference)
    spec: dict[str, Any] = json.loads(found[0])
    return spec


def suites(database: Database) -> pandas.DataFrame:
    """Return a line for each suite: name, digest, spec, versions, created_at."""
    with database.reading() as connection:
        frame = dataframe(
            connection,
            """
            select name, arg_max(digest, number) as digest, arg_max(spec, number) as spec,
                   count(*) as versions, max(created_at) as created_at
            from suites group by name order by name
            """,
        )
    frame["spec"] = [json.loads(spec) for spec in frame["spec"]]
    return frame


def save_endpoint(
    database: Database,
    name: str,
    base_url: str,
    key_env: str | None = None,
    *,
    rpm: float | None = None,
    tpm: float | None = None,
    transport: str | None = None,
) -> SavedEndpoint:
    """Keep where a model is reached, in the place of what that name said before."""
    check_name(name, "endpoint name")
    check_endpoint_url(base_url)
    check_key_env(key_env)
    with database.writing() as connection:
        connection.execute(
            f"insert into endpoints ({_ENDPOINT}, saved_at) values (?, ?, ?, ?, ?, ?, ?) on conflict do update set"
            " base_url = excluded.base_url, key_env = excluded.key_env, saved_at = excluded.saved_at,"
            " rpm = excluded.rpm, tpm = excluded.tpm, transport = excluded.transport",
            [name, base_url, key_env, rpm, tpm, transport, datetime.now(UTC)],
        )
    return SavedEndpoint(name, base_url, key_env, rpm, tpm, transport)


def endpoint(database: Database, name: str) -> SavedEndpoint:
    """Return the endpoint of that name."""
    with database.reading() as connection:
        found = first(connection, f"select {_ENDPOINT} from endpoints where name = ?", [name])
        if not found:
            raise EndpointNotFoundError(_unknown(connection, "endpoints", "endpoint", name), name=name)
    return SavedEndpoint(*found)


def endpoints(database: Database) -> list[SavedEndpoint]:
    """Return every endpoint, by name."""
    with database.reading() as connection:
        found = connection.execute(f"select {_ENDPOINT} from endpoints order by name").fetchall()
    return [SavedEndpoint(*row) for row in found]


def _newest(connection: Connection, table: str, name: str) -> tuple[int, str] | None:
    row = first(connection, f"select number, digest from {table} where name = ? order by number desc limit 1", [name])
    return (row[0], row[1]) if row else None


def _unknown(connection: Connection, table: str, noun: str, name: str, digest: str | None = None) -> str:
    names = [row[0] for row in connection.execute(f"select distinct name from {table} order by name").fetchall()]
    if digest is not None and name in names:
        what = digest if digest.startswith("#") else f"with the digest {digest}"
        return f"the {noun} {name!r} has no version {what}"
    listed = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    missing = deleted(connection, name) if noun == "dataset" else ""
    return f"there is no {noun} {name!r} in this workspace: it holds {listed or 'none yet'}{missing}"
