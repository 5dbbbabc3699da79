"""Large bodies under gzip, unpacked within a bound, so that a small body cannot become an endless one."""

from __future__ import annotations

import gzip
import zlib
from typing import Final

from pressmark.errors import RegistryError

MAX_PACKED: Final = 32 * 1024 * 1024
"""Bytes that evidence, or a suite with its dataset, may have on the way and in the store."""
MAX_UNPACKED: Final = 4 * MAX_PACKED
"""Bytes that they may unpack to."""
_GZIP = 31


def pack(body: bytes) -> bytes:
    """Return the body under gzip, the same bytes for the same body."""
    return gzip.compress(body, compresslevel=6, mtime=0)


def unpack(packed: bytes) -> bytes:
    """Return what is under gzip.

    Raises:
        RegistryError: It is no gzip, is cut off, or unpacks to more than the bound.
    """
    reader = zlib.decompressobj(_GZIP)
    try:
        body = reader.decompress(packed, MAX_UNPACKED + 1)
    except zlib.error as error:
        raise RegistryError(
            f"the body says that it is gzip, and is not ({error}): send it without Content-Encoding, or packed again",
            status=422,
        ) from error
    demand_size(len(body), MAX_UNPACKED)
    if not reader.eof or reader.unused_data:
        raise RegistryError("the packed body does not end where it should: pack it again", status=422)
    return body


def demand_size(size: int, limit: int = MAX_PACKED) -> None:
    """Refuse a body that is too large.

    Raises:
        RegistryError: It is.
    """
    if size > limit:
        raise RegistryError(
            f"the body takes more than {limit:,} bytes: evaluate fewer rows at once, or leave out the flipped outputs",
            status=413,
            code="too_large",
            hint="send less at once",
        )
