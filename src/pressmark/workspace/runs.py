"""Runs and their outputs.

An output is one answer, or one error: a version, a row, a repeat. Recording it again replaces it, so a run that is
resumed puts answers where errors were, and a journal that is drained twice changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pressmark.errors import RunNotFoundError, WorkspaceError
from pressmark.workspace.batches import BIG, FLAG, INTEGER, REAL, TEXT, TIME, arrow, dataframe, first, insert, json_text

if TYPE_CHECKING:
    import pandas
    import pyarrow
    from duckdb import DuckDBPyConnection as Connection

    from pressmark.workspace.connection import Database

_OUTPUTS: Final = {
    "run_id": TEXT,
    "version": TEXT,
    "row": INTEGER,
    "repeat": INTEGER,
    "output": TEXT,
    "error": TEXT,
    "error_kind": TEXT,
    "model": TEXT,
    "fingerprint": TEXT,
    "finish_reason": TEXT,
    "response_id": TEXT,
    "tokens_in": BIG,
    "tokens_out": BIG,
    "cost": REAL,
    "latency": REAL,
    "ttft": REAL,
    "attempts": INTEGER,
    "cached": FLAG,
    "answered_at": TIME,
    "request_digest": TEXT,
    "message": TEXT,
    "details": TEXT,
}
_SCORES: Final = {
    "run_id": TEXT,
    "version": TEXT,
    "row": INTEGER,
    "repeat": INTEGER,
    "scorer": TEXT,
    "value": REAL,
    "error": TEXT,
}
_ANSWER: Final = (
    "output",
    "model",
    "fingerprint",
    "finish_reason",
    "response_id",
    "tokens_in",
    "tokens_out",
    "cost",
    "latency",
    "ttft",
)
_RECORD: Final = ("run_id", "version", "row", "repeat", "request_digest", "attempts", "cached")
_KEY: Final = ("run_id", "version", "row", "repeat")
_RUN: Final = "run_id, prompt, dataset, spec, status, started_at, finished_at, note, record"

Record = Mapping[str, Any]


class Batch(NamedTuple):
    """Outputs on their way into the file.

    Attributes:
        outputs: Rows of the table `outputs`, as Arrow.
        scores: Rows of the table `scores`, as Arrow.
    """

    outputs: pyarrow.Table
    scores: pyarrow.Table


class Run(NamedTuple):
    """A run as the file remembers it.

    Attributes:
        run_id: Its id.
        prompt: The name of the prompt, where it is one.
        dataset: The digest of its dataset.
        spec: What it was asked to do, as JSON.
        status: `running`, or what `finish_run` was told.
        started_at: When.
        finished_at: When, or None.
        note: Why it ended, where it was stopped or failed.
        record: How it came to its end, as JSON; empty for a run of the first release.
    """

    run_id: str
    prompt: str | None
    dataset: str | None
    spec: dict[str, Any]
    status: str
    started_at: datetime
    finished_at: datetime | None
    note: str | None
    record: dict[str, Any]


class Tally(NamedTuple):
    """How far a run has come.

    Attributes:
        done: Outputs recorded, errors among them.
        errors: How many are errors.
        cached: How many came from the answer cache.
        cost: US dollars paid, or None where no price is known.
        latency: Mean seconds an answer that was asked for, or None.
        error: The first row's error, in words, or None.
    """

    done: int
    errors: int
    cached: int
    cost: float | None
    latency: float | None
    error: str | None


def create(
    database: Database,
    run_id: str,
    spec: Mapping[str, Any],
    prompt: str | None = None,
    dataset: str | None = None,
    *,
    record: Mapping[str, Any] | None = None,
) -> Run:
    """Record that a run begins; the same id again takes it up where it stopped."""
    now = datetime.now(UTC)
    with database.writing() as connection:
        connection.execute(
            "insert into runs (run_id, prompt, dataset, spec, status, started_at, record)"
            " values (?, ?, ?, ?, 'running', ?, ?) on conflict do update"
            " set status = 'running', finished_at = null, note = null, record = coalesce(excluded.record, record)",
            [run_id, prompt, dataset, json_text(spec), now, None if record is None else json_text(record)],
        )
        return _found(connection, run_id)


def finish(
    database: Database,
    run_id: str,
    status: str,
    note: str | None = None,
    record: Mapping[str, Any] | None = None,
) -> None:
    """Record how a run ended."""
    with database.writing() as connection:
        _found(connection, run_id)
        connection.execute(
            "update runs set status = ?, finished_at = ?, note = ?, record = coalesce(?, record) where run_id = ?",
            [status, datetime.now(UTC), note, None if record is None else json_text(record), run_id],
        )


def one(database: Database, run_id: str) -> Run:
    """Return a run by its id."""
    with database.reading() as connection:
        return _found(connection, run_id)


def all_of(database: Database, prompt: str | None = None, limit: int | None = None) -> list[Run]:
    """Return the runs, the newest first; of one prompt where it is named."""
    with database.reading() as connection:
        rows = connection.execute(
            f"select {_RUN} from runs where prompt = $prompt or $prompt is null order by started_at desc limit $limit",
            {"prompt": prompt, "limit": limit},
        ).fetchall()
    return [_run(row) for row in rows]


def tally(database: Database, run_id: str) -> Tally:
    """Return how far a run has come, as far as its outputs are in the file."""
    with database.reading() as connection:
        _found(connection, run_id)
        row = first(
            connection,
            "select count(*), count(error_kind), count_if(cached), sum(cost) filter (not cached),"
            " avg(latency) filter (not cached), arg_min(error, row) filter (error_kind is not null)"
            " from outputs where run_id = ?",
            [run_id],
        )
    assert row is not None  # an aggregate always has a row
    return Tally(*row)


def spent(database: Database, run_id: str) -> dict[str, Any]:
    """Return the calls, tokens and US dollars that a run's outputs and their judges took, as far as they are known."""
    with database.reading() as connection:
        row = first(
            connection,
            "select coalesce(sum(attempts), 0), coalesce(sum(tokens_in + tokens_out) filter (not cached), 0),"
            " coalesce(sum(cost) filter (not cached), 0)"
            " from outputs where run_id = $run or starts_with(run_id, $run || '/')",
            {"run": run_id},
        )
    assert row is not None  # an aggregate always has a row
    return {"calls": int(row[0]), "tokens": int(row[1]), "money": float(row[2])}


def append(database: Database, records: Sequence[Record]) -> None:
    """Record outputs, in the place of those of the same run, version, row and repeat."""
    batch = prepare(records)
    if len(batch.outputs):
        with database.writing() as connection:
            write(connection, batch)


def prepare(records: Sequence[Record]) -> Batch:
    """Return records as the rows that they become; of several for one task the last counts.

    Raises:
        WorkspaceError: One of them is not the dict form of an output.
    """
    try:
        last = list({tuple(record[part] for part in _KEY): record for record in records}.values())
        outputs = [_output(record) for record in last]
        scores = [score for record in last for score in _scores(record)]
        return Batch(
            arrow(_OUTPUTS, {name: [output[name] for output in outputs] for name in _OUTPUTS}),
            arrow(_SCORES, {name: [score[name] for score in scores] for name in _SCORES}),
        )
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise WorkspaceError(
            f"this is not an output that can be recorded ({type(error).__name__}: {error}): give OutputRecord.to_dict()"
        ) from error


def write(connection: Connection, batch: Batch) -> None:
    """Record outputs in the transaction that is open."""
    connection.register("replaced", batch.outputs.select(list(_KEY)))
    try:
        same = " and ".join(f"kept.{part} = replaced.{part}" for part in _KEY)
        for table in ("outputs", "scores"):
            connection.execute(f"delete from {table} as kept using replaced where {same}")
    finally:
        connection.unregister("replaced")
    insert(connection, "outputs", batch.outputs)
    if len(batch.scores):
        insert(connection, "scores", batch.scores)


def results(database: Database, run_id: str) -> pandas.DataFrame:
    """Return a row for each output: version, row, repeat, output, error, a column for each scorer, tokens, cost, …"""
    with database.reading() as connection:
        _found(connection, run_id)
        scorers = [
            row[0]
            for row in connection.execute(
                "select distinct scorer from scores where run_id = ? order by scorer", [run_id]
            ).fetchall()
        ]
        # Numbered in SQL, where `Cost` and `cost` would be one column, and named afterwards.
        columns = [f", max(value) filter (scorer = $s{n}) as s{n}" for n, _ in enumerate(scorers, 1)]
        wide = f"select version, row, repeat {''.join(columns)} from scores where run_id = $run group by all"
        found = dataframe(
            connection,
            f"""
            with wide as ({wide})
            select outputs.version, outputs.row, outputs.repeat, output, outputs.error
                   {"".join(f", wide.s{n}" for n, _ in enumerate(scorers, 1))},
                   tokens_in, tokens_out, cost, latency, ttft, model, finish_reason, attempts, cached, error_kind,
                   answered_at
            from outputs left join wide using (version, row, repeat)
            where run_id = $run order by outputs.row, outputs.version, outputs.repeat
            """,
            {"run": run_id} | {f"s{n}": scorer for n, scorer in enumerate(scorers, 1)},
        )
    return found.rename(columns={f"s{n}": name for n, name in enumerate(_columns(scorers, found), 1)})


def records(database: Database, run_id: str) -> list[dict[str, Any]]:
    """Return the outputs of a run as they were recorded, in order of version, row and repeat."""
    with database.reading() as connection:
        _found(connection, run_id)
        outputs = connection.execute(
            f"select {', '.join(_OUTPUTS)} from outputs where run_id = ? order by version, row, repeat", [run_id]
        ).fetchall()
        scores = connection.execute(
            "select version, row, repeat, scorer, value, error from scores where run_id = ?", [run_id]
        ).fetchall()
    of: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for version, row, repeat, *score in scores:
        of.setdefault((version, row, repeat), []).append(tuple(score))
    return [
        _record(output := dict(zip(_OUTPUTS, values, strict=True)), of.get(_task(output), [])) for values in outputs
    ]


def records_of_row(database: Database, run_id: str, row: int) -> list[dict[str, Any]]:
    """Return what was recorded for one row: a run's outputs, and those of its judges and of prompts upstream."""
    its = "(run_id = $run or starts_with(run_id, $run || '/')) and row = $row"
    values = {"run": run_id, "row": row}
    with database.reading() as connection:
        _found(connection, run_id)
        outputs = connection.execute(
            f"select {', '.join(_OUTPUTS)} from outputs where {its} order by run_id, version, repeat", values
        ).fetchall()
        scores = connection.execute(
            f"select run_id, version, row, repeat, scorer, value, error from scores where {its} order by scorer", values
        ).fetchall()
    of: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for name, version, number, repeat, *score in scores:
        of.setdefault((name, version, number, repeat), []).append(tuple(score))
    told = [dict(zip(_OUTPUTS, found, strict=True)) for found in outputs]
    return [_record(output, of.get(tuple(output[part] for part in _KEY), [])) for output in told]


def answered(database: Database, run_id: str) -> set[tuple[str, int, int]]:
    """Return the tasks (version, row, repeat) of a run that have an answer and need not be asked again."""
    with database.reading() as connection:
        rows = connection.execute(
            "select version, row, repeat from outputs where run_id = ? and error_kind is null", [run_id]
        ).fetchall()
    return {(row[0], row[1], row[2]) for row in rows}


def cached_answers(database: Database, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the answers that are known for these cache keys; errors are never among them."""
    wanted = arrow({"key": TEXT}, {"key": list(dict.fromkeys(keys))})
    if not len(wanted):
        return {}
    with database.reading() as connection:
        connection.register("wanted", wanted)
        rows = connection.execute(
            f"select key, {', '.join(_ANSWER)}, message, details from answers semi join wanted using (key)"
            " qualify row_number() over (partition by key order by answered_at) = 1"
        ).fetchall()
    columns = (*_ANSWER, "message", "details")
    return {key: _answer(dict(zip(columns, values, strict=True))) for key, *values in rows}


def _output(record: Record) -> dict[str, Any]:
    answer = dict(record.get("answer") or {})
    error = record.get("error")
    error = error if isinstance(error, Mapping) or error is None else {"kind": "error", "message": str(error)}
    row: dict[str, Any] = {name: record.get(name) for name in _RECORD}
    row |= {name: answer.pop(name, None) for name in _ANSWER}
    row["cached"] = bool(record.get("cached"))
    row["error"] = error.get("message", "") if error else None
    row["error_kind"] = error.get("kind", "error") if error else None
    row["answered_at"] = _time(record.get("at"))
    message = answer.pop("message", None)
    row["message"] = None if message is None or message == _plain(row["output"]) else json_text(message)
    rest: dict[str, Any] = {}
    known = {*_RECORD, "answer", "error", "at", "scores", "score_errors"}
    if more := {name: value for name, value in record.items() if name not in known}:
        rest["record"] = more
    if answer:
        rest["answer"] = answer
    if error and (more := {name: value for name, value in error.items() if name not in ("kind", "message")}):
        rest["error"] = more
    row["details"] = json_text(rest) if rest else None
    return row


def _record(output: dict[str, Any], scores: list[tuple[Any, ...]]) -> dict[str, Any]:
    rest = json.loads(output["details"]) if output["details"] else {}
    failed = output["error_kind"] is not None
    error = {"kind": output["error_kind"], "message": output["error"]} | rest.get("error", {}) if failed else None
    at = output["answered_at"]
    return {
        **{name: output[name] for name in _RECORD},
        "answer": None if failed else _answer(output),
        "error": error,
        "at": at.astimezone(UTC).isoformat() if at else None,
        "scores": {scorer: value for scorer, value, _ in scores},
        "score_errors": {scorer: told for scorer, _, told in scores if told is not None},
        **rest.get("record", {}),
    }


def _answer(output: dict[str, Any]) -> dict[str, Any]:
    rest = json.loads(output["details"]) if output["details"] else {}
    message = json.loads(output["message"]) if output["message"] else _plain(output["output"])
    return {**{name: output[name] for name in _ANSWER}, "message": message, **rest.get("answer", {})}


def _plain(output: Any) -> dict[str, Any]:
    # The message of nearly every answer: not worth keeping beside the output.
    return {"role": "assistant", "content": output}


def _scores(record: Record) -> list[dict[str, Any]]:
    values = record.get("scores") or {}
    errors = record.get("score_errors") or {}
    key = {part: record[part] for part in _KEY}
    return [
        key | {"scorer": scorer, "value": values.get(scorer), "error": errors.get(scorer)}
        for scorer in dict.fromkeys([*values, *errors])
    ]


def _task(output: Mapping[str, Any]) -> tuple[Any, ...]:
    return output["version"], output["row"], output["repeat"]


def _time(value: Any) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    told = datetime.fromisoformat(value)
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def _found(connection: Connection, run_id: str) -> Run:
    row = first(connection, f"select {_RUN} from runs where run_id = ?", [run_id])
    if not row:
        raise RunNotFoundError(
            f"there is no run {run_id!r} in this workspace: ws.runs() lists those that are there", run_id=run_id
        )
    return _run(row)


def _run(row: tuple[Any, ...]) -> Run:
    run_id, prompt, dataset, spec, status, started_at, finished_at, note, record = row
    return Run(
        run_id,
        prompt,
        dataset,
        json.loads(spec),
        status,
        started_at.astimezone(UTC),
        finished_at.astimezone(UTC) if finished_at else None,
        note,
        json.loads(record) if record else {},
    )


def _columns(scorers: Sequence[str], frame: pandas.DataFrame) -> list[str]:
    # A scorer may be called `cost` or `output`, as a column already is.
    taken = set(frame.columns)
    names = []
    for scorer in scorers:
        name = scorer
        while name in taken:
            name += "_score"
        taken.add(name)
        names.append(name)
    return names
