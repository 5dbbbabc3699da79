"""The built page in a real browser, over a real widget and a session in memory, without Jupyter."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from .bridge import Bridge, from_query, serving
from .chromium import needs_the_page, windows
from .contrast import CONTRAST

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = needs_the_page

Visit = Callable[..., "Page"]


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    """A server of workbenches."""
    with serving(from_query) as opened:
        yield opened


@pytest.fixture
def visit(bridge: Bridge, browser: Browser) -> Iterator[Visit]:
    """Opens the page over a session that the arguments describe; fails on anything in the console."""
    with windows(browser) as opening:
        yield lambda width=1000, **query: opening(f"{bridge.url}/?{urlencode(query)}", width)


def workbench_of(bridge: Bridge) -> Any:
    """The workbench of the page opened last."""
    return list(bridge.workbenches.values())[-1]


def test_a_prompt_is_drafted_run_and_published(visit: Visit, bridge: Bridge) -> None:
    """Type, save, run, read the verdict, publish: the whole way through the page."""
    page = visit(run=0, rows=1000)
    editor = page.get_by_label("Text of message 1")
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.type("Sort this into one category.\nOnly the word.")
    page.get_by_text("Unsaved changes since #3").wait_for()
    page.get_by_label("Change message").fill("shorter")
    page.get_by_role("button", name="Save version").click()
    page.get_by_text("Saved as #4.").wait_for()

    page.get_by_role("tab", name="Compare").click()
    page.get_by_text("#4 differs from #3 in 1 message").wait_for()

    page.get_by_role("tab", name="Evaluate").click()
    page.get_by_role("button", name="Run 1,000 rows × 2 versions, free").click()
    page.locator(".pm-verdict-sentence", has_text=re.compile(r"#4 better by .* points")).wait_for()
    page.get_by_text(re.compile("^2,000 answers ·")).wait_for()

    page.get_by_role("tab", name="Publish").click()
    page.get_by_text("The gate lets this move through.").wait_for()
    page.get_by_label("Reason").fill("better on 1,000 rows")
    page.get_by_role("button", name="Publish #4 as v3 and move production from v2 to v3").click()
    page.get_by_text("production holds v3; it held v2 before", exact=False).wait_for()
    workbench = workbench_of(bridge)
    assert workbench.verdict == "better"
    assert workbench.session.registry_prompt("support/triage")["log"][0]["reason"] == "better on 1,000 rows"


def test_tabs_stay_where_they_are(visit: Visit) -> None:
    """Choosing one moves none of the others from under the pointer."""
    page = visit()
    tabs = page.get_by_role("tab")

    def places() -> list[float]:
        return [tabs.nth(at).bounding_box()["x"] for at in range(tabs.count())]  # type: ignore[index]

    first = places()
    for name in ("Evaluate", "Publish", "Draft"):
        page.get_by_role("tab", name=name).click()
        page.locator(f'[role=tab][id$="-{name.lower()}"][aria-selected=true]').wait_for()
        assert places() == first


def test_a_template_error_stands_at_its_message(visit: Visit) -> None:
    """What cannot be read is told below the message, with line and column, and the version cannot be saved."""
    page = visit()
    page.get_by_label("Text of message 2").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("\nand {{ text | }")
    problem = page.locator(".pm-card").nth(1).get_by_role("alert")
    problem.wait_for()
    assert problem.inner_text().replace("\n", " ").startswith("! Line 4, column 5:")
    assert page.get_by_role("button", name="Save version").get_attribute("aria-disabled") == "true"


def test_typing_shows_variables_and_the_row(visit: Visit) -> None:
    """A new variable is listed as it is typed, and the preview shows the row."""
    page = visit()
    page.get_by_label("Text of message 2").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("\n{{ category }}!")
    page.get_by_role("cell", name="category", exact=True).wait_for()
    page.locator(".pm-rendered", has_text="!").wait_for()
    page.get_by_label("Next row").click()
    page.locator(".pm-rendered", has_text="charged me twice for A10007").wait_for()


def test_what_is_typed_is_kept_when_another_prompt_is_opened(visit: Visit, bridge: Bridge) -> None:
    """Leaving a prompt in mid-typing loses nothing."""
    page = visit()
    page.get_by_label("Text of message 1").click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" LAST WORDS")
    page.get_by_label("Prompt", exact=True).select_option("support/answer")
    page.get_by_text("Answer in the tone of").first.wait_for()
    page.get_by_label("Prompt", exact=True).select_option("support/triage")
    page.get_by_text("LAST WORDS").first.wait_for()
    draft = workbench_of(bridge).session.draft("support/triage")
    assert draft["body"]["messages"][0]["content"].endswith("LAST WORDS")


def test_messages_are_added_moved_and_removed(visit: Visit, bridge: Bridge) -> None:
    """The cards follow their messages, texts and all."""
    page = visit()
    page.get_by_role("button", name="Add a message").click()
    page.get_by_label("Text of message 3").click()
    page.keyboard.type("third")
    page.get_by_role("button", name="Move message 3 up").click()
    page.get_by_role("button", name="Remove message 1").click()
    page.get_by_text(re.compile("Unsaved changes since #3, kept")).wait_for()
    messages = workbench_of(bridge).session.draft("support/triage")["body"]["messages"]
    assert [each["content"][:7] for each in messages] == ["third", "Message"]
    assert page.locator(".cm-content").first.inner_text() == "third"


def test_hostile_texts_are_shown_as_text(visit: Visit) -> None:
    """Outputs and inputs that are HTML and script are read, never run."""
    page = visit(hostile=1, panel="evaluate")
    page.get_by_role("row", name=re.compile("<script>")).first.click()
    page.get_by_text("<img src=x onerror=\"window.hacked='output'\">", exact=False).last.wait_for()
    page.get_by_role("button", name="Mark differences").click()
    page.get_by_role("tab", name="Draft").click()
    page.locator(".pm-rendered", has_text="<script>").wait_for()
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img[onerror], main img[src=x], main script").count() == 0


def test_ten_thousand_rows_are_drawn_by_window(visit: Visit) -> None:
    """Of 10,000 rows only those in sight are in the page, at the top and at the end."""
    page = visit(rows=10_000, panel="evaluate")
    grid = page.get_by_role("grid")
    grid.wait_for()
    assert grid.get_attribute("aria-rowcount") == "10001"
    assert page.locator(".pm-grid-row").count() < 60
    grid.focus()
    page.keyboard.press("End")
    page.locator('.pm-grid-row[aria-rowindex="10001"]', has_text=re.compile(r"\d")).wait_for()
    assert page.locator(".pm-grid-row").count() < 60


def test_the_grid_is_used_by_keyboard(visit: Visit) -> None:
    """Arrows move, Enter opens, ] goes on to the next flipped row, Escape closes, / searches."""
    page = visit(panel="evaluate")
    page.get_by_role("grid").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    full = page.locator(".pm-full")
    full.get_by_text("What was asked").first.wait_for()
    first = full.locator("h3").inner_text()
    page.keyboard.press("]")
    page.wait_for_function("before => document.querySelector('.pm-full h3').textContent !== before", arg=first)
    page.keyboard.press("Escape")
    full.wait_for(state="detached")
    page.keyboard.press("/")
    page.keyboard.type("kettle")
    page.locator(".pm-segments", has_text=re.compile(r"All 3\dFlipped")).wait_for()
    page.keyboard.press("Escape")
    page.locator(".pm-segments", has_text="All 240").wait_for()


def test_tabs_are_used_by_keyboard(visit: Visit, bridge: Bridge) -> None:
    """Arrow keys go from panel to panel, and the widget's trait follows."""
    page = visit()
    page.get_by_role("tab", name="Draft").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("tab", name="Compare", selected=True).wait_for()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.get_by_role("tab", name="Publish", selected=True).wait_for()
    # The page turns at once, the trait once the kernel has heard of it.
    until = time.monotonic() + 30
    while workbench_of(bridge).panel != "publish":
        assert time.monotonic() < until
        page.wait_for_timeout(20)


def test_a_run_that_ends_offers_the_new_order(visit: Visit) -> None:
    """While a run goes on rows keep the dataset's order; in the end flipped ones first are offered."""
    page = visit(run=0, rows=300, delay=0.005, panel="evaluate")
    page.get_by_role("button", name="Run 300 rows × 2 versions, free").click()
    page.get_by_role("progressbar").wait_for()
    page.get_by_text("provisional").wait_for()
    offer = page.get_by_role("button", name="Show flipped rows first")
    offer.wait_for()
    assert page.locator('.pm-grid-row[aria-rowindex="2"]').inner_text().startswith("0")
    offer.click()
    page.locator('.pm-grid-row[aria-rowindex="2"]', has_text="▼").wait_for()


def test_a_move_needs_a_reason(visit: Visit, bridge: Bridge) -> None:
    """Without a reason nothing is moved, and the field says so."""
    page = visit(panel="publish")
    page.get_by_role("button", name="Roll production back from v2 to v1").click()
    confirm = page.get_by_role("region", name="Move a label").get_by_role("button", name="Roll production back")
    confirm.click()
    page.get_by_text("Give the reason first").wait_for()
    session = workbench_of(bridge).session
    assert session.registry_prompt("support/triage")["labels"][0]["version"] == "v2"
    page.get_by_label("Reason").fill("complaints")
    confirm.click()
    page.get_by_text("production holds v1; it held v2 before").wait_for()


def test_what_stops_a_move_is_shown(visit: Visit) -> None:
    """The gate's reasons are a checklist, and the button is off while one of them stops the move."""
    page = visit(panel="publish", withhold="evidence")
    page.get_by_text("The gate stops this move: one thing is missing.").wait_for()
    page.get_by_text("Run the suite in Evaluate and submit its evidence.").wait_for()
    button = page.get_by_role("button", name="Publish #3 as v3 and move production from v2 to v3")
    assert button.get_attribute("aria-disabled") == "true"


def test_a_registry_that_is_down_can_be_asked_again(visit: Visit, bridge: Bridge) -> None:
    """The panel says what happened and what to do, and comes back when the registry does."""
    page = visit(panel="publish", registry="down")
    page.get_by_text("The registry does not answer: connection refused.").wait_for()
    workbench_of(bridge).session.registry_state = "connected"
    page.get_by_role("button", name="Refresh").click()
    page.get_by_text("The gate lets this move through.").wait_for()


@pytest.mark.parametrize("panel", ["draft", "compare", "evaluate", "publish"])
def test_an_empty_workspace_says_what_to_do_first(visit: Visit, panel: str) -> None:
    """No panel is left loading where there is nothing yet."""
    page = visit(prompts=0, registry="none", panel=panel)
    page.locator(".pm-empty-title").wait_for()
    assert page.locator(".pm-loading").count() == 0


@pytest.mark.parametrize("panel", ["draft", "compare", "evaluate", "publish"])
@pytest.mark.parametrize("width", [600, 2000])
def test_nothing_sticks_out(visit: Visit, panel: str, width: int) -> None:
    """At 600 and at 2,000 pixels nothing is wider than the page."""
    page = visit(width=width, panel=panel)
    page.wait_for_function("!document.querySelector('.pm-loading')")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("panel", ["draft", "compare", "evaluate", "publish"])
def test_every_text_can_be_read(visit: Visit, panel: str, theme: str) -> None:
    """The contrast of every text with what is behind it is at least 4.5 : 1, in light and in dark."""
    page = visit(panel=panel, theme=theme)
    page.wait_for_function("!document.querySelector('.pm-loading')")
    weak = page.evaluate(CONTRAST)
    assert weak == []


def test_the_page_says_when_a_command_is_unknown(visit: Visit, bridge: Bridge) -> None:
    """A page that is newer than the kernel gets an answer that says so."""
    page = visit()
    workbench_of(bridge)._commands.pop("discard_draft")
    page.get_by_label("Text of message 1").click()
    page.keyboard.type("x")
    page.get_by_text(re.compile("Unsaved changes since #3, kept")).wait_for()
    page.get_by_role("button", name="Discard draft").click()
    page.get_by_role("button", name="Discard the draft and return to #3").click()
    page.get_by_text("restart the kernel and reload the page", exact=False).wait_for()


LONG = "support/a-prompt/with-a-really-long-name-that-somebody-made-up-in-a-me"


@pytest.mark.parametrize("width", [1300, 700])
def test_a_long_name_leaves_the_tabs_alone(visit: Visit, width: int) -> None:
    """A name of 70 characters is cut, whole in its title, and every tab can be hit."""
    assert len(LONG) == 70
    page = visit(width=width, name=LONG, panel="compare")
    page.get_by_role("heading", name="Settings").first.wait_for()
    assert page.locator(".pm-picker").get_attribute("title") == LONG
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    boxes = [page.locator(where).bounding_box() for where in (".pm-picker", ".pm-tabs", ".pm-sight")]
    picker, tabs, sight = boxes
    assert picker
    assert tabs
    assert picker["x"] + picker["width"] <= tabs["x"] or picker["y"] + picker["height"] <= tabs["y"]
    assert not sight or tabs["x"] + tabs["width"] <= sight["x"]
    for name in ("Draft", "Evaluate", "Publish"):
        page.get_by_role("tab", name=name).click()
        page.get_by_role("tab", name=name, selected=True).wait_for()


def test_a_result_says_when_it_is_not_of_what_is_picked(visit: Visit) -> None:
    """Verdict, legend and header stay the run's, greyed, with what it is and what to run."""
    page = visit(panel="evaluate")
    page.locator(".pm-verdict-sentence", has_text="#3").wait_for()
    before = page.locator(".pm-verdict-sentence").inner_text()
    page.get_by_label("Baseline").select_option("#3")
    page.get_by_label("Candidate", exact=True).select_option("#1")
    page.get_by_text(re.compile(r"This is run .*, #3 against #2\. Run #1 to compare\.")).wait_for()
    assert page.locator(".pm-stale").count() == 1
    assert page.locator(".pm-verdict-sentence").inner_text() == before
    assert page.locator(".pm-grid-head .pm-name").all_inner_texts() == ["#2", "#3"]
    assert page.locator(".pm-sight .pm-name").all_inner_texts() == ["#2", "#3"]
    assert page.evaluate(CONTRAST) == []
    page.get_by_label("Baseline").select_option("#2")
    page.get_by_label("Candidate", exact=True).select_option("#3")
    page.locator(".pm-stale").wait_for(state="detached")


def test_versions_are_offered_newest_first(visit: Visit) -> None:
    """The order of a list does not follow what is chosen in it."""
    page = visit(panel="evaluate")
    for label in ("Baseline", "Candidate"):
        options = page.get_by_label(label, exact=True).locator("option").all_inner_texts()
        numbers = [int(text[1]) for text in options]
        assert numbers == sorted(numbers, reverse=True)


def test_the_next_flip_goes_beyond_the_rows_in_sight(visit: Visit) -> None:
    """] lands on flipped rows only, however far apart, and says so at the last one."""
    page = visit(rows=2000, panel="evaluate")
    page.get_by_label("Order").select_option("row")
    grid = page.get_by_role("grid")
    page.locator('.pm-grid-row[aria-rowindex="2"]', has_text="0").wait_for()
    grid.focus()
    for _ in range(3):
        page.keyboard.press("PageDown")
    page.keyboard.press("]")
    page.locator('.pm-grid-row[aria-selected="true"]', has_text=re.compile("[▲▼]")).wait_for()
    page.keyboard.press("End")
    page.locator('.pm-grid-row[aria-rowindex="2001"][aria-selected="true"]').wait_for()
    page.keyboard.press("[")
    page.locator('.pm-grid-row[aria-selected="true"]', has_text=re.compile("[▲▼]")).wait_for()
    page.keyboard.press("]")
    page.get_by_text("No flipped row below this one.").wait_for()
    page.locator('.pm-grid-row[aria-selected="true"]', has_text=re.compile("[▲▼]")).wait_for()


def test_a_failed_run_has_a_state_of_its_own(visit: Visit) -> None:
    """The cause, no verdict, cells that were not asked, and the way on."""
    page = visit(run=0, rows=40, panel="evaluate")
    page.get_by_label("Endpoint").select_option("wrong")
    page.get_by_role("button", name=re.compile("^Run 40 rows")).click()
    page.get_by_role("alert").get_by_text("Nothing answers at", exact=False).wait_for()
    page.locator(".pm-grid-row", has_text="not asked").first.wait_for()
    assert page.get_by_role("region", name="Verdict").count() == 0
    assert page.get_by_text("The run has ended").count() == 0
    page.get_by_label("Run again on").select_option("practice")
    page.get_by_role("button", name="Run again").click()
    page.locator(".pm-verdict-sentence").wait_for()
    page.get_by_role("button", name="Run 40 rows × 2 versions, all known").wait_for()


def test_a_run_that_ended_by_itself_shows_its_note(visit: Visit) -> None:
    """Neither failed nor cancelled: its own word and its note."""
    page = visit(run=0, rows=100, stops_at=60, panel="evaluate")
    page.get_by_role("button", name=re.compile("^Run 100 rows")).click()
    page.get_by_text("The run stopped by itself: the rows so far tell #3 from #2.", exact=False).wait_for()
    page.locator(".pm-tag", has_text="ended early").wait_for()
    page.locator(".pm-verdict-sentence").wait_for()


def test_a_run_that_cannot_be_is_not_offered(visit: Visit) -> None:
    """The reason stands there once, and the button is off for that reason."""
    why = "dataset triage/inbox has no column for company: add it"
    page = visit(panel="evaluate", refuses=why)
    page.get_by_text("Dataset triage/inbox has no column for company: add it.").wait_for()
    button = page.get_by_role("button", name=re.compile("^Run 240 rows"))
    assert button.get_attribute("aria-disabled") == "true"
    assert button.get_attribute("title") == why
    assert page.get_by_role("alert").count() == 1


def test_a_variable_without_a_column_is_marked(visit: Visit) -> None:
    """The table of variables and the preview say which column a run would miss."""
    page = visit()
    page.get_by_label("Text of message 2").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("\n{{ company }}!")
    row = page.get_by_role("row", name=re.compile("company"))
    row.get_by_text("no column in triage/inbox").wait_for()
    page.locator("p.pm-absent", has_text="‹company›: no column in triage/inbox").wait_for()
    assert page.locator(".pm-absent").count() == 2


@pytest.mark.parametrize("width", [1300, 700])
def test_the_grid_shows_what_was_expected(visit: Visit, width: int) -> None:
    """Input and expected value stand in every row, at 700 px above the outputs; rows are numbered from 0."""
    page = visit(width=width, panel="evaluate")
    page.get_by_label("Order").select_option("row")
    row = page.locator('.pm-grid-row[aria-rowindex="2"]')
    row.get_by_text("My parcel with order A10000").wait_for()
    cells = row.locator("[role=gridcell]").all_inner_texts()
    assert cells[0] == "0"
    if width > 1000:
        assert cells[2] in ("billing", "delivery", "returns", "account", "technical")
    else:
        assert re.search(r"expected (billing|delivery|returns|account|technical)$", cells[1])
    row.click()
    full = page.locator(".pm-full")
    full.get_by_role("heading", name="Row 0", exact=True).wait_for()
    names = full.locator("dt").all_inner_texts()
    assert [name.split("\n")[0] for name in names[:2]] == ["channel", "text"]
    assert "expected" in names[2]
    # The focus frames the grid, never one cell of it.
    assert page.evaluate("document.activeElement.getAttribute('role')") == "grid"


def test_a_slice_filters_the_grid(visit: Visit) -> None:
    """The slices are folded beside the guards; a click shows one slice's rows, another click all."""
    page = visit(panel="evaluate")
    page.locator("summary", has_text="3 slices by channel").click()
    page.get_by_role("button", name="chat").click()
    page.locator(".pm-segments", has_text="All 80").wait_for()
    page.get_by_role("button", name="channel: chat").click()
    page.locator(".pm-segments", has_text="All 240").wait_for()


def test_a_message_is_proposed(visit: Visit, bridge: Bridge) -> None:
    """An empty change message is filled from what changed, and shown before it is saved."""
    page = visit()
    page.get_by_label("temperature").fill("0.7")
    page.get_by_placeholder("temperature 0 → 0.7").wait_for()
    page.get_by_role("button", name="Save version").click()
    page.get_by_text("Saved as #4.").wait_for()
    assert workbench_of(bridge).session.versions("support/triage")[0]["message"] == "temperature 0 → 0.7"


def test_evidence_is_no_box_to_tick(visit: Visit) -> None:
    """A verdict among the gate's lines carries its own sign."""
    page = visit(panel="publish")
    line = page.get_by_role("list", name="Evidence").get_by_role("listitem")
    line.get_by_text("Cannot tell: #3 differs").wait_for()
    assert line.inner_text().startswith("?")
    assert "✓" not in line.inner_text()


def test_nothing_to_move_asks_for_no_reason(visit: Visit) -> None:
    """Said once; a reason is asked for when a rollback is begun."""
    page = visit(panel="publish")
    page.get_by_label("Version").select_option("#2")
    page.get_by_text("Nothing to move: production holds v2 already.").wait_for()
    assert page.get_by_text("holds v2 already").count() == 1
    assert page.get_by_label("Reason").count() == 0
    page.get_by_role("button", name="Roll production back from v2 to v1").click()
    page.get_by_label("Reason").fill("complaints")
    page.get_by_role("region", name="Move a label").get_by_role("button", name="Roll production back").click()
    page.get_by_text("No rollback: v1 is the first version that production held.").wait_for()


def test_an_empty_publish_panel_leads_to_draft(visit: Visit) -> None:
    """What to do first is a button."""
    page = visit(prompts=0, panel="publish")
    page.get_by_role("button", name="Go to Draft").click()
    page.get_by_role("tab", name="Draft", selected=True).wait_for()
