"""Reading the change log, whole or as far as somebody may see it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from pressmark.prompts import LATEST, Entry, FrozenDict
from pressmark.registry import policies, schema
from pressmark.registry.values import Principal
from pressmark.wire import read_time

_PAGE = 500


def newest_first(
    connection: sa.Connection, principal: Principal, *, name: str | None, limit: int, before: int | None
) -> list[Entry]:
    """Return entries that the principal may see, the newest first.

    Args:
        connection: A moment of the store.
        principal: Who asks; what is out of their scope is left out of an entry, or the entry out of the answer.
        name: Only what concerns this prompt.
        limit: How many at most.
        before: Only entries older than this sequence number.
    """
    found: list[Entry] = []
    for entry in _descending(connection, name, before):
        if shown := within_scope(connection, principal, entry):
            found.append(shown)
        if len(found) == limit:
            break
    return found


def after(connection: sa.Connection, seq: int, *, limit: int | None = None) -> Iterator[Entry]:
    """Give entries in order, from the one after `seq`."""
    while limit is None or limit > 0:
        page = _PAGE if limit is None else min(_PAGE, limit)
        rows = connection.execute(
            sa.select(schema.log).where(schema.log.c.seq > seq).order_by(schema.log.c.seq).limit(page)
        ).all()
        yield from map(entry_of, rows)
        if len(rows) < page:
            return
        seq = rows[-1].seq
        limit = None if limit is None else limit - page


def one(connection: sa.Connection, seq: int) -> Entry:
    """Return the entry with that number, which must exist."""
    return entry_of(connection.execute(sa.select(schema.log).where(schema.log.c.seq == seq)).one())


def within_scope(connection: sa.Connection, principal: Principal, entry: Entry) -> Entry | None:
    """Return the entry as the principal may see it, or None."""
    data = entry.data
    if entry.kind == "publish":
        if not principal.sees_name(data["name"]):
            return None
        hidden = principal.narrow and not ever_pointed(connection, principal, data["name"], data["version"])
        return None if hidden else entry
    if entry.kind == "policy":
        return entry if policies.seen_by(principal, data["label"], data["names"]) else None
    if "moves" not in data:
        return entry if principal.role == "admin" else None
    moves = [
        move for move in data["moves"] if principal.sees_name(move["name"]) and principal.sees_label(move["label"])
    ]
    if not moves or len(moves) == len(data["moves"]):
        return entry if moves else None
    shown = FrozenDict({**data, "moves": moves})
    return Entry(
        entry.seq, entry.kind, entry.at, entry.actor, entry.reason, shown, entry.previous, entry.hash
    )  # fmt: skip


def ever_pointed(connection: sa.Connection, principal: Principal, name: str, version: int) -> bool:
    """Say whether a label that the principal sees points to the version, or did."""
    found = connection.execute(
        sa.select(schema.moves.c.label).where(schema.moves.c.name == name, schema.moves.c.version == version).distinct()
    ).scalars()
    return any(principal.sees_label(label) for label in found)


def moved_labels(entry: Entry) -> list[dict[str, Any]]:
    """Return the labels that an entry moved: name, label, version, digest. A publication moves `latest`."""
    if entry.kind == "publish":
        return [
            {
                "name": entry.data["name"],
                "label": LATEST,
                "version": entry.data["version"],
                "digest": entry.data["digest"],
            }
        ]
    return [
        {"name": move["name"], "label": move["label"], "version": move["to"], "digest": move["digest"]}
        for move in entry.data.get("moves", ())
    ]


def entry_of(row: Any) -> Entry:
    """Read an entry from its row."""
    return Entry(
        row.seq,
        row.kind,
        read_time(row.at),
        row.actor,
        row.reason,
        FrozenDict(json.loads(row.data)),
        row.previous,
        row.hash,
    )


def _descending(connection: sa.Connection, name: str | None, before: int | None) -> Iterator[Entry]:
    while True:
        query = sa.select(schema.log).order_by(schema.log.c.seq.desc()).limit(_PAGE)
        if before is not None:
            query = query.where(schema.log.c.seq < before)
        if name is not None:
            query = query.where(schema.log.c.seq.in_(sa.select(schema.moves.c.seq).where(schema.moves.c.name == name)))
        rows = connection.execute(query).all()
        yield from map(entry_of, rows)
        if len(rows) < _PAGE:
            return
        before = rows[-1].seq
