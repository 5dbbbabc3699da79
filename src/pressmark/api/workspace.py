"""`pm.Workspace`: everything an analyst does, over one DuckDB file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from pressmark.api.endpoints import Endpoints
from pressmark.api.prompts import Prompts
from pressmark.api.runs import Run
from pressmark.api.starting import RunOptions, several, start_run
from pressmark.api.suites import Suites
from pressmark.evals import Budget, Suite
from pressmark.evals.chain import Chain
from pressmark.prompts import Version, check_name
from pressmark.providers import Endpoint
from pressmark.rendering import PromptVersion

if TYPE_CHECKING:
    import pandas
    from distributed import Client

    from pressmark.api.impact import ChangeEvaluation
    from pressmark.api.rating import RatingSession
    from pressmark.api.registry import Registry
    from pressmark.evals.estimate import RunPlan
    from pressmark.evals.rating import Kind, RatingResult
    from pressmark.widgets import Workbench


class Workspace(Prompts, Suites, Endpoints):
    """Drafts, versions, datasets, suites and runs in one file.

    Several kernels and shells may work on one file at once.

    Args:
        path: The file; it is made where there is none.
        author: Who saves versions; else `PRESSMARK_AUTHOR`, else the user of this machine.

    Raises:
        WorkspaceError: There is something else at that path, the file is of a newer Pressmark, or it is locked.
    """

    def plan(
        self,
        versions: Sequence[PromptVersion | Chain] | PromptVersion | Chain,
        suite: Suite | str,
        *,
        endpoint: str | Endpoint | None = None,
        concurrency: int = 8,
        repeats: int = 1,
    ) -> RunPlan:
        """Return what `evaluate` with the same arguments would take, and what it could show; nobody is asked.

        Args:
            versions: The baseline first, or one alone.
            suite: What to run them on.
            endpoint: Where to ask; else the only one there is.
            concurrency: Calls in flight at once, at most; the time depends on it.
            repeats: How often each row is asked.

        Returns:
            Calls, tokens, cost and time, and the smallest difference that so many rows show; `rows_needed(difference)`
            tells how many rows a difference takes.

        Raises:
            VersionNotFoundError: What was given as versions are none.
            DatasetError: A column for a variable is missing.
            EndpointNotFoundError: There is no such endpoint.
        """
        from pressmark.api.planning import plan_run

        where = self.choose_endpoint(endpoint)
        given = several(versions)
        return plan_run(self.store, given, self._suite(suite), where, repeats=repeats, concurrency=concurrency)

    def evaluate(
        self,
        versions: Sequence[PromptVersion | Chain] | PromptVersion | Chain,
        suite: Suite | str,
        *,
        endpoint: str | Endpoint | None = None,
        concurrency: int | Literal["auto"] | None = 8,
        repeats: int = 1,
        timeout: float = 120.0,
        budget: Budget | None = None,
        stop_when_sure: bool = False,
        stream: bool = False,
        seeds: bool = False,
        cluster: Client | None = None,
        progress: bool = True,
    ) -> Run:
        """Run versions over a suite and wait for the end; works in a script and in a notebook cell.

        What was answered before is not asked again: the same call after a kill or an interrupt goes on where it
        stopped, and equal requests are answered from the file.

        Args:
            versions: The baseline first, or one alone. What a version takes from prompts upstream is asked first, each
                prompt once a row: of their newest versions, or of those that a chain fixes.
            suite: What to run them on.
            endpoint: Where to ask: a name or an endpoint; else the only one there is.
            concurrency: Calls in flight at once, at most: a run begins with a few and rises to it as long as the
                endpoint keeps up. "auto" or None sets no limit but what the endpoint takes.
            repeats: How often each row is asked.
            timeout: Seconds that one attempt may take.
            budget: What the run may spend in all, such as `pm.Budget(money=2)`. Where the next call could exceed it,
                the run stops: its answers are kept, and the same call with a larger budget goes on.
            stop_when_sure: Stop as soon as the confidence sequence of the primary scorer tells every version from the
                first, with a look every 10 rows. The run's `method` is then `sequence`.
            seeds: Ask each repeat with a `seed` of its own, so that an endpoint that heeds it gives answers that can
                be had again.
            stream: Have answers streamed, which tells the time to the first token (`ttft` in the results).
            cluster: A Dask client: its workers ask and score, and answers come into this file as they arrive. Budget,
                `concurrency` and the endpoint's limits hold for all workers together. Each reads the endpoint's key
                from its own environment.
            progress: Whether to show a progress bar.

        Returns:
            The run. Rows that could not be answered are error rows, with the reason. Its status is `stopped` where its
            budget or `stop_when_sure` ended it; its `note` says which.

        Raises:
            BudgetError: Money is budgeted for a model whose price is not known.
            ClusterError: The cluster's workers cannot do the work, or none is left.
            VersionNotFoundError: What was given as versions are none.
            DatasetError: A column for a variable is missing.
            EndpointAuthError: The endpoint refuses the key, or the key's variable is empty.
            EndpointConnectionError: Nothing answers at the endpoint's address.
            KeyboardInterrupt: The cell was interrupted; what was answered is kept.
        """
        options = RunOptions(
            concurrency=concurrency,
            repeats=repeats,
            timeout=timeout,
            budget=budget,
            stop_when_sure=stop_when_sure,
            stream=stream,
            seeds=seeds,
            cluster=cluster,
        )
        runner = start_run(self, several(versions), self._suite(suite), self.choose_endpoint(endpoint), options)
        return runner.wait(progress=progress)

    async def aevaluate(
        self,
        versions: Sequence[PromptVersion | Chain] | PromptVersion | Chain,
        suite: Suite | str,
        *,
        endpoint: str | Endpoint | None = None,
        concurrency: int | Literal["auto"] | None = 8,
        repeats: int = 1,
        timeout: float = 120.0,
        budget: Budget | None = None,
        stop_when_sure: bool = False,
        stream: bool = False,
        seeds: bool = False,
        cluster: Client | None = None,
        progress: bool = True,
    ) -> Run:
        """Run versions over a suite from an async caller; see `evaluate`. Cancelling the caller stops the run."""
        options = RunOptions(
            concurrency=concurrency,
            repeats=repeats,
            timeout=timeout,
            budget=budget,
            stop_when_sure=stop_when_sure,
            stream=stream,
            seeds=seeds,
            cluster=cluster,
        )
        runner = start_run(self, several(versions), self._suite(suite), self.choose_endpoint(endpoint), options)
        return await runner.finished(progress=progress)

    def affected(
        self, version: PromptVersion, label: str = "production", *, registry: Registry | None = None
    ) -> tuple[str, ...]:
        """Return the prompts downstream that a version would reach as that label, in the order in which they run.

        Args:
            version: The candidate.
            label: The label that it is meant for.
            registry: Whose labels everything stands at; else the newest versions of this workspace stand.

        Raises:
            GraphCycleError: Prompts feed each other in a circle.
        """
        from pressmark.api.impact import change_of

        return change_of(self, version, label, registry).downstream

    def evaluate_change(
        self,
        version: PromptVersion,
        label: str = "production",
        *,
        registry: Registry | None = None,
        baseline: PromptVersion | str | None = None,
        suites: Mapping[str, Sequence[Suite | str]] | None = None,
        endpoint: str | Endpoint | None = None,
        concurrency: int = 8,
        repeats: int = 1,
        timeout: float = 120.0,
        progress: bool = True,
    ) -> ChangeEvaluation:
        """Run the suites of a prompt and of everything downstream, with the version as that label and as it is now.

        Each prompt of a chain is asked once a row; what a chain has answered before is not asked again.

        Args:
            version: The candidate.
            label: The label that it is meant for.
            registry: Whose labels everything stands at; else the newest versions of this workspace stand.
            baseline: Without a registry, the version to compare with, such as `"#1"`; else the newest other one.
            suites: Suites by prompt; else those made with `ws.suite(…, prompt=…)`.
            endpoint: Where to ask.
            concurrency: Calls in flight at once.
            repeats: How often each row is asked.
            timeout: Seconds that one attempt may take.
            progress: Whether to show progress bars.

        Returns:
            The verdicts; `.evidence` is what a registry's gate takes, `.to_file(path)` writes it.

        Raises:
            SuiteNotFoundError: The prompt itself has no suite.
            VersionNotFoundError: The label holds this version already, or the baseline is none of this prompt's.
            GraphCycleError: Prompts feed each other in a circle.
            EndpointError: No call could go well.
        """
        from pressmark.api.impact import evaluate_change

        return evaluate_change(
            self,
            version,
            label,
            self.choose_endpoint(endpoint),
            RunOptions(concurrency=concurrency, repeats=repeats, timeout=timeout),
            registry=registry,
            baseline=baseline,
            suites=suites,
            progress=progress,
        )

    def run(self, run_id: str) -> Run:
        """Return a run by its id, also after a kernel restart.

        Raises:
            RunNotFoundError: There is none.
        """
        return Run(self, self.store.run(run_id))

    def runs(self) -> pandas.DataFrame:
        """Return every run, newest first: run, prompt, versions, suite, endpoint, status, started_at."""
        import pandas as pd

        columns = ["run", "prompt", "versions", "suite", "endpoint", "status", "started_at"]
        rows = []
        for kept in self.store.runs():
            run = Run(self, kept)
            names = ", ".join(run.versions)
            rows.append([run.id, kept.prompt, names, run.suite_name, run.endpoint_name, run.status, kept.started_at])
        return pd.DataFrame(rows, columns=columns)

    def rate(
        self,
        run: Run,
        baseline: Version | str | None = None,
        candidate: Version | str | None = None,
        *,
        rater: str | None = None,
        kind: Kind = "pairwise",
        scale: tuple[int, int] = (1, 5),
        again: float = 0.1,
        rows: Sequence[int] | None = None,
        show: Sequence[str] | str = (),
    ) -> RatingSession:
        """Begin to rate a run's outputs blind, or go on where this rater stopped.

        Args:
            run: Whose outputs.
            baseline: A version of the run; else its first.
            candidate: Another; else its last.
            rater: Who rates; else the workspace's author.
            kind: `pairwise` shows two outputs side by side, sides drawn; `pointwise` one at a time, to be graded.
            scale: The worst grade and the best.
            again: Share of the questions that are asked twice, for the rater's agreement with themselves.
            rows: Which rows; else all.
            show: Columns to show beside those that fill the prompts' variables. A column that a scorer expects is
                shown only where it is named here: it tells the answer.

        Returns:
            The session: `question`, `answer(choice)`, `back()`, and `reveal()` at the end.

        Raises:
            DatasetError: There is no such column to show.
            RatingError: There is nothing to rate.
            VersionNotFoundError: The run has no such version.
        """
        from pressmark.api.rating import RatingSession

        pair = run.pair(baseline, candidate)
        return RatingSession(
            self, run, pair, rater or self.author, kind=kind, scale=scale, again=again, rows=rows, show=show
        )

    def ratings(
        self,
        run: Run,
        baseline: Version | str | None = None,
        candidate: Version | str | None = None,
        *,
        kind: Kind = "pairwise",
        scale: tuple[int, int] = (1, 5),
    ) -> RatingResult:
        """Return what everybody's ratings say of two versions of a run.

        Args:
            run: Whose outputs were rated.
            baseline: A version of the run; else its first.
            candidate: Another; else its last.
            kind: `pairwise` for votes, `pointwise` for grades.
            scale: The worst grade and the best.

        Raises:
            RatingError: Nobody has rated them yet.
        """
        from pressmark.api.rating import rated

        return rated(self.store, run, run.pair(baseline, candidate), kind, scale)

    def sql(self, query: str) -> pandas.DataFrame:
        """Return what one SQL query finds in the file; it cannot change the file.

        Raises:
            WorkspaceError: It is no query, or DuckDB refuses it.
        """
        return self.store.sql(query)

    def draft(self, name: str) -> Workbench:
        """Return the Draft panel alone, opened on a prompt; a name that is not known yet begins a new one.

        Args:
            name: The prompt.

        Raises:
            InvalidNameError: The name is not of the allowed form.
        """
        from pressmark.api.session import Session
        from pressmark.widgets import Workbench

        return Workbench(Session(self), check_name(name), panels=("draft",))

    def workbench(self, name: str | None = None, *, registry: Registry | None = None) -> Workbench:
        """Return the widget: draft, compare, evaluate, rate, publish.

        Args:
            name: The prompt to open.
            registry: The registry to publish to; else the one that `PRESSMARK_URL` names, where it is set.
        """
        from pressmark.api.registry import Registry
        from pressmark.api.session import Session
        from pressmark.widgets import Workbench

        if registry is None and os.environ.get("PRESSMARK_URL"):
            registry = Registry()
        return Workbench(Session(self, registry), prompt=name or "")
