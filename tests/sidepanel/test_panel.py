"""The side panel in a real JupyterLab, over a real registry."""

from __future__ import annotations

import re
from collections.abc import Callable

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import NAME
from .served import Lab, Registry

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def open_panel(page: Page, lab: Lab, notebook: str | None = None) -> Locator:
    """Open JupyterLab as it is the first time, and the panel in it."""
    page.goto(lab.address(notebook) + "&reset")
    # The last that JupyterLab does while it starts is to take the focus for its main area, whoever has it.
    if notebook is None:
        expect(page.locator(".jp-Launcher")).to_be_focused()
    else:
        page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    page.locator('.jp-SideBar .lm-TabBar-tab[title^="Pressmark"]').click()
    panel = page.locator("#pressmark-panel")
    panel.get_by_role("option").first.wait_for()
    return panel


def command(page: Page, label: str) -> None:
    """Run a command from the palette."""
    page.keyboard.press("Control+Shift+C")
    palette = page.locator(".lm-CommandPalette-input")
    palette.fill(label)
    expect(page.locator(".lm-CommandPalette-item.lm-mod-active")).to_contain_text(label)
    page.keyboard.press("Enter")
    expect(palette).not_to_be_visible()


def sources(page: Page) -> list[str]:
    """What the cells of the open notebook hold."""
    cells = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell .cm-content")
    return [cell.inner_text().replace("\n\n\n", "\n\n") for cell in cells.all()]


def test_prompts_search_and_versions_by_keyboard(page: Page, lab: Lab) -> None:
    """`/` searches, arrows and Enter open a prompt with its versions, Esc leads back to where one was."""
    panel = open_panel(page, lab)
    triage = panel.get_by_role("option", name="support/triage")
    expect(triage).to_contain_text("productionv2")
    command(page, "Search Prompts")
    page.keyboard.type("prod")
    expect(panel.get_by_role("option")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    versions = panel.get_by_role("listbox", name=f"Versions of {NAME}")
    expect(versions).to_be_focused()
    expect(versions.get_by_role("option")).to_have_count(2)
    expect(versions.get_by_role("option").first).to_contain_text("cut 2")
    expect(versions.get_by_role("option").first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(panel.get_by_role("button", name="Open v1 in the workbench")).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel.get_by_role("listbox", name="Prompts")).to_be_focused()
    page.keyboard.press("/")
    expect(panel.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type(" nothing like this")
    expect(panel).to_contain_text("No prompt is called so")
    page.keyboard.press("Escape")
    expect(panel.get_by_role("option", name="finance/invoices")).to_be_visible()


def test_open_in_the_workbench_runs_the_cell(page: Page, lab: Lab) -> None:
    """The cell goes into a new notebook, runs, and the workbench shows the prompt; its token is nowhere in the page."""
    panel = open_panel(page, lab)
    panel.get_by_role("option", name="support/triage").click()
    panel.get_by_role("button", name="Open v2 in the workbench").click()
    expect(panel).to_contain_text("The workbench is open in", timeout=90_000)
    expect(page.get_by_role("tablist", name="Workbench")).to_be_visible()
    assert sources(page)[0] == (
        'import pressmark as pm\n\nws = pm.Workspace("prompts.duckdb")\nregistry = pm.Registry()\n'
        'ws.pull(registry, "support/triage@v2")\nws.workbench("support/triage", registry=registry)'
    )
    assert (lab.folder / "prompts.duckdb").exists()


def test_inserted_code_reads_the_prompt(page: Page, lab: Lab) -> None:
    """The code goes into the notebook in use, below the active cell, and runs as it stands; so does the palette's."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("first = 1")])
    book.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(book, lab.folder / "service.ipynb")
    panel = open_panel(page, lab, "service.ipynb")
    panel.get_by_role("option", name="support/triage").click()
    panel.get_by_role("button", name="Insert code to read it in production").click()
    expect(panel).to_contain_text("The code stands in service.ipynb; it reads production")
    found = sources(page)
    assert found[0] == "first = 1"
    assert 'client = pm.Client(labels=["production"])' in found[1]
    assert 'client.require("support/triage", variables=["text"])' in found[1]
    command(page, "Insert Code to Read the Selected Prompt in Production")
    expect(page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell")).to_have_count(3)


def test_a_move_is_seen_without_reloading(page: Page, lab: Lab, registry: Registry) -> None:
    """A label that moves, and a prompt that is published above, show by themselves; the row in view stays in place."""
    registry.publish("moving/prompt", "production")
    panel = open_panel(page, lab)
    row = panel.get_by_role("option", name="moving/prompt")
    expect(row).to_contain_text("productionv1")
    registry.publish("moving/prompt", "staging", texts=2)
    expect(row).to_contain_text("stagingv2")


def test_registry_gone_and_back(page: Page, lab: Lab, registry: Registry) -> None:
    """While the registry is gone the panel says so and what to do, shows what it knew, and goes on when it is back."""
    panel = open_panel(page, lab)
    registry.stop()
    try:
        note = panel.get_by_role("alert")
        expect(note).to_contain_text("The registry does not answer.")
        expect(note).to_contain_text("Check that it runs")
        expect(note).to_contain_text("What you see is from")
        expect(panel.get_by_role("option").first).to_be_visible()
        panel.get_by_role("option", name="support/triage").click()
        panel.get_by_role("button", name="Insert code to read it in production").click()
        expect(panel.get_by_role("alert").filter(has_text="does not answer").last).to_be_visible()
        page.keyboard.press("Escape")
    finally:
        registry.start()
    expect(panel.get_by_role("alert")).to_have_count(0)
    expect(panel.get_by_title("Connected", exact=True)).to_be_visible()


def test_the_token_is_not_in_the_page(page: Page, lab: Lab, registry: Registry) -> None:
    """No answer to the page, no part of it and none of its storage holds the registry's token."""
    heard: list[Callable[[], str]] = []
    page.on("response", lambda response: heard.append(response.text) if "/pressmark/" in response.url else None)
    panel = open_panel(page, lab)
    panel.get_by_role("option", name="support/triage").click()
    expect(panel.get_by_role("listbox", name=f"Versions of {NAME}")).to_be_visible()
    texts = [text() for text in heard]
    assert len(texts) >= 2
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert all(registry.token not in text for text in [*texts, page.content(), kept])
    assert registry.token not in lab.log.read_text()


def test_ten_thousand_prompts(page: Page, lab: Lab, registry: Registry) -> None:
    """10,000 prompts are drawn by window: the end is one key away, search finds one of them, the page stays small."""
    registry.multiply("support/answer", 10_000)
    registry.publish("after/many")
    panel = open_panel(page, lab)
    expect(panel).to_contain_text(re.compile(r"10,00\d prompts"))
    rows = panel.get_by_role("listbox", name="Prompts")
    rows.focus()
    page.keyboard.press("End")
    expect(panel.get_by_role("option", name="support/triage")).to_be_in_viewport()
    assert panel.get_by_role("option").count() < 60
    page.keyboard.press("/")
    page.keyboard.type("prompt-07777")
    expect(panel.get_by_role("option")).to_have_count(1)
    expect(panel.get_by_role("status").first).to_contain_text("1 of 10,00")
    page.keyboard.press("Escape")
    rows.evaluate("list => { list.scrollTop = 200_000 }")
    first = panel.get_by_role("option", name="prompt-041")
    expect(first.first).to_be_visible()
    place = "() => Math.round(document.elementFromPoint(150, 400).closest('[role=option]').getBoundingClientRect().top)"
    name = "() => document.elementFromPoint(150, 400).closest('[role=option]').innerText"
    before = page.evaluate(name), page.evaluate(place)
    registry.publish("above/all-others")
    expect(panel.get_by_role("status").first).to_contain_text("10,00")
    expect(panel.get_by_role("listbox", name="Prompts").get_by_role("option").first).to_have_attribute(
        "aria-setsize", re.compile("1000[6-9]")
    )
    assert (page.evaluate(name), page.evaluate(place)) == before
