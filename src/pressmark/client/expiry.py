"""The watch over age, for clients with a `max_age`: `get()` reads no clock, so somebody else must."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

INTERVAL: Final = 0.25


class Expiry:
    """Calls a check several times a second, from a thread that no network call can hold up.

    Args:
        check: What to call.
    """

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pressmark-age", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(INTERVAL):
            self._check()
