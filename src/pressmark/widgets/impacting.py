"""What a change does downstream: its graph with verdicts, and evaluating it from the panel Publish."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from pressmark.widgets.commands import command, told
from pressmark.widgets.panels import Desk, Panel, State
from pressmark.widgets.protocols import ChangeAsked, ChangeProgressView


class Impacting(Panel):
    """The move that the Publish panel is about, tried on everything that it reaches.

    Args:
        desk: The widget.
        changed: Called when the gate may say something else than before.
    """

    def __init__(self, desk: Desk, changed: Callable[[], None]) -> None:
        super().__init__(desk)
        self._changed = changed

    def soon(self) -> None:
        """Fills the graph; only the last of several calls counts."""
        self.in_registry(self._load, fills="impact", key="impact")

    def _load(self) -> None:
        gate = self.desk.state("gate").get("view")
        if gate is None:
            self.desk.put("impact", ready=True, error=None, view=None)
            return
        asked = (gate["name"], gate["label"], gate["to"])
        before = self.desk.state("impact").get("view")
        if before is not None and (before["name"], before["label"], before["to"]) != asked:
            self.desk.put("impact", view=None)
        if self.desk.panel != "publish":
            return
        try:
            view = self.session.impact(*asked)
        except Exception as error:  # noqa: BLE001 - told beside the gate, which stands by itself
            self.desk.put("impact", ready=True, error=told(error), view=None)
        else:
            self.desk.put("impact", ready=True, error=None, view=view)

    @command(lane="registry")
    def plan_change(self, endpoint: str, suites: list[str]) -> State:
        """What evaluating the change would take."""
        return cast(State, self.session.plan_change(self._asked(endpoint, suites)))

    @command(lane="registry")
    def evaluate_change(self, endpoint: str, suites: list[str]) -> None:
        """Evaluates the change in the background."""
        self.session.evaluate_change(self._asked(endpoint, suites), self._progressed)

    @command(lane="now")
    def cancel_change(self) -> None:
        """Stops the evaluation; what was answered stays."""
        self.session.cancel_change()

    @command(lane="registry")
    def submit_evidence(self, reason: str) -> State:
        """Submits what the evaluation found; a workspace version is published first."""
        gate = self._gate()
        try:
            done = self.session.submit_evidence(gate["name"], gate["label"], gate["to"], reason)
        finally:
            self._changed()
        return cast(State, done)

    def _asked(self, endpoint: str, suites: list[str]) -> ChangeAsked:
        gate = self._gate()
        return {
            "name": gate["name"],
            "label": gate["label"],
            "to": gate["to"],
            "endpoint": endpoint,
            "suites": suites,
        }

    def _gate(self) -> State:
        return {"name": self.desk.prompt, "label": self.desk.label, "to": self.desk.state("publish").get("to", "")}

    def _progressed(self, progress: ChangeProgressView) -> None:
        self.desk.put("impact", progress=progress)
        if progress["status"] != "running":
            self._changed()
