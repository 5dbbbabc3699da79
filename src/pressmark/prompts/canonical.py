"""Canonical JSON (RFC 8785), and the digests of units and evidence.

The production client never imports this module: units travel as their canonical bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import rfc8785

from pressmark.errors import InvalidUnitError
from pressmark.prompts.digest import sha256_digest
from pressmark.prompts.unit import Unit

if TYPE_CHECKING:
    from pressmark.prompts.evidence import Evidence

MAX_UNIT_BYTES = 1024 * 1024
_EXACT = 2**53


def canonical_bytes(value: Any) -> bytes:
    """Return the RFC 8785 bytes of a JSON value.

    They are stable: reading them as JSON and making that canonical again gives the same bytes.

    Raises:
        InvalidUnitError: The value holds what canonical JSON has no form for: NaN, infinity, a lone surrogate, an
            integer beyond 2**53 that a double would change.
    """
    try:
        return rfc8785.dumps(_as_doubles(value))
    except (rfc8785.CanonicalizationError, RecursionError, UnicodeEncodeError, OverflowError) as error:
        raise InvalidUnitError(
            f"this value has no canonical JSON form ({error}): use finite numbers, whole ones within ±2**53, and valid"
            " Unicode"
        ) from error


def _as_doubles(value: Any) -> Any:
    # The double 1e16 is written as 10000000000000000, which Python reads as an integer: it must be writable again. An
    # integer whose digits would change stays one, and is refused.
    if type(value) is int and abs(value) >= _EXACT and rfc8785.dumps(float(value)) == str(value).encode():
        return float(value)
    if isinstance(value, Mapping):
        return {key: _as_doubles(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_doubles(item) for item in value]
    return value


def unit_bytes(unit: Unit) -> bytes:
    """Return the canonical bytes of a unit, the form in which it is stored and sent.

    Raises:
        InvalidUnitError: The unit is over 1 MiB, or holds what canonical JSON has no form for.
    """
    data = canonical_bytes(unit.to_dict())
    if len(data) > MAX_UNIT_BYTES:
        raise InvalidUnitError(
            f"this prompt takes {len(data):,} bytes; at most {MAX_UNIT_BYTES:,} are allowed: move large examples"
            " into a variable or an input"
        )
    return data


def unit_digest(unit: Unit) -> str:
    """Return the digest that identifies a unit everywhere."""
    return sha256_digest(unit_bytes(unit))


def evidence_bytes(evidence: Evidence) -> bytes:
    """Return the canonical bytes of evidence, the form in which it is kept and hashed.

    Raises:
        InvalidUnitError: It holds what canonical JSON has no form for.
    """
    return canonical_bytes(evidence.to_dict())


def evidence_digest(evidence: Evidence) -> str:
    """Return the digest that identifies evidence everywhere."""
    return sha256_digest(evidence_bytes(evidence))
