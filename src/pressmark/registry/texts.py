"""Texts that people write into the change log."""

from __future__ import annotations

import re
from typing import Any

from pressmark.errors import InvalidUnitError


def check_line(text: Any, what: str, limit: int) -> str:
    """Return a text that people will read in a list.

    Raises:
        InvalidUnitError: It is empty, too long, or holds control characters.
    """
    if not isinstance(text, str) or not text.strip():
        raise InvalidUnitError(f"{what} is empty: write it in a sentence", field=what)
    if len(text) > limit:
        raise InvalidUnitError(f"{what} has {len(text):,} characters; at most {limit:,} are allowed", field=what)
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", text):
        raise InvalidUnitError(f"{what} holds control characters: write plain text", field=what)
    return text
