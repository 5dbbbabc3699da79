"""Bounds that keep a hostile or mistaken template from taking a service down; a thread cannot be stopped."""

from __future__ import annotations

from contextvars import ContextVar

from pressmark.errors import RenderLimitError

MAX_CHARACTERS = 8 * 1024 * 1024
MAX_LOOP_PASSES = 100_000
MAX_LOOP_DEPTH = 5
MAX_TEMPLATE = 1024 * 1024


class Passes:
    """Counts the loop passes of one rendering."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_LOOP_PASSES

    def take(self, count: int) -> None:
        """Use up passes.

        Raises:
            RenderLimitError: None are left.
        """
        self.left -= count
        if self.left < 0:
            raise RenderLimitError(
                f"the template's loops would make over {MAX_LOOP_PASSES:,} passes: give it shorter lists"
            )


# One rendering runs in one context from start to end, so the count needs no argument through Jinja's calls.
passes: ContextVar[Passes] = ContextVar("pressmark_loop_passes")


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
