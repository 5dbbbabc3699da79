"""A page without Jupyter: serves the built bundle and speaks a widget's messages over HTTP, so that a browser shows a
real `Workbench` over a session in memory.

`python -m tests.widgets.bridge` from the project's root prints the address; see `extension/harness/`.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import comm
from comm.base_comm import BaseComm

ROOT = Path(__file__).parents[2]
HARNESS = ROOT / "extension" / "harness"
STATIC = ROOT / "src" / "pressmark" / "widgets" / "static"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}


class PageComm(BaseComm):
    """The kernel's end of a widget's line to a page; what is sent waits in a queue for each page that listens."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.listeners: list[queue.SimpleQueue[dict[str, Any]]] = []
        super().__init__(*args, **kwargs)

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **keys: Any
    ) -> None:
        if msg_type == "comm_msg":
            message = json.loads(json.dumps(data))
            for listener in list(self.listeners):
                listener.put(message)

    def receive(self, data: dict[str, Any]) -> None:
        """Takes what a page sent."""
        self.handle_msg({"content": {"data": data}, "buffers": [], "metadata": {}})


class Turns:
    """Hands what a page sends to its widget in the order in which it was sent.

    Args:
        line: The widget's end.
    """

    def __init__(self, line: PageComm) -> None:
        self._line = line
        self._lock = threading.Lock()
        self._early: dict[int, dict[str, Any]] = {}
        self._next = 0

    def take(self, number: int, message: dict[str, Any]) -> None:
        """Takes a message, which waits for those with smaller numbers."""
        with self._lock:
            self._early[number] = message
            while (found := self._early.pop(self._next, None)) is not None:
                self._next += 1
                self._line.receive(found)


class Bridge:
    """A server with one workbench for each session that a page asks for.

    Args:
        open_workbench: Makes a workbench from the query of the page's address.
    """

    def __init__(self, open_workbench: Any) -> None:
        self.open_workbench = open_workbench
        self.workbenches: dict[str, Any] = {}
        self.turns: dict[str, Turns] = {}
        bridge = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                bridge._get(self)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                query = parse_qs(urlsplit(self.path).query)
                bridge.turns[query["id"][0]].take(int(query["number"][0]), json.loads(body))
                bridge._answer(self, b"", "text/plain")

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self) -> Bridge:
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        for workbench in self.workbenches.values():
            workbench.close()

    def _answer(self, handler: BaseHTTPRequestHandler, body: bytes, kind: str) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("Cache-Control", "no-store")
        handler.end_headers()
        handler.wfile.write(body)

    def _get(self, handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        if url.path == "/open":
            workbench = self.open_workbench(query)
            number = str(len(self.workbenches) + 1)
            self.workbenches[number] = workbench
            self.turns[number] = Turns(workbench.comm)
            self._answer(handler, json.dumps({"id": number}).encode(), "application/json")
        elif url.path == "/state":
            state = {
                name: value
                for name, value in self.workbenches[query["id"]].get_state().items()
                if not name.startswith("_") and name not in ("layout", "tabbable", "tooltip")
            }
            self._answer(handler, json.dumps(state).encode(), "application/json")
        elif url.path == "/events":
            self._stream(handler, self.workbenches[query["id"]].comm)
        else:
            name = "index.html" if url.path == "/" else url.path.lstrip("/")
            folder = STATIC if name.startswith("workbench.") else HARNESS
            path = folder / Path(name).name
            if not path.is_file():
                path = folder / "dist" / Path(name).name
            if not path.is_file():
                handler.send_error(404)
                return
            self._answer(handler, path.read_bytes(), TYPES.get(path.suffix, "application/octet-stream"))

    def _stream(self, handler: BaseHTTPRequestHandler, line: PageComm) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        messages: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        line.listeners.append(messages)
        try:
            while True:
                try:
                    text = json.dumps(messages.get(timeout=1.0))
                except queue.Empty:
                    text = ""
                handler.wfile.write(f"data: {text}\n\n".encode() if text else b": still here\n\n")
        except OSError:
            line.listeners.remove(messages)


@contextmanager
def serving(open_workbench: Any = None) -> Iterator[Bridge]:
    """A bridge, and widgets that talk to pages as long as it serves.

    Args:
        open_workbench: Makes a workbench from the query of the page's address; it can be set later, too.
    """
    before = comm.create_comm
    comm.create_comm = PageComm
    try:
        with Bridge(open_workbench) as bridge:
            yield bridge
    finally:
        comm.create_comm = before


def from_query(query: dict[str, str]) -> Any:
    """A workbench over the session that a page's address describes."""
    from pressmark.widgets import Workbench

    from .session import MemorySession

    session = MemorySession(
        prompts=query.get("prompts", "1") == "1",
        rows=int(query.get("rows", "240")),
        registry=query.get("registry", "connected"),
        delay=float(query.get("delay", "0")),
        finished_run=query.get("run", "1") == "1",
        hostile=query.get("hostile", "0") == "1",
        stops_at=int(query["stops_at"]) if "stops_at" in query else None,
        refuses=query.get("refuses", ""),
        name=query.get("name", "support/triage"),
    )
    if "withhold" in query:
        session.withheld.append(query["withhold"])
    workbench = Workbench(session, query.get("prompt"), panel=query.get("panel", "draft"))
    workbench.settle()
    return workbench


if __name__ == "__main__":
    with serving(from_query) as bridge:
        print(bridge.url, flush=True)
        bridge.thread.join()
