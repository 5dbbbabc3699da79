"""The worst moments of the workbench in a real JupyterLab: what breaks is told, and nothing is lost or paid twice."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

import pressmark as pm
from benchmarks.grid import PROMPT, make
from pressmark.testing import RecordedEndpoint, registry_in_memory
from tests.browser.conftest import Lab
from tests.browser.test_workbench import open_workbench
from tests.widgets.test_page_draft import Odd, delta

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

MANY = 100_000
HOSTILE = "<img src=x onerror=\"window.hacked='yes'\"><script>window.hacked='yes'</script>"


def cells(file: str, base_url: str, *, rows: int = 20, versions: int = 2, registry: str = "") -> list[str]:
    """A notebook with a workspace file, an endpoint, a suite and the workbench."""
    return [
        f"""
import pressmark as pm

ws = pm.Workspace({file!r})
ws.endpoint("scripted", base_url={base_url!r})
known = len(ws.prompts())
for system in () if known else ("Sort it.", "Sort it well.")[:{versions}]:
    ws.save(
        "mail/sort",
        messages=[{{"role": "system", "content": system}}, {{"role": "user", "content": "{{{{ text }}}}"}}],
        model="scripted",
    )
rows = [{{"text": f"message {{at}}", "label": "even" if at % 2 == 0 else "odd"}} for at in range({rows})]
ws.suite("mail/basics", dataset=rows, scorers=[pm.scorers.Exact("label")])
""",
        f'ws.workbench("mail/sort"{registry and f", registry={registry}"})',
    ]


def told(request: dict[str, Any]) -> str:
    """What a row asks for: the better version always knows, the other one says one thing."""
    system, user = (message["content"] for message in request["messages"])
    return "odd" if "well" in system and int(user.split()[-1]) % 2 else "even"


class Gate:
    """Answers so many calls, and lets the others wait until it is opened.

    Args:
        many: How many.

    Attributes:
        answered: The rows that were answered before it was opened.
        again: Those that were asked for afterwards.
    """

    def __init__(self, many: int) -> None:
        self.answered: list[str] = []
        self.again: list[str] = []
        self._many = many
        self._open = threading.Event()
        self._lock = threading.Lock()

    def __call__(self, request: dict[str, Any]) -> str:
        """Answer a request in its turn."""
        row = json.dumps(request["messages"])
        with self._lock:
            opened = self._open.is_set()
            waits = not opened and len(self.answered) == self._many
            if opened:
                self.again.append(row)
            elif not waits:
                self.answered.append(row)
        if waits:
            self._open.wait(60)
        return told(request)

    def open(self) -> None:
        """Let everything through from now on."""
        self._open.set()


@pytest.fixture
def endpoint() -> Iterator[Callable[..., RecordedEndpoint]]:
    """Starts endpoints that answer as a function says."""
    started: list[RecordedEndpoint] = []

    def start(answers: Callable[[dict[str, Any]], str] = told) -> RecordedEndpoint:
        started.append(RecordedEndpoint(answers))
        return started[-1]

    yield start
    for each in started:
        each.close()


def menu(page: Page, name: str, item: str) -> None:
    """Choose from JupyterLab's menu bar."""
    page.get_by_role("menuitem", name=name, exact=True).click()
    page.get_by_text(item, exact=True).click()


def test_a_kernel_restarted_in_the_middle_of_a_run(
    page: Page, lab: Lab, endpoint: Callable[..., RecordedEndpoint]
) -> None:
    """The view says so; the cells run again take the run up, and what was answered is not asked for again."""
    gate = Gate(40)
    served = endpoint(gate)
    bench = open_workbench(page, lab, "restarted.ipynb", cells("restarted.duckdb", served.base_url, rows=60))
    bench.get_by_role("tab", name="Evaluate").click()
    bench.get_by_role("button", name="Run 60 rows").click()
    expect(bench.get_by_role("region", name="Run", exact=True)).to_contain_text("40 of 120 answers")

    menu(page, "Kernel", "Restart Kernel…")
    page.locator(".jp-Dialog").get_by_role("button", name="Confirm Kernel Restart").click()
    note = bench.locator(".pm-silence")
    expect(note).to_contain_text("The kernel does not answer")
    expect(note).to_contain_text("what was answered is not asked for again")

    gate.open()
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    menu(page, "Run", "Run All Cells")
    expect(note).to_have_count(0)
    bench.get_by_role("tab", name="Evaluate").click()
    bench.get_by_role("button", name="Ask only for the 80 missing").click()
    expect(bench.locator(".pm-tag-done")).to_be_visible()
    expect(bench.get_by_role("region", name="Verdict")).to_contain_text("#2 better by")
    assert len(gate.answered) == 40
    assert len(set(gate.again)) == len(gate.again) == 80
    assert not set(gate.answered) & set(gate.again)


def test_a_registry_that_goes_during_a_move(page: Page, lab: Lab, endpoint: Callable[..., RecordedEndpoint]) -> None:
    """The move says that nothing was changed and keeps the reason; once it is back the same button moves, once."""
    with registry_in_memory() as registry:
        given = f"pm.Registry({registry.url!r}, token={registry.token!r})"
        bench = open_workbench(page, lab, "gone.ipynb", cells("gone.duckdb", endpoint().base_url, registry=given))
        bench.get_by_role("tab", name="Publish").click()
        move = bench.get_by_role("region", name="Move a label")
        button = move.get_by_role("button", name="Publish #2 as v1 and set production to it")
        move.get_by_label("Reason").fill("it was ready")
        expect(button).to_have_attribute("aria-disabled", "false")
        with registry.away():
            button.click()
            expect(bench.get_by_role("alert").first).to_contain_text("cannot be reached")
            expect(button).to_have_attribute("aria-disabled", "true")
            expect(move.get_by_label("Reason")).to_have_value("it was ready")
        expect(button).to_have_attribute("aria-disabled", "false")
        button.click()
        expect(bench.get_by_role("region", name="Labels")).to_contain_text("v1")
        kinds = [entry.kind for entry in registry.store.log()]
    assert sorted(kinds) == ["move", "publish"], kinds


def test_an_endpoint_with_its_hands_full(page: Page, lab: Lab, endpoint: Callable[..., RecordedEndpoint]) -> None:
    """Refused calls are asked again after the time that the endpoint names; the run ends whole, without an error."""
    served = endpoint().fail(429, times=15, retry_after=0.2)
    bench = open_workbench(page, lab, "full.ipynb", cells("full.duckdb", served.base_url))
    bench.get_by_role("tab", name="Evaluate").click()
    bench.get_by_role("button", name="Run 20 rows").click()
    run = bench.get_by_role("region", name="Run", exact=True)
    expect(run).to_contain_text("40 answers")
    expect(run).not_to_contain_text("error")
    expect(bench.get_by_role("region", name="Verdict")).to_contain_text("#2 better by 50.0 points")
    assert served.stats["sent"] == {"429": 15}
    assert served.stats["calls"] == 55


def test_the_end_of_a_hundred_thousand_rows(page: Page, lab: Lab) -> None:
    """The grid is scrolled to its last row, and only what is in sight is in the page."""
    make(lab.folder / "many.duckdb", MANY)
    bench = open_workbench(
        page,
        lab,
        "many.ipynb",
        ['import pressmark as pm\nws = pm.Workspace("many.duckdb")', f"ws.workbench({PROMPT!r})"],
    )
    bench.get_by_role("tab", name="Evaluate").click()
    grid = bench.get_by_role("grid")
    expect(grid).to_have_attribute("aria-rowcount", str(MANY + 1))
    bench.locator(".pm-grid-row .pm-output code").first.wait_for()
    grid.evaluate("each => { each.scrollTop = each.scrollHeight; }")
    last = bench.locator(f'.pm-grid-row[aria-rowindex="{MANY + 1}"]')
    expect(last.locator(".pm-output code").first).to_be_visible()
    assert bench.locator(".pm-grid-row").count() < 60
    grid.focus()
    page.keyboard.press("Home")
    expect(bench.locator('.pm-grid-row[aria-rowindex="2"] .pm-output code').first).to_be_visible()


def write(bench: Locator, page: Page, text: str) -> None:
    """Replace the first message and wait until it is kept."""
    bench.get_by_role("group", name="message 1, system").locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)
    state = bench.locator(".pm-save-state")
    expect(state).to_contain_text(re.compile("kept as a draft|Changed elsewhere"))
    if "Changed elsewhere" in state.inner_text():
        bench.get_by_role("button", name="Go on with what is here").click()
    expect(state).to_contain_text("kept as a draft")


def test_two_notebooks_on_one_file(page: Page, lab: Lab, endpoint: Callable[..., RecordedEndpoint]) -> None:
    """Both save and run at the same time; each has its version and its verdict, and the file has all of it."""
    gate = Gate(4)
    served = endpoint(gate)
    lines = cells("shared.duckdb", served.base_url, versions=1)
    other = page.context.new_page()
    other.set_default_timeout(60_000)
    first = open_workbench(page, lab, "first.ipynb", lines)
    second = open_workbench(other, lab, "second.ipynb", lines)
    for bench, at, text in ((first, page, "Sort it well."), (second, other, "Sort it very well.")):
        at.bring_to_front()
        bench.get_by_role("tab", name="Draft").click()
        write(bench, at, text)
        bench.get_by_role("button", name="Save version").click()
        expect(bench.get_by_text(re.compile("^Saved as #"))).to_be_visible()
        bench.get_by_role("tab", name="Evaluate").click()
        bench.get_by_label("Baseline").select_option("#1")
        bench.get_by_role("button", name="Run 20 rows").click()
        expect(bench.get_by_role("progressbar", name="Answers")).to_be_visible()
    gate.open()
    for bench, at, version in ((first, page, "#2"), (second, other, "#3")):
        at.bring_to_front()
        expect(bench.get_by_role("region", name="Verdict")).to_contain_text(f"{version} better by 50.0 points")
    ws = pm.Workspace(lab.folder / "shared.duckdb")
    assert ws.versions("mail/sort")["version"].tolist() == ["#3", "#2", "#1"]
    assert ws.sql("select count(*) as n from outputs")["n"].tolist() == [80]


def test_an_endpoint_that_streams_garbage(page: Page, lab: Lab) -> None:
    """Trying a draft once shows what came and the error; nothing is kept, and the draft goes on."""
    odd = Odd([delta("A beginning"), b"data: {not json\n\n"], hang=False)
    try:
        bench = open_workbench(page, lab, "garbage.ipynb", cells("garbage.duckdb", odd.url))
        bench.get_by_role("button", name="Ask scripted once").click()
        trying = bench.locator(".pm-try")
        expect(trying.get_by_role("alert")).to_contain_text("no chat completion")
        expect(trying.locator(".pm-try-text")).to_contain_text("A beginning")
        write(bench, page, "Sort it gently.")
    finally:
        odd.close()
    assert pm.Workspace(lab.folder / "garbage.duckdb").sql("select count(*) as n from outputs")["n"].tolist() == [0]


def test_hostile_texts_and_names_inject_nothing(
    page: Page, lab: Lab, endpoint: Callable[..., RecordedEndpoint]
) -> None:
    """Outputs, messages, rows, columns, names and errors that are HTML are read in every panel, never run."""
    served = endpoint(lambda request: HOSTILE)
    lines = [
        f"""
import pressmark as pm

hostile = {HOSTILE!r}
ws = pm.Workspace("hostile.duckdb", author=hostile)
ws.endpoint("odd", base_url={served.base_url!r})
for system in (hostile, hostile * 2):
    ws.save(
        "mail/sort",
        messages=[{{"role": "system", "content": system}}, {{"role": "user", "content": "{{{{ text }}}}"}}],
        model=hostile,
        message=hostile,
    )
rows = [{{"text": hostile + str(at), "label": hostile, hostile: hostile}} for at in range(5)]
ws.suite("mail/basics", dataset=ws.dataset("mail/rows", rows), scorers=[pm.scorers.Exact("label")], slice=hostile)
""",
        'ws.workbench("mail/sort", registry=pm.Registry("sqlite:///hostile.db"))',
    ]
    bench = open_workbench(page, lab, "hostile.ipynb", lines)
    for panel in ("Draft", "Compare", "Evaluate", "Publish"):
        bench.get_by_role("tab", name=panel).click()
        if panel == "Evaluate":
            bench.get_by_role("button", name="Run 5 rows").click()
            expect(bench.locator(".pm-tag-done")).to_be_visible()
            bench.get_by_role("row", name=re.compile("<script>")).first.click()
        expect(bench.get_by_text("<script>window.hacked='yes'</script>").first).to_be_attached()
    assert page.evaluate("window.hacked") is None
    assert bench.locator("img, script").count() == 0
