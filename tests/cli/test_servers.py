"""`serve` and `practice-model` as processes: they come up, tell where they are, and stop in order."""

from __future__ import annotations

import json
import signal
import socket
import urllib.request

import pytest

from pressmark.registry.remote import Remote


def test_serve_makes_its_file_and_tells_the_first_token_once(spawn, tmp_path):
    """On an empty machine `serve` makes its file and prints an admin's token, the second time it does not."""
    store = tmp_path / "a folder" / "registry.db"
    store.parent.mkdir()
    first = spawn("serve", store, "--port", 0)
    assert first.stdout is not None
    token = first.stdout.readline().strip().rpartition(" ")[2]
    url = first.stdout.readline().strip().rpartition(" ")[2]
    remote = Remote(url, token)
    assert remote.whoami().role == "admin"
    remote.close()
    first.send_signal(signal.SIGINT)
    assert first.wait(timeout=60) == 0
    assert first.communicate() == ("", "")
    again = spawn("serve", store, "--port", 0)
    assert again.stdout is not None
    said = again.stdout.readline()
    assert said.startswith("Pressmark registry of ")
    assert "pm_" not in said
    again.terminate()
    assert again.wait(timeout=60) == 0


def test_serve_tells_programs_in_json(spawn, tmp_path):
    """With --json one object on one line tells url, store and token once it is up."""
    process = spawn("serve", tmp_path / "registry.db", "--port", 0, "--json")
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    assert set(told) == {"url", "store", "token"}
    assert Remote(told["url"], told["token"]).whoami().role == "admin"
    process.terminate()
    assert process.wait(timeout=60) == 0


def test_serve_without_a_store_uses_the_data_folder(spawn, tmp_path, monkeypatch):
    """Without STORE the registry lives in the user's data folder."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    process = spawn("serve", "--port", 0)
    assert process.stdout is not None
    process.stdout.readline()
    assert str(tmp_path) in process.stdout.readline()
    assert list(tmp_path.rglob("registry.db"))
    process.terminate()
    assert process.wait(timeout=60) == 0


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_practice_model_answers_and_stops(spawn, sign):
    """The practice model tells its address, answers there, and ends with 0 when it is told to stop."""
    process = spawn("practice-model", "--port", 0, "--latency-ms", 0)
    assert process.stdout is not None
    address = next(word for word in process.stdout.readline().split() if word.startswith("http"))
    with urllib.request.urlopen(f"{address}/models", timeout=60) as answer:
        assert json.load(answer)["object"] == "list"
    process.send_signal(sign)
    assert process.wait(timeout=60) == 0
    assert process.communicate() == ("", "")


@pytest.mark.parametrize("command", [("serve", "registry.db"), ("practice-model",)])
def test_port_that_is_taken(pressmark, command):
    """A port that somebody else holds is told in a sentence."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        said = pressmark(*command, "--port", port)
    assert said.exit_code == 2
    assert f"127.0.0.1:{port}" in said.stderr
    assert "choose another" in said.stderr.lower()
