"""The practice model behind HTTP: chat completions, the model list, counters and a page for people."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import itertools
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from importlib.resources import files
from typing import Any

try:
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
    from starlette.routing import Route
    from starlette.types import Receive, Scope, Send
except ImportError as error:
    raise ImportError(
        f"The practice model needs {error.name}, which is not installed: pip install 'pressmark[workbench]'",
        name=error.name,
    ) from error

import pressmark
from pressmark.providers.practice.answering import PracticeModel
from pressmark.providers.practice.replying import completion, pieces
from pressmark.providers.practice.requests import PRACTICE_MODEL, ChatRequest, RefusedError, content_text, parse

_LARGEST_BODY = 2**20
_REMEMBERED = 100_000
_PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:"
)


@functools.cache
def _trained() -> PracticeModel:
    """One model for all servers of a process: answering changes nothing in it."""
    return PracticeModel()


class _Endpoint:
    """The routes, with what they share."""

    def __init__(self, latency_ms: float) -> None:
        self._model = _trained()
        self._latency = latency_ms / 1000
        self._numbers = itertools.count(1)
        self._started = int(time.time())
        self._asked: Counter[bytes] = Counter()
        self._calls = self._errors = self._in_flight = self._peak = 0

    async def chat(self, request: Request) -> Response:
        """POST /v1/chat/completions."""
        self._calls += 1
        self._in_flight += 1
        self._peak = max(self._peak, self._in_flight)
        try:
            asked = parse(await _body(request))
            answer = self._model.answer(asked, self._variation(asked))
            number, created = f"{next(self._numbers):08x}", int(time.time())
            if asked.stream:
                chunks = list(pieces(asked, answer, number, created))
                return _Streamed(_spread(chunks, self._pause(asked)), self._finished)
            await asyncio.sleep(self._pause(asked))
            response: Response = JSONResponse(completion(asked, answer, number, created))
        except RefusedError as refused:
            self._errors += 1
            response = JSONResponse(refused.body(), refused.status)
        except BaseException:
            self._finished()
            raise
        self._finished()
        return response

    def _finished(self) -> None:
        self._in_flight -= 1

    def _variation(self, asked: ChatRequest) -> int:
        """How often this request came before: repeats without a seed differ, and a fresh server repeats the series."""
        if asked.temperature == 0 or asked.seed is not None:
            return 0
        if len(self._asked) > _REMEMBERED:
            self._asked.clear()
        key = _digest(asked)
        self._asked[key] += 1
        return self._asked[key] - 1

    def _pause(self, asked: ChatRequest) -> float:
        """The latency, between two thirds and four thirds of what was set, by the request's digest."""
        return self._latency * (2 / 3 + 2 / 3 * _digest(asked)[0] / 255)

    async def models(self, request: Request) -> Response:
        """GET /v1/models and GET /v1/models/{name}."""
        listed = {"id": PRACTICE_MODEL, "object": "model", "created": self._started, "owned_by": "pressmark"}
        name = request.path_params.get("name")
        if name is None:
            return JSONResponse({"object": "list", "data": [listed]})
        if name != PRACTICE_MODEL:
            refused = RefusedError(
                404, f"There is no model {name!r} here, only {PRACTICE_MODEL!r}.", "model", "model_not_found"
            )
            return JSONResponse(refused.body(), 404)
        return JSONResponse(listed)

    async def stats(self, request: Request) -> Response:
        """GET /stats tells the counters; POST /stats does so, too, and then sets them back."""
        counters = {"calls": self._calls, "errors": self._errors, "in_flight": self._in_flight, "peak": self._peak}
        if request.method == "POST":
            self._calls = self._errors = 0
            self._peak = self._in_flight
        return JSONResponse(counters)

    async def page(self, request: Request) -> Response:
        """GET / tells people what they found."""
        text = files(__package__).joinpath("page.html").read_text("utf-8")
        address = f"{request.url.scheme}://{request.url.netloc}/v1"
        filled = text.replace("{{ address }}", _escaped(address)).replace("{{ version }}", pressmark.__version__)
        return HTMLResponse(filled, headers={"Content-Security-Policy": _PAGE_POLICY})


class _Streamed(StreamingResponse):
    """A stream that tells when it is over, also when nobody reads it to the end."""

    def __init__(self, content: AsyncIterator[str], finished: Callable[[], None]) -> None:
        super().__init__(content, media_type="text/event-stream", headers={"Cache-Control": "no-cache"})
        self._finished = finished

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._finished()


async def _spread(chunks: list[dict[str, Any]], seconds: float) -> AsyncIterator[str]:
    """Server-sent events, spread over the latency: half of it before the first."""
    await asyncio.sleep(seconds / 2)
    for chunk in chunks:
        yield f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"
        await asyncio.sleep(seconds / 2 / len(chunks))
    yield "data: [DONE]\n\n"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def _digest(asked: ChatRequest) -> bytes:
    told = json.dumps([asked.temperature, *((m["role"], content_text(m.get("content"))) for m in asked.messages)])
    return hashlib.blake2b(told.encode(), digest_size=8).digest()


async def _body(request: Request) -> bytes:
    """The body, refused before it is read whole when it is too large."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_BODY:
            raise RefusedError(413, f"The body is larger than {_LARGEST_BODY // 2**20} MiB: send less.")
    return bytes(body)


async def _refusal(_: Request, error: Exception) -> Response:
    """What OpenAI clients can read, for a wrong path or method, too."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    messages = {
        404: "There is nothing here: the practice model answers POST /v1/chat/completions and GET /v1/models.",
        405: "Wrong method: POST chat completions, GET everything else.",
    }
    message = messages.get(
        status, f"The practice model failed on this request ({type(error).__name__}); please report it."
    )
    return JSONResponse(RefusedError(status, message).body(), status)


def create_app(latency_ms: float = 60) -> Starlette:
    """Make the server's application; the first one of a process trains the model.

    Args:
        latency_ms: How long an answer takes on average, so that progress can be seen.

    Returns:
        An ASGI application.

    Raises:
        ValueError: The latency is negative.
    """
    if latency_ms < 0:
        raise ValueError(f"latency_ms must be 0 or more, not {latency_ms!r}: it is how long an answer takes.")
    endpoint = _Endpoint(latency_ms)
    return Starlette(
        routes=[
            Route("/", endpoint.page, methods=["GET"]),
            Route("/v1/chat/completions", endpoint.chat, methods=["POST"]),
            Route("/v1/models", endpoint.models, methods=["GET"]),
            Route("/v1/models/{name:path}", endpoint.models, methods=["GET"]),
            Route("/stats", endpoint.stats, methods=["GET", "POST"]),
        ],
        exception_handlers={HTTPException: _refusal, Exception: _refusal},
    )
