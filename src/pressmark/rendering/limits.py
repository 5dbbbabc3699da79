"""Bounds that keep a hostile or mistaken template from taking a service down; a thread cannot be stopped.

Two kinds of bounds: on a template's size, checked before it is compiled, and a budget of steps and characters that one
rendering spends. Everything whose work grows with its input (loops, filters, tests, comparisons, `+`, `~`, slices,
lists written in the template) spends from it before or while it works.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from jinja2.runtime import Undefined

from pressmark.errors import RenderError, RenderLimitError

MAX_TEMPLATE = 1024 * 1024
MAX_TOKENS = 20_000
MAX_BRACKETS = 32
MAX_DIGITS = 100
MAX_NESTING = 100
MAX_LOOP_DEPTH = 5

MAX_CHARACTERS = 8 * 1024 * 1024
MAX_STEPS = 1_000_000
MAX_BITS = 256
MAX_DATA_NESTING = 100
CHARACTERS_A_STEP = 32

_SCALARS = (int, float, type(None))


class Budget:
    """What one rendering may still spend."""

    __slots__ = ("characters", "steps")

    def __init__(self) -> None:
        self.steps = MAX_STEPS
        self.characters = MAX_CHARACTERS

    def spend(self, steps: int) -> None:
        """Use up steps.

        Raises:
            RenderLimitError: None are left.
        """
        self.steps -= steps
        if self.steps < 0:
            raise RenderLimitError(
                f"the template would take over {MAX_STEPS:,} steps with these values:"
                " give it shorter lists and texts, or simplify its loops"
            )

    def write(self, count: int) -> None:
        """Use up characters of the rendered text.

        Raises:
            RenderLimitError: None are left.
        """
        self.characters -= count
        if self.characters < 0:
            check_length(MAX_CHARACTERS - self.characters)

    def handle(self, value: Any, rate: int = 1) -> None:
        """Use up steps for handling a value whole: one a member, and one for each few characters of text.

        A value that is shared many times inside another is counted each time, since that is how often it is read.

        Args:
            value: JSON data, tuples allowed.
            rate: How many times as slow as copying the handling is.

        Raises:
            RenderLimitError: No steps are left, or the value is nested too deeply.
            RenderError: The value is no data, such as the `loop` of a loop.
            UndefinedError: The value, or one in it, is missing.
        """
        if isinstance(value, str):
            self.spend((1 + len(value) // CHARACTERS_A_STEP) * rate)
            return
        left: list[tuple[Any, int]] = [(value, 0)]
        while left:
            part, depth = left.pop()
            if depth > MAX_DATA_NESTING:
                raise RenderLimitError(f"a value in the template is nested over {MAX_DATA_NESTING} deep: flatten it")
            members = _members(part)
            self.spend((1 + len(members)) * rate)
            for member in members:
                if isinstance(member, str):
                    self.spend(len(member) // CHARACTERS_A_STEP * rate)
                elif not isinstance(member, _SCALARS):
                    left.append((member, depth + 1))


def _members(value: Any) -> Sequence[Any]:
    if isinstance(value, list | tuple):
        return value
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    if isinstance(value, Undefined):
        str(value)  # StrictUndefined says what is missing
    if not isinstance(value, _SCALARS):
        raise RenderError(f"{kind(value)} is no data that a template can work with: use its parts")
    return ()


# One rendering runs in one context from start to end, so the budget needs no argument through Jinja's calls.
budget: ContextVar[Budget] = ContextVar("pressmark_budget")


def kind(value: object) -> str:
    """Return what an author of templates calls a value's type."""
    if isinstance(value, Mapping):
        return "object"
    return "list" if isinstance(value, list | tuple) else type(value).__name__


def check_length(count: int) -> None:
    """Refuse text that would be longer than a rendering may be.

    Raises:
        RenderLimitError: It would.
    """
    if count > MAX_CHARACTERS:
        raise RenderLimitError(
            f"the rendered text would have {count:,} characters; at most {MAX_CHARACTERS:,} are allowed:"
            " give the template shorter values"
        )
