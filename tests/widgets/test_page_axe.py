"""Every panel, in light and dark and at two widths, without a serious finding of axe-core."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from pressmark.widgets.assets import STATIC
from tests.browser.axe import AXE, check_axe, findings

from .bridge import HARNESS, Bridge, from_query
from .real import pages

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
BUILT = (STATIC / "workbench.js", HARNESS / "dist" / "harness.js", AXE)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium"),
    pytest.mark.skipif(not all(path.exists() for path in BUILT), reason="the page is not built: run `make setup`"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this module."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    """A server of pages."""
    with pages() as serving:
        serving.open_workbench = from_query
        yield serving


@pytest.fixture
def visit(bridge: Bridge, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens the page over a session that the arguments describe."""
    opened: list[Page] = []

    def show(width: int = 1000, **query: Any) -> Page:
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.set_default_timeout(60_000)
        page.goto(f"{bridge.url}/?{urlencode(query)}")
        page.wait_for_selector("body[data-ready]")
        opened.append(page)
        return page

    yield show
    for page in opened:
        page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 1400])
@pytest.mark.parametrize("panel", ["draft", "compare", "evaluate", "rate", "publish"])
def test_panel(visit: Callable[..., Page], panel: str, width: int, theme: str) -> None:
    """The panel as it opens on a prompt with a run and a registry."""
    page = visit(width=width, panel=panel, theme=theme, rows=40)
    page.wait_for_function("() => !document.querySelector('.pm-loading, .pm-bone')")
    check_axe(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_rating(visit: Callable[..., Page], theme: str) -> None:
    """A question and the reveal."""
    page = visit(panel="rate", theme=theme, rows=12)
    page.get_by_role("button", name="Begin to rate").click()
    page.get_by_text("0 of").wait_for()
    check_axe(page)
    page.keyboard.press("ArrowLeft")
    page.get_by_text("1 of").wait_for()
    page.get_by_role("button", name="Reveal early…").click()
    page.get_by_role("button", name="Reveal now").click()
    page.get_by_role("region", name="Votes by version").wait_for()
    page.get_by_role("button", name="show both outputs").first.click()
    page.get_by_role("region", name="#3 (candidate)").wait_for()
    check_axe(page)


@pytest.mark.parametrize(
    "query", [{"prompts": 0}, {"run": 0, "panel": "rate"}, {"registry": "down", "panel": "publish"}]
)
def test_empty_and_broken_states(visit: Callable[..., Page], query: dict[str, Any]) -> None:
    """What says that something is missing can be read by everybody too."""
    page = visit(**query)
    page.wait_for_function("() => !document.querySelector('.pm-loading')")
    check_axe(page)


def test_the_helper_finds_what_is_wrong(visit: Callable[..., Page]) -> None:
    """A button without a name is found, so that silence means something."""
    page = visit(panel="compare")
    page.evaluate("document.querySelector('.pm-panel').append(document.createElement('button'))")
    assert "button-name" in {each.rule for each in findings(page)}
