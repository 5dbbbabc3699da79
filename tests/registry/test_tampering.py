"""Whoever changes the database past the registry is found, and the first entry that is wrong is named."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pressmark.errors import LogTamperedError
from pressmark.prompts import Entry
from pressmark.prompts.changelog import entry_hash
from pressmark.prompts.policy import SOLO, TEAM
from pressmark.registry import changes, packing, schema, verification
from pressmark.registry.store import Store

from .making import publish, unit
from .proving import parquet, prove, suite

NAME = "support/triage"
ENTRIES = 8


@pytest.fixture
def written(store: Store) -> Store:
    """A store with a history, whose walls against stray changes an attacker has taken down."""
    publish(store, NAME, "one", "two", "one")
    publish(store, "other")
    store.move(NAME, label="production", to="v1", reason="go", expected=None)
    store.move(NAME, label="production", to="v2", reason="go", expected="v1")
    store.move("other", label="production", to="v1", reason="go", expected=None)
    store.rollback(NAME, label="production", reason="bad", expected="v2")
    assert store.verify().count == ENTRIES
    with store.database.engine.begin() as connection:
        for table in ("log", "units", "versions", "moves"):
            if store.database.is_postgres:
                connection.exec_driver_sql(f"DROP TRIGGER {table}_frozen ON {table}")
            else:
                connection.exec_driver_sql(f"DROP TRIGGER {table}_no_update")
                connection.exec_driver_sql(f"DROP TRIGGER {table}_no_delete")
    return store


def tamper(store: Store, statement: Any) -> None:
    """Change rows past the registry."""
    with store.database.engine.begin() as connection:
        connection.execute(statement)


def found(store: Store) -> int:
    """The entry that verify names."""
    with pytest.raises(LogTamperedError, match=r"backup") as told:
        store.verify()
    assert str(told.value.seq) in str(told.value)
    return told.value.seq


LOG = schema.log.c
ALTERED = {
    "kind": "policy",
    "at": "2020-01-01T00:00:00.000000Z",
    "actor": "eve",
    "reason": "because",
    "data": '{"moves":[]}',
    "previous": "sha256:" + "1" * 64,
    "hash": "sha256:" + "2" * 64,
}


def test_altered_entry(written: Store) -> None:
    """An entry of which any field was altered is named."""
    for seq, before in rows_of_log(written).items():
        for field, value in ALTERED.items():
            tamper(written, schema.log.update().where(LOG.seq == seq).values({field: value}))
            assert found(written) == seq, field
            tamper(written, schema.log.update().where(LOG.seq == seq).values({field: before[field]}))
    written.verify()


def test_deleted_entry(written: Store) -> None:
    """A deleted entry is named, also where it was the last one."""
    for seq, before in rows_of_log(written).items():
        tamper(written, schema.log.delete().where(LOG.seq == seq))
        assert found(written) == seq
        tamper(written, schema.log.insert().values(before))
    written.verify()


def test_swapped_entries(written: Store) -> None:
    """Of two entries that changed places the first is named."""

    def swap(seq: int) -> None:
        for old, new in ((seq, 99), (seq + 1, seq), (99, seq + 1)):
            tamper(written, schema.log.update().where(LOG.seq == old).values(seq=new))

    for seq in range(1, ENTRIES):
        swap(seq)
        assert found(written) == seq
        swap(seq)
    written.verify()


def test_rehashed_entry(written: Store) -> None:
    """An altered entry whose own hash was made to fit is found at the one after it."""
    with written.database.read() as connection:
        entry = changes.one(connection, 5)
    forged = rehashed(entry, reason="another reason")
    tamper(written, schema.log.update().where(LOG.seq == 5).values(reason="another reason", hash=forged))
    assert found(written) == 6


def test_rehashed_tail(written: Store) -> None:
    """Where the last entry was altered and its hash made to fit, the registry's own head gives it away."""
    with written.database.read() as connection:
        entry = changes.one(connection, ENTRIES)
    forged = rehashed(entry, reason="another reason")
    tamper(written, schema.log.update().where(LOG.seq == ENTRIES).values(reason="another reason", hash=forged))
    assert found(written) == ENTRIES


def test_unreadable_entry(written: Store) -> None:
    """An entry that cannot even be read is named."""
    tamper(written, schema.log.update().where(LOG.seq == 4).values(data="not json"))
    assert found(written) == 4
    tamper(written, schema.log.update().where(LOG.seq == 3).values(at="yesterday"))
    assert found(written) == 3


ODD: dict[str, Any] = {
    "NULL": sa.null(),
    "text": "EVIL",
    "bytes": b"EVIL",
    "real": 1.5,
    "number": 77,
    "huge": 2**62,
    "empty": "",
    "not UTF-8": sa.text("CAST(x'ff' AS TEXT)"),
}


@pytest.mark.parametrize("table", ["registry", "log", "units", "versions", "labels", "moves"])
def test_odd_value_anywhere(sqlite_store: Store, table: str) -> None:
    """Whatever SQLite can hold is put into each column in turn: one sentence names an entry, never another error."""
    publish(sqlite_store, NAME, "one", "two", "one")
    sqlite_store.move(NAME, label="production", to="v1", reason="go", expected=None)
    without_walls(Path(sqlite_store.where), table)
    # An id of its own is all that another registry has, so none of its entries could tell; None, where it may stand.
    harmless = {("registry", "id"): ODD, ("registry", "registry"): ("text", "empty", "not UTF-8")}
    harmless |= {("registry", "epoch"): ("number", "huge"), ("versions", "restores"): ("NULL",)}
    harmless |= {("versions", "parent"): ("NULL",)}
    for column in schema.metadata.tables[table].columns:
        for kind, value in ODD.items():
            if kind in harmless.get((table, column.name), ()):
                continue
            target = sa.table(table, sa.column(column.name))
            with sqlite_store.database.engine.connect() as connection:
                opened: Any = connection.connection.driver_connection
                opened.execute("PRAGMA foreign_keys = OFF")
                tampering = connection.begin()
                connection.execute(target.update().where(sa.text("rowid = 1")).values({column.name: value}))
                with pytest.raises(LogTamperedError, match="backup") as told:
                    verification.verify(connection)
                tampering.rollback()
            named = {"registry": (4, 5), "labels": (3,)}.get(table, (1,))
            assert told.value.seq in named, (column.name, kind)
            assert re.search(rf"entry {told.value.seq}\b|where {told.value.seq} should stand", str(told.value))
    sqlite_store.verify()


def without_walls(file: Path, table: str) -> None:
    """Replace a table by one that takes anything."""
    columns = ", ".join(f'"{column.name}"' for column in schema.metadata.tables[table].columns)
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(
            f"CREATE TABLE bare ({columns}); INSERT INTO bare SELECT {columns} FROM {table};"
            f" DROP TABLE {table}; ALTER TABLE bare RENAME TO {table};"
        )


def test_text_in_the_place_of_a_unit(written: Store) -> None:
    """SQLite makes text of what its replace() gives: the unit is named all the same."""
    if written.database.is_postgres:
        pytest.skip("PostgreSQL keeps a column's type")
    tamper(written, sa.text("UPDATE units SET body = replace(body, 'two', 'EVIL')"))
    with pytest.raises(LogTamperedError, match=r"the unit sha256:\w+… is not what entry 1 of the change log says"):
        written.verify()


def test_altered_version(written: Store) -> None:
    """A version that does not agree with its publication is found, by the entry that published it."""
    table = schema.versions.c
    second = (table.name == NAME) & (table.number == 2)
    with written.database.read() as connection:
        before = dict(connection.execute(sa.select(schema.versions).where(second)).mappings().one())
    other = written.version(NAME, "v1").digest
    changes_ = {"digest": other, "message": "x", "author": "eve", "at": "x", "parent": 7, "restores": 7, "seq": 1}
    for field, value in changes_.items():
        tamper(written, schema.versions.update().where(second).values({field: value}))
        assert found(written) == 2, field
        tamper(written, schema.versions.update().where(second).values({field: before[field]}))
    written.verify()


def test_deleted_and_added_version(written: Store) -> None:
    """A version that is missing, and one that was never published, are found."""
    table = schema.versions.c
    tamper(written, schema.versions.update().where(table.name == "other").values(number=2))
    assert found(written) == 4
    tamper(written, schema.versions.delete().where(table.name == "other"))
    assert found(written) == 4


def test_altered_unit(written: Store) -> None:
    """A unit whose bytes were changed is found by the entry that first published it, and so is one that is gone."""
    digest = written.version(NAME, "v2").digest
    changed = schema.units.c.digest == digest
    tamper(written, schema.units.update().where(changed).values(body=unit("evil {{ question }}")))
    assert found(written) == 2


@pytest.mark.parametrize(("label", "seq"), [("production", 8), ("latest", 3)])
def test_moved_label(written: Store, label: str, seq: int) -> None:
    """A label that was moved past the registry is found by its last entry."""
    table = schema.labels.c
    digest = written.version(NAME, "v2").digest
    moved = schema.labels.update().where(table.name == NAME, table.label == label)
    tamper(written, moved.values(version=2, digest=digest))
    assert found(written) == seq


def test_deleted_and_added_label(written: Store) -> None:
    """A label that is missing, and one that nobody moved, are found."""
    digest = written.version(NAME, "v2").digest
    added = {"name": NAME, "label": "staging", "version": 2, "digest": digest, "seq": 5}
    tamper(written, schema.labels.insert().values(added))
    assert found(written) == 5
    tamper(written, schema.labels.delete().where(schema.labels.c.label.in_(["staging", "production"])))
    assert found(written) == 7


def test_altered_move(written: Store) -> None:
    """The searchable form of the moves, on which a rollback stands, is held against the log too."""
    tamper(written, schema.moves.update().where(schema.moves.c.seq == 6).values(version=3))
    assert found(written) == 6


def test_wall_against_stray_changes(store: Store) -> None:
    """The database itself refuses to change or delete what never changes."""
    publish(store)
    made = suite()
    store.publish_suite(made.name, made.spec(), parquet(made))
    store.submit_evidence(prove(store, "v1"))
    walls = {
        "log": "reason", "units": "body", "versions": "message", "moves": "version", "evidence": "body",
        "datasets": "body", "suites": "spec",
    }  # fmt: skip
    for table, column in walls.items():
        for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
            with pytest.raises(sa.exc.DBAPIError, match="never change"), store.database.engine.begin() as connection:
                connection.exec_driver_sql(statement)
    store.verify()


def test_altered_policy(written: Store) -> None:
    """A policy that was loosened, dropped or added past the registry is found."""
    entry = written.set_policy("production", TEAM, reason="a team now")
    table = schema.policies
    written.verify()
    tamper(written, table.update().values(body=table.c.body + " "))
    assert found(written) == entry.seq
    tamper(written, table.delete())
    assert found(written) == entry.seq
    loose = '{"name":"solo"}'
    tamper(written, table.insert().values(label="production", names="**", body=loose, seq=entry.seq))
    assert found(written) == entry.seq
    tamper(written, table.delete())
    tamper(written, table.insert().values(label="staging", names="**", body=loose, seq=3))
    assert found(written) == 3


def test_altered_evidence(store: Store) -> None:
    """Evidence that a move stood on and that was changed or taken away is found by that move."""
    publish(store, NAME, "one", "two")
    store.move(NAME, label="production", to="v1", reason="go", expected=None)
    store.set_policy("production", TEAM, reason="a team now")
    store.submit_evidence(prove(store, "v2"))
    entry = store.move(NAME, label="production", to="v2", reason="go", expected="v1")
    store.verify()
    with store.database.engine.begin() as connection:
        for trigger in ("evidence_frozen ON evidence",) if store.database.is_postgres else (
            "evidence_no_update", "evidence_no_delete",
        ):  # fmt: skip
            connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
    tamper(store, schema.evidence.update().values(body=packing.pack(b"{}")))
    assert found(store) == entry.seq
    tamper(store, schema.evidence.update().values(body=b"no gzip"))
    assert found(store) == entry.seq
    tamper(store, schema.evidence.delete())
    assert found(store) == entry.seq
    assert store.policy(NAME, "production") != SOLO


def rows_of_log(store: Store) -> dict[int, dict[str, Any]]:
    """Every row of the log by its number."""
    with store.database.read() as connection:
        rows = connection.execute(sa.select(schema.log).order_by(LOG.seq)).mappings()
        return {row["seq"]: dict(row) for row in rows}


def rehashed(entry: Entry, reason: str) -> str:
    """The hash that an entry would have with another reason."""
    return entry_hash(
        seq=entry.seq,
        kind=entry.kind,
        at=entry.at,
        actor=entry.actor,
        reason=reason,
        data=entry.data,
        previous=entry.previous,
    )
