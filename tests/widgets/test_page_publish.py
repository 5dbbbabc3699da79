"""The Publish panel in a real browser, over a real workspace, a registry's server and the practice model."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import pressmark as pm
from pressmark.errors import RegistryError
from pressmark.prompts.policy import policy_of
from pressmark.providers import practice
from pressmark.registry import serving
from pressmark.testing import RecordedEndpoint

from .chromium import needs_the_page
from .contrast import CONTRAST
from .real_pages import pages
from .triage import EXACT, LABELS, PROMPT, USER, VAGUE, save, workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = needs_the_page

HOSTILE = "<img src=x onerror=\"window.hacked='publish'\"><script>window.hacked='script'</script>"
LIVE = "A client in this notebook"


@pytest.fixture
def ws(tmp_path: Path, practice_url: str) -> pm.Workspace:
    """Three versions and a suite made for the prompt."""
    space = workspace(tmp_path, practice_url)
    save(space, VAGUE, message="first cut")
    save(space, EXACT, message="name the labels")
    save(space, f"Answer with one of these labels and nothing else: {LABELS}.", message="nothing else")
    inbox = space.dataset("support/inbox", practice.example_messages()[:40])
    space.suite("support/basics", dataset=inbox, scorers=[pm.scorers.Exact("category")], prompt=PROMPT)
    return space


class Office:
    """A registry's server that can go away and come back, and pages that publish to it.

    Args:
        folder: Where its file lies.
        ws: The workspace that publishes.
        browser: What shows the pages.
    """

    def __init__(self, folder: Path, ws: pm.Workspace, browser: Browser) -> None:
        self.ws = ws
        self._store = folder / "registry.db"
        self._stack = ExitStack()
        self._serving = ExitStack()
        running = self._serving.enter_context(serving.running(self._store))
        self.url, self._port = running.url, int(running.url.rsplit(":", 1)[1])
        self.tokens = {"ana": running.token}
        self.registry = pm.Registry(self.url, token=running.token)
        found = pages(browser, ws, lambda query: pm.Registry(self.url, token=self.tokens[query.get("as", "ana")]))
        self.pages = self._stack.enter_context(found)

    def token(self, principal: str, role: str, **scope: Any) -> None:
        """Let somebody in."""
        self.tokens[principal] = self.registry.create_token(principal, role, **scope).secret

    def fill(self) -> None:
        """v1 and v2, with production at v2 and staging at v1."""
        for number, reason in (("#1", "for the record"), ("#2", "names the labels")):
            self.registry.publish(self.ws.version(PROMPT, number), reason=reason, workspace=self.ws)
        self.registry.move(PROMPT, label="production", to="v1", reason="go live")
        self.registry.move(PROMPT, label="production", to="v2", reason="9 points better")
        self.registry.move(PROMPT, label="staging", to="v1", reason="soak")

    def stop(self) -> None:
        """Take the server away."""
        self._serving.close()

    def start(self) -> None:
        """Bring it back, at the same address."""
        self._serving.enter_context(serving.running(self._store, port=self._port))

    def close(self) -> None:
        """End all of it."""
        self._stack.close()
        self._serving.close()

    def ready(self) -> Page:
        """The panel over a filled registry, once the gate has let #3 through."""
        self.fill()
        page = self.open()
        page.get_by_text("The gate lets this move through.").wait_for()
        return page

    def open(self, **query: Any) -> Page:
        """The panel, on #3 where nothing else is asked for."""
        return self.pages.open(**{"panel": "publish", "version": "#3", "baseline": "#2", **query})


@pytest.fixture
def office(tmp_path: Path, ws: pm.Workspace, browser: Browser) -> Iterator[Office]:
    """An empty registry."""
    found = Office(tmp_path, ws, browser)
    yield found
    found.close()


def mover(page: Page) -> Locator:
    """The part that moves a label."""
    return page.get_by_role("region", name="Move a label")


def test_from_evaluation_to_a_client_that_serves_it(office: Office) -> None:
    """Evaluate the change downstream, submit, move, and see a client serve it; every act says its effect first."""
    office.fill()
    ws = office.ws
    route = save(ws, LABELS, name="support/route", messages=[{"role": "user", "content": "{{ got }} {{ text }}"}])
    route = ws.save(
        "support/route",
        messages=[{"role": "system", "content": LABELS}, {"role": "user", "content": "{{ text }} {{ got }}"}],
        model=practice.PRACTICE_MODEL,
        params={"temperature": 0},
        inputs={"got": f"{PROMPT}@production"},
    )
    office.registry.publish(route, reason="go")
    office.registry.move("support/route", label="production", to="v1", reason="go")
    inbox = ws.dataset("support/inbox")
    ws.suite("route/basics", dataset=inbox, scorers=[pm.scorers.Exact("category")], prompt="support/route")
    policy = {**policy_of("team").to_dict(), "name": "house", "practice_counts": True, "must_not_regress": {}}
    office.registry.set_policy("production", {**policy, "least_rows": 20}, reason="a team works here")

    page = office.open()
    page.get_by_text("The gate stops this move: 2 things are missing.").wait_for()
    graph = page.get_by_role("list", name="Prompts reached")
    graph.get_by_text("support/route").first.wait_for()
    page.get_by_role("list", name="What the gate asks for").get_by_role("button", name="Evaluate #3").first.click()
    page.get_by_text(re.compile(r"2 runs on 2 prompts: \d+ answers to ask for at most")).wait_for()
    page.get_by_role("button", name=re.compile(r"^Ask for \d+ answers, free$")).click()
    page.get_by_text("Evaluated in this notebook by ana").wait_for(timeout=120_000)
    verdicts = page.get_by_role("region", name="What the change reaches").get_by_role("table")
    verdicts.get_by_text("route/basics").first.wait_for()

    page.get_by_label("Reason").fill("evidence of 40 rows")
    page.get_by_role("button", name="Publish #3 and submit its evidence").first.click()
    page.get_by_text("Published as v3; its evidence is submitted. No label was moved.").wait_for()
    page.get_by_text("The gate lets this move through.").wait_for()
    page.get_by_role("region", name=LIVE).get_by_text("serves v2 as production.").wait_for()
    page.get_by_label("Reason").fill("nothing else is answered")
    page.get_by_role("button", name="Move production from v2 to v3").click()
    page.get_by_role("region", name=LIVE).get_by_text(
        re.compile(r"serves v3 as production, [\d.]+ m?s after the move was sent\.")
    ).wait_for()
    page.get_by_text("production holds v3; it held v2 before.").wait_for()

    entry = page.locator(".pm-entry", has_text="nothing else is answered").first
    entry.wait_for()
    entry.get_by_role("button", name="What changed").click()
    entry.get_by_text("v3 differs from v2 in 1 message.").wait_for()
    assert entry.locator("ins").count() > 0
    assert office.registry.label(PROMPT, "production").version == "v3"


def test_an_empty_registry_says_what_the_first_move_does(office: Office) -> None:
    """Nothing is published, no label is there, no log; the first move publishes and sets it, and a client serves it."""
    page = office.open()
    page.get_by_text("The registry holds no label of this prompt yet: the first move sets it.").wait_for()
    page.get_by_text("Empty: the first publication of this prompt begins it.").wait_for()
    page.get_by_role("region", name=LIVE).get_by_text("serves nothing as production.").wait_for()
    page.get_by_label("Reason").fill("begin")
    page.get_by_role("button", name="Publish #3 as v1 and set production to it").click()
    page.get_by_role("region", name=LIVE).get_by_text("serves v1 as production").wait_for()
    page.get_by_text("No rollback: v1 is the first version that production held.").wait_for()


def test_a_registry_that_goes_and_comes_back_costs_nothing(office: Office) -> None:
    """What was known stays in sight, greyed; what was typed stays; acts are off; it comes back by itself."""
    page = office.ready()
    page.get_by_label("Reason").fill("written before it went")
    office.stop()
    page.get_by_role("region", name=LIVE).get_by_text("it does not hear the registry", exact=False).or_(
        page.get_by_role("region", name=LIVE).get_by_text("it asks the registry now and then", exact=False)
    ).wait_for()
    page.get_by_role("button", name="Refresh").click()
    page.locator(".pm-publish-down").get_by_role("alert").get_by_text("cannot be reached", exact=False).wait_for()
    button = page.get_by_role("button", name="Publish #3 as v3 and move production from v2 to v3")
    assert button.get_attribute("aria-disabled") == "true"
    assert "9 points better" in page.get_by_role("region", name="Labels").inner_text()
    assert page.locator(".pm-old").count() == 1
    office.start()
    page.locator(".pm-old").wait_for(state="detached")
    assert page.get_by_label("Reason").input_value() == "written before it went"
    button.click()
    page.get_by_text("production holds v3; it held v2 before.").wait_for()


def test_an_answer_that_fails_takes_nothing_away(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry stumbles over one question: what it told before stays, greyed, and so does what was typed."""
    page = office.ready()
    page.get_by_label("Reason").fill("written before it stumbled")

    def stumbles(self: Any, name: str) -> Any:
        raise RegistryError("the registry stumbled over its own feet: try again")

    monkeypatch.setattr(type(office.pages.workbench.session), "registry_prompt", stumbles)
    page.get_by_role("button", name="Refresh").click()
    page.get_by_role("alert").get_by_text("stumbled over its own feet", exact=False).wait_for()
    assert "9 points better" in page.get_by_role("region", name="Labels").inner_text()
    button = page.get_by_role("button", name="Publish #3 as v3 and move production from v2 to v3")
    assert button.get_attribute("aria-disabled") == "true"
    monkeypatch.undo()
    page.get_by_role("alert").wait_for(state="detached")  # it is asked again by itself
    assert page.get_by_label("Reason").input_value() == "written before it stumbled"
    button.click()
    page.get_by_text("production holds v3; it held v2 before.").wait_for()


def test_a_reason_outlives_a_look_at_another_panel(office: Office) -> None:
    """Half a reason is there again after the difference was looked at, and gone once it was given."""
    page = office.ready()
    page.get_by_label("Reason").press_sequentially("because of")
    page.get_by_role("tab", name="Compare").click()
    page.get_by_role("tab", name="Publish").click()
    assert page.get_by_label("Reason").input_value() == "because of"
    page.get_by_role("button", name="Publish #3 as v3 and move production from v2 to v3").click()
    page.get_by_text("production holds v3; it held v2 before.").wait_for()
    page.get_by_role("tab", name="Compare").click()
    page.get_by_role("tab", name="Publish").click()
    mover(page).get_by_label("Version").select_option("v1")
    assert page.get_by_label("Reason").input_value() == ""


def test_a_look_at_another_panel_is_no_consent(office: Office) -> None:
    """A label that moved while a reason was being written is told, also after a look at the difference."""
    page = office.ready()
    page.get_by_label("Reason").fill("as v2 stood")
    office.registry.move(PROMPT, label="production", to="v1", reason="complaints about tone")
    note = page.get_by_role("alert").get_by_text("production was moved meanwhile", exact=False)
    note.wait_for()
    for panel in ("Compare", "Publish"):
        page.get_by_role("tab", name=panel).click()
    note.wait_for()
    assert page.get_by_label("Reason").input_value() == "as v2 stood"
    page.get_by_role("button", name="Go on from v1").click()
    note.wait_for(state="detached")
    page.get_by_role("button", name="Publish #3 as v3 and move production from v1 to v3").click()
    page.get_by_text("production holds v3; it held v1 before.").wait_for()


def test_a_rollback_that_was_begun_stays_one(office: Office) -> None:
    """After a look at another panel its reason stands over the same act, and `Keep` ends it."""
    office.fill()
    page = office.open()
    page.get_by_role("region", name="Labels").get_by_role("button", name="Roll production back from v2 to v1").click()
    act = mover(page).get_by_role("button", name="Roll production back from v2 to v1")
    act.wait_for()
    page.get_by_label("Reason").fill("complaints")
    for panel in ("Compare", "Publish"):
        page.get_by_role("tab", name=panel).click()
    act.wait_for()
    assert page.get_by_label("Reason").input_value() == "complaints"
    page.get_by_role("button", name="Keep v2").click()
    page.get_by_role("button", name="Publish #3 as v3 and move production from v2 to v3").wait_for()


def test_a_token_without_rights_is_told_what_to_ask_for(office: Office) -> None:
    """A reader sees everything and moves nothing; the gate says why, next to everything else that is missing."""
    office.fill()
    office.token("rob", "reader")
    office.registry.set_policy("production", "team", reason="a team works here")
    page = office.open(**{"as": "rob"})
    page.get_by_text(re.compile(r"The gate stops this move: \d things are missing\.")).wait_for()
    told = page.get_by_role("list", name="What the gate asks for")
    role = told.get_by_role("listitem").filter(has_text="rob has the role reader, which may not move labels")
    assert "Ask an editor" in role.inner_text()
    assert role.get_by_role("button").count() == 0
    assert told.get_by_role("listitem").filter(has_text="stops the move").count() >= 2
    assert page.get_by_role("button", name="Publish #3 as v3").first.get_attribute("aria-disabled") == "true"
    page.get_by_text("as rob, reader").wait_for()


def test_a_token_that_is_not_known_any_more(office: Office) -> None:
    """Refused is not gone: the panel says which, and drafting goes on."""
    office.fill()
    office.token("eve", "editor")
    page = office.open(**{"as": "eve"})
    page.get_by_text("The gate lets this move through.").wait_for()
    token = next(each for each in office.registry.tokens() if each.principal.name == "eve")
    office.registry.revoke_token(token.id)
    page.get_by_role("button", name="Refresh").click()
    page.get_by_role("alert").get_by_text("token", exact=False).first.wait_for()
    page.get_by_role("tab", name="Publish").get_by_title("the registry refuses the token").wait_for()


def test_somebody_moves_the_label_while_a_reason_is_written(office: Office) -> None:
    """Who, when and why is told before anything moves from a state that nobody read; the reason is kept."""
    office.fill()
    office.token("ben", "editor")
    page = office.open()
    page.get_by_text("The gate lets this move through.").wait_for()
    page.get_by_label("Reason").fill("better on 40 rows")
    ben = pm.Registry(office.url, token=office.tokens["ben"])
    ben.move(PROMPT, label="production", to="v1", reason="hotfix for the parser")
    note = mover(page).get_by_role("alert")
    note.get_by_text("production was moved meanwhile.").wait_for()
    assert "ben moved it from v2 to v1" in note.inner_text()
    assert "hotfix for the parser" in note.inner_text()
    button = page.get_by_role("button", name="Publish #3 as v3 and move production from v1 to v3")
    button.wait_for()
    assert button.get_attribute("aria-disabled") == "true"
    note.get_by_role("button", name="Go on from v1").click()
    assert page.get_by_label("Reason").input_value() == "better on 40 rows"
    button.click()
    page.get_by_text("production holds v3; it held v1 before.").wait_for()
    assert office.registry.log(PROMPT, limit=1)[0].reason == "better on 40 rows"


def test_two_panels_move_the_same_label(ws: pm.Workspace, browser: Browser, tmp_path: Path) -> None:
    """Over an embedded registry nothing tells the second one: its move is refused, with who, when, why and what is."""
    registry = pm.Registry(f"sqlite:///{tmp_path / 'solo.db'}")
    for number in ("#1", "#2"):
        registry.publish(ws.version(PROMPT, number), reason="for the record")
    registry.move(PROMPT, label="production", to="v1", reason="go live")
    address = registry.url
    with pages(browser, ws, lambda query: pm.Registry(address)) as both:
        query = {"panel": "publish", "version": "#2", "baseline": "#1"}
        first, second = both.open(**query), both.open(**query)
        deaf = both.workbench
        assert deaf._unsubscribe is not None
        deaf._unsubscribe()  # as one in another process, which hears nothing of this one
        for page in (first, second):
            page.get_by_text("The gate lets this move through.").wait_for()
            page.get_by_text("No client follows production here", exact=False).wait_for()
        first.get_by_label("Reason").fill("the first was quicker")
        first.get_by_role("button", name="Move production from v1 to v2").click()
        first.get_by_text("production holds v2; it held v1 before.").wait_for()
        second.get_by_label("Reason").fill("mine")
        second.get_by_role("button", name="Move production from v1 to v2").click()
        note = mover(second).get_by_role("alert")
        note.get_by_text("production was moved meanwhile, so that nothing was moved now.").wait_for()
        assert "the first was quicker" in note.inner_text()
        second.get_by_text("Nothing to move: production holds v2 already.").wait_for()
        second.get_by_role("button", name="Go on from v2").click()
        note.wait_for(state="detached")
    registry.close()


def test_rolling_back_states_its_effect_and_asks_why(office: Office) -> None:
    """A button a label with its effect; then the reason, then the act; an older version from the log as well."""
    office.fill()
    office.registry.publish(office.ws.version(PROMPT, "#3"), reason="third", workspace=office.ws)
    office.registry.move(PROMPT, label="production", to="v3", reason="try it")
    page = office.open()
    page.get_by_role("region", name="Labels").get_by_role("button", name="Roll production back from v3 to v2").click()
    confirm = mover(page).get_by_role("button", name="Roll production back from v3 to v2")
    confirm.click()
    page.get_by_text("Give the reason first").wait_for()
    page.get_by_label("Reason").fill("complaints")
    confirm.click()
    page.get_by_text("production holds v2; it held v3 before.").wait_for()
    page.get_by_role("region", name=LIVE).get_by_text("serves v2 as production", exact=False).wait_for()

    entry = page.locator(".pm-entry", has_text="try it")
    entry.get_by_role("button", name="What changed").click()
    entry.get_by_role("button", name="Roll production back from v2 to v3").click()
    page.get_by_label("Reason").fill("it was not that")
    page.keyboard.press("Enter")
    page.get_by_text("production holds v3; it held v2 before.").wait_for()


def test_fifty_entries_and_what_is_older(office: Office) -> None:
    """The newest fifty at first; older ones when asked for, none twice."""
    office.fill()
    for number in range(60):
        office.registry.move(PROMPT, label="staging", to="v2" if number % 2 == 0 else "v1", reason=f"turn {number}")
    page = office.open()
    page.locator(".pm-entry").nth(49).wait_for()
    assert page.locator(".pm-entry").count() == 50
    page.get_by_role("button", name="Show older entries").click()
    page.locator(".pm-entry", has_text="for the record").wait_for()
    seqs = [int(each) for each in re.findall(r"entry (\d+)", page.locator(".pm-timeline").inner_text())]
    assert seqs == sorted(set(seqs), reverse=True)
    assert len(seqs) == 65
    assert page.get_by_role("button", name="Show older entries").count() == 0


def test_stopping_an_evaluation_keeps_what_was_answered(office: Office) -> None:
    """Stop ends it; what was answered is known the next time; an endpoint that is wrong is told."""
    office.fill()
    go, asked = threading.Event(), threading.Event()

    def answer(request: dict[str, Any]) -> str:
        asked.set()
        if "#12" in str(request["messages"]):
            go.wait(60)
        return "billing"

    with RecordedEndpoint(answer, model=practice.PRACTICE_MODEL) as slow:
        office.ws.endpoint("slow", base_url=slow.base_url)
        office.ws.endpoint("wrong", base_url="http://127.0.0.1:1/v1")
        rows = [{"text": f"message #{number}", "category": "billing"} for number in range(40)]
        data = office.ws.dataset("support/numbers", rows)
        office.ws.suite("support/numbers", dataset=data, scorers=[pm.scorers.Exact("category")])
        page = office.open()
        page.get_by_role("button", name="Evaluate #3 for production…").last.click()
        page.get_by_label("Endpoint").select_option("slow")
        page.get_by_label(f"Suite for {PROMPT}").select_option("support/numbers")
        page.get_by_role("button", name="Ask for 80 answers").click()
        assert asked.wait(60)
        page.get_by_role("progressbar", name="Evaluating the change").wait_for()
        page.get_by_role("region", name="Evaluation").get_by_role("button", name="Stop").click()
        go.set()
        page.get_by_text("Stopped in run 1 of 1; what was answered is kept", exact=False).wait_for()
        page.get_by_role("button", name="Evaluate #3 for production…").last.click()
        page.get_by_label("Endpoint").select_option("wrong")
        page.get_by_role("button", name=re.compile(r"^Ask for \d+ answers")).click()
        page.get_by_role("alert").get_by_text("Nothing answers at", exact=False).wait_for()


def test_a_prompt_without_a_suite_is_told_so_before_anything_runs(office: Office) -> None:
    """The plan says what is missing; a suite chosen here goes in its place."""
    office.fill()
    save(office.ws, "Answer shortly.", name="support/answer", message="begin")
    page = office.open(prompt="support/answer", version="#1", baseline="#1")
    page.get_by_role("button", name="Evaluate #1 for production…").last.click()
    page.get_by_role("alert").get_by_text("support/answer has no suite", exact=False).wait_for()
    page.get_by_label("Suite for support/answer").select_option("support/basics")
    page.get_by_role("button", name="Ask for 40 answers, free").wait_for()


def test_long_names_stay_in_their_place(office: Office) -> None:
    """A name of 200 characters and a label of 36 break nothing at 600 and 2,000 pixels."""
    name = "/".join(["a-prompt-with-a-long-name"] * 7)[:200].rstrip("-/")
    label = "label-of-thirty-six-characters-in-al"
    assert len(label) == 36
    version = save(office.ws, "Hello.", name=name, message="m" * 300)
    office.registry.publish(version, reason="r" * 400)
    office.registry.move(name, label=label, to="v1", reason="w" * 400)
    for width in (600, 2000):
        page = office.open(width=width, prompt=name, version="#1", baseline="#1", label=label)
        page.get_by_text("Nothing to move", exact=False).wait_for()
        page.locator(".pm-entry").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), width


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_hostile_reasons_inject_nothing_and_can_be_read(office: Office, theme: str) -> None:
    """Reasons and messages that are HTML are text, in labels, log, differences and notes."""
    office.token("ben", "editor")
    for system in (HOSTILE, f"{HOSTILE}!"):
        version = save(office.ws, "", messages=[{"role": "system", "content": system}, USER], message=HOSTILE)
        office.registry.publish(version, reason=HOSTILE)
    office.registry.move(PROMPT, label="production", to="v1", reason=HOSTILE)
    office.registry.move(PROMPT, label="production", to="v2", reason=HOSTILE)
    page = office.open(theme=theme)
    page.get_by_text("The gate lets this move through.").wait_for()
    page.get_by_label("Reason").fill(HOSTILE)
    ben = pm.Registry(office.url, token=office.tokens["ben"])
    ben.move(PROMPT, label="production", to="v1", reason=HOSTILE)
    mover(page).get_by_role("alert").get_by_text("window.hacked", exact=False).wait_for()
    page.get_by_role("button", name="What changed").first.click()
    page.locator(".pm-entry-diff").get_by_text("window.hacked", exact=False).first.wait_for()
    assert page.evaluate(CONTRAST) == []
    page.get_by_role("button", name="Go on from v1").click()
    page.get_by_role("button", name="Publish #3 as v3 and move production from v1 to v3").click()
    page.get_by_text("production holds v3; it held v1 before.").wait_for()
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img, main script").count() == 0
