"""The server, as the real openai clients and plain HTTP meet it."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest

import pressmark
from pressmark.errors import PressmarkError
from pressmark.providers import practice

MESSAGES: list[Any] = [
    {"role": "system", "content": "Classify into billing, delivery or damaged_item."},
    {"role": "user", "content": "My vase arrived in pieces."},
]


def stats(base_url: str, method: str = "GET") -> dict[str, int]:
    """The server's counters."""
    request = urllib.request.Request(base_url.removesuffix("/v1") + "/stats", method=method)
    with urllib.request.urlopen(request, timeout=10) as reply:
        told: dict[str, int] = json.load(reply)
    return told


def test_it_names_itself_in_every_answer(client: openai.OpenAI) -> None:
    """Model, fingerprint and id say that this is the practice model."""
    answer = client.chat.completions.create(model=practice.PRACTICE_MODEL, messages=MESSAGES)
    assert answer.model == practice.PRACTICE_MODEL == "pressmark-practice"
    assert answer.system_fingerprint == f"practice-{pressmark.__version__}"
    assert "practice" in answer.id
    assert [model.id for model in client.models.list()] == ["pressmark-practice"]
    assert client.models.retrieve("pressmark-practice").owned_by == "pressmark"


def test_usage_counts_four_characters_a_token(client: openai.OpenAI) -> None:
    """Tokens are estimated from characters, and add up."""
    answer = client.chat.completions.create(model=practice.PRACTICE_MODEL, messages=MESSAGES)
    assert answer.usage is not None
    assert answer.usage.completion_tokens == -(-len(answer.choices[0].message.content or "") // 4)
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    longer = [*MESSAGES[:1], {"role": "user", "content": "My vase arrived in pieces. " * 40}]
    more = client.chat.completions.create(model=practice.PRACTICE_MODEL, messages=longer)
    assert more.usage is not None
    assert more.usage.prompt_tokens > answer.usage.prompt_tokens + 200


def test_a_stream_says_the_same_in_pieces(client: openai.OpenAI) -> None:
    """The pieces of a stream join to the whole answer; with include_usage the last one counts tokens."""
    whole = client.chat.completions.create(model=practice.PRACTICE_MODEL, messages=MESSAGES)
    chunks = list(
        client.chat.completions.create(
            model=practice.PRACTICE_MODEL, messages=MESSAGES, stream=True, stream_options={"include_usage": True}
        )
    )
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert said == whole.choices[0].message.content
    assert len(chunks) > 4
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert {chunk.model for chunk in chunks} == {practice.PRACTICE_MODEL}
    plain = list(client.chat.completions.create(model=practice.PRACTICE_MODEL, messages=MESSAGES, stream=True))
    assert plain[-1].choices[0].finish_reason == "stop"
    assert all(chunk.usage is None for chunk in plain)


def test_a_streamed_tool_call_joins_to_its_arguments(client: openai.OpenAI) -> None:
    """Name first, then pieces of the arguments that join to JSON."""
    tool: Any = {
        "type": "function",
        "function": {"name": "sort", "parameters": {"properties": {"label": {"enum": ["billing", "damaged_item"]}}}},
    }
    stream = client.chat.completions.create(
        model=practice.PRACTICE_MODEL, messages=MESSAGES, tools=[tool], tool_choice="required", stream=True
    )
    deltas = [chunk.choices[0].delta for chunk in stream]
    calls = [delta.tool_calls[0] for delta in deltas if delta.tool_calls]
    assert calls[0].function is not None
    assert calls[0].function.name == "sort"
    joined = "".join(call.function.arguments or "" for call in calls if call.function)
    assert json.loads(joined) == {"label": "damaged_item"}


def test_answers_are_cut_where_asked(client: openai.OpenAI) -> None:
    """max_tokens cuts with finish_reason length; a stop text ends the answer before it."""
    options: dict[str, Any] = {"model": practice.PRACTICE_MODEL, "messages": MESSAGES}
    cut = client.chat.completions.create(**options, max_completion_tokens=2).choices[0]
    assert cut.finish_reason == "length"
    assert len(cut.message.content or "") == 8
    whole = client.chat.completions.create(**options).choices[0].message.content or ""
    word = whole.split()[3]
    stopped = client.chat.completions.create(**options, stop=[word]).choices[0]
    assert stopped.finish_reason == "stop"
    assert stopped.message.content == whole.partition(word)[0]


async def test_many_calls_at_once_are_counted() -> None:
    """AsyncOpenAI asks 40 at once: all are answered alike, and the counters tell calls and the peak."""
    with practice.running(latency_ms=150) as url:
        async with openai.AsyncOpenAI(base_url=url, api_key="unused", max_retries=0) as client:

            async def one() -> str:
                reply = await client.chat.completions.create(model=practice.PRACTICE_MODEL, messages=MESSAGES)
                return reply.choices[0].message.content or ""

            answers = await asyncio.gather(*(one() for _ in range(40)))
            pieces = await client.chat.completions.create(model=practice.PRACTICE_MODEL, messages=MESSAGES, stream=True)
            streamed = "".join([chunk.choices[0].delta.content or "" async for chunk in pieces])
        assert set(answers) == {streamed}
        # A POST tells the counters once more before it sets them back.
        told = await asyncio.to_thread(stats, url, "POST")
        assert told["calls"] == 41
        assert 8 <= told["peak"] <= 40
        assert await asyncio.to_thread(stats, url) == {"calls": 0, "errors": 0, "in_flight": 0, "peak": 0}


def test_latency_is_about_what_was_set() -> None:
    """An answer takes between two thirds and four thirds of the latency, streamed or not, always the same."""
    with (
        practice.running(latency_ms=120) as url,
        openai.OpenAI(base_url=url, api_key="unused", max_retries=0) as client,
    ):
        client.models.list()
        for stream in (False, True):
            started = time.monotonic()
            reply: Any = client.chat.completions.create(model=practice.PRACTICE_MODEL, messages=MESSAGES, stream=stream)
            if stream:
                list(reply)
            assert time.monotonic() - started >= 0.08


def test_a_stream_that_nobody_reads_is_not_in_flight_forever() -> None:
    """A client that goes away in mid-stream leaves no call in flight."""
    with practice.running(latency_ms=4000) as url:
        with openai.OpenAI(base_url=url, api_key="unused", max_retries=0) as client:
            stream = client.chat.completions.create(model=practice.PRACTICE_MODEL, messages=MESSAGES, stream=True)
            next(iter(stream))
            assert stats(url)["in_flight"] == 1
            stream.close()
        deadline = time.monotonic() + 10
        while stats(url)["in_flight"] and time.monotonic() < deadline:
            time.sleep(0.02)
        assert stats(url)["in_flight"] == 0


def test_the_page_tells_people_what_it_is(base_url: str) -> None:
    """GET / is a page that names the practice model, its address and its model, for light and dark."""
    with urllib.request.urlopen(base_url.removesuffix("/v1"), timeout=10) as reply:
        page = reply.read().decode()
        assert reply.headers["Content-Type"].startswith("text/html")
    assert "<h1>Practice model</h1>" in page
    assert f"<code>{base_url}</code>" in page
    assert pressmark.__version__ in page
    assert "prefers-color-scheme: dark" in page
    assert "{{" not in page


def test_a_hostile_host_name_is_only_text(base_url: str) -> None:
    """What a Host header says cannot become markup in the page."""
    parts = urlsplit(base_url)
    link = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    link.request("GET", "/", headers={"Host": "<script>alert(1)</script>"})
    page = link.getresponse().read().decode()
    link.close()
    assert "<script>alert" not in page


def test_the_server_is_gone_after_its_block() -> None:
    """After the block the port answers no more, and the thread has ended."""
    before = set(threading.enumerate())
    with practice.running() as url:
        assert stats(url)["calls"] == 0
        parts = urlsplit(url)
    with pytest.raises(ConnectionError):
        http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5).request("GET", "/stats")
    assert set(threading.enumerate()) == before


def test_two_servers_side_by_side() -> None:
    """Two may run in one process, each with counters of its own."""
    with practice.running() as one, practice.running() as other:
        assert one != other
        with openai.OpenAI(base_url=one, api_key="unused", max_retries=0) as client:
            client.chat.completions.create(model=practice.PRACTICE_MODEL, messages=MESSAGES)
        assert (stats(one)["calls"], stats(other)["calls"]) == (1, 0)


def test_serve_prints_its_address_and_stops_on_interrupt() -> None:
    """serve() with port 0 prints one line with its URL, answers there, and ends quietly on Ctrl-C."""
    command = [sys.executable, "-c", "from pressmark.providers import practice; practice.serve(port=0, latency_ms=0)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            url = next(word for word in line.split() if word.startswith("http://"))
            assert stats(url)["calls"] == 0
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=15)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
    assert (process.returncode, out, err) == (0, "", "")


def test_a_taken_port_is_named(base_url: str) -> None:
    """A port that another program holds, or that is none, gives one clear error."""
    taken = urlsplit(base_url).port
    assert taken is not None
    for port in (taken, 70_000):
        told = f"cannot listen on 127.0.0.1:{port}.*Choose another"
        with pytest.raises(PressmarkError, match=told) as caught, practice.running(port=port):
            pass
        assert caught.value.facts["port"] == port


def test_a_negative_latency_is_refused() -> None:
    """A negative latency is wrong use, and leaves no server behind."""
    with pytest.raises(ValueError, match="latency_ms must be 0 or more, not -1"):
        practice.create_app(latency_ms=-1)


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_a_missing_package_names_the_extra(missing: str) -> None:
    """Without starlette or uvicorn the error names the extra to install; the messages need neither."""
    code = f"""
import sys
sys.modules[{missing!r}] = None
for name in ("starlette.applications", "starlette.exceptions"):
    if {missing!r} == "starlette":
        sys.modules[name] = None
from pressmark.providers import practice
assert practice.example_messages()
try:
    with practice.running():
        pass
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "pip install 'pressmark[workbench]'" in done.stdout
