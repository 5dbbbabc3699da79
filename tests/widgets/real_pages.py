"""The built page in a browser over the real session: a workspace file, a registry's server, the practice model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import comm

import pressmark as pm
from pressmark.api.session import Session
from pressmark.providers import practice
from pressmark.widgets import Workbench

from .bridge import Bridge, PageComm

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PROMPT = "support/triage"
LABELS = "account_access, billing, cancellation, damaged_item, delivery, product_question, refund, technical_issue"
USER = {"role": "user", "content": "{{ text }}"}


def save(ws: pm.Workspace, system: str, name: str = PROMPT, **rest: Any) -> Any:
    """Save a version that asks the practice model."""
    messages = rest.pop("messages", [{"role": "system", "content": system}, USER])
    params = rest.pop("params", {"temperature": 0})
    return ws.save(name, messages=messages, model=practice.PRACTICE_MODEL, params=params, **rest)


@dataclass
class Pages:
    """Pages over workbenches.

    Attributes:
        bridge: What serves them.
        browser: What shows them.
        complaints: What stood in a console.
    """

    bridge: Bridge
    browser: Browser
    complaints: list[str]

    def open(self, width: int = 1200, **query: str) -> Page:
        """A page of its own, with a workbench of its own."""
        page = self.browser.new_page(viewport={"width": width, "height": 1000})
        page.set_default_timeout(30_000)
        page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(f"{self.bridge.url}/?{urlencode(query)}")
        page.wait_for_selector("body[data-ready]")
        return page

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

    before = comm.create_comm
    comm.create_comm = PageComm
    complaints: list[str] = []
    try:
        with Bridge(opening) as bridge:
            found = Pages(bridge, browser, complaints)
            yield found
            for context in list(browser.contexts):
                context.close()
    finally:
        comm.create_comm = before
    assert complaints == []
