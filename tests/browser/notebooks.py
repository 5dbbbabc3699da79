"""Notebooks in a real front end, JupyterLab or Notebook 7: one server shows both."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import nbformat
from playwright.sync_api import Browser, Locator, Page, expect

if TYPE_CHECKING:
    from playwright.sync_api import Response

# What stands before a notebook's name in its address.
FRONT_ENDS = {"jupyterlab": "lab/tree", "notebook7": "notebooks"}
# Beside the notebook there is the side panel, which is a page of its own.
IN_CELLS = ".jp-OutputArea .pm-root"
ERROR = '[data-mime-type="application/vnd.jupyter.stderr"], [data-mime-type="application/vnd.jupyter.error"]'


@dataclass(frozen=True)
class Lab:
    """A running `pressmark lab`.

    Attributes:
        address: The address that it printed.
        folder: What it shows.
    """

    address: str
    folder: Path

    @property
    def url(self) -> str:
        """The server's address without path."""
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def token(self) -> str:
        """Its token."""
        return urlsplit(self.address).query.removeprefix("token=")

    def notebook(self, name: str, cells: list[str], front: str = "jupyterlab") -> str:
        """Write a notebook of code cells and return the address that opens it in a front end."""
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in cells])
        book.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
        nbformat.write(book, self.folder / name)
        return f"{self.url}/{FRONT_ENDS[front]}/{name}?token={self.token}&reset"

    def environment(self) -> dict[str, str]:
        """The registry's address and token, as the notebook's kernel was given them."""
        told: dict[str, Any] = json.loads((self.folder / "env.json").read_text())
        return {**os.environ, **told}


def wait_for_kernel(page: Page, lab: Lab, name: str) -> None:
    """Wait until the notebook's kernel listens: before that, running a cell asks which kernel to take."""
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        sessions = page.request.get(f"{lab.url}/api/sessions?token={lab.token}").json()
        states = [session["kernel"]["execution_state"] for session in sessions if session["path"] == name]
        if states == ["idle"]:
            _idle(page).wait_for()
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"the kernel of {name} did not start")


def choose(page: Page, menu: str, item: str) -> None:
    """Choose from the menu bar."""
    page.get_by_role("menuitem", name=menu, exact=True).click()
    page.get_by_text(item, exact=True).click()


def workbench(page: Page) -> Locator:
    """The workbench in a cell's output."""
    return page.locator(".jp-OutputArea-output", has=page.get_by_role("tablist", name="Workbench"))


def open_workbench(page: Page, lab: Lab, name: str, cells: list[str]) -> Locator:
    """Open a notebook that shows the workbench, run it, and return the view."""
    page.goto(lab.notebook(name, cells))
    wait_for_kernel(page, lab, name)
    choose(page, "Run", "Run All Cells")
    page.locator(".pm-bar").wait_for()
    return workbench(page)


class Notebook:
    """A notebook of one cell, open in a front end; the cell is written anew and run as often as a test likes.

    Args:
        page: Where it is opened.
        lab: Whose server shows it.
        front: The front end, one of `FRONT_ENDS`.
        name: Its file.
    """

    def __init__(self, page: Page, lab: Lab, front: str, name: str = "") -> None:
        self.page, self.lab, self.front = page, lab, front
        self.name = name or f"{front}.ipynb"
        self._runs = 0
        page.goto(lab.notebook(self.name, [""], front))
        wait_for_kernel(page, lab, self.name)

    @property
    def views(self) -> Locator:
        """Every view in the cell's output, in order."""
        return self.page.locator(IN_CELLS)

    @property
    def bench(self) -> Locator:
        """The workbench in the cell's output."""
        return workbench(self.page)

    def file(self, name: str) -> Path:
        """A workspace file that no other notebook of the lab has."""
        return self.lab.folder / f"{self.front}-{name}.duckdb"

    def run(self, code: str) -> Locator:
        """Write the cell anew and run it; returns its output, once it is whole."""
        self._runs += 1
        said = f"run {self._runs}"
        self.page.locator(".jp-InputArea .cm-content").click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(f"print({said!r})\n{code.strip()}")
        self.page.keyboard.press("Control+Enter")
        output = self.page.locator(".jp-Cell-outputArea")
        # Until it prints, what an earlier run left stands there.
        expect(output).to_contain_text(said)
        expect(self.page.locator(".jp-InputPrompt").first).not_to_have_text("[*]:")
        assert output.locator(ERROR).count() == 0, output.inner_text()
        return output

    def restart(self) -> None:
        """Restart the kernel, as a user does; the view stays where it is, and nobody answers it any more."""
        choose(self.page, "Kernel", "Restart Kernel…")
        with self.page.expect_response(_restarts):
            self.page.locator(".jp-Dialog").get_by_role("button", name="Confirm Kernel Restart").click()
        _idle(self.page).wait_for()

    def close(self) -> None:
        """Shut the kernel down and close the page: a notebook that is opened again begins with a kernel of its own."""
        address = f"{self.lab.url}/api/sessions"
        for session in self.page.request.get(f"{address}?token={self.lab.token}").json():
            if session["path"] == self.name:
                self.page.request.delete(f"{address}/{session['id']}?token={self.lab.token}")
        self.page.context.close()


@contextmanager
def opening(browser: Browser, lab: Lab) -> Iterator[Callable[[str], Notebook]]:
    """Opens a notebook in each front end that is asked for, once: a kernel takes its time to start."""
    opened: dict[str, Notebook] = {}

    def notebook(front: str) -> Notebook:
        if front not in opened:
            page = browser.new_context(viewport={"width": 1500, "height": 1100}).new_page()
            page.set_default_timeout(60_000)
            opened[front] = Notebook(page, lab, front)
        opened[front].page.bring_to_front()
        return opened[front]

    yield notebook
    for each in opened.values():
        each.close()


def _idle(page: Page) -> Locator:
    return page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')


def _restarts(response: Response) -> bool:
    return urlsplit(response.url).path.endswith("/restart")
