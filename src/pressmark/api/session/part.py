"""What every part of a session stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pressmark.api.registry import Registry
    from pressmark.api.workspace import Workspace


class Part:
    """A workspace and a registry.

    Args:
        workspace: The workspace.
        registry: The registry, or None where none was given.
    """

    def __init__(self, workspace: Workspace, registry: Registry | None = None) -> None:
        self._workspace = workspace
        self._store = workspace.store
        self._registry = registry
