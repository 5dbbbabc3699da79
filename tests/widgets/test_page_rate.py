"""Rating in a real browser over a real workspace: by keyboard, blind to the end, then the reveal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import pressmark as pm
from pressmark.api.session import Session
from pressmark.widgets import Workbench

from .bridge import Bridge, serving
from .chromium import needs_the_page, windows
from .real import Told, workspace_with_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = needs_the_page

LONG = "\n".join(f"line {number}" for number in range(200))
ROWS = [{"text": f"<b>question</b> {number}"} for number in range(10)]

Visit = Callable[..., "tuple[Page, Told]"]


def _answer(request: dict[str, Any]) -> str:
    said = str(request["messages"][-1]["content"])
    start = "# Kind <img src=x onerror=alert(1)>" if said.startswith("kindly") else "# Plain <script>alert(1)</script>"
    return f"{start} **{said[-1]}**\n{LONG}"


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    """A server of pages."""
    with serving() as opened:
        yield opened


@pytest.fixture
def ran(tmp_path: Path) -> Iterator[tuple[pm.Workspace, Any]]:
    """Two versions on ten rows."""
    with workspace_with_run(tmp_path, ROWS, _answer) as found:
        yield found


@pytest.fixture
def visit(bridge: Bridge, browser: Browser) -> Iterator[Visit]:
    """Shows a workbench; fails on anything in the console, and on what the outputs' scripts would say."""
    said: list[str] = []
    with windows(browser) as opening:

        def show(make: Callable[[], Workbench], width: int = 1000) -> tuple[Page, Told]:
            told: list[Told] = []

            def making(query: dict[str, str]) -> Workbench:
                shown = make()
                shown.settle()
                told.append(Told(shown))
                return shown

            bridge.open_workbench = making
            page = opening(bridge.url, width)
            page.on("dialog", lambda dialog: said.append(dialog.message))
            return page, told[0]

        yield show
    assert said == []


def _text(page: Page, side: str) -> str:
    return page.get_by_role("region", name=side, exact=True).inner_text()


def _press(page: Page, key: str, answered: int, total: int = 11) -> None:
    page.keyboard.press(key)
    page.get_by_text(f"{answered} of {total} questions rated").wait_for()


def _strings(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every string in a message, with where it stands."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield (*path, key), str(key)
            yield from _strings(each, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _strings(each, path)
    elif isinstance(value, str):
        yield path, value


@pytest.mark.parametrize("alone", [True, False])
def test_rated_by_keyboard_and_blind_to_the_end(ran: tuple[pm.Workspace, Any], visit: Visit, alone: bool) -> None:
    """Arrows, space, s and u rate; no message tells who wrote what until the reveal, which tells it."""
    ws, run = ran
    page, told = visit(
        ws.rate(run, again=0.1).view if alone else lambda: Workbench(Session(ws), "support/reply", panel="rate")
    )
    if alone:
        assert page.get_by_role("tab").count() == 0
    else:
        page.get_by_role("button", name="Begin to rate").click()
    page.get_by_text("0 of 11 questions rated by ana").wait_for()
    chosen: dict[str, str] = {}
    for number in range(1, 11):
        page.get_by_text(f"{number - 1} of 11").wait_for()
        kind_left = _text(page, "Left").startswith("# Kind")
        key = "ArrowLeft" if kind_left else "ArrowRight"
        if number == 3:
            key = " "
        if number == 5:
            _press(page, "ArrowLeft", number)
            _press(page, "u", number - 1)
        chosen[str(number)] = key
        _press(page, key, number)
    _press(page, "s", 11)
    page.get_by_text("Everything is rated.").wait_for()
    assert page.get_by_text("second time").count() == 0

    sent = told.everything()
    digests = [run.digest_of(name) for name in run.versions]
    held = [(path, text) for message in sent for path, text in _strings(message)]
    texts = [(path, text) for path, text in held if "line 199" in text]
    assert texts
    assert {path[-3:] for path, _ in texts} == {("blind", "question", "texts")}
    assert not [path for path, text in held if "again" in path or ("versions" in path[-1:] and "blind" in path)]
    blind = [path for path, text in held if "state_rate" in path and any(digest in text for digest in digests)]
    assert blind == []
    # What names the versions stands in one order in every message, while the sides change.
    pairs = {tuple(m["state"]["state_rate"]["blind"]["pair"]) for m in sent if _blind(m)}
    assert pairs == {("#1", "#2")}
    sides = {m["state"]["state_rate"]["blind"]["question"]["texts"][0][:6] for m in sent if _blind(m, question=True)}
    assert sides == {"# Kind", "# Plai"}

    page.get_by_role("button", name="Reveal which version was which").click()
    verdict = page.get_by_role("region", name="Verdict of the raters")
    verdict.get_by_text("#2 better by").wait_for()
    page.get_by_text("#2 preferred on 9 rows").wait_for()
    assert page.get_by_role("region", name="Raters").get_by_text("10 answers").count() == 1
    rows = page.get_by_role("region", name="Rated rows")
    assert rows.get_by_role("row").nth(1).get_by_text("<b>question</b> 0", exact=True).count() == 1
    page.get_by_role("button", name="Row 4, show both outputs").click()
    assert page.get_by_role("region", name="#2 (candidate)").inner_text().startswith("# Kind <img")
    assert ws.ratings(run).verdict == "better"


def _blind(message: Any, *, question: bool = False) -> bool:
    blind = ((message.get("state") or {}).get("state_rate") or {}).get("blind")
    return bool(blind and (blind["question"] or not question))


def test_paused_and_gone_on_with_by_several_raters(ran: tuple[pm.Workspace, Any], visit: Visit) -> None:
    """Pausing keeps the answers; the same rater goes on, another begins anew, both count in the verdict."""
    ws, run = ran
    page, _ = visit(lambda: Workbench(Session(ws), "support/reply", panels=("rate",), run=run.id))
    page.get_by_role("button", name="Begin to rate").click()
    page.get_by_text("0 of 11").wait_for()
    for number in range(1, 4):
        _press(page, "ArrowLeft", number)
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Go on as ana").wait_for()
    page.get_by_label("Rater", exact=True).fill("bo")
    page.get_by_role("button", name="Begin to rate").click()
    page.get_by_text("0 of 11 questions rated by bo").wait_for()
    for number in range(1, 3):
        _press(page, "ArrowRight", number)
    page.get_by_role("button", name="Reveal early…").click()
    page.get_by_text("9 questions open: after a look you are no longer blind.").wait_for()
    page.get_by_role("button", name="Reveal now, with 2 answers").click()
    raters = page.get_by_role("region", name="Raters")
    raters.get_by_text("3 answers").wait_for()
    assert raters.get_by_text("2 answers").count() == 1
    page.get_by_role("button", name="Back to rating").click()
    page.get_by_label("Rater", exact=True).fill("ana")
    page.get_by_role("button", name="Go on as ana").click()
    page.get_by_text("3 of 11 questions rated by ana").wait_for()
    page.get_by_label("Baseline").wait_for(state="detached")


def test_grades_by_number_keys(ran: tuple[pm.Workspace, Any], visit: Visit) -> None:
    """One output at a time; keys that mean nothing answer nothing; a key held down answers once."""
    ws, run = ran
    page, _ = visit(ws.rate(run, kind="pointwise", again=0, rows=[0, 1]).view)
    page.get_by_text("0 of 4 questions rated").wait_for()
    assert page.locator("[aria-pressed=true], [aria-checked=true]").count() == 0
    for key in ("9", "0", "ArrowLeft", " ", "x", "Enter"):
        page.keyboard.press(key)
    for number in range(1, 5):
        kind = _text(page, "Output").startswith("# Kind")
        _press(page, "5" if kind else "2", number, total=4)
    page.get_by_role("button", name="Reveal").click()
    page.get_by_role("region", name="Rated rows").get_by_text("ana: #1 2, #2 5").first.wait_for()
    assert ws.ratings(run, kind="pointwise").result.difference == pytest.approx(0.75)


def test_long_outputs_scroll_together_and_stay_text(ran: tuple[pm.Workspace, Any], visit: Visit) -> None:
    """Scrolling one output scrolls the other; Markdown and HTML are shown as they were written."""
    ws, run = ran
    page, _ = visit(ws.rate(run).view, width=600)
    left, right = (page.get_by_role("region", name=side, exact=True) for side in ("Left", "Right"))
    left.wait_for()
    above, below = left.bounding_box(), right.bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] + above["height"] <= below["y"]
    left.evaluate("element => { element.scrollTop = element.scrollHeight }")
    page.wait_for_function("element => element.scrollTop > 1000", arg=right.element_handle())
    assert page.locator(".pm-rate-text :is(b, h1, strong, img, script)").count() == 0
    assert "**" in _text(page, "Left")


def test_the_buttons_stay_where_they_are(tmp_path: Path, visit: Visit) -> None:
    """Shorter texts after longer ones leave their room, so that the pointer rests where it was."""
    lengths = (30, 1, 12, 2, 40, 1)

    def answer(request: dict[str, Any]) -> str:
        said = str(request["messages"][-1]["content"])
        lines = lengths[int(said.rsplit(" ", 1)[-1])]
        return said[0] + "\n".join(f"line {number}" for number in range(lines))

    rows = [{"text": f"question {number}"} for number in range(len(lengths))]
    with workspace_with_run(tmp_path, rows, answer) as (ws, run):
        page, _ = visit(ws.rate(run, again=0).view)
        tie = page.get_by_role("button", name="Tie")
        places = []
        for number in range(1, 7):
            box = tie.bounding_box()
            assert box is not None
            places.append(box["y"])
            _press(page, " ", number, total=6)
    assert places == sorted(places)
    assert len(set(places)) < len(places)


def test_what_cannot_be_rated_is_told(ran: tuple[pm.Workspace, Any], visit: Visit) -> None:
    """One version alone cannot be paired, nobody's rating is refused, and a failed write keeps the question."""
    ws, run = ran
    page, _ = visit(lambda: Workbench(Session(ws), "support/reply", panels=("rate",), run=run.id))
    page.get_by_label("Candidate").select_option("#1")
    page.get_by_text("A pair is of two versions").wait_for()
    page.get_by_label("Candidate").select_option("#2")
    page.get_by_label("Rater", exact=True).fill(" ")
    page.get_by_text("Say who rates").wait_for()
    page.get_by_label("Rater", exact=True).fill("cy")
    page.get_by_role("button", name="Begin to rate").click()
    page.get_by_text("0 of 11").wait_for()
    shown = _text(page, "Left")

    def failing(ratings: Any) -> None:
        from pressmark.errors import WorkspaceError

        raise WorkspaceError("the file is locked by another process: try again")

    kept = ws.store.add_ratings
    ws.store.add_ratings = failing  # type: ignore[method-assign]
    page.keyboard.press("ArrowLeft")
    page.get_by_text("locked by another process").wait_for()
    assert _text(page, "Left") == shown
    ws.store.add_ratings = kept  # type: ignore[method-assign]
    _press(page, "ArrowLeft", 1)
    assert len(ws.store.ratings(run.id)) == 1
