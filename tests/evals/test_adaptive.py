"""How many calls at once: the limit finds what an endpoint takes, and stays there. Time is counted in loop turns."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest

from pressmark.evals.adaptive import AtOnce


class Endpoint:
    """An endpoint that a test scripts.

    Args:
        refuses: Told how many calls are under way, this one among them; whether it refuses this one.
        latency: Told likewise; turns of the event loop that an answer takes.

    Attributes:
        peak: The most calls under way that it had.
        limits: The limit after each call.
        refused: How many calls it refused.
    """

    def __init__(self, refuses: Callable[[int], bool], latency: Callable[[int], int] = lambda under_way: 10) -> None:
        self._refuses, self._latency = refuses, latency
        self.peak = self.under_way = self.refused = self.answered = 0
        self.limits: list[int] = []

    async def run(self, at_once: AtOnce, calls: int, workers: int = 64) -> Endpoint:
        """Have workers make so many calls; a call that is refused is asked again."""
        queue = iter(range(calls))

        async def work() -> None:
            for _ in queue:
                while not await self._call(at_once):
                    await turns(5)

        await asyncio.gather(*(work() for _ in range(workers)))
        assert at_once.under_way == 0
        return self

    async def _call(self, at_once: AtOnce) -> bool:
        ticket = await at_once.enter()
        self.under_way += 1
        self.peak = max(self.peak, self.under_way)
        refused = self._refuses(self.under_way)
        latency = 1 if refused else self._latency(self.under_way)
        await turns(latency)
        self.under_way -= 1
        self.refused += refused
        self.answered += not refused
        at_once.leave(ticket, refused=refused, latency=None if refused else latency / 10)
        self.limits.append(at_once.limit)
        return not refused


async def turns(number: int) -> None:
    """Wait for so many turns of the event loop."""
    for _ in range(number):
        await asyncio.sleep(0)


@pytest.mark.parametrize("bound", [1, 3, 8, 50, 64])
async def test_it_rises_to_its_bound(bound: int) -> None:
    """An endpoint that takes everything gets as many calls as allowed, from a few on, in a few round trips."""
    endpoint = await Endpoint(lambda under_way: False).run(AtOnce(bound), 500)
    assert endpoint.peak == bound
    assert endpoint.limits[0] <= 9
    assert endpoint.limits[2 * bound] == bound
    assert endpoint.answered == 500


@pytest.mark.parametrize("takes", [1, 2, 5, 20, 40])
async def test_it_finds_what_an_endpoint_takes(takes: int) -> None:
    """An endpoint that refuses all above a number: the limit settles around it, and few calls are refused."""
    endpoint = await Endpoint(lambda under_way: under_way > takes).run(AtOnce(64), 3000)
    late = endpoint.limits[len(endpoint.limits) // 3 :]
    assert max(late) <= takes * 1.25 + 1
    assert min(late) >= max(1, takes * 0.5)
    assert sum(late) / len(late) >= 0.75 * takes
    # Where few are taken, one too many is a large share of a probe.
    assert endpoint.refused <= (0.15 if takes >= 5 else 0.4) * endpoint.answered


@pytest.mark.parametrize("seed", range(5))
async def test_refusals_that_have_nothing_to_do_with_it_do_not_strangle_a_run(seed: int) -> None:
    """One call in twenty refused at random: the limit still comes to its bound and mostly stays near it."""
    draw = random.Random(seed)
    endpoint = await Endpoint(lambda under_way: draw.random() < 0.05).run(AtOnce(32), 4000)
    late = endpoint.limits[1000:]
    assert max(late) == 32
    assert sum(late) / len(late) >= 20


async def test_it_recovers() -> None:
    """After a time in which the endpoint takes little, the limit comes back without being told."""
    endpoint = Endpoint(lambda under_way: 500 < endpoint.answered < 800 and under_way > 3)
    await endpoint.run(AtOnce(24), 12_000, workers=24)
    low = min(endpoint.limits)
    assert low <= 6
    assert endpoint.limits[-1] == 24


async def test_latency_that_rises_with_the_number_stops_it() -> None:
    """An endpoint that takes all and gets slower with each is not flooded."""
    endpoint = await Endpoint(lambda under_way: False, lambda under_way: 10 * max(1, under_way // 10)).run(
        AtOnce(64), 3000
    )
    late = endpoint.limits[1500:]
    assert sum(late) / len(late) < 48
    assert min(late) >= 5


async def test_slow_answers_alone_do_not() -> None:
    """Answers that all take long, or now and then one, change nothing."""
    numbers = iter(range(10**6))
    endpoint = await Endpoint(lambda under_way: False, lambda under_way: 100 if next(numbers) % 5 == 0 else 10).run(
        AtOnce(32), 2000
    )
    assert min(endpoint.limits[300:]) == 32


async def test_a_place_that_nobody_takes_goes_to_the_next() -> None:
    """Cancelling one who waits, before or in the moment of being let in, loses no place."""
    at_once = AtOnce(1)
    ticket = await at_once.enter()
    waiting = [asyncio.ensure_future(at_once.enter()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    at_once.leave(ticket)
    waiting[1].cancel()
    second = await waiting[2]
    assert at_once.under_way == 1
    at_once.leave(second)
    assert at_once.under_way == 0
