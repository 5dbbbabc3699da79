"""The completer: one request to a real HTTP server by the real openai client, and an answer or one of our errors."""

from __future__ import annotations

import asyncio
import email.utils
import json
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from pressmark.errors import EndpointAuthError, EndpointConnectionError, EndpointError
from pressmark.evals import Answer, Patience
from pressmark.evals.asking import ask, kind_of
from pressmark.prompts import freeze
from pressmark.providers import Endpoint, completer

from .scripted import Reply, Request, Server, completion

Serve = Callable[[Callable[[Request], Reply] | Reply], Server]
REQUEST = {"model": "m", "messages": [{"role": "user", "content": "hello"}], "temperature": 0}
SECRET = "sk-secret-0123456789abcdef"


async def once(base_url: str, request: Mapping[str, Any] = REQUEST, key_env: str | None = None) -> Answer:
    """One answer."""
    complete = completer(Endpoint("local", base_url, key_env))
    try:
        return await complete(request)
    finally:
        await complete.aclose()


async def test_an_answer_with_what_it_took(serve: Serve) -> None:
    """Text, model, tokens, finish reason, fingerprint, id, latency and message are the response's."""
    server = serve(Reply(completion("hi", system_fingerprint="fp_1")))
    answer = await once(server.base_url)
    assert (answer.output, answer.model, answer.finish_reason) == ("hi", "m-served", "stop")
    assert (answer.tokens_in, answer.tokens_out, answer.cost) == (10, 4, None)
    assert (answer.fingerprint, answer.response_id) == ("fp_1", "chat-1")
    assert answer.message == {"role": "assistant", "content": "hi"}
    assert 0 < answer.latency < 30
    assert [request.body for request in server.requests] == [REQUEST]


async def test_frozen_requests_are_sent(serve: Serve) -> None:
    """A frozen request, tools and all, goes over the wire as it is."""
    request = {**REQUEST, "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}], "seed": 3}
    server = serve(Reply(completion("hi")))
    await once(server.base_url, freeze(request))
    assert server.requests[0].body == request


async def test_client_options_are_honoured(serve: Serve) -> None:
    """What `create` takes beside the body, such as extra_body and extra_headers, works as it does there."""
    server = serve(Reply(completion("hi")))
    await once(server.base_url, {**REQUEST, "extra_body": {"top_k": 3}, "extra_headers": {"X-Test": "yes"}})
    assert server.requests[0].body == {**REQUEST, "top_k": 3}
    assert server.requests[0].headers["x-test"] == "yes"


async def test_cost_by_the_models_price(serve: Serve) -> None:
    """A known model's tokens are priced, reused ones at their own price; an unknown model's are not."""
    usage = {"prompt_tokens": 1000, "completion_tokens": 1000, "total_tokens": 2000}
    plain = await once(serve(Reply(completion("hi", model="gpt-4o-2024-08-06", usage=usage))).base_url)
    assert plain.cost == pytest.approx(0.0125)
    reused = {**usage, "prompt_tokens_details": {"cached_tokens": 1000}}
    cheaper = await once(serve(Reply(completion("hi", model="gpt-4o-2024-08-06", usage=reused))).base_url)
    assert cheaper.cost == pytest.approx(0.01125)
    assert (await once(serve(Reply(completion("hi", model="own-model", usage=usage))).base_url)).cost is None
    assert (await once(serve(Reply(completion("hi", model="gpt-4o", usage=None))).base_url)).cost is None


async def test_tool_calls_are_the_output(serve: Serve) -> None:
    """An answer of tool calls has those calls as JSON for its text; arguments that are no JSON stay text."""
    calls = [
        {"id": "1", "type": "function", "function": {"name": "find", "arguments": '{"order": 7}'}},
        {"id": "2", "type": "function", "function": {"name": "say", "arguments": "not json"}},
    ]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    answer = await once(serve(Reply(completion(message))).base_url)
    assert json.loads(answer.output) == [
        {"name": "find", "arguments": {"order": 7}},
        {"name": "say", "arguments": "not json"},
    ]
    assert answer.message["tool_calls"] == calls


@pytest.mark.parametrize(
    ("message", "output"),
    [
        ({"role": "assistant", "content": None, "refusal": "I will not"}, "I will not"),
        ({"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "ab"),
        ({"role": "assistant", "content": None}, ""),
    ],
)
async def test_other_contents(serve: Serve, message: dict[str, Any], output: str) -> None:
    """A refusal, parts and an empty message have the text that they hold."""
    assert (await once(serve(Reply(completion(message))).base_url)).output == output


async def test_the_key_travels_and_may_change(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call carries the key that the environment holds then."""
    server = serve(Reply(completion("hi")))
    complete = completer(Endpoint("plain", server.base_url))
    await complete(REQUEST)
    await complete.aclose()
    monkeypatch.setenv("TEST_ENDPOINT_KEY", "first")
    complete = completer(Endpoint("local", server.base_url, "TEST_ENDPOINT_KEY"))
    await complete(REQUEST)
    monkeypatch.setenv("TEST_ENDPOINT_KEY", "second")
    await complete(REQUEST)
    await complete.aclose()
    sent = [request.headers["authorization"] for request in server.requests]
    assert sent == ["Bearer none", "Bearer first", "Bearer second"]


def test_one_loop_after_another(serve: Serve) -> None:
    """A completer works in one event loop after another."""
    complete = completer(Endpoint("local", serve(Reply(completion("hi"))).base_url))

    async def use() -> str:
        try:
            return (await complete(REQUEST)).output
        finally:
            await complete.aclose()

    assert [asyncio.run(use()) for _ in range(3)] == ["hi"] * 3


def failed(status: int, message: str = "it says", **more: Any) -> dict[str, Any]:
    """An error's body."""
    return {"error": {"message": message, "type": "t", "code": None, **more}}


@pytest.mark.parametrize(
    ("reply", "kind", "retryable", "words"),
    [
        (Reply(failed(429), 429), "rate limit", True, "asked to slow down: it says. Lower the concurrency"),
        (Reply(failed(429, code="insufficient_quota"), 429), "quota", False, "no credit left: it says"),
        (Reply(failed(500), 500), "server", True, r"failed \(500\): it says"),
        (Reply(b"<html>bad gateway</html>", 502), "server", True, r"failed \(502\): <html>bad gateway</html>"),
        (Reply(failed(408), 408), "server", True, r"failed \(408\)"),
        (Reply(failed(400), 400), "bad request", False, r"refused the request \(400\): it says. Look at the prompt"),
        (Reply(failed(422), 422), "bad request", False, r"refused the request \(422\)"),
        (Reply(failed(404), 404), "not found", False, "does not know what was asked for: it says. Check the model"),
        (Reply(failed(401), 401), "key", False, r"refused a call without a key \(401\): give the endpoint a key_env"),
        (Reply(b"<html>", 200), "garbage", True, "its body is not JSON"),
        (Reply({"hello": 1}), "garbage", True, "it holds no message"),
        (Reply({"choices": []}), "garbage", True, "it holds no message"),
        (Reply({"choices": [{"message": "text"}]}), "garbage", True, "it holds no message"),
        (Reply([1, 2]), "garbage", True, "it holds no message"),
        (Reply({"error": {"message": "behind"}}), "server", True, "answered with an error: behind"),
        (Reply(completion("a long answer"), cut=True), "connection", True, "broke before the answer came"),
    ],
)  # fmt: skip
async def test_failures(serve: Serve, reply: Reply, kind: str, retryable: bool, words: str) -> None:
    """Each way to fail is one of our errors: what happened, why, what to do next, and whether to ask again."""
    with pytest.raises(EndpointError, match=words) as raised:
        await once(serve(reply).base_url)
    assert (kind_of(raised.value), raised.value.retryable) == (kind, retryable)
    assert isinstance(raised.value, EndpointAuthError) == (kind == "key")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "7", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
async def test_retry_after(serve: Serve, headers: dict[str, str], seconds: float | None) -> None:
    """Retry-After is read in milliseconds, seconds or as a date."""
    with pytest.raises(EndpointError) as raised:
        await once(serve(Reply(failed(429), 429, headers)).base_url)
    assert raised.value.retry_after == seconds


async def test_retry_after_as_a_date(serve: Serve) -> None:
    """A date is as many seconds away as it is when the answer comes."""

    def reply(request: Request) -> Reply:
        return Reply(failed(429), 429, {"Retry-After": email.utils.formatdate(time.time() + 60, usegmt=True)})

    with pytest.raises(EndpointError) as raised:
        await once(serve(reply).base_url)
    assert raised.value.retry_after == pytest.approx(60, abs=5)


async def test_the_client_does_not_retry(serve: Serve) -> None:
    """One call is one request; asking again is the runner's, after the wait that the endpoint asked for."""
    left = iter([Reply(failed(503), 503, {"retry-after-ms": "300"}), Reply(completion("hi"))])
    server = serve(lambda request: next(left))
    complete = completer(Endpoint("local", server.base_url))
    began = time.monotonic()
    asked = await ask(complete, REQUEST, Patience())
    await complete.aclose()
    assert asked.answer is not None
    assert (asked.attempts, len(server.requests)) == (2, 2)
    assert 0.3 <= time.monotonic() - began < 5


async def test_nothing_listens() -> None:
    """An address where nothing listens is told with the address and what to do."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(EndpointConnectionError, match=r"nothing answers at .*start the server, or correct") as raised:
        await once(url)
    assert url in str(raised.value)
    assert raised.value.refused  # type: ignore[attr-defined]


async def test_no_error_holds_the_key(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever an endpoint echoes, no error of ours repeats the key, nor does what it was raised from."""
    monkeypatch.setenv("TEST_ENDPOINT_KEY", SECRET)
    for status in (400, 401, 403, 404, 429, 500):
        server = serve(Reply(failed(status, f"Incorrect API key provided: {SECRET}"), status))
        with pytest.raises(EndpointError) as raised:
            await once(server.base_url, key_env="TEST_ENDPOINT_KEY")
        error = raised.value
        assert SECRET not in f"{error!r} {error} {vars(error)}"
        assert error.__cause__ is error.__context__ is None
    server = serve(Reply({"error": {"message": f"no: {SECRET}"}}))
    with pytest.raises(EndpointError) as raised:
        await once(server.base_url, key_env="TEST_ENDPOINT_KEY")
    assert SECRET not in str(raised.value)


async def test_wrong_key_names_the_variable(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused key is told by the name of its variable."""
    monkeypatch.setenv("TEST_ENDPOINT_KEY", SECRET)
    with pytest.raises(EndpointAuthError, match="set the right key in TEST_ENDPOINT_KEY"):
        await once(serve(Reply(failed(401), 401)).base_url, key_env="TEST_ENDPOINT_KEY")


async def test_aiohttp(serve: Serve) -> None:
    """An endpoint reached by aiohttp answers, fails and refuses as any other."""
    pytest.importorskip("aiohttp", reason="the extra aiohttp is not installed")
    server = serve(Reply(completion("hi")))
    for stream in (False, True):
        complete = completer(Endpoint("local", server.base_url, transport="aiohttp"), stream=stream)
        assert (await complete(REQUEST)).output == "hi"
        await complete.aclose()
    server.close()
    nobody = completer(Endpoint("local", server.base_url, transport="aiohttp"))
    with pytest.raises(EndpointConnectionError):
        await nobody(REQUEST)
    await nobody.aclose()


def test_aiohttp_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without aiohttp the sentence says which extra brings it, before the first call."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EndpointError, match=r"aiohttp, which is not installed: pip install 'pressmark\[aiohttp\]'"):
        completer(Endpoint("local", "http://127.0.0.1:1/v1", transport="aiohttp"))
