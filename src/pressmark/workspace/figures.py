"""A run in numbers, gathered in SQL: what a report is made of, without reading a single output's text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pressmark.errors import RunNotFoundError
from pressmark.evals.figures import CUT, MEASURES, TIMED, Figures, Missing, Rating, Shown
from pressmark.workspace.batches import first

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection

    from pressmark.workspace.connection import Database

_JUDGED: Final = """
    with told as (
        select unnest(map_entries(cast(json_extract(details, '$.record.judgements') as map(varchar, json)))) as judged
        from outputs where run_id = $run and details is not null
            and json_extract(details, '$.record.judgements') is not null),
    votes as (
        select judged.key as scorer, json_extract_string(judged.value, '$.order') as shown,
               json_extract_string(judged.value, '$.vote') as vote,
               coalesce(json_extract_string(judged.value, '$.model'), '') as model
        from told)
    select scorer, shown, vote, model, count(*) from votes where shown is not null group by all order by all
"""

_CUT: Final = f"""
    case when error_kind is not null then null when finish_reason in {CUT} then finish_reason
        when coalesce(output, '') = '' then 'empty' end"""


def figures(database: Database, run_id: str) -> Figures:
    """Return a run's figures.

    Raises:
        RunNotFoundError: There is no such run.
    """
    with database.reading() as connection:
        if not first(connection, "select 1 from runs where run_id = ?", [run_id]):
            raise RunNotFoundError(
                f"there is no run {run_id!r} in this workspace: ws.runs() lists those that are there", run_id=run_id
            )
        return Figures(
            scores=_scores(connection, run_id),
            measured=_measured(connection, run_id),
            asked=_asked(connection, run_id),
            errors=_counted(connection, "error_kind", run_id),
            cut=_counted(connection, _CUT, run_id),
            missing=_missing(connection, run_id),
            shown=_shown(connection, run_id),
            served=_counted(connection, "model", run_id),
            ratings=_ratings(connection, run_id),
        )


def row_means(database: Database, run_id: str, version: str, scorer: str) -> list[float]:
    """Return a version's row scores by one scorer, the mean over repeats each."""
    with database.reading() as connection:
        found: Any = connection.execute(
            "select favg(value) as value from scores where run_id = ? and version = ? and scorer = ?"
            " and value is not null group by row order by row",
            [run_id, version, scorer],
        ).fetchnumpy()
    means: list[float] = found["value"].tolist()
    return means


def mean_cost(database: Database, run_id: str, version: str) -> float | None:
    """Return what an answer of a version costs on average in US dollars, or None where no price is known."""
    with database.reading() as connection:
        found = first(
            connection,
            "select avg(cost) from outputs where run_id = ? and version = ? and error_kind is null",
            [run_id, version],
        )
    return found[0] if found else None


def _scores(connection: Connection, run_id: str) -> dict[tuple[str, str], Mapping[int, float]]:
    keys = connection.execute(
        "select distinct version, scorer from scores where run_id = ? order by all", [run_id]
    ).fetchall()
    found: dict[tuple[str, str], Mapping[int, float]] = {}
    for version, scorer in keys:
        # A column at a time as numpy: a tuple a row takes five times as long.
        table = connection.execute(
            "select row, favg(value) as value from scores where run_id = ? and version = ? and scorer = ?"
            " and value is not null group by row order by row",
            [run_id, version, scorer],
        ).fetchnumpy()
        found[version, scorer] = _by_row(table)
    return found


def _measured(connection: Connection, run_id: str) -> dict[tuple[str, str], Mapping[int, float]]:
    versions = connection.execute("select distinct version from outputs where run_id = ?", [run_id]).fetchall()
    found: dict[tuple[str, str], Mapping[int, float]] = {}
    for (version,) in versions:
        for measure in MEASURES:
            counts = "and not cached" if measure in TIMED else ""
            table = connection.execute(
                f"select row, favg({measure}) as value from outputs where run_id = ? and version = ?"
                f" and error_kind is null {counts} and {measure} is not null group by row order by row",
                [run_id, version],
            ).fetchnumpy()
            if len(table["row"]):
                found[version, measure] = _by_row(table)
    return found


def _by_row(table: Mapping[str, Any]) -> dict[int, float]:
    return dict(zip(table["row"].tolist(), table["value"].tolist(), strict=True))


def _asked(connection: Connection, run_id: str) -> dict[str, list[int]]:
    told = connection.execute(
        "select version, list(distinct row order by row) from outputs where run_id = ? group by version", [run_id]
    ).fetchall()
    return {version: list(rows) for version, rows in told}


def _counted(connection: Connection, column: str, run_id: str) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for version, value, count in connection.execute(
        f"select version, {column}, count(*) from outputs where run_id = ? and {column} is not null group by all"
        " order by all",
        [run_id],
    ).fetchall():
        found.setdefault(version, {})[value] = count
    return found


def _missing(connection: Connection, run_id: str) -> dict[tuple[str, str], Missing]:
    told = connection.execute(
        "select version, scorer, count(*), arg_min(error, row) from scores where run_id = ? and error is not null"
        " group by version, scorer",
        [run_id],
    ).fetchall()
    return {(version, scorer): Missing(count, example) for version, scorer, count, example in told}


def _shown(connection: Connection, run_id: str) -> dict[str, dict[Shown, int]]:
    found: dict[str, dict[Shown, int]] = {}
    for scorer, order, vote, model, count in connection.execute(_JUDGED, {"run": run_id}).fetchall():
        found.setdefault(scorer, {})[Shown(order, vote, model)] = count
    return found


def _ratings(connection: Connection, run_id: str) -> tuple[Rating, ...]:
    """Votes between two versions: of each rater the last one on a pair; no grades, skips or second looks."""
    told = connection.execute(
        """
        select row, repeat, "left", "right", choice, rater from ratings
        where run_id = ? and "right" <> '' and not coalesce(again, false)
        qualify row_number() over (
            partition by row, repeat, rater, least("left", "right"), greatest("left", "right") order by rated_at desc
        ) = 1 and choice in ('left', 'right', 'tie')
        order by rated_at, row
        """,
        [run_id],
    ).fetchall()
    return tuple(Rating(*rating) for rating in told)
