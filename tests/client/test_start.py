"""Starting: with the registry, without it, and with one that misbehaves."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time

import pytest

import pressmark as pm
from pressmark import errors

from .simulator import unit_text, until

NAME = "support/triage"
UNIT = {"text": "Guess {{ text }}", "model": "m"}


def _silenced(error) -> None:
    pass


@pytest.fixture
def stored(sim, connect, tmp_path):
    """The directory with a snapshot that an earlier client left."""
    with connect() as client:
        client.get(NAME)
    return tmp_path / "snapshots"


BROKEN = ["down", "hang", "500", "503", "retry", "garbage", "cut", "html", "401", "403", "404", "301", "flip"]


def _break(sim, how: str) -> None:
    if how == "down":
        sim.down()
    else:
        sim.fault.update(sync=how, events=how)


@pytest.mark.parametrize("how", BROKEN)
def test_a_snapshot_carries_the_start(sim, stored, how):
    """However the registry fails, a client with a snapshot starts within its bound, serves, and says from where."""
    _break(sim, how)
    if how == "flip":
        sim.put((NAME, "production", unit_text("Sort other things: {{ text }}")))
    began = time.monotonic()
    with pm.Client(sim.url, sim.token, snapshot_dir=stored, start_timeout=0.7, on_error=_silenced) as client:
        assert time.monotonic() - began < 1.7
        prompt = client.get(NAME)
        assert (prompt.version, prompt.source) == ("v1", "snapshot")
        assert prompt.request(text="x")["model"] == "practice-1"
        status = client.status()
        assert status.source == "snapshot"
        assert status.state in ("offline", "starting")
        assert status.seq == 1
        assert status.age is not None
        if how != "hang":
            assert status.last_error is not None


@pytest.mark.parametrize("how", BROKEN)
def test_a_client_recovers_by_itself(sim, stored, how):
    """A client that started without its registry goes live once it is there again, and says all is well."""
    heard: list[object] = []
    _break(sim, how)
    if how == "flip":
        sim.put((NAME, "production", unit_text("Sort other things: {{ text }}")))
    with pm.Client(
        sim.url, sim.token, snapshot_dir=stored, start_timeout=0.2, poll_interval=0.2, on_error=heard.append
    ) as client:
        assert client.get(NAME).source == "snapshot"
        if how != "hang":
            until(lambda: heard, "the failure was reported")
        sim.fault.clear()
        sim.retry_after = "0"
        if how == "down":
            sim.up()
        until(lambda: client.status().state == "live", "the client is live")
        until(lambda: client.status().last_error is None, "the error is gone")
        assert client.get(NAME).source == "live"
        assert len(heard) <= 3  # one failure told once, not at each attempt


def test_a_bundle_carries_the_start_where_there_is_no_snapshot(sim, stored, tmp_path):
    """Without registry and snapshot the bundle is served; a snapshot goes before an older bundle."""
    bundle = tmp_path / "prompts.bundle"
    bundle.write_bytes(next(stored.glob("*.snapshot")).read_bytes())
    sim.down()
    settings = {"start_timeout": 0.3, "on_error": _silenced, "bundle": bundle}
    with pm.Client(sim.url, sim.token, snapshot_dir=False, **settings) as client:
        assert client.get(NAME).source == "bundle"
        assert client.status().source == "bundle"
    with pm.Client(sim.url, sim.token, snapshot_dir=stored, **settings) as client:
        assert client.get(NAME).source == "snapshot"


def test_a_bundle_that_is_newer_than_the_snapshot_is_served(sim, stored, connect, tmp_path):
    """A service that is deployed with a newer bundle does not go back to what its host saw before."""
    older = next(stored.glob("*.snapshot")).read_bytes()
    sim.put((NAME, "production", unit_text("Sort anew: {{ text }}")))
    with connect() as client:
        assert client.get(NAME).version == "v2"
    kept = next(stored.glob("*.snapshot"))
    bundle = tmp_path / "prompts.bundle"
    bundle.write_bytes(kept.read_bytes())
    kept.write_bytes(older)
    sim.down()
    with pm.Client(
        sim.url, sim.token, snapshot_dir=stored, bundle=bundle, start_timeout=0.3, on_error=_silenced
    ) as client:
        assert (client.get(NAME).version, client.get(NAME).source) == ("v2", "bundle")


def test_a_fallback_carries_the_start_where_nothing_else_does(sim):
    """Without registry, snapshot and bundle the caller's fallback is served, and the status says so."""
    sim.down()
    with pm.Client(
        sim.url, sim.token, snapshot_dir=False, fallback={NAME: UNIT}, start_timeout=0.3, on_error=_silenced
    ) as client:
        assert client.get(NAME).source == "fallback"
        assert client.status().source == "fallback"
        assert client.status().state == "offline"


def test_with_nothing_at_all_get_says_why(sim):
    """Where nothing can be served, `get()` raises with the registry's failure, and works once it is there."""
    sim.down()
    with pm.Client(
        sim.url, sim.token, snapshot_dir=False, start_timeout=0.3, poll_interval=0.2, on_error=_silenced
    ) as client:
        with pytest.raises(errors.ClientNotReadyError, match=r"could not be reached \(connection refused\)") as caught:
            client.get(NAME)
        assert isinstance(caught.value.reason, errors.RegistryUnavailableError)
        assert client.get(NAME, fallback=UNIT).source == "fallback"
        assert client.status().age is None
        sim.up()
        until(lambda: client.status().state == "live", "the client is live")
        assert client.get(NAME).source == "live"


def test_a_registry_that_comes_up_a_moment_later_is_waited_for(sim):
    """A client with nothing else to serve waits for a registry that is just starting, up to its bound."""
    sim.fault["sync"] = "503"
    began = time.monotonic()
    threading.Timer(0.4, sim.fault.clear).start()
    with pm.Client(sim.url, sim.token, snapshot_dir=False, start_timeout=10, on_error=_silenced) as client:
        assert client.get(NAME).source == "live"
    assert time.monotonic() - began < 8


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        ("401", errors.AuthenticationError, "refused the token .*pressmark token create"),
        ("403", errors.PermissionDeniedError, "does not let this token read .*labels= and names="),
        ("404", errors.RegistryError, "answered 404 \\(an injected 404\\): take the fault away"),
        ("html", errors.RegistryError, "is not a Pressmark registry: check the URL"),
        ("flip", errors.RegistryError, "do not have its digest"),
    ],
)
def test_a_plain_refusal_at_start_raises(sim, fault, kind, said):
    """A wrong token or URL is an error of the constructor when there is nothing else to serve."""
    sim.fault["sync"] = fault
    with pytest.raises(kind, match=said) as caught:
        pm.Client(sim.url, sim.token, snapshot_dir=False, on_error=_silenced)
    assert not isinstance(caught.value, errors.RegistryUnavailableError)
    assert sim.token not in str(caught.value)


def test_a_wrong_token_raises_and_never_shows_it(sim):
    """The registry's 401 names what to do, and not the token."""
    with pytest.raises(errors.AuthenticationError) as caught:
        pm.Client(sim.url, "pm_secret_but_wrong", snapshot_dir=False, on_error=_silenced)
    assert "pm_secret" not in str(caught.value)
    assert caught.value.status == 401


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "ümlaut", "nul\0"])
def test_a_token_that_cannot_be_sent_is_refused(sim, token):
    """A token with characters that no header carries is refused before anything is sent, unseen."""
    with pytest.raises(errors.AuthenticationError, match="check how it was copied") as caught:
        pm.Client(sim.url, token, snapshot_dir=False)
    assert token not in str(caught.value)
    assert sim.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "registry.example",
        "ftp://x/",
        "http://",
        "sqlite:///x.db",
        "http://[::1",
        "http://x?a=1",
        "http://x:99999",
        "http://a..b",
    ],
)
def test_a_url_that_is_none_is_refused(url):
    """What is no http address is refused with an example of one."""
    with pytest.raises(errors.RegistryError, match="is no registry's address"):
        pm.Client(url, snapshot_dir=False)


def test_a_password_in_the_url_is_refused_unseen():
    """Credentials belong in the token, and are not repeated in the error."""
    with pytest.raises(errors.RegistryError, match="pass the token as token=") as caught:
        pm.Client("http://user:hunter2@registry.example", snapshot_dir=False)
    assert "hunter2" not in str(caught.value)


def test_url_and_token_come_from_the_environment(sim, monkeypatch):
    """Without arguments the client reads PRESSMARK_URL and PRESSMARK_TOKEN."""
    monkeypatch.setenv("PRESSMARK_URL", sim.url + "/")
    monkeypatch.setenv("PRESSMARK_TOKEN", sim.token + "\n")
    with pm.Client(snapshot_dir=False) as client:
        assert client.get(NAME).source == "live"
    monkeypatch.delenv("PRESSMARK_URL")
    with pytest.raises(errors.RegistryError, match="set PRESSMARK_URL"):
        pm.Client(snapshot_dir=False)


@pytest.mark.parametrize(
    ("settings", "kind", "said"),
    [
        ({"labels": []}, errors.InvalidNameError, "at least one label"),
        ({"labels": ["Production"]}, errors.InvalidNameError, "cannot be a label"),
        ({"names": []}, errors.InvalidNameError, "at least one name pattern"),
        ({"poll_interval": 0}, ValueError, "poll_interval is 0"),
        ({"start_timeout": -1}, ValueError, "start_timeout is -1"),
        ({"max_age": float("nan")}, ValueError, "max_age is nan"),
        ({"when_removed": "ignore"}, ValueError, "'raise' or 'keep'"),
    ],
)
def test_wrong_settings_are_refused(settings, kind, said):
    """A setting that makes no sense is refused before any thread starts."""
    with pytest.raises(kind, match=said):
        pm.Client("http://127.0.0.1:1", snapshot_dir=False, **settings)


def test_one_label_as_a_plain_string(sim):
    """`labels="production"` means that label, not its letters."""
    with pm.Client(sim.url, sim.token, labels="production", snapshot_dir=False) as client:
        assert client.status().scope == (("production",), ("**",))


def test_a_missing_bundle_and_an_unwritable_directory_are_told_and_survived(sim, tmp_path):
    """A bundle that is not there and a directory that takes no file are reported; the client serves on."""
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    heard: list[Exception] = []
    with pm.Client(
        sim.url, sim.token, snapshot_dir=blocked / "x", bundle=tmp_path / "none.bundle", on_error=heard.append
    ) as client:
        assert client.get(NAME).source == "live"
        assert any("no bundle at" in str(error) for error in heard)
        until(lambda: any("could not be written" in str(error) for error in heard), "the failed write was told")
        assert "could not be written" in str(client.status().last_error)


def test_without_on_error_failures_are_logged(sim, caplog, connect):
    """Where the caller gives no callback, a failure is one line in the log."""
    sim.down()
    settings = {"snapshot_dir": False, "start_timeout": 0.2, "poll_interval": 0.1, "fallback": {NAME: UNIT}}
    with caplog.at_level("INFO", logger="pressmark.client"), pm.Client(sim.url, sim.token, **settings):
        until(lambda: "could not be reached" in caplog.text, "the failure is in the log")
        sim.up()
        until(lambda: "answers again" in caplog.text, "the recovery is in the log")
    assert caplog.text.count("could not be reached") == 1


def test_exit_without_close_does_not_hang(sim):
    """A process that forgets `close()` ends at once, even with a registry that hangs."""
    sim.fault.update(sync="hang", events="hang")
    code = (
        "import sys, time, pressmark as pm\n"
        f"client = pm.Client({sim.url!r}, 'pm_good', snapshot_dir=False, start_timeout=0.2)\n"
        "print(time.time(), flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60)
    assert time.time() - float(done.stdout) < 2
    assert done.returncode == 0, done.stderr


def test_a_network_that_swallows_everything(sim):
    """Where not even a connection is accepted, start and close keep their bounds, and the fallback is served."""
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen(0)
        url = f"http://127.0.0.1:{hole.getsockname()[1]}"
        fill = [socket.socket() for _ in range(4)]
        for one in fill:
            one.setblocking(False)
            one.connect_ex(hole.getsockname())
        began = time.monotonic()
        client = pm.Client(url, sim.token, snapshot_dir=False, start_timeout=0.3, fallback={NAME: UNIT})
        assert time.monotonic() - began < 1.3
        assert client.get(NAME).source == "fallback"
        began = time.monotonic()
        client.close()
        assert time.monotonic() - began < 1.0
        for one in fill:
            one.close()
