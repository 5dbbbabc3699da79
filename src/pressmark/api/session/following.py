"""A client of the registry in this process, which follows the label that the workbench is about as a service would."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pressmark.api.session.part import Part
from pressmark.errors import PressmarkError
from pressmark.widgets.protocols import ClientView, HeardView

if TYPE_CHECKING:
    from pressmark.api.registry import Registry
    from pressmark.api.workspace import Workspace
    from pressmark.client import Client, Prompt

START_SECONDS = 1.0
LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _Heard:
    """A change that reached the client: the entry, what it serves since, and when (by both clocks)."""

    seq: int
    version: str | None
    at: datetime
    clock: float


@dataclass(frozen=True, slots=True)
class _Sent:
    """A move of this workbench: its entry, and when it was sent."""

    seq: int
    clock: float


class Following(Part):
    """One client at a time; a thread beside it tells when it has news."""

    def __init__(self, workspace: Workspace | None = None, registry: Registry | None = None) -> None:
        super().__init__(workspace, registry)
        self._follower: Follower | None = None
        self._sent: dict[tuple[str, str], _Sent] = {}

    def follow(self, name: str, label: str) -> None:
        """Have a client follow a label; an empty name ends it."""
        before = self._follower
        if before is not None and (before.name, before.label) == (name, label) and not before.failed:
            return
        self._follower = None
        if before is not None:
            before.close()
        if name and self._registry is not None:
            self._follower = Follower(self._registry, name, label, self._news)

    def client(self) -> ClientView | None:
        """Where the client stands."""
        follower = self._follower
        if follower is None:
            return None
        return follower.view(self._sent.get((follower.name, follower.label)))

    def sent(self, name: str, label: str, seq: int, clock: float) -> None:
        """Remember a move of this workbench, so that it can be told how soon a client served it."""
        self._sent[name, label] = _Sent(seq, clock)
        self._tell("client", name)

    def _news(self, name: str, registry: bool) -> None:
        self._tell("client", name)
        if registry:
            self._tell("registry", name)


class Follower:
    """A client with its news.

    Args:
        registry: Whose client.
        name: The prompt.
        label: The label.
        news: Called with the name, and whether the registry's state may be another than before.
    """

    def __init__(self, registry: Registry, name: str, label: str, news: Callable[[str, bool], None]) -> None:
        self.name, self.label = name, label
        self._news = news
        self._heard: _Heard | None = None
        self._why_not = ""
        self._client: Client | None = None
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._changed = False
        try:
            self._client = registry.client(
                labels=[label],
                names=[name],
                snapshot_dir=False,
                start_timeout=START_SECONDS,
                on_change=self._on_change,
                on_error=lambda error: self._wake.set(),
            )
        except PressmarkError as error:
            self._why_not = str(error)
            return
        threading.Thread(target=self._look, name="pressmark-follow-label", daemon=True).start()

    @property
    def failed(self) -> bool:
        """Whether there is no client, so that asking for it again may help."""
        return self._client is None

    def close(self) -> None:
        """End it."""
        self._closed.set()
        self._wake.set()
        if self._client is not None:
            self._client.close()

    def view(self, sent: _Sent | None) -> ClientView:
        """Where it stands; `sent` is the last move of the label that was made here."""
        view: ClientView = {
            "name": self.name,
            "label": self.label,
            "state": "none",
            "message": self._why_not,
            "version": None,
            "seq": None,
            "source": "none",
            "confirmed_at": None,
            "behind": 0,
            "heard": None,
        }
        if self._client is None:
            return view
        status = self._client.status()
        try:
            view["version"] = self._client.get(self.name, self.label).version
        except PressmarkError as error:
            view["message"] = str(error)
        if status.last_error is not None:
            view["message"] = str(status.last_error)
        if status.age is not None:
            view["confirmed_at"] = (datetime.now(UTC) - timedelta(seconds=status.age)).isoformat(timespec="seconds")
        view |= {"state": status.state, "seq": status.seq, "source": status.source, "behind": status.lag}
        view["heard"] = self._told(sent)
        return view

    def _told(self, sent: _Sent | None) -> HeardView | None:
        heard = self._heard
        if heard is None:
            return None
        mine = sent is not None and sent.seq == heard.seq
        return {
            "seq": heard.seq,
            "version": heard.version,
            "at": heard.at.isoformat(),
            "after_ms": 1000 * (heard.clock - sent.clock) if mine and sent is not None else None,
        }

    def _on_change(self, name: str, label: str, prompt: Prompt | None) -> None:
        client = self._client
        if client is None:
            return  # what it begins with is no news
        seq = client.status().seq or 0
        version = prompt.version if prompt is not None else None
        self._heard = _Heard(seq, version, datetime.now(UTC), time.monotonic())
        self._changed = True
        self._wake.set()

    def _look(self) -> None:
        """Tell of news as they come, and of what no callback tells: that it was confirmed, or is stale by now."""
        before = None
        while not self._closed.is_set():
            view = self.view(None)
            if view != before:
                # Who follows the registry is the first to notice that it is gone, or back.
                turned = before is not None and before["state"] != view["state"]
                changed, self._changed, before = self._changed, False, view
                self._news(self.name, changed or turned)
            self._wake.wait(LOOK_SECONDS)
            self._wake.clear()
