"""Every state that a registry can be in becomes words, in time, and without the token."""

from __future__ import annotations

import asyncio
import http.server
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from pressmark.sidepanel.source import Source

from .served import Registry, free_port

SECRET = "pm_secret_of_a_test"


def state(url: str, token: str = SECRET, patience: float = 8.0) -> dict[str, object]:
    return asyncio.run(Source(url, token, patience=patience).state())


@pytest.mark.parametrize(
    ("url", "expected", "said"),
    [
        ("", "unset", "no registry is set"),
        ("   ", "unset", "no registry is set"),
        ("sqlite:///registry.db", "unset", "opens no file"),
        ("prompts.duckdb", "unset", "opens no file"),
        ("ftp://127.0.0.1", "unset", "is no server"),
        ("http://", "unset", "no registry's address"),
        ("http://127.0.0.1:99999", "unset", "no registry's address"),
    ],
)
def test_addresses_that_are_none(url: str, expected: str, said: str) -> None:
    """What is no server's address is `unset` and says what to write."""
    told = state(url)
    assert told["state"] == expected
    assert said in str(told["message"])
    assert told["hint"]


def test_passwords_in_an_address_stay_here() -> None:
    """A user and password in the address are in no answer."""
    told = state(f"http://ana:hunter2@127.0.0.1:{free_port()}")
    assert told["state"] == "down"
    assert "hunter2" not in str(told)


@pytest.mark.parametrize("token", ["", "pm_unknown", SECRET])
def test_a_token_that_is_refused(registry: Registry, token: str) -> None:
    """An empty or unknown token is `refused`, and is not repeated."""
    told = state(registry.url, token)
    assert told["state"] == "refused"
    assert "PRESSMARK_TOKEN" in str(told["hint"])
    assert not token or token not in str(told)


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "ünicode"])
def test_a_token_that_no_header_carries(registry: Registry, token: str) -> None:
    """A token that was copied wrongly is `refused` before anything is sent, and is not repeated."""
    told = state(registry.url, token)
    assert told["state"] == "refused"
    assert token not in str(told)


def test_a_registry_that_accepts_and_never_answers() -> None:
    """A black hole is `down` within the patience, and the loop runs on meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as hole:

        async def watched() -> tuple[dict[str, object], int]:
            beats = 0

            async def beat() -> None:
                nonlocal beats
                while True:
                    await asyncio.sleep(0.02)
                    beats += 1

            beating = asyncio.create_task(beat())
            told = await Source(f"http://127.0.0.1:{hole.getsockname()[1]}", SECRET, patience=0.6).state()
            beating.cancel()
            return told, beats

        began = time.monotonic()
        told, beats = asyncio.run(watched())
    assert told["state"] == "down"
    assert time.monotonic() - began < 8
    assert beats > 3


@pytest.fixture
def no_registry() -> Iterator[str]:
    """A web server that answers everything with a page."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>hello</html>")

        def log_message(self, *said: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_something_else_answers(no_registry: str) -> None:
    """What is no registry is told in words, without its page."""
    told = state(no_registry)
    assert told["state"] in {"down", "failed"}
    assert "<html>" not in str(told)
    assert told["message"]


def test_many_who_ask_at_once(registry: Registry) -> None:
    """Thirty questions at once are all answered."""

    async def all_of_them() -> list[dict[str, object]]:
        source = Source(registry.url, registry.token)
        return list(await asyncio.gather(*(source.state() for _ in range(30))))

    answers = asyncio.run(all_of_them())
    assert [told for told in answers if told["state"] != "connected"] == []
