"""Rows on their way into a dataset: where they come from, without repetitions, and how many."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pressmark.errors import DatasetError
from pressmark.evals import Dataset
from pressmark.evals.examples import Examples
from pressmark.evals.origin import HOLDOUT, TRAIN, Kind, Origin
from pressmark.workspace import import_rows

if TYPE_CHECKING:
    import os

    import pyarrow

    from pressmark import workspace as files
    from pressmark.interop.logs import Logs


class _Gathered(NamedTuple):
    """Rows, and how they were come by."""

    columns: Sequence[str]
    rows: list[dict[str, Any]]
    kind: Kind
    told: str
    filled: Sequence[str]


def made(
    store: files.Store,
    name: str,
    source: Any,
    *,
    sql: str | None,
    logs: str | os.PathLike[str] | None,
    unique: bool | str | Sequence[str] | None,
    near: float | None,
    sample: int | None,
    by: str | None,
    seed: int,
) -> Dataset:
    """Return the dataset that `ws.dataset` is asked to make, not kept yet.

    Raises:
        DatasetError: There are no rows, or the arguments do not fit together.
        WorkspaceError: The SQL is no query.
    """
    if by is not None and sample is None:
        raise DatasetError(f"by={by!r} says how a sample is drawn: give sample=, the number of rows")
    told = _gathered(store, source, sql, logs)
    found = Dataset.of(name, told.rows, told.columns, origin=Origin(told.kind, told=told.told))
    # A log repeats itself; what somebody put together says what they meant.
    wanted = unique if unique is not None else (told.kind == "logs" or near is not None)
    if wanted is not False:
        columns = (list(told.filled) or None) if wanted is True else wanted
        found = found.unique(columns, near=near)
    elif near is not None:
        raise DatasetError("near= leaves out nearly equal rows, and unique=False keeps equal ones: give one of them")
    return found if sample is None else found.sample(sample, by=by, seed=seed)


def _gathered(store: files.Store, source: Any, sql: str | None, logs: str | os.PathLike[str] | None) -> _Gathered:
    if source is not None and (sql is not None or logs is not None):
        raise DatasetError("rows come from one place: give a source, or sql=, or logs= (with sql= over them)")
    if logs is None and sql is None:
        rows = import_rows(source)
        return _Gathered(rows.columns, rows.rows, "rows", "", ())
    if logs is None:
        assert sql is not None
        rows = import_rows(store.sql_table(sql))
        return _Gathered(rows.columns, rows.rows, "sql", "by SQL over the workspace", ())
    from pressmark.interop.logs import read_logs

    read = read_logs(logs)
    if sql is None:
        return _Gathered(read.columns, read.rows, "logs", read.told, read.filled)
    rows = import_rows(store.sql_table(sql, _table(read)))
    return _Gathered(rows.columns, rows.rows, "logs", f"by SQL over {read.told}", ())


def _table(logs: Logs) -> pyarrow.Table:
    """The rows of a log for SQL: columns of one type as they are, what is nested or mixed as JSON text."""
    import pyarrow

    columns = {}
    for name in logs.columns:
        values = [row[name] for row in logs.rows]
        kinds = {type(value) for value in values if value is not None}
        if not kinds:
            columns[name] = pyarrow.array(values, pyarrow.string())
        elif len(kinds) == 1 and kinds <= {str, int, float, bool}:
            columns[name] = pyarrow.array(values)
        else:
            texts = [v if v is None or isinstance(v, str) else json.dumps(v, ensure_ascii=False) for v in values]
            columns[name] = pyarrow.array(texts, pyarrow.string())
    return pyarrow.table(columns)


def chosen_examples(store: files.Store, dataset: Dataset, rows: int, by: str | None, seed: int) -> Examples:
    """Return rows of a train part to show a model, as `ws.examples` describes it; never of a holdout.

    Raises:
        DatasetError: The dataset is a holdout, or was not split.
    """
    if dataset.origin.part == HOLDOUT:
        raise DatasetError(
            f"dataset {dataset.name!r} is a holdout: a prompt that shows its rows could not be judged by it. Take"
            " examples from the train part of the same split"
        )
    train = [dataset] if dataset.origin.part == TRAIN else store.train_parts(dataset.digest)
    if not train:
        raise DatasetError(
            f"dataset {dataset.name!r} was not split, at least not in this version ({dataset.digest[:15]}): a prompt"
            f" that shows its rows would be judged by them. Split it first: ws.split({dataset.name!r}, holdout=0.3)"
        )
    drawn = train[0].sample(rows, by=by, seed=seed)
    return Examples(drawn, drawn.rows)
