"""An opened workspace file, and what everything that is done with it shares."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pressmark.api.changes import Changes
from pressmark.face import Faced
from pressmark.face.forms import Face, Table
from pressmark.workspace import Store

if TYPE_CHECKING:
    from pressmark.api.runner import Runner
    from pressmark.evals import Suite
    from pressmark.evals.scorers.custom import ScoreFunction

_SHOWN = 20


class Opened(Faced):
    """A workspace file, who works on it, and what this process knows besides.

    Args:
        path: The file; it is made where there is none.
        author: Who saves versions; else `PRESSMARK_AUTHOR`, else the user of this machine.

    Attributes:
        store: The file.
        author: Who saves versions.
        changes: Tells an open workbench what was done beside it.
        functions: The Python functions of suites, by scorer: the file holds their names only.
        runners: The runs under way in this process, by id.
    """

    def __init__(self, path: str | os.PathLike[str], *, author: str | None = None) -> None:
        self.store = Store(path)
        self.author = author or os.environ.get("PRESSMARK_AUTHOR") or _user()
        self.changes = Changes()
        self.functions: dict[str, ScoreFunction] = {}
        self.runners: dict[str, Runner] = {}

    def __repr__(self) -> str:
        return f"<Workspace {self.store.path}>"

    def _face(self) -> Face:
        kept = self.store.prompts().to_dict("records")
        rows = [
            (
                str(each["prompt"]),
                str(each["latest"]) if each["versions"] else "draft",
                str(each["message"] or ""),
                f"{each['changed_at']:%Y-%m-%d %H:%M} UTC",
            )
            for each in kept[:_SHOWN]
        ]
        more = [f"the first {_SHOWN} of {len(kept):,} prompts"] if len(kept) > _SHOWN else []
        # The file's folder is nobody's business who reads the notebook.
        title = f"Workspace {Path(self.store.path).name}"
        told = more if rows else ["no prompt yet: ws.save(name, text=…, model=…, message=…), or ws.draft(name)"]
        return Face(title, told, tables=[Table(("prompt", "newest", "change message", "changed"), rows)])

    def _learn_functions(self, suite: Suite) -> None:
        """Remember the Python functions of a suite: the file holds their names only."""
        for scorer in suite.scorers:
            if (function := getattr(scorer, "function", None)) is not None:
                self.functions[scorer.name] = function


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"  # a container's user id without a name
