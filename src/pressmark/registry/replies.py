"""Whole answers in one write each."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from pressmark.errors import PressmarkError
from pressmark.registry.faults import fault_to_dict, status_of

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def fault_body(error: PressmarkError) -> bytes:
    """Return an error answer's body. ASCII only: a message may quote what no encoding can carry."""
    return json.dumps(fault_to_dict(error)).encode()


def fault_headers(error: PressmarkError) -> dict[str, str]:
    """Return the headers that belong to an error's status."""
    status = status_of(error)
    extra = {"retry-after": "1"} if status == 503 else {"www-authenticate": "Bearer"} if status == 401 else {}
    return {"content-type": "application/json", "cache-control": "no-store", **extra}


async def send_fault(send: Send, error: PressmarkError, headers: Mapping[str, str] | None = None) -> None:
    """Answer with an error."""
    await send_whole(send, status_of(error), {**fault_headers(error), **(headers or {})}, fault_body(error))


async def send_whole(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Answer with a body that is known in full."""
    told = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    if status != 304:
        told.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": told})
    await send({"type": "http.response.body", "body": body})
