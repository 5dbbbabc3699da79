"""The composition root: `pm.Workspace`, `pm.Registry` and the objects that they hand out."""

from __future__ import annotations

from pressmark.api.difference import Difference
from pressmark.api.registry import Registry
from pressmark.api.runs import Run
from pressmark.api.workspace import Workspace

__all__ = ["Difference", "Registry", "Run", "Workspace"]
