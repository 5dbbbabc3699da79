"""Every panel, in light and dark and at two widths, without a serious finding of axe-core."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from tests.browser.axe import AXE, check_axe, findings

from .bridge import Bridge, from_query, serving
from .chromium import needs_the_page, windows

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [
    *needs_the_page,
    pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: run `make setup`"),
]


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    """A server of pages."""
    with serving(from_query) as opened:
        yield opened


@pytest.fixture
def visit(bridge: Bridge, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens the page over a session that the arguments describe."""
    with windows(browser) as opening:
        yield lambda width=1000, **query: opening(f"{bridge.url}/?{urlencode(query)}", width)


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
