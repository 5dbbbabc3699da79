"""Drafts, the steps that led to them, and two hands on one draft."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pressmark.errors import DraftConflictError, WorkspaceError
from pressmark.workspace import Store, drafts
from pressmark.workspace.connection import Database

AT = datetime(2026, 11, 28, 9, tzinfo=UTC)


def body(store: Store) -> object:
    """What the draft says."""
    found = store.draft("p")
    return found.body["text"] if found else None


def test_steps_are_undone_and_done_again_in_another_process(store: Store, path: Path) -> None:
    """The state before the first change is a step too; what was undone is gone once something new is written."""
    for number in range(3):
        store.save_draft("p", {"text": str(number)}, "#1", start={"text": "start"})
    other = Store(path)
    assert other.draft_steps("p") == (3, 3, 0)
    other.walk_draft("p", -1)
    assert body(store) == "1"
    other.walk_draft("p", -2)
    assert body(store) == "start"
    with pytest.raises(WorkspaceError, match="nothing more to undo"):
        other.walk_draft("p", -1)
    other.walk_draft("p", 1)
    store.save_draft("p", {"text": "new"})
    assert (store.draft_steps("p").undo, store.draft_steps("p").redo) == (2, 0)
    with pytest.raises(WorkspaceError, match="nothing more to do again"):
        store.walk_draft("p", 1)


def test_what_one_view_types_in_a_moment_is_one_step(path: Path, store: Store) -> None:
    """Within two seconds of its beginning a step goes on; another view or a later moment begins a new one."""
    database = Database(path)
    for seconds, view in ((0, "a"), (1, "a"), (1.9, "a"), (2.1, "a"), (2.2, "b")):
        drafts.save(database, "p", {"text": str(seconds)}, view=view, now=AT + timedelta(seconds=seconds))
    assert store.draft_steps("p").undo == 2
    store.walk_draft("p", -2)
    assert body(store) == "1.9"


def test_the_slower_hand_overwrites_nothing_and_loses_nothing(store: Store) -> None:
    """Its text is refused as the draft and kept as the step before, once, however often it is sent."""
    store.save_draft("p", {"text": "read by both"})
    store.save_draft("p", {"text": "the quicker"}, expected=1, view="a")
    for text in ("the slow", "the slower"):
        with pytest.raises(DraftConflictError, match="one undo away") as refused:
            store.save_draft("p", {"text": text}, expected=1, view="b")
        assert refused.value.revision == 2
    assert body(store) == "the quicker"
    assert store.draft_steps("p") == (2, 2, 0)
    store.walk_draft("p", -1)
    assert body(store) == "the slower"


def test_a_discarded_draft_comes_back_and_a_deleted_one_does_not(store: Store) -> None:
    """Discarding is a step; deleting takes all steps, and a page that still shows the draft is told."""
    store.save_draft("p", {"text": "mine"}, "#1", start={"text": "clean"})
    store.close_draft("p", {"text": "clean"}, "#1", saved=False)
    assert store.draft("p") is None
    store.walk_draft("p", -1)
    assert body(store) == "mine"
    store.delete_draft("p")
    steps = store.draft_steps("p")
    assert (store.draft("p"), steps.undo, steps.redo) == (None, 0, 0)
    with pytest.raises(DraftConflictError):
        store.save_draft("p", {"text": "mine"}, expected=steps.revision - 1)


def test_saving_a_version_keeps_the_steps_on_it(store: Store) -> None:
    """Undoing over a save compares with the version that was saved."""
    store.save_draft("p", {"text": "one"}, "#1", start={"text": "zero"})
    store.close_draft("p", {"text": "one"}, "#2", saved=True)
    store.walk_draft("p", -1)
    draft = store.draft("p")
    assert draft is not None
    assert (draft.body["text"], draft.base) == ("zero", "#2")


def test_steps_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred steps, less of long ones, but always the one before."""
    for number in range(120):
        store.save_draft("p", {"text": str(number)})
    assert store.draft_steps("p").undo == drafts.MOST_STEPS - 1
    monkeypatch.setattr(drafts, "MOST_CHARACTERS", 2000)
    for number in range(6):
        store.save_draft("p", {"text": str(number) * 1500})
    assert store.draft_steps("p").undo == 1
    store.walk_draft("p", -1)
    assert body(store) == "4" * 1500
