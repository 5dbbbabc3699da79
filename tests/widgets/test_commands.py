"""The page sends named commands, and only those with arguments of their kind get through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest

from pressmark.errors import ConflictError, PressmarkError, TemplateError
from pressmark.widgets.commands import command, commands_of, told

from .conftest import Page


class Bell:
    """Something with one command."""

    @command(latest=True)
    def ring(self, times: int, tone: Literal["high", "low"] = "low", after: str | None = None) -> None:
        """Rings."""

    def melt(self) -> None:
        """Is no command."""


RING = commands_of(Bell)["ring"]


def test_only_marked_methods_are_commands() -> None:
    """A method is a command only where it is marked as one."""
    assert set(commands_of(Bell)) == {"ring"}


@pytest.mark.parametrize(
    "args",
    [{"times": 2}, {"times": 2, "tone": "high"}, {"times": 0, "after": None}, {"times": 1, "after": "x"}],
)
def test_arguments_of_their_kind_pass(args: dict[str, Any]) -> None:
    """Known arguments of their type come through as they are."""
    assert RING.checked(args) == args


@pytest.mark.parametrize(
    ("args", "told_of"),
    [
        ({}, "lacks 'times'"),
        ({"times": "2"}, "not int"),
        ({"times": True}, "not int"),
        ({"times": 1, "after": 3}, "not str or NoneType"),
        ({"times": 1, "sql": "drop table"}, "does not take 'sql'"),
        ([1], "without named arguments"),
    ],
)
def test_other_arguments_are_refused_in_words(args: object, told_of: str) -> None:
    """A missing, foreign or wrong argument is refused with a sentence that says what to do."""
    with pytest.raises(PressmarkError, match=told_of) as raised:
        RING.checked(args)
    assert "reload" in str(raised.value)


def test_an_error_is_told_with_its_facts() -> None:
    """The page gets the sentence and what the error knows, not a traceback."""
    assert told(TemplateError("line 3 is odd: close it", line=3, column=7)) == {
        "message": "line 3 is odd: close it",
        "kind": "TemplateError",
        "line": 3,
        "column": 7,
    }
    assert told(ConflictError("it moved", current="v7"))["current"] == "v7"


def test_a_bug_is_told_with_its_traceback_folded_away() -> None:
    """What nobody raised on purpose is still a sentence, with the traceback in the details."""
    try:
        raise ZeroDivisionError("division by zero")
    except ZeroDivisionError as error:
        shown = told(error)
    assert shown["message"].startswith("Pressmark stumbled: ZeroDivisionError")
    assert "Traceback" in shown["details"]


@pytest.mark.parametrize(
    "name", ["close", "put", "_received", "set_state", "session", "eval", "sql", "__init__", None, 7]
)
def test_no_other_method_can_be_reached(open_page: Callable[..., Page], name: Any) -> None:
    """A name that is not on the list is answered with an error, and nothing is called."""
    page = open_page()
    error = page.refused(name)
    assert "knows no command" in error["message"]
    assert page.ask("show", panel="compare") is None


@pytest.mark.parametrize("content", ["text", 7, None, [], {"kind": "other"}, {}])
def test_other_messages_are_ignored(open_page: Callable[..., Page], content: Any) -> None:
    """A message that is no command is passed over."""
    page = open_page()
    page.line.receive({"method": "custom", "content": content})
    assert page.ask("show", panel="compare") is None


def test_a_panel_that_is_none_is_refused(open_page: Callable[..., Page]) -> None:
    """A value outside a trait's range leaves the trait as it was."""
    page = open_page()
    page.refused("show", panel="<script>")
    assert page.workbench.panel == "draft"
