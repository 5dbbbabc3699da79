"""An entry of the change log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from pressmark.prompts.frozen import FrozenDict

GENESIS = "sha256:" + "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of a registry.

    Attributes:
        seq: Sequence number, from 1, without gaps.
        kind: `publish`, `move`, `rollback`, `policy`, …
        at: When, in UTC.
        actor: Who.
        reason: Why.
        data: What changed, as JSON.
        previous: Hash of the entry before it; `GENESIS` for the first.
        hash: Hash over all of the above.
    """

    seq: int
    kind: str
    at: datetime
    actor: str
    reason: str
    data: FrozenDict
    previous: str
    hash: str


def timestamp(at: datetime) -> str:
    """Return the time as it is hashed and sent: UTC, microseconds, `Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
