"""`pressmark lab`: registry, practice model and JupyterLab with the tour, together."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pressmark.cli import notebooks
from pressmark.cli.output import told
from pressmark.errors import PressmarkError

if TYPE_CHECKING:
    import psutil

TOUR: Final = "01-tour.ipynb"
NEEDED: Final = ("jupyterlab", "starlette", "uvicorn", "duckdb", "sqlalchemy", "fastapi")
START_SECONDS: Final = 120.0
# JupyterLab gives a busy kernel two seconds before it kills it.
STOP_SECONDS: Final = 6.0
LATENCY_MS: Final = 60


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path("pressmark-lab"))
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of JupyterLab; 0 takes a free one.")
@click.option("--browser/--no-browser", default=False, help="Open the address in a browser.")
@told
def lab(folder: Path, port: int, browser: bool) -> None:
    """Start everything, with a tour in JupyterLab.

    A registry, the practice model and JupyterLab run on this machine; no account and no key is needed. Ctrl-C stops
    all of it. What you make stays in FOLDER, pressmark-lab where none is given, and is there the next time.
    """
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise PressmarkError(f"the lab needs {missing[0]}, which is not installed: pip install 'pressmark[all]'")
    port = _free_port(port)
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with _signals() as stopping, ExitStack() as stack:
        # First, because it takes longest: it imports while the registry comes up beside it.
        jupyter = Jupyter(folder, port)
        stack.callback(jupyter.end)
        _tell(notebooks.lay_out(notebooks.shipped(), folder))
        jupyter.go(_start_services(folder, stack))
        # The last one to come is the first to go: while it ends, the others do.
        stack.callback(jupyter.ask_to_end)
        if jupyter.wait_until_up(stopping):
            address = jupyter.address(TOUR if (folder / TOUR).exists() else None)
            click.echo(f"Pressmark lab: {address}")
            click.echo("Ctrl-C stops JupyterLab, the registry and the practice model.", err=True)
            if browser:
                click.launch(address)
            jupyter.wait_until_end(stopping)
    click.echo("Stopped.", err=True)


@contextmanager
def _signals() -> Iterator[threading.Event]:
    """Give an event that tells that the lab should stop; more signals change nothing, so that stopping is whole."""
    stopping = threading.Event()
    numbers = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    before = {number: signal.signal(number, lambda *_: stopping.set()) for number in numbers}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _start_services(folder: Path, stack: ExitStack) -> dict[str, str]:
    """Start registry and practice model until the stack closes; return how notebooks find them."""
    from pressmark.providers import practice
    from pressmark.registry import serving
    from pressmark.registry.store import Store

    practice_url = stack.enter_context(practice.running(latency_ms=LATENCY_MS))
    store = Store(folder / "registry.db").served()
    stack.callback(store.close)
    made = store.create_token(store.principal.name, "admin", expires=datetime.now(UTC) + timedelta(days=30))
    stack.callback(store.revoke_token, made.info.id)
    registry_url = stack.enter_context(serving.running(store)).url
    return {"PRESSMARK_URL": registry_url, "PRESSMARK_TOKEN": made.secret, "PRESSMARK_PRACTICE_URL": practice_url}


def _tell(laid_out: notebooks.LaidOut) -> None:
    for name in laid_out.updated:
        click.echo(f"{name} is new: this Pressmark brings a newer one, and yours was as it came.", err=True)
    for name in laid_out.kept:
        click.echo(
            f"{name} was edited here and stays so; rename it to get the newer one that this Pressmark brings.", err=True
        )


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise PressmarkError(
                f"JupyterLab cannot listen on port {wanted} ({error.strerror}): choose another one, or 0 for a free one"
            ) from error
        port: int = probe.getsockname()[1]
        return port


class Jupyter:
    """JupyterLab as a child process; see `pressmark.cli.jupyter` for its side.

    Its configuration is the folder's own, so that nobody's other Jupyter settings reach into the lab, or it into them.

    Args:
        folder: Where the notebooks are.
        port: Where it will listen.
    """

    def __init__(self, folder: Path, port: int) -> None:
        own = folder / ".jupyter"
        own.mkdir(exist_ok=True)
        self._log = own / "jupyter.log"
        self._base = f"http://127.0.0.1:{port}"
        self._token = secrets.token_urlsafe(24)
        environment = {
            **os.environ,
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
                    *(sys.executable, "-m", "pressmark.cli.jupyter"),
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
        deadline = time.monotonic() + START_SECONDS
        while not stopping.wait(0.03):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._fail()
            try:
                with urllib.request.urlopen(status, timeout=2) as answer:  # noqa: S310 - our own address
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
        raise PressmarkError(f"JupyterLab did not come up{last}: all of its words are in {self._log}")


def _family(pid: int) -> list[psutil.Process]:
    """A process and all that it started."""
    import psutil

    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    return []


def _kill(process: psutil.Process) -> None:
    import psutil

    # Asked by its start time too, so that nobody else is hit who got its number since.
    with suppress(psutil.NoSuchProcess):
        process.kill()
