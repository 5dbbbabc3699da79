"""The way through the panels in JupyterLab and Notebook 7: draft, compare, evaluate, rate, publish, and what serves."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from playwright.sync_api import Locator, expect

import pressmark as pm
from tests.browser.axe import check_axe
from tests.browser.conftest import OPENING, WORKBENCH
from tests.browser.notebooks import IN_CELLS, Notebook

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

LABELS = "account_access, billing, cancellation, damaged_item, delivery, product_question, refund, technical_issue"
INSTRUCTION = f"You sort customer messages. Answer with exactly one of these labels and nothing else: {LABELS}."
SYSTEM = "message 1, system"
SERVE = """
import sys
import pressmark as pm
with pm.Client(snapshot_dir=False) as client:
    prompt = client.get(sys.argv[1])
    print(prompt.version, prompt.source, prompt.request(text="Hello")["messages"][0]["content"])
"""
SECOND = f"""
ws.save(
    "support/triage",
    messages=[{{"role": "system", "content": {INSTRUCTION!r}}}, {{"role": "user", "content": "{{{{ text }}}}"}}],
    model=practice.PRACTICE_MODEL,
    params={{"temperature": 0}},
    message="list the labels",
)
"""
VIEWS = """
few = ws.suite("support/few", dataset=practice.example_messages()[:12], scorers=[pm.scorers.Exact("category")])
versions = [ws.version("support/triage", number) for number in ("#1", "#2")]
run = ws.evaluate(versions, few, progress=False)
registry = pm.Registry()
for version in versions:
    registry.publish(version, reason="for the record")
registry.move("support/triage", label="production", to="v1", reason="go live")
views = [ws.draft("support/triage"), run.compare().view(), run.view(), ws.rate(run), registry.view("support/triage")]
display(*views)
"""


def named(notebook: Notebook, name: str, *cells: str) -> str:
    """The cells' code with a file of its own, and a prompt that the registry does not have yet."""
    told = "\n".join(cells).replace('"browser.duckdb"', repr(notebook.file(name).name))
    return told.replace("support/triage", prompt_of(notebook, name))


def prompt_of(notebook: Notebook, name: str) -> str:
    """A prompt's name that no other test publishes."""
    return f"{notebook.front}/{name}"


def write(notebook: Notebook, view: Locator, text: str) -> None:
    """Replace the first message of the draft."""
    view.get_by_role("group", name=SYSTEM).locator(".cm-content").click()
    notebook.page.keyboard.press("Control+A")
    notebook.page.keyboard.insert_text(text)


def test_from_draft_to_production(notebook: Notebook) -> None:
    """What is written, compared, run, rated and published in the page reaches a client in another process."""
    notebook.run(named(notebook, "loop", OPENING, WORKBENCH))
    page, bench = notebook.page, notebook.bench

    bench.get_by_role("tab", name="Draft").click()
    write(notebook, bench, INSTRUCTION)
    expect(bench.get_by_role("region", name="Preview")).to_contain_text(INSTRUCTION)
    check_axe(page, IN_CELLS)
    bench.get_by_label("Change message").fill("list the labels")
    bench.get_by_role("button", name="Save version").click()
    expect(bench.get_by_text("Saved as #2")).to_be_visible()

    bench.get_by_role("tab", name="Compare").click()
    bench.get_by_label("Baseline", exact=True).select_option("#1")
    bench.get_by_label("Candidate", exact=True).select_option("#2")
    expect(bench.get_by_text("#2 differs from #1 in 1 message.")).to_be_visible()
    expect(bench.locator("ins").first).to_contain_text("exactly")
    check_axe(page, IN_CELLS)

    bench.get_by_role("tab", name="Evaluate").click()
    bench.get_by_role("button", name="Run 117 rows").click()
    verdict = bench.get_by_role("region", name="Verdict")
    expect(verdict).to_contain_text("#2 better by", timeout=120_000)
    expect(verdict).to_contain_text("on 117 rows")
    check_axe(page, IN_CELLS)

    bench.get_by_role("tab", name="Rate").click()
    bench.get_by_role("button", name="Begin to rate").click()
    for answered, key in enumerate(("ArrowLeft", " ", "ArrowRight", "s")):
        expect(bench.get_by_text(re.compile(rf"^{answered} of \d+ questions rated"))).to_be_visible()
        page.keyboard.press(key)
    expect(bench.get_by_text(re.compile(r"^4 of \d+ questions rated"))).to_be_visible()
    page.keyboard.press("u")
    expect(bench.get_by_text(re.compile(r"^3 of \d+ questions rated"))).to_be_visible()
    check_axe(page, IN_CELLS)
    bench.get_by_role("button", name="Reveal early…").click()
    bench.get_by_role("button", name="Reveal now, with 3 answers").click()
    expect(bench.get_by_role("region", name="Votes by version")).to_be_visible()
    check_axe(page, IN_CELLS)

    bench.get_by_role("tab", name="Publish").click()
    move = bench.get_by_role("region", name="Move a label")
    move.get_by_label("Version").select_option("#2")
    move.get_by_label("Reason").fill("better on the inbox")
    move.get_by_role("button", name="Publish #2 as v1 and set production to it").click()
    expect(bench.get_by_role("region", name="Labels")).to_contain_text("production")
    expect(bench.get_by_role("region", name="Labels")).to_contain_text("v1")
    check_axe(page, IN_CELLS)

    served = subprocess.run(
        [sys.executable, "-c", SERVE, prompt_of(notebook, "loop")],
        env=notebook.lab.environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert served.stdout.strip() == f"v1 live {INSTRUCTION}"


def test_each_view_stands_alone(notebook: Notebook) -> None:
    """Draft, comparison, run, rating and registry in cells of their own do their main thing, without the other tabs."""
    notebook.run(named(notebook, "views", OPENING, SECOND, VIEWS))
    page, views = notebook.page, notebook.views
    draft, comparison, run, rate, registry = (views.nth(at) for at in range(5))

    write(notebook, draft, f"{INSTRUCTION} Thank you.")
    draft.get_by_role("button", name="Save version").click()
    expect(draft.get_by_text("Saved as #3")).to_be_visible()

    comparison.get_by_role("tab", name="Compare").click()
    expect(comparison.get_by_text("#2 differs from #1 in 1 message.")).to_be_visible()
    expect(comparison.get_by_role("tab")).to_contain_text(["Compare", "Evaluate"])

    expect(run.get_by_role("region", name="Verdict")).to_contain_text("#2")
    run.get_by_role("row").nth(1).click()
    expect(run.get_by_text("What was asked").first).to_be_visible()

    rate.get_by_role("heading", name="Which output is better?").click()
    page.keyboard.press("ArrowLeft")
    expect(rate.get_by_text(re.compile(r"^1 of \d+ questions rated"))).to_be_visible()

    registry.get_by_label("Version").select_option("v2")
    registry.get_by_label("Reason").fill("better on a few")
    registry.get_by_role("button", name="Move production from v1 to v2").click()
    expect(registry.get_by_text("production holds v2; it held v1 before.")).to_be_visible()

    for alone in (draft, run, rate, registry):
        expect(alone.get_by_role("tab")).to_have_count(0)
    check_axe(page, IN_CELLS)
    kept = pm.Workspace(notebook.file("views"))
    assert kept.versions(prompt_of(notebook, "views"))["version"].tolist() == ["#3", "#2", "#1"]
    assert len(kept.sql("select * from ratings")) == 1


def test_bad_jinja_is_told_at_its_place(notebook: Notebook) -> None:
    """A template that does not parse is told with line and column, and cannot be saved."""
    notebook.run(named(notebook, "bad", OPENING, WORKBENCH))
    bench = notebook.bench
    bench.get_by_role("tab", name="Draft").click()
    write(notebook, bench, "Sort this.\nThe text: {{ text | shout }}")
    card = bench.get_by_role("group", name=SYSTEM)
    expect(card).to_contain_text("there is no filter 'shout'")
    expect(card).to_contain_text("Line 2, column 21")
    expect(bench.get_by_role("button", name="Save version")).to_be_disabled()


def test_a_move_and_its_way_back_are_served_at_once(notebook: Notebook) -> None:
    """Publish, move, roll back; the client in the notebook follows each within the page."""
    notebook.run(named(notebook, "published", OPENING, SECOND, WORKBENCH))
    page, bench = notebook.page, notebook.bench
    bench.get_by_role("tab", name="Publish").click()
    label = "from-a-notebook"
    move = bench.get_by_role("region", name="Move a label")
    live = bench.get_by_role("region", name="A client in this notebook")
    move.get_by_label("Label", exact=True).select_option("+")
    move.get_by_label("New label, then Enter").fill(label)
    page.keyboard.press("Enter")
    expect(live).to_contain_text(f"serves nothing as {label}")
    # The whole effect stands in the button once the gate has answered: until then it says less, and stands higher.
    effects = {
        "#1": f"Publish #1 as v1 and set {label} to it",
        "#2": f"Publish #2 as v2 and move {label} from v1 to v2",
    }
    for version, effect in effects.items():
        move.get_by_label("Version").select_option(version)
        move.get_by_label("Reason").fill(f"try {version}")
        move.get_by_role("button", name=effect).click()
        expect(live).to_contain_text(re.compile(rf"serves v\d+ as {label}, [\d.]+ m?s after the move was sent"))
    bench.get_by_role("region", name="Labels").get_by_role("button", name=f"Roll {label} back").click()
    move.get_by_label("Reason").fill("it was not that")
    before = live.inner_text()
    move.get_by_role("button", name=f"Roll {label} back").click()
    expect(live).not_to_have_text(before)
    expect(bench.locator(".pm-entry").first).to_contain_text("it was not that")
