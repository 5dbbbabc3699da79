"""A saved notebook shows the sentence and the first rows, as text, without a script."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from pressmark.widgets.static_form import interval_svg
from pressmark.widgets.stills import Interval

from .conftest import Page


class Tags(HTMLParser):
    """Collects what a page would build."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text: list[str] = []
        self.handlers: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.handlers |= {name for name, _ in attrs if name.startswith("on") or name in ("src", "href")}

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def _parsed(html: str) -> Tags:
    tags = Tags()
    tags.feed(html)
    return tags


def _bundle(page: Page) -> dict[str, str]:
    bundle = page.workbench._repr_mimebundle_()
    assert bundle is not None
    return bundle[0]


def test_the_picture_has_sentence_interval_rows_and_how_to_revive_it(open_page: Callable[..., Page]) -> None:
    """With a run: the verdict first, its interval as SVG, rows as a table, then how to bring it to life."""
    page = open_page(traits={"panel": "evaluate"})
    data = _bundle(page)
    tags = _parsed(data["text/html"])
    text = "".join(tags.text)
    sentence = page.workbench.state_verdict["items"][0]["sentence"]
    assert sentence in text
    assert text.index(sentence) < text.index("row")
    assert {"svg", "table"} <= tags.tags
    assert "Run this cell" in text
    assert sentence in data["text/plain"]
    assert "Run this cell" in data["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in data


def test_without_a_run_the_versions_are_listed(open_page: Callable[..., Page]) -> None:
    """Without a run: how many versions there are, and a table of them."""
    data = _bundle(open_page(finished_run=False, traits={"panel": "evaluate"}))
    assert "3 versions; #3 was not compared yet." in data["text/html"]
    assert "Name the categories, say which one wins" in data["text/plain"]


def test_an_empty_workspace_has_a_picture_too(open_page: Callable[..., Page]) -> None:
    """Without a prompt: a sentence, no table."""
    data = _bundle(open_page(prompts=False))
    assert "No prompt yet." in data["text/html"]
    assert "table" not in _parsed(data["text/html"]).tags


@pytest.mark.parametrize("panel", ["draft", "compare", "evaluate", "publish"])
def test_hostile_texts_stay_text(open_page: Callable[..., Page], panel: str) -> None:
    """Templates, outputs, inputs, reasons and change messages cannot become elements, handlers or script."""
    page = open_page(hostile=True, traits={"panel": panel})
    page.session.save("support/triage", page.session.unit("support/triage", "#1"), "<img src=x onerror=alert(1)>", "#3")
    body = page.session.unit("support/triage", "#1")
    body["messages"][0]["content"] = "<script>alert(1)</script>"
    page.session.save("support/triage", body, "", "#4")
    page.session.move("support/triage", "production", "#3", "<script>alert(2)</script>", "v2")
    page.session.tell({"topic": "prompts", "name": "support/triage"})
    page.session.tell({"topic": "registry"})
    page.settle()
    tags = _parsed(_bundle(page)["text/html"])
    assert not tags.tags & {"script", "img", "b onclick", "iframe"}
    assert not tags.handlers
    assert any("<script>" in text for text in tags.text)


def test_the_picture_follows_the_work(open_page: Callable[..., Page], monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture is an output of its own beside the view, and is drawn anew when a run has ended."""
    shown: list[tuple[dict[str, str], dict[str, Any]]] = []
    monkeypatch.setattr("IPython.display.display", lambda data, **told: shown.append((data, told)))
    page = open_page(finished_run=False, traits={"panel": "evaluate"})
    page.workbench._ipython_display_()
    (view, _), (picture, told) = shown
    assert set(picture) == {"text/html", "text/plain"}
    assert "application/vnd.jupyter.widget-view+json" in view
    assert view["text/plain"] == ""
    page.ask("start_run")
    page.until(lambda: page.workbench.state_verdict.get("items") and len(shown) > 2)
    page.until(lambda: "rows:" in shown[-1][0]["text/html"])
    assert shown[-1][1]["display_id"] == told["display_id"] == page.workbench.still
    assert shown[-1][1]["update"]


def test_no_module_is_in_the_picture(open_page: Callable[..., Page]) -> None:
    """What a notebook keeps of an output is small: the page's module is not in it."""
    import json

    assert len(json.dumps(_bundle(open_page(rows=2000)))) < 40_000


def test_only_what_the_prompt_reads_and_what_is_expected_stand_in_the_table(open_page: Callable[..., Page]) -> None:
    """Rows are numbered from 0, as in Python, and hold the prompt's variables, what is expected and the outputs."""
    page = open_page(traits={"panel": "evaluate"})
    lines = _bundle(page)["text/plain"].splitlines()
    head = next(line for line in lines if line.startswith("row"))
    assert re.split(r"\s{2,}", head)[:4] == ["row", "channel", "text", "expected category"]
    flipped = [each["row"] for each in page.ask("order", filter="all", sort="flipped", search="", limit=40)["rows"]]
    assert lines[lines.index(head) + 1].split()[0] == str(flipped[0])


def test_a_verdict_that_cannot_be_told_is_a_hollow_grey_dot() -> None:
    """The still picture's interval looks as the live one does."""
    comparison: Any = {"low": -0.07, "high": 0.02, "difference": -0.03, "sentence": "<b>", "verdict": "cannot tell"}
    svg = interval_svg(Interval(comparison))
    assert 'fill="#fff" stroke="#888"' in svg
    assert "#3878c7" not in svg
    assert "<b>" not in svg
    told = interval_svg(Interval(comparison | {"verdict": "worse"}, lower_is_better=True))
    assert 'fill="#3878c7"' in told
    # Where lower is better, what is lower stands on the right.
    assert float(re.findall(r'cx="([\d.]+)"', told)[0]) > 160 > float(re.findall(r'cx="([\d.]+)"', svg)[0])


def test_each_panel_has_a_picture_of_its_own(open_page: Callable[..., Page]) -> None:
    """What is in sight when a notebook is saved is what it keeps."""
    page = open_page()
    body = {**page.workbench.state_draft["body"], "params": {"temperature": 0.7}}
    page.ask("edit", view="one", name="support/triage", body=body, base="#3")
    draft = _bundle(page)["text/html"]
    assert "Unsaved changes since #3: max_tokens 200 taken away, temperature 0 → 0.7." in draft
    assert "Answer with JSON" in draft
    page.workbench.panel = "compare"
    compare = _bundle(page)["text/html"]
    assert "#3 differs from #2: system message changed" in compare
    assert "<ins " in compare
    assert "<del " in compare
    page.workbench.panel = "publish"
    page.settle()
    publish = _bundle(page)["text/html"]
    assert "The gate lets through moving production from v2 to #3." in publish
    assert "soak over the weekend" in publish


def test_a_failed_run_is_told_with_its_cause(open_page: Callable[..., Page]) -> None:
    """The picture of a run that failed has no verdict."""
    page = open_page(finished_run=False, traits={"panel": "evaluate"})
    page.ask("choose_endpoint", endpoint="wrong")
    page.ask("start_run")
    page.until(lambda: (page.workbench.state_run.get("progress") or {}).get("status") == "failed")
    text = _bundle(page)["text/plain"]
    assert "The run of #2, #3 on triage/basics failed: nothing answers at" in text
