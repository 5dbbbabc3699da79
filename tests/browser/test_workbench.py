"""The workbench in a real JupyterLab: draft, evaluate, read the verdict, publish, read in production."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OPENING, WORKBENCH, Lab

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

LABELS = "account_access, billing, cancellation, damaged_item, delivery, product_question, refund, technical_issue"
INSTRUCTION = f"You sort customer messages. Answer with exactly one of these labels and nothing else: {LABELS}."
SERVE = """
import pressmark as pm
with pm.Client(snapshot_dir=False) as client:
    prompt = client.get("support/triage")
    print(prompt.version, prompt.source, prompt.request(text="Hello")["messages"][0]["content"])
"""


def open_workbench(page: Page, lab: Lab, name: str, cells: Sequence[str] = (OPENING, WORKBENCH)) -> Locator:
    """Open a notebook that shows the workbench, run it, and return the view."""
    page.goto(lab.notebook(name, list(cells)))
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    wait_for_kernel(page, lab, name)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    view = page.locator(".pm-bar")
    view.wait_for()
    return page.locator(".jp-OutputArea-output", has=page.get_by_role("tablist", name="Workbench"))


def wait_for_kernel(page: Page, lab: Lab, name: str) -> None:
    """Wait until the notebook's kernel listens: before that, running a cell asks which kernel to take."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        sessions = page.request.get(f"{lab.url}/api/sessions?token={lab.token}").json()
        states = [session["kernel"]["execution_state"] for session in sessions if session["path"] == name]
        if states == ["idle"]:
            page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"the kernel of {name} did not start")


def test_from_draft_to_production(page: Page, lab: Lab) -> None:
    """Typing, saving, running, reading the verdict and publishing in the page reach a client in another process."""
    bench = open_workbench(page, lab, "loop.ipynb")

    bench.get_by_role("tab", name="Draft").click()
    editor = bench.get_by_role("group", name="message 1, system").locator(".cm-content")
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(INSTRUCTION)
    expect(bench.get_by_role("region", name="Preview")).to_contain_text(INSTRUCTION)
    bench.get_by_label("Change message").fill("list the labels")
    bench.get_by_role("button", name="Save version").click()
    expect(bench.get_by_text("Saved as #2")).to_be_visible()

    bench.get_by_role("tab", name="Evaluate").click()
    bench.get_by_label("Baseline").select_option("#1")
    bench.get_by_label("Candidate").select_option("#2")
    bench.get_by_role("button", name="Run 117 rows").click()
    verdict = bench.get_by_role("region", name="Verdict")
    expect(verdict).to_contain_text("#2 better by", timeout=120_000)
    expect(verdict).to_contain_text("on 117 rows")

    bench.get_by_role("tab", name="Publish").click()
    move = bench.get_by_role("region", name="Move a label")
    move.get_by_label("Version").select_option("#2")
    move.get_by_label("Reason").fill("better on the inbox")
    move.get_by_role("button", name="Publish #2 as v1 and set production to it").click()
    expect(bench.get_by_role("region", name="Labels")).to_contain_text("production")
    expect(bench.get_by_role("region", name="Labels")).to_contain_text("v1")

    served = subprocess.run(
        [sys.executable, "-c", SERVE], env=lab.environment(), capture_output=True, text=True, check=True, timeout=60
    )
    assert served.stdout.strip() == f"v1 live {INSTRUCTION}"


def test_bad_jinja_is_told_at_its_place(page: Page, lab: Lab) -> None:
    """A template that does not parse is told with line and column, and cannot be saved."""
    bench = open_workbench(page, lab, "bad.ipynb")
    bench.get_by_role("tab", name="Draft").click()
    card = bench.get_by_role("group", name="message 1, system")
    card.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("Sort this.\nThe text: {{ text | shout }}")
    expect(card).to_contain_text("there is no filter 'shout'")
    expect(card).to_contain_text("Line 2, column 21")
    expect(bench.get_by_role("button", name="Save version")).to_be_disabled()
