"""The Evaluate panel in a real browser: what is chosen before a run, resuming, charts, differences, corrections."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pressmark as pm
from tests.conftest import RecordedModel

from .bridge import serving
from .chromium import windows
from .contrast import CONTRAST
from .test_page import Bridge, Visit, bridge, pytestmark, visit, workbench_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["bridge", "pytestmark", "visit"]


def test_the_plan_stands_before_the_start_and_in_the_button(visit: Visit, bridge: Bridge) -> None:
    """Calls, tokens, price, time and the smallest difference; repeats and a budget show in the button."""
    page = visit(run=0, panel="evaluate")
    plan = page.get_by_label("Plan")
    plan.get_by_text(
        re.compile(r"480 answers to ask for · about .* tokens in, .* out · free · about .* · shows")
    ).wait_for()
    page.locator("summary", has_text="How it asks").click()
    page.get_by_label("Repeats of each row").fill("3")
    page.keyboard.press("Enter")
    page.get_by_label("At most, US dollars").fill("2")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Run 240 rows × 2 versions × 3, free, up to $2.00").wait_for()
    page.get_by_label("At most, calls").fill("many")
    page.keyboard.press("Enter")
    page.get_by_text("A whole number above 0, please.").wait_for()
    asking = workbench_of(bridge).state_evaluate["asking"]
    assert asking["repeats"] == 3
    assert asking["budget"] == {"money": 2, "tokens": None, "calls": None, "minutes": None}


def test_another_model_is_added_to_the_run(visit: Visit, bridge: Bridge) -> None:
    """It stands beside the saved versions, and the four columns are filled."""
    page = visit(run=0, panel="evaluate")
    page.locator("summary", has_text="Another model or parameters").click()
    page.get_by_label("but with the model").fill("practice-2")
    page.get_by_role("button", name="Add to the run").click()
    page.get_by_text("#3 with model practice-2", exact=True).wait_for()
    page.get_by_role("button", name="Run 240 rows × 3 versions, free").click()
    page.get_by_role("button", name=re.compile(r"Look at #3\*")).click()
    page.locator(".pm-verdict-sentence", has_text="#3*").wait_for()
    assert workbench_of(bridge).state_run["candidate"].startswith("#3*")
    assert page.locator(".pm-grid-head .pm-name").count() == 3


def test_a_stopped_run_asks_only_for_what_is_missing(visit: Visit) -> None:
    """The button says how many, and the run goes on to its end."""
    page = visit(run=0, rows=100, stops_at=60, panel="evaluate")
    page.get_by_role("button", name=re.compile("^Run 100 rows")).click()
    resume = page.get_by_role("button", name=re.compile("^Ask only for the 8[0-9] missing$"))
    resume.click()
    page.locator(".pm-tag-done").wait_for()
    page.get_by_text(re.compile("^200 answers ·")).wait_for()


def test_a_version_has_one_colour(visit: Visit) -> None:
    """The grid's head and the chart agree, whichever candidate is in sight."""
    page = visit(run=0, panel="evaluate")
    page.get_by_label("Another candidate").select_option("#1")
    page.get_by_role("button", name="Run 240 rows × 3 versions, free").click()
    looked = page.get_by_role("button", name=re.compile("^Look at "))
    looked.click()
    page.locator(".pm-chart-svg [class^=pm-ink]").nth(2).wait_for()
    colours = """() => {
        const of = (element, part) => [element.textContent.match(/#\\d/)[0], getComputedStyle(element, part)];
        const drawn = [...document.querySelectorAll(".pm-chart-svg [class^=pm-ink]")]
            .map((each) => of(each, null)).map(([name, style]) => [name, style.color]);
        const named = [...document.querySelectorAll(".pm-grid-head .pm-name")]
            .map((each) => of(each, "::before")).map(([name, style]) => [name, style.backgroundColor]);
        return named.length === 3 && JSON.stringify(drawn.sort()) === JSON.stringify(named.sort());
    }"""
    page.wait_for_function(colours)


def test_a_row_keeps_its_layout_in_jupyterlab(visit: Visit) -> None:
    """What JupyterLab says of lists and texts in every output does not reach in: a long row still scrolls."""
    page = visit(panel="evaluate")
    page.add_style_tag(
        content="""
        .jp-OutputArea-output :is(dl, dt, dd) { display: block; float: left; width: 80%; font-weight: bold }
        .jp-OutputArea-output dl { overflow: hidden }
        .jp-OutputArea-output pre { border: none; word-break: break-all; font-size: 20px }
        """
    )
    page.evaluate("document.body.classList.add('jp-OutputArea-output')")
    page.locator(".pm-grid-row").nth(1).click()
    page.locator(".pm-values dt").first.wait_for()
    for part, told in {
        ".pm-values": ["grid", "auto", "none"],
        ".pm-values dt": ["block", "visible", "none"],
        ".pm-values dd": ["block", "auto", "none"],
    }.items():
        style = "each => { const told = getComputedStyle(each); return [told.display, told.overflowY, told.float] }"
        assert page.locator(part).first.evaluate(style) == told, part
    text = page.locator(".pm-answer-text").first
    assert text.evaluate("each => [getComputedStyle(each).wordBreak, getComputedStyle(each).fontSize]") == [
        "normal",
        "12px",
    ]


def begin_to_correct(page: Page, text: str) -> None:
    """Opens the second row and types what is expected of it."""
    page.locator(".pm-grid-row").nth(1).click()
    page.get_by_role("button", name="Correct this row").click()
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def test_a_row_is_corrected_and_the_suite_is_moved(visit: Visit) -> None:
    """One click opens what is expected, Enter saves it; the suite that judges by the old rows is named."""
    page = visit(panel="evaluate")
    begin_to_correct(page, "something else")
    page.keyboard.press("Enter")
    page.get_by_text(re.compile("of triage/inbox is corrected: category .* → something else")).wait_for()
    page.get_by_role("button", name="Move triage/basics to the corrected rows").click()
    page.get_by_text("triage/basics judges by the corrected rows now", exact=False).wait_for()


def test_a_correction_outlives_a_look_at_another_row(visit: Visit) -> None:
    """Half a correction is there again when its row is; leaving it forgets it."""
    page = visit(panel="evaluate")
    begin_to_correct(page, "half a thought")
    page.get_by_label("Why").fill("it was wrong")
    page.locator(".pm-grid-row").nth(2).click()
    page.get_by_label("Why").wait_for(state="detached")
    page.keyboard.press("ArrowUp")
    page.get_by_label("Why").wait_for()
    # The keys stay the grid's: whoever goes through the rows types nothing into what was begun.
    assert page.evaluate("document.activeElement.tagName") != "INPUT"
    assert page.get_by_label("Why").input_value() == "it was wrong"
    fields = page.get_by_role("group", name="Correct this row").get_by_role("textbox")
    assert fields.first.input_value() == "half a thought"
    page.get_by_role("button", name="Leave it").click()
    page.get_by_role("button", name="Correct this row").click()
    assert fields.first.input_value() != "half a thought"
    assert page.get_by_label("Why").input_value() == ""


def test_differences_are_marked_in_the_grid(visit: Visit) -> None:
    """A toggle marks what differs from the baseline, as text also where it is markup."""
    page = visit(panel="evaluate", hostile=1)
    page.get_by_role("button", name="Differences", exact=True).click()
    page.locator(".pm-grid-row ins").first.wait_for()
    assert page.evaluate("window.hacked") is None


def test_every_chart_is_drawn_and_can_be_read(visit: Visit) -> None:
    """Means, slices, spread and cost, each with its title; their text has contrast in the dark too."""
    page = visit(panel="evaluate", theme="dark", width=1500)
    for name in ("Means", "Slices", "Spread", "Cost"):
        page.get_by_role("radio", name=name, exact=True).click()
        page.locator(".pm-chart svg[role=img]").wait_for()
        assert page.evaluate(CONTRAST) == []


def test_the_verdict_stays_in_sight(visit: Visit) -> None:
    """However far the page is scrolled, the sentence stands at its top."""
    page = visit(panel="evaluate", rows=2000)
    page.locator(".pm-grid-row").first.click()
    page.get_by_text("What was asked").first.wait_for()
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    box = page.locator(".pm-verdict-sentence").bounding_box()
    assert box
    assert 0 <= box["y"] < 900


def test_a_long_way_through_many_rows_leaves_little_behind(visit: Visit) -> None:
    """Rows stay drawn by window, at the end of 20,000 too."""
    page = visit(panel="evaluate", rows=20_000)
    grid = page.get_by_role("grid")
    grid.wait_for()
    grid.focus()
    page.keyboard.press("End")
    page.locator('.pm-grid-row[aria-rowindex="20001"]', has_text=re.compile(r"\d")).wait_for()
    assert page.locator(".pm-grid-row").count() < 60


def test_a_run_on_an_endpoint_that_fails_is_taken_up_again(
    browser: Browser, recorded_model: Callable[..., RecordedModel], tmp_path: Path
) -> None:
    """429s, cut and garbled answers end as answers or as error rows; a second workbench on the file sees the same."""
    file = tmp_path / "prompts.duckdb"
    ws = pm.Workspace(file)
    faulty = recorded_model(faults="429=0.2,500=0.1,cut=0.1,garbage=0.1", seed=3)
    ws.endpoint("faulty", base_url=faulty.base_url)
    for system in ("Sort it.", "Answer with one label: card_arrival, lost_or_stolen_card, exchange_rate."):
        ws.save(
            "bank/intent",
            messages=[{"role": "system", "content": system}, {"role": "user", "content": "{{ text }}"}],
            model="banking77-knn",
        )
    rows = [{"text": f"When does my new card number {at} arrive?", "label": "card_arrival"} for at in range(40)]
    ws.suite("bank/basics", dataset=rows, scorers=[pm.scorers.Exact("label")])
    waiting: list[Any] = []
    with serving(lambda query: waiting.pop(0)) as bridge, windows(browser) as opening:
        opened = [pm.Workspace(file).workbench("bank/intent") for _ in range(2)]
        for each in opened:
            each.panel = "evaluate"
            each.settle(60)
        waiting += opened
        first, second = (opening(bridge.url, 1280) for _ in range(2))
        for page in (first, second):
            page.set_default_timeout(120_000)
        first.get_by_role("button", name=re.compile("^Run 40 rows")).click()
        first.locator(".pm-tag-done").wait_for()
        run = opened[0].run
        if errors := len(ws.run(run).errors):
            first.get_by_role("button", name=f"Ask only for the {errors} missing").click()
            first.locator(".pm-tag-done").wait_for()
            assert opened[0].run == run
            assert len(ws.run(run).errors) <= errors
        assert len(ws.run(run).results) == 80
        assert [each["run"] for each in opened[1].session.runs("bank/intent")] == [run]
        opened[1].run = run
        second.locator(".pm-verdict-sentence").wait_for()


# The rows in sight, from the top: their place, and whether they are still waited for.
IN_SIGHT = """() => {
  const grid = document.querySelector('.pm-grid');
  if (!grid) return [];
  const box = grid.getBoundingClientRect();
  return [...document.querySelectorAll('.pm-grid-row')]
    .map(row => ({ box: row.getBoundingClientRect(), at: Number(row.getAttribute('aria-rowindex')) - 2, row }))
    .filter(each => each.box.bottom > box.top + 33 && each.box.top < box.bottom - 1)
    .map(each => ({ at: each.at, waits: each.row.querySelector('.pm-bone') !== null }))
    .sort((one, other) => one.at - other.at);
}"""


def in_sight(page: Page, least: int = 5) -> list[int]:
    """The places of the rows in sight, once all of them are there."""
    page.wait_for_function(
        f"(least) => {{ const rows = ({IN_SIGHT})(); return rows.length >= least && rows.every(row => !row.waits) }}",
        arg=least,
    )
    return [each["at"] for each in page.evaluate(IN_SIGHT)]


def test_rows_of_another_height_keep_the_same_row_on_top(visit: Visit) -> None:
    """Dense, relaxed or narrow: what was in sight stays there."""
    page = visit(panel="evaluate", rows=300)
    page.get_by_role("grid").evaluate("grid => { grid.scrollTop = 6000 }")
    page.wait_for_function(f"() => ({IN_SIGHT})()[0]?.at > 100")
    top = in_sight(page)[0]
    dense = page.get_by_role("button", name="Dense", exact=True)
    dense.click()
    assert abs(in_sight(page, 10)[0] - top) <= 1
    dense.click()
    assert abs(in_sight(page)[0] - top) <= 1
    page.set_viewport_size({"width": 600, "height": 900})
    page.locator(".pm-grid-row.pm-narrow").first.wait_for()
    assert abs(in_sight(page, 3)[0] - top) <= 1
    page.get_by_role("grid").focus()
    page.keyboard.press("End")
    page.wait_for_function(f"() => ({IN_SIGHT})().at(-1)?.at === 299")
    dense.click()
    assert in_sight(page)[-1] == 299


def test_rows_come_back_after_a_long_way(visit: Visit) -> None:
    """Pages of rows are left behind on the way, those in sight last of all."""
    page = visit(panel="evaluate", rows=12_000)
    grid = page.get_by_role("grid")
    for number in (*range(10, 72), 10):
        grid.evaluate("(grid, top) => { grid.scrollTop = top }", (number * 50 + 5) * 44)
        page.wait_for_function(f"() => ({IN_SIGHT})()[0]?.at === {number * 50 + 5}")
        in_sight(page)
    grid.evaluate("(grid, top) => { grid.scrollTop = top }", (10 * 50 - 5) * 44)
    page.wait_for_function(f"() => ({IN_SIGHT})()[0]?.at === {10 * 50 - 5}")
    assert in_sight(page)[:6] == [495, 496, 497, 498, 499, 500]


def test_an_order_that_the_run_left_behind_is_told(visit: Visit) -> None:
    """Rows do not move under the hand: when the rest has come, the order of by now is offered."""
    page = visit(run=0, rows=100, stops_at=15, panel="evaluate")
    page.get_by_role("button", name=re.compile("^Run 100 rows")).click()
    resume = page.get_by_role("button", name=re.compile("^Ask only for the 1[0-9]+ missing$"))
    resume.wait_for()
    page.get_by_label("Order").select_option("change")
    in_sight(page)
    before = page.evaluate(IN_SIGHT)
    resume.click()
    page.locator(".pm-tag-done").wait_for()
    page.get_by_text("its rows stand in another order by now", exact=False).wait_for()
    assert [each["at"] for each in page.evaluate(IN_SIGHT)] == [each["at"] for each in before]
    page.get_by_role("button", name="Show the new order").click()
    page.get_by_text("its rows stand in another order by now", exact=False).wait_for(state="detached")
