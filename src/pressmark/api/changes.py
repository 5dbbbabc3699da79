"""Telling an open workbench what was done beside it, for instance by a line of Python."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pressmark.widgets.protocols import Change


class Changes:
    """Whoever wants to know of changes, and how they are told."""

    def __init__(self) -> None:
        self._callbacks: dict[int, Callable[[Change], None]] = {}
        self._lock = threading.Lock()
        self._next = 0

    def subscribe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Have `callback` told of changes; returns a function that ends it."""
        with self._lock:
            key, self._next = self._next, self._next + 1
            self._callbacks[key] = callback

        def end() -> None:
            with self._lock:
                self._callbacks.pop(key, None)

        return end

    def tell(self, topic: str, **facts: Any) -> None:
        """Tell everyone."""
        with self._lock:
            callbacks = list(self._callbacks.values())
        for callback in callbacks:
            callback({"topic": topic, **facts})  # type: ignore[typeddict-item]
