"""The page's types and the widget's traits name the same things."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pressmark.rendering.filters import ALLOWED, ALLOWED_TESTS
from pressmark.widgets import Workbench, WorkbenchSession
from pressmark.widgets.commands import commands_of
from pressmark.widgets.comparing import Comparing
from pressmark.widgets.drafting import Drafting
from pressmark.widgets.evaluating import Evaluating
from pressmark.widgets.impacting import Impacting
from pressmark.widgets.judging import Judging
from pressmark.widgets.rating import Rating
from pressmark.widgets.releasing import Releasing

from .conftest import Page
from .session import MemorySession

MODEL = Path(__file__).parents[2] / "extension" / "src" / "model.ts"
# What every ipywidgets widget has besides.
INHERITED = {"layout", "tabbable", "tooltip", "comm", "keys", "log"}


def _block(name: str) -> str:
    found = re.search(rf"export interface {name} {{\n(.*?)^}}", MODEL.read_text(), re.DOTALL | re.MULTILINE)
    assert found, f"{name} is not in model.ts"
    return found[1]


def test_every_trait_of_the_widget_is_in_the_pages_model() -> None:
    """`Traits` in model.ts has the names of the widget's synced traits, no more and no fewer."""
    page = set(re.findall(r"^  (\w+)[?]?:", _block("Traits"), re.MULTILINE))
    synced = {name for name, trait in Workbench.class_traits(sync=True).items() if not name.startswith("_")} - INHERITED
    assert page == synced


def test_every_command_is_in_the_pages_model_with_its_arguments() -> None:
    """`Commands` in model.ts has the commands of the widget, with the arguments that they take."""
    text = _block("Commands")
    page = {}
    for name, args in re.findall(
        r"^  (\w+): \{\s*args: (\{.*?\}|Record<string, never>);", text, re.MULTILINE | re.DOTALL
    ):
        page[name] = set(re.findall(r"(\w+):", args))
    python = {
        name: set(found.parameters)
        for owner in (Workbench, Drafting, Comparing, Evaluating, Judging, Rating, Releasing, Impacting)
        for name, found in commands_of(owner).items()
    }
    assert page == python


def test_state_is_json(open_page: Callable[..., Page]) -> None:
    """What the page is sent at first is plain JSON and small beside the module."""
    page = open_page(rows=2000)
    state = {name: value for name, value in page.workbench.get_state().items() if name.startswith("state_")}
    import json

    assert len(json.dumps(state)) < 60_000


def test_the_session_in_memory_is_a_session() -> None:
    """The stand-in has every method of the protocol."""
    assert isinstance(MemorySession(prompts=False), WorkbenchSession)


def test_unknown_arguments_are_refused_with_a_sentence(open_page: Callable[..., Page]) -> None:
    """A misspelt trait is not passed over."""
    with pytest.raises(TypeError, match=r"takes no pannel: it takes session, prompt, panels, scorer, panel"):
        open_page(traits={"pannel": "draft"})


def test_the_filters_and_tests_that_are_offered_are_those_that_templates_may_use() -> None:
    """The page's list is the allow-list; signs such as == are no words that one types."""
    text = (MODEL.parent / "logic" / "filters.ts").read_text()
    offered = [set(words.split()) for words in re.findall(r'"([a-z ]+)"\.split', text)]
    assert offered == [set(ALLOWED), {name for name in ALLOWED_TESTS if name.isalpha()}]
