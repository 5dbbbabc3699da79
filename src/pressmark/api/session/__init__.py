"""What the workbench shows, as plain values: a workspace and, where there is one, a registry."""

from __future__ import annotations

from pressmark.api.session.session import Session

__all__ = ["Session"]
