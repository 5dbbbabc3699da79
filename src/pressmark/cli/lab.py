"""`pressmark lab`: registry, practice model and JupyterLab with the tour, together."""

from __future__ import annotations

import getpass
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType

import click

from pressmark.cli.output import told

TOUR = "01-tour.ipynb"
START_SECONDS = 120.0
STOP_SECONDS = 10.0


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path("pressmark-lab"))
@click.option("--port", type=int, default=0, help="Port of JupyterLab; 0 takes a free one.")
@click.option("--browser/--no-browser", default=False, help="Open the address in a browser.")
@told
def lab(folder: Path, port: int, browser: bool) -> None:
    """Start a registry, the practice model and JupyterLab with the tour notebook in FOLDER.

    Everything runs on this machine; no account and no key is needed. Ctrl-C stops all of it.
    """
    try:
        import jupyterlab  # type: ignore[import-untyped]  # noqa: F401 - asked for early, so that the sentence below can tell

        from pressmark.providers import practice
        from pressmark.registry import serving
        from pressmark.registry.store import Store
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"the lab needs {error.name}, which is not installed: pip install 'pressmark[all]'"
        ) from error
    folder.mkdir(parents=True, exist_ok=True)
    _lay_out_notebooks(folder)
    with ExitStack() as stack:
        practice_url = stack.enter_context(practice.running(latency_ms=60))
        store = Store(folder / "registry.db").served()
        stack.callback(store.close)
        token = store.create_token(getpass.getuser(), "admin", expires=datetime.now(UTC) + timedelta(days=7)).secret
        registry_url = stack.enter_context(serving.running(store)).url
        environment = {
            **os.environ,
            "PRESSMARK_URL": registry_url,
            "PRESSMARK_TOKEN": token,
            "PRESSMARK_PRACTICE_URL": practice_url,
        }
        address, jupyter = _start_jupyter(folder, port or _free_port(), environment)
        stack.callback(_stop, jupyter)
        _wait_until_up(address, jupyter)
        click.echo(f"Pressmark lab: {address}")
        click.echo("Ctrl-C stops the lab, the registry and the practice model.", err=True)
        if browser:
            click.launch(address)
        _wait_for_end(jupyter)
    click.echo("Stopped.", err=True)


def _lay_out_notebooks(folder: Path) -> None:
    """Copy the notebooks that are not there yet; what the user has changed stays."""
    for source in sorted(_notebooks().glob("*.ipynb")):
        if not (folder / source.name).exists():
            shutil.copyfile(source, folder / source.name)


def _notebooks() -> Path:
    package = Path(__file__).resolve().parents[1]
    shipped = package / "notebooks"
    return shipped if shipped.is_dir() else package.parents[1] / "notebooks"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _start_jupyter(folder: Path, port: int, environment: dict[str, str]) -> tuple[str, subprocess.Popen[bytes]]:
    token = secrets.token_urlsafe(24)
    log = (folder / "jupyter.log").open("wb")
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}"),
        *(
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={folder.resolve()}",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--LabApp.news_url=None",
        ),
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    # A session of its own: Ctrl-C reaches this process only, which then stops JupyterLab in order.
    jupyter = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
        command,
        env={**environment, "JUPYTER_TOKEN": token},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    log.close()
    return f"http://127.0.0.1:{port}/lab/tree/{TOUR}?token={token}", jupyter


def _wait_until_up(address: str, jupyter: subprocess.Popen[bytes]) -> None:
    base, _, token = address.partition("/lab/tree/")
    status = urllib.request.Request(  # noqa: S310 - our own address
        f"{base}/api/status", headers={"Authorization": f"token {token.partition('token=')[2]}"}
    )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if jupyter.poll() is not None:
            raise click.ClickException(
                f"JupyterLab stopped at once with status {jupyter.returncode}; its words are in jupyter.log"
            )
        try:
            with urllib.request.urlopen(status, timeout=2) as answer:  # noqa: S310 - our own address
                json.load(answer)
                return
        except (urllib.error.URLError, OSError, ValueError):
            time.sleep(0.05)
    raise click.ClickException("JupyterLab did not come up; its words are in jupyter.log")


def _wait_for_end(jupyter: subprocess.Popen[bytes]) -> None:
    def stop(signal_number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        jupyter.wait()
    except KeyboardInterrupt:
        click.echo("", err=True)


def _stop(jupyter: subprocess.Popen[bytes]) -> None:
    if jupyter.poll() is None:
        # JupyterLab asks back at SIGINT; SIGTERM shuts its kernels down and ends.
        jupyter.terminate()
        try:
            jupyter.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(jupyter.pid, signal.SIGKILL)
            jupyter.wait()
