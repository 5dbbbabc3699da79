"""`pressmark serve` and `pressmark practice-model`."""

from __future__ import annotations

from pathlib import Path

import click

from pressmark.cli.output import told


@click.command()
@click.argument("store", default="")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, default=8765, show_default=True, help="0 takes a free one.")
@told
def serve(store: str, host: str, port: int) -> None:
    """Serve a registry from STORE: a file, sqlite:///FILE or postgresql://….

    Without STORE it lives in this user's data folder. On an empty machine the file is made, and a first admin token is
    printed once.
    """
    try:
        from pressmark.registry import serving
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"a registry needs {error.name}, which is not installed: pip install 'pressmark[registry]'"
        ) from error
    serving.serve(store or str(_default_store()), host, port)


@click.command("practice-model")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, default=8901, show_default=True, help="0 takes a free one.")
@click.option("--latency-ms", type=float, default=60, show_default=True, help="How long an answer takes.")
@told
def practice_model(host: str, port: int, latency_ms: float) -> None:
    """Serve the practice model: an OpenAI-compatible endpoint that needs no key and no network."""
    try:
        from pressmark.providers import practice
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"the practice model needs {error.name}, which is not installed: pip install 'pressmark[workbench]'"
        ) from error
    practice.serve(host, port, latency_ms)


def _default_store() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("pressmark", ensure_exists=True)) / "registry.db"
