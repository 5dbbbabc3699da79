"""The page in a real browser."""

from __future__ import annotations

import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

CHROMIUM = shutil.which("chromium")


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_asks_and_shows_answers_as_text(base_url: str, scheme: str) -> None:
    """In both themes the form asks the model, shows a hostile answer as text, and nothing fails in the console."""
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(
            color_scheme="dark" if scheme == "dark" else "light", viewport={"width": 600, "height": 900}
        )
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(base_url.removesuffix("/v1"))
        page.get_by_role("button", name="Ask the practice model").click()
        expect(page.locator("#answer")).to_have_text("damaged_item")
        page.get_by_label("Instruction").fill("Labels: <b>x</b>, <i>y</i>. Summarise the message in one sentence.")
        page.get_by_label("Message").fill("<img src=x onerror=alert(1)> My parcel is late.")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#answer")).to_contain_text("<img src=x")
        expect(page.locator("#calls")).not_to_have_text("–")
        assert page.locator("#answer img").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        browser.close()
    assert complaints == []
