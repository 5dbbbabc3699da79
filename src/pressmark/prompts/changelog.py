"""Hashing and checking of the change log: each entry holds a hash over the one before it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pressmark.errors import LogTamperedError
from pressmark.prompts.canonical import canonical_bytes
from pressmark.prompts.digest import sha256_digest
from pressmark.prompts.entry import GENESIS, Entry, timestamp
from pressmark.prompts.frozen import freeze, thaw


def entry_hash(*, seq: int, kind: str, at: datetime, actor: str, reason: str, data: Any, previous: str) -> str:
    """Return the hash of an entry: SHA-256 over the RFC 8785 form of all its other fields."""
    return sha256_digest(
        canonical_bytes(
            {
                "seq": seq,
                "kind": kind,
                "at": timestamp(at),
                "actor": actor,
                "reason": reason,
                "data": thaw(data),
                "previous": previous,
            }
        )
    )


def chained(*, seq: int, kind: str, at: datetime, actor: str, reason: str, data: Any, previous: str) -> Entry:
    """Return the entry that follows `previous`, with its hash."""
    digest = entry_hash(seq=seq, kind=kind, at=at, actor=actor, reason=reason, data=data, previous=previous)
    return Entry(seq, kind, at, actor, reason, freeze(data), previous, digest)


def verify_chain(entries: Iterable[Entry], *, after: int = 0, previous: str = GENESIS) -> tuple[int, str]:
    """Check entries in order and return the last sequence number with its hash.

    Args:
        entries: Entries that should follow `after`, in order.
        after: Sequence number of the entry before the first one.
        previous: Hash of that entry.

    Raises:
        LogTamperedError: Naming the first entry that was altered, is missing, or stands out of order.
    """
    seq = after
    for entry in entries:
        seq += 1
        if entry.seq != seq:
            raise LogTamperedError(
                f"the change log has entry {entry.seq} where {seq} should stand: an entry is missing or out of order;"
                " compare with a backup",
                seq=seq,
            )
        if entry.previous != previous:
            raise LogTamperedError(
                f"entry {seq} of the change log does not follow the entry before it: one of the two was altered;"
                " compare with a backup",
                seq=seq,
            )
        expected = entry_hash(
            seq=entry.seq, kind=entry.kind, at=entry.at, actor=entry.actor, reason=entry.reason,
            data=entry.data, previous=entry.previous,
        )  # fmt: skip
        if entry.hash != expected:
            raise LogTamperedError(
                f"entry {seq} of the change log was altered after it was written; compare with a backup",
                seq=seq,
            )
        previous = entry.hash
    return seq, previous
