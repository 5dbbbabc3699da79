"""Running a registry's server: from the command line until a signal, or in a thread for tests and notebooks."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import APIRouter, FastAPI

from pressmark.errors import RegistryError
from pressmark.registry.server import create_app
from pressmark.registry.store import Store

GRACE: Final = 1
"""Seconds that requests under way get to end when the server stops."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs.

    Attributes:
        url: Where it listens.
        token: An admin's token; None where the store had tokens already, since a secret is told only once.
        store: The store behind it.
    """

    url: str
    token: str | None
    store: Store


def serve(
    store: str | Path,
    host: str = "127.0.0.1",
    port: int = 8765,
    *,
    routers: Sequence[APIRouter] = (),
    on_ready: Callable[[Running], None] | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Serve a registry until SIGTERM or SIGINT; return when everything is closed, within 2 s.

    Where the store has no token yet, a first admin token is made and said once. It can never be seen again.

    Args:
        store: `sqlite:///file`, a file's path, or `postgresql://…`; an empty or new one is made ready.
        host: Where to listen.
        port: Where to listen; 0 for any free one.
        routers: What else to serve.
        on_ready: Called when it answers requests.
        say: Takes the lines for whoever started it.

    Raises:
        RegistryError: The store cannot be opened, or the port is taken.
    """
    opened = Store(store)
    try:
        listening = _listen(host, port)
        try:
            running = Running(_url(listening), _first_token(opened), opened)
            if running.token is not None:
                say(f"First admin token, shown this once: {running.token}")
            say(f"Pressmark registry of {opened.where}: {running.url}")
            server = _Server(create_app(opened, routers), on_ready=lambda: on_ready(running) if on_ready else None)
            server.run(sockets=[listening])
        finally:
            listening.close()
    finally:
        opened.close()


@contextmanager
def running(
    store: str | Path | Store, host: str = "127.0.0.1", port: int = 0, *, routers: Sequence[APIRouter] = ()
) -> Iterator[Running]:
    """Serve a registry in a thread of this process while the block runs.

    Args:
        store: Its address, or an open store, which is left open.
        host: Where to listen.
        port: Where to listen; 0 for any free one.
        routers: What else to serve.

    Raises:
        RegistryError: The store cannot be opened, or the port is taken.
    """
    opened = store if isinstance(store, Store) else Store(store)
    listening = _listen(host, port)
    ready = threading.Event()
    server = _Server(create_app(opened, routers), on_ready=ready.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="pressmark-server", daemon=True)
    try:
        token = _first_token(opened)
        thread.start()
        while not ready.wait(0.05):
            if not thread.is_alive():
                raise RegistryError("the registry's server did not start; its log says why")
        yield Running(_url(listening), token, opened)
    finally:
        server.should_exit = True
        if thread.ident is not None:
            thread.join(timeout=10)
        listening.close()
        if opened is not store:
            opened.close()


class _Server(uvicorn.Server):
    def __init__(self, app: FastAPI, *, on_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=GRACE,
                timeout_keep_alive=75,
                server_header=False,
                ws="none",
            )
        )
        self._app = app
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.pressmark.close_streams()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn raises a signal again once it has stopped; here a stop that was asked for is a success.
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
        )[0]
        # With the protocol named, asyncio sets TCP_NODELAY on what is accepted; without it a small answer on a
        # connection that is kept open waits 40 ms for an acknowledgement.
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise RegistryError(
            f"{host!r} is no address to listen on ({error.strerror or error}): try 127.0.0.1"
        ) from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listening.bind(address)
        listening.listen(1024)
    except OSError as error:
        listening.close()
        raise RegistryError(
            f"cannot listen on {host}:{port} ({error.strerror}): stop what listens there, or choose another port",
            code="port_taken",
        ) from error
    return listening


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    # "Any address" is none that a client can use.
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 - read, not bound
    return f"http://{reachable}:{port}"


def _first_token(store: Store) -> str | None:
    if store.tokens():
        return None
    return store.create_token("admin", "admin").secret
