"""Which store a request acts on, and as whom: what every module of routes asks for."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Header, Path, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from pressmark.errors import RegistryError
from pressmark.registry.bearers import Bearers
from pressmark.registry.feed import Feed
from pressmark.registry.store import Store


class State:
    """What belongs to one application while it runs."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.feed: Feed | None = None
        self.bearers: Bearers | None = None

    def following(self) -> tuple[Feed, Bearers]:
        """Return what follows the store.

        Raises:
            RegistryError: The application has not started yet, or has stopped.
        """
        if self.feed is None or self.bearers is None or self.feed.closed:
            raise RegistryError("the registry is starting or stopping: try again", status=503, code="unavailable")
        return self.feed, self.bearers

    def close_streams(self) -> None:
        """Let every open stream end, so that a stop need not wait for it."""
        if self.feed is not None:
            self.feed.close()


def acting(
    request: Request,
    _: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))] = None,
) -> Store:
    """Return the store as the bearer of the request's token may see and change it; for routers handed in, too."""
    running: State = request.app.state.pressmark
    principal = running.following()[1].principal(request.headers.get("authorization"))
    return running.store.acting_as(principal)


Acting = Annotated[Store, Depends(acting)]
Name = Annotated[str, Path(min_length=1, max_length=200, description="The prompt's name; it may hold slashes")]
Label = Annotated[str, Path(min_length=1, max_length=36)]
Ref = Annotated[str, Path(min_length=1, max_length=80, description="`v3`, a label or a digest")]
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=255)]
IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=40)]
IfNoneMatch = Annotated[Literal["*"] | None, Header(alias="If-None-Match")]
Seq = Annotated[int | None, Query(ge=0, le=2**53)]
