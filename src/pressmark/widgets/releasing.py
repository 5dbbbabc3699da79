"""The Publish panel's half in Python: what the registry holds, what the gate says, and the acts that it decides."""

from __future__ import annotations

from typing import cast

from pressmark.errors import RegistryError
from pressmark.widgets.commands import command
from pressmark.widgets.impacting import Impacting
from pressmark.widgets.panels import Desk, Panel, State
from pressmark.widgets.protocols import RegistryPromptView, RegistryView


class Releasing(Panel):
    """One version and one label; the rules are the registry's.

    Attributes:
        impacts: What the change does downstream.
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.impacts = Impacting(desk, self.gate_soon)

    def load_registry(self) -> None:
        """Fills what the registry holds of the open prompt, then the gate."""
        name = self.desk.prompt
        view, held = self._asked(name)
        connected = view["state"] == "connected"
        before = self.desk.state("registry").get("prompt")
        if not connected and before is not None and before["name"] == name:
            held = before  # what was known stays in sight while the registry does not answer, told as old
        self.desk.put("registry", ready=True, error=None, view=view, prompt=held)
        if connected or not held:
            self._attempt(self._load_gate, "gate")
        self._attempt(self._follow, "client")

    def _asked(self, name: str) -> tuple[RegistryView, RegistryPromptView | None]:
        """Whether the registry is there, and what it holds of a prompt."""
        view = self.session.registry()
        if view["state"] != "connected" or not name:
            return view, None
        try:
            return view, self.session.registry_prompt(name)
        except RegistryError:
            view = self.session.registry()  # it may have gone between the two questions
            if view["state"] == "connected":
                raise
            return view, None

    def registry_soon(self) -> None:
        """Asks the registry; only the last of several calls counts."""
        self.in_registry(self.load_registry, fills="registry", key="registry")

    def gate_soon(self) -> None:
        """Asks the gate; only the last of several calls counts."""
        self.in_registry(self._load_gate, fills="gate", key="gate")

    def _load_gate(self) -> None:
        name, label, to = self.desk.prompt, self.desk.label, self.desk.state("publish").get("to", "")
        view = self.desk.state("registry").get("view")
        held, gate = self.desk.state("gate"), None
        if held.get("view") and (held["name"], held["label"], held["to"]) != (name, label, to):
            self.desk.put("gate", view=None)  # of another move: it must not stand under this one if that can't be asked
        if name and label and to and view and view["state"] == "connected":
            gate = self.session.gate(name, label, to)
        self.desk.put("gate", ready=True, error=None, name=name, label=label, to=to, view=gate)
        self.impacts.soon()

    def label_changed(self) -> None:
        """Follows the public trait `label`."""
        self.gate_soon()
        self.in_registry(self._follow, fills="client", key="follow")

    def client_news(self) -> None:
        """Fills where the client that follows the label stands."""
        self.desk.put("client", ready=True, error=None, view=self.session.client())

    def close(self) -> None:
        """Ends the client."""
        self.session.follow("", "")

    def _follow(self) -> None:
        """A client is begun once somebody looks at the panel."""
        view = self.desk.state("registry").get("view")
        if self.desk.panel == "publish" and self.desk.prompt and view and view["state"] == "connected":
            self.session.follow(self.desk.prompt, self.desk.label)
        self.client_news()

    def version_changed(self) -> None:
        """Follows the public trait `version`."""
        self.desk.put("publish", ready=True, to=self.desk.version)
        self.gate_soon()

    @command(lane="registry", latest=True)
    def refresh_registry(self) -> None:
        """Asks the registry again; what goes wrong is told where its state is shown."""
        self._attempt(self.load_registry, "registry")

    @command(lane="now")
    def choose_label(self, label: str) -> None:
        """Picks the label to move."""
        self.desk.label = label

    @command(lane="registry")
    def choose_target(self, to: str) -> None:
        """Picks the version to move it to, of the workspace ("#3") or published ("v7")."""
        self.desk.put("publish", ready=True, to=to)
        self._attempt(self._load_gate, "gate")

    @command(lane="registry")
    def publish(self, version: str, reason: str) -> State:
        """Publishes a version and moves no label."""
        published = self.session.publish(self.desk.prompt, version, reason)
        self._after()
        return cast(State, published)

    @command(lane="registry")
    def move(self, label: str, to: str, reason: str, expected: str | None) -> State:
        """Moves a label; a workspace version is published on the way."""
        try:
            moved = self.session.move(self.desk.prompt, label, to, reason, expected)
        finally:
            self._after()  # a refusal too shows what the label holds by now
        return cast(State, moved)

    @command(lane="registry")
    def roll_back(self, label: str, reason: str, expected: str, to: str | None = None) -> State:
        """Moves a label back to what it held before, or to an older version."""
        try:
            moved = self.session.rollback(self.desk.prompt, label, reason, expected, to)
        finally:
            self._after()
        return cast(State, moved)

    @command(lane="registry")
    def older_entries(self, before: int) -> State:
        """The entries of the change log before one."""
        return {"items": self.session.older_entries(self.desk.prompt, before)}

    @command(lane="registry")
    def published_units(self, versions: list[str]) -> State:
        """What published versions say, for the difference that an entry of the log made."""
        return {"units": {version: self.session.unit(self.desk.prompt, version) for version in versions}}

    def _after(self) -> None:
        # Through the queue: a registry that is gone by now is told in the panel, not in place of the act's own outcome.
        self.registry_soon()
