"""A saved notebook shows the sentence and the first rows, as text, without a script."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

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
    page = open_page()
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
    data = _bundle(open_page(finished_run=False))
    assert "3 versions; #3 was not compared yet." in data["text/html"]
    assert "Name the categories, say which one wins" in data["text/plain"]


def test_an_empty_workspace_has_a_picture_too(open_page: Callable[..., Page]) -> None:
    """Without a prompt: a sentence, no table."""
    data = _bundle(open_page(prompts=False))
    assert "No prompt yet." in data["text/html"]
    assert "table" not in _parsed(data["text/html"]).tags


def test_hostile_texts_stay_text(open_page: Callable[..., Page]) -> None:
    """Outputs, inputs and change messages cannot become elements, handlers or script."""
    page = open_page(hostile=True)
    page.session.save("support/triage", page.session.unit("support/triage", "#1"), "<img src=x onerror=alert(1)>", "#3")
    tags = _parsed(_bundle(page)["text/html"])
    assert not tags.tags & {"script", "img", "b onclick", "iframe"}
    assert not tags.handlers
    assert any("<script>" in text for text in tags.text)


def test_the_picture_follows_the_work(open_page: Callable[..., Page], monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture is an output of its own beside the view, and is drawn anew when a run has ended."""
    shown: list[tuple[dict[str, str], dict[str, Any]]] = []
    monkeypatch.setattr("IPython.display.display", lambda data, **told: shown.append((data, told)))
    page = open_page(finished_run=False)
    page.workbench._ipython_display_()
    (picture, told), (view, _) = shown
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
