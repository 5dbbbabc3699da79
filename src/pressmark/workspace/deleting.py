"""Deleting what must go, such as a dataset with personal data, and remembering who did it and why."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from pressmark.errors import DatasetNotFoundError, WorkspaceError
from pressmark.workspace import journal as journals
from pressmark.workspace.batches import clean, first, json_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection

    from pressmark.workspace.connection import Database


class Deletion(NamedTuple):
    """What goes with a dataset.

    Attributes:
        name: The dataset.
        versions: Its versions.
        rows: Rows of its newest version.
        suites: Suites on it.
        runs: Runs on it.
        outputs: Outputs of those runs, judges' among them.
        also_in: Other datasets that hold some of its rows or values, or were made by SQL since, and stay.
    """

    name: str
    versions: int
    rows: int
    suites: tuple[str, ...]
    runs: tuple[str, ...]
    outputs: int
    also_in: tuple[str, ...]


_ON_DATASET = "(spec->>'$.dataset.name') = $name and (spec->>'$.dataset.digest') in (select unnest($gone))"
# A judge's outputs stand under RUN/SCORER.
_OF_RUNS = "split_part(run_id, '/', 1) in (select unnest($runs))"

# A value that stands in one row alone is taken for that row's: a label, which stands in many, tells of nobody.
_ALSO_IN = """
with own as (select * from dataset_rows where digest in (select unnest($gone))),
others as (select name, created_at, origin->>'$.kind' as kind, data from datasets join dataset_rows using (digest)
    where name <> $name and digest not in (select unnest($gone))),
telling as (select value from (select row, unnest(json_extract(data, '$.*'))::varchar as value from own)
    where length(value) >= 6 group by value having count(distinct row) = 1)
select name from datasets where name <> $name and digest in (select unnest($gone))
union select name from others where data::varchar in (select data::varchar from own)
union select name from (select name, unnest(json_extract(data, '$.*'))::varchar as value from others)
    where value in (select value from telling)
union select name from others
    where kind = 'sql' and created_at > (select min(created_at) from datasets where name = $name)
order by name
"""


def weigh(database: Database, name: str) -> Deletion:
    """Return what deleting a dataset would take away; changes nothing."""
    with database.reading() as connection:
        return _weighed(connection, name)


def delete_dataset(database: Database, name: str, reason: str, author: str, *, runs: bool) -> Deletion:
    """Delete a dataset with the suites on it, and its runs with their outputs where asked; as `Store` describes it."""
    if not isinstance(reason, str) or not reason.strip():
        raise WorkspaceError(f"deleting {name!r} needs a reason, for those who miss it later: give reason='…'")
    journals.recover(database)  # an answer that waits in a dead process's journal must not come back
    with database.writing() as connection:
        found = _weighed(connection, name)
        if under_way := sorted(set(found.runs) & journals.owned_runs(database.path)):
            raise WorkspaceError(
                f"run {under_way[0]} is working on {name!r} just now, so nothing was deleted: stop it, then try again"
            )
        gone = _digests(connection, name)
        kept_by_others = connection.execute(
            "select distinct digest from datasets where name <> $name and digest in (select unnest($gone))",
            {"name": name, "gone": gone},
        ).fetchall()
        rows_gone = [digest for digest in gone if (digest,) not in kept_by_others]
        connection.execute("delete from dataset_rows where digest in (select unnest($gone))", {"gone": rows_gone})
        connection.execute("delete from datasets where name = ?", [name])
        connection.execute(f"delete from suites where {_ON_DATASET}", {"name": name, "gone": gone})
        if runs:
            # Evidence quotes outputs of its runs.
            connection.execute(
                "delete from evaluations where list_has_any("
                "cast(json_extract_string(parts, '$[*].run') as varchar[]), $runs)",
                {"runs": list(found.runs)},
            )
            for table in ("outputs", "scores", "ratings", "runs"):
                connection.execute(f"delete from {table} where {_OF_RUNS}", {"runs": list(found.runs)})
        told = {"versions": found.versions, "rows": found.rows, "suites": list(found.suites), "digests": gone}
        told |= {"runs": list(found.runs), "outputs": found.outputs} if runs else {}
        connection.execute(
            "insert into deletions values ('dataset', ?, ?, ?, ?, ?)",
            [name, clean(reason.strip()), clean(author), json_text(told), datetime.now(UTC)],
        )
    if runs:
        _forget_left_out(database, found.runs)
    return found if runs else found._replace(runs=(), outputs=0)


def deleted(connection: Connection, name: str) -> str:
    """Return how a dataset of that name came to be missing, as the end of a sentence; empty where it never was."""
    row = first(
        connection,
        "select author, deleted_at, reason from deletions where what = 'dataset' and name = ?"
        " order by deleted_at desc limit 1",
        [name],
    )
    return f". {row[0]} deleted it on {row[1].astimezone(UTC):%Y-%m-%d}: {row[2]}" if row else ""


def deleted_rows(connection: Connection, digest: str) -> str:
    """Return how these rows came to be missing, as a sentence; empty where they are there, or never were.

    Args:
        connection: An open transaction.
        digest: Of a version of a dataset.
    """
    row = first(
        connection,
        "select name from deletions where what = 'dataset' and list_contains(cast(told->'$.digests' as varchar[]), $it)"
        " and not exists (select 1 from datasets where digest = $it) order by deleted_at desc limit 1",
        {"it": digest},
    )
    return f"dataset {row[0]!r} was deleted{deleted(connection, row[0])}" if row else ""


def deleted_suite(connection: Connection, reference: str) -> str:
    """Return how a suite went with its dataset, as a sentence; empty where it never did.

    Args:
        connection: An open transaction.
        reference: The suite's name or digest; runs tell the name of one that is gone.
    """
    row = first(
        connection,
        """
        with named as (
            select coalesce(
                (select spec->>'$.suite.name' from runs where (spec->>'$.suite.digest') = $it limit 1), $it) as suite)
        select suite, name from named join deletions
            on what = 'dataset' and list_contains(cast(told->'$.suites' as varchar[]), suite)
        order by deleted_at desc limit 1
        """,
        {"it": reference},
    )
    if row is None:
        return ""
    suite, dataset = row
    told = f"suite {suite!r} went with its dataset {dataset!r}{deleted(connection, dataset)}"
    return f"{told}. What was answered on it is kept, in the runs' results: make the suite anew to judge more"


def _weighed(connection: Connection, name: str) -> Deletion:
    newest = first(connection, "select count(*), arg_max(row_count, number) from datasets where name = ?", [name])
    if newest is None or newest[0] == 0:
        names = [row[0] for row in connection.execute("select distinct name from datasets order by name").fetchall()]
        raise DatasetNotFoundError(
            f"there is no dataset {name!r} to delete: the workspace holds {', '.join(names[:8]) or 'none'}"
            f"{deleted(connection, name)}",
            name=name,
        )
    values: dict[str, Any] = {"name": name, "gone": _digests(connection, name)}
    suites = connection.execute(f"select distinct name from suites where {_ON_DATASET} order by name", values)
    suite_names = tuple(row[0] for row in suites.fetchall())
    specs = connection.execute(f"select digest from suites where {_ON_DATASET}", values).fetchall()
    ids = [
        row[0]
        for row in connection.execute(
            "select run_id from runs where dataset in (select unnest($gone))"
            " and (spec->>'$.suite.digest') in (select unnest($specs)) order by run_id",
            {"gone": values["gone"], "specs": [row[0] for row in specs]},
        ).fetchall()
    ]
    outputs = first(connection, f"select count(*) from outputs where {_OF_RUNS}", {"runs": ids})
    also = connection.execute(_ALSO_IN, values).fetchall()
    assert outputs is not None  # an aggregate always has a row
    return Deletion(name, newest[0], newest[1], suite_names, tuple(ids), outputs[0], tuple(row[0] for row in also))


def _digests(connection: Connection, name: str) -> list[str]:
    return [
        row[0] for row in connection.execute("select distinct digest from datasets where name = ?", [name]).fetchall()
    ]


def _forget_left_out(database: Database, runs: tuple[str, ...]) -> None:
    """Lines of a journal that were no outputs were set aside in files: those of deleted runs go too."""
    for path in journals.directory_of(database.path).glob("*.left-out"):
        if path.name.rpartition("~")[0] in runs:
            path.unlink(missing_ok=True)
    with suppress(OSError):  # others may be in it
        journals.directory_of(database.path).rmdir()
