"""HTTP to the registry: one sync, one stream, and errors that say what to do."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
import sys
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode
from weakref import WeakSet

import urllib3
from urllib3.connection import HTTPConnection
from urllib3.util import Timeout

from pressmark.address import authorization, read_address
from pressmark.client.answers import Head, Move, SyncAnswer, malformed, read_head, read_move, read_sync
from pressmark.client.sse import Event, EventReader
from pressmark.errors import (
    AuthenticationError,
    PermissionDeniedError,
    PressmarkError,
    RegistryError,
    RegistryUnavailableError,
)
from pressmark.prompts import Position
from pressmark.wire import WIRE

CONNECT_TIMEOUT: Final = 5.0
READ_TIMEOUT: Final = 10.0
SYNC_TIMEOUT: Final = 60.0
STREAM_SILENCE: Final = 25.0
"""The registry sends a head every 10 s at most, so a stream that is silent for longer than this is dead."""
MAX_ANSWER: Final = 512 * 1024 * 1024
_PIECE: Final = 256 * 1024
_LONGEST_RETRY_AFTER: Final = 300.0


class Synced(NamedTuple):
    """A full answer with its ETag."""

    answer: SyncAnswer
    etag: str | None


class Fetcher:
    """Asks one registry for one subscription.

    Args:
        url: The registry's base URL.
        token: The bearer token.
        labels: Labels to ask for.
        names: Name patterns to ask for.

    Raises:
        RegistryError: The URL is no http or https address.
        AuthenticationError: The token cannot be sent.
    """

    def __init__(self, url: str, token: str | None, labels: tuple[str, ...], names: tuple[str, ...]) -> None:
        self.url = url
        self._base, self._pool = _pool(url)
        self._sockets = _Sockets()
        self._pool.ConnectionCls = _tracked(self._pool.ConnectionCls, self._sockets)
        self._headers = {"User-Agent": _user_agent(), **authorization(token)}
        self._query = [("label", label) for label in labels] + [("name", name) for name in names]

    def sync(self, etag: str | None = None) -> Synced | None:
        """Ask for everything that the subscription covers.

        Args:
            etag: The ETag of the state that is held.

        Returns:
            The answer, or None where nothing changed since the ETag.

        Raises:
            RegistryError: The registry refused, or answered what no registry answers.
            RegistryUnavailableError: It could not be reached, or failed.
        """
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip"}
        if etag is not None:
            headers["If-None-Match"] = etag
        with self._asked("/v1/sync", self._query, headers, READ_TIMEOUT) as response:
            if response.status == 304:
                return None
            self._expect(response, "application/json")
            return Synced(read_sync(self._body(response)), response.headers.get("ETag"))

    def stream(self, after: Position, opened: Callable[[], None]) -> Iterator[list[Move | Head]]:
        """Follow the event stream; each item holds what one read of the network brought.

        Args:
            after: The position that is held.
            opened: Called once the registry has accepted, before the first event.

        Raises:
            RegistryError: The registry refused; with code `resync` where a full sync must come first.
            RegistryUnavailableError: It could not be reached, or the stream broke or fell silent.
        """
        query = [("after", str(after.seq)), ("registry", after.registry), ("epoch", str(after.epoch)), *self._query]
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        with self._asked("/v1/events", query, headers, STREAM_SILENCE) as response:
            self._expect(response, "text/event-stream")
            opened()
            reader = EventReader()
            while piece := response.read1(_PIECE):
                if moves := [move for event in reader.feed(piece) if (move := _moved(event)) is not None]:
                    yield moves

    def close(self) -> None:
        """Cut what is under way; a thread that waits for the network wakes up with an error."""
        self._sockets.cut()
        self._pool.close()

    def abandon(self) -> None:
        """In a forked child: let go of the parent's connections without touching them."""
        self._sockets.let_go()

    @contextlib.contextmanager
    def _asked(
        self, path: str, query: list[tuple[str, str]], headers: dict[str, str], read_timeout: float
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        response = None
        try:
            response = self._pool.urlopen(
                "GET",
                f"{self._base}{path}?{urlencode(query)}",
                headers=self._headers | headers,
                timeout=Timeout(connect=CONNECT_TIMEOUT, read=read_timeout),
                retries=False,
                redirect=False,
                preload_content=False,
                assert_same_host=False,
            )
            yield response
        except (urllib3.exceptions.HTTPError, OSError, http.client.HTTPException, ValueError, AttributeError) as error:
            # A socket that `close` cuts under a waiting read shows up as almost anything.
            if isinstance(error, PressmarkError):
                raise
            raise self._unreachable(error) from error
        finally:
            if response is not None:
                # What was not read to its end cannot be used again, so the connection goes with it.
                response.close() if response.closed is False and not _finished(response) else response.release_conn()

    def _body(self, response: urllib3.BaseHTTPResponse) -> bytes:
        deadline = time.monotonic() + SYNC_TIMEOUT
        pieces: list[bytes] = []
        size = 0
        for piece in response.stream(_PIECE, decode_content=True):
            size += len(piece)
            pieces.append(piece)
            if size > MAX_ANSWER:
                raise malformed(f"it has more than {MAX_ANSWER:,} bytes")
            if time.monotonic() > deadline:
                raise RegistryUnavailableError(
                    f"the registry at {self.url} was still sending after {SYNC_TIMEOUT:.0f} s; the client goes on with"
                    " what it has and asks again",
                    hint="check the network between the two",
                )
        return b"".join(pieces)

    def _expect(self, response: urllib3.BaseHTTPResponse, kind: str) -> None:
        status = response.status
        if status == 200 and response.headers.get("Content-Type", "").startswith(kind):
            return
        code, message, hint = _told(response)
        facts: dict[str, Any] = {"status": status}
        if status == 401:
            raise AuthenticationError(
                f"the registry at {self.url} refused the token{message}: create one with `pressmark token create` and"
                " pass it as token= or PRESSMARK_TOKEN",
                hint=hint or "pass another token",
            )
        if status == 403:
            raise PermissionDeniedError(
                f"the registry at {self.url} does not let this token read what was asked for{message}: ask for other"
                " labels= and names=, or a token with a wider scope",
                hint=hint or "narrow labels= and names=, or widen the token's scope",
            )
        if status in (408, 425, 429) or status >= 500:
            raise RegistryUnavailableError(
                f"the registry at {self.url} answered {status}{message}; the client goes on with what it has and asks"
                " again",
                retry_after=_retry_after(response.headers.get("Retry-After")),
                hint=hint or "look at the registry's own log",
                **facts,
            )
        if code:
            raise RegistryError(
                f"the registry at {self.url} answered {status}{message}{': ' + hint if hint else ''}",
                code=code,
                hint=hint,
                **facts,
            )
        raise RegistryError(
            f"{self.url} answered {status} ({response.headers.get('Content-Type', 'no content type')}), so it is not a"
            " Pressmark registry: check the URL (the registry's base URL, without /v1)",
            code="not_a_registry",
            hint="check the URL",
            **facts,
        )

    def _unreachable(self, error: Exception) -> RegistryUnavailableError:
        return RegistryUnavailableError(
            f"the registry at {self.url} could not be reached ({_cause(error)}); the client goes on with what it has"
            " and asks again",
            hint="check that the registry runs, the URL and the network",
        )


def _moved(event: Event) -> Move | Head | None:
    if event.kind == "move":
        return read_move(event.data, event.id)
    if event.kind == "head":
        return read_head(event.data, event.id)
    if event.kind == "resync":
        raise RegistryError(
            "the registry no longer has the events since this client's position: a full sync follows",
            code="resync",
            status=410,
        )
    return None  # a kind that a newer registry may send


def _pool(url: str) -> tuple[str, urllib3.HTTPConnectionPool]:
    address = read_address(url)
    kind = urllib3.HTTPSConnectionPool if address.scheme == "https" else urllib3.HTTPConnectionPool
    # Both a poll and a stream may be open for a moment.
    return address.path, kind(address.host, address.port, maxsize=2, block=False)


class _Sockets:
    """The open sockets of a pool, which another thread may cut."""

    def __init__(self) -> None:
        self._open: WeakSet[socket.socket] = WeakSet()
        self._over = False

    def add(self, opened: socket.socket) -> None:
        self._open.add(opened)
        if self._over:
            self.cut()

    def cut(self) -> None:
        self._over = True
        for opened in list(self._open):
            with contextlib.suppress(OSError, ValueError):
                opened.shutdown(socket.SHUT_RDWR)

    def let_go(self) -> None:
        for opened in list(self._open):
            # Shutting down would end the parent's connection, and keeping it would hold it open after the parent.
            with contextlib.suppress(OSError):
                os.close(opened.detach())


def _tracked(kind: Any, sockets: _Sockets) -> Any:
    class TrackedConnection(kind):  # type: ignore[misc]
        """A connection whose socket can be cut from outside."""

        def connect(self) -> None:
            super().connect()
            if self.sock is not None:
                sockets.add(self.sock)

    assert issubclass(kind, HTTPConnection)
    return TrackedConnection


def _user_agent() -> str:
    return f"pressmark-client/{WIRE} python/{sys.version_info[0]}.{sys.version_info[1]}"


def _finished(response: urllib3.BaseHTTPResponse) -> bool:
    return getattr(response, "length_remaining", None) == 0 or response.status == 304


def _told(response: urllib3.BaseHTTPResponse) -> tuple[str, str, str]:
    """Return code, message (as a clause) and hint of the registry's error body; empty where there is none."""
    try:
        error = json.loads(response.read(65536))["error"]
        message = str(error["message"])
        return str(error["code"]), f" ({message})" if message else "", str(error.get("hint", ""))
    except (urllib3.exceptions.HTTPError, OSError, ValueError, LookupError, TypeError, AttributeError):
        return "", "", ""


def _retry_after(told: str | None) -> float | None:
    """Read seconds or a date; what asks for more than five minutes is cut to that."""
    if not told:
        return None
    try:
        seconds = float(told) if told.strip().isdigit() else parsedate_to_datetime(told).timestamp() - time.time()
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)


def _cause(error: BaseException) -> str:
    """Say in a few words why the network failed; the innermost reason says most."""
    reason = getattr(error, "reason", None)
    if isinstance(reason, BaseException):
        return _cause(reason)
    if isinstance(error, urllib3.exceptions.NewConnectionError):  # urllib3 counts it among the timeouts
        return str(error.__cause__ or error).split("] ")[-1].lower()
    if isinstance(error, urllib3.exceptions.ConnectTimeoutError):
        return "it did not accept a connection in time"
    if isinstance(error, TimeoutError | urllib3.exceptions.TimeoutError):
        return "it did not answer in time"
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return "the connection broke"
    return re.sub(r"\[Errno -?[0-9]+\] ", "", str(error).split(": ", 1)[-1]) or type(error).__name__
