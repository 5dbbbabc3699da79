"""The Compare panel in a real browser, over a real workspace."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pressmark as pm

from .chromium import needs_the_page
from .contrast import CONTRAST
from .real_pages import Pages, pages
from .triage import LABELS, USER, save

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = needs_the_page

RULES = "\n".join(f"Rule {number}: keep rule {number} in mind." for number in range(1, 12))
HOSTILE = "<img src=x onerror=\"window.hacked='compare'\"><script>window.hacked='script'</script>"


def search(description: str) -> dict[str, object]:
    return {"type": "function", "function": {"name": "search", "description": description}}


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> pm.Workspace:
    """Four versions: labels named, an example added, the messages turned round."""
    space = pm.Workspace(tmp_path_factory.mktemp("compare") / "prompts.duckdb", author="ana")
    named = {"role": "system", "content": f"Answer with exactly one of these labels: {LABELS}.\n{RULES}"}
    save(space, f"Tell the category.\n{RULES}", message="first cut")
    second = save(space, "", messages=[named, USER], message="name the labels", tools=[search("Find an order")])
    third = [{"role": "user", "content": "I want my money back"}, {"role": "assistant", "content": "refund"}]
    always = {**named, "content": str(named["content"]).replace("Rule 7: keep", "Rule 7: always keep")}
    save(
        space,
        "",
        messages=[always, *third, USER],
        params={"temperature": 0.2},
        message="one example",
        parent=second,
        tools=[search("Find an order by date")],
    )
    save(space, "", messages=[USER, named], message="instructions last", parent=second, tools=[search("Find an order")])
    save(space, HOSTILE, name="support/hostile", message=HOSTILE)
    save(space, f"{HOSTILE}!", name="support/hostile", message=f"{HOSTILE}!", params={HOSTILE: HOSTILE})
    many = [f"line {number} of a long text" for number in range(10_000)]
    save(space, "\n".join(many), name="support/long", message="long")
    save(space, "\n".join(f"other {number}" for number in range(10_000)), name="support/long", message="other")
    return space


@pytest.fixture
def compare(browser: Browser, ws: pm.Workspace, tmp_path: Path) -> Iterator[Pages]:
    """Pages over the workspace and an embedded registry that holds its first two versions."""
    registry = pm.Registry(f"sqlite:///{tmp_path / 'registry.db'}")
    for number in ("#1", "#2"):
        registry.publish(ws.version("support/triage", number), reason="for the record")
    registry.move("support/triage", label="production", to="v2", reason="go live")
    with pages(browser, ws, lambda query: registry) as found:
        yield found
    registry.close()


def picked(page: Page) -> list[str]:
    """The versions compared, the baseline first."""
    return page.locator(".pm-picks select").evaluate_all("all => all.map(each => each.value)")


def test_two_versions_lie_side_by_side(compare: Pages) -> None:
    """The sentence first, words marked, equal lines folded, settings by path, and who, when and why of each."""
    page = compare.open(panel="compare", baseline="#2", version="#3")
    page.get_by_text("#3 differs from #2 in 3 messages and 2 settings.").wait_for()
    system = page.get_by_role("region", name="Message 1, system")
    assert system.locator("ins").all_inner_texts() == ["always "]
    system.get_by_role("button", name="5 equal lines").click()
    assert system.get_by_text("Rule 3: keep rule 3 in mind.").count() == 2
    page.get_by_text("added in #3 as message 2").wait_for()
    settings = page.get_by_role("region", name="Settings")
    assert settings.get_by_role("rowheader").all_inner_texts() == [
        "params.temperature",
        "tools[search].function.description",
    ]
    candidate = page.locator(".pm-pick-1")
    assert "one example" in candidate.inner_text()
    assert "ana, just now, from #2" in candidate.inner_text()
    assert "production" in page.locator(".pm-pick-0").inner_text()


def test_four_versions_keep_the_baseline_in_sight(compare: Pages) -> None:
    """Candidates are added up to three; they scroll, and the baseline stays where it is."""
    page = compare.open(width=900, panel="compare", baseline="#2", version="#3")
    for count in (3, 4):
        page.get_by_role("button", name="Add a candidate").click()
        page.wait_for_function(f"document.querySelectorAll('.pm-picks select').length === {count}")
    assert page.get_by_role("button", name="Add a candidate").count() == 0
    page.locator(".pm-sentence").nth(2).wait_for()
    left = "document.querySelector('.pm-columns .pm-half.pm-column').getBoundingClientRect().left"
    page.locator(".pm-columns .pm-half.pm-column").first.wait_for()
    before = page.evaluate(left)
    scrolled = page.locator(".pm-columns").evaluate("box => { box.scrollLeft = 300; return box.scrollLeft; }")
    assert scrolled == 300
    assert abs(page.evaluate(left) - before) <= 1
    page.get_by_role("button", name="Compare without #3").first.click()
    page.wait_for_function("document.querySelectorAll('.pm-picks select').length === 3")
    assert picked(page)[0] == "#2"
    assert "#3" not in picked(page)


def test_a_message_that_moved_is_told_as_moved(compare: Pages) -> None:
    """Neither removed nor added: where it stood and where it stands, its lines folded."""
    page = compare.open(panel="compare", baseline="#2", version="#4")
    page.get_by_text("#4 differs from #2 in the place of 1 message.").wait_for()
    page.get_by_text("moved in #4, from message 1 to 2").wait_for()
    assert page.locator(".pm-columns :is(ins, del)").count() == 0


def test_unified_shows_one_below_the_other(compare: Pages) -> None:
    """The same difference in one column, settings as path: old → new; at 600 px it is the first choice."""
    page = compare.open(width=600, panel="compare", baseline="#2", version="#3")
    page.get_by_role("radio", name="Unified", checked=True).wait_for()
    page.get_by_text("params.temperature: 0 → 0.2").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("radio", name="Split").click()
    page.get_by_role("region", name="Settings").get_by_role("table").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_tree_chooses_by_keyboard(compare: Pages) -> None:
    """Arrows go along the versions, Enter takes a candidate, b a baseline, + adds and removes one."""
    page = compare.open(panel="compare", baseline="#2", version="#3")
    tree = page.get_by_role("region", name="Version tree")
    assert tree.locator(".pm-tree-row").count() == 4
    assert "production" in tree.locator(".pm-tree-row", has_text="name the labels").inner_text()
    tree.locator(".pm-tree-name").first.focus()
    page.keyboard.press("Enter")
    page.get_by_text("#4 differs from #2", exact=False).wait_for()
    page.keyboard.press("End")
    page.wait_for_function("document.activeElement.textContent.startsWith('#1')")
    page.keyboard.press("b")
    page.get_by_text("#4 differs from #1", exact=False).wait_for()
    page.keyboard.press("ArrowUp")
    page.wait_for_function("document.activeElement.textContent.startsWith('#2')")
    page.keyboard.press("+")
    page.get_by_text("#2 differs from #1", exact=False).wait_for()
    assert picked(page) == ["#1", "#4", "#2"]
    page.wait_for_function("document.activeElement.textContent.startsWith('#2')")
    page.keyboard.press("+")
    page.wait_for_function("document.querySelectorAll('.pm-picks select').length === 2")
    assert compare.workbench.baseline == "#1"


def test_a_published_version_is_compared_from_the_registry(compare: Pages) -> None:
    """v1 stands in the lists; one that is not there is told beside the others."""
    page = compare.open(panel="compare", baseline="#3", version="#2")
    page.get_by_label("Candidate", exact=True).select_option("v1")
    page.get_by_text("v1 differs from #3", exact=False).wait_for()
    compare.workbench.version = "v99"
    page.get_by_role("alert").get_by_text("v99", exact=False).wait_for()


def test_hostile_texts_inject_nothing(compare: Pages) -> None:
    """Messages, parameters and change messages that are HTML are read, never run, in every view."""
    page = compare.open(panel="compare", prompt="support/hostile")
    page.get_by_text("#2 differs from #1", exact=False).wait_for()
    page.get_by_role("radio", name="Unified").click()
    page.locator(".pm-about-why", has_text="window.hacked='compare'").first.wait_for()
    page.locator(".pm-line-text", has_text="window.hacked='compare'").first.wait_for()
    page.locator(".pm-path", has_text="window.hacked='compare'").first.wait_for()
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img, main script").count() == 0


def test_ten_thousand_lines_are_drawn_in_part(compare: Pages) -> None:
    """Of a text that is another one altogether the first lines are drawn, and more when asked for."""
    page = compare.open(panel="compare", prompt="support/long")
    page.get_by_text("#2 differs from #1 in 1 message.").wait_for()
    assert page.locator(".pm-diff-line").count() <= 400
    page.get_by_role("button", name=re.compile("Show 400 more")).click()
    page.wait_for_function("document.querySelectorAll('.pm-diff-line').length > 400")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_can_be_read(compare: Pages, theme: str) -> None:
    """Contrast holds with four columns, marks and tree."""
    page = compare.open(panel="compare", theme=theme, baseline="#2", version="#3")
    page.get_by_role("button", name="Add a candidate").click()
    page.locator(".pm-sentence").nth(1).wait_for()
    assert page.evaluate(CONTRAST) == []
