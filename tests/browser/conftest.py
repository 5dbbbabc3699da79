"""A real browser on a real lab: JupyterLab and Notebook 7, with a registry and the practice model behind them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.notebooks import FRONT_ENDS, Lab, Notebook, opening

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


@pytest.fixture(scope="module")
def notebooks(browser: Browser, lab: Lab) -> Iterator[Callable[[str], Notebook]]:
    """A notebook in each front end, for all tests of the module."""
    with opening(browser, lab) as opened:
        yield opened


@pytest.fixture(params=FRONT_ENDS)
def notebook(
    request: pytest.FixtureRequest, notebooks: Callable[[str], Notebook], tmp_path: Path
) -> Iterator[Notebook]:
    """The module's notebook in each front end; a picture of the test's end is kept, as of any page."""
    if request.param == "notebook7" and find_spec("notebook") is None:
        pytest.skip("Notebook 7 is not installed")
    opened = notebooks(request.param)
    yield opened
    opened.page.screenshot(path=tmp_path / "end.png")
    print(f"the page at its end: {tmp_path / 'end.png'}")
