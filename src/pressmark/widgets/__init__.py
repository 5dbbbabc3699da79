"""Views for notebooks: the workbench, and the protocol of what it shows."""

from __future__ import annotations

from pressmark.widgets.protocols import WorkbenchSession

__all__ = ["WorkbenchSession"]
