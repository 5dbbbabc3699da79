"""The object that the workbench is given."""

from __future__ import annotations

from collections.abc import Callable

from pressmark.api.session.bodies import body_of
from pressmark.api.session.drafting import Drafting
from pressmark.api.session.evaluating import Evaluating
from pressmark.api.session.impacts import Impacts
from pressmark.api.session.picking import Picking
from pressmark.widgets.protocols import Change, UnitBody


class Session(Drafting, Picking, Evaluating, Impacts):
    """A workspace and a registry, as `pressmark.widgets` sees them; that protocol's docstrings tell what each does.

    Args:
        workspace: The workspace.
        registry: The registry, or None.
    """

    def subscribe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Have the callback told of changes."""

        def forward(change: Change) -> None:
            if change["topic"] == "run" and "progress" not in change:
                change = {**change, "progress": self.run(change["run"])}
            callback(change)

        ends = [self._workspace.changes.subscribe(forward)]
        if self._registry is not None:
            ends.append(self._registry.changes.subscribe(callback))

        def end() -> None:
            for one in ends:
                one()

        return end

    def unit(self, name: str, version: str) -> UnitBody:
        """A version's unit, the workspace's or a published one."""
        return body_of(self._version(name, version).unit)
