"""One registry and one JupyterLab for all tests of the side panel."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from ..browser.conftest import CHROMIUM_OPTIONS
from .served import Lab, Registry, jupyter_lab

NAME = "support/triage"
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry with three prompts; each test leaves it running."""
    made = Registry(tmp_path_factory.mktemp("registry") / "registry.db")
    made.publish(NAME, "production", texts=2)
    made.publish("support/answer", "staging")
    made.publish("finance/invoices")
    made.start()
    yield made
    made.close()


@pytest.fixture(scope="session")
def lab(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab that was started with the registry's address and token in its environment."""
    folder = tmp_path_factory.mktemp("lab") / "notebooks"
    with jupyter_lab(folder, {"PRESSMARK_URL": registry.url, "PRESSMARK_TOKEN": registry.token}) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless browser; where it is missing, a skip with the reason, and a failure in CI."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        told = "no chromium: apt install chromium"
        pytest.fail(told) if os.environ.get("CI") else pytest.skip(told)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=CHROMIUM_OPTIONS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page."""
    context = browser.new_context(viewport={"width": 1300, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    yield opened
    context.close()
