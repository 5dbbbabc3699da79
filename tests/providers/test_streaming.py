"""Streamed answers: put together as if they had come whole, with the time to the first token; faults told in words."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pressmark.errors import EndpointConnectionError, EndpointError
from pressmark.evals import Answer, Patience
from pressmark.evals.asking import ask
from pressmark.providers import Endpoint, completer, streaming
from pressmark.providers.streaming import lines
from tests.conftest import RecordedModel

from .scripted import Reply, Request, Server, completion

Serve = Callable[[Callable[[Request], Reply] | Reply], Server]
REQUEST = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
HEAD = {"id": "chat-1", "model": "m-served", "system_fingerprint": "fp_1", "object": "chat.completion.chunk"}
USAGE = {**HEAD, "choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}}


def chunk(delta: dict[str, Any], reason: str | None = None, index: int = 0) -> dict[str, Any]:
    """A chunk of a stream."""
    return {**HEAD, "choices": [{"index": index, "delta": delta, "finish_reason": reason}], "usage": None}


def stream(*chunks: Any, end: str = "data: [DONE]\n\n", **more: Any) -> Reply:
    """A stream of these chunks; text goes as it is."""
    lines = [told if isinstance(told, str) else f"data: {json.dumps(told)}\n\n" for told in chunks]
    return Reply("".join([*lines, end]).encode(), headers={"Content-Type": "text/event-stream"}, **more)


async def once(base_url: str) -> Answer:
    """One streamed answer."""
    complete = completer(Endpoint("local", base_url), stream=True)
    try:
        return await complete(REQUEST)
    finally:
        await complete.aclose()


async def test_text(serve: Serve) -> None:
    """Text, usage, model, finish reason and fingerprint are put together; the first token's time is there."""
    server = serve(
        stream(
            ": a comment\n\n",
            "event: message\n",
            chunk({"role": "assistant", "content": ""}),
            chunk({"content": "hel"}),
            chunk({"content": "another choice"}, index=1),
            chunk({"content": "lo"}),
            chunk({}, "stop"),
            USAGE,
        )
    )
    answer = await once(server.base_url)
    assert (answer.output, answer.model, answer.finish_reason) == ("hello", "m-served", "stop")
    assert (answer.tokens_in, answer.tokens_out) == (10, 4)
    assert (answer.fingerprint, answer.response_id) == ("fp_1", "chat-1")
    assert answer.message == {"role": "assistant", "content": "hello"}
    assert answer.ttft is not None
    assert 0 < answer.ttft <= answer.latency
    assert server.requests[0].body == {**REQUEST, "stream": True, "stream_options": {"include_usage": True}}


async def test_tool_calls(serve: Serve) -> None:
    """Tool calls that come in pieces, two at once, are whole at the end, as in an answer in one piece."""

    def part(index: int, **told: Any) -> dict[str, Any]:
        return chunk({"tool_calls": [{"index": index, **told}]})

    server = serve(
        stream(
            part(0, id="a", type="function", function={"name": "find", "arguments": ""}),
            part(0, function={"arguments": '{"id"'}),
            part(1, id="b", type="function", function={"name": "tell", "arguments": "{}"}),
            part(0, function={"arguments": ": 7}"}),
            chunk({}, "tool_calls"),
            USAGE,
        )
    )
    answer = await once(server.base_url)
    assert json.loads(answer.output) == [
        {"name": "find", "arguments": {"id": 7}},
        {"name": "tell", "arguments": {}},
    ]
    assert answer.finish_reason == "tool_calls"
    assert [call["id"] for call in answer.message["tool_calls"]] == ["a", "b"]


@pytest.mark.parametrize(
    "reply",
    [
        stream("data: <html>\n\n"),
        stream("data: [1]\n\n"),
        stream("<html>upstream error</html>\n"),
        stream(chunk({"tool_calls": [3]})),
        stream({**HEAD, "choices": [7]}),
    ],
)
async def test_garbage(serve: Serve, reply: Reply) -> None:
    """What is no stream of a chat completion is an error in words, and may be asked again."""
    with pytest.raises(EndpointError, match="sent a response that is no chat completion") as raised:
        await once(serve(reply).base_url)
    assert raised.value.retryable


ODD_ENDS = "one\u2028two\u2029three\u0085four"


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\r\r", "\n"])
async def test_only_line_ends_end_a_line(serve: Serve, end: str) -> None:
    """What breaks a line of text may stand within a chunk, as servers in JavaScript and Go write it."""
    told = [chunk({"content": ODD_ENDS}), chunk({"content": "é"}), chunk({}, "stop")]
    body = "".join(f"data: {json.dumps(each, ensure_ascii=False)}{end}" for each in told)
    body += "data: [DONE]"
    answer = await once(serve(Reply(body.encode(), headers={"Content-Type": "text/event-stream"})).base_url)
    assert (answer.output, answer.finish_reason) == (ODD_ENDS + "é", "stop")


@given(st.lists(st.text(alphabet="ab\u2028é"), max_size=6), st.sampled_from(["\n", "\r", "\r\n", "\n\n"]), st.data())
def test_lines_are_the_same_however_they_come(texts: list[str], end: str, data: st.DataObject) -> None:
    """Pieces may end anywhere, within a character too."""
    whole = end.join(texts).encode()
    cuts = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=5)))
    pieces = [whole[a:b] for a, b in itertools.pairwise([0, *cuts, len(whole)])]

    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    async def all_lines() -> list[str]:
        return [line async for line in lines(body())]

    assert asyncio.run(all_lines()) == [text for text in texts if text]


async def test_a_line_without_an_end(monkeypatch: pytest.MonkeyPatch, serve: Serve) -> None:
    """It is given up before it fills the memory."""
    monkeypatch.setattr(streaming, "LONGEST_LINE", 1 << 20)
    reply = Reply(b"data: " + b"x" * (3 << 20), headers={"Content-Type": "text/event-stream"})
    with pytest.raises(EndpointError, match="a line of its stream is longer than 1 MiB"):
        await once(serve(reply).base_url)


@pytest.mark.parametrize(
    "reply", [stream(chunk({"content": "hel"}), end=""), stream(chunk({"content": "h"}), cut=True)]
)
async def test_a_cut_is_asked_again(serve: Serve, reply: Reply) -> None:
    """A stream that ends before the answer does, cleanly or not, is asked again; no half answer is taken for whole."""
    with pytest.raises(EndpointConnectionError, match="broke before the answer came"):
        await once(serve(reply).base_url)
    replies = iter([reply, stream(chunk({"content": "whole"}), chunk({}, "stop"))])
    server = serve(lambda request: next(replies))
    complete = completer(Endpoint("local", server.base_url), stream=True)
    asked = await ask(complete, REQUEST, Patience(first_wait=0.001))
    await complete.aclose()
    assert asked.answer is not None
    assert (asked.answer.output, asked.answer.tokens_in, asked.attempts) == ("whole", None, 2)


async def test_an_error_in_mid_stream(serve: Serve) -> None:
    """A gateway that reports a failure as a chunk is quoted."""
    reply = stream(chunk({"content": "hel"}), {"error": {"message": "overloaded upstream"}})
    with pytest.raises(EndpointError, match="answered with an error: overloaded upstream"):
        await once(serve(reply).base_url)


async def test_endpoints_that_do_not_stream(serve: Serve) -> None:
    """One that answers in one piece is taken, without a time to the first token; one that refuses is quoted."""
    answer = await once(serve(Reply(completion("hi"))).base_url)
    assert (answer.output, answer.ttft) == ("hi", None)
    refusal = Reply({"error": {"message": "streaming is not supported"}}, status=400)
    with pytest.raises(EndpointError, match=r"refused the request .400.: streaming is not supported"):
        await once(serve(refusal).base_url)


async def test_recorded(recorded_model: Callable[..., RecordedModel]) -> None:
    """A real server's stream gives the same answer as one in one piece."""
    endpoint = Endpoint("recorded", recorded_model().base_url)
    request = {"model": "gpt-3.5-turbo-1106", "messages": [{"role": "user", "content": FIRST}]}
    streamed, whole = completer(endpoint, stream=True), completer(endpoint)
    one, other = await streamed(request), await whole(request)
    await streamed.aclose()
    await whole.aclose()
    assert (one.output, one.tokens_in, one.tokens_out, one.model) == (
        other.output,
        other.tokens_in,
        other.tokens_out,
        other.model,
    )
    assert one.ttft is not None
    assert other.ttft is None


FIRST = "What are the names of some famous actors that started their careers on Broadway?"
