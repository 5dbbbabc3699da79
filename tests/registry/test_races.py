"""Writers at the same time: one wins, nobody overwrites what they have not seen, no number is lost."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pressmark.errors import ConflictError, GateError
from pressmark.prompts import Entry, LabelPointer
from pressmark.prompts.policy import SOLO, TEAM
from pressmark.registry.remote import Remote
from pressmark.registry.serving import running
from pressmark.registry.store import Store
from pressmark.registry.values import UNSET

from .making import Listener, publish, unit, until
from .proving import prove

NAME = "support/triage"
APPROVERS = 6


def at_once(work: list[Callable[[], Any]]) -> list[Any]:
    """Run each in a thread of its own from the same moment; return results, or the exceptions."""
    start = threading.Barrier(len(work))

    def run(one: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return one()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(run, work))


def race(movers: list[Any], rounds: int) -> None:
    """Let all movers move one label from the same expectation, again and again."""
    for number in range(rounds):
        expected = None if number == 0 else f"v{(number - 1) % 2 + 1}"
        target = f"v{number % 2 + 1}"
        asked = {"label": "production", "to": target, "expected": expected}
        outcomes = at_once(
            [
                functools.partial(mover.move, NAME, reason=f"round {number} by {who}", **asked)
                for who, mover in enumerate(movers)
            ]
        )
        (won,) = [outcome for outcome in outcomes if isinstance(outcome, Entry)]
        lost = [outcome for outcome in outcomes if isinstance(outcome, ConflictError)]
        assert len(lost) == len(movers) - 1, outcomes
        for refusal in lost:
            assert isinstance(refusal.current, LabelPointer)
            assert (
                refusal.current.seq,
                refusal.current.reason,
                refusal.current.moved_by,
                refusal.current.moved_at,
            ) == (
                won.seq,
                won.reason,
                won.actor,
                won.at,
            )


def test_racing_approvers(store: Store, store_url: str) -> None:
    """Of several processes' worth of approvers exactly one wins each round; the others learn who, when and why."""
    publish(store, NAME, "one", "two")
    movers = [Store(store_url, actor=f"approver {number}") for number in range(APPROVERS)]
    race(movers, rounds=5)
    store.verify()
    assert store.position().seq == 7
    for mover in movers:
        mover.close()


def test_racing_approvers_over_http(store: Store) -> None:
    """The same over HTTP: one wins, the others get a 412 that tells who, when and why."""
    with running(store) as server:
        admin = Remote(server.url, server.token)
        publish(admin, NAME, "one", "two")
        race([Remote(server.url, admin.create_token(f"a{n}", "approver").secret) for n in range(APPROVERS)], rounds=4)
        admin.verify()


def test_racing_rollbacks(store: Store, store_url: str) -> None:
    """Of several clicks on one rollback one is done."""
    publish(store, NAME, "one", "two", "three")
    for number, before in ((1, None), (2, "v1"), (3, "v2")):
        store.move(NAME, label="production", to=f"v{number}", reason="go", expected=before)
    others = [Store(store_url) for _ in range(4)]
    outcomes = at_once(
        [lambda other=other: other.rollback(NAME, label="production", reason="bad", expected="v3") for other in others]
    )
    assert sum(isinstance(outcome, Entry) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, ConflictError) for outcome in outcomes) == 3
    assert store.version(NAME, "production").version == "v2"
    for other in others:
        other.close()


def test_retry_storm(store: Store, store_url: str) -> None:
    """One publication sent many times at once with one key is done once, and everybody gets its version."""
    others = [Store(store_url, actor="ana") for _ in range(6)]
    outcomes = at_once(
        [
            lambda other=other: other.publish(NAME, unit(), message="m", reason="r", idempotency_key="one")
            for other in others
        ]
    )
    assert {outcome.version for outcome in outcomes} == {"v1"}
    assert store.position().seq == 1
    for other in others:
        other.close()


def test_watcher_misses_nothing_of_many_writers(store: Store, store_url: str) -> None:
    """A watcher of many concurrent writers hears every number, in order, once."""
    publish(store, NAME, "one", "two")
    listener = Listener(store.events(store.position()._replace(seq=0)))
    others = [Store(store_url, actor=f"w{number}") for number in range(5)]

    def write(number: int) -> None:
        for turn in range(8):
            others[number].move(NAME, label=f"l{number}", to=f"v{turn % 2 + 1}", reason="go", expected=UNSET)

    at_once([lambda number=number: write(number) for number in range(5)])
    until(lambda: len(listener.numbers) >= 42)
    assert listener.numbers == list(range(1, 43))
    assert store.verify().count == 42
    for other in others:
        other.close()


def test_evidence_made_stale_on_the_way(store: Store, store_url: str) -> None:
    """Of a move and a change of what its evidence built on, made at once, the second to come meets the first.

    Either the move comes first, on evidence that is fresh, or it is refused: never is a label moved on evidence whose
    lock does not hold at that entry of the log.
    """
    publish(store, "support/clean", "one", "two")
    store.move("support/clean", label="production", to="v1", reason="go", expected=None)
    inputs = {"clean": "support/clean@production"}
    for text in ("a", "b"):
        store.publish(NAME, unit(f"{text} {{{{ clean }}}}", inputs=inputs), message="m", reason="r")
    store.move(NAME, label="production", to="v1", reason="go", expected=None)
    store.set_policy("production", TEAM, names=NAME, reason="r")
    store.submit_evidence(prove(store, "v2", lock=["support/clean@production"]))
    mover, other = Store(store_url, actor="mover"), Store(store_url, actor="other")
    seen = set()
    for _ in range(6):
        moved, changed = at_once(
            [
                lambda: mover.move(NAME, label="production", to="v2", reason="go", expected="v1"),
                lambda: other.move("support/clean", label="production", to="v2", reason="go", expected="v1"),
            ]
        )
        assert isinstance(changed, Entry), changed
        if isinstance(moved, Entry):
            assert moved.seq < changed.seq
            store.rollback(NAME, label="production", reason="again", expected="v2")
        else:
            assert isinstance(moved, GateError), moved
            assert "out of date" in str(moved)
        seen.add(type(moved))
        store.rollback("support/clean", label="production", reason="again", expected="v2")
    assert seen
    store.verify()
    for each in (mover, other):
        each.close()


def test_policy_set_on_the_way(store: Store, store_url: str) -> None:
    """A policy counts from its entry on: a move after it needs evidence, one before it does not."""
    publish(store, NAME, "one", "two")
    other = Store(store_url, actor="other")
    for turn in range(6):
        expected = None if turn == 0 else "v1"
        target = "v1" if turn == 0 else "v2"
        moved, set_ = at_once(
            [
                functools.partial(store.move, NAME, label="production", to=target, reason="go", expected=expected),
                functools.partial(other.set_policy, "production", TEAM, reason="r"),
            ]
        )
        assert isinstance(set_, Entry)
        if isinstance(moved, Entry):
            assert moved.seq < set_.seq
        else:
            assert isinstance(moved, GateError), moved
        store.set_policy("production", SOLO, reason="again")
        if isinstance(moved, Entry) and turn:
            store.rollback(NAME, label="production", reason="again", expected="v2")
        elif not isinstance(moved, Entry) and turn == 0:
            store.move(NAME, label="production", to="v1", reason="go", expected=None)
    store.verify()
    other.close()
