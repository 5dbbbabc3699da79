"""Other products, run unmodified against a server here, where they are installed.

`make peers` installs them into `.peers/`, apart from all that is ours: Python ones in a virtual environment, promptfoo
beside it. A peer that is missing there is left out of a benchmark's table.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

PEERS = Path(__file__).resolve().parents[1] / ".peers"
PYTHON = PEERS / "bin" / "python"
PROMPTFOO = PEERS / "node_modules" / ".bin" / "promptfoo"

_INSPECT = """
import json, sys
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessageSystem, ChatMessageUser, GenerateConfig, get_model
from inspect_ai.scorer import includes
from inspect_ai.solver import generate

told = json.load(open(sys.argv[1]))
samples = [
    Sample(input=[ChatMessageSystem(content=system), ChatMessageUser(content=row)], target="the")
    for row in told["rows"] for system in told["systems"]
]
model = get_model("openai/" + told["model"], base_url=told["base_url"], api_key="none", responses_api=False,
                  config=GenerateConfig(max_connections=told["concurrency"]))
(log,) = eval(Task(dataset=samples, solver=generate(), scorer=includes(), epochs=told["repeats"]), model=model,
              display="none", log_dir=sys.argv[2], max_samples=told["concurrency"])
assert log.status == "success", log.error
print(json.dumps({"samples": log.results.completed_samples}))
"""


class Timed(NamedTuple):
    """A peer's whole process: seconds on the wall and of CPU, children of it included."""

    wall: float
    cpu: float


def inspect_run(base_url: str, work: Mapping[str, Any]) -> Timed | None:
    """The calls by Inspect AI, with a scorer and its log; None where it is not installed.

    Args:
        base_url: The endpoint.
        work: `model`, `systems`, `rows`, `repeats` and `concurrency`.
    """
    if not PYTHON.exists() or subprocess.run([PYTHON, "-c", "import inspect_ai"], check=False).returncode:
        return None
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "work.json"
        told.write_text(json.dumps({**work, "base_url": base_url}))
        return _timed([str(PYTHON), "-c", _INSPECT, str(told), folder], folder)


def promptfoo_run(base_url: str, work: Mapping[str, Any]) -> Timed | None:
    """The calls by promptfoo, with an assertion and its records; None where it is not installed. As for Inspect AI."""
    if not PROMPTFOO.exists():
        return None
    with tempfile.TemporaryDirectory() as folder:
        config = {
            "prompts": [
                json.dumps([{"role": "system", "content": system}, {"role": "user", "content": "{{row}}"}])
                for system in work["systems"]
            ],
            "providers": [{"id": f"openai:chat:{work['model']}", "config": {"apiBaseUrl": base_url, "apiKey": "none"}}],
            # As JSON strings without their quotes: promptfoo puts them into the messages' JSON as they are.
            "tests": [
                {"vars": {"row": json.dumps(row)[1:-1]}, "assert": [{"type": "contains", "value": "the"}]}
                for row in work["rows"]
            ],
        }
        (Path(folder) / "promptfooconfig.json").write_text(json.dumps(config))
        command = [
            str(PROMPTFOO),
            "eval",
            "-c",
            "promptfooconfig.json",
            "--no-cache",
            "--no-progress-bar",
            "--no-table",
        ]
        counts = ["-j", str(work["concurrency"]), "--repeat", str(work["repeats"])]
        return _timed([*command, *counts], folder, accepted=(0, 100))  # 100: some assertions failed


def _timed(command: Sequence[str], folder: str, accepted: Sequence[int] = (0,)) -> Timed:
    quiet = {
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "PROMPTFOO_DISABLE_UPDATE": "1",
        "PROMPTFOO_DISABLE_REMOTE_GENERATION": "1",
        "PROMPTFOO_CONFIG_DIR": folder,
        "HOME": folder,
    }
    before, began = os.times(), time.perf_counter()
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=folder, env=os.environ | quiet, timeout=300
    )
    wall, after = time.perf_counter() - began, os.times()
    if done.returncode not in accepted:
        raise RuntimeError(
            f"{Path(command[0]).name} ended with {done.returncode}: {done.stderr[-2000:] or done.stdout[-2000:]}"
        )
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Timed(wall, cpu)


_LANGFUSE = """
import importlib.util, json, logging, sys, threading, time
if importlib.util.find_spec("langfuse") is None:
    print("{}")
    sys.exit()
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PROMPT = {"type": "chat", "name": "p", "version": 1, "config": {}, "labels": ["production"], "tags": [],
          "commitMessage": "", "resolutionGraph": None,
          "prompt": [{"role": "system", "content": "Sort {{categories}}"}, {"role": "user", "content": "{{text}}"}]}

class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = json.dumps(PROMPT).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_POST = do_GET
    def log_message(self, *arguments):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
threading.Thread(target=server.serve_forever, daemon=True).start()
logging.disable(logging.CRITICAL)
began = time.perf_counter()
import langfuse
imported = time.perf_counter() - began
client = langfuse.Langfuse(public_key="pk-x", secret_key="sk-x", host=f"http://127.0.0.1:{server.server_address[1]}",
                           tracing_enabled=False)
read = lambda: client.get_prompt("p", type="chat", cache_ttl_seconds=3600)
prompt = read()
def cost(call, count):
    began = time.thread_time()
    for _ in range(count):
        call()
    return (time.thread_time() - began) / count * 1e9
read_ns = sorted(cost(read, 20_000) for _ in range(5))[2]
compile_us = sorted(cost(lambda: prompt.compile(categories="a, b", text="x"), 3_000) for _ in range(5))[2] / 1000
told = {"get_ns": round(read_ns), "request_us": round(compile_us, 2), "import_ms": round(imported * 1000)}
print(json.dumps({"langfuse": told}), flush=True)
import os
os._exit(0)
"""


def langfuse_read(python: str | Path) -> dict[str, Any]:
    """Langfuse's cached read, compile and import, by that Python; empty where it is not installed."""
    done = subprocess.run([str(python), "-c", _LANGFUSE], check=False, capture_output=True, text=True, timeout=120)
    if done.returncode != 0 or not done.stdout.strip():
        return {"langfuse": {}} if "langfuse" in done.stderr else {}
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told
