"""Asking an OpenAI-compatible endpoint, once: no retries here, the runner does them."""

from __future__ import annotations

import importlib.util
import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pressmark.errors import EndpointError
from pressmark.evals import Answer
from pressmark.evals.quickjson import loads
from pressmark.prompts import freeze
from pressmark.providers.endpoint import Endpoint
from pressmark.providers.failures import broken, garbage, reported, translated
from pressmark.providers.prices import cost
from pressmark.providers.streaming import Assembly, NotAStreamError, lines

if TYPE_CHECKING:
    import asyncio

    import httpx2
    from openai import AsyncOpenAI

# The runner's own timeout ends a call; this one only bounds a connect that nobody waits for any more.
_TIMEOUT = 600.0
# Keyword arguments of `create` that are the client's own and no part of the request's body.
_CLIENT_OPTIONS = frozenset({"extra_body", "extra_headers", "extra_query", "timeout"})


class Completer:
    """A completion function for an endpoint.

    It may be used from one event loop after another; `aclose` in the loop that used it frees its connections.

    Attributes:
        endpoint: Where it asks.
        stream: Whether answers are streamed, which tells the time to the first token.
        heard: Told the text so far with every piece of a streamed answer; what it raises ends the call.
        base_url: The endpoint's address.
    """

    def __init__(self, endpoint: Endpoint, *, stream: bool = False, heard: Callable[[str], None] | None = None) -> None:
        self.endpoint = endpoint
        self.stream = stream
        self.heard = heard
        self.base_url = endpoint.base_url
        self._client: AsyncOpenAI | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, request: Mapping[str, Any]) -> Answer:
        """Answer the keyword arguments of `chat.completions.create`.

        Raises:
            EndpointError: There is no proper answer; `retryable` tells whether asking again may help.
        """
        key = self.endpoint.key()
        client = self._ready(key)
        failure: EndpointError | None = None
        ttft: float | None = None
        began = time.perf_counter()
        try:
            if self.stream:
                body, first = await _streamed(client, request, self.endpoint, key, self.heard)
                ttft = None if first is None else first - began
            else:
                body = await _body(client, request)
        except EndpointError:
            raise
        except Exception as error:
            failure = translated(error, self.endpoint, key)
            if failure is None:
                raise
        if failure is not None:
            # Raised outside of the except clause: the original may quote the key, and would be its context.
            raise failure
        latency = time.perf_counter() - began
        try:
            whole = loads(body)
        except ValueError:
            raise garbage(self.endpoint, "its body is not JSON") from None
        if isinstance(whole, dict) and isinstance(whole.get("error"), dict):
            raise reported(self.endpoint, whole["error"].get("message"), key)
        return _answer(whole, self.endpoint, str(request.get("model", "")), latency, ttft)

    @property
    def rpm(self) -> float | None:
        """Requests that the endpoint takes a minute."""
        return self.endpoint.rpm

    @property
    def tpm(self) -> float | None:
        """Tokens that the endpoint takes a minute."""
        return self.endpoint.tpm

    def price(self, model: str, tokens_in: int, tokens_out: int) -> float | None:
        """Return US dollars for so many tokens of a model, or None where its price is not known."""
        return cost(model, self.base_url, {"prompt_tokens": tokens_in, "completion_tokens": tokens_out})

    async def aclose(self) -> None:
        """Close the connections; the next call opens new ones."""
        client, self._client, self._loop = self._client, None, None
        if client is not None:
            await client.close()

    def __repr__(self) -> str:
        return f"<Completer of {self.endpoint.name} at {self.base_url}>"

    def _ready(self, key: str | None) -> AsyncOpenAI:
        import asyncio

        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            from openai import AsyncOpenAI

            # A local server takes any key, and the client wants one.
            self._client = AsyncOpenAI(
                base_url=self.base_url,
                api_key=key or "none",
                max_retries=0,
                timeout=_TIMEOUT,
                http_client=_transport(self.endpoint),
            )
            self._loop = loop
        elif key is not None:
            self._client.api_key = key
        return self._client


async def _body(client: AsyncOpenAI, request: Mapping[str, Any]) -> bytes:
    """The response's body, unread: so that a malformed one is told from a model's answer."""
    if not _CLIENT_OPTIONS.isdisjoint(request):
        raw = await client.chat.completions.with_raw_response.create(**request)
        return bytes(raw.content)

    import httpx2

    # Without the typed method's walk over the request, which takes longer than all the rest: 1.0 of 1.7 ms a call.
    response = await client.post("/chat/completions", body=request, cast_to=httpx2.Response)
    return bytes(response.content)


async def _streamed(
    client: AsyncOpenAI,
    request: Mapping[str, Any],
    endpoint: Endpoint,
    key: str | None,
    heard: Callable[[str], None] | None,
) -> tuple[bytes, float | None]:
    """The body that the streamed chunks make up, and when the first token came."""
    import httpx2

    options = {**request.get("stream_options", {}), "include_usage": True}
    asked = {**request, "stream": True, "stream_options": options}
    assembly, first, told = Assembly(), None, ""
    async with client.chat.completions.with_streaming_response.create(**asked) as response:
        try:
            if response.headers.get("content-type", "").startswith("application/json"):
                return await response.read(), None  # it does not stream, and answered in one piece
            async for line in lines(response.iter_bytes()):
                assembly.feed(line)
                if assembly.error is not None:
                    why = assembly.error
                    raise reported(endpoint, why.get("message") if isinstance(why, dict) else why, key)
                if first is None and assembly.begun:
                    first = time.perf_counter()
                if heard is not None and len(assembly.text) > len(told):
                    told = assembly.text
                    heard(told)
        except NotAStreamError as error:
            raise garbage(endpoint, str(error)) from None
        except httpx2.HTTPError:
            raise broken(endpoint) from None
    if not assembly.finished:
        raise broken(endpoint)
    return json.dumps(assembly.whole()).encode(), first


def _transport(endpoint: Endpoint) -> httpx2.AsyncClient | None:
    """The HTTP client for an endpoint that is not reached in the openai client's usual way."""
    if endpoint.transport != "aiohttp":
        return None
    from openai import DefaultAioHttpClient

    return DefaultAioHttpClient(timeout=_TIMEOUT)


def completer(endpoint: Endpoint, *, stream: bool = False, heard: Callable[[str], None] | None = None) -> Completer:
    """Return a completion function for an endpoint.

    Args:
        endpoint: Where to ask.
        stream: Whether to have answers streamed, for the time to the first token.
        heard: What is told the text so far with every piece of a streamed answer.

    Raises:
        EndpointAuthError: The endpoint's key is not in the environment.
        EndpointError: The endpoint's transport is not installed.
    """
    endpoint.key()
    if endpoint.transport == "aiohttp" and importlib.util.find_spec("aiohttp") is None:
        raise EndpointError(
            f"endpoint {endpoint.name!r} is reached by aiohttp, which is not installed: pip install"
            " 'pressmark[aiohttp]', or give the endpoint transport='httpx2'",
            kind="transport",
            hopeless=True,
        )
    return Completer(endpoint, stream=stream, heard=heard)


def _answer(whole: Any, endpoint: Endpoint, asked_model: str, latency: float, ttft: float | None) -> Answer:
    try:
        choice = whole["choices"][0]
        message = choice["message"]
        output = _output(message)
        frozen = freeze({key: value for key, value in message.items() if value is not None})
    except (KeyError, IndexError, TypeError, AttributeError):
        raise garbage(endpoint, "it holds no message") from None
    usage = whole.get("usage") if isinstance(whole.get("usage"), dict) else {}
    model = whole.get("model") if isinstance(whole.get("model"), str) else asked_model
    return Answer(
        output=output,
        model=model,
        message=frozen,
        fingerprint=_text(whole.get("system_fingerprint")),
        finish_reason=_text(choice.get("finish_reason")),
        tokens_in=_count(usage.get("prompt_tokens")),
        tokens_out=_count(usage.get("completion_tokens")),
        cost=cost(model, endpoint.base_url, usage),
        latency=latency,
        response_id=_text(whole.get("id")),
        ttft=ttft,
    )


def _output(message: dict[str, Any]) -> str:
    calls = message.get("tool_calls")
    content = message.get("content")
    if calls:
        told = [
            {"name": call["function"]["name"], "arguments": _arguments(call["function"].get("arguments"))}
            for call in calls
        ]
        return json.dumps(told, ensure_ascii=False)
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return content if isinstance(content, str) else message.get("refusal") or ""


def _arguments(told: Any) -> Any:
    try:
        return json.loads(told)
    except (ValueError, TypeError):
        return told


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) else None
