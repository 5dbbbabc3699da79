"""The Draft panel in a real browser, over a real workspace file and the practice model."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

import pressmark as pm
from pressmark.api.session import Session
from pressmark.errors import DatasetNotFoundError
from pressmark.providers import practice
from pressmark.widgets import Workbench

from .bridge import Bridge, serving
from .chromium import needs_the_page, windows
from .triage import EXACT, PROMPT, VAGUE, save, workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = needs_the_page

Visit = Callable[..., "Page"]


@pytest.fixture
def ws(tmp_path: Path, practice_url: str) -> pm.Workspace:
    """A workspace with two versions, a dataset and its parts, a suite and an endpoint."""
    space = workspace(tmp_path, practice_url)
    user = {"role": "user", "content": "Message:\n{{ text }}"}
    for system in (VAGUE, EXACT):
        save(space, "", messages=[{"role": "system", "content": system}, user])
    rows = practice.example_messages()[:60]
    inbox = space.dataset("support/inbox", rows)
    space.dataset("support/inbox/holdout", rows[:5])
    space.suite("support/basics", dataset=inbox, scorers=[pm.scorers.Exact("category")])
    return space


@pytest.fixture
def bridge(ws: pm.Workspace) -> Iterator[Bridge]:
    """A server of workbenches over the workspace: each page has one of its own, as another kernel would."""
    opened: list[Any] = []

    def open_workbench(query: dict[str, str]) -> Any:
        if query.get("same") and opened:
            return opened[0]
        shown = Workbench(Session(pm.Workspace(ws.store.path), None), query.get("prompt") or PROMPT)
        shown.settle()
        opened.append(shown)
        return shown

    with serving(open_workbench) as bridge:
        yield bridge


@pytest.fixture
def visit(bridge: Bridge, browser: Browser) -> Iterator[Visit]:
    """Opens the page; pages of one test share a browser's storage; fails on anything in the console."""
    with windows(browser, height=1000, shared=True) as opening:
        yield lambda width=1300, **query: opening(f"{bridge.url}/?{urlencode(query)}", width)


def write(page: Page, number: int, text: str) -> None:
    """Replace the text of a message, and wait until it is kept."""
    page.get_by_label(f"Text of message {number}").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)
    kept(page)


def kept(page: Page) -> None:
    """Wait until what was just typed is in the file."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.get_by_text(re.compile("kept as a draft|^Equal to #")).first.wait_for()


def text_of(ws: pm.Workspace, at: int = 0) -> str:
    """A message of the draft in the file."""
    draft = ws.store.draft(PROMPT)
    assert draft is not None
    return str(draft.body["messages"][at]["content"])


def test_cards_fold_to_a_line_and_move_by_keyboard(visit: Visit, ws: pm.Workspace) -> None:
    """A folded card tells its first words; Alt+Shift+arrow moves the card that is being typed in."""
    page = visit()
    page.get_by_role("button", name="Fold message 1").click()
    page.locator(".pm-card-summary", has_text="Answer with exactly one").wait_for()
    page.get_by_role("button", name="Unfold message 1").click()
    page.get_by_label("Text of message 2").click()
    page.keyboard.press("Alt+Shift+ArrowUp")
    kept(page)
    assert text_of(ws, 0).startswith("Message:")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Text of message 2"


def test_filters_and_variables_are_offered(visit: Visit) -> None:
    """Behind a pipe the allowed filters, in braces the columns of the preview's dataset."""
    page = visit()
    page.get_by_label("Text of message 2").click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" {{ text | wordc")
    page.locator(".cm-tooltip-autocomplete li", has_text="wordcount").wait_for()
    page.keyboard.press("Escape")


def test_undo_survives_a_reload_and_a_new_kernel(visit: Visit, ws: pm.Workspace) -> None:
    """Steps are in the file: another page of another process undoes them one by one, and does them again."""
    page = visit()
    write(page, 1, "first")
    page.close()
    again = visit()
    again.locator(".cm-content", has_text="first").wait_for()
    again.get_by_role("button", name="Undo the last step").click()
    again.get_by_text("Equal to #2").wait_for()
    again.get_by_role("button", name="Redo the undone step of the draft").click()
    again.locator(".cm-content", has_text="first").wait_for()
    kept(again)
    assert text_of(ws) == "first"


def test_a_change_message_outlives_a_look_at_another_panel(visit: Visit, ws: pm.Workspace) -> None:
    """It is there again after the versions were compared, and goes with the version that it was written for."""
    page = visit()
    write(page, 1, "Only the label, please.")
    page.get_by_label("Change message").fill("politer")
    page.get_by_role("tab", name="Compare").click()
    page.get_by_role("tab", name="Draft").click()
    assert page.get_by_label("Change message").input_value() == "politer"
    page.get_by_role("button", name="Save version").click()
    page.get_by_text(re.compile(r"Saved as #\d")).wait_for()
    assert ws.version(PROMPT).message == "politer"
    page.get_by_role("tab", name="Compare").click()
    page.get_by_role("tab", name="Draft").click()
    assert page.get_by_label("Change message").input_value() == ""


def test_two_tabs_lose_nothing(visit: Visit, ws: pm.Workspace) -> None:
    """The slower tab is told and offers both; what it gives up is one undo away."""
    one, two = visit(), visit()
    write(one, 1, "written in the first tab")
    two.get_by_label("Text of message 1").click()
    two.keyboard.press("Control+A")
    two.keyboard.insert_text("written in the second tab")
    two.get_by_text("was changed elsewhere", exact=False).wait_for()
    assert text_of(ws) == "written in the first tab"
    two.get_by_text("This is the other draft, not the one in the editor", exact=False).wait_for()
    assert two.get_by_role("button", name="Save version").get_attribute("aria-disabled") == "true"
    assert two.get_by_role("button", name=re.compile("^Ask .*once$")).get_attribute("aria-disabled") == "true"
    two.get_by_role("button", name="Show the difference").click()
    two.get_by_text("this one differs from the other in 1 message").wait_for()
    two.get_by_role("button", name="Go on with what is here").click()
    kept(two)
    two.get_by_text("was changed elsewhere", exact=False).wait_for(state="detached")
    assert text_of(ws) == "written in the second tab"
    two.get_by_role("button", name="Undo the last step").click()
    two.get_by_text("written in the first tab").first.wait_for()
    write(one, 1, "the first tab again")
    one.get_by_role("button", name="Take the other one").click()
    one.locator(".cm-content", has_text="written in the first tab").first.wait_for()


def test_typing_goes_on_after_a_version_was_saved(visit: Visit, ws: pm.Workspace) -> None:
    """The page's own save is no other hand; and what another tab did is seen by whoever comes back to the page."""
    page, other = visit(), visit()
    write(page, 1, "to be saved")
    page.get_by_role("button", name="Save version").click()
    page.get_by_text("Saved as #3.").wait_for()
    write(page, 1, "typed after the save")
    assert text_of(ws) == "typed after the save"
    assert page.get_by_text("was changed elsewhere", exact=False).count() == 0
    other.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    other.locator(".cm-content", has_text="typed after the save").first.wait_for()


def test_what_did_not_reach_the_kernel_is_offered_again(visit: Visit, ws: pm.Workspace) -> None:
    """A kernel that dies in mid-edit answers no more: the browser keeps the text, and the next page offers it."""
    page = visit()
    # The line takes it, as that of a dying kernel does, and nobody answers.
    page.route("**/message*", lambda route: route.fulfill(body=""))
    page.get_by_label("Text of message 1").click()
    page.keyboard.press("Control+A")
    # What is still to be sent when the page is closed would find its way past the route.
    with page.expect_request(lambda request: "typed into the void" in (request.post_data or "")):
        page.keyboard.insert_text("typed into the void")
    page.get_by_text("Keeping the draft…").wait_for()
    page.close()
    again = visit()
    again.get_by_text("that did not reach the workspace", exact=False).wait_for()
    assert ws.store.draft(PROMPT) is None
    again.get_by_role("button", name="Put it into the editor").click()
    kept(again)
    assert text_of(ws) == "typed into the void"
    again.close()
    third = visit()
    third.get_by_label("Text of message 1").wait_for()
    assert third.get_by_text("that did not reach the workspace").count() == 0


def test_the_difference_to_the_saved_version(visit: Visit) -> None:
    """What changed is shown beside the version that the draft was begun from."""
    page = visit()
    write(page, 1, "Something else altogether.")
    page.get_by_role("button", name=re.compile("What changed since #2")).click()
    page.get_by_text("the draft differs from #2 in 1 message.").wait_for()


def test_parameters_follow_the_model(visit: Visit, ws: pm.Workspace) -> None:
    """A reasoning model refuses a temperature: that is said, and the form offers what it takes."""
    page = visit()
    page.get_by_label("Model", exact=True).fill("gpt-5-mini")
    page.get_by_text("temperature: a reasoning model refuses it", exact=False).wait_for()
    page.get_by_label("reasoning_effort").select_option("low")
    page.get_by_label("temperature").fill("")
    kept(page)
    page.get_by_text("reasoning model refuses").wait_for(state="detached")
    draft = ws.store.draft(PROMPT)
    assert draft is not None
    assert draft.body["params"] == {"reasoning_effort": "low"}


def test_a_tool_begins_as_a_form_and_errors_stand_at_their_place(visit: Visit, ws: pm.Workspace) -> None:
    """The form makes a JSON Schema; what is wrong in it is underlined on its line."""
    page = visit()
    page.locator("summary", has_text=re.compile("^Tools")).click()
    page.get_by_role("button", name="New tool…").click()
    page.get_by_label("Name of the tool").fill("lookup_order")
    page.get_by_label("Name of field 1").fill("order")
    page.get_by_role("button", name="Add the tool").click()
    kept(page)
    draft = ws.store.draft(PROMPT)
    assert draft is not None
    [tool] = draft.body["tools"]
    assert tool["function"]["parameters"]["properties"] == {"order": {"type": "string"}}
    tool["function"]["parameters"]["properties"]["order"]["type"] = "strnig"
    page.get_by_label("Tools as JSON").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(json.dumps([tool], indent=2))
    page.locator(".pm-problem", has_text="Line 10").first.wait_for()
    page.locator(".cm-lintRange-error").first.wait_for()


def test_the_preview_tells_tokens_and_cost_with_their_source(visit: Visit, ws: pm.Workspace) -> None:
    """Without recorded use it is characters / 4; after a run it is the recorded use of this version."""
    page = visit()
    page.locator(".pm-estimate", has_text="characters / 4; no answer of").wait_for()
    page.get_by_label("Row", exact=True).focus()
    page.keyboard.press("ArrowDown")
    ws.evaluate(ws.version(PROMPT, "#2"), "support/basics", progress=False)
    page.keyboard.press("ArrowDown")
    page.locator(".pm-estimate", has_text="recorded use of 60 answers of this version").wait_for()
    assert page.get_by_label("Row", exact=True).input_value() == "2"
    assert ", free (" in page.locator(".pm-estimate", has_text="recorded use of").inner_text()


def test_an_answer_is_tried_and_kept_nowhere(visit: Visit, ws: pm.Workspace) -> None:
    """The answer comes with its time to the first token; no run and no cached answer is left behind."""
    page = visit()
    page.get_by_role("button", name="Ask practice once").click()
    done = page.locator(".pm-try [role=status]", has_text="Done")
    done.wait_for()
    assert re.search(r"first token after .* tokens? in, .* out · free", done.inner_text())
    assert page.locator(".pm-try-text").inner_text().strip()
    assert ws.sql("select count(*) as n from outputs")["n"].tolist() == [0]
    assert ws.sql("select count(*) as n from runs")["n"].tolist() == [0]


class Odd:
    """An endpoint that streams what it is told, and then hangs or ends."""

    def __init__(self, chunks: list[bytes], hang: bool) -> None:
        self.release = threading.Event()
        odd = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: Any) -> None:
                pass

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                with suppress(OSError):
                    for chunk in chunks:
                        self.wfile.write(chunk)
                        self.wfile.flush()
                    if hang:
                        odd.release.wait(60)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Let go."""
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


def delta(text: str) -> bytes:
    """A chunk of a streamed answer."""
    return f"data: {json.dumps({'choices': [{'index': 0, 'delta': {'content': text}}]})}\n\n".encode()


@pytest.fixture
def odd(ws: pm.Workspace) -> Iterator[Callable[..., Odd]]:
    """Starts odd endpoints, the only one that the workspace has."""
    started: list[Odd] = []

    def start(*chunks: bytes, hang: bool = False) -> Odd:
        started.append(Odd(list(chunks), hang))
        ws.endpoint("practice", base_url=started[-1].url)
        return started[-1]

    yield start
    for each in started:
        each.close()


def test_a_streamed_answer_is_stopped(visit: Visit, odd: Callable[..., Odd]) -> None:
    """What came until then stays, and the kernel was never held up."""
    odd(delta("Half an "), delta("answer"), hang=True)
    page = visit()
    page.get_by_role("button", name="Ask practice once").click()
    page.locator(".pm-try-text", has_text="Half an answer").wait_for()
    write(page, 1, "typed meanwhile")
    page.get_by_role("button", name="Stop").click()
    page.locator(".pm-try [role=status]", has_text="Stopped by you").wait_for()
    page.locator(".pm-try-text", has_text="Half an answer").wait_for()


def test_an_endpoint_that_streams_garbage_is_an_error(visit: Visit, odd: Callable[..., Odd]) -> None:
    """The error says what came, and what came before it is still shown."""
    odd(delta("A beginning"), b"data: {not json\n\n")
    page = visit()
    page.get_by_role("button", name="Ask practice once").click()
    page.locator(".pm-try [role=alert]", has_text="no chat completion").wait_for()
    page.locator(".pm-try-text", has_text="A beginning").wait_for()
    page.locator(".pm-try [role=status]", has_text="Failed").wait_for()


def test_rows_become_examples_but_never_held_out_ones(visit: Visit, ws: pm.Workspace) -> None:
    """Pairs stand before the question; a row of the holdout cannot be chosen."""
    page = visit()
    page.get_by_role("button", name="Examples from a dataset…").click()
    page.get_by_label("Dataset of the examples").select_option("support/inbox")
    page.get_by_text("5 rows held out", exact=False).wait_for()
    boxes = page.locator(".pm-example input")
    assert [boxes.nth(at).is_disabled() for at in range(6)] == [True] * 5 + [False]
    page.get_by_label("Answer in").select_option("category")
    boxes.nth(5).check()
    page.get_by_role("button", name="Insert 2 messages").click()
    page.get_by_role("group", name="Examples from a dataset").wait_for(state="detached")
    kept(page)
    draft = ws.store.draft(PROMPT)
    assert draft is not None
    assert [message["role"] for message in draft.body["messages"]] == ["system", "user", "assistant", "user"]
    row = practice.example_messages()[5]
    assert draft.body["messages"][1]["content"] == f"Message:\n{row['text']}"
    assert draft.body["messages"][2]["content"] == row["category"]


def test_a_dataset_is_deleted_with_its_reason(visit: Visit, ws: pm.Workspace) -> None:
    """The button says what goes; afterwards nothing of it is in the file."""
    ws.evaluate(ws.version(PROMPT, "#2"), "support/basics", progress=False)
    secret = practice.example_messages()[20]["text"][:40].encode()
    page = visit()
    page.get_by_text("Delete what must go").click()
    page.get_by_role("button", name="Delete the dataset support/inbox…").click()
    page.get_by_text("Rows or values of it may also stand in support/inbox/holdout").wait_for()
    button = page.get_by_role("button", name="Delete 60 rows, 1 suite, 1 run and compact the file")
    assert button.get_attribute("aria-disabled") == "true"
    page.get_by_placeholder("Why, for those who miss it").fill("a customer asked for it")
    button.click()
    page.get_by_text("Deleted; the file went from", exact=False).wait_for()
    assert ws.runs().empty
    assert secret not in ws.store.path.read_bytes()
    with pytest.raises(DatasetNotFoundError, match="a customer asked for it"):
        ws.dataset("support/inbox")


def test_the_file_is_compacted(visit: Visit, ws: pm.Workspace) -> None:
    """The button says about what it frees, the note what it freed; then there is nothing left to free."""
    ws.dataset(
        "old/rows", [{"text": f"{number} lorem ipsum dolor sit amet {number * number}"} for number in range(60_000)]
    )
    ws.delete_dataset("old/rows", reason="of no use", compact=False)
    before = ws.store.path.stat().st_size
    page = visit()
    page.get_by_text("Delete what must go").click()
    page.get_by_role("button", name=re.compile(r"^Compact the file, frees about \d.* [kM]B$")).click()
    page.get_by_text(re.compile(r"^Compacted: \d.* [kM]B freed, the file takes")).wait_for()
    page.get_by_text("all of it in use", exact=False).wait_for()
    assert ws.store.path.stat().st_size < before
    assert page.get_by_role("button", name=re.compile("^Compact the file")).count() == 0


def test_a_line_has_its_own_direction(visit: Visit, ws: pm.Workspace) -> None:
    """Hebrew begins at the right, in the editor and in the preview; the line of Latin above it does not."""
    page = visit()
    write(page, 1, "Answer in the customer's language.\nשלום, מה שלומך היום?")
    editor = page.get_by_label("Text of message 1")
    assert [
        editor.locator(".cm-line").nth(at).evaluate("line => getComputedStyle(line).direction") for at in range(2)
    ] == ["ltr", "rtl"]
    write(page, 1, "שלום, מה שלומך היום?")
    shown = page.get_by_role("region", name="Rendered messages").locator("pre").first
    shown.get_by_text("שלום", exact=False).wait_for()
    page.wait_for_function(
        "[...document.querySelectorAll('.pm-rendered pre')].some(each => getComputedStyle(each).direction === 'rtl')"
    )


def test_what_shows_nothing_has_a_mark(visit: Visit, ws: pm.Workspace) -> None:
    """What is not seen, or turns what follows it, is named in the editor, the preview and the difference."""
    hidden = "Be kind\u200b to \u202ethe\u202c customer."
    page = visit()
    write(page, 1, hidden)
    marks = page.get_by_label("Text of message 1").locator(".pm-unseen")
    assert marks.all_inner_texts() == ["U+200B", "U+202E", "U+202C"]
    shown = page.get_by_role("region", name="Rendered messages").locator("pre").filter(has_text="Be kind")
    shown.locator(".pm-unseen").nth(2).wait_for()
    assert shown.locator(".pm-unseen").all_inner_texts() == ["U+200B", "U+202E", "U+202C"]
    assert text_of(ws, 0) == hidden
    page.get_by_label("Change message").fill("odd")
    page.get_by_role("button", name="Save version").click()
    page.get_by_text("Equal to #3").wait_for()
    page.get_by_role("tab", name="Compare").click()
    page.locator(".pm-diff .pm-unseen", has_text="U+202E").wait_for()


def test_a_megabyte_is_pasted(visit: Visit, ws: pm.Workspace) -> None:
    """It is kept as a draft, and what keeps it from being a version is said."""
    page = visit()
    text = ("0123456789 lorem ipsum dolor sit amet, " * 27_000)[: 1 << 20]
    page.get_by_label("Text of message 1").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)
    kept(page)
    assert text_of(ws) == text


def test_hundreds_of_variables_and_odd_columns(visit: Visit, ws: pm.Workspace) -> None:
    """Only some are drawn until asked for; columns with quotes and emoji do no harm."""
    ws.dataset("odd/columns", [{'say "hi"': "a", "it's 😀": "{{ b }}", "text": "c", "v1": "d"}])
    page = visit()
    write(page, 1, " ".join(f"{{{{ v{number} }}}}" for number in range(500)))
    page.get_by_role("button", name="Show all 501 variables").wait_for()
    page.get_by_label("Search the variables").fill("v499")
    page.get_by_label("Default of v499").wait_for()
    page.get_by_label("Preview with").select_option("odd/columns")
    page.get_by_role("button", name="Examples from a dataset…").click()
    page.get_by_label("Answer in").select_option("it's 😀")
    page.locator(".pm-example input").first.check()
    page.get_by_role("button", name="Insert 2 messages").click()
    page.get_by_role("group", name="Examples from a dataset").wait_for(state="detached")
    kept(page)
    draft = ws.store.draft(PROMPT)
    assert draft is not None
    assert draft.body["messages"][2]["content"] == '{{ "{" }}{ b }}'
