"""`pressmark serve` and `pressmark practice-model`: what runs until it is stopped."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pressmark.cli.output import needing, told

if TYPE_CHECKING:
    from pressmark.registry.serving import Running

_PORT = click.IntRange(0, 65535)


@click.command()
@click.argument("store", default="")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=_PORT, default=8765, show_default=True, help="0 takes a free one.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object, on one line, when it is up: url, store, token."
)
@told
def serve(store: str, host: str, port: int, as_json: bool) -> None:
    """Serve a registry.

    STORE is a file, sqlite:///FILE or postgresql://…; without one the registry lives in this user's data folder. On an
    empty machine the file is made, and a first admin token is printed once. Ctrl-C or SIGTERM stops it.
    """
    with needing("registry"):
        from pressmark.registry import serving

    def tell(running: Running) -> None:
        if as_json:
            # On one line, so that a program that started this one reads a line and knows that it has all.
            click.echo(json.dumps({"url": running.url, "store": running.store.where, "token": running.token}))

    def say(line: str) -> None:
        if not as_json:
            click.echo(line)

    with _stopping_in_order():
        serving.serve(store or str(_default_store()), host, port, on_ready=tell, say=say)


@click.command("practice-model")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=_PORT, default=8901, show_default=True, help="0 takes a free one.")
@click.option(
    "--latency-ms", type=click.FloatRange(min=0), default=60, show_default=True, help="How long an answer takes."
)
@told
def practice_model(host: str, port: int, latency_ms: float) -> None:
    """Serve a model to practise on, without a key.

    It is an OpenAI-compatible endpoint that needs no network either: a small learned classifier, not a language model;
    what it answers depends on the prompt. Ctrl-C stops it.
    """
    with needing("workbench"):
        from pressmark.providers.practice import app, server  # noqa: F401 - the application would load late

    with _stopping_in_order():
        server.serve(host, port, latency_ms)


@contextmanager
def _stopping_in_order() -> Iterator[None]:
    """Let a stop that was asked for be a success, before the server listens to signals and after it has ended."""
    before = {number: signal.signal(number, lambda *_: sys.exit(0)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _default_store() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("pressmark", ensure_exists=True)) / "registry.db"
