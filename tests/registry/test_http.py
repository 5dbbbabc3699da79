"""The wire itself: statuses, headers, error bodies, and what hostile requests get."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import socket
import sqlite3
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import urllib3
from fastapi import APIRouter, Depends

from pressmark.prompts import sha256_digest
from pressmark.prompts.canonical import evidence_digest
from pressmark.registry import database
from pressmark.registry.acting import acting
from pressmark.registry.guard import MAX_BODY, MAX_NESTING, MAX_PUBLISH, nesting
from pressmark.registry.packing import MAX_PACKED, MAX_UNPACKED
from pressmark.registry.remote import Remote
from pressmark.registry.serving import Running, running
from pressmark.registry.store import Store

from .making import publish, unit
from .proving import parquet, prove, suite

NAME = "support/triage"
VERSIONS = f"/v1/prompts/{NAME}/-/versions"
LABEL = f"/v1/prompts/{NAME}/-/labels/production"


class Web:
    """Plain HTTP with an admin's token."""

    def __init__(self, server: Running) -> None:
        self._server = server
        self._pool = urllib3.PoolManager(retries=False)

    def __call__(self, method: str, path: str, json_: Any = None, *, body: bytes | None = None, **headers: str) -> Any:
        """Ask; return the answer, with `told`, its JSON."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        told.setdefault("authorization", f"Bearer {self._server.token}")
        if json_ is not None:
            body = json.dumps(json_).encode()
        if body is not None:
            told.setdefault("content-type", "application/json")
        answer: Any = self._pool.request(method, self._server.url + path, body=body, headers=told)
        is_json = answer.data and answer.headers.get("content-type") == "application/json"
        answer.told = json.loads(answer.data) if is_json else None
        return answer


@pytest.fixture
def web(server: Running) -> Web:
    """Plain HTTP to a server with one prompt of two versions."""
    publish(Remote(server.url, server.token), NAME, "one", "two")
    return Web(server)


def refused(answer: Any, status: int, code: str | None = None) -> str:
    """Check that the answer is an error of the one form; return its message."""
    assert answer.status == status, answer.data
    error = answer.told["error"]
    assert {"code", "message", "hint"} <= set(error)
    assert code is None or error["code"] == code
    return str(error["message"])


def test_publish_statuses(web: Web) -> None:
    """Publishing answers 201 for a new version and 200 for the newest again, both with the version and its unit."""
    body = {"unit": unit("new {{ question }}").decode(), "message": "m", "reason": "r"}
    made, again = web("POST", VERSIONS, body), web("POST", VERSIONS, body)
    assert (made.status, again.status) == (201, 200)
    assert made.told | {"created": False} == again.told
    assert made.told["version"] == "v3"
    assert sha256_digest(made.told["unit"].encode()) == made.told["digest"]


def test_unit_as_an_object(web: Web) -> None:
    """A unit may come as a JSON object, in any order and spacing; it is the same version."""
    told = json.loads(unit("new {{ question }}"))
    shuffled = dict(reversed(told.items()))
    made = web("POST", VERSIONS, {"unit": shuffled, "message": "m", "reason": "r"})
    assert made.told["digest"] == sha256_digest(unit("new {{ question }}"))


@pytest.mark.parametrize("name", [NAME, quote(NAME, safe="")])
def test_slashes_in_names(web: Web, name: str) -> None:
    """A name's slashes may stand as they are or percent-encoded."""
    assert len(web("GET", f"/v1/prompts/{name}/-/versions").told["versions"]) == 2
    assert web("GET", f"/v1/prompts/{name}/-/versions/v1").told["version"] == "v1"


def test_move_by_headers(web: Web) -> None:
    """If-None-Match: * makes a label, If-Match moves it, and each answer's ETag is the next expectation."""
    made = web("PUT", LABEL, {"to": "v1", "reason": "go"}, if_none_match="*")
    assert made.status == 200
    moved = web("PUT", LABEL, {"to": "v2", "reason": "go"}, if_match=made.headers["etag"])
    assert moved.told["data"]["moves"][0]["from"] == 1
    message = refused(web("PUT", LABEL, {"to": "v1", "reason": "go"}, if_match=made.headers["etag"]), 412, "conflict")
    assert "admin: go" in message
    assert str(moved.told["at"])[11:19] in message
    refused(web("PUT", LABEL, {"to": "v1", "reason": "go"}, if_none_match="*"), 412, "conflict")
    back = web("POST", f"{LABEL}/rollback", {"reason": "bad"}, if_match=moved.headers["etag"])
    assert back.told["kind"] == "rollback"
    refused(web("POST", f"{LABEL}/rollback", {"reason": "bad"}, if_match=moved.headers["etag"]), 412, "conflict")
    assert web("PUT", LABEL, {"to": "v2", "reason": "go"}, if_match="*").status == 200


@pytest.mark.parametrize("path", [LABEL, f"{LABEL}/rollback"])
def test_move_must_say_what_it_expects(web: Web, path: str) -> None:
    """A move or rollback that does not say what it expects is a 428 that says how to."""
    method = "POST" if path.endswith("rollback") else "PUT"
    message = refused(web(method, path, {"to": "v1", "reason": "go"}), 428, "precondition_required")
    assert "If-Match" in message
    refused(web(method, path, {"to": "v1", "reason": "go"}, if_match='"abc"'), 422)
    assert web("GET", "/v1/position").told["seq"] == 2


def test_gate_refusal(web: Web) -> None:
    """A refused move is a 409 with the gate's decision."""
    web("PUT", LABEL, {"to": "v1", "reason": "go", "expected": None})
    answer = web("PUT", LABEL, {"to": "v1", "reason": "go", "expected": "v1"})
    refused(answer, 409, "gate_refused")
    decision = answer.told["error"]["facts"]["decision"]
    assert not decision["allowed"]
    assert {"code", "sentence", "next_step", "blocking", "met"} == set(decision["reasons"][0])


def test_lost_reply(web: Web) -> None:
    """A POST or PUT asked again with its Idempotency-Key gets the first answer, status included."""
    body = {"unit": unit("new {{ question }}").decode(), "message": "m", "reason": "r"}
    first, again = (web("POST", VERSIONS, body, idempotency_key="k1") for _ in range(2))
    assert (first.status, first.data) == (again.status, again.data)
    first, again = (
        web("PUT", LABEL, {"to": "v1", "reason": "go", "expected": None}, idempotency_key="k2") for _ in range(2)
    )
    assert (first.status, first.data) == (again.status, again.data) == (200, first.data)
    refused(web("PUT", LABEL, {"to": "v2", "reason": "go", "expected": None}, idempotency_key="k2"), 409, "key_reused")
    token = web("POST", "/v1/tokens", {"principal": "bo", "role": "reader"}, idempotency_key="k3")
    assert token.told["secret"].startswith("pm_")
    told_once = web("POST", "/v1/tokens", {"principal": "bo", "role": "reader"}, idempotency_key="k3")
    refused(told_once, 409, "told_once")
    assert len(web("GET", "/v1/tokens").told["tokens"]) == 2


def test_one_key_of_two_bearers(server: Running, web: Web) -> None:
    """Idempotency keys of different tokens do not meet."""
    secret = server.store.create_token("bo", "editor").secret
    for number, authorization in enumerate((f"Bearer {server.token}", f"Bearer {secret}")):
        body = {"to": f"v{number + 1}", "reason": "go", "expected": "*"}
        assert web("PUT", LABEL, body, idempotency_key="k", authorization=authorization).status == 200


HOSTILE: dict[str, tuple[bytes, int]] = {
    "empty": (b"", 422),
    "not json": (b"{", 422),
    "a list": (b"[]", 422),
    "a number": (b"1e999", 422),
    "nan": (b'{"to": NaN, "reason": "r"}', 422),
    "deep": (b'{"to":' + b"[" * 100_000, 422),
    "deep and closed": (b'{"source":' + b"[" * 65 + b"]" * 65 + b"}", 422),
    "unknown field": (b'{"to": "v1", "reason": "r", "expected": null, "force": true}', 422),
    "wrong types": (b'{"to": 1, "reason": ["r"], "expected": {}}', 422),
    "lone surrogate": (b'{"to": "v1", "reason": "\\ud800", "expected": null}', 422),
    "nul": (b'{"to": "v1", "reason": "a\\u0000b", "expected": null}', 422),
    "invalid utf-8": (b'{"to": "v1", "reason": "\xff", "expected": null}', 400),
    "huge number": (b'{"to": "v1", "reason": "r", "expected": 1' + b"0" * 400 + b"}", 422),
    "endless reason": (b'{"to": "v1", "reason": "' + b"x" * 3000 + b'", "expected": null}', 422),
    "huge": (b'{"to": "v1", "reason": "' + b"x" * MAX_BODY + b'", "expected": null}', 413),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_bodies(web: Web, case: str) -> None:
    """A malformed body is a 4xx of the one form, and nothing changes."""
    body, status = HOSTILE[case]
    refused(web("PUT", LABEL, body=body), status)
    assert web("GET", "/v1/position").told["seq"] == 2


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"to": "v1", "expected": None}, "reason is missing: send it"),
        ({"to": "v1", "reason": "", "expected": None}, "reason is empty: write it in a sentence"),
        ({"to": "v1", "reason": " ", "expected": None}, "reason is empty: write it in a sentence"),
        ({"to": "", "reason": "r", "expected": None}, "to is empty: write it out"),
        ({"to": 1, "reason": "r", "expected": None}, "to is a text; got 1"),
        ({"to": "v1", "reason": "r" * 3000, "expected": None}, "reason may have 2,000 characters at most"),
        ({"to": "v1", "reason": "r", "expected": None, "froce": 1}, "froce is not known here"),
        ([], "the body is an object; got []"),
    ],
)
def test_malformed_bodies_are_told_in_sentences(web: Web, body: Any, sentence: str) -> None:
    """What is wrong with a request's form is said in words, with the field's name."""
    assert sentence in refused(web("PUT", LABEL, body), 422)


@pytest.mark.parametrize(
    "unit_",
    [
        {},
        {"format": 1},
        {"format": 99, "template": {"text": "x"}, "model": "m", "params": {}, "variables": {}},
        "",
        "x",
        json.loads(unit()) | {"params": {"a": 2**60}},
        json.loads(unit()) | {"params": {"a": "\ud800"}},
        json.loads(unit()) | {"extra": 1},
    ],
)
def test_hostile_units(web: Web, unit_: Any) -> None:
    """A malformed unit is a 422, and nothing is published."""
    refused(web("POST", VERSIONS, {"unit": unit_, "message": "m", "reason": "r"}), 422)
    assert web("GET", "/v1/position").told["seq"] == 2


def test_nesting_of_a_unit(web: Web) -> None:
    """Nesting is counted outside of strings only: brackets in a prompt's text are text."""
    text = "[[{{ question }}]]" + "[{" * 500
    made = web("POST", VERSIONS, {"unit": unit(text).decode(), "message": "m", "reason": "r"})
    assert made.status == 201
    assert nesting(b"[" * MAX_NESTING) == MAX_NESTING
    assert nesting(b'{"a": "[[[[\\"[[["}') == 1


def raw(server: Running, data: bytes) -> bytes:
    """Send bytes and read what comes back until the server closes."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(data)
        received = b""
        while part := connection.recv(65536):
            received += part
    return received


def test_oversized_body_is_not_read(server: Running, web: Web) -> None:
    """A body that declares itself too large is refused before it is sent."""
    head = (
        f"PUT {LABEL} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {MAX_PUBLISH * 1000}\r\n\r\n"
    )
    told = raw(server, head.encode())
    assert told.startswith(b"HTTP/1.1 413")
    assert b'"too_large"' in told


def test_oversized_stream_is_cut(server: Running, web: Web) -> None:
    """A body without a declared length is read up to the limit and no further."""
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
    sent = 0

    def parts() -> Any:
        nonlocal sent
        for _ in range(400):
            sent += 1
            yield b"x" * 65536

    try:
        connection.request(
            "POST", "/v1/moves", parts(), {"authorization": f"Bearer {server.token}"}, encode_chunked=True
        )
        answer = connection.getresponse()
        assert answer.status == 413
    except (BrokenPipeError, ConnectionResetError):
        assert sent < 400
    assert web("GET", "/v1/position").told["seq"] == 2


def test_compressed_body(web: Web) -> None:
    """A compressed body is refused, so that no bomb is ever unpacked."""
    bomb = gzip.compress(b"[" * 10_000_000)
    refused(web("POST", "/v1/moves", body=bomb, content_encoding="gzip"), 415)


EVIDENCE = "/v1/evidence"
SUITE = "/v1/suites/support/basics/-/versions"


@pytest.mark.parametrize("path", [EVIDENCE, SUITE])
def test_packed_bodies(web: Web, path: str) -> None:
    """What may come under gzip is unpacked within a bound: bombs, cut and false gzip are told, and nothing is kept."""
    bomb = gzip.compress(b"[" * (MAX_UNPACKED + 1))
    refused(web("POST", path, body=bomb, content_encoding="gzip"), 413, "too_large")
    nested = gzip.compress(b"[" * 100_000 + b"]" * 100_000)
    refused(web("POST", path, body=nested, content_encoding="gzip"), 422, "nesting")
    refused(web("POST", path, body=b"[" * 100_000 + b"]" * 100_000), 422, "nesting")
    whole = gzip.compress(b"{}")
    for body in (b"{}", whole[:-4], whole + b"x", whole + whole, b""):
        refused(web("POST", path, body=body, content_encoding="gzip"), 422)
    for body in (b"", b"{", b"null", b"[]", b"3", b'{"format": 1}', b"\xff", b'{"a": NaN}'):
        refused(web("POST", path, body=body), 422)
        refused(web("POST", path, body=gzip.compress(body), content_encoding="gzip"), 422)
    refused(web("POST", path, body=whole, content_encoding="br"), 415)
    assert web("GET", "/v1/suites").told == {"suites": []}


def test_body_that_is_too_large_for_evidence(server: Running, web: Web) -> None:
    """Evidence over 32 MiB is refused by its declared length, and by what arrives where none was declared."""
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
    connection.putrequest("POST", EVIDENCE)
    connection.putheader("authorization", f"Bearer {server.token}")
    connection.putheader("content-length", str(MAX_PACKED + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
    sent = 0

    def parts() -> Any:
        nonlocal sent
        for _ in range(80):
            sent += 1
            yield b"x" * 1024 * 1024

    try:
        headers = {"authorization": f"Bearer {server.token}", "content-encoding": "gzip"}
        connection.request("POST", EVIDENCE, parts(), headers, encode_chunked=True)
        assert connection.getresponse().status == 413
    except (BrokenPipeError, ConnectionResetError):
        assert sent < 80


def test_evidence_over_http(server: Running, web: Web) -> None:
    """Evidence is taken and given plain and under gzip, whole, and a repeat changes nothing."""
    record = prove(Remote(server.url, server.token), "v2")
    text = json.dumps(record.to_dict()).encode()
    made = web("POST", EVIDENCE, body=text, idempotency_key="k")
    assert made.status == 201
    again = web("POST", EVIDENCE, body=gzip.compress(text), content_encoding="gzip", idempotency_key="k")
    assert again.told == made.told == {"digest": evidence_digest(record)}
    digest = made.told["digest"]
    plain = web("GET", f"{EVIDENCE}/{digest}", accept_encoding="identity")
    assert sha256_digest(plain.data) == digest
    assert "immutable" in plain.headers["cache-control"]
    packed = web("GET", f"{EVIDENCE}/{digest}", accept_encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.data == plain.data
    listed = web("GET", f"/v1/prompts/{NAME}/-/evidence?label=production&candidate=v2").told["evidence"]
    assert [info["digest"] for info in listed] == [digest]
    refused(web("GET", f"/v1/prompts/{NAME}/-/evidence?label=A%00"), 422)
    refused(web("GET", f"{EVIDENCE}/sha256:{'0' * 64}"), 404)


def test_policy_over_http(web: Web) -> None:
    """A policy is set by a preset's name or whole, once for one Idempotency-Key, and refused in words."""
    body = {"label": "production", "policy": "team", "reason": "a team now"}
    made, again = (web("PUT", "/v1/policies", body, idempotency_key="k") for _ in range(2))
    assert made.told == again.told
    assert made.told["kind"] == "policy"
    assert web("GET", f"{LABEL}/policy").told["name"] == "team"
    whole = {**body, "policy": {"name": "ours", "least_rows": 5}, "names": "support/*"}
    assert web("PUT", "/v1/policies", whole).status == 200
    assert [rule["names"] for rule in web("GET", "/v1/policies").told["policies"]] == ["support/*", "**"]
    for wrong in ("crowd", {}, {"name": "x", "demand": 1}, {"name": "x", "least_rows": -1}, 3, None):
        message = refused(web("PUT", "/v1/policies", {**body, "policy": wrong}), 422)
        assert message
    refused(web("PUT", "/v1/policies", {**body, "reason": ""}), 422)
    assert web("GET", "/v1/position").told["seq"] == 4


def test_dataset_over_http(web: Web) -> None:
    """A suite's dataset is a Parquet file, as it was sent."""
    made = suite()
    sent = base64.b64encode(parquet(made)).decode()
    answers = [web("POST", SUITE, {"spec": made.spec(), "dataset": sent}) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 200]
    assert web("GET", f"{SUITE}/latest/dataset").data == parquet(made)
    for wrong in ("not base64!", 3, None, ""):
        refused(web("POST", SUITE, {"spec": made.spec(), "dataset": wrong}), 422)
    refused(web("POST", SUITE, {"spec": made.spec(), "dataset": sent, "more": 1}), 422)


def test_unrouted(web: Web) -> None:
    """Paths and methods that do not exist are told in the same form."""
    refused(web("GET", "/v1/nothing"), 404, "not_found")
    refused(web("DELETE", "/v1/prompts"), 405, "method_not_allowed")
    refused(web("POST", "/v1/sync", {}), 405)
    assert web("HEAD", "/v1/events").status == 405
    assert web("HEAD", "/v1/sync").status == 200
    refused(web("GET", "/v1/log?limit=0"), 422)
    refused(web("GET", "/v1/log?before=99999999999999999999"), 422)
    refused(web("GET", "/v1/sync?since=x"), 422)
    refused(web("GET", "/v1/sync?name=%00"), 422)
    refused(web("GET", "/v1/sync?" + "label=a&" * 300), 422)
    refused(web("GET", "/v1/sync?label=" + "a" * 20_000), 414)


@pytest.mark.parametrize("verb", ["PUT", "PATCH", "DELETE", "POST"])
def test_no_verb_changes_a_version(web: Web, verb: str) -> None:
    """No write verb on a version, a unit or an entry does anything."""
    before = web("GET", f"{VERSIONS}/v1").data
    digest = json.loads(before)["digest"]
    for path in (f"{VERSIONS}/v1", f"/v1/units/{digest}", "/v1/log", "/v1/log/1"):
        assert web(verb, path, {}).status in (404, 405)
    if verb != "POST":
        assert web(verb, VERSIONS, {}).status in (404, 405)
    assert web("GET", f"{VERSIONS}/v1").data == before


def test_unit_by_digest(web: Web) -> None:
    """A unit by digest is its canonical bytes, cacheable for ever by whoever asked."""
    digest = web("GET", f"{VERSIONS}/v1").told["digest"]
    answer = web("GET", f"/v1/units/{digest}")
    assert sha256_digest(answer.data) == digest
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert web("GET", f"/v1/units/{digest}", if_none_match=answer.headers["etag"]).status == 304


def test_store_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database cannot be written, a write is a 503 with Retry-After, and reading goes on."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    with Store(tmp_path / "registry.db") as store, running(store) as server:
        web = Web(server)
        publish(store, NAME, "one")
        with sqlite3.connect(tmp_path / "registry.db", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            answer = web("PUT", LABEL, {"to": "v1", "reason": "go", "expected": None})
            assert "nothing was changed" in refused(answer, 503, "unavailable")
            assert answer.headers["retry-after"] == "1"
            assert web("GET", f"{VERSIONS}/v1").status == 200
            other.execute("ROLLBACK")
        assert web("PUT", LABEL, {"to": "v1", "reason": "go", "expected": None}).status == 200


def test_status_without_a_token(web: Web) -> None:
    """The status needs no token and tells that the registry works, not what it holds."""
    answer = web("GET", "/v1/status", authorization="")
    assert answer.status == 200
    assert set(answer.told) == {"status", "pressmark", "wire"}


def test_landing_page(web: Web) -> None:
    """The page at / says how to connect, runs no script, and does not believe the Host header's markup."""
    answer = web("GET", "/", host='x"><script>alert(1)</script>', authorization="")
    page = answer.data.decode()
    assert answer.headers["content-type"].startswith("text/html")
    assert "PRESSMARK_URL=" in page
    assert "<script" not in page
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_openapi(web: Web) -> None:
    """The OpenAPI document names every route, those outside the framework too."""
    paths = web("GET", "/openapi.json").told["paths"]
    assert {"/v1/sync", "/v1/events", "/v1/units/{digest}", "/v1/moves", "/v1/status"} <= set(paths)
    assert all("/-/" in path for path in paths if path.startswith("/v1/prompts/"))


def test_routers_handed_in(sqlite_store: Store) -> None:
    """A router that the server is given is served behind the same tokens, bounds and form of errors."""
    router = APIRouter()

    @router.get("/other/{name:path}")
    def other(name: str, store: Store = Depends(acting)) -> dict[str, str]:  # noqa: B008 - FastAPI's own form
        return {"who": store.whoami().name, "version": store.version(name, "latest").version}

    publish(sqlite_store)
    with running(sqlite_store, routers=[router]) as server:
        web = Web(server)
        assert web("GET", f"/other/{NAME}").told == {"who": "admin", "version": "v1"}
        refused(web("GET", f"/other/{NAME}", authorization=""), 401)
        refused(web("GET", "/other/no/such"), 404, "prompt_not_found")


def test_small_answers_are_not_delayed(server: Running, web: Web) -> None:
    """Answers on a connection that is kept open do not wait for an acknowledgement (40 ms without TCP_NODELAY)."""
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
    times = []
    for _ in range(20):
        began = time.perf_counter()
        connection.request("GET", "/v1/sync?label=production", headers={"authorization": f"Bearer {server.token}"})
        connection.getresponse().read()
        times.append(time.perf_counter() - began)
    assert min(times[1:]) < 0.03
