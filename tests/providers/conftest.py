"""What the tests of endpoints share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from .scripted import Reply, Request, Server


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[Request], Reply] | Reply], Server]]:
    """Start servers that answer as scripted, or always the same."""
    running: list[Server] = []

    def start(reply: Callable[[Request], Reply] | Reply) -> Server:
        running.append(Server((lambda request: reply) if isinstance(reply, Reply) else reply))
        return running[-1]

    yield start
    for server in running:
        server.close()
