"""The widget's half in Python, with the test as its page."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import traitlets

from pressmark.widgets.evaluating import ORDERS_KEPT

from .conftest import Page
from .session import MemorySession
from .shop import FIRST

Opening = Callable[..., Page]


def body_of(page: Page, **changes: Any) -> dict[str, Any]:
    """The draft's body with changes."""
    return {**page.workbench.state_draft["body"], **changes}


def edit(page: Page, body: dict[str, Any], view: str = "one") -> None:
    """Types into the draft."""
    page.ask("edit", view=view, name=page.workbench.prompt, body=body, base=page.workbench.state_draft["base"])


# Opening


def test_it_opens_the_last_changed_prompt(open_page: Opening) -> None:
    """Without a name the workbench shows the first prompt of the list, its newest version against the one before."""
    page = open_page()
    shown = page.workbench
    assert (shown.prompt, shown.version, shown.baseline) == ("support/triage", "#3", "#2")
    assert shown.state_draft["body"]["response_format"]
    assert shown.state_compare["versions"][-1] == "#3"
    assert shown.run == "run-1"


def test_it_opens_what_it_is_told_to(open_page: Opening) -> None:
    """Prompt, panel, label and versions can be given."""
    page = open_page("support/triage", {"panel": "publish", "label": "staging", "version": "#2", "baseline": "#1"})
    shown = page.workbench
    assert (shown.version, shown.baseline, shown.panel, shown.label) == ("#2", "#1", "publish", "staging")


def test_an_empty_workspace_leaves_nothing_loading(open_page: Opening) -> None:
    """Without a prompt every state is ready, so that each panel can say what to do first."""
    page = open_page(prompts=False, registry="none")
    for name in ("prompts", "versions", "catalog", "runs", "run", "registry"):
        assert page.workbench.state(name)["ready"], name


def test_a_name_that_is_forbidden_changes_nothing(open_page: Opening) -> None:
    """Opening a prompt under a forbidden name is refused where it was typed."""
    page = open_page()
    error = page.refused("open_prompt", name="Bad Name")
    assert error["kind"] == "InvalidNameError"
    assert page.workbench.prompt == "support/triage"


def test_another_prompt_is_opened_whole(open_page: Opening) -> None:
    """Changing the prompt from Python changes versions, draft, comparison and run."""
    page = open_page()
    page.workbench.prompt = "support/answer"
    page.settle()
    shown = page.workbench
    assert shown.state_versions["name"] == "support/answer"
    assert shown.state_draft["name"] == "support/answer"
    assert (shown.version, shown.run, shown.verdict) == ("#1", "", "")
    assert shown.state_run["progress"] is None


# Drafting


def test_typing_is_kept_checked_and_previewed(open_page: Opening) -> None:
    """One edit autosaves the draft, finds its variables and renders it on a row."""
    page = open_page()
    edit(page, body_of(page, messages=[{"role": "user", "content": "Sort this: {{ text }} for {{ who }}"}]))
    shown = page.workbench
    assert page.session.draft("support/triage")["body"]["messages"][0]["content"].startswith("Sort this")
    assert shown.state_draft["unsaved"]
    assert [each["name"] for each in shown.state_check["variables"]] == ["text", "who", "channel", "categories"]
    assert shown.state_preview["dataset"] == "triage/inbox"
    assert "who" in shown.state_preview["view"]["error"]["message"]


def test_a_template_error_is_told_at_its_line_and_column(open_page: Opening) -> None:
    """A template that cannot be read names the message, the line and the column; the dataset row stays chosen."""
    page = open_page()
    edit(page, body_of(page, messages=[{"role": "system", "content": "one\ntwo {{ text | }}"}]))
    [error] = page.workbench.state_check["errors"]
    assert (error["where"], error["line"], error["column"]) == ("messages.0", 2, 5)
    assert page.workbench.state_preview["dataset"] == "triage/inbox"
    refused = page.refused(
        "save", view="one", name="support/triage", body=page.workbench.state_draft["body"], message="x", base="#3"
    )
    assert (refused["kind"], refused["line"], refused["column"]) == ("TemplateError", 2, 5)
    assert len(page.session.versions("support/triage")) == 3


def test_only_other_views_have_to_follow_an_edit(open_page: Opening) -> None:
    """The draft says which view typed it, and counts the changes, so that no editor is reset under the hand."""
    page = open_page()
    before = page.workbench.state_draft["revision"]
    edit(page, body_of(page, model="practice-2"), view="left")
    assert page.workbench.state_draft["by"] == "left"
    assert page.workbench.state_draft["revision"] == before + 1
    page.ask("discard_draft")
    assert page.workbench.state_draft["by"] == ""
    assert page.workbench.state_draft["body"]["model"] == "practice-1"


def test_fast_typing_is_looked_at_once_it_pauses(open_page: Opening) -> None:
    """Edits that wait while one is worked on are skipped but the last, and every one is answered."""
    page = open_page()
    gate = threading.Event()
    page.workbench.workspace_lane.submit(lambda: gate.wait(10) and None)
    page.session.asked.clear()
    body = body_of(page)
    numbers = [
        page.send("edit", view="one", name="support/triage", body={**body, "model": f"practice-{at}"}, base="#3")
        for at in range(10)
    ]
    gate.set()
    assert all(page.reply(number)["ok"] for number in numbers)
    assert page.session.asked.count("save_draft") == 1
    assert page.session.draft("support/triage")["body"]["model"] == "practice-9"


def test_saving_makes_a_version_and_compares_it_with_its_parent(open_page: Opening) -> None:
    """A saved version is the candidate, its base the baseline, and the draft is clean again."""
    page = open_page()
    edit(page, body_of(page, params={"temperature": 1}))
    saved = page.ask(
        "save",
        view="one",
        name="support/triage",
        body=page.workbench.state_draft["body"],
        message="warmer",
        base="#3",
    )
    page.settle()
    shown = page.workbench
    assert (saved["version"], saved["created"], saved["message"]) == ("#4", True, "warmer")
    assert (shown.version, shown.baseline) == ("#4", "#3")
    assert not shown.state_draft["unsaved"]
    assert shown.state_compare["units"][shown.version]["params"] == {"temperature": 1}


def test_saving_what_equals_the_newest_makes_nothing_new(open_page: Opening) -> None:
    """Saving the newest version again says so and leaves the pair in sight as it was."""
    page = open_page()
    saved = page.ask("save", view="one", name="support/triage", body=body_of(page), message="again", base="#3")
    page.settle()
    assert (saved["version"], saved["created"]) == ("#3", False)
    assert (page.workbench.version, page.workbench.baseline) == ("#3", "#2")


def test_a_draft_can_start_from_an_older_version(open_page: Opening) -> None:
    """Editing an older version puts it into the draft with that version as its base."""
    page = open_page()
    page.ask("start_from", version="#1")
    assert page.workbench.state_draft["base"] == "#1"
    assert page.workbench.state_draft["body"]["messages"][0]["content"] == FIRST
    assert page.refused("start_from", version="#9")["kind"] == "VersionNotFoundError"


def test_the_preview_goes_through_the_rows(open_page: Opening) -> None:
    """A row of a dataset can be chosen; an unknown dataset is told in the preview alone."""
    page = open_page()
    page.ask("choose_preview", dataset="triage/inbox", row=5)
    assert page.workbench.state_preview["view"]["row"] == 5
    page.ask("choose_preview", dataset="gone", row=0)
    assert page.workbench.state_preview["error"]["kind"] == "DatasetNotFoundError"
    assert page.workbench.state_check["errors"] == []


# Traits


def test_traits_can_be_linked(open_page: Opening) -> None:
    """A version set by another widget through a link changes what is compared."""

    class Slider(traitlets.HasTraits):
        value = traitlets.Unicode("#3")

    page = open_page()
    slider = Slider()
    traitlets.link((slider, "value"), (page.workbench, "version"))
    slider.value = "#1"
    page.settle()
    assert page.workbench.state_compare["versions"][-1] == "#1"
    assert page.workbench.state_publish["to"] == "#1"
    page.ask("choose_pair", baseline="#1", version="#2")
    assert slider.value == "#2"


def test_an_unknown_version_is_told_in_its_panel(open_page: Opening) -> None:
    """A version that is not there is an error in Compare; the other panels go on."""
    page = open_page()
    page.workbench.version = "#99"
    page.settle()
    assert "#99" in page.workbench.state_compare["problems"]["#99"]["message"]
    assert page.workbench.state_draft["body"]


def test_a_version_saved_in_python_shows_up(open_page: Opening) -> None:
    """A version saved by a line of Python is the candidate at once, and is in the editor where nothing was unsaved."""
    page = open_page()
    page.session.save("support/triage", page.session.unit("support/triage", "#1"), "back", "#3")
    page.session.tell({"topic": "prompts", "name": "support/triage"})
    page.settle()
    assert page.workbench.version == "#4"
    assert page.workbench.state_draft["body"]["messages"][0]["content"] == FIRST
    assert page.workbench.state_versions["items"][0]["restores"] == "#1"


def test_an_unsaved_draft_is_not_replaced_by_a_version_saved_in_python(open_page: Opening) -> None:
    """What somebody typed stays in the editor."""
    page = open_page()
    edit(page, body_of(page, model="mine"))
    page.session._units["support/triage"].append(page.session._units["support/triage"][0])
    page.session.tell({"topic": "prompts", "name": None})
    page.settle()
    assert page.workbench.state_draft["body"]["model"] == "mine"


# Evaluating


def test_a_run_reports_and_ends_with_the_verdict(open_page: Opening) -> None:
    """A run started from the page goes on in the background, and ends with the verdict as a trait."""
    page = open_page(rows=1000, finished_run=False)
    heard: list[str] = []
    page.workbench.observe(lambda change: heard.append(change["new"]), "verdict")
    page.ask("choose_versions", versions=["#1", "#3"])
    assert page.workbench.state_evaluate["versions"] == ["#1", "#3"]
    run = page.ask("start_run")
    page.until(lambda: page.workbench.verdict)
    shown = page.workbench
    assert shown.run == run
    assert shown.state_run["progress"]["status"] == "done"
    assert shown.state_verdict["pair"] == ("#1", "#3")
    assert heard[-1] == "better"
    assert shown.state_runs["items"][0]["run"] == run


def test_progress_comes_at_a_pace_that_a_page_can_take(open_page: Opening) -> None:
    """However often a run reports, the page hears of it about five times a second, the end included."""
    page = open_page(rows=600, finished_run=False, delay=0.001)
    sent: list[dict[str, Any]] = []
    began = time.monotonic()
    page.ask("start_run")
    page.until(lambda: page.workbench.state_run["progress"]["status"] == "done")
    took = time.monotonic() - began
    while not page.messages.empty():
        message = page.messages.get()
        if "state_run" in message.get("state", {}):
            sent.append(message["state"]["state_run"])
    assert len(sent) <= took * 6 + 6
    assert sent[-1]["progress"]["done"] == 1200


def test_a_run_can_be_stopped(open_page: Opening) -> None:
    """A stopped run keeps its answers, and has no final verdict."""
    page = open_page(rows=5000, finished_run=False, delay=0.002)
    run = page.ask("start_run")
    page.until(lambda: page.workbench.state_run["progress"]["done"] > 20)
    page.ask("stop_run", run=run)
    page.until(lambda: page.workbench.state_run["progress"]["status"] == "cancelled")
    assert 20 < page.workbench.state_run["progress"]["done"] < 10_000
    assert page.workbench.settle()
    assert page.workbench.verdict == ""


def test_a_run_that_cannot_begin_says_why(open_page: Opening) -> None:
    """An empty dataset and a missing key are errors of the button; no run is there afterwards."""
    page = open_page(rows=0, finished_run=False)
    assert "no rows" in page.refused("start_run")["message"]
    page = open_page(finished_run=False)
    page.ask("choose_endpoint", endpoint="openai")
    assert "OPENAI_API_KEY" in page.refused("start_run")["message"]
    assert page.workbench.run == ""


def test_several_candidates_have_a_verdict_each(open_page: Opening) -> None:
    """Three versions in one run: the candidate in sight first, then the others, against one baseline."""
    page = open_page(finished_run=False)
    page.ask("choose_versions", versions=["#1", "#2", "#3"])
    page.ask("start_run")
    page.until(lambda: len(page.workbench.state_verdict.get("items", [])) == 2 and page.workbench.verdict)
    assert [each["candidate"] for each in page.workbench.state_verdict["items"]] == ["#3", "#2"]
    assert {each["baseline"] for each in page.workbench.state_verdict["items"]} == {"#1"}


def test_rows_come_by_pages_in_an_order_that_stays(open_page: Opening) -> None:
    """An order is fixed when it is asked for: pages of it agree, whatever is asked in between."""
    page = open_page(rows=1000)
    order = page.ask("order", filter="all", sort="flipped", search="")
    flipped = order["counts"]["flipped"]
    assert order["total"] == 1000
    assert 0 < order["counts"]["worse"] < flipped
    other = page.ask("order", filter="errors", sort="row", search="")
    assert other["total"] == order["counts"]["errors"]
    first = page.ask("rows", token=order["token"], offset=0, limit=50)["rows"]
    assert first[0]["cells"]["#3"]["change"] == "worse"
    rows = [
        row["row"]
        for offset in range(0, 1000, 50)
        for row in page.ask("rows", token=order["token"], offset=offset, limit=50)["rows"]
    ]
    assert sorted(rows) == list(range(1000))
    assert page.ask("row", token=order["token"], position=0)["cells"]["#3"]["request"]


def test_rows_are_searched_and_filtered(open_page: Opening) -> None:
    """A text in inputs or outputs narrows every count."""
    page = open_page()
    found = page.ask("order", filter="all", sort="row", search="KETTLE")
    assert 0 < found["total"] < 240
    assert found["counts"]["all"] == found["total"]
    nothing = page.ask("order", filter="all", sort="row", search="no such text")
    assert nothing["total"] == 0
    assert page.ask("rows", token=nothing["token"], offset=0, limit=50)["rows"] == []


def test_pages_out_of_range_are_empty_or_refused(open_page: Opening) -> None:
    """A page beyond the end is empty, an unreasonable one is cut, an old order is refused in words."""
    page = open_page()
    order = page.ask("order", filter="all", sort="row", search="")
    assert page.ask("rows", token=order["token"], offset=10_000, limit=50)["rows"] == []
    assert len(page.ask("rows", token=order["token"], offset=-5, limit=10_000)["rows"]) == 200
    assert "choose another" in page.refused("row", token=order["token"], position=240)["message"]
    assert "put aside" in page.refused("rows", token=9_999, offset=0, limit=50)["message"]


def test_an_order_that_is_read_in_stays(open_page: Opening) -> None:
    """A run that goes on brings a newer order each second; the one that a reader is in is not put aside for them."""
    page = open_page()
    read = page.ask("order", filter="all", sort="flipped", search="")
    left = page.ask("order", filter="all", sort="row", search="")
    for _ in range(3 * ORDERS_KEPT):
        page.ask("order", filter="all", sort="flipped", search="")
        assert len(page.ask("rows", token=read["token"], offset=0, limit=50)["rows"]) == 50
    assert "put aside" in page.refused("rows", token=left["token"], offset=0, limit=50)["message"]


def test_ten_thousand_rows_are_quick(open_page: Opening) -> None:
    """A page of a run of 10,000 rows comes without the others."""
    page = open_page(rows=10_000)
    order = page.ask("order", filter="all", sort="flipped", search="")
    began = time.monotonic()
    for offset in (0, 5_000, 9_950):
        assert len(page.ask("rows", token=order["token"], offset=offset, limit=50)["rows"]) == 50
    assert time.monotonic() - began < 10


def test_another_scorer_changes_what_is_shown_but_not_the_public_verdict(open_page: Opening) -> None:
    """The trait `verdict` is the primary scorer's, whichever one is looked at."""
    page = open_page(rows=2000)
    before = page.workbench.verdict
    assert before == "better"
    page.ask("choose_scorer", scorer="latency")
    assert page.workbench.settle()
    assert page.workbench.state_verdict["items"][0]["scorer"] == "latency"
    assert page.workbench.verdict == before


def test_the_public_verdict_is_never_of_another_pair(open_page: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that is picked while the verdict is worked out has none yet, and keeps none."""
    page = open_page(rows=2000)
    before = page.workbench.verdict
    assert before
    page.ask("choose_scorer", scorer="latency")
    assert page.workbench.settle()
    begun, gate, compare = threading.Event(), threading.Event(), page.session.comparison

    def slow(*asked: str) -> Any:
        if asked[3] != "latency":
            begun.set()
            assert gate.wait(10)
        return compare(*asked)

    monkeypatch.setattr(page.session, "comparison", slow)
    baseline, version = page.workbench.baseline, page.workbench.version
    page.workbench.baseline = "#1"
    page.workbench.baseline = baseline
    assert begun.wait(10)
    page.workbench.version = "#1"
    gate.set()
    assert page.workbench.settle()
    assert page.workbench.verdict == ""
    page.workbench.version = version
    assert page.workbench.settle()
    assert page.workbench.verdict == before


def test_rows_do_not_wait_for_a_verdict(open_page: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the page asks for is answered while scores are still compared."""
    page = open_page(rows=200)
    begun, gate, compare = threading.Event(), threading.Event(), page.session.comparison

    def slow(*asked: str) -> Any:
        begun.set()
        assert gate.wait(10)
        return compare(*asked)

    monkeypatch.setattr(page.session, "comparison", slow)
    page.ask("choose_scorer", scorer="latency")
    assert begun.wait(10)
    order = page.ask("order", filter="all", sort="flipped", search="", limit=50)
    assert (order["total"], len(order["rows"])) == (200, 50)
    gate.set()
    assert page.workbench.settle()


def test_a_run_of_other_versions_changes_the_pair(open_page: Opening) -> None:
    """Opening an older run brings its versions into sight."""
    page = open_page()
    page.ask("choose_versions", versions=["#1", "#2"])
    page.ask("start_run")
    page.until(lambda: page.workbench.state_run["progress"]["status"] == "done")
    page.settle()
    page.ask("open_run", run="run-1")
    page.settle()
    assert (page.workbench.baseline, page.workbench.version) == ("#2", "#3")
    page.workbench.run = "gone"
    page.settle()
    assert page.workbench.state_run["error"]["kind"] == "RunNotFoundError"


# Publishing


def test_a_version_is_published_and_moved_in_one_act(open_page: Opening) -> None:
    """Moving a label to a workspace version publishes it, and the panel shows the new state."""
    page = open_page()
    gate = page.workbench.state_gate["view"]
    assert (gate["to"], gate["target"], gate["current"], gate["allowed"]) == ("#3", None, "v2", True)
    moved = page.ask("move", label="production", to="#3", reason="9 points better", expected="v2")
    page.settle()
    assert (moved["published"], moved["before"], moved["after"]) == ("v3", "v2", "v3")
    held = {each["label"]: each["version"] for each in page.workbench.state_registry["prompt"]["labels"]}
    assert held["production"] == "v3"
    assert page.workbench.state_registry["prompt"]["log"][0]["reason"] == "9 points better"
    assert page.workbench.state_gate["view"]["current"] == "v3"


def test_a_label_that_moved_meanwhile_is_a_conflict_that_shows_the_new_state(open_page: Opening) -> None:
    """The second of two movers learns what happened, and the panel shows what the label holds by now."""
    page = open_page()
    page.session.move("support/triage", "production", "#3", "first", "v2")
    error = page.refused("move", label="production", to="#3", reason="second", expected="v2")
    page.settle()
    assert (error["kind"], error["current"]) == ("ConflictError", "v3")
    assert page.workbench.state_gate["view"]["current"] == "v3"


def test_a_rollback_returns_to_what_was_held_before(open_page: Opening) -> None:
    """A rollback is one more entry of the log."""
    page = open_page()
    moved = page.ask("roll_back", label="production", reason="complaints", expected="v2")
    page.settle()
    assert (moved["before"], moved["after"]) == ("v2", "v1")
    assert page.workbench.state_registry["prompt"]["log"][0]["kind"] == "rollback"


def test_publishing_moves_no_label(open_page: Opening) -> None:
    """Publishing alone leaves every label where it was."""
    page = open_page()
    assert page.ask("publish", version="#3", reason="for staging") == {
        "version": "v3",
        "created": True,
        "restores": None,
    }
    page.settle()
    assert {each["version"] for each in page.workbench.state_registry["prompt"]["labels"]} == {"v2"}
    assert page.workbench.state_gate["view"]["target"] == "v3"


def test_the_gate_says_what_is_missing(open_page: Opening) -> None:
    """What stops a move is shown before it is tried, and the try is refused."""
    page = open_page()
    page.session.withheld.append("evidence")
    page.ask("refresh_registry")
    page.settle()
    gate = page.workbench.state_gate["view"]
    assert not gate["allowed"]
    assert [each["code"] for each in gate["reasons"] if each["blocking"] and not each["met"]] == ["evidence"]
    assert page.refused("move", label="production", to="#3", reason="anyway", expected="v2")["kind"] == "GateError"


def test_label_and_target_can_be_chosen_from_either_side(open_page: Opening) -> None:
    """The gate follows the label, whether the page or Python sets it."""
    page = open_page()
    page.ask("choose_target", to="v1")
    page.workbench.label = "staging"
    page.settle()
    assert (page.workbench.state_gate["view"]["label"], page.workbench.state_gate["view"]["to"]) == ("staging", "v1")


def test_a_registry_that_is_down_leaves_the_rest_usable(open_page: Opening) -> None:
    """Drafting goes on while the registry does not answer; acts say that nothing was changed."""
    page = open_page(registry="down")
    assert page.workbench.state_registry["view"]["state"] == "down"
    error = page.refused("move", label="production", to="#3", reason="x", expected="v2")
    assert (error["kind"], "Nothing was changed" in error["message"]) == ("RegistryUnavailableError", True)
    edit(page, body_of(page, model="other"))
    page.session.registry_state = "connected"
    page.ask("refresh_registry")
    page.settle()
    assert page.workbench.state_registry["view"]["state"] == "connected"


def test_a_registry_that_goes_between_two_questions_is_down(
    open_page: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answered who asks and is gone when it is asked for the prompt: what was known stays, told as old."""
    page = open_page()
    known = page.workbench.state_registry["prompt"]
    answers = page.session.registry_prompt

    def goes(name: str) -> Any:
        page.session.registry_state = "down"
        return answers(name)

    monkeypatch.setattr(page.session, "registry_prompt", goes)
    page.ask("refresh_registry")
    page.settle()
    told = page.workbench.state_registry
    assert (told["view"]["state"], told["error"], told["prompt"]) == ("down", None, known)
    monkeypatch.undo()
    page.session.registry_state = "connected"
    page.ask("refresh_registry")
    assert page.workbench.state_registry["view"]["state"] == "connected"


def test_a_gate_that_fails_hides_nothing_else(open_page: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its error stands where its decision would; labels and log are there."""
    page = open_page()

    def breaks(*asked: str) -> Any:
        raise OSError("no gate today")

    monkeypatch.setattr(page.session, "gate", breaks)
    page.ask("refresh_registry")
    page.settle()
    assert "no gate today" in page.workbench.state_gate["error"]["message"]
    assert page.workbench.state_registry["error"] is None


def test_what_is_typed_into_a_field_is_kept_until_it_is_sent(open_page: Opening) -> None:
    """By what it is about; an empty text takes no room."""
    page = open_page()
    page.ask("keep", field="reason of a/b", text="so that")
    page.ask("keep", field="reason of c/d", text="else")
    page.ask("keep", field="reason of a/b", text="so that it")
    assert page.workbench.state_typed["fields"] == {"reason of a/b": "so that it", "reason of c/d": "else"}
    page.ask("keep", field="reason of a/b", text="")
    assert page.workbench.state_typed["fields"] == {"reason of c/d": "else"}


def test_a_slow_registry_holds_nothing_up(open_page: Opening) -> None:
    """While the registry is waited for, edits are answered."""
    page = open_page()
    gate = threading.Event()
    page.workbench.registry_lane.submit(lambda: gate.wait(20) and None)
    asked = page.send("refresh_registry")
    edit(page, body_of(page, model="quick"))
    assert page.workbench.state_draft["body"]["model"] == "quick"
    gate.set()
    assert page.reply(asked)["ok"]


def test_without_a_registry_the_panel_says_how_to_get_one(open_page: Opening) -> None:
    """No registry is a state of its own, not an error."""
    page = open_page(registry="none")
    assert page.workbench.state_registry["view"]["state"] == "none"
    assert page.workbench.state_registry["error"] is None


# Failing


class Breaking(MemorySession):
    """A session in which one method fails in a way that nobody foresaw."""

    def datasets(self) -> Any:
        raise OSError("disk on fire")


def test_what_nobody_foresaw_is_told_in_its_panel(open_page: Opening) -> None:
    """A bug in one part is told there, and the lane goes on with the others."""
    page = open_page()
    page.workbench.session = Breaking()
    page.workbench._evaluating.session = Breaking()
    page.session.tell({"topic": "catalog"})
    page.settle()
    error = page.workbench.state_catalog["error"]
    assert "disk on fire" in error["message"]
    assert "Traceback" in error["details"]
    edit(page, body_of(page, model="still here"))


def test_closing_ends_what_it_began(open_page: Opening) -> None:
    """A closed workbench hears nothing more and keeps no thread."""
    page = open_page()
    page.workbench.close()
    assert page.session._watchers == []
    deadline = time.monotonic() + 10
    while any(thread.name.startswith("pressmark-") for thread in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not [
        thread for thread in threading.enumerate() if thread.name in ("pressmark-workspace", "pressmark-registry")
    ]


# What a result says of itself


def test_a_run_keeps_its_own_pair(open_page: Opening) -> None:
    """Whatever is picked for the next run, the verdict is the shown run's own, and is never turned round."""
    page = open_page()
    for picked in (["#1", "#2"], ["#3", "#2"], ["#2", "#1"]):
        page.ask("choose_versions", versions=picked)
        page.settle()
        shown = page.workbench
        assert shown.state_evaluate["versions"] == picked
        assert shown.state_verdict["pair"] == ("#2", "#3")
        assert (shown.state_verdict["items"][0]["baseline"], shown.state_verdict["items"][0]["candidate"]) == (
            "#2",
            "#3",
        )
        assert shown.verdict == ""
    page.ask("choose_versions", versions=["#2", "#3"])
    page.settle()
    assert page.workbench.verdict


def test_opening_a_run_picks_what_it_was_of(open_page: Opening) -> None:
    """A run that is opened is picked as it was run, turned round or not."""
    page = open_page()
    page.ask("choose_versions", versions=["#3", "#2"])
    page.ask("start_run")
    page.until(lambda: page.workbench.state_run["progress"]["status"] == "done")
    page.settle()
    page.ask("open_run", run="run-1")
    page.settle()
    assert page.workbench.state_evaluate["versions"] == ["#2", "#3"]
    assert (page.workbench.baseline, page.workbench.version) == ("#2", "#3")
    page.ask("open_run", run="run-2")
    page.settle()
    assert page.workbench.state_evaluate["versions"] == ["#3", "#2"]


def test_the_next_flip_is_found_in_rows_that_the_page_has_not(open_page: Opening) -> None:
    """From any position the next flipped row below or above, and none after the last."""
    page = open_page(rows=1000)
    order = page.ask("order", filter="all", sort="row", search="")
    rows = [row for row in range(1000) if _flipped(page, row)]
    found, at = [], -1
    while (at := page.ask("next_flip", token=order["token"], position=at, step=1)["position"]) is not None:
        found.append(at)
    assert found == rows
    assert page.ask("next_flip", token=order["token"], position=rows[1], step=-1)["position"] == rows[0]
    assert page.ask("next_flip", token=order["token"], position=rows[0], step=-1)["position"] is None


def _flipped(page: Page, row: int) -> bool:
    [view] = page.session.run_rows("run-1", [row], "#2", "category")
    return view["cells"]["#3"]["change"] in ("better", "worse")


def test_a_failed_run_is_run_again_on_another_endpoint(open_page: Opening) -> None:
    """The versions and the suite of the run that failed are run on the endpoint that was chosen."""
    page = open_page(finished_run=False)
    page.ask("choose_versions", versions=["#1", "#3"])
    page.ask("choose_endpoint", endpoint="wrong")
    failed = page.ask("start_run")
    page.until(lambda: (page.workbench.state_run.get("progress") or {}).get("status") == "failed")
    page.settle()
    assert "nothing answers" in page.workbench.state_run["progress"]["error"]
    page.ask("choose_versions", versions=["#2", "#3"])
    again = page.ask("run_again", run=failed, endpoint="practice")
    page.until(lambda: page.workbench.state_run["progress"]["status"] == "done")
    page.settle()
    shown = page.workbench
    assert (shown.run, shown.state_run["progress"]["versions"]) == (again, ["#1", "#3"])
    assert shown.state_evaluate["endpoint"] == "practice"
    assert shown.state_evaluate["versions"] == ["#1", "#3"]


def test_an_ended_run_changes_the_estimate(open_page: Opening) -> None:
    """What was just answered is known to the next estimate."""
    page = open_page(finished_run=False, traits={"panel": "evaluate"})
    assert page.workbench.state_evaluate["estimate"]["cached"] == 0
    page.ask("start_run")
    page.until(lambda: (page.workbench.state_evaluate.get("estimate") or {}).get("cached") == 480)


def test_a_run_that_ended_by_itself_says_why(open_page: Opening) -> None:
    """A run that stopped is neither cancelled nor failed, and its note is told."""
    page = open_page(finished_run=False, stops_at=60)
    page.ask("start_run")
    page.until(lambda: (page.workbench.state_run.get("progress") or {}).get("status") == "stopped")
    assert "tell #3 from #2" in page.workbench.state_run["progress"]["note"]


def test_a_slice_narrows_the_rows(open_page: Opening) -> None:
    """The verdict comes with its slices, and the order of rows can be one slice's."""
    page = open_page()
    slices = page.workbench.state_verdict["items"][0]["slices"]
    assert [each["name"] for each in slices] == ["chat", "form", "mail"]
    order = page.ask("order", filter="all", sort="row", search="", slice="chat")
    assert order["total"] == order["counts"]["all"] == 80
    rows = page.ask("rows", token=order["token"], offset=0, limit=80)["rows"]
    assert {row["values"]["channel"] for row in rows} == {"chat"}


def test_a_version_saved_without_a_message_gets_one_from_what_changed(open_page: Opening) -> None:
    """The message proposed while typing is the one that is saved where none was written."""
    page = open_page()
    body = body_of(page, params={"temperature": 0.7, "max_tokens": 200})
    body["messages"] = [{**body["messages"][0], "content": "Sort this."}, body["messages"][1]]
    edit(page, body)
    assert page.workbench.state_draft["proposal"] == "system message changed, temperature 0 → 0.7"
    saved = page.ask("save", view="one", name="support/triage", body=body, message="  ", base="#3")
    assert saved["message"] == "system message changed, temperature 0 → 0.7"
    assert page.workbench.state_draft["proposal"] == ""
