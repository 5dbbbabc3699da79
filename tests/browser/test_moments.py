"""The worst moments in JupyterLab and Notebook 7: what breaks is told, and nothing is lost or paid twice."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

import pressmark as pm
from benchmarks.grid import PROMPT as MANY_PROMPT
from benchmarks.grid import make
from pressmark.testing import RecordedEndpoint, registry_in_memory
from tests.browser.notebooks import Lab, Notebook
from tests.widgets.test_page_draft import Odd, delta

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

MANY = 100_000
PASTE = """(element, text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  element.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""
HOSTILE = "<img src=x onerror=\"window.hacked='yes'\"><script>window.hacked='yes'</script>"
PROMPT = "mail/sort"
WORKBENCH = f'ws.workbench("{PROMPT}")'


def cell(file: Path, base_url: str, shown: str = WORKBENCH, *, rows: int = 20, versions: int = 2) -> str:
    """A cell with a workspace file, an endpoint and a suite, which it makes where they are missing, and a view."""
    return f"""
import pressmark as pm

ws = pm.Workspace({file.name!r}, author="ana")
ws.endpoint("scripted", base_url={base_url!r})
known = len(ws.prompts())
for system in () if known else ("Sort it.", "Sort it well.", "Sort it very well.")[:{versions}]:
    ws.save(
        "{PROMPT}",
        messages=[{{"role": "system", "content": system}}, {{"role": "user", "content": "{{{{ text }}}}"}}],
        model="scripted",
    )
rows = [{{"text": f"message {{at}}", "label": "even" if at % 2 == 0 else "odd"}} for at in range({rows})]
suite = ws.suite("mail/basics", dataset=rows, scorers=[pm.scorers.Exact("label")])
{shown}
"""


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


@pytest.fixture(scope="module")
def many(lab: Lab) -> str:
    """A file with a run over 100,000 rows; making it takes longer than looking at it."""
    make(lab.folder / "many.duckdb", MANY)
    return "many.duckdb"


@pytest.fixture
def both(notebooks: Callable[[str], Notebook]) -> tuple[Notebook, Notebook]:
    """A notebook in each front end."""
    if find_spec("notebook") is None:
        pytest.skip("Notebook 7 is not installed")
    return notebooks("jupyterlab"), notebooks("notebook7")


def editor(view: Locator) -> Locator:
    """The first message."""
    return view.get_by_role("group", name="message 1, system").locator(".cm-content")


def write(view: Locator, page: Page, text: str) -> None:
    """Replace the first message."""
    editor(view).click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


def kept(view: Locator) -> None:
    """Wait until what was written is in the file."""
    expect(view.locator(".pm-save-state")).to_contain_text("kept as a draft")


def rated(view: Locator, answered: int, of: int = 10) -> None:
    """Wait until so many questions are answered."""
    expect(view.get_by_text(f"{answered} of {of} questions rated")).to_be_visible()


def test_a_kernel_restarted_in_the_middle_of_a_run(
    notebook: Notebook, endpoint: Callable[..., RecordedEndpoint]
) -> None:
    """The view says so; the cell run again takes the run up, and what was answered is not asked for again."""
    gate = Gate(40)
    code = cell(notebook.file("restarted"), endpoint(gate).base_url, rows=60)
    notebook.run(code)
    bench = notebook.bench
    bench.get_by_role("tab", name="Evaluate").click()
    bench.get_by_role("button", name="Run 60 rows").click()
    expect(bench.get_by_role("region", name="Run", exact=True)).to_contain_text("40 of 120 answers")

    notebook.restart()
    note = bench.locator(".pm-silence")
    expect(note).to_contain_text("The kernel does not answer")
    expect(note).to_contain_text("what was answered is not asked for again")

    gate.open()
    notebook.run(code)
    expect(note).to_have_count(0)
    bench.get_by_role("tab", name="Evaluate").click()
    bench.get_by_role("button", name="Ask only for the 80 missing").click()
    expect(bench.locator(".pm-tag-done")).to_be_visible()
    expect(bench.get_by_role("region", name="Verdict")).to_contain_text("#2 better by")
    assert len(gate.answered) == 40
    assert len(set(gate.again)) == len(gate.again) == 80
    assert not set(gate.answered) & set(gate.again)


def test_a_kernel_restarted_under_draft_compare_rate_and_publish(
    notebook: Notebook, endpoint: Callable[..., RecordedEndpoint]
) -> None:
    """Each says so when it is used; the cell run again has what was kept, and offers what was not."""
    file, page = notebook.file("under"), notebook.page
    with registry_in_memory() as registry:
        shown = f"""
registry = pm.Registry({registry.url!r}, token={registry.token!r})
if not known:
    registry.publish(ws.version("{PROMPT}", "#1"), reason="begin")
    ws.evaluate([ws.version("{PROMPT}", number) for number in ("#1", "#2")], suite, progress=False)
run = ws.run(ws.runs()["run"][0])
display(ws.draft("{PROMPT}"), run.compare().view(), ws.rate(run, again=0), registry.view("{PROMPT}"))
"""
        code = cell(file, endpoint().base_url, shown, versions=3)
        notebook.run(code)
        draft, compare, rate, publish = (notebook.views.nth(at) for at in range(4))
        write(draft, page, "This reached the file.")
        kept(draft)
        compare.get_by_role("tab", name="Compare").click()
        expect(compare.get_by_text("#2 differs from #1 in 1 message.")).to_be_visible()
        rate.get_by_role("heading", name="Which output is better?").click()
        for answered, key in enumerate(("ArrowLeft", "ArrowRight"), start=1):
            page.keyboard.press(key)
            rated(rate, answered)

        notebook.restart()
        write(draft, page, "This never left the browser.")
        compare.get_by_label("Candidate", exact=True).select_option("#3")
        rate.get_by_role("heading", name="Which output is better?").click()
        page.keyboard.press("ArrowLeft")
        publish.get_by_role("button", name="Refresh").click()
        for view in (draft, compare, rate, publish):
            expect(view.locator(".pm-silence")).to_contain_text("The kernel does not answer")
        rated(rate, 2)

        notebook.run(code)
        expect(page.locator(".pm-silence")).to_have_count(0)
        expect(editor(draft)).to_contain_text("This reached the file.")
        draft.get_by_role("button", name="Put it into the editor").click()
        expect(editor(draft)).to_contain_text("This never left the browser.")
        kept(draft)
        compare.get_by_role("tab", name="Compare").click()
        compare.get_by_label("Candidate", exact=True).select_option("#3")
        expect(compare.get_by_text("#3 differs from #1 in 1 message.")).to_be_visible()
        rated(rate, 2)
        rate.get_by_role("heading", name="Which output is better?").click()
        page.keyboard.press("ArrowLeft")
        rated(rate, 3)
        expect(publish.get_by_label("Version")).to_contain_text("v1")
    assert pm.Workspace(file).sql("select count(*) as n from ratings")["n"].tolist() == [3]


def test_a_registry_that_goes_during_a_move(notebook: Notebook, endpoint: Callable[..., RecordedEndpoint]) -> None:
    """The move says that nothing was changed and keeps the reason; once it is back the same button moves, once."""
    with registry_in_memory() as registry:
        shown = f"""
registry = pm.Registry({registry.url!r}, token={registry.token!r})
registry.publish(ws.version("{PROMPT}", "#1"), reason="begin")
ws.workbench("{PROMPT}", registry=registry)
"""
        notebook.run(cell(notebook.file("gone"), endpoint().base_url, shown, versions=3))
        bench = notebook.bench
        bench.get_by_role("tab", name="Publish").click()
        move = bench.get_by_role("region", name="Move a label")
        button = move.get_by_role("button", name="Publish #3 as v2 and set production to it")
        move.get_by_label("Reason").fill("it was ready")
        expect(button).to_have_attribute("aria-disabled", "false")
        with registry.away():
            button.click()
            expect(bench.get_by_role("alert").first).to_contain_text("cannot be reached")
            expect(button).to_have_attribute("aria-disabled", "true")
            expect(move.get_by_label("Reason")).to_have_value("it was ready")
        expect(button).to_have_attribute("aria-disabled", "false")
        button.click()
        expect(bench.get_by_role("region", name="Labels")).to_contain_text("v2")
        kinds = [entry.kind for entry in registry.store.log()]
    assert sorted(kinds) == ["move", "publish", "publish"], kinds


def test_a_registry_that_goes_while_versions_are_compared(
    notebook: Notebook, endpoint: Callable[..., RecordedEndpoint]
) -> None:
    """A published version that cannot be read is told at its place; the others are compared, and it comes back."""
    with registry_in_memory() as registry:
        registry.publish(PROMPT, text="Only published: {{ text }}")
        shown = f'ws.workbench("{PROMPT}", registry=pm.Registry({registry.url!r}, token={registry.token!r}))'
        notebook.run(cell(notebook.file("apart"), endpoint().base_url, shown))
        bench = notebook.bench
        bench.get_by_role("tab", name="Compare").click()
        expect(bench.get_by_text("#2 differs from #1 in 1 message.")).to_be_visible()
        candidate = bench.get_by_label("Candidate", exact=True)
        expect(candidate).to_contain_text("v1")
        with registry.away():
            candidate.select_option("v1")
            expect(bench.get_by_role("alert").first).to_contain_text("cannot be reached")
            candidate.select_option("#2")
            expect(bench.get_by_text("#2 differs from #1 in 1 message.")).to_be_visible()
            expect(bench.get_by_role("alert")).to_have_count(0)
        candidate.select_option("v1")
        expect(bench.get_by_text("v1 differs from #1")).to_be_visible()


def test_an_endpoint_with_its_hands_full(notebook: Notebook, endpoint: Callable[..., RecordedEndpoint]) -> None:
    """Calls that were refused, or answered with garbage, are asked again; the run ends whole, without an error."""
    served = endpoint().fail(429, times=15, retry_after=0.2).fail("garbage", times=3)
    notebook.run(cell(notebook.file("full"), served.base_url))
    bench = notebook.bench
    bench.get_by_role("tab", name="Evaluate").click()
    bench.get_by_role("button", name="Run 20 rows").click()
    run = bench.get_by_role("region", name="Run", exact=True)
    expect(run).to_contain_text("40 answers")
    expect(run).not_to_contain_text("error")
    expect(bench.get_by_role("region", name="Verdict")).to_contain_text("#2 better by 50.0 points")
    assert served.stats["sent"] == {"429": 15, "garbage": 3}
    assert served.stats["calls"] == 58


def test_the_end_of_a_hundred_thousand_rows(notebook: Notebook, many: str) -> None:
    """The grid is scrolled to its last row, and only what is in sight is in the page."""
    notebook.run(f"import pressmark as pm\nws = pm.Workspace({many!r})\nws.workbench({MANY_PROMPT!r})")
    bench = notebook.bench
    bench.get_by_role("tab", name="Evaluate").click()
    grid = bench.get_by_role("grid")
    expect(grid).to_have_attribute("aria-rowcount", str(MANY + 1))
    bench.locator(".pm-grid-row .pm-output code").first.wait_for()
    grid.evaluate("each => { each.scrollTop = each.scrollHeight; }")
    last = bench.locator(f'.pm-grid-row[aria-rowindex="{MANY + 1}"]')
    expect(last.locator(".pm-output code").first).to_be_visible()
    assert bench.locator(".pm-grid-row").count() < 60
    grid.focus()
    notebook.page.keyboard.press("Home")
    expect(bench.locator('.pm-grid-row[aria-rowindex="2"] .pm-output code').first).to_be_visible()


def test_two_notebooks_on_one_file(both: tuple[Notebook, Notebook], endpoint: Callable[..., RecordedEndpoint]) -> None:
    """Both save, run and rate at the same time; each has its version and its verdict, and the file has all of it."""
    gate = Gate(4)
    file = both[0].lab.folder / "shared.duckdb"
    code = cell(file, endpoint(gate).base_url, versions=1)
    for notebook in both:
        notebook.run(code)
    for notebook, text in zip(both, ("Sort it well.", "Sort it very well."), strict=True):
        notebook.page.bring_to_front()
        bench = notebook.bench
        bench.get_by_role("tab", name="Draft").click()
        write(bench, notebook.page, text)
        state = bench.locator(".pm-save-state")
        expect(state).to_contain_text(re.compile("kept as a draft|Changed elsewhere"))
        if "Changed elsewhere" in state.inner_text():
            bench.get_by_role("button", name="Go on with what is here").click()
        kept(bench)
        bench.get_by_role("button", name="Save version").click()
        expect(bench.get_by_text(re.compile("^Saved as #"))).to_be_visible()
        bench.get_by_role("tab", name="Evaluate").click()
        bench.get_by_label("Baseline").select_option("#1")
        bench.get_by_role("button", name="Run 20 rows").click()
        expect(bench.get_by_role("progressbar", name="Answers")).to_be_visible()
    gate.open()
    for notebook, version in zip(both, ("#2", "#3"), strict=True):
        notebook.page.bring_to_front()
        bench = notebook.bench
        expect(bench.get_by_role("region", name="Verdict")).to_contain_text(f"{version} better by 50.0 points")
        bench.get_by_role("tab", name="Rate").click()
        bench.get_by_role("button", name="Begin to rate").click()
        expect(bench.get_by_text("0 of 11 questions rated")).to_be_visible()
    for answered in (1, 2):
        for notebook in both:
            notebook.page.bring_to_front()
            notebook.page.keyboard.press("ArrowRight")
            rated(notebook.bench, answered, of=11)
    ws = pm.Workspace(file)
    assert ws.versions(PROMPT)["version"].tolist() == ["#3", "#2", "#1"]
    assert ws.sql("select count(*) as n from outputs")["n"].tolist() == [80]
    assert ws.sql("select count(*) as n from ratings group by run_id")["n"].tolist() == [2, 2]


def test_two_notebooks_write_one_draft(
    both: tuple[Notebook, Notebook], endpoint: Callable[..., RecordedEndpoint]
) -> None:
    """The one that comes later is told and goes on with its own; the other's text is one undo away."""
    first, second = both
    file = first.lab.folder / "drafted.duckdb"
    code = cell(file, endpoint().base_url)
    for notebook in both:
        notebook.run(code)
        expect(editor(notebook.bench)).to_contain_text("Sort it well.")
    first.page.bring_to_front()
    write(first.bench, first.page, "Written in the first.")
    kept(first.bench)
    second.page.bring_to_front()
    write(second.bench, second.page, "Written in the second.")
    expect(second.bench.get_by_text("was changed elsewhere", exact=False)).to_be_visible()
    expect(editor(second.bench)).to_contain_text("Written in the second.")
    second.bench.get_by_role("button", name="Go on with what is here").click()
    kept(second.bench)
    second.bench.get_by_role("button", name="Undo the last step").click()
    expect(editor(second.bench)).to_contain_text("Written in the first.")


def test_two_notebooks_move_one_label(
    both: tuple[Notebook, Notebook], endpoint: Callable[..., RecordedEndpoint]
) -> None:
    """Who comes later is told who moved it and why, keeps the reason, and moves on from what is."""
    first, second = both
    served = endpoint()
    with registry_in_memory() as registry:
        shown = f"""
registry = pm.Registry({registry.url!r}, token={registry.token!r})
for number in ("#1", "#2", "#3") if not registry.log() else ():
    registry.publish(ws.version("{PROMPT}", number), reason="for the record")
view = ws.workbench("{PROMPT}", registry=registry)
view.panel = "publish"
view
"""
        for notebook in both:
            notebook.run(cell(notebook.file("moved"), served.base_url, shown, versions=3))
            move = notebook.bench.get_by_role("region", name="Move a label")
            expect(move.get_by_role("button", name="Set production to v3")).to_have_attribute("aria-disabled", "false")
        move.get_by_label("Reason").fill("mine")
        first.page.bring_to_front()
        other = first.bench.get_by_role("region", name="Move a label")
        other.get_by_label("Version").select_option("v2")
        other.get_by_label("Reason").fill("the first was quicker")
        other.get_by_role("button", name="Set production to v2").click()
        expect(first.bench.get_by_role("region", name="Labels")).to_contain_text("v2")
        second.page.bring_to_front()
        note = move.get_by_role("alert")
        expect(note).to_contain_text("production was moved meanwhile")
        expect(note).to_contain_text("the first was quicker")
        note.get_by_role("button", name="Go on from v2").click()
        expect(move.get_by_label("Reason")).to_have_value("mine")
        move.get_by_role("button", name="Move production from v2 to v3").click()
        expect(move.get_by_text("production holds v3; it held v2 before.")).to_be_visible()
        moves = [entry.reason for entry in registry.store.log() if entry.kind == "move"]
    assert sorted(moves) == ["mine", "the first was quicker"]


def test_an_endpoint_that_streams_garbage(notebook: Notebook) -> None:
    """Trying a draft once shows what came and the error; nothing is kept, and the draft goes on."""
    odd = Odd([delta("A beginning"), b"data: {not json\n\n"], hang=False)
    file = notebook.file("garbage")
    try:
        notebook.run(cell(file, odd.url))
        bench = notebook.bench
        bench.get_by_role("button", name="Ask scripted once").click()
        trying = bench.locator(".pm-try")
        expect(trying.get_by_role("alert")).to_contain_text("no chat completion")
        expect(trying.locator(".pm-try-text")).to_contain_text("A beginning")
        write(bench, notebook.page, "Sort it gently.")
        kept(bench)
    finally:
        odd.close()
    assert pm.Workspace(file).sql("select count(*) as n from outputs")["n"].tolist() == [0]


def test_a_megabyte_and_hundreds_of_variables(notebook: Notebook, endpoint: Callable[..., RecordedEndpoint]) -> None:
    """Columns with quotes and emoji, 500 variables and a pasted megabyte are drawn in part and kept whole."""
    file, page = notebook.file("large"), notebook.page
    shown = f"""
odd = {{'say "hi"': "a", "it's 😀": "b", "text": "c"}}
ws.dataset("odd/columns", [odd | {{f"v{{at}}": f"value {{at}}" for at in range(500)}}])
ws.workbench("{PROMPT}")
"""
    notebook.run(cell(file, endpoint().base_url, shown))
    bench = notebook.bench
    write(bench, page, " ".join(f"{{{{ v{at} }}}}" for at in range(500)))
    expect(bench.get_by_role("button", name="Show all 501 variables")).to_be_visible()
    bench.get_by_label("Preview with").select_option("odd/columns")
    expect(bench.get_by_role("region", name="Preview")).to_contain_text("value 499")
    text = ("0123456789 lorem ipsum dolor sit amet, " * 27_000)[: 1 << 20]
    editor(bench).click()
    page.keyboard.press("Control+A")
    editor(bench).evaluate(PASTE, text)
    expect(bench.get_by_role("button", name="Show all 501 variables")).to_have_count(0)
    kept(bench)
    draft = pm.Workspace(file).store.draft(PROMPT)
    assert draft is not None
    assert draft.body["messages"][0]["content"] == text


def test_hostile_texts_and_names_inject_nothing(notebook: Notebook, endpoint: Callable[..., RecordedEndpoint]) -> None:
    """Outputs, messages, rows, columns, names and errors that are HTML are read in every panel, never run."""
    served = endpoint(lambda request: HOSTILE + str(len(request["messages"][0]["content"])))
    notebook.run(f"""
import pressmark as pm

hostile = {HOSTILE!r}
ws = pm.Workspace({notebook.file("hostile").name!r}, author=hostile)
ws.endpoint("odd", base_url={served.base_url!r})
for system in (hostile, hostile * 2):
    ws.save(
        "{PROMPT}",
        messages=[{{"role": "system", "content": system}}, {{"role": "user", "content": "{{{{ text }}}}"}}],
        model=hostile,
        message=hostile,
    )
rows = [{{"text": hostile + str(at), "label": hostile, hostile: hostile}} for at in range(5)]
ws.suite("mail/basics", dataset=ws.dataset("mail/rows", rows), scorers=[pm.scorers.Exact("label")], slice=hostile)
ws.workbench("{PROMPT}", registry=pm.Registry("sqlite:///{notebook.front}-hostile.db"))
""")
    page, bench = notebook.page, notebook.bench
    for panel in ("Draft", "Compare", "Evaluate", "Rate", "Publish"):
        bench.get_by_role("tab", name=panel).click()
        if panel == "Evaluate":
            bench.get_by_role("button", name="Run 5 rows").click()
            expect(bench.locator(".pm-tag-done")).to_be_visible()
            bench.get_by_role("row", name=re.compile("<script>")).first.click()
        if panel == "Rate":
            bench.get_by_role("button", name="Begin to rate").click()
            page.keyboard.press("ArrowLeft")
        expect(bench.get_by_text("<script>window.hacked='yes'</script>").first).to_be_attached()
    assert page.evaluate("window.hacked") is None
    assert bench.locator("img, script").count() == 0
