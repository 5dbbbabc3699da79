"""What every command shares: tables for people, JSON for programs, exit statuses, and errors as sentences."""

from __future__ import annotations

import functools
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NoReturn, ParamSpec

import click

from pressmark.errors import (
    AuthenticationError,
    ConflictError,
    EndpointConnectionError,
    GateError,
    LogTamperedError,
    MalformedAnswerError,
    PermissionDeniedError,
    PressmarkError,
    RegistryError,
    RegistryUnavailableError,
    VersionNotFoundError,
    WorkspaceFullError,
    WorkspaceLockedError,
)

DONE, REFUSED, WRONG_USE, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 130

P = ParamSpec("P")


class RefusedError(PressmarkError):
    """What the command line itself refuses to do, although it was asked for in the right form."""


_UNREACHABLE: Final = (RegistryUnavailableError, MalformedAnswerError, EndpointConnectionError)
_REFUSALS: Final = (
    RefusedError,
    GateError,
    ConflictError,
    PermissionDeniedError,
    AuthenticationError,
    LogTamperedError,
    WorkspaceLockedError,
    WorkspaceFullError,
)


def json_option(command: Callable[P, Any]) -> Callable[P, Any]:
    """Give a command `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(command)


def registry_options(command: Callable[P, Any]) -> Callable[P, Any]:
    """Give a command the registry's address; the token comes from the environment, where `ps` does not show it."""
    return click.option(
        "--registry",
        "registry_url",
        envvar="PRESSMARK_URL",
        show_envvar=True,
        default="http://127.0.0.1:8765",
        show_default=True,
        metavar="URL",
        help="The registry: http://…, https://… or sqlite:///FILE. Its token is read from PRESSMARK_TOKEN.",
    )(command)


def told(command: Callable[P, Any]) -> Callable[P, None]:
    """Turn what Pressmark raises into a sentence on stderr and an exit status."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        as_json = bool(kwargs.get("as_json"))
        try:
            command(*args, **kwargs)
            sys.stdout.flush()
        except PressmarkError as error:
            fail(error, as_json=as_json)
        except BrokenPipeError:
            # The reader of the pipe has seen enough, such as `head`; Python would complain when it closes stdout.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            _end(f"{place}{error.strerror or error}: check the path, its permissions and the disk", WRONG_USE, as_json)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            sys.exit(INTERRUPTED)

    return run


@contextmanager
def needing(extra: str) -> Iterator[None]:
    """Say which extra to install where an import within the block finds a package missing.

    Raises:
        PressmarkError: One is.
    """
    try:
        yield
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("", "pressmark"):
            raise
        raise PressmarkError(
            f"this command needs {missing}, which is not installed: pip install 'pressmark[{extra}]'"
        ) from error


def fail(error: PressmarkError, *, as_json: bool) -> NoReturn:
    """Print the error and end the command with the status that it stands for."""
    _end(_in_commands(error), _status(error), as_json, kind=type(error).__name__, reasons=_reasons(error))


def _in_commands(error: PressmarkError) -> str:
    """The message with a next step that is a line of Python told as a command."""
    message = re.sub(r"registry\.(?:versions|labels)\('([^']*)'\)", r"`pressmark log \1`", str(error))
    message = message.replace("registry.prompts()", "`pressmark log`").replace(
        "registry.tokens()", "`pressmark token list`"
    )
    message = re.sub(r"say to='(v[0-9]+)'", r"say --to \1", message).replace("with to=,", "with --to,")
    if isinstance(error, ConflictError):
        expected = getattr(error.current, "version", "none")
        message = re.sub(
            "reload and try again", f"run it again with `--expected {expected}`", message, flags=re.IGNORECASE
        )
    return message


def _end(
    message: str, status: int, as_json: bool, *, kind: str = "Error", reasons: Sequence[dict[str, str]] = ()
) -> NoReturn:
    if as_json:
        emit({"error": {"message": message, "kind": kind, "reasons": list(reasons)}})
    click.echo(plain(f"Error: {message}"), err=True)
    for reason in reasons:
        click.echo(plain(f"  ! {reason['sentence']}: {reason['next_step']}"), err=True)
    sys.exit(status)


def _status(error: PressmarkError) -> int:
    if getattr(error, "code", "") == "bad_token":
        return WRONG_USE  # it was never sent, so nobody refused it
    # A rollback in the right form, of a label that has nothing to go back to.
    if isinstance(error, _REFUSALS) or (isinstance(error, VersionNotFoundError) and "label" in error.facts):
        return REFUSED
    if isinstance(error, _UNREACHABLE):
        return UNREACHABLE
    if isinstance(error, RegistryError):
        # An answer that is none of a registry's, or a registry that failed: nobody knows what was done.
        if error.status >= 500 or error.code == "malformed":
            return UNREACHABLE
        return REFUSED if error.status == 409 else WRONG_USE
    return WRONG_USE


def _reasons(error: PressmarkError) -> list[dict[str, str]]:
    unmet = getattr(getattr(error, "decision", None), "unmet", ())
    return [{"code": reason.code, "sentence": reason.sentence, "next_step": reason.next_step} for reason in unmet]


def emit(value: Any) -> None:
    """Print a value as JSON."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    # These are allowed within JSON's strings, but a terminal may obey them.
    click.echo(re.sub(r"[\x7f-\x9f]", lambda found: f"\\u{ord(found[0]):04x}", text))


def plain(text: str) -> str:
    """The text with control characters shown, so that what others wrote cannot steer the terminal."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", lambda found: f"\\x{ord(found[0]):02x}", text)


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
        shown.add_row(*(Text("" if cell is None else plain(str(cell))) for cell in row))
    # Into a pipe every row stays on one line.
    console = Console() if sys.stdout.isatty() else Console(width=10_000)
    console.print(shown)
