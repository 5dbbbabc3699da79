"""The progress bar of a run: a line of text, in a terminal and in a notebook.

tqdm's own bar for notebooks is a widget. A saved notebook shows a widget as it was when the cell began, at 0 %; a line
of text stands there as it was at the end.
"""

from __future__ import annotations

import sys
from typing import Any

from tqdm.std import tqdm


def progress_bar(total: int, done: int) -> Any:
    """Return a bar that is drawn where the cell's or the shell's output goes."""
    return (_Cell if _in_notebook() else tqdm)(total=total, initial=done, unit=" answers")


class _Cell(tqdm):  # type: ignore[misc]  # tqdm has no types
    """One output of a cell, which is changed in its place."""

    def __init__(self, **options: Any) -> None:
        self._output: Any = None
        # Without `gui` it would write to the cell's error stream as well.
        super().__init__(**options, gui=True)
        self.refresh()

    def display(self, *_: Any, **__: Any) -> None:
        """Draw it."""
        from IPython.display import display

        told = {"text/plain": str(self)}
        if self._output is None:
            self._output = display(told, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._output.update(told, raw=True)

    def close(self) -> None:
        """Draw the end of it, which is what stays."""
        if not self.disable:
            self.display()
        super().close()


def _in_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None
