"""The engine: a coroutine on a thread of its own, which a caller can wait for, interrupt and cancel."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time

import pytest

from pressmark.evals.engine import Engine


async def answer() -> int:
    """Something that ends."""
    await asyncio.sleep(0)
    return 42


class Endless:
    """A coroutine that only ends by being cancelled, and tells what it saw."""

    def __init__(self) -> None:
        self.began, self.tidied = threading.Event(), threading.Event()

    async def __call__(self) -> None:
        """Wait for ever, and tidy up when that ends."""
        try:
            self.began.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            self.tidied.set()


def test_result_and_error() -> None:
    """The waiter gets the result, or the exception itself."""
    assert Engine(answer, "test").wait() == 42

    async def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        Engine(fail, "test").wait()


async def test_from_a_running_loop() -> None:
    """Where a loop is running, as in a notebook cell, it can be waited for in both ways."""
    assert Engine(answer, "test").wait() == 42
    assert await Engine(answer, "test").finished() == 42


def test_cancel() -> None:
    """A cancelled coroutine tidies up before the waiter hears of it; cancelling again changes nothing."""
    endless = Endless()
    engine = Engine(endless, "test")
    assert endless.began.wait(10)
    engine.cancel()
    engine.cancel()
    with pytest.raises(asyncio.CancelledError):
        engine.wait()
    assert endless.tidied.is_set()
    engine.cancel()


def test_cancel_at_once() -> None:
    """Cancelling before the thread has begun is not lost."""
    for _ in range(20):
        engine = Engine(Endless(), "test")
        engine.cancel()
        with pytest.raises(asyncio.CancelledError):
            engine.wait()


def test_keyboard_interrupt() -> None:
    """Ctrl-C while waiting stops the coroutine, lets it tidy up, and is raised again."""
    endless = Endless()
    engine = Engine(endless, "test")
    assert endless.began.wait(10)
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        engine.wait()
    assert time.monotonic() - began < 5
    assert endless.tidied.is_set()


async def test_cancelled_waiter() -> None:
    """Cancelling who awaits it stops the coroutine."""
    endless = Endless()
    engine = Engine(endless, "test")
    waiter = asyncio.ensure_future(engine.finished())
    assert await asyncio.to_thread(endless.began.wait, 10)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert endless.tidied.is_set()


def test_look_is_called_while_waiting() -> None:
    """The waiter's own thread is asked to look while it waits, and once at the end."""
    looked: list[int] = []

    async def briefly() -> None:
        await asyncio.sleep(0.25)

    Engine(briefly, "test").wait(lambda: looked.append(threading.get_ident()))
    assert len(looked) >= 3
    assert set(looked) == {threading.get_ident()}
