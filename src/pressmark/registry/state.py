"""What a client is told of the registry's state: all of it under a subscription, or one change after the other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from pressmark.prompts import Entry, Position, matches
from pressmark.prompts.entry import timestamp
from pressmark.registry import changes, schema
from pressmark.registry.tokens import checked_patterns
from pressmark.registry.values import EVERYTHING, Event, Principal
from pressmark.wire import WIRE, position_to_dict

TOO_FAR = 1000
"""Who is further behind than this many entries is told to sync: one answer is cheaper than so many events."""

_LABELS = schema.labels.c


@dataclass(frozen=True, slots=True)
class Subscription:
    """Labels and prompts that somebody wants to hear of, within what they may see.

    Attributes:
        labels: Patterns of labels.
        names: Patterns of prompt names.
        principal: Who listens.
    """

    labels: tuple[str, ...]
    names: tuple[str, ...]
    principal: Principal

    @classmethod
    def of(cls, principal: Principal, labels: Sequence[str] | None, names: Sequence[str] | None) -> Subscription:
        """Return a subscription; no labels or names means all that may be seen.

        Raises:
            RegistryError: A pattern can match nothing.
        """
        return cls(checked_patterns(labels), checked_patterns(names), principal)

    @property
    def scope(self) -> str:
        """A hash of the subscription and of what its principal may see."""
        told = [self.labels, self.names, self.principal.labels, self.principal.names]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]

    def wants(self, name: str, label: str) -> bool:
        """Say whether a pointer is part of it."""
        return (
            self.principal.sees_label(label)
            and self.principal.sees_name(name)
            and (self.labels == EVERYTHING or any(matches(pattern, label) for pattern in self.labels))
            and (self.names == EVERYTHING or any(matches(pattern, name) for pattern in self.names))
        )


def head(position: Position, digest: str, at: str) -> dict[str, Any]:
    """Return how far the registry is, as `head` events and sync answers tell it."""
    return {**position_to_dict(position), "head": digest, "at": at}


def sync(
    connection: sa.Connection,
    position: Position,
    digest: str,
    subscription: Subscription,
    *,
    since: Position | None = None,
    scope: str | None = None,
    units: bool = True,
) -> dict[str, Any]:
    """Return everything under a subscription, or what changed after `since` where that is comparable.

    Args:
        connection: A moment of the store.
        position: Where the registry stands in it.
        digest: Hash of the newest entry in it.
        subscription: What is asked for.
        since: Only what changed after it; another registry, another epoch or a later position gets everything.
        scope: The scope that the asker's state has; another one gets everything.
        units: Whether the units come too.
    """
    comparable = (
        since is not None
        and scope == subscription.scope
        and since[:2] == position[:2]
        and since.seq <= position.seq
    )  # fmt: skip
    after = since.seq if since is not None and comparable else 0
    rows = connection.execute(sa.select(schema.labels).where(_LABELS.seq > after)).all()
    pointers = sorted(
        (_pointer(row) for row in rows if subscription.wants(row.name, row.label)),
        key=lambda pointer: (pointer["name"], pointer["label"]),
    )
    return {
        "wire": WIRE,
        "position": position_to_dict(position),
        "scope": subscription.scope,
        "full": not comparable,
        "head": {"seq": position.seq, "hash": digest},
        "pointers": pointers,
        "units": bodies(connection, _digests(pointers)) if units else {},
    }


def events(
    connection: sa.Connection, position: Position, after: int, *, limit: int = TOO_FAR + 1
) -> Iterator[tuple[Entry, dict[str, Any]]]:
    """Give each entry after `after` with its `move` event for somebody who sees everything.

    An entry that moved no label has an event without pointers: it only moves the position.
    """
    for entry in changes.after(connection, after, limit=limit):
        pointers = [
            _pointer_of(entry.seq, moved["name"], moved["label"], moved["version"], moved["digest"])
            for moved in changes.moved_labels(entry)
        ]
        yield (
            entry,
            {
                **position_to_dict(position._replace(seq=entry.seq)),
                "kind": entry.kind,
                "at": timestamp(entry.at),
                "head": entry.hash,
                "pointers": pointers,
                "units": bodies(connection, _digests(pointers)),
            },
        )


def within(subscription: Subscription, event: dict[str, Any]) -> dict[str, Any] | None:
    """Return the part of a `move` event that belongs to a subscription, or None where nothing does."""
    pointers = [pointer for pointer in event["pointers"] if subscription.wants(pointer["name"], pointer["label"])]
    if not pointers:
        return None
    if len(pointers) == len(event["pointers"]):
        return event
    wanted = _digests(pointers)
    return {
        **event,
        "pointers": pointers,
        "units": {digest: text for digest, text in event["units"].items() if digest in wanted},
    }


def heard(subscription: Subscription, event: dict[str, Any]) -> Event | None:
    """Return a `move` event as a subscription hears it, or None."""
    told = within(subscription, event)
    return None if told is None else Event("move", told["seq"], told)


def bodies(connection: sa.Connection, digests: set[str]) -> dict[str, str]:
    """Return the canonical text of units by digest."""
    found: dict[str, str] = {}
    wanted = sorted(digests)
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        rows = connection.execute(sa.select(schema.units).where(schema.units.c.digest.in_(some)))
        found.update((row.digest, bytes(row.body).decode()) for row in rows)
    return found


def _digests(pointers: list[dict[str, Any]]) -> set[str]:
    return {target["digest"] for pointer in pointers for target in pointer["targets"]}


def _pointer(row: Any) -> dict[str, Any]:
    return _pointer_of(row.seq, row.name, row.label, row.version, row.digest)


def _pointer_of(seq: int, name: str, label: str, version: int, digest: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "seq": seq,
        "targets": [{"version": f"v{version}", "digest": digest, "weight": 1}],
    }


def sse(kind: str, seq: int, data: dict[str, Any]) -> bytes:
    """Return an event as a stream carries it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"event: {kind}\nid: {seq}\ndata: {text}\n\n".encode()
