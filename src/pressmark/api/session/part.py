"""What every part of a session stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pressmark.errors import WorkspaceError

if TYPE_CHECKING:
    from pressmark import workspace as files
    from pressmark.api.registry import Registry
    from pressmark.api.workspace import Workspace


class Part:
    """A workspace and a registry.

    Args:
        workspace: The workspace, or None for a view of the registry alone.
        registry: The registry, or None where none was given.
    """

    def __init__(self, workspace: Workspace | None = None, registry: Registry | None = None) -> None:
        self._opened = workspace
        self._registry = registry

    @property
    def _workspace(self) -> Workspace:
        if self._opened is None:
            raise WorkspaceError(
                "this view shows the registry and has no workspace: open both with ws.workbench(name, registry=…)"
            )
        return self._opened

    @property
    def _store(self) -> files.Store:
        return self._workspace.store

    def _tell(self, topic: str, name: str) -> None:
        """Tell whoever follows the workspace, or the registry where it stands alone."""
        source = self._opened if self._opened is not None else self._registry
        if source is not None:
            source.changes.tell(topic, name=name)
