"""Reading a registry from its first entry and holding everything in it against the change log.

Whoever can write the file past the registry can write anything into it: SQLite keeps text where bytes belong, and NULL
where its walls were taken down. So rows are read as they are, and their types are compared like their values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.types import NullType

from pressmark.errors import InvalidUnitError, LogTamperedError, PressmarkError, RegistryError
from pressmark.prompts import GENESIS, Entry, Position, sha256_digest, thaw
from pressmark.prompts.canonical import canonical_bytes
from pressmark.prompts.changelog import verify_chain
from pressmark.prompts.entry import timestamp
from pressmark.registry import changes, packing, schema
from pressmark.registry.values import Verification

_ADVICE = "compare with a backup"
# What reading stumbles over where something else stands than was written.
_MISTAKES: Final = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)


def verify(connection: sa.Connection) -> Verification:
    """Check the chain, then versions, units and labels against what it says.

    Raises:
        LogTamperedError: Naming the first entry that was altered, is missing or out of order, or that something else
            does not agree with.
    """
    with _as_written(connection):
        expected = _Expected()
        try:
            seq, head = verify_chain(expected.following(_entries(connection)))
        except InvalidUnitError as error:  # what has no canonical form has no hash
            raise _unreadable(expected.last + 1, str(error)) from error
        position = _own_row(connection, seq, head)
        expected.hold_against(connection)
    return Verification(seq, head if seq else GENESIS, position)


@contextmanager
def _as_written(connection: sa.Connection) -> Iterator[None]:
    """Let SQLite hand out text that is no UTF-8 too: it is somebody's change, and no failure of the database."""
    if connection.dialect.name != "sqlite":
        yield
        return
    opened: Any = connection.connection.driver_connection
    before = opened.text_factory
    opened.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        opened.text_factory = before


def _own_row(connection: sa.Connection, seq: int, head: str) -> Position:
    """Hold the registry's own row against the log, and return its position."""
    rows = list(_rows(connection, schema.registry))
    told: Any = rows[0] if len(rows) == 1 else None
    wrong = None if told is None else _mistyped(schema.registry, told)
    if told is None or wrong:
        what = f"its {wrong} is {_kind(getattr(told, wrong))}" if wrong else f"there are {len(rows)} of it"
        raise LogTamperedError(
            f"the registry's own row, which says that its log ends with entry {seq}, was altered ({what}); {_ADVICE}",
            seq=seq,
        )
    if (seq, head) != (told.seq, told.head):
        first = seq if seq == told.seq else min(seq, told.seq) + 1
        what = "was altered" if seq == told.seq else "is missing" if seq < told.seq else "was added"
        raise LogTamperedError(
            f"entry {first} of the change log {what}: the log does not end as the registry's own count says; {_ADVICE}",
            seq=first,
        )
    return Position(told.registry, told.epoch, told.seq)


def _entries(connection: sa.Connection) -> Iterator[Entry]:
    number = schema.log.c.seq
    # A row without a number would stand first in order, and be taken for the first entry.
    numbered = _rows(connection, schema.log, number.is_not(None), number)
    for seq, row in enumerate(chain(numbered, _rows(connection, schema.log, number.is_(None))), start=1):
        if wrong := _mistyped(schema.log, row):
            raise _unreadable(seq, f"its {wrong} is {_kind(getattr(row, wrong))}")
        try:
            entry = changes.entry_of(row)
        except (*_MISTAKES, PressmarkError) as error:
            raise _unreadable(seq, str(error)) from error
        yield entry


def _unreadable(seq: int, why: str) -> LogTamperedError:
    return LogTamperedError(
        f"entry {seq} of the change log cannot be read ({why}): it was altered; {_ADVICE}", seq=seq
    )  # fmt: skip


class _Expected:
    """What the tables should hold, gathered while the log goes by."""

    def __init__(self) -> None:
        self._versions: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self._labels: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self._moves: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self._digests: dict[str, int] = {}
        self._policies: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self._evidence: dict[str, int] = {}
        self.last = 0

    def following(self, entries: Iterator[Entry]) -> Iterator[Entry]:
        """Pass the entries on. One is believed only once the chain has been checked up to it."""
        for entry in entries:
            yield entry
            try:
                self._take(entry)
            except _MISTAKES as error:
                raise _unreadable(entry.seq, f"its data lacks a part: {error}") from error

    def hold_against(self, connection: sa.Connection) -> None:
        """Compare with the tables.

        Raises:
            LogTamperedError: Naming the first entry that one of them does not agree with.
        """
        versions, labels, moves, policies = schema.versions, schema.labels, schema.moves, schema.policies
        wrong = [
            *self._differences("the policy of {0} for {1}", self._policies, _rows(connection, policies), _POLICY),
            *self._wrong_evidence(connection),
            *self._differences("the version {0} v{1}", self._versions, _rows(connection, versions), _VERSION),
            *self._differences("the label {1} of {0}", self._labels, _rows(connection, labels), _LABEL),
            *self._differences("the move of {1} of {0}", self._moves, _rows(connection, moves), _MOVE),
            *self._wrong_units(connection),
        ]
        if wrong:
            seq, what = min(wrong)
            raise LogTamperedError(
                f"{what} is not what entry {seq} of the change log says: it was changed past the registry; {_ADVICE}",
                seq=seq,
            )

    def _take(self, entry: Entry) -> None:
        self.last = entry.seq
        data = entry.data
        if entry.kind == "publish":
            self._versions[data["name"], data["version"]] = (
                entry.seq, data["digest"], data["message"], data["author"], timestamp(entry.at), data["parent"],
                data["restores"],
            )  # fmt: skip
            self._digests.setdefault(data["digest"], entry.seq)
        if entry.kind == "policy":
            body = canonical_bytes(thaw(data["policy"])).decode()
            self._policies[data["label"], data["names"]] = (entry.seq, body)
        for move in data.get("moves", ()):
            if "evidence" in move:
                self._evidence.setdefault(move["evidence"], entry.seq)
        for moved in changes.moved_labels(entry):
            told = (entry.seq, moved["version"], moved["digest"])
            self._labels[moved["name"], moved["label"]] = told
            self._moves[moved["name"], moved["label"], entry.seq] = told

    def _wrong_evidence(self, connection: sa.Connection) -> Iterator[tuple[int, str]]:
        """Hold what moves stood on against its digest; what nothing stood on yet, the gate checks by reading it."""
        for digest, seq in self._evidence.items():
            rows = list(_rows(connection, schema.evidence, schema.evidence.c.digest == digest))
            body = rows[0].body if rows else None
            try:
                right = isinstance(body, bytes | memoryview) and sha256_digest(packing.unpack(bytes(body))) == digest
            except RegistryError:
                right = False
            if not right:
                yield seq, f"the evidence {digest[:19]}…"

    def _wrong_units(self, connection: sa.Connection) -> Iterator[tuple[int, str]]:
        missing = dict(self._digests)
        for row in _rows(connection, schema.units):
            seq = missing.pop(row.digest, None)
            body = row.body
            if seq is not None and (
                not isinstance(body, bytes | memoryview) or sha256_digest(bytes(body)) != row.digest
            ):
                yield seq, f"the unit {row.digest[:19]}…"
        for digest, seq in missing.items():
            yield seq, f"the unit {digest[:19]}…, which is missing,"

    def _differences(
        self,
        what: str,
        expected: dict[tuple[Any, ...], tuple[Any, ...]],
        rows: Iterable[sa.Row[Any]],
        columns: tuple[tuple[str, ...], tuple[str, ...]],
    ) -> Iterator[tuple[int, str]]:
        left = dict(expected)
        for row in rows:
            key, held = (tuple(getattr(row, column) for column in part) for part in columns)
            wanted = left.pop(key, None)
            if wanted is None or _typed(key + held) != _typed((*key, *wanted)):
                # A row that the log knows nothing of has only its own number, if that.
                own = row.seq if type(row.seq) is int else self.last
                yield wanted[0] if wanted else own, what.format(*map(_plain, key))
        for key, wanted in left.items():
            yield wanted[0], what.format(*map(_plain, key))


_VERSION = (("name", "number"), ("seq", "digest", "message", "author", "at", "parent", "restores"))
_LABEL = (("name", "label"), ("seq", "version", "digest"))
_POLICY = (("label", "names"), ("seq", "body"))
_MOVE = (("name", "label", "seq"), ("seq", "version", "digest"))


def _rows(
    connection: sa.Connection,
    table: sa.Table,
    where: sa.ColumnElement[bool] | None = None,
    order: sa.ColumnElement[Any] | None = None,
) -> Iterator[sa.Row[Any]]:
    """Give the rows of a table, each value as the database holds it."""
    query = sa.select(*(sa.type_coerce(column, NullType()).label(column.name) for column in table.columns))
    query = query if where is None else query.where(where)
    query = query if order is None else query.order_by(order)
    found: Iterable[sa.Row[Any]] = connection.execution_options(yield_per=100).execute(query)
    yield from found


def _mistyped(table: sa.Table, row: sa.Row[Any]) -> str | None:
    """Return the name of the first column whose value is not of its type."""
    for column in table.columns:
        value = getattr(row, column.name)
        if type(value) is not column.type.python_type and not (value is None and column.nullable):
            return column.name
    return None


def _typed(values: tuple[Any, ...]) -> list[tuple[type, Any]]:
    return [(type(value), value) for value in values]


def _kind(value: Any) -> str:
    return "NULL" if value is None else f"of type {type(value).__name__}"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) and value.isprintable() else repr(value)
