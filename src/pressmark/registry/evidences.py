"""Evidence as the registry keeps it: checked when it comes, immutable afterwards, seen by whom its prompts are for."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from pressmark.errors import EvidenceError, InvalidUnitError
from pressmark.prompts import LATEST, check_label, is_digest, parse_input, sha256_digest
from pressmark.prompts.canonical import evidence_bytes
from pressmark.prompts.coherence import contradiction
from pressmark.prompts.entry import timestamp
from pressmark.prompts.evidence import Evidence
from pressmark.prompts.lines import LONGEST_AUTHOR, check_line
from pressmark.registry import access, changes, packing, schema, versions
from pressmark.registry.database import Transaction
from pressmark.registry.values import EvidenceInfo, Principal
from pressmark.wire import read_time

NEWEST: Final = 20
"""Records on one change that the gate looks at: more are only kept."""
_EVIDENCE = schema.evidence.c
_WITHOUT_BODY = sa.select(*(column for column in schema.evidence.columns if column.name != "body"))


@dataclass(frozen=True, slots=True)
class Submission:
    """Evidence that somebody submits, checked in every way that needs no look at the store."""

    record: Evidence
    digest: str
    packed: bytes

    @classmethod
    def checked(cls, record: Evidence) -> Submission:
        """Check evidence; a large record takes a while, so no other writer waits for it.

        Raises:
            EvidenceError: It contradicts itself, or has no canonical form.
            RegistryError: It is too large.
        """
        if said := contradiction(record):
            raise EvidenceError(f"this evidence contradicts itself ({said}): make it again")
        check_line(record.made_by, "who made the evidence", LONGEST_AUTHOR)
        try:
            body = evidence_bytes(record)
        except (InvalidUnitError, ValueError) as error:
            raise EvidenceError(f"this evidence has no canonical form ({error}): make it again") from error
        packing.demand_size(len(body), packing.MAX_UNPACKED)
        packed = packing.pack(body)
        packing.demand_size(len(packed))
        return cls(record, sha256_digest(body), packed)


def submit(transaction: Transaction, principal: Principal, submission: Submission) -> str:
    """Keep evidence, unless it is there already, and return its digest.

    Raises:
        PromptNotFoundError, VersionNotFoundError: What it is about is not published here, or may not be seen.
        PermissionDeniedError: The token is not for its label.
    """
    connection, record = transaction.connection, submission.record
    access.demand_label(principal, record.label)
    _demand_versions(connection, principal, record.name, (record.candidate, record.baseline))
    for trial in record.trials:
        _demand_versions(connection, principal, trial.prompt, (trial.candidate, trial.baseline))
    for name, _ in map(parse_input, record.lock):
        versions.demand_prompt(connection, principal, name)
    known = sa.select(_EVIDENCE.digest).where(_EVIDENCE.digest == submission.digest)
    if connection.execute(known).first() is None:
        connection.execute(
            schema.evidence.insert().values(
                digest=submission.digest,
                name=record.name,
                label=record.label,
                candidate=record.candidate,
                baseline=record.baseline,
                body=submission.packed,
                added_at=timestamp(transaction.now),
                added_by=principal.name,
            )
        )
    return submission.digest


def on_change(connection: sa.Connection, name: str, label: str, candidate: str) -> list[tuple[str, Evidence]]:
    """Return the newest evidence on a change with its digests, newest first, for the gate."""
    rows = connection.execute(
        sa.select(_EVIDENCE.digest, _EVIDENCE.body)
        .where(_EVIDENCE.name == name, _EVIDENCE.label == label, _EVIDENCE.candidate == candidate)
        .order_by(_EVIDENCE.id.desc())
        .limit(NEWEST)
    ).all()
    return [(row.digest, _read(bytes(row.body))) for row in rows]


def listed(
    connection: sa.Connection, principal: Principal, name: str, label: str | None, candidate: str | None
) -> list[EvidenceInfo]:
    """Return what evidence there is on a prompt, newest first, without what is in it.

    Raises:
        PromptNotFoundError: There is no such prompt, or it may not be seen.
        InvalidNameError: The label is malformed.
    """
    versions.demand_prompt(connection, principal, name)
    query = _WITHOUT_BODY.where(_EVIDENCE.name == name).order_by(_EVIDENCE.id.desc())
    if label is not None:
        query = query.where(_EVIDENCE.label == check_label(label))
    if candidate is not None:
        query = query.where(_EVIDENCE.candidate == versions.find(connection, principal, name, candidate).digest)
    rows = connection.execute(query).all()
    return [_info(row) for row in rows if _seen(connection, principal, _by_digest(connection, row.digest))]


def one(connection: sa.Connection, principal: Principal, digest: str) -> Evidence:
    """Return evidence by its digest.

    Raises:
        NotFoundError: There is none, or it may not be seen: in the same words.
    """
    found = _by_digest(connection, digest) if is_digest(digest) else None
    if found is None or not _seen(connection, principal, found):
        raise access.no_evidence(digest)
    return found


def _demand_versions(connection: sa.Connection, principal: Principal, name: str, digests: Iterable[str | None]) -> None:
    versions.demand_prompt(connection, principal, name)
    for digest in digests:
        if digest is not None:
            versions.find(connection, principal, name, digest)


def _by_digest(connection: sa.Connection, digest: str) -> Evidence | None:
    body = connection.execute(sa.select(_EVIDENCE.body).where(_EVIDENCE.digest == digest)).scalar()
    return None if body is None else _read(bytes(body))


def _seen(connection: sa.Connection, principal: Principal, record: Evidence | None) -> bool:
    """Whether all that a record tells of may be seen: it holds outputs of each prompt that was run."""
    if record is None or not principal.sees_label(record.label):
        return False
    if principal.wide:
        return True
    locked = [parse_input(reference) for reference in record.lock]
    names = {
        record.name,
        *record.unevaluated,
        *(trial.prompt for trial in record.trials),
        *(name for name, _ in locked),
    }
    labels = {label for _, label in locked} - (set() if principal.narrow else {LATEST})
    if not all(map(principal.sees_name, names)) or not all(map(principal.sees_label, labels)):
        return False
    return not principal.narrow or _held(connection, principal, record)


def _held(connection: sa.Connection, principal: Principal, record: Evidence) -> bool:
    try:
        number = versions.find(connection, principal, record.name, record.candidate).number
    except LookupError:
        return False
    return changes.ever_pointed(connection, principal, record.name, number)


@functools.lru_cache(maxsize=32)
def _read(packed: bytes) -> Evidence:
    return Evidence.from_dict(json.loads(packing.unpack(packed)))


def _info(row: Any) -> EvidenceInfo:
    return EvidenceInfo(
        row.digest, row.name, row.label, row.candidate, row.baseline, read_time(row.added_at), row.added_by
    )  # fmt: skip
