"""Against the real registry: the same client, no simulation."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import pressmark as pm
from pressmark import errors

from .simulator import unit_text, until

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")

from pressmark.registry.remote import Remote
from pressmark.registry.serving import running

NAME = "support/triage"


@pytest.fixture
def registry(tmp_path) -> Iterator:
    """A registry that serves, with two versions of a prompt, the first one in production."""
    with running(tmp_path / "registry.db") as server:
        remote = Remote(server.url, server.token)
        _publish(remote, unit_text())
        _publish(remote, unit_text("Sort anew: {{ text }}"))
        _move(remote, "v1")
        yield server, remote
        remote.close()


def _publish(remote, text: str, name: str = NAME):
    return remote.publish(name, text.encode(), message="a change", reason="a test")


def _move(remote, to: str, name: str = NAME, label: str = "production"):
    labels = {pointer.label: pointer.version for pointer in remote.labels(name)}
    return remote.move(name, label=label, to=to, reason="a test", expected=labels.get(label))


def _client(server, tmp_path, **settings) -> pm.Client:
    return pm.Client(
        settings.pop("url", server.url), settings.pop("token", server.token), snapshot_dir=tmp_path / "kept", **settings
    )


def test_a_move_arrives_by_the_stream(registry, tmp_path):
    """A move and a rollback on a real registry are served a moment later, over the stream and without polling."""
    server, remote = registry
    with _client(server, tmp_path, poll_interval=600) as client:
        assert (client.get(NAME).version, client.get(NAME).source) == ("v1", "live")
        assert client.get(NAME).digest == remote.version(NAME, "v1").digest
        until(lambda: client.status().state == "live", "the stream is open")
        entry = _move(remote, "v2")
        until(lambda: client.get(NAME).version == "v2", "v2 is served", 5)
        assert client.status().seq == entry.seq
        assert client.get(NAME).seq == entry.seq
        entry = remote.rollback(NAME, label="production", reason="worse", expected="v2")
        until(lambda: client.get(NAME).version == "v1", "v1 is served again", 5)
        assert client.get(NAME).seq == entry.seq  # an older version at a newer position
        assert client.status().lag == 0


def test_labels_and_patterns_are_the_subscription(registry, tmp_path):
    """A client gets what it asked for and no more; `latest` follows each publication."""
    server, remote = registry
    _publish(remote, unit_text("Other {{ text }}"), "billing/refund")
    _move(remote, "v1", "billing/refund")
    with _client(server, tmp_path, labels=["production", "latest"], names=["support/*"]) as client:
        assert client.get(NAME, "latest").version == "v2"
        with pytest.raises(errors.PromptNotFoundError):
            client.get("billing/refund", "production")
        until(lambda: client.status().state == "live", "the stream is open")
        _publish(remote, unit_text("Sort thrice: {{ text }}"))
        until(lambda: client.get(NAME, "latest").version == "v3", "the publication is seen", 5)
        assert client.get(NAME, "production").version == "v1"


def test_a_restart_with_an_unchanged_registry_is_a_304(registry, tmp_path):
    """The ETag that the snapshot keeps is the registry's own, so an unchanged state is not sent again."""
    server, _ = registry
    _client(server, tmp_path).close()
    from pressmark.client import fetcher

    seen: list[object] = []
    original = fetcher.Fetcher.sync

    def watched(self, etag=None):
        seen.append((etag is not None, answer := original(self, etag)))
        return answer

    fetcher.Fetcher.sync = watched
    try:
        with _client(server, tmp_path) as client:
            assert client.get(NAME).source == "live"
    finally:
        fetcher.Fetcher.sync = original
    assert seen == [(True, None)]


def test_a_token_without_the_right_to_read_is_refused(registry, tmp_path):
    """A revoked or unknown token raises at start; a narrow one sees what it may."""
    server, remote = registry
    _publish(remote, unit_text("Other {{ text }}"), "billing/refund")
    _move(remote, "v1", "billing/refund")
    narrow = remote.create_token("service", "reader", names=["billing/*"])
    with _client(server, tmp_path, token=narrow.secret) as client:
        assert client.get("billing/refund").version == "v1"
        with pytest.raises(errors.PromptNotFoundError):
            client.get(NAME)
    remote.revoke_token(narrow.info.id)
    with pytest.raises(errors.AuthenticationError):
        pm.Client(server.url, narrow.secret, snapshot_dir=False, on_error=lambda error: None)
    with pytest.raises(errors.AuthenticationError):
        pm.Client(server.url, None, snapshot_dir=False, on_error=lambda error: None)


def test_a_token_that_is_revoked_while_it_is_used(registry, tmp_path):
    """A running client whose token is revoked goes on with its last state, and says why."""
    server, remote = registry
    token = remote.create_token("service", "reader")
    with _client(server, tmp_path, token=token.secret, poll_interval=0.2, on_error=lambda error: None) as client:
        until(lambda: client.status().state == "live", "the stream is open")
        remote.revoke_token(token.info.id)
        _move(remote, "v2")
        until(lambda: isinstance(client.status().last_error, errors.AuthenticationError), "the refusal is told", 20)
        until(lambda: client.status().state == "stale", "the state is stale")
        assert client.get(NAME).version in ("v1", "v2")


SERVE = """
import sys
from pressmark.registry.serving import serve
serve(sys.argv[1], port=int(sys.argv[2]), say=lambda line: print(line, flush=True))
"""


def _serve(path: Path, port: int) -> tuple[subprocess.Popen[str], str, str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(path), str(port)], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert process.stdout is not None
    url, token, deadline = "", "", time.monotonic() + 30
    while not url and time.monotonic() < deadline:
        line = process.stdout.readline()
        token = (re.search(r"pm_[\w-]+", line) or [token])[0]
        url = (re.search(r"http://[\w.:]+", line) or [url])[0]
    while port == 0 and not token and time.monotonic() < deadline:
        token = (re.search(r"pm_[\w-]+", process.stdout.readline()) or [token])[0]
    return process, url, token


def test_kill_freeze_and_restart(tmp_path):
    """Frozen, killed and restarted, a real registry costs no read; the move after it arrives."""
    process, url, token = _serve(tmp_path / "registry.db", 0)
    try:
        remote = Remote(url, token)
        _publish(remote, unit_text())
        _publish(remote, unit_text("Sort anew: {{ text }}"))
        _move(remote, "v1")
        with pm.Client(
            url, token, snapshot_dir=tmp_path / "kept", poll_interval=0.2, on_error=lambda error: None
        ) as client:
            until(lambda: client.status().state == "live", "the stream is open")
            process.send_signal(signal.SIGSTOP)
            assert client.get(NAME).version == "v1"
            frozen = time.monotonic()
            with pm.Client(
                url, token, snapshot_dir=tmp_path / "kept", start_timeout=0.5, on_error=lambda error: None
            ) as late:
                assert time.monotonic() - frozen < 2
                assert late.get(NAME).source == "snapshot"
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
            until(lambda: client.status().state == "stale", "the outage is seen")
            assert client.get(NAME).version == "v1"
            process, _, _ = _serve(tmp_path / "registry.db", int(url.rsplit(":", 1)[1]))
            until(lambda: client.status().state == "live", "the stream is open again", 20)
            _move(remote, "v2")
            until(lambda: client.get(NAME).version == "v2", "the move is served", 10)
    finally:
        process.kill()
        process.wait()


READER = """
import sys, time, pressmark as pm
with pm.Client(sys.argv[1], sys.argv[2], snapshot_dir=False) as client:
    print(client.get("support/triage").version, flush=True)
    deadline = time.monotonic() + 20
    while client.get("support/triage").version != "v2" and time.monotonic() < deadline:
        time.sleep(0.002)
    prompt = client.get("support/triage")
    print(prompt.version, prompt.request(text="hello")["messages"][0]["content"], flush=True)
"""


def test_a_service_in_another_process_sees_the_move(registry):
    """A separate process serves the old version, and a moment after the move the new one."""
    server, remote = registry
    process = subprocess.Popen(
        [sys.executable, "-c", READER, server.url, server.token], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "v1\n"
    _move(remote, "v2")
    assert process.stdout.readline() == "v2 Sort anew: hello\n"
    assert process.wait(10) == 0
