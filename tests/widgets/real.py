"""A page over a real session: a workspace file with a run, behind the bridge of the harness."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pressmark as pm
from pressmark.testing import RecordedEndpoint
from pressmark.widgets import Workbench

from .bridge import PageComm


@contextmanager
def workspace_with_run(folder: Path, rows: list[dict[str, Any]], answer: Any) -> Iterator[tuple[pm.Workspace, Any]]:
    """Two versions of a prompt, run over the rows; `answer` maps a request to an output."""
    with RecordedEndpoint(answer) as endpoint:
        ws = pm.Workspace(folder / "rated.duckdb", author="ana")
        ws.endpoint("local", base_url=endpoint.base_url)
        versions = [ws.save("support/reply", text=f"{start} {{{{ text }}}}", model="m") for start in ("so", "kindly")]
        suite = ws.suite("replies", dataset=rows, scorers=[pm.scorers.Length()])
        yield ws, ws.evaluate(versions, suite, progress=False)


class Told:
    """Everything that a page was sent of a workbench, from its first state on."""

    def __init__(self, shown: Workbench) -> None:
        self._messages: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        line: PageComm = shown.comm
        line.listeners.append(self._messages)
        self._first = shown.get_state()

    def everything(self) -> list[Any]:
        """The first state, then each message."""
        sent: list[Any] = [{name: value for name, value in self._first.items() if name not in ("_esm", "_css")}]
        while not self._messages.empty():
            sent.append(self._messages.get())
        return sent
