"""A registry in memory that speaks what clients read over real HTTP, and fails on demand.

`Book` keeps the history and gives the answers at any position of it; `Simulator` serves a book. A fault is asked for by
setting `simulator.fault["sync"]` or `["events"]`:

- `hang`: accepts and never answers;          - `500`, `401`, …: that status with an error body;
- `retry`: 503 with Retry-After;               - `cut`: closes in the middle of the answer;
- `garbage`: bytes that are no answer;         - `html`: a page of some other server;
- `stale`: the answer of an older position (`simulator.stale_seq`);   - `flip`: one byte of each unit altered.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


def unit_text(text: str = "Sort this message: {{ text }}", **parts: Any) -> str:
    """The canonical text of a small unit; other parts are given as keywords."""
    names = parts.pop("declared", ["text"] if "{{ text }}" in text else [])
    told = {
        "format": 1,
        "template": {"messages": [{"role": "user", "content": text}]},
        "variables": {name: {"type": "string"} for name in names},
        "model": "practice-1",
        "params": {"temperature": 0},
        **parts,
    }
    return json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def digest_of(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


class Book:
    """The history of a registry: entries, each with the pointers that it moved."""

    def __init__(self, registry: str = "reg-1", epoch: int = 1) -> None:
        self.registry = registry
        self.epoch = epoch
        self.entries: list[list[dict[str, Any]]] = []
        self.units: dict[str, str] = {}
        self.numbers: dict[str, list[str]] = {}

    @property
    def seq(self) -> int:
        return len(self.entries)

    def put(self, *moves: tuple[str, str, str | None]) -> int:
        """Move labels together: (name, label, unit text), None to remove; return the entry's sequence number."""
        seq = self.seq + 1
        pointers = []
        for name, label, text in moves:
            targets = []
            if text is not None:
                digest = digest_of(text)
                self.units[digest] = text
                versions = self.numbers.setdefault(name, [])
                if digest not in versions:
                    versions.append(digest)
                targets = [{"version": f"v{versions.index(digest) + 1}", "digest": digest, "weight": 1}]
            pointers.append({"name": name, "label": label, "seq": seq, "targets": targets})
        self.entries.append(pointers)
        return seq

    def other(self) -> int:
        """Add an entry that moves nothing."""
        self.entries.append([])
        return self.seq

    def at(self, seq: int) -> dict[tuple[str, str], dict[str, Any]]:
        """The pointers as they stood after an entry."""
        state: dict[tuple[str, str], dict[str, Any]] = {}
        for pointers in self.entries[:seq]:
            for pointer in pointers:
                state[pointer["name"], pointer["label"]] = pointer
        return state

    def position(self, seq: int) -> dict[str, Any]:
        return {"registry": self.registry, "epoch": self.epoch, "seq": seq}

    def sync(self, labels: list[str], seq: int | None = None, *, tombstones: bool = True) -> dict[str, Any]:
        """The answer of `GET /v1/sync` at a position."""
        seq = self.seq if seq is None else seq
        pointers = [p for p in self.at(seq).values() if p["label"] in labels and (p["targets"] or tombstones)]
        return {
            "wire": 1,
            "position": self.position(seq),
            "scope": "scope-" + "-".join(labels),
            "full": True,
            "head": {"seq": seq, "hash": "…"},
            "pointers": pointers,
            "units": self._bodies(pointers),
        }

    def event(self, seq: int, labels: list[str]) -> dict[str, Any] | None:
        """The data of the `move` event of an entry, or None where the subscription is not concerned."""
        pointers = [p for p in self.entries[seq - 1] if p["label"] in labels]
        if not pointers:
            return None
        return {**self.position(seq), "kind": "move", "pointers": pointers, "units": self._bodies(pointers)}

    def head(self, seq: int | None = None) -> dict[str, Any]:
        return {**self.position(self.seq if seq is None else seq), "head": "…", "at": "2026-01-01T00:00:00Z"}

    def restored(self, seq: int) -> Book:
        """The same registry, restored to an older entry: a new epoch."""
        book = Book(self.registry, self.epoch + 1)
        book.entries = list(self.entries[:seq])
        book.units = self.units
        book.numbers = {name: list(versions) for name, versions in self.numbers.items()}
        return book

    def _bodies(self, pointers: list[dict[str, Any]]) -> dict[str, str]:
        return {t["digest"]: self.units[t["digest"]] for pointer in pointers for t in pointer["targets"]}


class Simulator:
    """Serves a book; the test changes `book`, `fault` and `heartbeat` while it runs."""

    def __init__(self, token: str = "pm_good") -> None:
        self.book = Book()
        self.token = token
        self.fault: dict[str, str] = {}
        self.stale_seq = 0
        self.heartbeat = 0.2
        self.retry_after = "1"
        self.requests: list[tuple[str, dict[str, list[str]], dict[str, str]]] = []
        self.news = threading.Condition()
        self.port = 0
        self._server: _Server | None = None
        self.up()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> None:
        self._server = _Server(("127.0.0.1", self.port), self)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def down(self) -> None:
        """Stop as a killed process does: the port is closed and every connection cut."""
        server, self._server = self._server, None
        if server is not None:
            server.stopping.set()
            server.shutdown()
            server.server_close()
            server.cut()
            with self.news:
                self.news.notify_all()

    def put(self, *moves: tuple[str, str, str | None]) -> int:
        with self.news:
            seq = self.book.put(*moves)
            self.news.notify_all()
        return seq

    def cut_streams(self) -> None:
        """Cut every connection and go on serving."""
        if self._server is not None:
            self._server.cut()

    def count(self, path: str) -> int:
        return sum(1 for asked, _, _ in list(self.requests) if asked == path)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], simulator: Simulator) -> None:
        self.simulator = simulator
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def cut(self) -> None:
        with self._lock:
            opened = list(self._open)
        for one in opened:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that goes away is what these tests are about


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    disable_nagle_algorithm = True

    def log_message(self, format: str, *arguments: Any) -> None:
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query, simulator = parse_qs(parts.query), self.server.simulator
        simulator.requests.append((parts.path, query, {k.lower(): v for k, v in self.headers.items()}))
        kind = {"/v1/sync": "sync", "/v1/events": "events"}.get(parts.path)
        if kind is None:
            self._answer(404, json.dumps({"detail": "Not Found"}).encode())
            return
        fault = simulator.fault.get(kind, "")
        if fault in _FAULTS:
            _FAULTS[fault](self)
        elif fault.isdigit():
            self._error(int(fault))
        elif self.headers.get("Authorization") != f"Bearer {simulator.token}":
            self._error(401)
        elif kind == "sync":
            self._sync(query, fault)
        else:
            self._events(query, fault)

    def _sync(self, query: dict[str, list[str]], fault: str) -> None:
        simulator = self.server.simulator
        told = simulator.book.sync(query["label"], simulator.stale_seq if fault == "stale" else None)
        if fault == "flip":
            told["units"] = {digest: _flipped(text) for digest, text in told["units"].items()}
        body = gzip.compress(json.dumps(told, ensure_ascii=False).encode(), 1)
        position = told["position"]
        etag = f'"{position["registry"]}-{position["epoch"]}-{position["seq"]}"'
        if fault == "cut":
            self._answer(200, body[: len(body) // 2], length=len(body), etag=etag, encoding="gzip")
            self.close_connection = True
        elif self.headers.get("If-None-Match") == etag:
            self.send_response(304)
            self.send_header("ETag", etag)
            self.end_headers()
        else:
            self._answer(200, body, etag=etag, encoding="gzip")

    def _events(self, query: dict[str, list[str]], fault: str) -> None:
        simulator = self.server.simulator
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        book, after = simulator.book, int(query["after"][0])
        if query.get("epoch", [str(book.epoch)])[0] != str(book.epoch) or after > book.seq:
            self._chunk(_sse("resync", book.seq, {"seq": book.seq}))
            self._chunk(b"")
            return
        self._chunk(_sse("head", after, book.head(after)))
        while not self.server.stopping.is_set() and simulator.book is book:
            while after < book.seq:
                after += 1
                told = book.event(after, query["label"])
                if told is not None and fault == "flip":
                    told["units"] = {digest: _flipped(text) for digest, text in told["units"].items()}
                if told is not None:
                    self._chunk(_sse("move", after, told))
            with simulator.news:
                if after == book.seq and not simulator.news.wait(simulator.heartbeat):
                    self._chunk(_sse("head", after, book.head(after)))
        self.close_connection = True

    def _answer(
        self,
        status: int,
        body: bytes,
        *,
        length: int | None = None,
        etag: str = "",
        encoding: str = "",
        kind: str = "application/json",
        extra: dict[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in {"ETag": etag, "Content-Encoding": encoding, **(extra or {})}.items():
            if value:
                self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def _error(self, status: int, **extra: str) -> None:
        told = {"error": {"code": "injected", "message": f"an injected {status}", "hint": "take the fault away"}}
        self._answer(status, json.dumps(told).encode(), extra=extra)

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def _hang(self) -> None:
        while not self.server.stopping.wait(0.05) and "hang" in self.server.simulator.fault.values():
            pass
        self.close_connection = True

    def _retry(self) -> None:
        self._error(503, **{"Retry-After": self.server.simulator.retry_after})

    def _garbage(self) -> None:
        self.wfile.write(b"\x00\xff this is not HTTP\r\n\r\n")
        self.close_connection = True

    def _html(self) -> None:
        self._answer(200, b"<html>another server</html>", kind="text/html")


_FAULTS = {"hang": _Handler._hang, "retry": _Handler._retry, "garbage": _Handler._garbage, "html": _Handler._html}


def _flipped(text: str) -> str:
    return text.replace("Sort", "Sorb", 1) if "Sort" in text else text + " "


def _sse(kind: str, seq: int, data: dict[str, Any]) -> bytes:
    return f"event: {kind}\nid: {seq}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def until(condition: Any, what: str, seconds: float = 10.0) -> None:
    """Wait for a condition; fail in words when it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s still not: {what}")
        time.sleep(0.005)
