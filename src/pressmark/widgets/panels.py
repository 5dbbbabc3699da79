"""What every panel of the workbench stands on: the desk they share, and how one of them loads what it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from pressmark.widgets.commands import told
from pressmark.widgets.lanes import Lane
from pressmark.widgets.protocols import WorkbenchSession

State = dict[str, Any]
QUIET_SECONDS = 0.2
CALM_SECONDS = 5.0


class Desk(Protocol):
    """The widget as its panels see it: public traits, state traits by name, and two lanes to work on."""

    session: WorkbenchSession
    workspace_lane: Lane
    registry_lane: Lane
    prompt: str
    version: str
    baseline: str
    run: str
    verdict: str
    label: str
    panel: str

    def state(self, which: str, /) -> State:
        """What the trait `state_WHICH` holds."""

    def put(self, which: str, /, **changes: Any) -> None:
        """Changes keys of the trait `state_WHICH`; all of them reach the page in one message."""


class Panel:
    """A part of the workbench: it reacts to the public traits, fills its state traits and offers commands."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.session = desk.session

    def in_workspace(self, job: Callable[[], None], *, fills: str, key: str | None = None) -> None:
        """Runs a job on the workspace's lane; what it raises is told in `error` of the state that it fills."""
        self.desk.workspace_lane.submit(lambda: self._attempt(job, fills), key=key)

    def in_registry(self, job: Callable[[], None], *, fills: str, key: str | None = None) -> None:
        """The same on the registry's lane."""
        self.desk.registry_lane.submit(lambda: self._attempt(job, fills), key=key)

    def leave_way(self) -> None:
        """Waits while the page is given what it asks for, before work that keeps the processor busy."""
        self.desk.workspace_lane.calm(QUIET_SECONDS, CALM_SECONDS)

    def _attempt(self, job: Callable[[], None], fills: str) -> None:
        try:
            job()
        except Exception as error:  # noqa: BLE001 - whatever it is, the page has to say so and the lane has to go on
            self.desk.put(fills, ready=True, error=told(error))
