"""JupyterLab as a child process of the lab: started, waited for, ended with all that it started.

`jupyter_child` is the other side.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from pressmark.errors import PressmarkError

START_SECONDS: Final = 120.0
# JupyterLab gives a busy kernel two seconds before it kills it.
STOP_SECONDS: Final = 6.0
# They would ask whether to fetch news, and offer to install packages: a lab is no place for either.
DISABLED: Final = ("@jupyterlab/apputils-extension:announcements", "@jupyterlab/extensionmanager-extension")


class Jupyter:
    """JupyterLab as a child process.

    Its configuration is the lab's own, so that nobody's other Jupyter settings reach into the lab, or it into them.

    Args:
        folder: Where the notebooks are.
        own: A folder for its configuration and its log.
        port: Where it will listen.
    """

    def __init__(self, folder: Path, own: Path, port: int) -> None:
        _configure(own)
        self._log = own / "jupyter.log"
        self._base = f"http://127.0.0.1:{port}"
        self._token = secrets.token_urlsafe(24)
        # A proxy is for the world outside; the lab is all on this machine.
        direct = ",".join(filter(None, (os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), "127.0.0.1")))
        environment = {
            **os.environ,
            **dict.fromkeys(("NO_PROXY", "no_proxy"), direct),
            "JUPYTER_CONFIG_DIR": str(own),
            "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
            "JUPYTER_PREFER_ENV_PATH": "1",
            "JUPYTER_TOKEN": self._token,
        }
        self._family: list[psutil.Process] = []
        with self._log.open("wb") as log:
            # A session of its own: Ctrl-C reaches this process only, which then ends the child in order.
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
                [
                    *(sys.executable, "-m", "pressmark.cli.jupyter_child"),
                    *(f"--ServerApp.port={port}", f"--ServerApp.root_dir={folder}"),
                ],
                cwd=folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def address(self, notebook: str | None) -> str:
        """Where a browser finds it, with its token."""
        tree = f"/tree/{notebook}" if notebook else ""
        return f"{self._base}/lab{tree}?token={self._token}"

    def go(self, environment: dict[str, str]) -> None:
        """Let it start, with more environment variables for its kernels."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(environment).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self._fail()

    def wait_until_up(self, stopping: threading.Event) -> bool:
        """Wait until it answers; returns False where the lab was told to stop before.

        Raises:
            PressmarkError: It ended, or did not answer in time.
        """
        status = urllib.request.Request(  # noqa: S310 - our own address
            f"{self._base}/api/status", headers={"Authorization": f"token {self._token}"}
        )
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + START_SECONDS
        while not stopping.wait(0.03):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._fail()
            try:
                with direct.open(status, timeout=2) as answer:
                    json.load(answer)
                    return True
            except (urllib.error.URLError, OSError, ValueError):
                continue
        return False

    def wait_until_end(self, stopping: threading.Event) -> None:
        """Wait until the lab is told to stop, or JupyterLab ends by itself, as by "Shut Down" in its menu.

        Raises:
            PressmarkError: It failed.
        """
        while not stopping.wait(0.2):
            if self._process.poll() is not None:
                if self._process.returncode:
                    self._fail()
                return

    def ask_to_end(self) -> None:
        """Tell it to shut its kernels down and end."""
        if not self._family:
            self._family = _family(self._process.pid)
            self._process.terminate()

    def end(self) -> None:
        """Wait for its end; what does not end in time is killed, with all that it started."""
        self.ask_to_end()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for process in self._family:
            _kill(process)

    def _fail(self) -> None:
        said = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        last = f" ({said[-1].strip()})" if said else ""
        what = "did not come up in time" if self._process.poll() is None else "ended by itself"
        raise PressmarkError(f"JupyterLab {what}{last}: all of its words are in {self._log}")


def _configure(own: Path) -> None:
    page = own / "labconfig" / "page_config.json"
    page.parent.mkdir(parents=True, exist_ok=True)
    if not page.exists():
        page.write_text(json.dumps({"disabledExtensions": dict.fromkeys(DISABLED, True)}), encoding="utf-8")


def _family(pid: int) -> list[psutil.Process]:
    """A process and all that it started."""
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    return []


def _kill(process: psutil.Process) -> None:
    # Asked by its start time too, so that nobody else is hit who got its number since.
    with suppress(psutil.NoSuchProcess):
        process.kill()
