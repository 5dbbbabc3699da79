"""What the server cannot take, it refuses in OpenAI's shape, and goes on."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest

from pressmark.providers.practice import PRACTICE_MODEL

USER = [{"role": "user", "content": "hello"}]


def post(base_url: str, body: bytes, path: str = "/v1/chat/completions", method: str = "POST") -> tuple[int, Any]:
    """Status and JSON of a raw request."""
    parts = urlsplit(base_url)
    link = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
    try:
        link.request(method, path, body, {"Content-Type": "application/json"})
        reply = link.getresponse()
        return reply.status, json.loads(reply.read())
    finally:
        link.close()


def request(**changes: Any) -> bytes:
    """A good request with some parts changed."""
    return json.dumps({"model": PRACTICE_MODEL, "messages": USER, **changes}).encode()


BAD_BODIES = {
    "empty": b"",
    "no JSON": b"{model:",
    "NaN": b'{"model": "pressmark-practice", "messages": [], "temperature": NaN}',
    "not UTF-8": b'{"model": "\xff"}',
    "half a surrogate pair": b'{"model": "pressmark-practice", "messages": [{"role": "user", "content": "\\ud800"}]}',
    "nested without end": b'{"a":' * 50_000,
    "a list": b"[]",
    "null": b"null",
}
BAD_PARTS: dict[str, tuple[dict[str, Any], str]] = {
    "no messages": ({"messages": []}, "messages"),
    "messages as text": ({"messages": "hello"}, "messages"),
    "a message as text": ({"messages": ["hello"]}, "messages[0]"),
    "no role": ({"messages": [{"content": "x"}]}, "messages[0].role"),
    "unknown role": ({"messages": [{"role": "boss", "content": "x"}]}, "messages[0].role"),
    "role as list": ({"messages": [{"role": [], "content": "x"}]}, "messages[0].role"),
    "no content": ({"messages": [{"role": "user"}]}, "messages[0].content"),
    "content as number": ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
    "no parts": ({"messages": [{"role": "user", "content": []}]}, "messages[0].content"),
    "an image": (
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
        "messages[0].content[0].type",
    ),
    "a part without text": (
        {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
        "messages[0].content[0].text",
    ),
    "two choices": ({"n": 2}, "n"),
    "hot": ({"temperature": 3}, "temperature"),
    "temperature as text": ({"temperature": "0"}, "temperature"),
    "no tokens": ({"max_tokens": 0}, "max_tokens"),
    "seed as text": ({"seed": "x"}, "seed"),
    "stream as text": ({"stream": "yes"}, "stream"),
    "stop as number": ({"stop": 5}, "stop"),
    "five stops": ({"stop": list("abcde")}, "stop"),
    "no model": ({"model": None}, "model"),
    "unknown format": ({"response_format": {"type": "xml"}}, "response_format.type"),
    "JSON mode without the word": ({"response_format": {"type": "json_object"}}, "messages"),
    "schema without name": (
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
        "response_format.json_schema",
    ),
    "schema that is none": (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"properties": 5}}}},
        "response_format.json_schema",
    ),
    "no tools": ({"tools": []}, "tools"),
    "a tool without a name": ({"tools": [{"type": "function", "function": {}}]}, "tools[0]"),
    "a tool with a bad schema": (
        {"tools": [{"type": "function", "function": {"name": "x", "parameters": {"enum": 1}}}]},
        "tools[0]",
    ),
    "a choice without tools": ({"tool_choice": "required"}, "tool_choice"),
    "a choice of no tool": (
        {
            "tools": [{"type": "function", "function": {"name": "x"}}],
            "tool_choice": {"type": "function", "function": {"name": "y"}},
        },
        "tool_choice",
    ),
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_a_body_that_is_no_request(base_url: str, body: bytes) -> None:
    """What is no JSON object is refused with 400 and OpenAI's error shape."""
    status, told = post(base_url, body)
    assert status == 400
    assert set(told["error"]) == {"message", "type", "param", "code"}
    assert told["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(("changes", "param"), BAD_PARTS.values(), ids=BAD_PARTS.keys())
def test_a_wrong_part_is_named(base_url: str, changes: dict[str, Any], param: str) -> None:
    """Each wrong part is refused with 400, and the error names it."""
    status, told = post(base_url, request(**changes))
    assert status == 400
    assert told["error"]["param"] == param
    assert told["error"]["message"].endswith((".", "?"))


def test_another_model_is_not_found(client: openai.OpenAI) -> None:
    """A model of another name is a NotFoundError that names the one there is."""
    with pytest.raises(openai.NotFoundError, match="pressmark-practice") as caught:
        client.chat.completions.create(model="gpt-5-mini", messages=USER)  # type: ignore[arg-type]  # a plain list
    assert caught.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-5-mini")


def test_the_openai_client_reads_the_refusals(client: openai.OpenAI) -> None:
    """A refusal arrives as BadRequestError with its part and message."""
    with pytest.raises(openai.BadRequestError, match="one choice a call") as caught:
        client.chat.completions.create(model=PRACTICE_MODEL, messages=USER, n=3)  # type: ignore[arg-type]  # as above
    assert caught.value.param == "n"


def test_too_much_is_refused(base_url: str) -> None:
    """A prompt beyond the model's length is a 400, a body beyond a mebibyte a 413 before it is read whole."""
    status, told = post(base_url, request(messages=[{"role": "user", "content": "word " * 20_000}]))
    assert (status, told["error"]["code"]) == (400, "context_length_exceeded")
    status, told = post(base_url, b" " * (2**20 + 1))
    assert status == 413


def test_wrong_paths_and_methods(base_url: str) -> None:
    """They are answered in the same shape, with what would be right."""
    status, told = post(base_url, b"{}", "/v1/completions")
    assert status == 404
    assert "/v1/chat/completions" in told["error"]["message"]
    status, told = post(base_url, b"", "/v1/chat/completions", "GET")
    assert status == 405
    assert "POST" in told["error"]["message"]


HEAVY = [
    "<text>",
    '"""',
    "Category a/b/c/d ",
    "Message: hi there you\n",
    "<example>",
    "billing, ",
    "{",
    "1 2 ",
    "A:\nB:\n",
]


@pytest.mark.parametrize("piece", HEAVY)
def test_no_prompt_stalls_the_server(base_url: str, piece: str) -> None:
    """The longest prompt of odd text is answered within seconds, as instruction and as message."""
    odd = (piece * 60_000)[:60_000]
    for messages in (
        [{"role": "user", "content": odd}],
        [{"role": "system", "content": "Classify into billing, refund. " + odd}, *USER],
    ):
        status, _ = post(base_url, request(messages=messages))
        assert status == 200


def test_after_all_that_it_still_answers(base_url: str) -> None:
    """A refusal changes nothing for the next request, and refusals are counted."""
    status, told = post(base_url, request(messages=[{"role": "user", "content": "Where is my parcel? It is late."}]))
    assert status == 200
    assert told["choices"][0]["message"]["content"]
    status, told = post(base_url, b"", "/stats", "GET")
    assert told["in_flight"] == 0
