"""Run the practice model: in the foreground for the command line, or beside a test or a notebook."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pressmark.errors import PressmarkError

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette

_START_SECONDS = 15.0


def create_app(latency_ms: float = 60) -> Starlette:
    """Make the practice model's ASGI application.

    Args:
        latency_ms: How long an answer takes on average.

    Returns:
        The application.

    Raises:
        ImportError: Starlette is not installed.
        ValueError: The latency is negative.
    """
    from pressmark.providers.practice.app import create_app as create

    return create(latency_ms)


def serve(host: str = "127.0.0.1", port: int = 8901, latency_ms: float = 60) -> None:
    """Serve the practice model until interrupted; prints one line with its address.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 picks a free one.
        latency_ms: How long an answer takes on average.

    Raises:
        ImportError: Starlette or uvicorn is not installed.
        PressmarkError: The port cannot be used.
        ValueError: The latency is negative.
    """
    with _listening(host, port) as listener:
        server = _server(create_app(latency_ms))
        print(f"Practice model at {_address(host, listener)} (no key needed; stop with Ctrl-C)", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


@contextlib.contextmanager
def running(port: int = 0, latency_ms: float = 0) -> Iterator[str]:
    """Serve the practice model in a thread of this process while the block runs.

    Args:
        port: Port to listen on; 0 picks a free one.
        latency_ms: How long an answer takes on average.

    Yields:
        The base URL for an OpenAI client, such as `http://127.0.0.1:49153/v1`.

    Raises:
        ImportError: Starlette or uvicorn is not installed.
        PressmarkError: The port cannot be used, or the server does not come up.
        ValueError: The latency is negative.
    """
    with _listening("127.0.0.1", port) as listener:
        server = _server(create_app(latency_ms))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="practice-model", daemon=True)
        thread.start()
        try:
            _wait_until_started(server, thread)
            yield _address("127.0.0.1", listener)
        finally:
            server.should_exit = True
            thread.join(timeout=_START_SECONDS)


def base_url() -> str:
    """Return where the practice model is: the one that `PRESSMARK_PRACTICE_URL` names, as in the lab, else its own.

    The latter is served by a thread of this process, from the first call until the process ends.

    Raises:
        ImportError: Starlette or uvicorn is not installed.
        PressmarkError: The server does not come up.
    """
    return os.environ.get("PRESSMARK_PRACTICE_URL") or _of_this_process()


@functools.cache
def _of_this_process() -> str:
    serving = contextlib.ExitStack()
    atexit.register(serving.close)
    return serving.enter_context(running())


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP so that asyncio sends small answers at once (it sets TCP_NODELAY on nothing else).
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except (OSError, OverflowError) as error:
            raise PressmarkError(
                f"The practice model cannot listen on {host}:{port} ({error}): another program may hold that port. "
                "Choose another one, or 0 for any that is free.",
                host=host,
                port=port,
            ) from error
        listener.listen(2048)
        yield listener


def _address(host: str, listener: socket.socket) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}/v1"


def _server(app: Starlette) -> uvicorn.Server:
    try:
        import uvicorn
    except ImportError as error:
        raise ImportError(
            "The practice model needs uvicorn, which is not installed: pip install 'pressmark[workbench]'",
            name="uvicorn",
        ) from error
    # Whoever stops the server wants it gone: a stream that is still read ends with it after a second.
    return uvicorn.Server(
        uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1, ws="none")
    )


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise PressmarkError(
                f"The practice model did not come up within {_START_SECONDS:g} s; its log above says why. Try again."
            )
        time.sleep(0.005)
