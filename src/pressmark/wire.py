"""JSON <-> model: the one shape that registry and client share.

Only the standard library, since the production client stands on it. Units travel as their canonical text, so whoever
receives one checks its digest by hashing what arrived. Unknown fields are ignored here, so that an older client reads
a newer registry.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pressmark.errors import InvalidUnitError, PressmarkError, RegistryError
from pressmark.prompts import Entry, FrozenDict, LabelPointer, Position, Unit, freeze, sha256_digest, thaw
from pressmark.prompts.entry import timestamp
from pressmark.rendering import PromptVersion

WIRE = 1


def read_time(text: str) -> datetime:
    """Read a time as `timestamp` writes it."""
    return datetime.fromisoformat(text).astimezone(UTC)


def unit_from_text(text: str | bytes, digest: str | None = None) -> Unit:
    """Read a unit from its canonical text.

    Args:
        text: The canonical JSON.
        digest: The digest that it must have, where one is known.

    Raises:
        InvalidUnitError: It does not match the digest, or is no unit.
    """
    data = text.encode() if isinstance(text, str) else text
    if digest is not None and (found := sha256_digest(data)) != digest:
        raise InvalidUnitError(
            f"a unit should have the digest {digest[:19]}… and has {found[:19]}…: it was altered on the way"
        )
    try:
        told = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidUnitError(f"a unit is not readable JSON: {error}") from None
    return Unit.from_dict(told)


def version_to_dict(version: PromptVersion) -> dict[str, Any]:
    """Return a version without its unit, which travels by digest."""
    return {
        "name": version.name,
        "version": version.version,
        "digest": version.digest,
        "message": version.message,
        "author": version.author,
        "created_at": timestamp(version.created_at),
        "parent": version.parent,
        "restores": version.restores,
    }


def version_from_dict(told: Mapping[str, Any], unit: Unit) -> PromptVersion:
    """Read a registry's version; the unit comes beside it."""
    return PromptVersion(
        name=told["name"],
        number=int(told["version"].removeprefix("v")),
        unit=unit,
        digest=told["digest"],
        message=told["message"],
        author=told["author"],
        created_at=read_time(told["created_at"]),
        store="registry",
        parent=told.get("parent"),
        restores=told.get("restores"),
    )


def pointer_to_dict(pointer: LabelPointer) -> dict[str, Any]:
    """Return a label's pointer."""
    return {
        "name": pointer.name,
        "label": pointer.label,
        "version": f"v{pointer.version}",
        "digest": pointer.digest,
        "seq": pointer.seq,
        "moved_at": timestamp(pointer.moved_at),
        "moved_by": pointer.moved_by,
        "reason": pointer.reason,
    }


def pointer_from_dict(told: Mapping[str, Any]) -> LabelPointer:
    """Read a label's pointer."""
    return LabelPointer(
        name=told["name"],
        label=told["label"],
        version=int(told["version"].removeprefix("v")),
        digest=told["digest"],
        seq=told["seq"],
        moved_at=read_time(told["moved_at"]),
        moved_by=told["moved_by"],
        reason=told["reason"],
    )


def entry_to_dict(entry: Entry) -> dict[str, Any]:
    """Return an entry of the change log with all that its hash covers."""
    return {
        "seq": entry.seq,
        "kind": entry.kind,
        "at": timestamp(entry.at),
        "actor": entry.actor,
        "reason": entry.reason,
        "data": thaw(entry.data),
        "previous": entry.previous,
        "hash": entry.hash,
    }


def entry_from_dict(told: Mapping[str, Any]) -> Entry:
    """Read an entry of the change log."""
    data: FrozenDict = freeze(told["data"])
    return Entry(
        seq=told["seq"],
        kind=told["kind"],
        at=read_time(told["at"]),
        actor=told["actor"],
        reason=told["reason"],
        data=data,
        previous=told["previous"],
        hash=told["hash"],
    )


def position_to_dict(position: Position) -> dict[str, Any]:
    """Return a position."""
    return position._asdict()


def position_from_dict(told: Mapping[str, Any]) -> Position:
    """Read a position."""
    return Position(str(told["registry"]), int(told["epoch"]), int(told["seq"]))


def error_to_dict(error: PressmarkError) -> dict[str, Any]:
    """Return the body of an error answer: `{"error": {code, message, hint}}`."""
    code = error.code if isinstance(error, RegistryError) else "invalid"
    hint = error.hint if isinstance(error, RegistryError) else ""
    return {"error": {"code": code, "message": str(error), "hint": hint}}
