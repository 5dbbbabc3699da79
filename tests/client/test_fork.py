"""After a fork: the child keeps the map and follows the registry by itself, and the parent is not disturbed."""

from __future__ import annotations

import multiprocessing
import os
import threading

import psutil
import pytest

from .simulator import unit_text, until

NAME = "support/triage"
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def _connections(port: int) -> int:
    return sum(1 for one in psutil.Process().net_connections("tcp") if one.raddr and one.raddr.port == port)


def _count(client, port, result) -> None:
    """In the child: count connections to the registry, once the child's own stream is open."""
    until(lambda: client.status().state == "live", "the child's stream is open", 20)
    result.send(_connections(port))


def test_a_child_lets_go_of_the_parents_connections(sim, connect):
    """A child has its own stream and no copy of its parent's, which would outlive the parent."""
    client = connect()
    until(lambda: client.status().state == "live", "the stream is open")
    context = multiprocessing.get_context("fork")
    receive, send = context.Pipe(False)
    process = context.Process(target=_count, args=(client, sim.port, send), daemon=True)
    process.start()
    assert receive.poll(30)
    assert receive.recv() == 1
    process.join(10)
    sim.put((NAME, "production", unit_text("Sort anew: {{ text }}")))
    until(lambda: client.get(NAME).version == "v2", "the parent's stream still works")


def _follow(client, ready, result) -> None:
    """In the child: read at once, then wait for the next version."""
    try:
        first = client.get(NAME).version
        ready.send(first)
        until(lambda: client.get(NAME).version == "v2", "the child sees the move", 20)
        until(lambda: client.status().state == "live", "the child's stream is open", 20)
        client.close()
        result.send((first, "v2", [t.name for t in threading.enumerate() if t.name == "pressmark-refresher"]))
    except BaseException as error:
        result.send(repr(error))


@pytest.mark.parametrize("children", [1, 4])
def test_children_of_a_fork_follow_the_registry(sim, connect, children):
    """Each forked child serves at once, sees the next move by itself, and closes without harming the parent."""
    client = connect()
    until(lambda: client.status().state == "live", "the stream is open")
    context = multiprocessing.get_context("fork")
    pipes = [(context.Pipe(False), context.Pipe(False)) for _ in range(children)]
    processes = [
        context.Process(target=_follow, args=(client, ready[1], result[1]), daemon=True) for ready, result in pipes
    ]
    for process in processes:
        process.start()
    assert [ready[0].recv() for ready, _ in pipes] == ["v1"] * children
    sim.put((NAME, "production", unit_text("Sort anew: {{ text }}")))
    for _, result in pipes:
        assert result[0].poll(30)
        assert result[0].recv()[:2] == ("v1", "v2")
    for process in processes:
        process.join(10)
    until(lambda: client.get(NAME).version == "v2", "the parent sees the move")
    sim.put((NAME, "production", unit_text("Sort thrice: {{ text }}")))
    until(lambda: client.get(NAME).version == "v3", "the parent's own stream still works")
    assert client.status().state == "live"


def test_a_fork_while_every_lock_is_held(sim, connect):
    """A fork in the very moment when the client's thread holds its lock leaves a child that still follows."""
    client = connect()
    until(lambda: client.status().state == "live", "the stream is open")
    context = multiprocessing.get_context("fork")
    ready, result = context.Pipe(False), context.Pipe(False)
    process = context.Process(target=_follow, args=(client, ready[1], result[1]), daemon=True)
    with client._feed._lock:
        process.start()
    assert ready[0].recv() == "v1"
    sim.put((NAME, "production", unit_text("Sort anew: {{ text }}")))
    assert result[0].poll(30)
    assert result[0].recv()[:2] == ("v1", "v2")
    process.join(10)


def test_a_fork_during_an_outage(sim, connect):
    """A child forked while the registry is away serves what the parent had, and recovers by itself."""
    client = connect()
    until(lambda: client.status().state == "live", "the stream is open")
    sim.down()
    until(lambda: client.status().state == "stale", "the outage is seen")
    context = multiprocessing.get_context("fork")
    ready, result = context.Pipe(False), context.Pipe(False)
    process = context.Process(target=_follow, args=(client, ready[1], result[1]), daemon=True)
    process.start()
    assert ready[0].recv() == "v1"
    sim.put((NAME, "production", unit_text("Sort anew: {{ text }}")))
    sim.up()
    assert result[0].poll(30)
    assert result[0].recv()[:2] == ("v1", "v2")
    process.join(10)
