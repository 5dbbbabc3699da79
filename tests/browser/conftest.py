"""A real browser on a real JupyterLab, with a registry and the practice model behind it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

# A machine that does much else at the same time is slow, not wrong.
expect.set_options(timeout=60_000)
CHROMIUM_OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
OPENING = """
import json, os
import pandas as pd
import pressmark as pm
from pressmark.providers import practice

json.dump({name: os.environ[name] for name in os.environ if name.startswith("PRESSMARK_")}, open("env.json", "w"))
ws = pm.Workspace("browser.duckdb")
ws.endpoint("practice", base_url=os.environ["PRESSMARK_PRACTICE_URL"])
inbox = ws.dataset("support/inbox", pd.DataFrame(practice.example_messages()))
ws.save(
    "support/triage",
    messages=[
        {"role": "system", "content": "You sort customer messages. Tell the category of the message."},
        {"role": "user", "content": "{{ text }}"},
    ],
    model=practice.PRACTICE_MODEL,
    params={"temperature": 0},
    message="first cut",
)
ws.suite("support/basics", dataset=inbox, scorers=[pm.scorers.Exact("category")])
"""
WORKBENCH = 'bench = ws.workbench("support/triage", registry=pm.Registry())\nbench'


@dataclass
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
        """JupyterLab's address without path."""
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def token(self) -> str:
        """Its token."""
        return urlsplit(self.address).query.removeprefix("token=")

    def notebook(self, name: str, cells: list[str]) -> str:
        """Write a notebook of code cells and return the address that opens it."""
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in cells])
        book.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
        nbformat.write(book, self.folder / name)
        return f"{self.url}/lab/tree/{name}?token={self.token}&reset"

    def environment(self) -> dict[str, str]:
        """The registry's address and token, as the notebook's kernel was given them."""
        told: dict[str, Any] = json.loads((self.folder / "env.json").read_text())
        return {**os.environ, **told}


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser; where it is missing, a skip with the reason, and a failure in CI."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        told = "no chromium: apt install chromium"
        pytest.fail(told) if os.environ.get("CI") else pytest.skip(told)
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A headless browser."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
        yield opened
        opened.close()


@contextmanager
def running_lab(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Lab]:
    """`pressmark lab`, as a user starts it."""
    command = [str(Path(sys.executable).with_name("pressmark")), "lab", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})})
    assert process.stdout is not None
    try:
        found = None
        for line in process.stdout:
            if found := re.search(r"http://\S+", line):
                break
        assert found, "the lab ended without an address"
        yield Lab(found[0], folder)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One lab for all tests."""
    with running_lab(tmp_path_factory.mktemp("lab") / "my lab") as started:
        yield started


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """A fresh page, wide enough for the workbench; a picture of its end is kept for whoever looks into a failure."""
    context = browser.new_context(viewport={"width": 1500, "height": 1100})
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    yield opened
    opened.screenshot(path=tmp_path / "end.png")
    print(f"the page at its end: {tmp_path / 'end.png'}")
    context.close()
