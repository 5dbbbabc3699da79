"""The built page in a browser over the real session: a workspace file, a registry's server, the practice model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pressmark as pm
from pressmark.api.session import Session
from pressmark.widgets import Workbench

from .bridge import Bridge, serving
from .chromium import windows
from .triage import PROMPT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@dataclass
class Pages:
    """Pages over workbenches.

    Attributes:
        bridge: What serves them.
        opening: Opens one by its address and width.
    """

    bridge: Bridge
    opening: Callable[[str, int], Page]

    def open(self, width: int = 1200, **query: str) -> Page:
        """A page of its own, with a workbench of its own."""
        return self.opening(f"{self.bridge.url}/?{urlencode(query)}", width)

    @property
    def workbench(self) -> Workbench:
        """That of the page opened last."""
        found: Workbench = list(self.bridge.workbenches.values())[-1]
        return found


@contextmanager
def pages(browser: Browser, ws: pm.Workspace, registries: Callable[[dict[str, str]], Any]) -> Iterator[Pages]:
    """Serve pages whose address says panel, version, baseline and label.

    Args:
        browser: What shows them.
        ws: The workspace.
        registries: The registry of a page, from its address.
    """

    def opening(query: dict[str, str]) -> Workbench:
        traits = {name: query[name] for name in ("panel", "version", "baseline", "label") if name in query}
        shown = Workbench(Session(ws, registries(query)), query.get("prompt", PROMPT), **traits)
        assert shown.settle(60)
        assert shown.registry_lane.settle(60)
        return shown

    with serving(opening) as bridge, windows(browser, height=1000) as window:
        yield Pages(bridge, window)
