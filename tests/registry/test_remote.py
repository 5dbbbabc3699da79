"""The registry over HTTP when the network is not what it should be."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pressmark import errors
from pressmark.errors import (
    AuthenticationError,
    ConflictError,
    GateError,
    InvalidNameError,
    NotFoundError,
    PressmarkError,
    RegistryError,
    RegistryUnavailableError,
    TemplateError,
    VersionNotFoundError,
)
from pressmark.gate import GateDecision, Reason
from pressmark.prompts import LabelPointer
from pressmark.registry.faults import fault_from_dict, fault_to_dict, status_of
from pressmark.registry.remote import ATTEMPTS, Remote
from pressmark.registry.serving import Running

from .making import publish, unit

NAME = "support/triage"


@contextmanager
def broken_server(answers: list[Any]) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that gives prepared answers: (status, headers, body), or "cut" for none; and what it was asked."""
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            asked.append({name.lower(): value for name, value in self.headers.items()})
            self.rfile.read(int(self.headers.get("content-length", 0)))
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            if answer == "cut":
                self.close_connection = True
                return
            status, headers, body = answer
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = handle_any

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


OK = (200, {"content-type": "application/json"}, b'{"registry": "r", "epoch": 1, "seq": 7}')


def entry_answer() -> tuple[int, dict[str, str], bytes]:
    """An entry, as a move answers it."""
    told = {"seq": 1, "kind": "move", "at": "2026-01-01T00:00:00.000000Z", "actor": "a", "reason": "r"}
    told |= {"data": {"moves": []}, "previous": "p", "hash": "h"}
    return 200, {"content-type": "application/json"}, json.dumps(told).encode()


def test_nobody_listens() -> None:
    """Where nobody listens, the error says the URL and that nothing was changed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    pauses: list[float] = []
    remote = Remote(url, "pm_x", sleep=pauses.append)
    with pytest.raises(RegistryUnavailableError, match="nothing was changed") as told:
        remote.publish(NAME, unit(), message="m", reason="r")
    assert url in str(told.value)
    assert told.value.outcome_unknown is False
    assert len(pauses) == ATTEMPTS - 1
    assert pauses[-1] > pauses[0]


def test_cut_after_the_request() -> None:
    """A write whose reply never comes is asked again with one key; in the end it is said to be of unknown outcome."""
    with broken_server(["cut"]) as (url, asked):
        remote = Remote(url, "pm_x", sleep=lambda _: None)
        with pytest.raises(RegistryUnavailableError, match="look at the log") as told:
            remote.move(NAME, label="staging", to="v1", reason="r", expected=None)
        assert told.value.outcome_unknown is True
        assert len(asked) == ATTEMPTS
        assert len({request["idempotency-key"] for request in asked}) == 1
        with pytest.raises(RegistryUnavailableError) as told:
            remote.position()
        assert told.value.outcome_unknown is False


@pytest.mark.parametrize("first", ["cut", (503, {"retry-after": "0"}, b"{}"), (502, {}, b"<html>"), (429, {}, b"")])
def test_recovers(first: Any) -> None:
    """A cut connection and an answer that says "later" are tried again."""
    with broken_server([first, entry_answer()]) as (url, asked):
        remote = Remote(url, "pm_x", sleep=lambda _: None)
        assert remote.move(NAME, label="staging", to="v1", reason="r", expected=None).seq == 1
        assert len(asked) == 2


def test_retry_after() -> None:
    """What the server asks to wait is waited, within reason."""
    pauses: list[float] = []
    with broken_server([(503, {"retry-after": "3"}, b"{}"), (503, {"retry-after": "9999"}, b"{}"), OK]) as (url, _):
        Remote(url, "pm_x", sleep=pauses.append).position()
    assert pauses == [3.0, 10.0]


@pytest.mark.parametrize("body", [b"", b"<html>gateway</html>", b"[]", b'{"detail": "x"}', b'{"error": "x"}'])
def test_not_a_registry(body: bytes) -> None:
    """An answer in another form is told as somebody else's, with the address."""
    for status in (200, 404, 500):
        if status == 200 and body.startswith((b"[", b"{")):
            continue
        with broken_server([(status, {}, body)]) as (url, _):
            with pytest.raises(RegistryError, match="not a Pressmark registry") as told:
                Remote(url, "pm_x", sleep=lambda _: None).prompts()
            assert url in str(told.value)


@pytest.mark.parametrize("url", ["", "registry.db", "ftp://host", "http://", "host:8765"])
def test_wrong_address(url: str) -> None:
    """An address that is no URL of a server is refused with a form that would do."""
    with pytest.raises(RegistryError, match="no registry's address: write it as"):
        Remote(url, "pm_x")


def test_what_no_path_can_hold(server: Running) -> None:
    """A name, label, version or token of another form is refused before any request, in the embedded one's words."""
    remote = Remote(server.url.replace("127.0.0.1", "127.0.0.2"), "pm_x", sleep=lambda _: pytest.fail("it was sent"))
    for wrong in ("..", "../tokens", "a/../b", "a//b", "a\x00b", "a?b", "A", "%2e%2e", "a\udcff", ""):
        calls: list[Callable[[], object]] = [
            lambda: remote.labels(wrong),  # noqa: B023 - called at once
            lambda: remote.versions(wrong),  # noqa: B023
            lambda: remote.version(wrong, "v1"),  # noqa: B023
            lambda: remote.publish(wrong, unit(), message="m", reason="r"),  # noqa: B023
            lambda: remote.previous(NAME, wrong),  # noqa: B023
            lambda: remote.gate_check(NAME, wrong, "v1"),  # noqa: B023
            lambda: remote.move(NAME, label=wrong, to="v1", reason="r", expected=None),  # noqa: B023
            lambda: remote.rollback(NAME, label=wrong, reason="r", expected=None),  # noqa: B023
            lambda: remote.log(wrong),  # noqa: B023
        ]
        for call in calls:
            with pytest.raises(InvalidNameError, match=r"cannot be a (prompt name|label)"):
                call()
        with pytest.raises((InvalidNameError, VersionNotFoundError)):
            remote.version(NAME, wrong)
        with pytest.raises(NotFoundError, match="there is no token"):
            remote.revoke_token(wrong)


def test_user_and_password_in_the_address() -> None:
    """A password in the URL is never shown."""
    assert Remote("http://ana:hidden@127.0.0.1:1/base/", None).where == "http://127.0.0.1:1/base"


def test_no_token(server: Running) -> None:
    """Without a token, or with a wrong one, every question raises AuthenticationError, at once."""
    for token in (None, "pm_wrong"):
        remote = Remote(server.url, token, sleep=lambda _: pytest.fail("it was tried again"))
        with pytest.raises(AuthenticationError, match="token"):
            remote.prompts()
        with pytest.raises(AuthenticationError):
            publish(remote)


def every_error() -> list[PressmarkError]:
    """One of each kind, and some with facts."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PressmarkError)]
    pointer = LabelPointer(NAME, "production", 3, "sha256:x", 9, OK_TIME, "ana", "go")
    decision = GateDecision(False, (Reason("role", False, True, "It may not", "ask"),))
    return [
        *(kind("it went wrong: do this") for kind in kinds),
        ConflictError("moved", current=pointer, hint="reload"),
        GateError("refused", decision=decision),
        TemplateError("bad", line=3, column=7, where="messages[0].content", field="template"),
        VersionNotFoundError("none", name=NAME, version="v9"),
        errors.GraphCycleError("circle", cycle=("a", "b", "a")),
        errors.LogTamperedError("altered", seq=5),
    ]


OK_TIME = datetime(2026, 1, 2, tzinfo=UTC)


def test_errors_come_back_as_they_were() -> None:
    """Each exception arrives on the other side as the same kind, with the same message and the same facts."""
    for error in every_error():
        told = json.loads(json.dumps(fault_to_dict(error)))
        back = fault_from_dict(told, status_of(error), "http://x")
        assert type(back) is type(error)
        assert str(back) == str(error)
        for name, value in error.facts.items():
            assert getattr(back, name) == value, name


def test_unknown_kind_of_error() -> None:
    """An error that only a newer registry knows is still a RegistryError with its code, status and hint."""
    told = {
        "error": {"code": "frozen", "message": "not today", "hint": "wait", "kind": "FreezeError", "facts": {"a": 1}}
    }
    back = fault_from_dict(told, 423, "http://x")
    assert type(back) is RegistryError
    assert (back.code, back.status, back.hint, str(back)) == ("frozen", 423, "wait", "not today")
    for kind in ("__builtins__", "annotations", "object", None):
        assert type(fault_from_dict({"error": {"message": "m", "kind": kind}}, 400, "x")) is RegistryError
