"""What `request()` gives: complete, the caller's own, and immutable where it is shared."""

from __future__ import annotations

import copy
import json
import pickle
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pressmark.prompts.canonical import unit_digest
from pressmark.rendering import PromptVersion, Template, build_unit, compiled

TOOL = {
    "type": "function",
    "function": {"name": "f", "parameters": {"type": "object", "properties": {"q": {"type": "string"}}}},
}


@pytest.fixture
def version() -> PromptVersion:
    """A version with every part that a request can have."""
    unit = build_unit(
        messages=[
            {"role": "system", "content": "Be {{ tone }}."},
            {"placeholder": "past"},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "{{ text }}"},
                    {"type": "image_url", "image_url": {"url": "https://example.org/{{ text }}.png", "detail": "low"}},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "c{{ 1 }}",
                        "type": "function",
                        "function": {"name": "f", "arguments": '{"q": {{ text | tojson }}}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "c{{ 1 }}", "content": "done"},
        ],
        model="gpt-5-mini",
        params={"temperature": 0.5, "stop": ["a", "b"], "logit_bias": {"1": -100}},
        variables={
            "tone": {"type": "string", "default": "brief"},
            "past": {"type": "messages", "default": [{"role": "user", "content": "earlier"}]},
            "text": "string",
        },
        tools=[TOOL],
        tool_choice={"type": "function", "function": {"name": "f"}},
        response_format={"type": "json_object"},
    )
    at = datetime(2026, 1, 2, tzinfo=UTC)
    return PromptVersion("support/triage", 3, unit, unit_digest(unit), "first", "ana", at)


EXPECTED = {
    "model": "gpt-5-mini",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "earlier"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": 'a "b"'},
                {"type": "image_url", "image_url": {"url": 'https://example.org/a "b".png', "detail": "low"}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c{{ 1 }}", "type": "function", "function": {"name": "f", "arguments": '{"q": "a \\"b\\""}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "c{{ 1 }}", "content": "done"},
    ],
    "temperature": 0.5,
    "stop": ["a", "b"],
    "logit_bias": {"1": -100},
    "tools": [TOOL],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {"type": "json_object"},
}


def test_a_request_is_complete(version: PromptVersion) -> None:
    """A request holds model, messages, parameters, tools, choice and format; ids are not templates."""
    assert version.request(text='a "b"') == EXPECTED


def test_a_text_prompt_asks_as_the_user() -> None:
    """A text prompt becomes one user message, and a request has no part that the unit does not have."""
    unit = build_unit(text="Hi {{ a }}", model="m")
    assert Template(unit).request({"a": "b"}) == {"model": "m", "messages": [{"role": "user", "content": "Hi b"}]}


def test_a_request_is_json(version: PromptVersion) -> None:
    """`json.dumps` takes a request as it is."""
    assert json.loads(json.dumps(version.request(text='a "b"'))) == EXPECTED


def _poke(value: Any, path: str = "request") -> Iterator[tuple[str, Any]]:
    """Yield each container of a JSON value with its path."""
    if isinstance(value, dict | list):
        yield path, value
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _poke(item, f"{path}[{key!r}]")


def _ruin(container: Any) -> None:
    """Change a container in the ways in which it lets itself be changed."""
    tries: list[Any]
    if isinstance(container, dict):
        key = next(iter(container), "k")
        tries = [
            lambda: container.__setitem__(key, "ruined"),
            lambda: container.update(new="ruined"),
            lambda: container.setdefault("other", "ruined"),
            lambda: container.__ior__({"third": "ruined"}),
            container.popitem,
            container.clear,
            lambda: container.__init__(ruined=1),
        ]
    else:
        tries = [
            lambda: container.append("ruined"),
            lambda: container.extend(["ruined"]),
            lambda: container.__iadd__(["ruined"]),
            lambda: container.insert(0, "ruined"),
            lambda: container.__setitem__(0, "ruined"),
            container.reverse,
            container.pop,
            container.clear,
            lambda: container.__init__(["ruined"]),
        ]
    for attempt in tries:
        try:
            attempt()
        except TypeError as error:
            assert "immutable" in str(error)


def test_no_caller_can_change_what_another_gets(version: PromptVersion) -> None:
    """Whatever a caller does to a request, a rendering or the version's parts, the next request is as before."""
    given = {"text": 'a "b"', "past": [{"role": "user", "content": "earlier"}]}
    for values in ({"text": 'a "b"'}, given):
        for victim in (version.request(**values), version.render(**values), version.variables, version.unit.to_dict()):
            for _, container in list(_poke(victim)):
                _ruin(container)
        for part in ("params", "tools", "variables", "tool_choice", "response_format", "inputs"):
            for _, container in list(_poke(getattr(version.unit, part))):
                _ruin(container)
        for _, container in list(_poke(version.unit.template.messages)):  # type: ignore[union-attr]
            _ruin(container)
        assert version.request(text='a "b"') == EXPECTED


def test_what_the_caller_gave_stays_the_callers(version: PromptVersion) -> None:
    """A history that the caller goes on writing does not change requests that were made before."""
    past = [{"role": "user", "content": "one"}]
    request = version.request(text="t", past=past)
    past[0]["content"] = "two"
    past.append({"role": "user", "content": "three"})
    assert request["messages"][1] == {"role": "user", "content": "one"}
    assert len(request["messages"]) == 5


def test_the_request_itself_is_the_callers_own(version: PromptVersion) -> None:
    """A chat loop may append answers to its messages, and set a parameter of its own."""
    request = version.request(text="t")
    request["messages"].append({"role": "assistant", "content": "x"})
    request["temperature"] = 1
    assert len(version.request(text="t")["messages"]) == 5
    assert version.request(text="t")["temperature"] == 0.5


def test_copies(version: PromptVersion) -> None:
    """A version is its own copy and survives pickling; a deep copy of a request is plain and may be changed."""
    assert copy.copy(version) is version
    assert copy.deepcopy(version) is version
    loaded = pickle.loads(pickle.dumps(version))
    assert loaded == version
    assert loaded.request(text="t") == version.request(text="t")
    assert hash(loaded) == hash(version)
    request = copy.deepcopy(version.request(text="t"))
    request["tools"][0]["function"]["name"] = "g"
    assert version.unit.tools[0]["function"]["name"] == "f"


class Echo(BaseHTTPRequestHandler):
    """Answers as a chat completions endpoint does, and keeps what it was asked."""

    asked: list[Any]

    def do_POST(self) -> None:
        """Keep the body, answer with one word."""
        self.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        message = {"role": "assistant", "content": "ok"}
        body = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": []}
        body["choices"] = [{"index": 0, "finish_reason": "stop", "message": message}]
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def test_the_real_openai_client_sends_it(version: PromptVersion) -> None:
    """The real openai client takes a request's keyword arguments and sends exactly them."""
    openai = pytest.importorskip("openai")
    asked: list[Any] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Kept", (Echo,), {"asked": asked}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with openai.OpenAI(
            base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="none", max_retries=0, timeout=30
        ) as client:
            answer = client.chat.completions.create(**version.request(text='a "b"'))
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert answer.choices[0].message.content == "ok"
    assert asked == [EXPECTED]
    assert version.request(text='a "b"') == EXPECTED


def test_compiled_once_a_digest(version: PromptVersion) -> None:
    """Two units with the same digest share one compiled template."""
    assert compiled(version.unit, version.digest) is compiled(version.unit, version.digest)


def test_eight_threads_render_each_their_own() -> None:
    """Renderings in eight threads at once, some of them failing, never mix their values or budgets."""
    unit = build_unit(text="{% for i in l %}{% set x = t ~ i %}{{ x }},{% endfor %}{{ o.k }}", model="m")
    wrong: list[str] = []
    start = threading.Barrier(8)

    def work(number: int) -> None:
        start.wait()
        for turn in range(60):
            tag = f"{number}-{turn}-"
            template = compiled(unit, f"sha256:{turn:064d}")  # eight threads compile the same one at once, too
            got = template.render({"l": list(range(50)), "t": tag, "o": {"k": tag}})
            if got != "".join(f"{tag}{i}," for i in range(50)) + tag:
                wrong.append(tag)
            try:
                template.render({"l": [], "t": tag, "o": {tag: 1}})
            except ValueError as error:
                if f"it has {tag}" not in str(error):
                    wrong.append(f"{tag}: {error}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_how_a_version_shows_itself(version: PromptVersion) -> None:
    """A version names itself, and what it holds cannot inject HTML or end the block that shows it."""
    assert version.version == "#3"
    assert str(version) == "support/triage #3"
    assert repr(version).startswith("<PromptVersion support/triage #3 sha256:")
    unit = build_unit(
        messages=[{"role": "user", "content": "```\n<script>alert(1)</script>"}, {"placeholder": "past"}],
        model="<img src=x onerror=alert(1)>",
        params={"user": "<b>"},
    )
    hostile = PromptVersion("p", 1, unit, unit_digest(unit), "<i>", "<u>", datetime(2026, 1, 2, tzinfo=UTC))
    shown = hostile._repr_html_()
    for tag in ("<script", "<img", "<b>", "<i>", "<u>"):
        assert tag not in shown
    assert "&lt;script&gt;" in shown
    markdown = hostile._repr_markdown_()
    head, _, rest = markdown.partition("````\n")
    assert head.startswith("**p \\#1**")
    assert not any(tag in head for tag in ("<img", "<b>", "<i>", "<u>"))
    assert rest.endswith("\n````")
    assert "````" not in rest[:-4]
    assert "[past]" in rest
