"""The tour by stopwatch: from `pressmark lab` to a published winner, by hand and without reading code."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

import pressmark as pm
from tests.browser.conftest import running_lab
from tests.browser.notebooks import wait_for_kernel

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

MOST_ACTS = 12
DEFINITIONS = """
refund: money back for goods returned, reimbursement not arrived
billing: a charge, an invoice, a payment, a fee, a price
delivery: where is the parcel, address change, late, courier
damaged_item: broken, wrong or missing part, scratched
account_access: password, login, locked, hacked account
cancellation: stop an order or a subscription, terminate
product_question: asks before buying, size, compatible, material
technical_issue: app, site or device does not work, error, crash"""


class Hand:
    """A person's hand, which counts what it does: a click, a key with its modifiers, a text that is typed.

    Args:
        page: Where it acts.

    Attributes:
        acts: What it did, in order.
    """

    def __init__(self, page: Page) -> None:
        self.acts: list[str] = []
        self._keys = page.keyboard

    def click(self, what: str, place: Locator) -> None:
        """A click."""
        self.acts.append(f"click {what}")
        place.click()

    def press(self, key: str) -> None:
        """A key."""
        self.acts.append(f"press {key}")
        self._keys.press(key)

    def type(self, what: str, text: str) -> None:
        """A text, wherever the focus is."""
        self.acts.append(f"type {what}")
        self._keys.insert_text(text)


def test_the_tour_leads_to_a_published_winner(page: Page, tmp_path: Path) -> None:
    """A better version is drafted, run, judged and put into production with 12 clicks and keys at most."""
    began = time.monotonic()
    with running_lab(tmp_path / "my lab") as lab:
        page.goto(f"{lab.address}&reset")
        wait_for_kernel(page, lab, "01-tour.ipynb")
        hand = Hand(page)
        hand.click("the menu Run", page.get_by_role("menuitem", name="Run", exact=True))
        hand.click("Run All Cells", page.get_by_text("Run All Cells", exact=True))
        bench = page.locator(".jp-OutputArea-output", has=page.get_by_role("tablist", name="Workbench"))
        page.get_by_text("entries, each in its place").wait_for()
        bench.scroll_into_view_if_needed()

        editor = bench.get_by_role("group", name="message 1, system").locator(".cm-content")
        expect(editor).to_contain_text("exactly one of these categories")
        hand.click("the first message", editor)
        hand.press("Control+End")
        hand.type("what the categories mean", DEFINITIONS)
        save = bench.get_by_role("button", name="Save version")
        hand.click("Save version", save)
        expect(bench.get_by_text("Saved as #3")).to_be_visible()

        hand.click("Evaluate", bench.get_by_role("tab", name="Evaluate"))
        expect(bench.get_by_label("Baseline")).to_have_value("#2")
        expect(bench.get_by_label("Candidate", exact=True)).to_have_value("#3")
        hand.click("Run", bench.get_by_role("button", name="Run 117 rows"))
        expect(bench.get_by_role("region", name="Verdict")).to_contain_text("#3 better by", timeout=120_000)

        hand.click("Publish", bench.get_by_role("tab", name="Publish"))
        hand.click("the reason", bench.get_by_label("Reason"))
        hand.type("a reason", "better on the inbox")
        hand.press("Enter")
        expect(bench.get_by_role("region", name="Labels")).to_contain_text("v3")
        took = time.monotonic() - began

    registry = pm.Registry(f"sqlite:///{lab.folder / '.pressmark' / 'registry.db'}")
    held = {pointer.label: pointer.version for pointer in registry.labels("support/triage")}
    assert held["production"] == "v3"
    print(f"a published winner after {took:.0f} s and {len(hand.acts)} acts: {', '.join(hand.acts)}")
    assert len(hand.acts) <= MOST_ACTS, hand.acts
