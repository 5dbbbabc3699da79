"""Never back in time: an adversary delivers the registry's answers in any order, twice, late, or not at all."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from pressmark.client.answers import read_head, read_move, read_sync
from pressmark.client.cache import View, after_moves, after_sync, confirmed
from pressmark.client.snapshot import Snapshot
from pressmark.errors import RegistryError

from .simulator import Book, digest_of, unit_text

NAMES = st.sampled_from(["a", "b", "team/c"])
LABELS = st.sampled_from(["production", "staging"])
TEXTS = st.integers(0, 5).map(lambda number: unit_text(f"Text {number}"))
SCOPES = st.sampled_from([["production"], ["production", "staging"]])


class Deliveries(RuleBasedStateMachine):
    """One client's view, a registry that moves on, and a network without mercy."""

    books = Bundle("books")

    @initialize(target=books)
    def begin(self) -> Book:
        self.directory = tempfile.TemporaryDirectory()
        self.snapshot = Snapshot(Path(self.directory.name), "f" * 64)
        self.view = View()
        self.newest = Book()
        self.served: tuple[int, int] = (0, 0)
        self.newest_pointer: dict[tuple[int, str, str], int] = {}
        self.keep_gone = False
        return self.newest

    def teardown(self) -> None:
        if hasattr(self, "directory"):
            self.directory.cleanup()

    @rule(
        moves=st.lists(st.tuples(NAMES, LABELS, st.none() | TEXTS), min_size=1, max_size=3, unique_by=lambda m: m[:2])
    )
    def registry_moves_labels(self, moves) -> None:
        self.newest.put(*moves)

    @rule()
    def registry_publishes_something_else(self) -> None:
        self.newest.other()

    @rule(target=books, share=st.floats(0, 1))
    def registry_is_restored_from_a_backup(self, share) -> Book:
        self.newest = self.newest.restored(int(share * self.newest.seq))
        return self.newest

    @rule(book=books, share=st.floats(0, 1), scope=SCOPES, tombstones=st.booleans())
    def a_sync_arrives(self, book, share, scope, tombstones) -> None:
        """From any replica, as old as it likes, under a scope that may have changed."""
        told = book.sync(scope, int(share * book.seq), tombstones=tombstones)
        answer = read_sync(json.dumps(told).encode())
        self._take(lambda: after_sync(self.view, answer, "etag", keep_gone=self.keep_gone))

    @rule(scope=SCOPES)
    def the_newest_sync_arrives(self, scope) -> None:
        """What the registry itself says now is what is served then."""
        answer = read_sync(json.dumps(self.newest.sync(scope)).encode())
        self.view = after_sync(self.view, answer, "etag")
        there = self.newest.at(self.newest.seq)
        expected = {
            (label, name): pointer["targets"][0]["digest"]
            for (name, label), pointer in there.items()
            if pointer["targets"] and label in scope
        }
        assert {(label, name): digest for label, name, _, digest, _, _ in _shown(self.view)} == expected

    @rule(book=books, shares=st.lists(st.floats(0, 1), min_size=1, max_size=4), scope=SCOPES)
    def events_arrive(self, book, shares, scope) -> None:
        """Any of them, in any order, repeated; heads among them."""
        moves = []
        for share in shares:
            seq = max(1, int(share * book.seq))
            told = book.event(seq, scope) if book.seq else None
            if told is not None:
                moves.append(read_move(json.dumps(told), str(seq)))
            elif book.seq:
                moves.append(read_head(json.dumps(book.head(seq)), str(seq)))
        if moves:
            self._take(lambda: after_moves(self.view, moves, keep_gone=self.keep_gone))

    @rule()
    def nothing_changed(self) -> None:
        self.view = confirmed(self.view)

    @rule(keep=st.booleans())
    def restart_without_the_registry(self, keep) -> None:
        """The next process begins where this one stopped."""
        self.keep_gone = keep
        if self.view.position is None:
            return
        self.snapshot.write(self.view)
        stored = self.snapshot.read()
        assert stored is not None
        before, self.view = self.view, stored.view
        assert self.view.position == before.position
        assert _shown(self.view) == _shown(before)
        assert self.view.gone == before.gone

    def _take(self, apply) -> None:
        before = self.view
        shown = _shown(before)
        try:
            self.view = apply()
        except RegistryError:
            assert self.view is before
        assert _shown(before) == shown  # what readers may still hold never changes

    @invariant()
    def never_older(self) -> None:
        if not hasattr(self, "view") or self.view.position is None:
            return
        position = self.view.position[1:]
        assert position >= self.served
        if position[0] > self.served[0]:
            self.newest_pointer.clear()
        self.served = position
        for label, names in self.view.prompts.items():
            for name, prompt in names.items():
                key = (position[0], label, name)
                if prompt.state == "current":
                    assert prompt.seq >= self.newest_pointer.get(key, 0)
                    self.newest_pointer[key] = prompt.seq

    @invariant()
    def what_is_served_is_what_was_published(self) -> None:
        for names in getattr(self, "view", View()).prompts.values():
            for prompt in names.values():
                assert digest_of(prompt._content.text) == prompt.digest


def _shown(view: View):
    return {
        (label, name, p.version, p.digest, p.seq, p.state)
        for label, names in view.prompts.items()
        for name, p in names.items()
    }


Deliveries.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None, derandomize=True)
TestDeliveries = Deliveries.TestCase


def _sync(book: Book, seq: int | None = None):
    return read_sync(json.dumps(book.sync(["production"], seq)).encode())


@pytest.fixture
def book() -> Book:
    made = Book()
    made.put(("a", "production", unit_text("One")))
    made.put(("a", "production", unit_text("Two")))
    return made


def test_a_lagging_replica_is_refused(book):
    """A full answer of an older position changes nothing and says that the replica lags."""
    view = after_sync(View(), _sync(book), None)
    with pytest.raises(RegistryError, match="a replica that lags behind") as caught:
        after_sync(view, _sync(book, 1), None)
    assert caught.value.code == "stale_answer"


def test_another_registry_is_refused_once_this_one_was_heard(book):
    """A live client does not follow another registry at the same URL; a snapshot gives way to the one that is there."""
    view = after_sync(View(), _sync(book), None)
    other = Book("reg-2")
    other.put(("a", "production", unit_text("Elsewhere")))
    with pytest.raises(RegistryError, match="another registry answers"):
        after_sync(view, _sync(other), None)


def test_a_restored_registry_is_followed_and_its_past_is_not(book):
    """A new epoch may begin lower; the epoch before it is refused from then on."""
    view = after_sync(View(), _sync(book), None)
    restored = book.restored(1)
    view = after_sync(view, _sync(restored), None)
    assert view.position is not None
    assert view.position[1:] == (2, 1)
    assert view.prompts["production"]["a"].version == "v1"
    with pytest.raises(RegistryError, match="lags behind"):
        after_sync(view, _sync(book), None)


def test_an_event_of_another_epoch_asks_for_a_sync(book):
    """The stream of a restored registry never mixes with the state before it."""
    view = after_sync(View(), _sync(book), None)
    event = book.restored(2)
    event.put(("a", "production", unit_text("Three")))
    with pytest.raises(RegistryError, match="a full sync follows"):
        after_moves(view, [read_move(json.dumps(event.event(3, ["production"])), "3")])


def test_an_answer_that_contradicts_itself_is_refused(book):
    """A later position with an earlier pointer in it (a replica that mixes two states) changes nothing."""
    view = after_sync(View(), _sync(book), None)
    told = book.sync(["production"], 1)
    told["position"]["seq"] = 3
    with pytest.raises(RegistryError, match="contradicts itself"):
        after_sync(view, read_sync(json.dumps(told).encode()), None)
    event = dict(book.event(1, ["production"]), seq=3)
    with pytest.raises(RegistryError, match="contradicts itself"):
        after_moves(view, [read_move(json.dumps(event), "3")])


def test_an_etag_goes_with_its_content_only(book):
    """Once the stream has moved the state on, the ETag of the answer before it is no longer sent."""
    view = after_sync(View(), _sync(book), '"one"')
    assert view.etag == '"one"'
    book.put(("a", "production", unit_text("Three")))
    view = after_moves(view, [read_move(json.dumps(book.event(3, ["production"])), "3")])
    assert view.etag is None
