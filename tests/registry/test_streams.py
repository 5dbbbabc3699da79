"""Sync and events: complete, ordered, resumable; equal bytes for equal states."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3

from pressmark.errors import AuthenticationError, RegistryError
from pressmark.prompts import sha256_digest
from pressmark.registry import feed, state, streams
from pressmark.registry.remote import Remote
from pressmark.registry.serving import Running, running
from pressmark.registry.store import Store
from pressmark.registry.values import UNSET

from .making import Listener, publish, unit, until

NAME = "support/triage"


@pytest.fixture
def admin(server: Running) -> Remote:
    """An admin at a server with one prompt."""
    registry = Remote(server.url, server.token)
    publish(registry, NAME, "one", "two")
    registry.move(NAME, label="production", to="v1", reason="go", expected=None)
    return registry


def get(server: Running, path: str, **headers: str) -> Any:
    """Ask plainly, without undoing compression."""
    told = {"authorization": f"Bearer {server.token}"} | {
        name.replace("_", "-"): text for name, text in headers.items()
    }
    return urllib3.request("GET", server.url + path, headers=told, decode_content=False, retries=False)


def flip(registry: Any, times: int) -> None:
    """Move the label to and fro."""
    for _ in range(times):
        held = registry.version(NAME, "production").number
        registry.move(NAME, label="production", to=f"v{3 - held}", reason="go", expected=UNSET)


def refuses_embedded_writes(store: Store) -> bool:
    """Whether a server keeps the store, as an embedded writer sees it."""
    try:
        store.move(NAME, label="staging", to="v1", reason="go", expected="v9")
    except RegistryError as refusal:
        return refusal.code == "served"
    return False


class TestSync:
    """GET /v1/sync."""

    def test_etag(self, server: Running, admin: Remote) -> None:
        """An unchanged state is a 304 without a body; any change of the log is a new tag and a new body."""
        first = get(server, "/v1/sync?label=production")
        etag = first.headers["etag"]
        assert etag.startswith('"')
        same = get(server, "/v1/sync?label=production", if_none_match=etag)
        assert (same.status, same.data, same.headers["etag"]) == (304, b"", etag)
        flip(admin, 1)
        changed = get(server, "/v1/sync?label=production", if_none_match=etag)
        assert changed.status == 200
        assert changed.headers["etag"] != etag
        assert json.loads(changed.data)["position"]["seq"] == 4

    def test_strong_etag(self, server: Running, admin: Remote) -> None:
        """Equal tags mean equal bytes: each subscription, form and encoding has a tag of its own."""
        scope = json.loads(get(server, "/v1/sync").data)["scope"]
        paths = ["", "?label=production", "?name=support/*", "?units=0", f"?since=1&scope={scope}"]
        paths += [f"?since=2&scope={scope}", "?since=2&scope=other"]
        by_tag: dict[str, bytes] = {}
        for path in paths:
            for encoding in ("identity", "gzip"):
                answer = get(server, f"/v1/sync{path}", accept_encoding=encoding)
                assert answer.status == 200
                assert by_tag.setdefault(answer.headers["etag"], answer.data) == answer.data
        bodies = {(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body) for body in by_tag.values()}
        # "since" with another's scope is everything, so it is the same answer as without.
        assert len(by_tag) == 2 * (len(paths) - 1) == 2 * len(bodies)

    def test_tags_and_proxies(self, server: Running, admin: Remote) -> None:
        """A tag is known among several, as a star, and after a proxy weakened it."""
        etag = get(server, "/v1/sync").headers["etag"]
        for sent in (f'"x", {etag}', "*", f"W/{etag}"):
            assert get(server, "/v1/sync", if_none_match=sent).status == 304
        assert get(server, "/v1/sync", if_none_match='"x"').status == 200

    def test_gzip(self, server: Running, admin: Remote) -> None:
        """Compressed where it is asked for, and only there."""
        plain, zipped = (get(server, "/v1/sync", accept_encoding=kind) for kind in ("identity", "gzip"))
        assert zipped.headers["content-encoding"] == "gzip"
        assert gzip.decompress(zipped.data) == plain.data
        assert "content-encoding" not in plain.headers
        assert "accept-encoding" in plain.headers["vary"]

    def test_reads_its_own_writes(self, server: Running, admin: Remote) -> None:
        """A sync after a write's answer holds that write, at once and every time."""
        for _ in range(20):
            flip(admin, 1)
            assert admin.sync()["position"]["seq"] == admin.position().seq

    def test_tombstones_and_scopes_differ_by_token(self, server: Running, admin: Remote) -> None:
        """Two tokens with different rights never share an answer or a scope, whatever they ask for."""
        narrow = Remote(server.url, admin.create_token("s", "reader", labels=["production"]).secret)
        assert narrow.sync(["**"])["scope"] != admin.sync(["**"])["scope"]
        assert len(narrow.sync(["**"])["pointers"]) == 1
        assert len(admin.sync(["**"])["pointers"]) == 2


class TestEvents:
    """GET /v1/events."""

    def test_wire_form(self, server: Running, admin: Remote) -> None:
        """A stream is text/event-stream; each event has its kind, its number as id, and JSON data on one line."""
        pool = urllib3.PoolManager()
        headers = {"authorization": f"Bearer {server.token}"}
        answer = pool.request("GET", f"{server.url}/v1/events?after=2", headers=headers, preload_content=False)
        assert answer.headers["content-type"].startswith("text/event-stream")
        received = b""
        for part in answer.stream(None):
            received += part
            if received.count(b"\n\n") >= 1:
                break
        answer.close()
        kind, number, data = received.split(b"\n\n")[0].decode().split("\n")
        assert (kind, number) == ("event: move", "id: 3")
        told = json.loads(data.removeprefix("data: "))
        assert told["pointers"][0]["targets"][0]["version"] == "v1"
        assert all(sha256_digest(text.encode()) == digest for digest, text in told["units"].items())

    def test_last_event_id(self, server: Running, admin: Remote) -> None:
        """A reconnecting client's Last-Event-ID goes before the `after` in its URL."""
        headers = {"authorization": f"Bearer {server.token}", "last-event-id": "2"}
        answer = urllib3.request("GET", f"{server.url}/v1/events?after=0", headers=headers, preload_content=False)
        assert next(iter(answer.stream(None))).startswith(b"event: move\nid: 3\n")
        answer.close()

    def test_head_at_once(self, server: Running, admin: Remote) -> None:
        """A watcher that is up to date hears so at once."""
        event = next(admin.events(admin.position()))
        assert (event.kind, event.seq) == ("head", 3)
        assert event.data["head"] == admin.log(limit=1)[0].hash

    def test_malformed_question(self, server: Running, admin: Remote) -> None:
        """A malformed subscription is a 422 instead of a stream."""
        for path in ("/v1/events?after=x", "/v1/events?label=A", "/v1/events?name=%20"):
            assert get(server, path).status == 422

    def test_seen_at_once(self, server: Running, admin: Remote) -> None:
        """A move is heard without waiting for a poll or a heartbeat."""
        listener = Listener(admin.events())
        until(lambda: listener.heard)
        flip(admin, 1)
        until(lambda: listener.numbers == [4], seconds=5)

    def test_across_restarts_and_cuts(self, tmp_path: Path) -> None:
        """A watcher goes on where it stopped while servers come and go; embedded writes in between are told, too."""
        store = Store(tmp_path / "registry.db")
        publish(store, NAME, "one", "two")
        store.move(NAME, label="production", to="v1", reason="go", expected=None)
        with running(store) as server:
            secret, port = str(server.token), int(urlsplit(server.url).port or 0)
            listener = Listener(Remote(server.url, secret).events())
            until(lambda: listener.heard)
            flip(store, 3)
            until(lambda: len(listener.numbers) == 3)
        flip(store, 2)
        for _ in range(2):
            with running(store, port=port):
                flip(store, 2)
                until(lambda: listener.numbers[-1:] == [store.position().seq], seconds=20)
        assert listener.numbers == list(range(4, 4 + 9))
        store.close()

    def test_two_servers_on_one_store(self, store: Store, store_url: str) -> None:
        """A move through one server is heard at another one on the same store, and its sync holds it."""
        publish(store, NAME, "one", "two")
        store.move(NAME, label="production", to="v1", reason="go", expected=None)
        other = Store(store_url)
        with running(store) as here, running(other) as there:
            near, far = Remote(here.url, here.token), Remote(there.url, here.token)
            listener = Listener(far.events())
            until(lambda: listener.heard)
            flip(near, 5)
            until(lambda: listener.numbers == [4, 5, 6, 7, 8])
            until(lambda: far.sync()["position"]["seq"] == 8)
            flip(far, 1)
            assert near.position().seq == 9
        other.close()

    @pytest.mark.postgres
    def test_lost_database_connections(self, postgres_url: Callable[[], str]) -> None:
        """When PostgreSQL drops every connection, writes, watchers and the mark of a server come back by themselves."""
        url = postgres_url()
        with Store(url) as store, Store(url) as other, running(store) as server:
            admin = Remote(server.url, server.token)
            publish(admin, NAME, "one", "two")
            admin.move(NAME, label="production", to="v1", reason="go", expected=None)
            listener = Listener(admin.events())
            until(lambda: listener.heard)
            with other.database.engine.connect() as connection:
                connection.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            flip(admin, 2)
            until(lambda: listener.numbers == [4, 5], seconds=20)
            until(lambda: refuses_embedded_writes(other), seconds=20)

    def test_stream_while_writing(self, server: Running, admin: Remote) -> None:
        """Watchers that join while others write hear every number after their position, in order, once."""
        done = threading.Event()

        def write() -> None:
            flip(admin, 40)
            done.set()

        writer = threading.Thread(target=write)
        writer.start()
        listeners = []
        while not done.is_set():
            listeners.append(Listener(admin.events(admin.position()._replace(seq=len(listeners) % 3))))
            done.wait(0.1)
        writer.join()
        for number, listener in enumerate(listeners):
            until(lambda listener=listener: listener.numbers[-1:] == [43])
            assert listener.numbers == list(range(number % 3 + 1, 44))

    def test_too_far_back(self, server: Running, admin: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who is further behind than a sync is worth is told to sync."""
        monkeypatch.setattr(state, "TOO_FAR", 5)
        flip(admin, 8)
        with running(server.store.where) as again:  # nothing is in its memory
            remote = Remote(again.url, server.token)
            assert next(remote.events(admin.position()._replace(seq=0))).kind == "resync"
            event = next(remote.events(admin.position()._replace(seq=8)))
            assert (event.kind, event.seq) == ("move", 9)

    def test_memory_that_is_too_short(self, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """What the server no longer holds in memory is read from the store."""
        monkeypatch.setattr(feed, "KEPT", 3)
        with running(sqlite_store) as server:
            admin = Remote(server.url, server.token)
            publish(admin, NAME, "one", "two")
            admin.move(NAME, label="production", to="v1", reason="go", expected=None)
            flip(admin, 10)
            listener = Listener(admin.events(admin.position()._replace(seq=0)))
            until(lambda: listener.numbers == list(range(1, 14)))

    def test_cut_connections_are_forgotten(self, server: Running, admin: Remote) -> None:
        """A server forgets the streams whose reader went away."""
        address = urlsplit(server.url)
        for _ in range(5):
            with socket.create_connection((address.hostname, address.port)) as connection:
                connection.sendall(
                    f"GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\n\r\n".encode()
                )
                assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        listener = Listener(admin.events())
        until(lambda: listener.heard)
        flip(admin, 1)
        until(lambda: listener.numbers)

    def test_stalled_readers(self, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """A reader that takes nothing is dropped, holds up nobody, and does not keep the server from stopping."""
        monkeypatch.setattr(streams, "STALLED", 0.3)
        with running(sqlite_store) as server:
            admin = Remote(server.url, server.token)
            address = urlsplit(server.url)
            stalled = socket.create_connection((address.hostname, address.port))
            stalled.sendall(
                f"GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\n\r\n".encode()
            )
            assert stalled.recv(64).startswith(b"HTTP/1.1 200")
            listener = Listener(admin.events())
            until(lambda: listener.heard)
            for number in range(12):
                text = f"{number} {'x' * 900_000} {{{{ question }}}}"
                admin.publish(NAME, unit(text), message="large", reason="to fill buffers")
            until(lambda: listener.numbers == list(range(1, 13)))
            began = time.monotonic()
        assert time.monotonic() - began < 5
        stalled.close()

    def test_wrong_token(self, server: Running, admin: Remote) -> None:
        """A stream with a wrong token ends with that error instead of being tried for ever."""
        with pytest.raises(AuthenticationError):
            next(Remote(server.url, "pm_wrong").events(admin.position()))
