"""What a cell ends with shows itself: escaped, without a script, in a notebook and in what is exported of it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter, MarkdownExporter
from nbformat.v4 import new_code_cell, new_notebook, new_output

import pressmark as pm
from pressmark import publishing
from pressmark.face.forms import Face, Table, html, markdown
from pressmark.testing import RecordedEndpoint

NASTY = "<script>alert(1)</script>|`a`|\n\n# *b* $c$ <img src=x onerror=alert(2)>\n| --- |"
FORBIDDEN = {"script", "img", "iframe", "object", "embed", "link", "form"}
# What shows nothing of itself: a type of errors, modules, and a text.
WITHOUT_A_FACE = {"PressmarkError", "__version__", "errors", "scorers"}


class Tags(HTMLParser):
    """Collects the tags that a page builds, those that are left open, and handlers."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.handlers: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.open.append(tag)
        self.handlers |= {
            name for name, value in attrs if name.startswith("on") or (value or "").startswith("javascript")
        }

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Everything that the main calls return, made with hostile texts wherever a text is taken."""
    folder = tmp_path_factory.mktemp("somebody") / "secret-folder"
    folder.mkdir()
    rows = [{"text": f"{NASTY} {at}", "wanted": "kind", "part": NASTY if at % 2 else "b"} for at in range(40)]

    def answer(request: dict[str, Any]) -> str:
        said = str(request["messages"][-1]["content"])
        return "kind" if said.startswith("kindly") else NASTY

    with RecordedEndpoint(answer) as endpoint, pm.Registry(f"sqlite:///{folder / 'registry.db'}") as registry:
        ws = pm.Workspace(folder / "prompts.duckdb", author=NASTY)
        local = ws.endpoint("local", base_url=endpoint.base_url)
        one, two = (
            ws.save("a/b", text=f"{start} {{{{ text }}}}\n\n<b>``` {start}", model="m|<b>`", message=f"{NASTY} {start}")
            for start in ("so", "kindly")
        )
        data = ws.dataset("inbox", rows)
        suite = ws.suite("s", dataset=data, scorers=[pm.scorers.Exact("wanted")], slice="part", prompt="a/b")
        run = ws.evaluate([one, two], suite, progress=False)
        session = ws.rate(run, rater=NASTY, again=0)
        session.answer("left")
        published = registry.publish(one, reason=NASTY)
        registry.move("a/b", label="production", to="v1", reason=NASTY)
        registry.publish(two, reason="x")
        publishing.publish_suite(suite, registry.backend)
        change = ws.evaluate_change(two, "production", registry=registry, progress=False)
        registry.submit_evidence(change)
        with pm.Client(
            "http://127.0.0.1:9", token="t", snapshot_dir=False, start_timeout=0.1,
            fallback={"a/b": {"text": NASTY.replace("|", "| {{ text }}", 1), "model": NASTY}},
        ) as client:  # fmt: skip
            yield {
                "Workspace": ws,
                "Registry": registry,
                "Client": client,
                "Budget": pm.Budget(money=2, calls=10),
                "Policy": pm.Policy("ours", suites=[NASTY], must_reach={NASTY: 0.5}),
                "client.get": client.get("a/b"),
                "client.status": client.status(),
                "Version": two,
                "ws.derive": ws.derive(two, params={"temperature": 1}),
                "ws.diff": ws.diff(one, two),
                "ws.endpoint": local,
                "Dataset": data,
                "Suite": suite,
                "ws.plan": ws.plan([one, two], suite),
                "Run": run,
                "run.compare": run.compare(),
                "run.report": run.report(),
                "ws.ratings": ws.ratings(run),
                "ws.evaluate_change": change,
                "evidence": change.evidence,
                "registry.publish": published,
                "registry.label": registry.label("a/b", "production"),
                "registry.labels": registry.labels("a/b"),
                "registry.log": registry.log(),
                "registry.move": registry.log()[0],
                "registry.gate": registry.gate("a/b", label="production", to="v2", reason=NASTY),
                "registry.policy": registry.policy("a/b", "production"),
                "registry.evidence": registry.evidence("a/b")[0],
                "registry.verify": registry.verify(),
                "registry.publish_suite": registry.publish_suite(suite),
            }


def test_every_public_name_has_a_face(shown: dict[str, Any]) -> None:
    """What `pressmark` exports shows itself, or is no thing to show."""
    for name in set(pm.__all__) - WITHOUT_A_FACE:
        assert name in shown, name
        assert inspect.isclass(getattr(pm, name))


def test_faces_are_escaped_html_of_one_line_and_markdown(shown: dict[str, Any]) -> None:
    """No script, no handler, no folder; tags are closed; what stands in Markdown's tables has their columns."""
    for name, thing in shown.items():
        page = thing._repr_html_()
        tags = Tags()
        tags.feed(page)
        assert not tags.tags & FORBIDDEN, name
        assert not tags.handlers, name
        assert tags.open == [], name
        assert "\n" not in page, name
        told = thing._repr_markdown_()
        assert "secret-folder" not in page + told, name
        _check_markdown(told, name)


def _check_markdown(told: str, name: str) -> None:
    fence = ""
    columns = 0
    for line in told.split("\n"):
        if fence:
            fence = "" if line == fence else fence
            continue
        if found := re.match(r"`{3,}$", line):
            fence = found[0]
            continue
        assert not re.search(r"<(?!/?(br)\b)[a-z]", line), (name, line)
        if line.startswith("|"):
            cells = len(re.findall(r"(?<!\\)\|", line))
            columns = columns or cells
            assert cells == columns, (name, line)
        else:
            columns = 0
        assert not re.match(r"#|\s*<", line), (name, line)
    assert not fence, name


def test_exported_notebooks_hold_no_script(shown: dict[str, Any], tmp_path: Path) -> None:
    """nbconvert's HTML and Markdown of a notebook of them hold their words, and nothing that runs."""
    cells = []
    for name, thing in shown.items():
        data = {"text/html": thing._repr_html_(), "text/markdown": thing._repr_markdown_(), "text/plain": name}
        for kinds in (["text/html", "text/plain"], ["text/markdown", "text/plain"]):
            output = new_output("display_data", data={kind: data[kind] for kind in kinds})
            cells.append(new_code_cell(f"{name}  # shown", outputs=[output]))
    book = new_notebook(cells=cells)
    nbformat.validate(book)
    page, _ = HTMLExporter(template_name="basic").from_notebook_node(book)
    text, _ = MarkdownExporter().from_notebook_node(book)
    assert "alert(1)" in page
    for told in (page, re.sub(r"(?ms)^(`{3,})\n.*?^\1$", "", text)):
        assert "<script>alert" not in told
        assert "<img src=x" not in told
        assert "secret-folder" not in told
    tags = Tags()
    tags.handle_endtag = lambda tag: None  # type: ignore[method-assign] - the page's own frame has empty elements
    tags.feed(page)
    assert not tags.handlers


def test_a_rating_session_does_not_tell(shown: dict[str, Any]) -> None:
    """Neither the face of a session nor the still picture of its view says which version wrote what."""
    run = shown["Run"]
    session = shown["Workspace"].rate(run, rater="bo")
    view = session.view()
    try:
        view.settle()
        bundle = view._repr_mimebundle_()
        assert bundle is not None
        still = bundle[0]["text/html"]
        assert "bo rated 0 of 44, blind." in still
        for told in (still, session._repr_html_()):
            assert "sha256" not in told
            assert not re.search(r"(?<!&)#[12]\b", told)
    finally:
        view.close()


def test_a_registry_that_is_gone_still_shows_itself() -> None:
    """The face of what cannot be reached says so, within the registry's own patience."""
    registry = pm.Registry("http://127.0.0.1:9", token="t")
    told = registry._repr_html_()
    assert "Registry http://127.0.0.1:9" in told
    assert "cannot be reached" in told


def test_forms() -> None:
    """A face without rows has no table; numbers stand right; a fence outlasts the text's own."""
    face = Face("a|b", ["x"], "```\n\ny", [Table(("n",), [("1",)], right=(0,)), Table(("m",), [])])
    assert markdown(face) == "**a\\|b**  \nx\n\n````\n```\n\ny\n````\n\n| n |\n|---:|\n| 1 |"
    assert "&#10;&#10;y" in html(face)
    assert html(face).count("<table") == 1
    assert html(Face("e")) == "<div><div><strong>e</strong></div></div>"
