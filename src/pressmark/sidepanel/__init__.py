"""The half of JupyterLab's side panel that runs in the Jupyter server.

The page asks it under `/pressmark/api/`, and it asks the registry, so that the registry's token never is in a page. It
only reads, and never opens a workspace: `extension/src/lab/` is the other half.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "pressmark.sidepanel"}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    from pressmark.sidepanel.routes import routes
    from pressmark.sidepanel.settings import PressmarkPanel
    from pressmark.sidepanel.source import Source

    settings = PressmarkPanel(parent=server)
    source = Source(settings.url, settings.token, in_environment=settings.in_environment)
    serve = routes(server.web_app.settings["base_url"], source)
    server.web_app.add_handlers(".*$", serve)  # type: ignore[no-untyped-call] # tornado's
