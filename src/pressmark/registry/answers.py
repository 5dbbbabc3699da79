"""First answers by Idempotency-Key: a write whose reply was lost is asked again and not done again."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from pressmark.errors import RegistryError
from pressmark.prompts import sha256_digest, thaw
from pressmark.prompts.canonical import canonical_bytes
from pressmark.prompts.entry import timestamp
from pressmark.registry import schema
from pressmark.registry.database import Transaction
from pressmark.registry.values import Principal

KEPT = timedelta(days=7)
_ANSWERS = schema.answers.c


def fingerprint(request: dict[str, Any]) -> str:
    """Return a hash of what was asked for."""
    return sha256_digest(canonical_bytes(thaw(request)))


def earlier(transaction: Transaction, principal: Principal, key: str, request: str) -> dict[str, Any] | None:
    """Return what the same request was answered before, or None where it is new.

    Raises:
        RegistryError: The key belonged to another request.
    """
    if not 1 <= len(key) <= 255 or not key.isprintable():
        raise RegistryError("an Idempotency-Key is 1 to 255 printable characters: use a random UUID", status=422)
    row = transaction.connection.execute(
        sa.select(schema.answers).where(_ANSWERS.actor == _actor(principal), _ANSWERS.key == key)
    ).first()
    if row is None:
        return None
    if row.request != request:
        raise RegistryError(
            "this Idempotency-Key was used for another request, so nothing was changed: use a new key for each write",
            status=409,
            code="key_reused",
            hint="use a new key for each write",
        )
    told: dict[str, Any] = json.loads(row.answer)
    return told


def keep(transaction: Transaction, principal: Principal, key: str, request: str, answer: dict[str, Any]) -> None:
    """Remember the answer for a week, in the transaction that it belongs to."""
    transaction.connection.execute(
        schema.answers.delete().where(_ANSWERS.at < timestamp(transaction.now - KEPT))
    )  # fmt: skip
    transaction.connection.execute(
        schema.answers.insert().values(
            actor=_actor(principal), key=key, request=request, answer=json.dumps(answer), at=timestamp(transaction.now)
        )
    )


def _actor(principal: Principal) -> str:
    return f"token:{principal.token}" if principal.token else f"local:{principal.name}"
