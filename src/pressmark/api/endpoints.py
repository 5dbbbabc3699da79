"""Endpoints of a workspace: where models are reached, and which one is meant."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

from pressmark.api.opened import Opened
from pressmark.errors import EndpointNotFoundError
from pressmark.providers import Endpoint, Transport, default_endpoint

if TYPE_CHECKING:
    from pressmark.workspace import SavedEndpoint


class Endpoints(Opened):
    """What is done with endpoints."""

    def endpoint(
        self,
        name: str,
        *,
        base_url: str | None = None,
        key_env: str | None = None,
        rpm: float | None = None,
        tpm: float | None = None,
        transport: Transport = "httpx2",
    ) -> Endpoint:
        """Keep where a model is reached, or return what is kept under the name.

        Args:
            name: What to call it.
            base_url: Its address, such as `https://host/v1`; without one, what is kept under the name is returned.
            key_env: The *name* of the environment variable that holds its key. The key itself is never kept.
            rpm: Requests that it takes a minute; runs keep to it.
            tpm: Tokens that it takes a minute, in and out together; runs keep to it.
            transport: What makes the connections: `httpx2`, or `aiohttp`, which takes less of the processor where many
                calls are under way and needs the extra of that name.

        Raises:
            EndpointError: An argument is malformed, or looks like a key.
            EndpointNotFoundError: Nothing is kept under the name.
        """
        if base_url is None:
            kept = self.store.endpoint(name)
        else:
            given = Endpoint(name, base_url, key_env, rpm, tpm, transport)
            kept = self.store.save_endpoint(name, base_url, key_env, rpm=rpm, tpm=tpm, transport=given.transport)
            self.changes.tell("catalog")
        return _endpoint(kept)

    def endpoints(self) -> list[Endpoint]:
        """Return every endpoint that is kept, and the one that the environment names, where it names one."""
        kept = [_endpoint(saved) for saved in self.store.endpoints()]
        named = os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_KEY")
        if named and "default" not in {endpoint.name for endpoint in kept}:
            kept.append(default_endpoint())
        return kept

    def choose_endpoint(self, endpoint: str | Endpoint | None) -> Endpoint:
        """Return the endpoint that is meant; without a name, the only one there is.

        Raises:
            EndpointNotFoundError: There is none of that name, or none or several to choose from.
        """
        if isinstance(endpoint, Endpoint):
            return endpoint
        known = self.endpoints()
        if endpoint is not None:
            for candidate in known:
                if candidate.name == endpoint:
                    return candidate
            return self.endpoint(endpoint)
        if len(known) == 1:
            return known[0]
        if known:
            names = ", ".join(candidate.name for candidate in known)
            raise EndpointNotFoundError(f"there are several endpoints ({names}): say which one, endpoint='…'")
        raise EndpointNotFoundError(
            "there is no endpoint to ask: make one with ws.endpoint('local', base_url='http://…/v1', key_env='…'),"
            " or set OPENAI_API_KEY. `pressmark practice-model` serves one that needs no key"
        )


def _endpoint(kept: SavedEndpoint) -> Endpoint:
    transport = cast("Transport", kept.transport or "httpx2")
    return Endpoint(kept.name, kept.base_url, kept.key_env, kept.rpm, kept.tpm, transport)
