"""What a read in production costs: `python -m benchmarks.read`.

Measured side by side in one run, since absolute figures drift: a dictionary read through a function (the floor),
`get()` from one thread and from eight, `request()`, and the import over bare Python. One thread's figures are processor
time, so that a busy machine does not blur them. Peers are measured in the same run where their packages can be
imported: by this Python, or by the one that PRESSMARK_PEERS_PYTHON names.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pressmark as pm
from benchmarks.peers import PYTHON, langfuse_read
from pressmark.prompts.canonical import unit_bytes
from pressmark.registry.remote import Remote
from pressmark.registry.serving import running
from pressmark.rendering import build_unit

NAMES = [f"team/prompt-{number}" for number in range(100)]
IMPORT = "import pressmark; pressmark.Client"


def nanoseconds(call: Callable[[str], object], count: int = 200_000, rounds: int = 7) -> float:
    """The median over rounds of the processor time of one call, the loop's own taken off."""
    names = [NAMES[number % len(NAMES)] for number in range(count)]
    costs = []
    for _ in range(rounds):
        began = time.thread_time_ns()
        for _name in names:
            pass
        empty = time.thread_time_ns() - began
        began = time.thread_time_ns()
        for name in names:
            call(name)
        costs.append((time.thread_time_ns() - began - empty) / count)
    return statistics.median(costs)


def from_threads(call: Callable[[str], object], threads: int = 8, seconds: float = 1.0) -> tuple[float, float]:
    """Reads a second in total, and the 99th percentile of one read in microseconds (every 50th is timed)."""
    counts = [0] * threads
    timed: list[list[int]] = [[] for _ in range(threads)]
    over = threading.Event()
    gate = threading.Barrier(threads + 1)

    def read(place: int) -> None:
        mine, count = timed[place], 0
        gate.wait()
        while not over.is_set():
            for name in NAMES[:49]:
                call(name)
            began = time.perf_counter_ns()
            call(NAMES[49])
            mine.append(time.perf_counter_ns() - began)
            count += 50
        counts[place] = count

    readers = [threading.Thread(target=read, args=(place,)) for place in range(threads)]
    for reader in readers:
        reader.start()
    gate.wait()
    began = time.perf_counter()
    time.sleep(seconds)
    over.set()
    for reader in readers:
        reader.join()
    took = time.perf_counter() - began
    every = sorted(one for mine in timed for one in mine)
    return sum(counts) / took, every[int(len(every) * 0.99)] / 1000


def import_cost(rounds: int) -> dict[str, float]:
    """Milliseconds of bare Python, and what the import adds, by the clock and in processor time.

    Medians of runs that take turns.
    """
    bare, full = [], []
    for _ in range(rounds):
        bare.append(_process("pass"))
        full.append(_process(IMPORT))
    (bare_wall, bare_cpu), (wall, cpu) = (
        [statistics.median(column) * 1000 for column in zip(*runs, strict=True)] for runs in (bare, full)
    )
    return {"bare_python_ms": bare_wall, "import_ms": wall - bare_wall, "import_cpu_ms": cpu - bare_cpu}


def _process(code: str) -> tuple[float, float]:
    """Run Python on the code; return the seconds that it took and those of processor time."""
    before, began = _children(), time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - began, _children() - before


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(rounds: int) -> dict[str, Any]:
    """Publish, read, and return the figures."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "registry.db") as server:
        remote = Remote(server.url, server.token)
        for name in NAMES:
            messages = [
                {"role": "system", "content": "Sort support messages into {{ categories }}. Answer with one of them."},
                {"role": "user", "content": f"{name} via {{{{ channel }}}}:\n{{{{ text }}}}"},
            ]
            unit = build_unit(messages=messages, model="practice-1", params={"temperature": 0})
            remote.publish(name, unit_bytes(unit), message="first", reason="benchmark")
            remote.move(name, label="production", to="v1", reason="benchmark", expected=None)
        with pm.Client(server.url, server.token, snapshot_dir=Path(folder) / "kept") as client:
            table = {name: client.get(name) for name in NAMES}

            def floor(name: str) -> object:
                return table[name]

            prompt = client.get(NAMES[0])
            values = {"categories": "billing, delivery", "channel": "mail", "text": "Where is my order?"}
            total, tail = from_threads(client.get)
            floor_total, floor_tail = from_threads(floor)
            figures: dict[str, Any] = {
                "floor_ns": nanoseconds(floor),
                "get_ns": nanoseconds(client.get),
                "floor_threads8_per_s": floor_total,
                "floor_threads8_p99_us": floor_tail,
                "get_threads8_per_s": total,
                "get_threads8_p99_us": tail,
                "request_us": nanoseconds(lambda name: prompt.request(**values), 5_000) / 1000,
            }
        remote.close()
    figures |= import_cost(rounds)
    figures = {key: round(value, 3) for key, value in figures.items()}
    peers = langfuse_read(PYTHON if PYTHON.exists() else sys.executable)
    return {"benchmark": "read", **figures, "peers": peers}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15, help="runs of Python for the import's cost")
    figures = measure(parser.parse_args().rounds)
    rows = [
        ("dictionary read through a function", f"{figures['floor_ns']:.0f} ns"),
        ("get(name)", f"{figures['get_ns']:.0f} ns"),
        ("floor, 8 threads", f"{figures['floor_threads8_per_s'] / 1e6:.2f} M/s, p99 {_us(figures, 'floor')}"),
        ("get, 8 threads", f"{figures['get_threads8_per_s'] / 1e6:.2f} M/s, p99 {_us(figures, 'get')}"),
        ("request(), two messages", f"{figures['request_us']:.1f} µs"),
        ("import over bare Python", f"{figures['import_ms']:.1f} ms (bare: {figures['bare_python_ms']:.1f})"),
        ("the same in processor time", f"{figures['import_cpu_ms']:.1f} ms"),
        *(
            (f"{peer}: {what}", f"{value:.3g}")
            for peer, told in figures["peers"].items()
            for what, value in told.items()
        ),
    ]
    for what, value in rows:
        print(f"{what:38} {value}")
    print(json.dumps(figures))


def _us(figures: dict[str, Any], who: str) -> str:
    return f"{figures[f'{who}_threads8_p99_us']:.1f} µs"


if __name__ == "__main__":
    main()
