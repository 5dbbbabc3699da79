"""The answer cache's key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pressmark.prompts.canonical import canonical_bytes

# Finds known answers (as `Answer.to_dict` gives them) for many keys at once; a key that it does not know is left out.
Lookup = Callable[[Sequence[str]], Mapping[str, Mapping[str, Any]]]


def answer_key(base_url: str, request: Mapping[str, Any], repeat: int) -> str:
    """Return what an answer is cached under: the endpoint, the whole request and the repeat number.

    Raises:
        InvalidUnitError: The request has no canonical JSON form.
    """
    return "sha256:" + hashlib.sha256(canonical_bytes([base_url.rstrip("/"), request, repeat])).hexdigest()
