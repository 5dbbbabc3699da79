"""Texts that people write, and others read in lists: change messages, reasons, names of people."""

from __future__ import annotations

import re
from typing import Any

from pressmark.errors import InvalidUnitError

LONGEST_MESSAGE = 2_000
LONGEST_AUTHOR = 200


def check_line(text: Any, what: str, limit: int) -> str:
    """Return a text that people will read in a list.

    Args:
        text: What was written.
        what: What it is, such as "the reason", for the error.
        limit: How many characters it may have.

    Raises:
        InvalidUnitError: It is empty, too long, or holds control characters.
    """
    if not isinstance(text, str) or not text.strip():
        raise InvalidUnitError(f"{what} is empty: write it in a sentence", field=what)
    if len(text) > limit:
        raise InvalidUnitError(
            f"{what} has {len(text):,} characters; at most {limit:,} are allowed: shorten it", field=what
        )
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text):
        raise InvalidUnitError(f"{what} holds control characters: write plain text", field=what)
    return text
