"""`pressmark lab`: registry, practice model and JupyterLab with the tour, together."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pressmark.cli.output import told
from pressmark.errors import PressmarkError

if TYPE_CHECKING:
    from pressmark.cli.notebooks import LaidOut

TOUR: Final = "01-tour.ipynb"
# Hidden, so that the file browser shows what people make and nothing else.
OWN: Final = ".pressmark"
NEEDED: Final = ("jupyterlab", "psutil", "starlette", "uvicorn", "duckdb", "sqlalchemy", "fastapi")
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
    # Late, so that other commands start without them.
    from pressmark.cli import notebooks
    from pressmark.cli.jupyter import Jupyter

    port = _free_port(port)
    folder = folder.resolve()
    own = folder / OWN
    own.mkdir(parents=True, exist_ok=True)
    with _signals() as stopping, ExitStack() as stack:
        # First, because it takes longest: it imports while the registry comes up beside it.
        jupyter = Jupyter(folder, own / "jupyter", port)
        stack.callback(jupyter.end)
        _tell(notebooks.lay_out(notebooks.shipped(), folder, own / "notebooks.json"))
        jupyter.go(_start_services(own, stack))
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


def _start_services(own: Path, stack: ExitStack) -> dict[str, str]:
    """Start registry and practice model until the stack closes; return how notebooks find them."""
    from pressmark.providers import practice
    from pressmark.registry import serving
    from pressmark.registry.store import Store

    practice_url = stack.enter_context(practice.running(latency_ms=LATENCY_MS))
    store = Store(own / "registry.db").served()
    stack.callback(store.close)
    made = store.create_token(store.principal.name, "admin", expires=datetime.now(UTC) + timedelta(days=30))
    stack.callback(store.revoke_token, made.info.id)
    registry_url = stack.enter_context(serving.running(store)).url
    return {"PRESSMARK_URL": registry_url, "PRESSMARK_TOKEN": made.secret, "PRESSMARK_PRACTICE_URL": practice_url}


def _tell(laid_out: LaidOut) -> None:
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
