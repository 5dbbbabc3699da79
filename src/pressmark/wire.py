"""JSON <-> model: the one shape that registry and client share.

Only the standard library, since the production client stands on it. Units travel as their canonical text, so whoever
receives one checks its digest by hashing what arrived. Unknown fields are ignored here, so that an older client reads
a newer registry.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from pressmark.errors import InvalidUnitError, MalformedAnswerError, PressmarkError, RegistryError
from pressmark.prompts import Entry, LabelPointer, Position, Unit, freeze, sha256_digest, thaw
from pressmark.prompts.entry import timestamp
from pressmark.prompts.quoting import shown
from pressmark.rendering import PromptVersion

WIRE = 1

P = ParamSpec("P")
T = TypeVar("T")


def _reads(what: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Turn whatever a malformed form makes a reader stumble over into one error."""

    def decorate(read: Callable[P, T]) -> Callable[P, T]:
        @wraps(read)
        def reader(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return read(*args, **kwargs)
            except PressmarkError:
                raise
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                said = f"{error} is missing" if isinstance(error, KeyError) else str(error)
                raise MalformedAnswerError(
                    f"{what} cannot be read ({said}): check that the address is a registry's, and that this Pressmark"
                    " is not older than it",
                    hint="check the address, or upgrade pressmark",
                ) from error

        return reader

    return decorate


def _text(told: Mapping[str, Any], key: str) -> str:
    value = told[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is {shown(value)} where text belongs")
    return value


def _number(told: Mapping[str, Any], key: str) -> int:
    value = told[key]
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{key} is {shown(value)} where a whole number belongs")
    return value


def _optional_number(told: Mapping[str, Any], key: str) -> int | None:
    return None if told.get(key) is None else _number(told, key)


def _version_number(told: Mapping[str, Any]) -> int:
    version = _text(told, "version")
    if not re.fullmatch(r"v[0-9]{1,16}", version):
        raise ValueError(f"version is {shown(version)} where one such as 'v3' belongs")
    return int(version[1:])


@_reads("a time")
def read_time(text: str) -> datetime:
    """Read a time as `timestamp` writes it.

    Raises:
        MalformedAnswerError: It is no time, or one without a zone.
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{shown(text)} has no time zone")
    return at.astimezone(UTC)


def unit_from_text(text: str | bytes, digest: str | None = None) -> Unit:
    """Read a unit from its canonical text.

    Args:
        text: The canonical JSON.
        digest: The digest that it must have, where one is known.

    Raises:
        InvalidUnitError: It does not match the digest, or is no unit.
    """
    try:
        data = text.encode() if isinstance(text, str) else text
    except UnicodeEncodeError as error:
        raise InvalidUnitError(
            f"a unit is not valid Unicode ({error.reason}), so it was altered on the way: fetch it again"
        ) from None
    if digest is not None and (found := sha256_digest(data)) != digest:
        raise InvalidUnitError(
            f"a unit should have the digest {digest[:19]}… and has {found[:19]}…, so it was altered on the way: fetch"
            " it again, and look at what stands between here and the registry"
        )
    try:
        told = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidUnitError(f"a unit is not readable JSON ({error}): publish it again") from None
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


@_reads("a version")
def version_from_dict(told: Mapping[str, Any], unit: Unit) -> PromptVersion:
    """Read a registry's version; the unit comes beside it.

    Raises:
        MalformedAnswerError: It has another form.
    """
    return PromptVersion(
        name=_text(told, "name"),
        number=_version_number(told),
        unit=unit,
        digest=_text(told, "digest"),
        message=_text(told, "message"),
        author=_text(told, "author"),
        created_at=read_time(told["created_at"]),
        store="registry",
        parent=_optional_number(told, "parent"),
        restores=_optional_number(told, "restores"),
    )


def pointer_to_dict(pointer: LabelPointer) -> dict[str, Any]:
    """Return a label's pointer."""
    return {
        "name": pointer.name,
        "label": pointer.label,
        "version": pointer.version,
        "digest": pointer.digest,
        "seq": pointer.seq,
        "moved_at": timestamp(pointer.moved_at),
        "moved_by": pointer.moved_by,
        "reason": pointer.reason,
    }


@_reads("a label")
def pointer_from_dict(told: Mapping[str, Any]) -> LabelPointer:
    """Read a label's pointer.

    Raises:
        MalformedAnswerError: It has another form.
    """
    return LabelPointer(
        name=_text(told, "name"),
        label=_text(told, "label"),
        number=_version_number(told),
        digest=_text(told, "digest"),
        seq=_number(told, "seq"),
        moved_at=read_time(told["moved_at"]),
        moved_by=_text(told, "moved_by"),
        reason=_text(told, "reason"),
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


@_reads("an entry of the change log")
def entry_from_dict(told: Mapping[str, Any]) -> Entry:
    """Read an entry of the change log.

    Raises:
        MalformedAnswerError: It has another form.
    """
    if not isinstance(told["data"], Mapping):
        raise TypeError(f"data is {type(told['data']).__name__} where an object belongs")
    return Entry(
        seq=_number(told, "seq"),
        kind=_text(told, "kind"),
        at=read_time(told["at"]),
        actor=_text(told, "actor"),
        reason=_text(told, "reason"),
        data=freeze(told["data"]),
        previous=_text(told, "previous"),
        hash=_text(told, "hash"),
    )


def position_to_dict(position: Position) -> dict[str, Any]:
    """Return a position."""
    return position._asdict()


@_reads("a position")
def position_from_dict(told: Mapping[str, Any]) -> Position:
    """Read a position.

    Raises:
        MalformedAnswerError: It has another form.
    """
    return Position(_text(told, "registry"), _number(told, "epoch"), _number(told, "seq"))


def error_to_dict(error: PressmarkError) -> dict[str, Any]:
    """Return the body of an error answer: `{"error": {code, message, hint}}`."""
    code = error.code if isinstance(error, RegistryError) else "invalid"
    hint = error.hint if isinstance(error, RegistryError) else ""
    return {"error": {"code": code, "message": str(error), "hint": hint}}
