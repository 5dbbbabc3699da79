"""Published versions: finding them, listing them, adding one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from pressmark.errors import InvalidUnitError
from pressmark.prompts import (
    LATEST,
    FrozenDict,
    Unit,
    check_label,
    check_name,
    is_digest,
    parse_number,
    sha256_digest,
)
from pressmark.prompts.canonical import MAX_UNIT_BYTES, canonical_bytes
from pressmark.prompts.entry import timestamp
from pressmark.prompts.lines import LONGEST_AUTHOR, LONGEST_MESSAGE, check_line
from pressmark.registry import access, changes, schema
from pressmark.registry.database import Transaction
from pressmark.registry.inputs import PublishedInputs, unit_of
from pressmark.registry.values import Principal, PromptSummary, Published
from pressmark.rendering import check_unit
from pressmark.wire import read_time

_VERSIONS = schema.versions.c
_WITH_BODY = sa.select(schema.versions, schema.units.c.body).join(schema.units)


def find(connection: sa.Connection, principal: Principal, name: str, ref: str) -> Published:
    """Return a version by `v3`, label or digest (shortened to 8 hex digits or more).

    Raises:
        PromptNotFoundError: There is no such prompt, or it may not be seen.
        VersionNotFoundError: There is no such version, or it may not be seen; a digest may be too short to tell.
        LabelNotFoundError: The label is not set, or may not be seen.
    """
    demand_prompt(connection, principal, name)
    number = parse_number(ref, "registry")
    if number is None and not is_digest(ref):
        return _by_label(connection, principal, name, ref)
    query = _WITH_BODY.where(_VERSIONS.name == name)
    query = (
        query.where(_VERSIONS.number == number)
        if number is not None and number < 2**31
        else query.where(_VERSIONS.digest.startswith(ref, autoescape=True))
    )
    rows = connection.execute(query.order_by(_VERSIONS.number.desc())).all()
    seen = [row for row in rows if _seen(connection, principal, row)]
    if not seen:
        raise access.no_version(name, ref)
    if len({row.digest for row in seen}) > 1:
        raise access.no_version(name, f"{ref} (several begin so; give more of the digest)")
    return version_of(seen[0])


def listed(connection: sa.Connection, principal: Principal, name: str) -> list[Published]:
    """Return the versions of a prompt that may be seen, the newest first.

    Raises:
        PromptNotFoundError: There is no such prompt, or it may not be seen.
    """
    demand_prompt(connection, principal, name)
    rows = connection.execute(_WITH_BODY.where(_VERSIONS.name == name).order_by(_VERSIONS.number.desc())).all()
    return [version_of(row) for row in rows if _seen(connection, principal, row)]


def prompts(connection: sa.Connection, principal: Principal) -> list[PromptSummary]:
    """Return every prompt that may be seen, by name."""
    rows = connection.execute(
        sa.select(schema.labels, _VERSIONS.at).join(
            schema.versions, (_VERSIONS.name == schema.labels.c.name) & (_VERSIONS.number == schema.labels.c.version)
        )
    )
    shown: dict[str, list[Any]] = {}
    for row in rows:
        if principal.sees_name(row.name) and (principal.sees_label(row.label) or not principal.narrow):
            shown.setdefault(row.name, []).append(row)
    summaries = []
    for name in sorted(shown):
        newest = max(shown[name], key=lambda row: row.version)
        labels = {row.label: row.version for row in shown[name] if principal.sees_label(row.label)}
        summaries.append(PromptSummary(name, newest.version, newest.digest, read_time(newest.at), FrozenDict(labels)))
    return summaries


def unit_body(connection: sa.Connection, principal: Principal, digest: str) -> bytes | None:
    """Return the canonical bytes of a unit, or None where nothing that may be seen holds it."""
    rows = connection.execute(_WITH_BODY.where(_VERSIONS.digest == digest)).all()
    for row in rows:
        if principal.sees_name(row.name) and _seen(connection, principal, row):
            return bytes(row.body)
    return None


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants to publish, checked in every way that needs no look at the store."""

    name: str
    body: bytes
    unit: Unit
    digest: str
    message: str
    reason: str
    author: str
    source: dict[str, Any] | None

    @classmethod
    def checked(
        cls, name: str, body: bytes, *, message: str, reason: str, author: str, source: dict[str, Any] | None
    ) -> Draft:
        """Check what is to be published; a large template takes a while, so no other writer waits for it.

        Raises:
            InvalidNameError: The name is malformed.
            InvalidUnitError: The bytes are no canonical unit, or a text is malformed.
        """
        check_line(reason, "the reason", LONGEST_MESSAGE)  # first, since it stands in for a message that is missing
        return cls(
            check_name(name),
            body,
            _checked_unit(body),
            sha256_digest(body),
            check_line(message, "the change message", LONGEST_MESSAGE),
            reason,
            check_line(author, "the author", LONGEST_AUTHOR),
            _checked_source(source),
        )


def publish(transaction: Transaction, principal: Principal, inputs: PublishedInputs, draft: Draft) -> Published:
    """Add a version, unless the newest one is equal.

    Raises:
        GraphCycleError: Its inputs would close a circle.
    """
    name, digest = draft.name, draft.digest
    connection = transaction.connection
    earlier = connection.execute(
        sa.select(_VERSIONS.number, _VERSIONS.digest).where(_VERSIONS.name == name).order_by(_VERSIONS.number.desc())
    ).all()
    if earlier and earlier[0].digest == digest:
        return numbered(connection, name, earlier[0].number, created=False)
    number = earlier[0].number + 1 if earlier else 1
    parent = earlier[0].number if earlier else None
    restores = next((row.number for row in earlier if row.digest == digest), None)
    if connection.execute(sa.select(schema.units.c.digest).where(schema.units.c.digest == digest)).first() is None:
        connection.execute(schema.units.insert().values(digest=digest, body=draft.body))
    entry = transaction.append(
        "publish",
        actor=principal.name,
        reason=draft.reason,
        data={
            "name": name,
            "version": number,
            "digest": digest,
            "message": draft.message,
            "author": draft.author,
            "parent": parent,
            "restores": restores,
            "source": draft.source,
        },
    )
    connection.execute(
        schema.versions.insert().values(
            name=name,
            number=number,
            digest=digest,
            message=draft.message,
            author=draft.author,
            at=timestamp(transaction.now),
            parent=parent,
            restores=restores,
            seq=entry.seq,
        )
    )
    point(connection, entry.seq, name=name, label=LATEST, version=number, digest=digest)
    if draft.unit.inputs:
        inputs.demand_no_cycle(connection, name, draft.unit)
    return numbered(connection, name, number, created=True)


def point(connection: sa.Connection, seq: int, *, name: str, label: str, version: int, digest: str) -> None:
    """Let a label point to a version from entry `seq` on."""
    table = schema.labels
    changed = connection.execute(
        table.update()
        .where(table.c.name == name, table.c.label == label)
        .values(version=version, digest=digest, seq=seq)
    )
    if changed.rowcount == 0:
        connection.execute(table.insert().values(name=name, label=label, version=version, digest=digest, seq=seq))
    connection.execute(schema.moves.insert().values(seq=seq, name=name, label=label, version=version, digest=digest))


def numbered(connection: sa.Connection, name: str, number: int, *, created: bool = True) -> Published:
    """Return a version that is known to exist."""
    row = connection.execute(_WITH_BODY.where(_VERSIONS.name == name, _VERSIONS.number == number)).one()
    return version_of(row, created=created)


def demand_prompt(connection: sa.Connection, principal: Principal, name: str) -> None:
    """Refuse a prompt that does not exist, or that may not be seen.

    Raises:
        PromptNotFoundError: In the same words for both.
    """
    check_name(name)
    if not sees_prompt(connection, principal, name):
        raise access.no_prompt(name)


def sees_prompt(connection: sa.Connection, principal: Principal, name: str) -> bool:
    """Say whether there is such a prompt and it may be seen."""
    if not principal.sees_name(name):
        return False
    labels = connection.execute(sa.select(schema.labels.c.label).where(schema.labels.c.name == name)).scalars()
    return any(not principal.narrow or principal.sees_label(label) for label in labels)


def version_of(row: Any, *, created: bool = True) -> Published:
    """Read a version from its row."""
    return Published(
        name=row.name,
        number=row.number,
        unit=unit_of(bytes(row.body)),
        digest=row.digest,
        message=row.message,
        author=row.author,
        created_at=read_time(row.at),
        store="registry",
        parent=row.parent,
        restores=row.restores,
        created=created,
    )


def _by_label(connection: sa.Connection, principal: Principal, name: str, label: str) -> Published:
    check_label(label)
    row = connection.execute(
        sa.select(schema.labels).where(schema.labels.c.name == name, schema.labels.c.label == label)
    ).first()
    if row is None or not (principal.sees_label(label) or (label == LATEST and not principal.narrow)):
        raise access.no_label(name, label)
    return numbered(connection, name, row.version)


def _seen(connection: sa.Connection, principal: Principal, row: Any) -> bool:
    return not principal.narrow or changes.ever_pointed(connection, principal, row.name, row.number)


def _checked_unit(body: bytes) -> Unit:
    if len(body) > MAX_UNIT_BYTES:
        raise InvalidUnitError(
            f"this prompt takes {len(body):,} bytes; at most {MAX_UNIT_BYTES:,} are allowed: move large examples into"
            " a variable or an input",
            field="unit",
        )
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidUnitError(
            f"the unit is no JSON ({error}): send the unit's canonical bytes", field="unit"
        ) from error
    unit = Unit.from_dict(told)
    if canonical_bytes(told) != body:
        raise InvalidUnitError(
            "the unit is not in canonical form (RFC 8785): send the bytes of pressmark.prompts.canonical.unit_bytes()",
            field="unit",
        )
    check_unit(unit)
    return unit


def _checked_source(source: dict[str, Any] | None) -> dict[str, Any] | None:
    if source is not None and (not isinstance(source, dict) or len(canonical_bytes(source)) > 4096):
        raise InvalidUnitError("source must be a JSON object of at most 4,096 bytes", field="source")
    return source
