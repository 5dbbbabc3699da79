"""The Draft panel in JupyterLab: what a kernel that dies in the middle of an edit leaves."""

from __future__ import annotations

import os
import signal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OPENING, WORKBENCH
from tests.browser.notebooks import Lab, choose, wait_for_kernel

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

NAME = "restart.ipynb"
PID = "import os, pathlib\npathlib.Path('kernel.pid').write_text(str(os.getpid()))"
SYSTEM = "message 1, system"


def run_all(page: Page, lab: Lab) -> None:
    """Run the notebook's cells and wait for the view."""
    wait_for_kernel(page, lab, NAME)
    choose(page, "Run", "Run All Cells")
    page.get_by_role("group", name=SYSTEM).locator(".cm-content").wait_for()


def write(page: Page, text: str) -> None:
    """Replace the first message."""
    page.get_by_role("group", name=SYSTEM).locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


def test_a_kernel_that_dies_in_mid_edit_loses_nothing(page: Page, lab: Lab) -> None:
    """What reached the file is there again, can be undone, and what did not is offered from the browser."""
    address = lab.notebook(NAME, [OPENING, PID, WORKBENCH])
    page.goto(address)
    run_all(page, lab)
    write(page, "This reached the file.")
    expect(page.locator(".pm-save-state")).to_contain_text("kept as a draft")

    os.kill(int((lab.folder / "kernel.pid").read_text()), signal.SIGSTOP)
    write(page, "This never left the browser.")
    page.get_by_text("The kernel does not answer", exact=False).wait_for()
    [kernel] = [
        session["kernel"]["id"]
        for session in page.request.get(f"{lab.url}/api/sessions?token={lab.token}").json()
        if session["path"] == NAME
    ]
    page.request.delete(f"{lab.url}/api/kernels/{kernel}?token={lab.token}")

    page.goto("about:blank")
    page.goto(address)
    run_all(page, lab)
    editor = page.get_by_role("group", name=SYSTEM).locator(".cm-content")
    expect(editor).to_contain_text("This reached the file.")
    page.get_by_role("button", name="Put it into the editor").click()
    expect(editor).to_contain_text("This never left the browser.")
    expect(page.locator(".pm-save-state")).to_contain_text("kept as a draft")
    page.get_by_role("button", name="Undo the last step").click()
    expect(editor).to_contain_text("This reached the file.")
