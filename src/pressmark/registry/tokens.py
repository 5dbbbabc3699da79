"""Bearer tokens: 256 random bits of which the registry keeps only the SHA-256."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pressmark.errors import AuthenticationError, RegistryError
from pressmark.prompts.entry import timestamp
from pressmark.prompts.lines import LONGEST_AUTHOR, check_line
from pressmark.registry import access, schema
from pressmark.registry.database import Transaction
from pressmark.registry.values import ROLES, NewToken, Principal, Role, TokenInfo, patterns
from pressmark.wire import read_time

_PATTERN = re.compile(r"[a-z0-9._/*-]{1,200}")


def create(
    transaction: Transaction,
    by: Principal,
    *,
    principal: str,
    role: Role,
    labels: Sequence[str] | None,
    names: Sequence[str] | None,
    expires: datetime | None,
) -> NewToken:
    """Make a token and return it with its secret, which is seen here and never again.

    Raises:
        RegistryError: The role, a pattern, the principal or the time of expiry is wrong.
    """
    if role not in ROLES:
        raise RegistryError(f"there is no role {role!r}: choose one of {', '.join(ROLES)}", status=422)
    check_line(principal, "the principal's name", LONGEST_AUTHOR)
    if expires is not None and (expires.tzinfo is None or expires <= transaction.now):
        raise RegistryError(
            f"a token cannot expire at {expires.isoformat()}: give a time to come, with its time zone", status=422
        )
    who = Principal(
        principal, role, checked_patterns(labels), checked_patterns(names), token=secrets.token_hex(6)
    )  # fmt: skip
    secret = "pm_" + secrets.token_urlsafe(32)
    info = TokenInfo(str(who.token), who, transaction.now, by.name, expires)
    transaction.connection.execute(
        schema.tokens.insert().values(
            id=who.token,
            hash=hashed(secret),
            principal=who.name,
            role=who.role,
            labels=json.dumps(who.labels),
            names=json.dumps(who.names),
            created_at=timestamp(transaction.now),
            created_by=by.name,
            expires_at=None if expires is None else timestamp(expires),
        )
    )
    return NewToken(secret, info)


def revoke(transaction: Transaction, token: str) -> TokenInfo:
    """Stop a token for good; harmless where that was done before.

    Raises:
        NotFoundError: There is no such token.
    """
    if one(transaction.connection, token).revoked_at is None:
        transaction.connection.execute(
            schema.tokens.update().where(schema.tokens.c.id == token).values(revoked_at=timestamp(transaction.now))
        )
    return one(transaction.connection, token)


def one(connection: sa.Connection, token: str) -> TokenInfo:
    """Return a token by its id.

    Raises:
        NotFoundError: There is no such token.
    """
    asked = sa.select(schema.tokens).where(schema.tokens.c.id == access.check_token_id(token))
    row = connection.execute(asked).first()
    if row is None:
        raise access.no_token(token)
    return _info(row)


def listed(connection: sa.Connection) -> list[TokenInfo]:
    """Return every token, the oldest first."""
    rows = connection.execute(sa.select(schema.tokens).order_by(schema.tokens.c.created_at, schema.tokens.c.id))
    return [_info(row) for row in rows]


def revocations(connection: sa.Connection) -> int:
    """Return how many tokens were revoked so far: what is known of a token holds until this number changes."""
    return int(connection.execute(sa.select(sa.func.count(schema.tokens.c.revoked_at))).scalar_one())


def find(connection: sa.Connection, secret: str) -> TokenInfo:
    """Return the token that the secret belongs to, whatever its state.

    Raises:
        AuthenticationError: It belongs to none.
    """
    row = connection.execute(sa.select(schema.tokens).where(schema.tokens.c.hash == hashed(secret))).first()
    if row is None:
        raise AuthenticationError(
            "the registry does not know this token: check PRESSMARK_TOKEN, or ask an admin for a new one",
            hint="send Authorization: Bearer pm_… with a token of this registry",
        )
    return _info(row)


def demand_live(info: TokenInfo, now: datetime) -> Principal:
    """Return who comes with the token.

    Raises:
        AuthenticationError: It was revoked or has expired.
    """
    ended = "was revoked" if info.revoked_at else "has expired" if info.expires_at and info.expires_at <= now else None
    if ended:
        raise AuthenticationError(
            f"token {info.id} of {info.principal.name} {ended}: ask an admin for a new one",
            hint="ask an admin for a new token",
        )
    return info.principal


def checked_patterns(given: Sequence[str] | None) -> tuple[str, ...]:
    """Return a scope's patterns.

    Raises:
        RegistryError: One of them can match nothing.
    """
    for pattern in given or ():
        if not _PATTERN.fullmatch(pattern):
            raise RegistryError(
                f"{pattern!r} cannot be a pattern: use a name with '*' (within a segment) and '**' (across '/')",
                status=422,
            )
    return patterns(given)


def hashed(secret: str) -> str:
    """Return what the registry keeps of a secret."""
    # A slow hash is for secrets that can be guessed; this one holds 256 random bits.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _info(row: Any) -> TokenInfo:
    return TokenInfo(
        row.id,
        Principal(row.principal, row.role, tuple(json.loads(row.labels)), tuple(json.loads(row.names)), row.id),
        read_time(row.created_at),
        row.created_by,
        None if row.expires_at is None else read_time(row.expires_at),
        None if row.revoked_at is None else read_time(row.revoked_at),
    )
