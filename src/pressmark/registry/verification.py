"""Reading a registry from its first entry and holding everything in it against the change log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from pressmark.errors import LogTamperedError, RegistryError
from pressmark.prompts import GENESIS, Entry, Position, sha256_digest, thaw
from pressmark.prompts.canonical import canonical_bytes
from pressmark.prompts.changelog import verify_chain
from pressmark.prompts.entry import timestamp
from pressmark.registry import changes, evidences, packing, schema
from pressmark.registry.values import Verification

_ADVICE = "compare with a backup"


def verify(connection: sa.Connection) -> Verification:
    """Check the chain, then versions, units and labels against what it says.

    Raises:
        LogTamperedError: Naming the first entry that was altered, is missing or out of order, or that something else
            does not agree with.
    """
    told = connection.execute(sa.select(schema.registry)).one()
    position = Position(told.registry, told.epoch, told.seq)
    expected = _Expected()
    seq, head = verify_chain(expected.following(_readable(connection)))
    if (seq, head) != (told.seq, told.head):
        first = seq if seq == told.seq else min(seq, told.seq) + 1
        what = "was altered" if seq == told.seq else "is missing" if seq < told.seq else "was added"
        raise LogTamperedError(
            f"entry {first} of the change log {what}: the log does not end as the registry's own count says; {_ADVICE}",
            seq=first,
        )
    expected.hold_against(connection)
    return Verification(seq, head if seq else GENESIS, position)


def _readable(connection: sa.Connection) -> Iterator[Entry]:
    seq = 0
    try:
        for entry in changes.after(connection, 0):
            yield entry
            seq = entry.seq
    except (ValueError, TypeError, KeyError) as error:
        raise LogTamperedError(
            f"entry {seq + 1} of the change log cannot be read ({error}): it was altered; {_ADVICE}", seq=seq + 1
        ) from error


class _Expected:
    """What the tables should hold, gathered while the log goes by."""

    def __init__(self) -> None:
        self._versions: dict[tuple[str, int], tuple[Any, ...]] = {}
        self._labels: dict[tuple[str, str], tuple[Any, ...]] = {}
        self._moves: dict[tuple[str, str, int], tuple[Any, ...]] = {}
        self._digests: dict[str, int] = {}
        self._policies: dict[tuple[str, str], tuple[Any, ...]] = {}
        self._evidence: dict[str, int] = {}

    def following(self, entries: Iterator[Entry]) -> Iterator[Entry]:
        """Pass the entries on. One is believed only once the chain has been checked up to it."""
        for entry in entries:
            yield entry
            self._take(entry)

    def hold_against(self, connection: sa.Connection) -> None:
        """Compare with the tables.

        Raises:
            LogTamperedError: Naming the first entry that one of them does not agree with.
        """
        versions, labels, moves = schema.versions.c, schema.labels.c, schema.moves.c
        found_versions = connection.execute(
            sa.select(
                versions.name,
                versions.number,
                versions.seq,
                versions.digest,
                versions.message,
                versions.author,
                versions.at,
                versions.parent,
                versions.restores,
            )
        )
        found_labels = connection.execute(
            sa.select(labels.name, labels.label, labels.seq, labels.version, labels.digest)
        )  # fmt: skip
        found_moves = connection.execute(sa.select(moves.name, moves.label, moves.seq, moves.version, moves.digest))
        policies = schema.policies.c
        found_policies = connection.execute(sa.select(policies.label, policies.names, policies.seq, policies.body))
        wrong = [
            *_differences(
                "the policy of {0[0]} for {0[1]}",
                self._policies,
                {tuple(row[:2]): tuple(row[2:]) for row in found_policies},
            ),
            *self._wrong_evidence(connection),
            *_differences(
                "the version {0[0]} v{0[1]}", self._versions, {tuple(row[:2]): tuple(row[2:]) for row in found_versions}
            ),
            *_differences(
                "the label {0[1]} of {0[0]}", self._labels, {tuple(row[:2]): tuple(row[2:]) for row in found_labels}
            ),
            *_differences(
                "the move of {0[1]} of {0[0]}", self._moves, {tuple(row[:3]): tuple(row[2:]) for row in found_moves}
            ),
            *self._wrong_units(connection),
        ]
        if wrong:
            seq, what = min(wrong)
            raise LogTamperedError(
                f"{what} is not what entry {seq} of the change log says: it was changed past the registry; {_ADVICE}",
                seq=seq,
            )

    def _take(self, entry: Entry) -> None:
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
            packed = evidences.bodies(connection, [digest]).get(digest)
            try:
                right = packed is not None and sha256_digest(packing.unpack(packed)) == digest
            except RegistryError:
                right = False
            if not right:
                yield seq, f"the evidence {digest[:19]}…"

    def _wrong_units(self, connection: sa.Connection) -> Iterator[tuple[int, str]]:
        missing = dict(self._digests)
        for row in connection.execution_options(yield_per=100).execute(sa.select(schema.units)):
            seq = missing.pop(row.digest, None)
            if seq is not None and sha256_digest(bytes(row.body)) != row.digest:
                yield seq, f"the unit {row.digest[:19]}…"
        for digest, seq in missing.items():
            yield seq, f"the unit {digest[:19]}…, which is missing,"


def _differences(
    what: str, expected: dict[Any, tuple[Any, ...]], found: dict[Any, tuple[Any, ...]]
) -> Iterator[tuple[int, str]]:
    for key in expected.keys() | found.keys():
        if expected.get(key) != found.get(key):
            # The first of each tuple is the sequence number; a row that the log knows nothing of has only its own.
            yield (expected.get(key) or found[key])[0], what.format(key)
