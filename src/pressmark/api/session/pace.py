"""How fast a run goes lately."""

from __future__ import annotations

from collections import deque
from typing import Final

_LATELY: Final = 15.0
_LEAST: Final = 1.0


class Pace:
    """Answers a second over the last seconds, so that a burst from the cache at the start is soon forgotten."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def rate(self, elapsed: float, done: int) -> float | None:
        """Answers a second by now; None until there is something to tell.

        Args:
            elapsed: Seconds since the run began, or was taken up again.
            done: Answers that are there.
        """
        if not self._seen or self._seen[-1] != (elapsed, done):
            self._seen.append((elapsed, done))
        while len(self._seen) > 1 and elapsed - self._seen[0][0] > _LATELY:
            self._seen.popleft()
        began, before = self._seen[0]
        if elapsed - began < _LEAST or done <= before:
            return None
        return (done - before) / (elapsed - began)
