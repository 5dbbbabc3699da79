"""Jobs run in order, the last of several alike counts, and a throttle never loses the last call."""

from __future__ import annotations

import threading
import time

from pressmark.widgets.lanes import Lane, Throttle


def test_jobs_run_in_order_away_from_the_caller() -> None:
    """A lane runs its jobs one after the other on a thread of its own."""
    lane, done = Lane("test"), []
    for number in range(50):
        lane.submit(lambda number=number: done.append((number, threading.current_thread() is threading.main_thread())))
    assert lane.settle(10)
    assert done == [(number, False) for number in range(50)]
    lane.close()


def test_a_newer_job_takes_the_place_of_a_waiting_one() -> None:
    """Of several waiting jobs with one key only the last runs, and the dropped ones are told."""
    lane, gate, done, dropped = Lane("test"), threading.Event(), [], []
    lane.submit(lambda: gate.wait(10) and None)
    for number in range(5):
        lane.submit(lambda n=number: done.append(n), key="look", dropped=lambda n=number: dropped.append(n))
    lane.submit(lambda: done.append("other"))
    gate.set()
    assert lane.settle(10)
    assert done == [4, "other"]
    assert dropped == [0, 1, 2, 3]
    lane.close()


def test_a_closed_lane_forgets_what_waits() -> None:
    """Neither is it done, nor does anybody wait for it."""
    lane, gate, begun, done = Lane("test"), threading.Event(), threading.Event(), []
    lane.submit(lambda: begun.set() or (gate.wait(10) and None))
    assert begun.wait(10)
    lane.submit(lambda: done.append(1))
    lane.close()
    gate.set()
    assert lane.settle(10)
    assert done == []


def test_a_value_comes_back_or_none_in_time() -> None:
    """A call through a lane gives its result, or None where it fails or takes too long."""
    lane, gate = Lane("test"), threading.Event()
    assert lane.value(lambda: 7, 10) == 7
    lane.submit(lambda: gate.wait(10) and None)
    assert lane.value(lambda: 8, 0.05) is None
    gate.set()
    assert lane.settle(10)
    lane.close()


def test_a_closed_lane_takes_nothing() -> None:
    """After closing, jobs are passed over and waiting ones are gone."""
    lane, done = Lane("test"), []
    lane.close()
    lane.submit(lambda: done.append(1))
    assert done == []


def test_a_throttle_keeps_the_pace_and_the_last_call() -> None:
    """A hundred calls in a burst are two or so, and the state after the last one is seen."""
    state, seen = {"now": 0}, []
    throttle = Throttle(lambda: seen.append(state["now"]), 0.2)
    for number in range(1, 101):
        state["now"] = number
        throttle()
    deadline = time.monotonic() + 10
    while seen[-1] != 100 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert seen[0] == 1
    assert seen[-1] == 100
    assert len(seen) <= 4


def test_a_flush_comes_at_once() -> None:
    """A flush calls now and cancels what was waiting."""
    seen: list[int] = []
    throttle = Throttle(lambda: seen.append(1), 60)
    throttle()
    throttle()
    throttle.flush()
    assert seen == [1, 1]
