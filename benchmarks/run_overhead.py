"""What a run costs beside the calls: `python -m benchmarks.run_overhead`.

2,000 calls of 50 ms, 50 at once, against the recorded model (its folder is found as the tests find it), so 2.0 s is the
floor. `ws.evaluate`, with every output and score in the DuckDB file at its end, and bare loops over an AsyncOpenAI of
the same transport take turns, because absolute figures drift; the best of three rounds counts. `ratio` is against the
loop that most would write, over `client.chat.completions.create`; `ratio_to_post` against the quickest loop that the
client allows, over its `post`, which is how the runner itself asks. Peers that are installed join them
(`benchmarks/peers.py` tells where they are looked for). Prints a table, and a JSON object as its last line.
"""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pressmark as pm
from benchmarks import peers
from pressmark import evals
from pressmark.prompts.canonical import unit_digest
from pressmark.rendering import PromptVersion, build_unit

if TYPE_CHECKING:
    from openai import AsyncOpenAI

CALLS, LATENCY_MS, CONCURRENCY, REPEATS, ROUNDS = 2000, 50, 50, 2, 3
MODEL = "gpt-3.5-turbo-1106"
SYSTEMS = ("You are a helpful assistant.", "You are a helpful assistant. Be concise.")
SHARED = Path(os.environ.get("PRESSMARK_SHARED") or Path(__file__).resolve().parents[2] / "shared")


@dataclass(frozen=True)
class Measured:
    """One way to make the calls: seconds on the wall, and milliseconds of this process's CPU a call."""

    name: str
    wall: float
    cpu: float


def main() -> None:
    """Measure, and print the table and the JSON line."""
    dataset, versions = the_work()
    plan = evals.plan(versions, dataset, base_url="http://any/v1", repeats=REPEATS)
    requests = [dict(call.request) for call in plan.calls for _ in call.tasks]
    assert len(requests) == CALLS
    with recorded_model() as base_url, tempfile.TemporaryDirectory() as folder:
        files = (Path(folder) / f"{number}.duckdb" for number in itertools.count())
        # The first calls import the client and open connections, and the first file loads DuckDB; all begin warm.
        asyncio.run(bare(base_url, requests[: 2 * CONCURRENCY], same_call))
        asyncio.run(bare(base_url, requests[: 2 * CONCURRENCY], typed_call))
        runner(next(files), base_url, versions, evals.Dataset.of("benchmark", dataset.rows[:5]))
        before = peak_mb()
        rounds: list[tuple[Measured, Measured, Measured, Measured]] = []
        for _ in range(ROUNDS):
            file = next(files)
            ours = runner(file, base_url, versions, dataset)
            if not rounds:
                grown = peak_mb() - before
            cached = runner(file, base_url, versions, dataset, name="pressmark, cached")
            typed = timed("bare AsyncOpenAI", lambda: asyncio.run(bare(base_url, requests, typed_call)))
            post = timed("bare AsyncOpenAI, post", lambda: asyncio.run(bare(base_url, requests, same_call)))
            rounds.append((ours, typed, post, cached))
        ours, typed, post, cached = (best(measured) for measured in zip(*rounds, strict=True))
        others = measured_peers(base_url, dataset, requests)
    table = [ours, typed, post, *others, cached]
    floor = CALLS * LATENCY_MS / CONCURRENCY / 1000
    print(f"{CALLS:,} calls of {LATENCY_MS} ms, {CONCURRENCY} at once: floor {floor:.1f} s")
    print(f"{'':<28}{'wall s':>8}{'CPU ms a call':>15}")
    for line in table:
        print(f"{line.name:<28}{line.wall:>8.2f}{line.cpu:>15.2f}")
    print(f"memory above imports: {grown:.0f} MB")
    result = {
        "wall_s": round(ours.wall, 3),
        "bare_wall_s": round(typed.wall, 3),
        "ratio": round(ours.wall / typed.wall, 3),
        "cpu_ms_per_call": round(ours.cpu, 3),
        "bare_cpu_ms_per_call": round(typed.cpu, 3),
        "post_wall_s": round(post.wall, 3),
        "ratio_to_post": round(ours.wall / post.wall, 3),
        "rss_above_imports_mb": round(grown, 1),
        "cached_wall_s": round(cached.wall, 3),
        "peers": {peer.name: {"wall_s": round(peer.wall, 3), "cpu_ms_per_call": round(peer.cpu, 3)} for peer in others},
    }
    print(json.dumps(result))


def the_work() -> tuple[evals.Dataset, list[PromptVersion]]:
    """500 recorded instructions under two prompt versions."""
    import pyarrow.parquet as pq

    table = pq.read_table(SHARED / "data" / "alpacaeval" / "gpt-3.5-turbo-1106.parquet", columns=["instruction"])
    rows = table.to_pylist()[: CALLS // REPEATS // len(SYSTEMS)]
    versions = []
    for number, system in enumerate(SYSTEMS, 1):
        messages = [{"role": "system", "content": system}, {"role": "user", "content": "{{ instruction }}"}]
        unit = build_unit(messages=messages, model=MODEL)
        made = PromptVersion("benchmark", number, unit, unit_digest(unit), "", "", datetime.now(UTC))
        versions.append(made)
    return evals.Dataset.of("benchmark", rows), versions


def runner(
    file: Path, base_url: str, versions: Sequence[PromptVersion], dataset: evals.Dataset, name: str = "pressmark"
) -> Measured:
    """The calls by `ws.evaluate`, with two scorers, until all of it is in the file; from the cache the second time."""
    space = pm.Workspace(file)
    space.endpoint("benchmark", base_url=base_url)
    suite = space.suite(
        "benchmark", dataset=dataset, scorers=[evals.scorers.Contains(text="the"), evals.scorers.Length()]
    )
    measured = timed(
        name, lambda: space.evaluate(versions, suite, concurrency=CONCURRENCY, repeats=REPEATS, progress=False)
    )
    run_id = space.store.runs()[0].run_id
    tally = space.store.tally(run_id)
    assert (tally.done, tally.errors) == (len(dataset) * len(versions) * REPEATS, 0)
    return measured


async def same_call(client: AsyncOpenAI, request: dict[str, Any]) -> str:
    """One call as the completer makes it: the client's own `post`, and the body read as JSON."""
    import httpx2

    response = await client.post("/chat/completions", body=request, cast_to=httpx2.Response)
    return str(json.loads(response.content)["choices"][0]["message"]["content"])


async def typed_call(client: AsyncOpenAI, request: dict[str, Any]) -> str:
    """One call as most would write it, which makes typed objects of request and response."""
    reply = await client.chat.completions.create(**request)
    return reply.choices[0].message.content or ""


async def bare(
    base_url: str, requests: list[dict[str, Any]], call: Callable[[AsyncOpenAI, dict[str, Any]], Awaitable[str]]
) -> None:
    """The calls by a loop over the openai client that does nothing else."""
    from openai import AsyncOpenAI

    queue = iter(requests)
    async with AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0) as client:

        async def work() -> None:
            for request in queue:
                assert await call(client, request)

        await asyncio.gather(*(work() for _ in range(CONCURRENCY)))


async def bare_aiohttp(base_url: str, requests: list[dict[str, Any]]) -> None:
    """The calls by aiohttp alone."""
    import aiohttp  # type: ignore[import-not-found]  # a peer, not a dependency

    queue = iter(requests)
    async with aiohttp.ClientSession() as session:

        async def work() -> None:
            for request in queue:
                async with session.post(f"{base_url}/chat/completions", json=request) as reply:
                    assert (await reply.json())["choices"]

        await asyncio.gather(*(work() for _ in range(CONCURRENCY)))


def measured_peers(base_url: str, dataset: evals.Dataset, requests: list[dict[str, Any]]) -> list[Measured]:
    """The peers that are installed, each once; what they recorded goes with them."""
    work = {
        "model": MODEL,
        "systems": SYSTEMS,
        "rows": [row["instruction"] for row in dataset.rows],
        "repeats": REPEATS,
        "concurrency": CONCURRENCY,
    }
    found: list[Measured] = []
    if importlib.util.find_spec("aiohttp") is not None:
        found.append(timed("aiohttp", lambda: asyncio.run(bare_aiohttp(base_url, requests))))
    for name, run in (("promptfoo", peers.promptfoo_run), ("Inspect AI", peers.inspect_run)):
        before = calls_at(base_url)
        if (told := run(base_url, work)) is not None:
            assert calls_at(base_url) - before >= CALLS, f"{name} made only {calls_at(base_url) - before} calls"
            found.append(Measured(name, told.wall, told.cpu * 1000 / CALLS))
    return found


def calls_at(base_url: str) -> int:
    """How many calls the recorded model has had."""
    with urllib.request.urlopen(base_url.removesuffix("/v1") + "/stats", timeout=5) as answer:
        return int(json.load(answer)["calls"])


def best(measured: Sequence[Measured]) -> Measured:
    """The quietest of several rounds: what else runs on the machine only ever adds."""
    return Measured(measured[0].name, min(m.wall for m in measured), min(m.cpu for m in measured))


def timed(name: str, run: Any) -> Measured:
    """Run, and measure wall and CPU time."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return Measured(name, time.perf_counter() - wall, (time.process_time() - cpu) * 1000 / CALLS)


def peak_mb() -> float:
    """The most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def recorded_model() -> Iterator[str]:
    """The recorded model with its latency, as a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = SHARED / "servers" / "recorded_model.py"
    process = subprocess.Popen([sys.executable, str(script), f"--port={port}", f"--latency-ms={LATENCY_MS}"])
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/stats", timeout=5).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
