"""What every command shares: tables for people, JSON for programs, exit statuses, and errors as sentences."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, ParamSpec

import click

from pressmark.errors import (
    AuthenticationError,
    ConflictError,
    EndpointConnectionError,
    GateError,
    LogTamperedError,
    PermissionDeniedError,
    PressmarkError,
    RegistryUnavailableError,
)

DONE, REFUSED, WRONG_USE, UNREACHABLE = 0, 1, 2, 3

P = ParamSpec("P")
_REFUSALS = (GateError, ConflictError, PermissionDeniedError, AuthenticationError, LogTamperedError)


def json_option(command: Callable[P, Any]) -> Callable[P, Any]:
    """Give a command `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")(command)


def registry_options(command: Callable[P, Any]) -> Callable[P, Any]:
    """Give a command the registry's address; the token comes from the environment, where `ps` does not show it."""
    return click.option(
        "--registry",
        "registry_url",
        envvar="PRESSMARK_URL",
        show_envvar=True,
        default="http://127.0.0.1:8765",
        show_default=True,
        help="The registry: a URL, or sqlite:///FILE. A token is read from PRESSMARK_TOKEN.",
    )(command)


def told(command: Callable[P, Any]) -> Callable[P, None]:
    """Turn what Pressmark raises into a sentence on stderr and an exit status."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except PressmarkError as error:
            fail(error, as_json=bool(kwargs.get("as_json")))
        except BrokenPipeError:
            # The reader of the pipe has seen enough, such as `head`.
            sys.stderr.close()

    return run


def fail(error: PressmarkError, *, as_json: bool) -> NoReturn:
    """Print the error and end the command with the status that it stands for."""
    if as_json:
        emit({"error": {"message": str(error), "kind": type(error).__name__, "reasons": _reasons(error)}})
    click.echo(f"Error: {error}", err=True)
    for reason in _reasons(error):
        click.echo(f"  ! {reason['sentence']}: {reason['next_step']}", err=True)
    sys.exit(_status(error))


def _status(error: PressmarkError) -> int:
    if isinstance(error, RegistryUnavailableError | EndpointConnectionError):
        return UNREACHABLE
    return REFUSED if isinstance(error, _REFUSALS) else WRONG_USE


def _reasons(error: PressmarkError) -> list[dict[str, str]]:
    unmet = getattr(getattr(error, "decision", None), "unmet", ())
    return [{"code": reason.code, "sentence": reason.sentence, "next_step": reason.next_step} for reason in unmet]


def emit(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, empty: str) -> None:
    """Print rows as a table, or a sentence where there are none."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        click.echo(empty)
        return
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        # Text, so that brackets in a reason or output are never read as markup.
        shown.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    console = Console(soft_wrap=False) if sys.stdout.isatty() else Console(width=200)
    console.print(shown)
