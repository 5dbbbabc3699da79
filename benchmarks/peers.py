"""Other products' clients, run unmodified against a server here, where their packages can be imported."""

from __future__ import annotations

import json
import subprocess
from typing import Any

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


def langfuse_read(python: str) -> dict[str, Any]:
    """Langfuse's cached read, compile and import, by that Python; empty where it is not installed."""
    done = subprocess.run([python, "-c", _LANGFUSE], check=False, capture_output=True, text=True, timeout=120)
    if done.returncode != 0 or not done.stdout.strip():
        return {"langfuse": {}} if "langfuse" in done.stderr else {}
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told
