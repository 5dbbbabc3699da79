"""What shows itself in a notebook, and in which forms. It imports next to nothing: the client stands on it."""

from __future__ import annotations

from pressmark.face.faced import Faced

__all__ = ["Faced"]
