"""Autosaved drafts and the steps that led to them.

A draft is what an editor holds, whatever state it is in. Every save makes a step, or goes on with the one that the same
view began a moment ago; undo and redo walk over the steps, in whatever process. Each change raises the draft's
revision. Who saves says which revision they had before them: where another hand was quicker nothing is overwritten, and
what they had becomes the step before, so that it is one undo away.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pressmark.errors import DraftConflictError, WorkspaceError
from pressmark.prompts import check_name
from pressmark.workspace.batches import first, json_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection

    from pressmark.workspace.connection import Database

MOST_STEPS: Final = 100
MOST_CHARACTERS: Final = 8_000_000
# What one view types within this time is undone at once.
ONE_STEP: Final = timedelta(seconds=2)
_ASIDE: Final = " aside"


class Draft(NamedTuple):
    """An autosaved draft.

    Attributes:
        body: Whatever the editor held, as JSON.
        base: The version that it was begun from, such as `#3`, or None.
        saved_at: When.
    """

    body: dict[str, Any]
    base: str | None
    saved_at: datetime


class Steps(NamedTuple):
    """Where a prompt's draft stands among its steps.

    Attributes:
        revision: Counts its changes; 0 where it never had one.
        undo: How many steps can be undone.
        redo: How many can be done again.
    """

    revision: int
    undo: int
    redo: int


class _Made(NamedTuple):
    """A step on its way: what was typed, from which version, by whom and when."""

    text: str
    base: str | None
    view: str
    now: datetime


def save(
    database: Database,
    name: str,
    body: Mapping[str, Any],
    base: str | None = None,
    *,
    expected: int | None = None,
    start: Mapping[str, Any] | None = None,
    view: str = "",
    now: datetime | None = None,
) -> datetime:
    """Keep a draft, in the place of the one before; `Store.save_draft` tells the rest."""
    check_name(name)
    now = now or datetime.now(UTC)
    made = _Made(json_text(body), base, view, now)
    with database.writing() as connection:
        revision, step = _head(connection, name)
        overtaken = expected is not None and revision not in (0, expected)
        if overtaken:
            at = _set_aside(connection, name, step, made)
        else:
            if step == 0 and start is not None and json_text(start) != made.text:
                step = _put_step(connection, name, 0, made._replace(text=json_text(start), view=""))
            step = _next_step(connection, name, step, made)
            _keep(connection, name, made.text, base, now)
            _set_head(connection, name, revision + 1, _bounded(connection, name, step))
    if overtaken:
        when = f" at {at:%H:%M:%S} UTC" if at else ""
        raise DraftConflictError(
            f"the draft of {name!r} was changed elsewhere{when}, after what is shown here was read. Neither is lost:"
            " choose which one to go on with; the other one is one undo away",
            name=name,
            revision=revision,
        )
    return now


def one(database: Database, name: str) -> Draft | None:
    """Return the draft of a prompt, or None where there is none."""
    with database.reading() as connection:
        row = first(connection, "select body, base, saved_at from drafts where prompt = ?", [name])
    return Draft(json.loads(row[0]), row[1], row[2].astimezone(UTC)) if row else None


def steps(database: Database, name: str) -> Steps:
    """Return where the draft stands among its steps."""
    with database.reading() as connection:
        revision, step = _head(connection, name)
        row = first(
            connection,
            "select count(*) filter (step < $step), count(*) filter (step > $step) from draft_steps"
            " where prompt = $name",
            {"step": step, "name": name},
        )
    assert row is not None  # an aggregate always has a row
    return Steps(revision, row[0], row[1])


def walk(database: Database, name: str, by: int) -> None:
    """Go so many steps back (negative) or forth."""
    with database.writing() as connection:
        revision, step = _head(connection, name)
        side, order = ("<", "desc") if by < 0 else (">", "")
        row = first(
            connection,
            f"select step, body, base from draft_steps where prompt = ? and step {side} ? order by step {order}"
            " limit 1 offset ?",
            [name, step, abs(by) - 1],
        )
        if row is None:
            raise WorkspaceError(f"there is nothing more to {'undo' if by < 0 else 'do again'} in {name!r}")
        _keep(connection, name, row[1], row[2], datetime.now(UTC))
        _set_head(connection, name, revision + 1, row[0])


def close(database: Database, name: str, body: Mapping[str, Any], base: str | None, *, saved: bool) -> None:
    """End a draft that became a version, or was discarded for one; its steps stay, so that it can be undone."""
    now = datetime.now(UTC)
    with database.writing() as connection:
        connection.execute("delete from drafts where prompt = ?", [name])
        revision, step = _head(connection, name)
        if step == 0:
            return
        if saved:
            connection.execute("update draft_steps set base = ? where prompt = ?", [base, name])
        step = _next_step(connection, name, step, _Made(json_text(body), base, "", now))
        _set_head(connection, name, revision + 1, _bounded(connection, name, step))


def delete(database: Database, name: str) -> None:
    """Forget a draft and all its steps; where there is none, nothing happens."""
    with database.writing() as connection:
        connection.execute("delete from drafts where prompt = ?", [name])
        connection.execute("delete from draft_steps where prompt = ?", [name])
        # The count goes on, so that a page which still shows the draft does not bring it back unasked.
        connection.execute("update draft_heads set revision = revision + 1, step = 0 where prompt = ?", [name])


def _head(connection: Connection, name: str) -> tuple[int, int]:
    row = first(connection, "select revision, step from draft_heads where prompt = ?", [name])
    return (row[0], row[1]) if row else (0, 0)


def _set_head(connection: Connection, name: str, revision: int, step: int) -> None:
    connection.execute(
        "insert into draft_heads values (?, ?, ?) on conflict do update"
        " set revision = excluded.revision, step = excluded.step",
        [name, revision, step],
    )


def _keep(connection: Connection, name: str, text: str, base: str | None, now: datetime) -> None:
    connection.execute(
        "insert into drafts values (?, ?, ?, ?) on conflict do update"
        " set body = excluded.body, base = excluded.base, saved_at = excluded.saved_at",
        [name, text, base, now],
    )


def _next_step(connection: Connection, name: str, step: int, made: _Made) -> int:
    """Drop what was undone, then go on with the view's own step of a moment ago, or make a new one."""
    connection.execute("delete from draft_steps where prompt = ? and step > ?", [name, step])
    last = first(
        connection,
        "select body = ? and base is not distinct from ?, view, made_at from draft_steps where prompt = ? and step = ?",
        [made.text, made.base, name, step],
    )
    if last is not None and last[0]:
        return step
    if last is not None and made.view and last[1] == made.view and made.now - last[2] < ONE_STEP:
        connection.execute(
            "update draft_steps set body = ?, base = ? where prompt = ? and step = ?",
            [made.text, made.base, name, step],
        )
        return step
    return _put_step(connection, name, step, made)


def _put_step(connection: Connection, name: str, step: int, made: _Made) -> int:
    connection.execute("insert into draft_steps values (?, ?, ?, ?, ?, ?)", [name, step + 1, *made])
    return step + 1


def _set_aside(connection: Connection, name: str, step: int, made: _Made) -> datetime | None:
    """Keep what came too late as the step before; return when the other hand saved."""
    row = first(connection, "select view from draft_steps where prompt = ? and step = ?", [name, step - 1])
    if row is not None and row[0] == made.view + _ASIDE:
        connection.execute(
            "update draft_steps set body = ?, base = ? where prompt = ? and step = ?",
            [made.text, made.base, name, step - 1],
        )
    else:
        connection.execute("update draft_steps set step = step + 1 where prompt = ? and step >= ?", [name, step])
        connection.execute(
            "insert into draft_steps values (?, ?, ?, ?, ?, ?)", [name, step, *made._replace(view=made.view + _ASIDE)]
        )
        connection.execute("update draft_heads set step = step + 1 where prompt = ?", [name])
    told = first(connection, "select saved_at from drafts where prompt = ?", [name])
    return told[0].astimezone(UTC) if told else None


def _bounded(connection: Connection, name: str, step: int) -> int:
    """Forget the oldest steps where there are too many or they take too much room; the last two always stay."""
    connection.execute(
        """
        delete from draft_steps where prompt = $name and step in (
            select step from (
                select step, row_number() over newest as place, sum(length(body::varchar)) over newest as room
                from draft_steps where prompt = $name window newest as (order by step desc))
            where place > 2 and (place > $most or room > $room))
        """,
        {"name": name, "most": MOST_STEPS, "room": MOST_CHARACTERS},
    )
    return step
