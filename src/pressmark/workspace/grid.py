"""A run's grid: which rows to show and in which order, and what stands in them.

A run may have a million outputs, so which rows changed is decided in SQL over the two narrow columns it takes, and
only the rows of one page are read in full. Repeats count as one: a row's score is the mean over them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from pressmark.errors import DatasetNotFoundError, RunNotFoundError, WorkspaceError
from pressmark.workspace.batches import dataframe, first

if TYPE_CHECKING:
    import pandas
    from duckdb import DuckDBPyConnection as Connection

    from pressmark.workspace.connection import Database

Filter = Literal["all", "flipped", "better", "worse", "errors"]
Sort = Literal["row", "flipped", "change"]
Change = Literal["better", "worse", "same", "error", "pending"]
Direction = Literal["higher", "lower"]
CUT: Final = 400

_ORDERS: Final[dict[str, str]] = {
    "row": "row",
    "flipped": "case when worst < 0 then 0 when best > 0 then 1 when failed then 2 else 3 end, row",
    "change": "worst is null, worst, row",
}


@dataclass(frozen=True, slots=True)
class Order:
    """Rows to show.

    Attributes:
        rows: Their numbers, in order.
        counts: How many rows each filter would leave, with the search applied.
    """

    rows: tuple[int, ...]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Cell:
    """One version's answer to one row, all repeats as one.

    Attributes:
        output: The text of the first repeat that has one.
        cut: Whether text is missing from it.
        error: Why a repeat has no output, or None.
        pending: Whether nothing was recorded yet.
        scores: The mean over repeats by scorer; None where scoring failed.
        change: Against the baseline by the scorer asked for; None in the baseline's own cell.
        repeats: How many were recorded.
        tokens_in: Mean over repeats, rounded, or None.
        tokens_out: Likewise.
        cost: US dollars, the mean over repeats, or None.
        latency: Seconds, the mean over repeats, or None.
        cached: Whether every repeat came from the answer cache.
        model: The model that was served, or None.
        score_errors: Why a score is missing, by scorer.
        ttft: Seconds to the first token, the mean over repeats, or None where the answer was not streamed.
    """

    output: str = ""
    cut: bool = False
    error: str | None = None
    pending: bool = True
    scores: dict[str, float | None] = field(default_factory=dict)
    change: Change | None = None
    repeats: int = 0
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None
    latency: float | None = None
    cached: bool = False
    model: str | None = None
    score_errors: dict[str, str] = field(default_factory=dict)
    ttft: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the grid.

    Attributes:
        row: Its number in the dataset, from 0.
        values: The dataset's row; empty where the run names no dataset.
        cells: By version (digest), the baseline's first.
    """

    row: int
    values: dict[str, Any]
    cells: dict[str, Cell]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the grid.

    Attributes:
        rows: The rows on it.
        total: How many rows filter and search leave in all.
        counts: How many rows each filter would leave, with the search applied.
    """

    rows: tuple[Row, ...]
    total: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class View:
    """How a run is looked at.

    Attributes:
        run_id: The run.
        versions: Digests, the baseline first.
        scorer: Whose scores decide what changed; None where nothing is compared.
        direction: Which way that scorer is better.
        filter: Which rows to show.
        sort: In which order.
        search: Text that a row must hold, or empty.
        cut: Characters of each output; None for whole ones.
        within: Rows to leave the others out of all counts, such as those of a slice; None for every row.
    """

    run_id: str
    versions: tuple[str, ...]
    scorer: str | None = None
    direction: Direction = "higher"
    filter: Filter = "all"
    sort: Sort = "change"
    search: str = ""
    cut: int | None = CUT
    within: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if not self.versions:
            raise WorkspaceError("a grid shows at least one version, the baseline first: none was given")
        for name, known in (("filter", Filter), ("sort", Sort), ("direction", Direction)):
            if (given := getattr(self, name)) not in get_args(known):
                raise WorkspaceError(f"{name} is one of {', '.join(get_args(known))}; got {given!r}")

    @property
    def baseline(self) -> str:
        """The version that the others are compared with."""
        return self.versions[0]


def order(database: Database, view: View) -> Order:
    """Return which rows to show, as `Store.run_order` describes it."""
    with database.reading() as connection:
        return _order(connection, view)


def rows(database: Database, view: View, numbers: Sequence[int]) -> list[Row]:
    """Return these rows, in this order, as `Store.run_rows` describes it."""
    with database.reading() as connection:
        return _rows(connection, view, numbers)


def page(database: Database, view: View, offset: int, limit: int) -> Page:
    """Return one page of the grid, as `Store.run_page` describes it."""
    first = max(offset, 0)
    with database.reading() as connection:
        ordered = _order(connection, view)
        found = _rows(connection, view, ordered.rows[first : first + max(limit, 0)])
    return Page(tuple(found), len(ordered.rows), ordered.counts)


def paired_scores(
    database: Database, run_id: str, baseline: str, candidate: str, scorer: str, *, slice: str | None = None
) -> pandas.DataFrame:
    """Return row, baseline and candidate (means over repeats), as `Store.paired_scores` describes it."""
    with database.reading() as connection:
        dataset = _dataset(connection, run_id)
        frame = dataframe(
            connection,
            """
            select row, favg(value) filter (version = $baseline) as baseline,
                   favg(value) filter (version = $candidate) as candidate
            from scores where run_id = $run and scorer = $scorer and version in ($baseline, $candidate)
            group by row order by row
            """,
            {"run": run_id, "scorer": scorer, "baseline": baseline, "candidate": candidate},
        )
        if slice is not None:
            frame["slice"] = frame["row"].map(_column(connection, dataset, slice))
    return frame


def row_scores(database: Database, run_id: str, scorer: str | None = None) -> pandas.DataFrame:
    """Return version, scorer, row and value (the mean over repeats, NaN where missing) of a run."""
    with database.reading() as connection:
        _dataset(connection, run_id)
        return dataframe(
            connection,
            """
            select version, scorer, row, favg(value) as value from scores
            where run_id = $run and ($scorer is null or scorer = $scorer)
            group by version, scorer, row order by version, scorer, row
            """,
            {"run": run_id, "scorer": scorer},
        )


def _order(connection: Connection, view: View) -> Order:
    values: dict[str, Any] = {
        "run": view.run_id,
        "dataset": _dataset(connection, view.run_id),
        "versions": list(view.versions),
        "scorer": view.scorer,
        "sign": 1.0 if view.direction == "higher" else -1.0,
    }
    # A column for each version: grouping by row alone takes half the time of grouping by row and version.
    means = [f", favg(value) filter (version = $v{n}) as v{n}" for n, _ in enumerate(view.versions)]
    values |= {f"v{n}": version for n, version in enumerate(view.versions)}
    differences = ", ".join(f"$sign * (v{n} - v0)" for n, _ in enumerate(view.versions) if n) or "$sign * null"
    kept_rows = []
    if view.within is not None:
        values["within"] = list(view.within)
        kept_rows.append("row in (select unnest($within))")
    if view.search:
        values["search"] = view.search
        kept_rows.append("""
            row in (
                select row from outputs where run_id = $run and version in (select unnest($versions))
                    and (contains(lower(output), lower($search)) or contains(lower(error), lower($search)))
                union
                select row from dataset_rows where digest = $dataset
                    and contains(lower(array_to_string(json_extract_string(data, '$.*'), chr(30))), lower($search)))
        """)
    found = f"where {' and '.join(kept_rows)}" if kept_rows else ""
    # The dataset's rows are all there are; to gather those of a million outputs would take half of the time.
    kept = first(
        connection, "select 1 from dataset_rows where digest = $dataset limit 1", {"dataset": values["dataset"]}
    )
    every = (
        "select row from dataset_rows where digest = $dataset"
        if kept
        else "select distinct row from outputs where run_id = $run and version in (select unnest($versions))"
    )
    if not kept and not view.search:
        del values["dataset"]
    table: dict[str, Any] = connection.execute(
        f"""
        with judged as (
            select row {"".join(means)} from scores
            where run_id = $run and scorer = $scorer and version in (select unnest($versions)) group by row),
        changes as (select row, least({differences}) as worst, greatest({differences}) as best from judged),
        failures as (
            select row, true as failed from outputs
            where run_id = $run and version in (select unnest($versions)) and error_kind is not null
            union select row, true from scores
            where run_id = $run and version in (select unnest($versions)) and error is not null),
        every as ({every})
        select row, coalesce(worst < 0, false) as worse, coalesce(best > 0, false) as better,
               coalesce(failed, false) as failed
        from every left join changes using (row) left join failures using (row) {found}
        order by {_ORDERS[view.sort]}
        """,
        values,
    ).fetchnumpy()
    worse, better, failed = table["worse"], table["better"], table["failed"]
    passes = {
        "flipped": worse | better,
        "better": better,
        "worse": worse,
        "errors": failed,
    }
    numbers = table["row"] if view.filter == "all" else table["row"][passes[view.filter]]
    counts = {"all": len(table["row"])} | {name: int(mask.sum()) for name, mask in passes.items()}
    return Order(tuple(numbers.tolist()), counts)


def _rows(connection: Connection, view: View, numbers: Sequence[int]) -> list[Row]:
    chosen = "run_id = $run and version in (select unnest($versions)) and row in (select unnest($rows))"
    values: dict[str, Any] = {
        "run": view.run_id,
        "versions": list(view.versions),
        "rows": [int(number) for number in numbers],
    }
    dataset = _dataset(connection, view.run_id)
    told = connection.execute(
        f"""
        select row, version, arg_min(output, repeat) filter (output is not null),
               arg_min(error, repeat) filter (error_kind is not null), count(*),
               avg(tokens_in), avg(tokens_out), avg(cost), avg(latency), bool_and(cached), any_value(model), avg(ttft)
        from outputs where {chosen} group by row, version
        """,
        values,
    ).fetchall()
    scored = connection.execute(
        f"""
        select row, version, scorer, favg(value), any_value(error) from scores where {chosen}
        group by row, version, scorer order by scorer
        """,
        values,
    ).fetchall()
    data = connection.execute(
        "select row, data from dataset_rows where digest = $dataset and row in (select unnest($rows))",
        {"dataset": dataset, "rows": values["rows"]},
    ).fetchall()

    scores: dict[tuple[int, str], dict[str, float | None]] = {}
    reasons: dict[tuple[int, str], dict[str, str]] = {}
    for row, version, name, value, error in scored:
        scores.setdefault((row, version), {})[name] = value
        if error is not None:
            reasons.setdefault((row, version), {})[name] = error
    cells = {
        (row, version): _cell(outputs, scores.get((row, version), {}), reasons.get((row, version), {}), view.cut)
        for row, version, *outputs in told
    }
    inputs = {row: json.loads(text) for row, text in data}
    nothing = Cell()
    return [
        Row(
            number,
            inputs.get(number, {}),
            {
                version: _compared(
                    cells.get((number, version), nothing), cells.get((number, view.baseline), nothing), view
                )
                if version != view.baseline and view.scorer is not None
                else cells.get((number, version), nothing)
                for version in view.versions
            },
        )
        for number in values["rows"]
    ]


def _cell(outputs: Sequence[Any], scores: dict[str, float | None], reasons: dict[str, str], cut: int | None) -> Cell:
    text, error, repeats, tokens_in, tokens_out, cost, latency, cached, model, ttft = outputs
    text = text or ""
    return Cell(
        output=text if cut is None else text[:cut],
        cut=cut is not None and len(text) > cut,
        error=error,
        pending=False,
        scores=scores,
        repeats=repeats,
        tokens_in=None if tokens_in is None else round(tokens_in),
        tokens_out=None if tokens_out is None else round(tokens_out),
        cost=cost,
        latency=latency,
        cached=cached,
        model=model,
        score_errors=reasons,
        ttft=ttft,
    )


def _compared(cell: Cell, baseline: Cell, view: View) -> Cell:
    assert view.scorer is not None
    return replace(cell, change=_change(cell, baseline, view.scorer, view.direction))


def _change(cell: Cell, baseline: Cell, scorer: str, direction: Direction) -> Change:
    if cell.pending or baseline.pending:
        return "pending"
    theirs, mine = baseline.scores.get(scorer), cell.scores.get(scorer)
    if theirs is None or mine is None:
        return "error"
    if theirs == mine:
        return "same"
    return "better" if (mine > theirs) == (direction == "higher") else "worse"


def _dataset(connection: Connection, run_id: str) -> str | None:
    found = first(connection, "select dataset from runs where run_id = ?", [run_id])
    if not found:
        raise RunNotFoundError(
            f"there is no run {run_id!r} in this workspace: ws.runs() lists those that are there", run_id=run_id
        )
    digest: str | None = found[0]
    return digest


def _column(connection: Connection, dataset: str | None, column: str) -> dict[int, Any]:
    found = connection.execute("select row, data from dataset_rows where digest = ?", [dataset]).fetchall()
    if not found:
        raise DatasetNotFoundError(f"the run's rows are not in this workspace, so it cannot be cut by {column!r}")
    return {row: json.loads(data).get(column) for row, data in found}
