"""Views for notebooks: the workbench, and the protocol of what it shows."""

from __future__ import annotations

from pressmark.widgets.protocols import WorkbenchSession
from pressmark.widgets.workbench import Workbench

__all__ = ["Workbench", "WorkbenchSession"]
