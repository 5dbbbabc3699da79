"""The workbench in marimo, by `mo.ui.anywidget`: drawn, and its commands answered."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import check_axe
from tests.browser.fronts import OPENING, free_port, serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.skipif(find_spec("marimo") is None, reason="marimo is not installed"),
]
APP = """import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
{opening}
    bench = mo.ui.anywidget(ws.workbench("support/reply"))
    return (bench,)


@app.cell
def _(bench):
    bench
    return


if __name__ == "__main__":
    app.run()
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`marimo run` of an app that shows the workbench."""
    folder = tmp_path_factory.mktemp("marimo")
    (folder / "app.py").write_text(APP.format(opening=textwrap.indent(OPENING, "    ")))
    port = free_port()
    command = ["marimo", "run", "app.py", "--headless", "--port", str(port), "--no-token"]
    with serving(command, folder, f"http://127.0.0.1:{port}/"):
        yield f"http://127.0.0.1:{port}/"


def test_workbench_in_marimo(page: Page, app: str) -> None:
    """Tabs change, a version is saved and the verdict of the run stands there; axe-core has nothing grave to say."""
    page.goto(app)
    page.get_by_role("tab", name="Draft").wait_for(timeout=120_000)
    page.locator(".cm-content").first.click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text(" Thank you.")
    page.get_by_role("button", name="Save version").click()
    expect(page.get_by_text("Saved as #3")).to_be_visible()
    page.get_by_role("tab", name="Evaluate").click()
    expect(page.get_by_role("region", name="Verdict")).to_contain_text("#2")
    page.get_by_role("tab", name="Rate").click()
    page.get_by_role("button", name="Begin to rate").click()
    page.get_by_text("0 of").wait_for()
    page.keyboard.press(" ")
    page.get_by_text("1 of").wait_for()
    check_axe(page)
