"""Bounds on request bodies, held before anything reads them whole: size, nesting, patience."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from pressmark.errors import PressmarkError, RegistryError
from pressmark.prompts.canonical import MAX_UNIT_BYTES
from pressmark.registry.packing import MAX_PACKED
from pressmark.registry.replies import send_fault

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY: Final = 1024 * 1024
# A unit travels as a JSON string: its quotes and backslashes are escaped once more.
MAX_PUBLISH: Final = 2 * MAX_UNIT_BYTES + 64 * 1024
MAX_NESTING: Final = 64
MAX_URL: Final = 16 * 1024
PATIENCE: Final = 30.0

_PUBLISH = re.compile(r"/v1/prompts/.*/-/versions")
# These may come under gzip, and are unpacked and parsed off the loop, by `large`.
LARGE = re.compile(r"/v1/evidence|/v1/suites/.*/-/versions")
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_ROUND = bytes.maketrans(b"{}", b"[]")
_OTHERS = bytes(set(range(256)) - set(b"[]{}"))


class Guard:
    """Reads a request's body, within bounds, and hands it on."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await self._body(scope, receive)
        except PressmarkError as error:
            # The rest of the body is still on its way: the connection cannot be used again.
            await send_fault(send, error, {"connection": "close"})
            return
        handed = False

        async def replay() -> MutableMapping[str, Any]:
            nonlocal handed
            if handed:
                return await receive()
            handed = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        headers = dict(scope["headers"])
        if len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"") > MAX_URL:
            raise RegistryError(f"the URL is longer than {MAX_URL:,} bytes: ask for less at once", status=414)
        large = scope["method"] == "POST" and LARGE.fullmatch(scope["path"]) is not None
        encodings = (b"identity", b"gzip") if large else (b"identity",)
        if headers.get(b"content-encoding", b"identity").lower() not in encodings:
            raise RegistryError(
                "a request's body is taken as it is here, and evidence and suites under gzip, too: send it without"
                " Content-Encoding",
                status=415,
                code="unsupported",
            )
        limit = MAX_PUBLISH if scope["method"] == "POST" and _PUBLISH.fullmatch(scope["path"]) else MAX_BODY
        limit = MAX_PACKED if large else limit
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared[:20]) > limit:
            raise _too_large(limit)
        if not declared.strip(b"0") and b"transfer-encoding" not in headers:
            return b""
        try:
            body = await asyncio.wait_for(_read(receive, limit), PATIENCE)
        except TimeoutError:
            raise RegistryError(
                f"the request's body did not arrive within {PATIENCE:.0f} s: send it again", status=408, code="timeout"
            ) from None
        if not large:
            demand_flat(body)
        return body


def demand_flat(body: bytes) -> None:
    """Refuse a JSON text that nests too deep.

    Raises:
        RegistryError: It does.
    """
    if nesting(body) > MAX_NESTING:
        raise RegistryError(
            f"the body is nested deeper than {MAX_NESTING} levels: flatten it", status=422, code="nesting"
        )


def nesting(body: bytes) -> int:
    """Return how deep a JSON text nests, without parsing it; past the bound, some number past it."""
    # Only brackets outside of strings count. Innermost pairs are taken out, once around for each level: a few passes at
    # the speed of memory, where a step for each bracket would hold up every other request.
    brackets = _STRING.sub(b"", body).translate(_ROUND, _OTHERS)
    depth = 0
    while depth <= MAX_NESTING and b"[]" in brackets:
        brackets = brackets.replace(b"[]", b"")
        depth += 1
    return depth + brackets.count(b"[")


async def _read(receive: Receive, limit: int) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RegistryError("the connection was closed in mid-request, so nothing was changed", code="cut")
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


def _too_large(limit: int) -> RegistryError:
    return RegistryError(
        f"the request's body is larger than {limit:,} bytes: send less at once",
        status=413,
        code="too_large",
        hint="send less at once",
    )
