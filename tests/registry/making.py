"""Short ways to units, publications and a deadline for waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from pressmark.prompts.canonical import unit_bytes
from pressmark.registry.backend import RegistryBackend
from pressmark.registry.values import Event, Published
from pressmark.rendering import build_unit


def unit(text: str = "Answer {{ question }}", **parts: Any) -> bytes:
    """The canonical bytes of a chat prompt with one message."""
    return unit_bytes(build_unit(messages=[{"role": "user", "content": text}], model="small", params={}, **parts))


def publish(registry: RegistryBackend, name: str = "support/triage", *texts: str) -> list[Published]:
    """Publish a version for each text."""
    return [
        registry.publish(name, unit(f"{text}: {{{{ question }}}}"), message=f"say {text}", reason="for a test")
        for text in texts or ("one",)
    ]


def until(done: Callable[[], Any], seconds: float = 10.0) -> Any:
    """Wait for something to become true and return it."""
    deadline = time.monotonic() + seconds
    while not (found := done()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
    return found


class Listener:
    """Collects the events of a registry in a thread."""

    def __init__(self, events: Iterator[Event]) -> None:
        self.heard: list[Event] = []
        self.error: Exception | None = None
        self._events = events
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    @property
    def moves(self) -> list[Event]:
        """The moves heard so far."""
        return [event for event in list(self.heard) if event.kind == "move"]

    @property
    def numbers(self) -> list[int]:
        """Sequence numbers of the moves heard so far."""
        return [event.seq for event in self.moves]

    def _listen(self) -> None:
        try:
            for event in self._events:
                self.heard.append(event)
        except Exception as error:
            self.error = error
