"""The part of a session that runs suites and shows what came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from pressmark.widgets.protocols.asking import AskingView, EstimateView, OverrideView, RunProgress
from pressmark.widgets.protocols.catalog import DatasetView, EndpointView, SuiteView
from pressmark.widgets.protocols.outputs import CorrectedView, OrderView, RowFilter, RowSort, RowView
from pressmark.widgets.protocols.verdicts import ComparisonView, StandingsView


class EvaluatingSession(Protocol):
    """The part of a session that runs versions and compares them."""

    def datasets(self) -> list[DatasetView]:
        """The datasets of the workspace, by name."""

    def suites(self) -> list[SuiteView]:
        """The suites of the workspace, by name."""

    def endpoints(self) -> list[EndpointView]:
        """The endpoints, the default one first. Asks no network for more than a second for the models' names."""

    def derive(self, name: str, override: OverrideView) -> str:
        """Makes a version with another model or other parameters and returns what it is called, such as "#2*3fa9".

        The session knows it from then on; it is not saved.

        Raises:
            PressmarkError: A part is wrong.
        """

    def keep(self, name: str, version: str) -> str:
        """Saves a derived version and returns the number that it got."""

    def estimate(  # noqa: PLR0917 - the choices of a run, in the order of the form
        self,
        name: str,
        versions: Sequence[str],
        suite: str,
        endpoint: str,
        asking: AskingView | None = None,
        pause: Callable[[], None] = ...,
    ) -> EstimateView:
        """What running these versions would take; called from a thread of its own, since many rows take seconds.

        `pause` is called every few rows and waits there while something else is asked for.
        """

    def start_run(  # noqa: PLR0917 - the choices of a run, in the order of the form
        self,
        name: str,
        versions: Sequence[str],
        suite: str,
        endpoint: str,
        on_progress: Callable[[RunProgress], None],
        asking: AskingView | None = None,
    ) -> str:
        """Starts a run in the background and returns its id at once.

        Args:
            name: The prompt.
            versions: The baseline first.
            suite: Name of the suite.
            endpoint: Name of the endpoint.
            on_progress: Called from any thread, as often as it suits (the widget throttles), and in the end once with
                a status other than "running". It never raises.
            asking: How; None for once, 8 at a time, without a budget.

        Raises:
            PressmarkError: The run could not begin: empty dataset, missing column, no key, ...
        """

    def resume_run(
        self,
        run: str,
        endpoint: str,
        on_progress: Callable[[RunProgress], None],
        asking: AskingView | None = None,
    ) -> str:
        """Takes a run up again and returns its id: only what has no answer yet is asked, errors among it.

        With another endpoint it is a run of its own. The repeats are the run's, whatever `asking` says.

        Raises:
            PressmarkError: As `start_run`.
        """

    def cancel_run(self, run: str) -> None:
        """Asks a run to stop and returns at once, also while another method is at work; nothing for a finished one.

        Answers that are there stay. `on_progress` tells when the run has stopped.
        """

    def runs(self, name: str) -> list[RunProgress]:
        """The runs of a prompt, the newest first, at most 50."""

    def run(self, run: str) -> RunProgress:
        """Where a run stands.

        Raises:
            RunNotFoundError: There is no such run.
        """

    def run_suite(self, run: str) -> SuiteView:
        """The suite as it was when the run began; its scorers are the grid's columns."""

    def run_order(  # noqa: PLR0917 - all of it decides the order; called by position from here only
        self,
        run: str,
        baseline: str,
        candidate: str,
        scorer: str,
        filter: RowFilter,
        sort: RowSort,
        search: str,
        slice: str | None = None,
    ) -> OrderView:
        """Which rows to show, and how many there are of each kind. Rows not answered yet are among "all".

        Args:
            run: The run.
            baseline: The version to compare with.
            candidate: The version judged.
            scorer: Whose scores decide what flipped.
            filter: "flipped" is better or worse; "errors" has an error in any version.
            sort: "row" is the dataset's order; "flipped" puts worse rows first, then better, errors, the rest;
                "change" orders by the size of the change, the worst first.
            search: Text looked for, without regard to case, in values, outputs and errors; empty for all rows.
            slice: Name of a slice as `SliceView` gives it, to leave out every row of another one; None for all.
        """

    def run_rows(self, run: str, rows: Sequence[int], baseline: str, scorer: str) -> list[RowView]:
        """These rows, in this order, texts cut short. At most 200 are asked for at once."""

    def run_row(self, run: str, row: int, baseline: str, scorer: str) -> RowView:
        """One row in full, with the rendered requests and why scores are missing."""

    def comparison(self, run: str, baseline: str, candidate: str, scorer: str) -> ComparisonView:
        """The verdict; while the run is going on a provisional one."""

    def standings(self, run: str, scorer: str) -> StandingsView:
        """How the run's versions stand by a scorer: means, spread and cost."""

    def correct_row(self, run: str, row: int, values: dict[str, str], message: str) -> CorrectedView:
        """Keeps the dataset's newest version with other values in a row of the run, as its next version.

        Args:
            run: The run whose row was looked at.
            row: Its number.
            values: The new value by column, as text; of a column that holds no text, as JSON.
            message: Why.

        Raises:
            PressmarkError: A value is none of the column's kind, nothing would change, or the row is another one by
                now.
        """

    def move_suites(self, dataset: str, suites: Sequence[str]) -> list[str]:
        """Makes these suites again on the dataset's newest rows, and returns the names of those that were moved."""
