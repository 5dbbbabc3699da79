"""What the Publish panel's own client serves: the label it follows, what it heard, how soon, and how it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import pressmark as pm
from pressmark.api.session import Session
from pressmark.registry import serving
from pressmark.widgets.protocols import ClientView

PROMPT = "support/triage"
PATIENCE = 60
THREAD = "pressmark-follow-label"


class Watching:
    """A session over a served registry, and what it was told."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.topics: list[str] = []
        self._news = threading.Condition()
        self._end = session.subscribe(self._heard)

    def _heard(self, change: Any) -> None:
        with self._news:
            self.topics.append(change["topic"])
            self._news.notify_all()

    def until(self, **wanted: Any) -> ClientView:
        """Wait until the client is told to stand so."""
        return self.when(lambda view: all(told in view.items() for told in wanted.items()))

    def when(self, wanted: Callable[[ClientView], bool]) -> ClientView:
        """Wait until the client is told to stand as is wanted."""

        def stands() -> bool:
            view = self.session.client()
            return view is not None and wanted(view)

        with self._news:
            assert self._news.wait_for(stands, PATIENCE), self.session.client()
        view = self.session.client()
        assert view is not None
        return view

    def hear(self, topic: str) -> None:
        """Wait until it is told of something."""
        with self._news:
            assert self._news.wait_for(lambda: topic in self.topics, PATIENCE), self.topics

    def close(self) -> None:
        """Stop following and listening."""
        self.session.follow("", "")
        self._end()


@pytest.fixture
def watching(ws: pm.Workspace, registry: pm.Registry) -> Iterator[Watching]:
    """Two versions, of which the first is published and in production."""
    ws.save(PROMPT, text="one {{ text }}", model="m")
    ws.save(PROMPT, text="two {{ text }}", model="m")
    registry.move(PROMPT, label="production", to=registry.publish(ws.version(PROMPT, "#1"), reason="a"), reason="a")
    watched = Watching(Session(ws, registry))
    yield watched
    watched.close()


def test_it_serves_what_the_label_holds_and_hears_of_moves(watching: Watching, registry: pm.Registry) -> None:
    """A move of this session is timed; one from elsewhere is told without a time; both change what it serves."""
    session = watching.session
    assert session.client() is None
    session.follow(PROMPT, "production")
    view = watching.until(version="v1", state="live")
    assert (view["heard"], view["message"]) == (None, "")
    assert view["confirmed_at"] is not None

    moved = session.move(PROMPT, "production", "#2", "second", "v1")
    view = watching.until(version="v2")
    assert view["heard"] is not None
    assert (view["heard"]["seq"], view["heard"]["version"]) == (moved["seq"], "v2")
    assert view["heard"]["after_ms"] is not None
    assert 0 < view["heard"]["after_ms"] < 1000 * PATIENCE
    assert {"client", "registry"} <= set(watching.topics)

    registry.move(PROMPT, label="production", to="v1", reason="from elsewhere", expected="v2")
    view = watching.until(version="v1")
    assert view["heard"] is not None
    assert view["heard"]["after_ms"] is None

    back = session.rollback(PROMPT, "production", "try again", "v1", "v2")
    view = watching.until(version="v2")
    assert view["heard"] is not None
    assert view["heard"]["seq"] == back["seq"]


def test_one_label_at_a_time(watching: Watching) -> None:
    """Another label ends the client before; the same label keeps it; an empty name ends it."""
    session = watching.session
    session.follow(PROMPT, "production")
    first = session._follower
    session.follow(PROMPT, "production")
    assert session._follower is first
    session.follow(PROMPT, "staging")
    view = watching.until(label="staging")
    assert view["version"] is None
    assert "staging" in view["message"]
    assert first is not None
    assert first._closed.is_set()
    session.follow("", "")
    assert session.client() is None
    for thread in threading.enumerate():
        if thread.name == THREAD:
            thread.join(PATIENCE)
            assert not thread.is_alive()


def test_a_registry_that_goes_away(ws: pm.Workspace, tmp_path: Path) -> None:
    """What it served stays, told as no longer live, with the reason; and whoever shows the registry hears of it."""
    ws.save(PROMPT, text="one {{ text }}", model="m")
    with serving.running(tmp_path / "leaving.db") as running:
        registry = pm.Registry(running.url, token=running.token)
        registry.move(PROMPT, label="production", to=registry.publish(ws.version(PROMPT), reason="a"), reason="a")
        watching = Watching(Session(ws, registry))
        watching.session.follow(PROMPT, "production")
        watching.until(version="v1", state="live")
        watching.topics.clear()
    try:
        watching.hear("registry")
        view = watching.when(lambda told: told["state"] != "live" and bool(told["message"]))
        assert (view["version"], view["heard"]) == ("v1", None)
    finally:
        watching.close()


def test_an_embedded_registry_has_no_clients(ws: pm.Workspace, tmp_path: Path) -> None:
    """It says why, and asking again is allowed."""
    ws.save(PROMPT, text="one {{ text }}", model="m")
    with pm.Registry(f"sqlite:///{tmp_path / 'own.db'}") as embedded:
        session = Session(ws, embedded)
        session.follow(PROMPT, "production")
        view = session.client()
        assert view is not None
        assert (view["state"], view["version"], view["heard"]) == ("none", None, None)
        assert view["message"]
        assert session._follower is not None
        assert session._follower.failed
        before = session._follower
        session.follow(PROMPT, "production")
        assert session._follower is not before


def test_without_a_registry_nothing_is_followed(ws: pm.Workspace) -> None:
    """There is no client, and no error."""
    session = Session(ws, None)
    session.follow(PROMPT, "production")
    assert session.client() is None
