"""The object that the workbench is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pressmark.api.session.bodies import body_of, check_body
from pressmark.api.session.drafting import Drafting
from pressmark.api.session.evaluating import Evaluating
from pressmark.api.session.releasing import Releasing
from pressmark.widgets import protocols as views

if TYPE_CHECKING:
    from pressmark.api.registry import Registry
    from pressmark.api.workspace import Workspace


class Session(views.WorkbenchSession):
    """A workspace and a registry, as `pressmark.widgets` sees them; that protocol's docstrings tell what each does.

    Args:
        workspace: The workspace.
        registry: The registry, or None.
    """

    def __init__(self, workspace: Workspace, registry: Registry | None) -> None:
        self._workspace = workspace
        self._registry = registry
        self._drafting = Drafting(workspace)
        self._evaluating = Evaluating(workspace)
        self._releasing = Releasing(workspace, registry)

    # ruff: noqa: D102 - the protocol's docstrings say it

    def subscribe(self, callback: Callable[[views.Change], None]) -> Callable[[], None]:
        def forward(change: views.Change) -> None:
            if change["topic"] == "run" and "progress" not in change:
                change = {**change, "progress": self._evaluating.run(change["run"])}
            callback(change)

        ends = [self._workspace.changes.subscribe(forward)]
        if self._registry is not None:
            ends.append(self._registry.changes.subscribe(callback))

        def end() -> None:
            for one in ends:
                one()

        return end

    def prompts(self) -> list[views.PromptView]:
        return self._drafting.prompts()

    def versions(self, name: str) -> list[views.VersionView]:
        return self._drafting.versions(name)

    def unit(self, name: str, version: str) -> views.UnitBody:
        if version.startswith("v"):
            return body_of(self._releasing.unit_of(name, version).unit)
        return body_of(self._workspace.store.version(name, version).unit)

    def draft(self, name: str) -> views.DraftView:
        return self._drafting.draft(name)

    def save_draft(self, name: str, body: views.UnitBody, base: str | None) -> views.DraftView:
        return self._drafting.save_draft(name, body, base)

    def discard_draft(self, name: str) -> views.DraftView:
        return self._drafting.discard(name)

    def check(self, body: views.UnitBody) -> views.CheckView:
        return check_body(body)

    def preview(self, body: views.UnitBody, dataset: str | None, row: int) -> views.PreviewView:
        return self._drafting.preview(body, dataset, row)

    def save(self, name: str, body: views.UnitBody, message: str, base: str | None) -> views.SavedView:
        return self._drafting.save(name, body, message, base)

    def datasets(self) -> list[views.DatasetView]:
        return self._evaluating.datasets()

    def suites(self) -> list[views.SuiteView]:
        return self._evaluating.suites()

    def endpoints(self) -> list[views.EndpointView]:
        return self._evaluating.endpoints()

    def estimate(self, name: str, versions: Sequence[str], suite: str, endpoint: str) -> views.EstimateView:
        return self._evaluating.estimate(name, versions, suite, endpoint)

    def start_run(
        self,
        name: str,
        versions: Sequence[str],
        suite: str,
        endpoint: str,
        on_progress: Callable[[views.RunProgress], None],
    ) -> str:
        return self._evaluating.start(name, versions, suite, endpoint, on_progress)

    def cancel_run(self, run: str) -> None:
        self._evaluating.cancel(run)

    def runs(self, name: str) -> list[views.RunProgress]:
        return self._evaluating.runs(name)

    def run(self, run: str) -> views.RunProgress:
        return self._evaluating.run(run)

    def run_suite(self, run: str) -> views.SuiteView:
        return self._evaluating.suite_of(run)

    def run_order(
        self,
        run: str,
        baseline: str,
        candidate: str,
        scorer: str,
        filter: views.RowFilter,
        sort: views.RowSort,
        search: str,
        slice: str | None = None,
    ) -> views.OrderView:
        return self._evaluating.order(run, baseline, candidate, scorer, filter, sort, search, slice)

    def run_rows(self, run: str, rows: Sequence[int], baseline: str, scorer: str) -> list[views.RowView]:
        return self._evaluating.rows(run, rows, baseline, scorer)

    def run_row(self, run: str, row: int, baseline: str, scorer: str) -> views.RowView:
        return self._evaluating.row(run, row, baseline, scorer)

    def comparison(self, run: str, baseline: str, candidate: str, scorer: str) -> views.ComparisonView:
        return self._evaluating.comparison(run, baseline, candidate, scorer)

    def registry(self) -> views.RegistryView:
        return self._releasing.state()

    def registry_prompt(self, name: str) -> views.RegistryPromptView:
        return self._releasing.prompt(name)

    def gate(self, name: str, label: str, to: str) -> views.GateView:
        return self._releasing.gate(name, label, to)

    def publish(self, name: str, version: str, reason: str) -> views.PublishedView:
        published = self._releasing.publish(name, version, reason)
        self._workspace.changes.tell("registry", name=name)
        return published

    def move(self, name: str, label: str, to: str, reason: str, expected: str | None) -> views.MovedView:
        moved = self._releasing.move(name, label, to, reason, expected)
        self._workspace.changes.tell("registry", name=name)
        return moved

    def rollback(self, name: str, label: str, reason: str, expected: str) -> views.MovedView:
        moved = self._releasing.rollback(name, label, reason, expected)
        self._workspace.changes.tell("registry", name=name)
        return moved
