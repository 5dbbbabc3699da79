"""Compare and Publish in a real JupyterLab: what changed, the move, a client that serves it, and the way back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OPENING, WORKBENCH, Lab
from tests.browser.test_workbench import open_workbench

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

SECOND = """
ws.save(
    "support/triage",
    messages=[
        {"role": "system", "content": "You sort customer messages. Tell the category of the message, nothing else."},
        {"role": "user", "content": "{{ text }}"},
    ],
    model=practice.PRACTICE_MODEL,
    params={"temperature": 0},
    message="nothing else",
)
"""


def test_a_move_and_its_way_back_are_served_at_once(page: Page, lab: Lab) -> None:
    """Compare, publish, move, roll back; the client in the notebook follows each within the page."""
    # A file and a prompt of its own: the lab is shared.
    cells = [
        cell.replace("support/triage", "support/published").replace("browser.duckdb", "publish.duckdb")
        for cell in (OPENING + SECOND, WORKBENCH)
    ]
    bench = open_workbench(page, lab, "publish.ipynb", cells)
    bench.get_by_role("tab", name="Compare").click()
    expect(bench.get_by_text("#2 differs from #1 in 1 message.")).to_be_visible()
    expect(bench.get_by_role("region", name="Version tree")).to_contain_text("first cut")

    bench.get_by_role("tab", name="Publish").click()
    label = "from-a-notebook"
    move = bench.get_by_role("region", name="Move a label")
    live = bench.get_by_role("region", name="A client in this notebook")
    move.get_by_label("Label", exact=True).select_option("+")
    move.get_by_label("New label, then Enter").fill(label)
    page.keyboard.press("Enter")
    expect(live).to_contain_text(f"serves nothing as {label}")
    for version, effect in (("#1", "set"), ("#2", "move")):
        move.get_by_label("Version").select_option(version)
        button = move.get_by_role("button", name=re.compile(f"^(Publish|Move|Set) .*{label}"))
        expect(button).to_have_text(re.compile(f"{effect} {label}|Set {label}|Move {label}"))
        move.get_by_label("Reason").fill(f"try {version}")
        button.click()
        expect(live).to_contain_text(re.compile(rf"serves v\d+ as {label}, [\d.]+ m?s after the move was sent"))
    bench.get_by_role("region", name="Labels").get_by_role("button", name=f"Roll {label} back").click()
    move.get_by_label("Reason").fill("it was not that")
    before = live.inner_text()
    move.get_by_role("button", name=f"Roll {label} back").click()
    expect(live).not_to_have_text(before)
    expect(bench.locator(".pm-entry").first).to_contain_text("it was not that")
