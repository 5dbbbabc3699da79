"""The object that the workbench is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pressmark.api.session.bodies import body_of
from pressmark.api.session.drafting import Drafting
from pressmark.api.session.evaluating import Evaluating
from pressmark.api.session.impacts import Impacts
from pressmark.api.session.picking import Picking
from pressmark.api.session.rating import Rating
from pressmark.widgets.protocols import Change, PromptView, UnitBody, VersionView

if TYPE_CHECKING:
    from pressmark.api.rating import RatingSession
    from pressmark.api.registry import Registry
    from pressmark.api.workspace import Workspace


class Session(Drafting, Picking, Evaluating, Rating, Impacts):
    """A workspace and a registry, as `pressmark.widgets` sees them; that protocol's docstrings tell what each does.

    Args:
        workspace: The workspace; None for a view of the registry alone.
        registry: The registry, or None.
        rating: A session of ratings that was begun in Python, or None.
    """

    def __init__(
        self,
        workspace: Workspace | None = None,
        registry: Registry | None = None,
        *,
        rating: RatingSession | None = None,
    ) -> None:
        super().__init__(workspace, registry)
        self._rating = rating

    def subscribe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Have the callback told of changes."""

        def forward(change: Change) -> None:
            if change["topic"] == "run" and "progress" not in change:
                change = {**change, "progress": self.run(change["run"])}
            callback(change)

        ends = []
        if self._opened is not None:
            ends.append(self._opened.changes.subscribe(forward))
        if self._registry is not None:
            ends.append(self._registry.changes.subscribe(callback))

        def end() -> None:
            for one in ends:
                one()

        return end

    def prompts(self) -> list[PromptView]:
        """Every prompt of the workspace; without one, those that the registry holds."""
        if self._opened is not None:
            return super().prompts()
        return [
            {
                "name": summary.name,
                "versions": summary.newest,
                "latest": f"v{summary.newest}",
                "updated_at": summary.published_at.isoformat(),
                "draft": False,
            }
            for summary in self._known().backend.prompts()
        ]

    def versions(self, name: str) -> list[VersionView]:
        """The workspace's versions of a prompt; the registry's own are told by `registry_prompt`."""
        return [] if self._opened is None else super().versions(name)

    def unit(self, name: str, version: str) -> UnitBody:
        """A version's unit, the workspace's or a published one."""
        return body_of(self._version(name, version).unit)
