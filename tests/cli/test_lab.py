"""`pressmark lab`, the real thing: it comes up, its kernels find registry and practice model, and all of it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from pressmark.cli.notebooks import shipped
from pressmark.registry.store import Store

UP, DOWN = 120.0, 40.0
# On an idle machine the wall clock shows about half of this, since registry and JupyterLab start side by side.
CPU = 8.0


def wait_for(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} took over {seconds} s"
        time.sleep(0.02)
    return found


@dataclass
class Lab:
    """A running lab.

    Attributes:
        process: The command.
        folder: Its folder.
        url: The one line that it printed.
        family: All processes that were seen to belong to it.
    """

    process: subprocess.Popen[str]
    folder: Path
    url: str
    family: set[psutil.Process] = field(default_factory=set)

    def ask(self, path: str, **body: Any) -> Any:
        """Ask JupyterLab; with a body, by POST."""
        parts = urlsplit(self.url)
        request = urllib.request.Request(
            f"{parts.scheme}://{parts.netloc}{path}",
            data=json.dumps(body).encode() if body else None,
            headers={"Authorization": f"token {parts.query.removeprefix('token=')}"},
        )
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request, timeout=90) as answer:
            return answer.read().decode()

    def look(self) -> None:
        """Remember every process of the lab."""
        parent = psutil.Process(self.process.pid)
        self.family |= {parent, *parent.children(recursive=True)}

    def alive(self) -> list[psutil.Process]:
        """Those that still run."""
        return [process for process in self.family if process.is_running() and process.status() != "zombie"]

    def gone(self) -> bool:
        return self.process.poll() is not None and not self.alive()

    def kernel(self) -> Any:
        """Start a kernel, as a notebook would, and return a client of it."""
        from jupyter_client.blocking.client import BlockingKernelClient

        number = json.loads(self.ask("/api/kernels", name="python3"))["id"]
        file = self.folder / ".pressmark" / "jupyter" / "runtime" / f"kernel-{number}.json"
        wait_for(file.exists, 90, "the kernel")
        client = BlockingKernelClient(connection_file=str(file))
        client.load_connection_file()
        client.start_channels(hb=False)  # a machine at full load misses beats
        client.wait_for_ready(timeout=120)
        self.look()
        return client


@pytest.fixture
def lab(spawn: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> Iterator[Callable[[], Lab]]:
    """Start labs in one folder with a space in its name; what is left of them in the end is killed."""
    started: list[Lab] = []

    def start() -> Lab:
        folder = tmp_path / "my lab"
        process = spawn("lab", folder, cwd=tmp_path)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Pressmark lab: http://127.0.0.1:"), process.stderr and process.stderr.read()
        running = Lab(process, folder, line.removeprefix("Pressmark lab: ").strip())
        running.look()
        started.append(running)
        return running

    yield start
    for running in started:
        for process in running.alive():
            with suppress(psutil.NoSuchProcess):
                process.kill()


def test_lab_from_start_to_end(lab):
    """One URL, a JupyterLab, a kernel that finds registry and practice model; Ctrl-C ends all and revokes the token."""
    running = lab()
    assert "JupyterLab" in running.ask("/lab/tree/01-tour.ipynb")
    listed = json.loads(running.ask("/api/contents"))["content"]
    assert sorted(entry["name"] for entry in listed) == sorted(path.name for path in shipped().glob("*.ipynb"))
    kernel = running.kernel()
    said: list[str] = []
    kernel.execute_interactive(
        "import json, os, urllib.request, pressmark as pm\n"
        "models = json.load(urllib.request.urlopen(os.environ['PRESSMARK_PRACTICE_URL'] + '/models'))\n"
        "print(json.dumps([pm.Registry().backend.whoami().role, models['data'][0]['id'], os.getcwd()]))",
        timeout=120,
        output_hook=lambda message: said.append(message["content"].get("text", "")),
    )
    role, model, place = json.loads("".join(said))
    assert (role, place) == ("admin", str(running.folder))
    assert "practice" in model
    kernel.stop_channels()
    assert len(running.family) >= 3
    running.process.send_signal(signal.SIGINT)
    wait_for(running.gone, DOWN, "ending")
    out, err = running.process.communicate()
    assert running.process.returncode == 0
    assert out == ""  # after the one line with the URL
    assert "http" not in err
    assert err.endswith("Stopped.\n")
    store = Store(running.folder / ".pressmark" / "registry.db")
    assert all(token.revoked_at for token in store.tokens())
    store.close()


def test_second_start_is_quick(lab):
    """Starting again in the same folder takes few seconds of work, and the port before is free again."""
    first = lab()
    first.process.terminate()
    wait_for(first.gone, DOWN, "ending")
    second = lab()
    spent = [process.cpu_times() for process in second.alive()]
    assert sum(times.user + times.system for times in spent) < CPU
    assert first.url != second.url
    second.process.terminate()
    wait_for(second.gone, DOWN, "ending")
    assert second.process.returncode == 0


def test_busy_kernel_and_terminal_end_too(lab):
    """With a kernel that computes and an open terminal, SIGTERM ends everything; a second signal is harmless."""
    running = lab()
    kernel = running.kernel()
    kernel.execute("while True: pass")
    kernel.stop_channels()
    running.ask("/api/terminals", name="1")
    wait_for(lambda: running.look() or len(running.family) >= 4, 90, "the terminal")
    running.process.terminate()
    running.process.send_signal(signal.SIGINT)
    wait_for(running.gone, DOWN, "ending")
    assert running.process.returncode == 0


def test_killed_lab_leaves_nothing(lab):
    """After kill -9 of the lab, JupyterLab and its kernels end by themselves."""
    running = lab()
    running.kernel().stop_channels()
    running.process.kill()
    wait_for(running.gone, DOWN, "ending")


def test_stopped_while_it_starts(spawn, tmp_path):
    """A signal before the lab is up ends it as well, and no process stays."""
    process = spawn("lab", tmp_path / "lab")
    family: set[psutil.Process] = set()

    def child() -> bool:
        family.update(psutil.Process(process.pid).children(recursive=True))
        return bool(family)

    wait_for(child, 60, "the child")
    process.send_signal(signal.SIGINT)
    wait_for(lambda: process.poll() is not None, UP, "ending")
    assert process.returncode == 0
    assert process.communicate()[0] == ""
    wait_for(lambda: not any(map(psutil.Process.is_running, family)), DOWN, "the children's end")


def test_proxy_for_the_outside_does_not_matter(lab, monkeypatch):
    """With a proxy in the environment, here one that nobody runs, the lab comes up and its kernels reach it."""
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    running = lab()
    kernel = running.kernel()
    answer = kernel.execute_interactive(
        "import os, urllib.request\nurllib.request.urlopen(os.environ['PRESSMARK_PRACTICE_URL'] + '/models').read()",
        timeout=60,
        output_hook=lambda message: None,
    )
    assert answer["content"]["status"] == "ok", answer["content"]
    kernel.stop_channels()


def test_port_that_is_taken(pressmark, tmp_path):
    """A port that somebody else holds is told before anything is made."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        said = pressmark("lab", "here", "--port", held.getsockname()[1])
    assert said.exit_code == 2
    assert "cannot listen on port" in said.stderr
    assert not Path("here").exists()


def test_folder_that_cannot_be_made(pressmark, tmp_path):
    """A folder that cannot be made is told in a sentence."""
    Path("file").write_text("")
    said = pressmark("lab", "file/lab")
    assert said.exit_code == 2
    assert "Error: " in said.stderr
    assert [path.name for path in Path().iterdir()] == ["file"]
