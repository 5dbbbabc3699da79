"""The paths under `/pressmark/api/`, behind Jupyter's own authentication and authorization; all of them only read."""

from __future__ import annotations

import json
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

from pressmark.errors import InvalidNameError, NotFoundError, PressmarkError
from pressmark.sidepanel.source import Source, fault


def routes(base_url: str, source: Source) -> list[tuple[str, type[APIHandler], dict[str, Any]]]:
    """Return what the Jupyter server has to serve.

    Args:
        base_url: What every path of the server begins with.
        source: Who answers.
    """
    given = {"source": source}
    api = url_path_join(base_url, "pressmark", "api")
    return [
        (url_path_join(api, "registry"), RegistryState, given),
        (url_path_join(api, "versions"), PromptVersions, given),
    ]


class _Reading(APIHandler):
    """What the routes share."""

    auth_resource = "pressmark"

    def initialize(self, source: Source) -> None:
        super().initialize()
        self.source = source

    def answer(self, told: dict[str, Any], status: int = 200) -> None:
        """Send JSON that no cache keeps."""
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(told, ensure_ascii=False))


class RegistryState(_Reading):
    """How the registry is, and its prompts where they changed since `seen`."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer; every state of the registry is 200, since the panel shows each."""
        self.answer(await self.source.state(self.get_query_argument("seen", None)))


class PromptVersions(_Reading):
    """The versions and labels of the prompt `name`."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer; errors are `{"error": {message, hint}}`."""
        try:
            self.answer(await self.source.versions(self.get_query_argument("name", "")))
        except PressmarkError as error:
            self.answer({"error": fault(error)}, _status(error))


def _status(error: PressmarkError) -> int:
    # Never the registry's own 401 or 403: the page would take it for Jupyter's, and ask for another login.
    return 400 if isinstance(error, InvalidNameError) else 404 if isinstance(error, NotFoundError) else 502
