"""Opening what a command works on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from pressmark.errors import WorkspaceError

if TYPE_CHECKING:
    from pressmark.api import Registry, Workspace
    from pressmark.rendering import PromptVersion


class Versions(Protocol):
    """A workspace or a registry."""

    def version(self, name: str, reference: str) -> PromptVersion:
        """Return a version."""


def open_registry(url: str) -> Registry:
    """Open the registry that the options name."""
    try:
        from pressmark.api import Registry
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    return Registry(url, token=os.environ.get("PRESSMARK_TOKEN"))


def open_workspace(path: Path) -> Workspace:
    """Open a workspace that exists already; a mistyped path must not make a new one.

    Raises:
        WorkspaceError: There is no such file.
    """
    if not path.exists():
        raise WorkspaceError(f"there is no workspace at {path}: check the path given with --workspace")
    try:
        from pressmark.api import Workspace
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    return Workspace(path)


def version_of(place: Versions, name: str, reference: str) -> PromptVersion:
    """Return the version that a command line names."""
    return place.version(name, reference)


def _missing(error: ModuleNotFoundError) -> click.ClickException:
    return click.ClickException(
        f"this command needs {error.name}, which is not installed: pip install 'pressmark[evals]'"
    )
