"""What the workbench needs from whoever opens it, in plain JSON-able values.

The widget holds no rules and knows no database: it asks a `WorkbenchSession` and shows what comes back. Everything that
crosses this line is a dict, list, string, number, boolean or None, typed below, so that the same values travel to the
browser unchanged and a test can stand in for a workspace with a few dozen lines.

How a session is called:

- From the workbench's own worker threads, never from the kernel's main thread: a method may take its time. The
  methods of drafting and evaluating are called one at a time; `endpoints` and whatever asks the registry have a thread
  of their own, so that a server that does not answer never holds up drafting or reading a run. So a session must be
  safe to use from two threads.
- What goes wrong is raised as a `pressmark.errors.PressmarkError`, whose text is the sentence shown to the user (what
  happened, why, what to do next). The attributes `line`, `column`, `hint`, `status`, `current` and `decision` are shown
  too where an error has them.
- Versions of the workspace are named `"#3"`, published ones `"v3"`; times are ISO 8601 strings with an offset.
- Values of a dataset row and outputs are shown as text, whatever they hold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NotRequired, Protocol, TypedDict, runtime_checkable

from pressmark.widgets.protocols.asking import RunProgress
from pressmark.widgets.protocols.drafts import DraftingSession
from pressmark.widgets.protocols.evaluations import EvaluatingSession
from pressmark.widgets.protocols.impacts import ImpactSession
from pressmark.widgets.protocols.ratings import RatingSession
from pressmark.widgets.protocols.releases import ReleasingSession

Topic = Literal["prompts", "catalog", "runs", "run", "ratings", "registry", "client"]


class Change(TypedDict):
    """Something that changed outside the widget, for instance by a line of Python.

    Attributes:
        topic: "prompts" (versions, drafts), "catalog" (datasets, suites, endpoints), "runs" (a run began or was
            deleted), "run" (progress of one, `progress` given), "ratings" (of `run`), "registry" or "client" (the one
            that follows a label).
        name: The prompt concerned, or None for several.
        run: The run concerned.
        progress: Where it stands.
    """

    topic: Topic
    name: NotRequired[str | None]
    run: NotRequired[str]
    progress: NotRequired[RunProgress]


@runtime_checkable
class WorkbenchSession(DraftingSession, EvaluatingSession, RatingSession, ReleasingSession, ImpactSession, Protocol):
    """A workspace and perhaps a registry, as the workbench sees them. The module tells how it is called."""

    def subscribe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Has `callback` told of changes made elsewhere; returns a function that ends it.

        The callback may be called from any thread, returns at once and never raises.
        """
