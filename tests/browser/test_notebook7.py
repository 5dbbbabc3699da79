"""The workbench in Notebook 7: drawn, written in, and rated by keyboard."""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib.util import find_spec

import nbformat
import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import check_axe
from tests.browser.fronts import OPENING, free_port, serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.skipif(find_spec("notebook") is None, reason="Notebook 7 is not installed"),
]
# Beside the notebook there is the side panel, which is a page of its own.
IN_CELLS = ".jp-OutputArea .pm-root"


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Notebook 7 with a notebook of two views, at the address that opens it."""
    folder = tmp_path_factory.mktemp("notebook7")
    cells = [OPENING.strip(), 'ws.draft("support/reply")', "ws.rate(run, again=0)"]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    book.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(book, folder / "views.ipynb")
    port = free_port()
    command = ["notebook", "--no-browser", f"--ServerApp.port={port}", "--IdentityProvider.token=t", "--allow-root"]
    with serving(command, folder, f"http://127.0.0.1:{port}/api/status?token=t"):
        yield f"http://127.0.0.1:{port}/notebooks/views.ipynb?token=t"


def _wait_for_kernel(page: Page, notebook: str) -> None:
    """Before its kernel listens, a notebook asks which kernel to take."""
    sessions = notebook.replace("/notebooks/views.ipynb", "/api/sessions")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if [each["kernel"]["execution_state"] for each in page.request.get(sessions).json()] == ["idle"]:
            return
        page.wait_for_timeout(100)
    raise AssertionError("the kernel did not start")


def test_views_in_notebook_7(page: Page, notebook: str) -> None:
    """A version is saved from the Draft view, outputs are rated by keyboard, and axe-core has nothing grave to say."""
    page.goto(notebook)
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    _wait_for_kernel(page, notebook)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    views = page.locator(IN_CELLS)
    draft, rate = views.first, views.last
    draft.locator(".cm-content").first.wait_for(timeout=120_000)
    expect(views.get_by_role("tab")).to_have_count(0)
    draft.locator(".cm-content").first.click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text(" Thank you.")
    draft.get_by_role("button", name="Save version").click()
    expect(draft.get_by_text("Saved as #3")).to_be_visible()
    rate.get_by_text("0 of 12 questions rated").wait_for()
    rate.get_by_role("heading", name="Which output is better?").click()
    page.keyboard.press("ArrowLeft")
    expect(rate.get_by_text("1 of 12 questions rated")).to_be_visible()
    check_axe(page, IN_CELLS)
