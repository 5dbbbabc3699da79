"""From a move at the registry to the client of another process having it: `python -m benchmarks.loop`.

Three processes on loopback: the registry, a service with a `pm.Client`, and this one, which moves a label over HTTP and
waits for the service to say when it had the new version (one monotonic clock serves all processes of a machine). Beside
it, in the same run, the floor: a bare HTTP round trip on a connection that is kept open.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pressmark.prompts.canonical import unit_bytes
from pressmark.registry.remote import Remote
from pressmark.registry.values import Move
from pressmark.rendering import build_unit

NAME = "team/prompt-0"

REGISTRY = """
import sys
from pressmark.registry.serving import serve
serve(sys.argv[1], port=0, say=lambda line: print(line, flush=True))
"""

SERVICE = """
import sys, time, pressmark as pm
out = sys.stdout
def changed(name, label, prompt):
    out.write(f"{prompt.seq} {time.monotonic_ns()}\\n")
    out.flush()
client = pm.Client(sys.argv[1], sys.argv[2], snapshot_dir=sys.argv[3] or False, on_change=changed)
while client.status().state != "live":
    time.sleep(0.01)
out.write("ready\\n")
out.flush()
sys.stdin.read()
client.close()
"""

FLOOR = """
import asyncio
async def answer(reader, writer):
    while await reader.readuntil(b"\\r\\n\\r\\n"):
        writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n{}")
async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


@contextmanager
def python(code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a piece of Python in a process of its own while the block runs."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def line(process: subprocess.Popen[str]) -> str:
    """The next line that the process prints."""
    assert process.stdout is not None
    told = process.stdout.readline()
    if not told:
        raise RuntimeError("a process of the benchmark ended before its time")
    return told


def registry_address(process: subprocess.Popen[str]) -> tuple[str, str]:
    """The URL and the first admin token that a new registry prints."""
    url = token = ""
    while not (url and token):
        told = line(process)
        url = url or (re.search(r"http://[\d.:]+", told) or [""])[0]
        token = token or (re.search(r"pm_[\w-]+", told) or [""])[0]
    return url, token


def floor(count: int) -> list[float]:
    """Milliseconds of bare round trips."""
    took = []
    with python(FLOOR) as server:
        connection = http.client.HTTPConnection("127.0.0.1", int(line(server)))
        for _ in range(count):
            began = time.monotonic_ns()
            connection.request("GET", "/")
            connection.getresponse().read()
            took.append((time.monotonic_ns() - began) / 1e6)
        connection.close()
    return took


def prepared(remote: Remote, prompts: int) -> None:
    """Publish two versions of one prompt and one of each other, all of them in production."""
    for number in range(prompts):
        for wording in ("Sort", "Sort with care") if number == 0 else ("Sort",):
            text = f"{wording} {{{{ text }}}} ({number})\n" + "Answer with one category. " * 20
            unit = build_unit(messages=[{"role": "user", "content": text}], model="practice-1")
            remote.publish(f"team/prompt-{number}", unit_bytes(unit), message="a version", reason="benchmark")
    for start in range(0, prompts, 50):
        moves = [
            Move(f"team/prompt-{number}", "production", "v1", None) for number in range(start, min(start + 50, prompts))
        ]
        remote.moves(moves, reason="benchmark")


def measure(moves: int, prompts: int, *, snapshot: bool) -> dict[str, float]:
    """Move a label back and forth; return percentiles in milliseconds."""
    with tempfile.TemporaryDirectory() as folder, python(REGISTRY, str(Path(folder) / "registry.db")) as server:
        url, token = registry_address(server)
        remote = Remote(url, token)
        prepared(remote, prompts)
        with python(SERVICE, url, token, str(Path(folder) / "kept") if snapshot else "") as service:
            while line(service) != "ready\n":
                pass
            from_start, from_answer = [], []
            for number in range(moves):
                now, then = ("v1", "v2") if number % 2 == 0 else ("v2", "v1")
                began = time.monotonic_ns()
                entry = remote.move(NAME, label="production", to=then, reason="benchmark", expected=now)
                answered = time.monotonic_ns()
                seq, had = (int(part) for part in line(service).split())
                assert seq == entry.seq, f"the service had entry {seq}, and {entry.seq} was moved"
                from_start.append((had - began) / 1e6)
                from_answer.append((had - answered) / 1e6)
        remote.close()
    return {
        "p50_ms": statistics.median(from_start),
        "p99_ms": _p99(from_start),
        "after_answer_p50_ms": statistics.median(from_answer),
        "after_answer_p99_ms": _p99(from_answer),
    }


def _p99(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--moves", type=int, default=200)
    parser.add_argument("--prompts", type=int, default=500, help="size of the larger subscription")
    asked = parser.parse_args()
    bare = floor(max(asked.moves, 200))
    figures: dict[str, Any] = {
        "benchmark": "loop",
        "moves": asked.moves,
        "floor": {"p50_ms": statistics.median(bare), "p99_ms": _p99(bare)},
        "one_prompt": measure(asked.moves, 1, snapshot=True),
        "one_prompt_no_snapshot": measure(asked.moves, 1, snapshot=False),
        "many_prompts": {"prompts": asked.prompts, **measure(asked.moves, asked.prompts, snapshot=True)},
    }
    print(f"{'move sent to client has it, ms':34} {'p50':>8} {'p99':>8}")
    for key, what in (
        ("floor", "floor: bare HTTP round trip"),
        ("one_prompt", "1 prompt"),
        ("one_prompt_no_snapshot", "1 prompt, no snapshot file"),
        ("many_prompts", f"{asked.prompts} prompts"),
    ):
        print(f"{what:34} {figures[key]['p50_ms']:8.2f} {figures[key]['p99_ms']:8.2f}")
    print(json.dumps(_rounded(figures)))


def _rounded(figures: Any) -> Any:
    if isinstance(figures, dict):
        return {key: _rounded(value) for key, value in figures.items()}
    return round(figures, 3) if isinstance(figures, float) else figures


if __name__ == "__main__":
    main()
