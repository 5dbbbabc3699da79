"""The browser in which the built page is tested, and how a page is opened in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from pressmark.widgets.assets import STATIC

from .bridge import HARNESS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
BUILT = (STATIC / "workbench.js", HARNESS / "dist" / "harness.js")

needs_the_page = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium"),
    pytest.mark.skipif(not all(path.exists() for path in BUILT), reason="the page is not built: run `make setup`"),
]


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def windows(browser: Browser, *, height: int = 900, shared: bool = False) -> Iterator[Callable[[str, int], Page]]:
    """Open pages by address and width; they are closed at the end, and nothing may stand in a console by then.

    Args:
        browser: What shows them.
        height: Of the windows.
        shared: Whether they share their storage, as the tabs of one person do.
    """
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def open_page(address: str, width: int) -> Page:
        if not (shared and contexts):
            contexts.append(browser.new_context())
        page = contexts[-1].new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.set_default_timeout(60_000)
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        page.wait_for_selector("body[data-ready]")
        return page

    yield open_page
    for context in contexts:
        with suppress(Exception):  # a test may have closed it
            context.close()
    assert complaints == []
