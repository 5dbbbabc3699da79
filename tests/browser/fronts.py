"""Front ends other than JupyterLab, started as their users start them, each on a free port and ended with the test."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# A workspace with two versions and a run of both, as a notebook's first cell makes it.
OPENING = """
import pressmark as pm
from pressmark.testing import RecordedEndpoint

def answered(request):
    said = request["messages"][-1]["content"]
    return "kind words" if said.startswith("kindly") else "words"

endpoint = RecordedEndpoint(answered)
endpoint.__enter__()
ws = pm.Workspace("front.duckdb", author="ana")
ws.endpoint("local", base_url=endpoint.base_url)
versions = [ws.save("support/reply", text=f"{start} {{{{ text }}}}", model="m") for start in ("so", "kindly")]
rows = [{"text": f"message {number}"} for number in range(12)]
suite = ws.suite("replies", dataset=rows, scorers=[pm.scorers.Length()])
run = ws.evaluate(versions, suite, progress=False)
"""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def serving(command: list[str], folder: Path, answers: str) -> Iterator[None]:
    """A server as a process of its own, from when the address `answers` does until the end of the block."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PRESSMARK_"))}
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "XDG_CONFIG_HOME"):
        environment[name] = str(folder / ".home" / name.lower())
    with (folder / "server.txt").open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=folder, env=environment, stdout=said, stderr=said
        )
    try:
        _wait(process, answers, folder / "server.txt")
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()  # it asks whether it shall end
            process.wait(30)


def _wait(process: subprocess.Popen[bytes], address: str, said: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, said.read_text()
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"nothing answered at {address}: {said.read_text()}")
