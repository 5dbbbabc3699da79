"""Reading: what `get()` does and does not do, and what it hands out."""

from __future__ import annotations

import builtins
import copy
import json
import pickle
import re
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import pressmark as pm
from pressmark import errors

from .simulator import digest_of, unit_text, until

NAME = "support/triage"


def test_serves_what_the_registry_has(sim, connect):
    """A client serves the labelled version, says where it is from, and renders it."""
    client = connect()
    prompt = client.get(NAME)
    assert (prompt.name, prompt.version, prompt.label, prompt.source) == (NAME, "v1", "production", "live")
    assert prompt.digest == digest_of(unit_text())
    assert list(prompt.variables) == ["text"]
    assert prompt.render(text="hello") == [{"role": "user", "content": "Sort this message: hello"}]
    assert prompt.request(text="hello") == {
        "model": "practice-1",
        "messages": [{"role": "user", "content": "Sort this message: hello"}],
        "temperature": 0,
    }


def test_a_move_is_seen_by_the_stream(sim, connect):
    """A move reaches the client over the open stream, without another sync."""
    client = connect(poll_interval=60)
    until(lambda: client.status().state == "live", "the stream is open")
    sim.put((NAME, "production", unit_text("Sort {{ text }} better")))
    until(lambda: client.get(NAME).version == "v2", "v2 is served")
    assert sim.count("/v1/sync") == 1


def test_prompts_that_move_together_are_swapped_together(sim, connect):
    """No reader sees one half of a move of two prompts."""
    sim.put(("a", "production", unit_text("A0")), ("b", "production", unit_text("B0")))
    client = connect()
    torn: list[tuple[int, int]] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            prompts = client._map["production"]  # one read of the map, as two calls of get() may straddle a swap
            if prompts["a"].seq != prompts["b"].seq:
                torn.append((prompts["a"].seq, prompts["b"].seq))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 30):
        sim.put(("a", "production", unit_text(f"A{number}")), ("b", "production", unit_text(f"B{number}")))
    until(lambda: client.get("a").version == "v30", "the last move is served")
    done.set()
    reader.join()
    assert torn == []


def test_get_calls_nothing(sim, connect):
    """`get()` is a dictionary read: a profiler sees no call inside it, so no lock, no clock, no network."""
    client = connect()
    calls: list[str] = []

    def watch(frame, event, argument):
        if event in ("call", "c_call"):
            calls.append(frame.f_code.co_name if event == "call" else argument.__name__)

    sys.setprofile(watch)
    try:
        client.get(NAME)
        client.get(NAME, "production")
    finally:
        sys.setprofile(None)
    assert calls == ["get", "get", "setprofile"]


def test_get_works_with_network_files_and_clock_taken_away(sim, connect, monkeypatch):
    """`get()` answers while sockets, files and clocks raise, and while every writer is stuck on its lock."""
    client = connect()
    expected = client.get(NAME)

    def refuse(*arguments, **more):
        raise AssertionError("get() must not come here")

    with client._feed._lock, monkeypatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket.socket, "sendall", refuse)
        patch.setattr(builtins, "open", refuse)
        patch.setattr(time, "time", refuse)
        patch.setattr(client._feed, "_clock", refuse)
        results = []
        threads = [
            threading.Thread(target=lambda: results.append([client.get(NAME) for _ in range(200)])) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(results) == 8
    assert all(prompt is expected for prompts in results for prompt in prompts)


def test_an_unknown_name_raises_without_a_request(sim, connect):
    """Once synchronised, an unknown name is an error at once; no request is made for it."""
    client = connect()
    until(lambda: client.status().state == "live", "the stream is open")
    asked = len(sim.requests)
    with pytest.raises(
        errors.PromptNotFoundError, match=r"no prompt 'support/other'.*it holds support/triage"
    ) as caught:
        client.get("support/other")
    assert (caught.value.name, caught.value.label) == ("support/other", "production")
    assert len(sim.requests) == asked


@pytest.mark.parametrize(
    ("name", "label", "kind", "said"),
    [
        (NAME, "staging", errors.LabelNotFoundError, "subscribes to production and not to 'staging'"),
        (NAME, 3, errors.LabelNotFoundError, "not to 3"),
        (["x"], None, errors.InvalidNameError, "named by text, got list"),
        (None, None, errors.InvalidNameError, "named by text, got NoneType"),
        (NAME, ["production"], errors.LabelNotFoundError, "not to \\['production'\\]"),
    ],
)
def test_wrong_arguments_are_one_clear_error(sim, connect, name, label, kind, said):
    """A wrong name or label is refused in words."""
    with pytest.raises(kind, match=said):
        connect().get(name, label)


def test_several_labels(sim, connect):
    """With several labels subscribed, `get()` wants one named and keeps them apart."""
    sim.put((NAME, "staging", unit_text("Sort anew: {{ text }}")))
    client = connect(labels=["production", "staging"])
    assert client.get(NAME, "production").version == "v1"
    assert client.get(NAME, label="staging").version == "v2"
    with pytest.raises(errors.LabelNotFoundError, match=r"production, staging: say which"):
        client.get(NAME)


def test_a_fallback_stands_in_for_what_is_not_there(sim, connect):
    """A caller's fallback is served, and marked, wherever there is nothing else, with model and parameters."""
    unit = {"messages": [{"role": "user", "content": "Guess: {{ text }}"}], "model": "m", "params": {"top_p": 1}}
    client = connect(fallback={"spare": unit})
    prompt = client.get("spare")
    assert (prompt.source, prompt.version, prompt.label) == ("fallback", "fallback", "production")
    assert prompt.request(text="x") == {"model": "m", "messages": [{"role": "user", "content": "Guess: x"}], "top_p": 1}
    assert client.get("other", fallback={"text": "Say {{ word }}", "model": "m"}).render(word="hi") == "Say hi"
    assert client.get("other", fallback=client.get(NAME)).source == "fallback"
    assert client.get(NAME, fallback=unit).source == "live"


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ({"messages": [{"role": "user", "content": "x"}]}, "model must be"),
        ({"model": "m"}, "template is"),
        ("just text", "must be an object"),
        ({"text": "{{ open", "model": "m"}, "line 1"),
        ({"text": "{{ a }}", "model": "m", "variables": {"b": "string"}}, "uses a without declaring it"),
    ],
)
def test_a_wrong_fallback_is_refused_when_the_client_is_made(sim, unit, said):
    """A fallback that could not be served is an error at start-up, not on the bad day."""
    with pytest.raises(errors.InvalidUnitError, match=said):
        pm.Client(sim.url, sim.token, fallback={"spare": unit}, snapshot_dir=False)


def test_what_get_returns_cannot_be_changed(sim, connect):
    """Nothing that a caller does to a prompt or a request changes what another caller gets."""
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    sim.put(("tools", "production", unit_text(tools=[tool], params={"stop": ["a"], "metadata": {"k": "v"}})))
    client = connect()
    prompt = client.get("tools")
    pristine = json.dumps(prompt.request(text="x"))
    for attribute in (*prompt.__slots__, "anything"):
        with pytest.raises(AttributeError, match="cannot be changed"):
            setattr(prompt, attribute, "changed")
        with pytest.raises(AttributeError):
            delattr(prompt, attribute)
    changed = _vandalised(prompt.request(text="x"))
    assert changed > 0
    for frozen in (prompt.variables, prompt.unit.params, prompt.unit.tools, prompt.unit.template.messages):
        _vandalised(frozen)
    assert json.dumps(client.get("tools").request(text="x")) == pristine


def _vandalised(value) -> int:
    """Change whatever can be changed, to the bottom; return how much gave way."""
    count = 0
    if isinstance(value, dict):
        count += sum(_vandalised(item) for item in value.values())
        attempts = [lambda: value.update(new=1), value.clear, lambda: value.__setitem__("model", 1), value.popitem]
    elif isinstance(value, list):
        count += sum(_vandalised(item) for item in value)
        attempts = [lambda: value.append(1), value.clear, value.reverse, lambda: value.__iadd__([1]), value.sort]
    else:
        return 0
    for attempt in attempts:
        try:
            attempt()
            count += 1
        except (TypeError, KeyError, IndexError):
            pass
    return count


def test_the_openai_client_takes_a_request_as_it_is(sim, connect):
    """The real openai client sends exactly the request of a prompt, tools and response format included."""
    openai = pytest.importorskip("openai")
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    sim.put(
        ("full", "production", unit_text(tools=[tool], tool_choice="auto", response_format={"type": "json_object"}))
    )
    received: list[dict] = []

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            message = {"role": "assistant", "content": "fine"}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            told = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
            body = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        request = connect().get("full").request(text="hello")
        with openai.OpenAI(
            base_url=f"http://127.0.0.1:{server.server_address[1]}/v1", api_key="none", max_retries=0
        ) as model:
            assert model.chat.completions.create(**request).choices[0].message.content == "fine"
    finally:
        server.shutdown()
        server.server_close()
    assert received == [json.loads(json.dumps(request))]


def test_a_prompt_can_be_copied_compared_and_pickled(sim, connect):
    """A prompt goes to another process whole; a client refuses in words."""
    client = connect()
    prompt = client.get(NAME)
    assert copy.copy(prompt) is prompt
    assert copy.deepcopy(prompt) is prompt
    twin = pickle.loads(pickle.dumps(prompt))
    assert twin == prompt
    assert hash(twin) == hash(prompt)
    assert twin.request(text="x") == prompt.request(text="x")
    assert prompt != "something else"
    assert repr(prompt) == f"<Prompt support/triage@production v1 {prompt.digest[:19]} live>"
    with pytest.raises(TypeError, match="make one in each process"):
        pickle.dumps(client)


def test_require_checks_what_the_service_will_pass(sim, connect):
    """`require()` fails at start-up where a prompt is absent or does not take what the service gives."""
    sim.put(("two", "production", unit_text("{{ a }} {{ b }}", declared=["a", "b"])))
    client = connect()
    assert client.require("two", variables=["a", "b"]).version == "v1"
    assert client.require(NAME).version == "v1"
    with pytest.raises(errors.MissingVariablesError, match="needs 'b'") as missing:
        client.require("two", variables=["a"])
    assert missing.value.missing == ("b",)
    with pytest.raises(errors.UnknownVariablesError, match="no variable 'c'; it takes a, b") as unknown:
        client.require("two", variables=["a", "b", "c"])
    assert unknown.value.unknown == ("c",)
    with pytest.raises(errors.PromptNotFoundError):
        client.require("three")


def test_rendering_errors_reach_the_caller(sim, connect):
    """A missing or unknown variable is Pressmark's own error, from the prompt as from anywhere else."""
    prompt = connect().get(NAME)
    with pytest.raises(errors.MissingVariablesError):
        prompt.render()
    with pytest.raises(errors.UnknownVariablesError):
        prompt.request(text="x", other=1)
    with pytest.raises(errors.VariableTypeError):
        prompt.render(text=3)


def test_the_status_is_one_line_for_a_person(sim, connect):
    """`print(client.status())` tells state, source, entry and age; the client's own form adds the URL."""
    client = connect()
    until(lambda: client.status().state == "live", "the stream is open")
    assert re.fullmatch(r"live: 1 prompt from live, entry 1, confirmed \d\.\d s ago", str(client.status()))
    assert sim.url in repr(client)
    assert sim.token not in repr(client)
    assert client.status().seq == 1


def test_on_change_tells_of_each_label(sim, connect):
    """`on_change` hears of a new version and of a removal, and its own failure stops nothing."""
    heard: list[tuple[str, str, str | None]] = []

    def listen(name, label, prompt):
        heard.append((name, label, prompt and prompt.version))
        raise RuntimeError("the caller's mistake")

    client = connect(on_change=listen)
    until(lambda: client.status().state == "live", "the stream is open")
    sim.put((NAME, "production", unit_text("Sort again: {{ text }}")))
    sim.put((NAME, "production", None))
    until(lambda: len(heard) == 3, "three changes were told")
    assert heard == [(NAME, "production", "v1"), (NAME, "production", "v2"), (NAME, "production", None)]


def test_a_closed_client_says_so(sim, connect):
    """After `close()`, `get()` raises, whatever was served before; closing twice is nothing."""
    with connect() as client:
        client.get(NAME)
    with pytest.raises(errors.ClientClosedError, match=r"make a new pm\.Client"):
        client.get(NAME)
    client.close()
    assert client.status().state == "closed"
