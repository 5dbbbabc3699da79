"""Opening what a command works on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, ParamSpec, Protocol, TypeVar

import click

from pressmark.address import told
from pressmark.cli.output import needing
from pressmark.errors import RegistryError, WorkspaceError

if TYPE_CHECKING:
    from pressmark.registry import RegistryBackend
    from pressmark.rendering import PromptVersion
    from pressmark.workspace import Store

P = ParamSpec("P")
T = TypeVar("T")
# Kernels hold a workspace for moments; who waits at a prompt wants to hear of anything longer.
LOCK_SECONDS: Final = 10.0


class Versions(Protocol):
    """A workspace or a registry."""

    def version(self, name: str, ref: str, /) -> PromptVersion:
        """Return a version."""


def open_registry(url: str, *, new: bool = False) -> RegistryBackend:
    """Open the registry that the options name.

    Args:
        url: A server's address, or `sqlite:///FILE`.
        new: Whether the file may be made where there is none; a mistyped path must not make one.

    Raises:
        RegistryError: The address is of another form, there is no such file, or it is no registry.
    """
    if url.startswith(("http://", "https://")):
        from pressmark.registry.remote import Remote

        return Remote(url, os.environ.get("PRESSMARK_TOKEN"))
    if not url.startswith(("sqlite:", "postgresql:", "postgres:")):
        raise RegistryError(
            f"{told(url)} is no registry's address: write http://…, https://… or sqlite:///FILE after --registry"
        )
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and not new and not path.exists():
        raise RegistryError(f"there is no registry at {path}: check the path given with --registry")
    with needing("registry"):
        from pressmark.registry.store import Store

    return Store(url)


def open_workspace(path: Path, *, new: bool = False) -> Store:
    """Open a workspace.

    Args:
        path: Its file.
        new: Whether it may be made where there is none.

    Raises:
        WorkspaceError: There is no such file, or it cannot be used.
    """
    if not new and not path.exists():
        raise WorkspaceError(f"there is no workspace at {path}: check the path given with --workspace")
    with needing("evals"):
        from pressmark.workspace import Store

    return Store(path, deadline=LOCK_SECONDS)


def workspace_option(help: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Make the option that names a workspace file."""
    return click.option(
        "--workspace",
        type=click.Path(path_type=Path),
        envvar="PRESSMARK_WORKSPACE",
        show_envvar=True,
        metavar="FILE",
        help=help,
    )


def typed(option: str) -> bool:
    """Say whether an option stands on the command line, rather than in the environment."""
    return click.get_current_context().get_parameter_source(option) is click.core.ParameterSource.COMMANDLINE
