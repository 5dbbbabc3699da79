"""What the runner costs beside the calls: `python -m benchmarks.run_overhead`.

2,000 calls of 50 ms, 50 at once, against the recorded model (its folder is found as the tests find it), so 2.0 s is the
floor. The runner and a bare loop over the same AsyncOpenAI client take turns, because absolute figures drift; the best
of three rounds counts. Peers that are installed join them. Prints a table, and a JSON object as its last line.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import resource
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pressmark import evals
from pressmark.prompts.canonical import unit_digest
from pressmark.providers import Endpoint, completer
from pressmark.rendering import PromptVersion, build_unit

CALLS, LATENCY_MS, CONCURRENCY, REPEATS, ROUNDS = 2000, 50, 50, 2, 3
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
    with recorded_model() as base_url:
        # The first calls import the client and open connections; both ways begin warm.
        asyncio.run(bare(base_url, requests[: 2 * CONCURRENCY]))
        ours_plan = evals.plan(versions, dataset, base_url=base_url, repeats=REPEATS)
        before = peak_mb()
        rounds: list[tuple[Measured, Measured]] = []
        for _ in range(ROUNDS):
            ours, records = runner(base_url, ours_plan, dataset)
            if not rounds:
                grown = peak_mb() - before
            plain = timed("bare AsyncOpenAI", lambda: asyncio.run(bare(base_url, requests)))
            rounds.append((ours, plain))
        ours, plain = (best(measured) for measured in zip(*rounds, strict=True))
        known = {r.request_digest: r.answer.to_dict() for r in records if r.answer}
        cached, _ = runner(base_url, ours_plan, dataset, known)
        peers = measured_peers(base_url, requests)
    table = [ours, plain, *peers, cached]
    floor = CALLS * LATENCY_MS / CONCURRENCY / 1000
    print(f"{CALLS:,} calls of {LATENCY_MS} ms, {CONCURRENCY} at once: floor {floor:.1f} s")
    print(f"{'':<28}{'wall s':>8}{'CPU ms a call':>15}")
    for line in table:
        print(f"{line.name:<28}{line.wall:>8.2f}{line.cpu:>15.2f}")
    print(f"memory above imports: {grown:.0f} MB")
    result = {
        "wall_s": round(ours.wall, 3),
        "bare_wall_s": round(plain.wall, 3),
        "ratio": round(ours.wall / plain.wall, 3),
        "cpu_ms_per_call": round(ours.cpu, 3),
        "bare_cpu_ms_per_call": round(plain.cpu, 3),
        "rss_above_imports_mb": round(grown, 1),
        "cached_wall_s": round(cached.wall, 3),
        "peers": {peer.name: {"wall_s": round(peer.wall, 3), "cpu_ms_per_call": round(peer.cpu, 3)} for peer in peers},
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
        unit = build_unit(messages=messages, model="gpt-3.5-turbo-1106")
        made = PromptVersion("benchmark", number, unit, unit_digest(unit), "", "", datetime.now(UTC))
        versions.append(made)
    return evals.Dataset.of("benchmark", rows), versions


def runner(
    base_url: str, plan: evals.Plan, dataset: evals.Dataset, known: dict[str, Any] | None = None
) -> tuple[Measured, list[evals.OutputRecord]]:
    """The calls by the runner, with a scorer; from the cache where the answers are known."""
    suite = evals.Suite.of("benchmark", dataset, [evals.scorers.Contains(text="the"), evals.scorers.Length()])
    kept = evals.Memory()

    def run() -> None:
        evals.execute(
            plan,
            suite,
            completer(Endpoint("benchmark", base_url)),
            kept,
            run_id="benchmark",
            concurrency=CONCURRENCY,
            lookup=None if known is None else lambda keys: {key: known[key] for key in keys},
        )

    measured = timed("pressmark" if known is None else "pressmark, cached", run)
    assert len(kept.records) == CALLS
    assert all(record.answer for record in kept.records)
    return measured, kept.records


async def bare(base_url: str, requests: list[dict[str, Any]]) -> None:
    """The calls by a loop over the openai client that does nothing else."""
    from openai import AsyncOpenAI

    queue = iter(requests)
    async with AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0) as client:

        async def work() -> None:
            for request in queue:
                reply = await client.chat.completions.create(**request)
                assert reply.choices[0].message.content

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


def measured_peers(base_url: str, requests: list[dict[str, Any]]) -> list[Measured]:
    """The peers that are installed beside us."""
    if importlib.util.find_spec("aiohttp") is None:
        return []
    return [timed("aiohttp", lambda: asyncio.run(bare_aiohttp(base_url, requests)))]


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
