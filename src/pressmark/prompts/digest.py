"""Digests of canonical bytes.

Kept apart from `canonical`: whoever receives a unit's canonical bytes checks them with the standard library alone.
"""

from __future__ import annotations

import hashlib


def sha256_digest(data: bytes) -> str:
    """Return `sha256:` and the hex digest of the bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()
