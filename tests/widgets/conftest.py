"""A workbench whose page is the test itself: it sends commands and hears replies and traits."""

from __future__ import annotations

import itertools
import queue
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import comm
import pytest

from pressmark.widgets import Workbench, workbench
from pressmark.widgets.assets import STATIC

from .bridge import PageComm
from .chromium import launched
from .session import MemorySession

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this module."""
    # Not for the whole session: while it is there, no other test may run an event loop.
    with launched() as opened:
        yield opened


class Page:
    """The other end of a workbench.

    Args:
        shown: The workbench.
    """

    def __init__(self, shown: Workbench) -> None:
        self.workbench = shown
        self.session: MemorySession = shown.session  # type: ignore[assignment]
        self.messages: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.line: PageComm = shown.comm
        self.line.listeners.append(self.messages)
        self._numbers = itertools.count(1)

    def send(self, command: str, **args: Any) -> int:
        """Sends a command and returns its number."""
        number = next(self._numbers)
        content = {"kind": "command", "id": number, "command": command, "args": args}
        self.line.receive({"method": "custom", "content": content})
        return number

    def reply(self, number: int, seconds: float = 60) -> dict[str, Any]:
        """The reply to a command."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            message = self.messages.get(timeout=max(0.01, until - time.monotonic()))
            content = message.get("content", {})
            if message["method"] == "custom" and content["id"] == number:
                return content
        raise AssertionError(f"no reply to command {number}")

    def ask(self, command: str, **args: Any) -> Any:
        """What a command answers; its error is raised as an assertion."""
        reply = self.reply(self.send(command, **args))
        assert reply["ok"], reply
        return reply["value"]

    def refused(self, command: str, **args: Any) -> dict[str, Any]:
        """The error that a command ends with."""
        reply = self.reply(self.send(command, **args))
        assert not reply["ok"], reply
        error: dict[str, Any] = reply["error"]
        return error

    def settle(self) -> None:
        """Waits for both lanes."""
        assert self.workbench.settle(60)
        assert self.workbench.registry_lane.settle(60)
        assert self.workbench.settle(60)

    def until(self, condition: Callable[[], object], seconds: float = 60) -> None:
        """Waits for a condition."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not come about"
            time.sleep(0.01)


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Page]]:
    """Opens a workbench over a session in memory; keyword arguments go to the session, `traits` to the workbench."""
    opened: list[Workbench] = []
    with monkeypatch.context() as patch:
        patch.setattr(comm, "create_comm", PageComm)
        if not (STATIC / "workbench.js").exists():
            # The page itself is tested in a browser; these tests are about its other half.
            patch.setattr(workbench, "asset", lambda name: "")

        def opening(prompt: str | None = None, traits: dict[str, str] | None = None, **session: Any) -> Page:
            shown = Workbench(MemorySession(**session), prompt, **(traits or {}))
            opened.append(shown)
            page = Page(shown)
            page.settle()
            return page

        yield opening
        for each in opened:
            each.close()
