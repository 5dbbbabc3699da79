"""The paths that clients live on, answered outside the framework: `sync`, `events` and `units`."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

import orjson

from pressmark.errors import (
    AuthenticationError,
    NotFoundError,
    PressmarkError,
    RegistryError,
    RegistryUnavailableError,
)
from pressmark.prompts import Position
from pressmark.registry import state
from pressmark.registry.bearers import Bearers
from pressmark.registry.feed import Feed
from pressmark.registry.guard import App, Receive, Scope, Send
from pressmark.registry.replies import send_fault, send_whole
from pressmark.registry.state import Subscription
from pressmark.registry.store import HEARTBEAT, Store
from pressmark.registry.values import Principal

STALLED: Final = 20.0
"""Seconds after which a stream whose reader takes nothing is dropped; it comes back where it stopped."""
_KEPT_ANSWERS: Final = 64
_UNIT: Final = "/v1/units/"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Streams:
    """Answers its own paths and passes the rest on.

    Args:
        app: What the rest is for.
        store: The registry.
        following: Gives what follows the store while the server runs.
    """

    def __init__(self, app: App, store: Store, following: Callable[[], tuple[Feed, Bearers]]) -> None:
        self._app = app
        self._store = store
        self._following = following
        self._answers: dict[_Question, asyncio.Future[tuple[str, bytes]]] = {}
        self._stamp: object = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        answer = self._route(scope["path"]) if scope["type"] == "http" else None
        if answer is None:
            await self._app(scope, receive, send)
            return
        try:
            if scope["method"] not in ("GET", "HEAD") or (scope["method"] == "HEAD" and answer == self._events):
                raise RegistryError(f"{scope['path']} is read with GET, not {scope['method']}", status=405)
            feed, bearers = self._following()
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            principal = await _who(bearers, headers.get("authorization"))
            request = _Request(
                scope=scope, receive=receive, headers=headers, principal=principal, feed=feed, bearers=bearers
            )
            await answer(request, send)
        except PressmarkError as error:
            await send_fault(send, error)

    def _route(self, path: str) -> Callable[[_Request, Send], Awaitable[None]] | None:
        if path == "/v1/sync":
            return self._sync
        if path == "/v1/events":
            return self._events
        return self._unit if path.startswith(_UNIT) else None

    async def _sync(self, request: _Request, send: Send) -> None:
        asked = request.question()
        etag, body = await self._answer(request.feed, asked)
        headers = {
            "etag": etag,
            "cache-control": "private, no-cache",
            "vary": "authorization, accept-encoding",
            "content-type": "application/json",
        }
        if _matches(request.headers.get("if-none-match"), etag):
            await send_whole(send, 304, headers, b"")
            return
        if asked.zipped:
            headers["content-encoding"] = "gzip"
        await send_whole(send, 200, headers, body)

    async def _answer(self, feed: Feed, asked: _Question) -> tuple[str, bytes]:
        # Equal questions at one state of the store share one answer, the one that is being made included.
        stamp = feed.watch.stamp()
        if stamp != self._stamp or len(self._answers) > _KEPT_ANSWERS:
            self._answers, self._stamp = {}, stamp
        future = self._answers.get(asked)
        if future is None or future.cancelled() or (future.done() and future.exception()):
            future = self._answers[asked] = asyncio.ensure_future(asyncio.to_thread(_written, self._store, asked))
        return await asyncio.shield(future)

    async def _unit(self, request: _Request, send: Send) -> None:
        digest = request.scope["path"][len(_UNIT) :]
        acting = self._store.acting_as(request.principal)
        body = await asyncio.to_thread(acting.unit, digest) if _DIGEST.fullmatch(digest) else None
        if body is None:
            raise NotFoundError(f"the registry shows you no unit {digest[:80]!r}: check the digest")
        headers = {
            "content-type": "application/json",
            "cache-control": "private, max-age=31536000, immutable",
            "etag": f'"{digest}"',
        }
        if _matches(request.headers.get("if-none-match"), headers["etag"]):
            await send_whole(send, 304, headers, b"")
            return
        await send_whole(send, 200, headers, body)

    async def _events(self, request: _Request, send: Send) -> None:
        feed = request.feed
        after = request.after(feed.position)
        request.subscription()  # what is malformed is refused before the stream begins
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        listener = asyncio.Event()
        feed.listeners.add(listener)
        leaving = asyncio.ensure_future(_gone(request.receive, listener))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            with contextlib.suppress(RegistryUnavailableError):  # whoever comes back is told so, with a status
                await self._tell(request, after, listener, leaving, send)
            await asyncio.wait_for(send({"type": "http.response.body", "body": b""}), STALLED)
        except TimeoutError:
            return  # its reader stalled; the server closes the connection
        finally:
            leaving.cancel()
            feed.listeners.discard(listener)

    async def _tell(
        self,
        request: _Request,
        after: Position,
        listener: asyncio.Event,
        leaving: asyncio.Future[None],
        send: Send,
    ) -> None:
        feed, subscription, first = request.feed, request.subscription(), True
        seq = after.seq
        while not feed.closed and not leaving.done() and await request.still_allowed():
            listener.clear()
            told, upto, resync = await self._news(feed, subscription, after._replace(seq=seq))
            if resync:
                told = [state.sse("resync", upto, {"seq": upto})]
            elif not told and upto == feed.position.seq and (first or upto == seq):
                told = [feed.head()]
            if told:
                message = {"type": "http.response.body", "body": b"".join(told), "more_body": True}
                await asyncio.wait_for(send(message), STALLED)
            if resync:
                return
            seq, first = upto, False
            # The feed may be behind what was just read from the store; it wakes everybody when it has caught up.
            if seq >= feed.position.seq and not feed.closed:
                await _wait(listener, HEARTBEAT)

    async def _news(self, feed: Feed, subscription: Subscription, after: Position) -> tuple[list[bytes], int, bool]:
        if after[:2] == feed.position[:2]:
            events = feed.since(after.seq)
            if events is not None:
                rendered = [feed.rendered(subscription, event) for event in events]
                upto = events[-1]["seq"] if events else after.seq
                return [body for body in rendered if body], upto, False
        found, position, _ = await asyncio.to_thread(self._store.since, after)
        if found is None:
            return [], position.seq, True
        heard = (state.heard(subscription, event) for event in found)
        told = [state.sse("move", event.seq, dict(event.data)) for event in heard if event]
        return told, found[-1]["seq"] if found else after.seq, False


@dataclass(frozen=True, slots=True)
class _Question:
    """What a sync asks for; equal ones get the same bytes."""

    subscription: Subscription
    since: Position | None
    scope: str | None
    units: bool
    zipped: bool


class _Request:
    """What one request asks for."""

    def __init__(
        self,
        *,
        scope: Scope,
        receive: Receive,
        headers: Mapping[str, str],
        principal: Principal,
        feed: Feed,
        bearers: Bearers,
    ) -> None:
        self.scope = scope
        self.receive = receive
        self.headers = headers
        self.principal = principal
        self.feed = feed
        self._bearers = bearers
        try:
            self._query = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=200)
        except ValueError:
            raise RegistryError("more than 200 parameters: use patterns with '*' or '**'", status=422) from None

    def one(self, key: str) -> str | None:
        """Return a parameter's value, or None."""
        return next(iter(self._query.get(key, ())), None)

    def number(self, key: str) -> int | None:
        """Return a parameter that is a sequence number.

        Raises:
            RegistryError: It is something else.
        """
        value = self.one(key)
        if value is None:
            return None
        if not (value.isascii() and value.isdigit() and len(value) < 16):
            raise RegistryError(f"{key} is {value[:40]!r}: send a sequence number, such as {key}=12", status=422)
        return int(value)

    def subscription(self) -> Subscription:
        """Return the labels and names asked for."""
        return Subscription.of(self.principal, self._query.get("label"), self._query.get("name"))

    def question(self) -> _Question:
        """Return what a sync asks for."""
        since = self.number("since")
        return _Question(
            self.subscription(),
            None if since is None else Position(*self.epoch(self.feed.position), since),
            self.one("scope"),
            self.one("units") != "0",
            "gzip" in self.headers.get("accept-encoding", ""),
        )

    def epoch(self, position: Position) -> tuple[str, int]:
        """Return the registry and epoch that the asker's sequence number belongs to; this one's where not told."""
        epoch = self.number("epoch")
        return self.one("registry") or position.registry, position.epoch if epoch is None else epoch

    def after(self, position: Position) -> Position:
        """Return where a stream begins: after `Last-Event-ID`, after `after=`, or now."""
        last = self.headers.get("last-event-id", "")
        seq = int(last) if last.isascii() and last.isdigit() and len(last) < 16 else self.number("after")
        return Position(*self.epoch(position), position.seq if seq is None else seq)

    async def still_allowed(self) -> bool:
        """Say whether the token still lets in who came with it, with the same rights."""
        try:
            return await _who(self._bearers, self.headers.get("authorization")) == self.principal
        except AuthenticationError:
            return False
        except RegistryUnavailableError:
            return True  # a store that is away revokes nothing; it is asked again with the next event


async def _who(bearers: Bearers, authorization: str | None) -> Principal:
    known = bearers.at_hand(authorization)
    return known if known is not None else await asyncio.to_thread(bearers.principal, authorization)


def _written(store: Store, asked: _Question) -> tuple[str, bytes]:
    wanted = asked.subscription
    told = store.acting_as(wanted.principal).sync(
        wanted.labels, wanted.names, since=asked.since, scope=asked.scope, units=asked.units
    )
    position = told["position"]
    part = "all" if told["full"] or asked.since is None else f"since-{asked.since.seq}"
    marks = [position["registry"], position["epoch"], position["seq"], told["scope"], part]
    etag = "-".join(str(mark) for mark in [*marks, *([] if asked.units else ["bare"]), *(["gzip"] * asked.zipped)])
    body = orjson.dumps(told)
    return f'"{etag}"', gzip.compress(body, 1, mtime=0) if asked.zipped else body


def _matches(header: str | None, etag: str) -> bool:
    # A proxy that recompresses marks the tag as weak; the content is still the same.
    told = [one.strip().removeprefix("W/") for one in (header or "").split(",")]
    return etag in told or told == ["*"]


async def _gone(receive: Receive, listener: asyncio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.set()


async def _wait(listener: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(listener.wait(), seconds)
    except TimeoutError:
        return
