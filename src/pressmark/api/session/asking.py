"""What the workbench asks of an endpoint: the plan of a run, its start, its end, and taking it up again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from pressmark.api.derived import DerivedVersion
from pressmark.api.planning import plan_run
from pressmark.api.runner import Runner
from pressmark.api.session.part import Part
from pressmark.api.starting import RunOptions, start_run
from pressmark.errors import PressmarkError, VersionNotFoundError
from pressmark.evals import Budget
from pressmark.evals.chain import Chain
from pressmark.evals.plan import unhurried
from pressmark.widgets.protocols import AskingView, EstimateView, OverrideView, RunProgress

if TYPE_CHECKING:
    from pressmark.api.registry import Registry
    from pressmark.api.workspace import Workspace
    from pressmark.evals import Suite
    from pressmark.rendering import PromptVersion

CONCURRENCY: Final = 8
_DERIVED: Final = "*"


class Asking(Part, ABC):
    """Plans runs, starts them and takes them up again."""

    def __init__(self, workspace: Workspace | None = None, registry: Registry | None = None) -> None:
        super().__init__(workspace, registry)
        self._derived: dict[tuple[str, str], DerivedVersion] = {}

    @abstractmethod
    def run(self, run: str) -> RunProgress:
        """Where a run stands."""

    def derive(self, name: str, override: OverrideView) -> str:
        """Make a version with another model or other parameters, known from now on and not saved."""
        original = self._store.version(name, override["of"])
        model, params = override["model"] or None, override["params"]
        version = self._workspace.derive(original, model=model, params=params)
        if version.digest == original.digest:
            raise PressmarkError(
                f"{override['of']} asks for exactly that already: change its model or a parameter, then add it"
            )
        self._derived[name, version.version] = version
        return version.version

    def keep(self, name: str, version: str) -> str:
        """Save a derived version."""
        return self._workspace.keep(self._version_named(name, version)).version

    def estimate(
        self,
        name: str,
        versions: Sequence[str],
        suite: str,
        endpoint: str,
        asking: AskingView | None = None,
        pause: Callable[[], None] = unhurried,
    ) -> EstimateView:
        """What running these versions would take."""
        options = options_of(asking)
        concurrency = options.concurrency if isinstance(options.concurrency, int) else CONCURRENCY
        told = plan_run(
            self._store,
            [self._version_named(name, version) for version in versions],
            self._workspace.suite(suite),
            self._workspace.choose_endpoint(endpoint),
            concurrency=concurrency,
            repeats=options.repeats,
            pause=pause,
        )
        return {
            "rows": told.rows,
            "calls": told.calls + told.cached,
            "cached": told.cached,
            "cost": told.cost,
            "judge_calls": told.judge_calls,
            "unrendered": told.unrendered,
            "tokens_in": told.tokens_in,
            "tokens_out": told.tokens_out,
            "seconds": told.seconds,
            "basis": told.basis,
            "smallest": told.smallest_difference if len(versions) > 1 else None,
            "smallest_from": told.pilot.source if told.pilot is not None else "",
        }

    def start_run(
        self,
        name: str,
        versions: Sequence[str],
        suite: str,
        endpoint: str,
        on_progress: Callable[[RunProgress], None],
        asking: AskingView | None = None,
    ) -> str:
        """Start a run in the background."""
        asked = [self._version_named(name, version) for version in versions]
        return self._start(asked, self._workspace.suite(suite), endpoint, options_of(asking), on_progress)

    def resume_run(
        self,
        run: str,
        endpoint: str,
        on_progress: Callable[[RunProgress], None],
        asking: AskingView | None = None,
    ) -> str:
        """Ask what a run has no answer to, errors among it."""
        found = self._workspace.run(run)
        if run in self._store.running():
            raise PressmarkError("this run is under way, here or in another kernel: stop it there before it is resumed")
        options = options_of(asking, repeats=found.repeats, seeds=found.seeds)
        chains, suite = found.chains, found.suite
        self._workspace.choose_endpoint(endpoint)
        found.reopen()
        return self._start(chains, suite, endpoint, options, on_progress)

    def cancel_run(self, run: str) -> None:
        """Ask a run to stop."""
        runner = self._workspace.runners.get(run)
        if runner is not None:
            runner.cancel()

    def _start(
        self,
        asked: Sequence[PromptVersion | Chain],
        suite: Suite,
        endpoint: str,
        options: RunOptions,
        on_progress: Callable[[RunProgress], None],
    ) -> str:
        runner = start_run(self._workspace, asked, suite, self._workspace.choose_endpoint(endpoint), options)
        self._follow(runner, on_progress)
        return runner.run_id

    def _follow(self, runner: Runner, on_progress: Callable[[RunProgress], None]) -> None:
        end: list[Callable[[], None]] = []

        def follow(change: Any) -> None:
            if change.get("run") != runner.run_id:
                return
            told = self.run(runner.run_id)
            on_progress(told)
            if told["status"] != "running" and end:
                end[0]()

        end.append(self._workspace.changes.subscribe(follow))
        # A short run may have ended before anybody listened.
        follow({"topic": "run", "run": runner.run_id})

    def _version_named(self, name: str, version: str) -> PromptVersion:
        if _DERIVED not in version:
            return self._store.version(name, version)
        found = self._derived.get((name, version))
        if found is None:
            raise VersionNotFoundError(
                f"{version} was made for one run and is not known any more: add its model or parameters again"
            )
        return found


def options_of(asking: AskingView | None, *, repeats: int | None = None, seeds: bool = False) -> RunOptions:
    """How a run asks, as the runner takes it.

    Raises:
        PressmarkError: A number is out of its range.
    """
    if asking is None:
        return RunOptions(concurrency=CONCURRENCY, repeats=repeats or 1, seeds=seeds)
    limits = {name: value for name, value in asking["budget"].items() if value is not None}
    try:
        budget = Budget(**limits) if limits else None  # type: ignore[arg-type]  # whole where they have to be
    except ValueError as error:
        raise PressmarkError(f"{error}: correct it, or leave it empty for no limit") from error
    if repeats is None and asking["repeats"] < 1:
        raise PressmarkError("each row is asked once at least: set repeats to 1 or more")
    return RunOptions(
        concurrency=asking["concurrency"] or "auto",
        repeats=repeats or asking["repeats"],
        budget=budget,
        stop_when_sure=asking["stop_when_sure"],
        seeds=seeds,
    )
