"""JSON of answers and records, by orjson: there are two of each for every call.

What orjson does not take (half of a surrogate pair, a whole number over 64 bits, NaN in what an endpoint sends), the
standard library's module does.
"""

from __future__ import annotations

import json
from typing import Any

import orjson


def dumps(value: Any) -> bytes:
    """Return the JSON text of a value, on one line."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()


def loads(text: bytes) -> Any:
    """Return what a JSON text holds.

    Raises:
        ValueError: It is not JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)
