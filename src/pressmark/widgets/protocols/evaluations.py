"""Datasets, suites, endpoints and runs: what the panel Evaluate shows, and the part of a session that knows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NotRequired, Protocol, TypedDict

Verdict = Literal["better", "worse", "cannot tell"]
RunStatus = Literal["running", "done", "stopped", "cancelled", "failed"]
RowChange = Literal["better", "worse", "same", "error", "pending"]
RowFilter = Literal["all", "flipped", "better", "worse", "errors"]
RowSort = Literal["row", "flipped", "change"]


class DatasetView(TypedDict):
    """A dataset to preview with.

    Attributes:
        name: Its name.
        rows: How many rows it has.
        columns: Their names, in order.
    """

    name: str
    rows: int
    columns: list[str]


class ScorerView(TypedDict):
    """A scorer of a suite.

    Attributes:
        name: Its name; the key of `CellView.scores`.
        kind: A score is in [0, 1] and shown in points of 100; a measurement has a unit.
        direction: Which way is better.
        unit: Of a measurement, such as "s", "USD" or "tokens"; empty for a score.
        primary: Whether the suite's verdict is this scorer's.
        column: The dataset's column with what it expects, or None where it expects nothing of the row.
    """

    name: str
    kind: Literal["score", "measurement"]
    direction: Literal["higher", "lower"]
    unit: str
    primary: bool
    column: str | None


class SuiteView(TypedDict):
    """A suite to run.

    Attributes:
        name: Its name.
        dataset: The dataset's name.
        rows: How many rows it has.
        scorers: The primary one first.
        slice: The slice column, or None.
        publishable: Whether the registry would take it.
        why_not: Why it would not, or None.
    """

    name: str
    dataset: str
    rows: int
    scorers: list[ScorerView]
    slice: str | None
    publishable: bool
    why_not: str | None


class EndpointView(TypedDict):
    """An endpoint that can be asked.

    Attributes:
        name: Its name.
        base_url: Where it is.
        key_env: Name of the environment variable with the key, or None where it needs none. Never the key.
        key_present: Whether that variable is set now.
        practice: Whether it is the practice model.
        models: Names to offer in the model field; may be empty, any name can be typed.
    """

    name: str
    base_url: str
    key_env: str | None
    key_present: bool
    practice: bool
    models: list[str]


class OverrideView(TypedDict):
    """A version with another model or other parameters, run beside the original without being saved.

    Attributes:
        of: The version that it is made of, such as "#2".
        model: Another model, or None for the original's.
        params: Parameters to set; None as a value takes one away.
    """

    of: str
    model: str | None
    params: dict[str, Any]


class BudgetView(TypedDict):
    """What a run may spend in all; None where it is not bounded.

    Attributes:
        money: US dollars.
        tokens: Tokens in and out.
        calls: Requests.
        minutes: Minutes.
    """

    money: float | None
    tokens: int | None
    calls: int | None
    minutes: float | None


class AskingView(TypedDict):
    """How a run asks.

    Attributes:
        repeats: How often each row is asked.
        concurrency: Calls at once, at most; None leaves it to what the endpoint takes.
        budget: What it may spend.
        stop_when_sure: Whether it stops as soon as every candidate is told from the baseline.
    """

    repeats: int
    concurrency: int | None
    budget: BudgetView
    stop_when_sure: bool


class EstimateView(TypedDict):
    """What a run would take, and what it could show.

    Attributes:
        rows: Rows of the suite.
        calls: Requests in all, equal ones once; those whose answer is known among them.
        cached: How many of them are in the answer cache already.
        cost: In US dollars for the rest, or None where the price is not known.
        judge_calls: Requests of the suite's judges besides, at most.
        unrendered: Answers that cannot be asked for, since the row does not fit the template.
        tokens_in: Tokens sent.
        tokens_out: Tokens that come back, or None where nothing says how long answers are.
        seconds: How long it takes, or None where no latency is known.
        basis: What tokens and time are estimated from, in words.
        smallest: The smallest difference by the primary scorer that so many rows show 4 times in 5, or None.
        smallest_from: What that stands on, in words.
    """

    rows: int
    calls: int
    cached: int
    cost: float | None
    judge_calls: int
    unrendered: int
    tokens_in: int
    tokens_out: int | None
    seconds: float | None
    basis: str
    smallest: float | None
    smallest_from: str


class RunProgress(TypedDict):
    """Where a run stands; given to `on_progress` and returned by `run`.

    Attributes:
        run: Its id.
        status: "running" until nothing more will come. "stopped" is a run that ended by itself before its last row: its
            budget was spent, or its rows had told enough. "cancelled" is one that somebody stopped.
        name: The prompt's name.
        versions: The baseline first, as they were given to `start_run`.
        suite: Its name.
        endpoint: Its name.
        done: Answers there, errors among them.
        total: Answers wanted.
        errors: How many ended as an error.
        cached: How many came from the answer cache.
        rate: Answers a second lately, or None.
        seconds_left: An estimate, or None.
        cost: US dollars spent so far, or None where the price is not known.
        elapsed: Seconds since the start.
        started_at: When.
        error: Why a failed run failed, as a sentence, or None.
        details: What the program below said of the failure, for whoever looks closer, or None.
        note: Why a run that is "stopped" ended where it did, as a sentence, or None.
    """

    run: str
    status: RunStatus
    name: str
    versions: list[str]
    suite: str
    endpoint: str
    done: int
    total: int
    errors: int
    cached: int
    rate: float | None
    seconds_left: float | None
    cost: float | None
    elapsed: float
    started_at: str
    error: str | None
    details: str | None
    note: str | None


class OrderView(TypedDict):
    """Which rows of a run to show, in which order. The widget keeps it until the user asks for a new one.

    Attributes:
        rows: Row numbers (from 0) that pass filter and search, in order.
        counts: How many rows pass each `RowFilter`, with the search applied.
    """

    rows: list[int]
    counts: dict[str, int]


class CellView(TypedDict):
    """One version's answer to one row, all repeats as one: scores are means, the output is the first repeat's.

    Attributes:
        output: The text; cut to about 400 characters by `run_rows`, whole in `run_row`.
        cut: Whether text is missing.
        error: Why there is no output, as a sentence, or None.
        pending: Not answered yet.
        scores: By scorer; None where scoring failed.
        change: Against the baseline by the scorer asked for; None in the baseline's own cell.
        tokens_in: Or None.
        tokens_out: Or None.
        cost: US dollars, or None.
        latency: Seconds, or None.
        cached: Whether it came from the answer cache.
        model: The model that was served, or None.
        score_errors: By scorer, why a score is missing; only in `run_row`.
        request: The rendered messages, `role` and `content` as text; only in `run_row`.
        full: What else is known of the answer; only in `run_row`.
    """

    output: str
    cut: bool
    error: str | None
    pending: bool
    scores: dict[str, float | None]
    change: RowChange | None
    tokens_in: int | None
    tokens_out: int | None
    cost: float | None
    latency: float | None
    cached: bool
    model: str | None
    score_errors: NotRequired[dict[str, str]]
    request: NotRequired[list[dict[str, str]]]
    full: NotRequired[AnswerView]


class AnswerView(TypedDict):
    """What else is known of one answer.

    Attributes:
        settings: What was sent beside the messages (model, parameters, tools), as JSON.
        ttft: Seconds to the first token, or None where the answer was not streamed.
        finish_reason: Why the model stopped, or None.
        attempts: How often the endpoint was asked.
        tool_calls: Names and arguments of the tools that the model called, as JSON; empty where it called none.
        repeats: Every repeat's output or error, where there are several.
        judgements: What each judge was shown and said.
        upstream: What the prompts upstream answered, in the order in which they ran.
    """

    settings: str
    ttft: float | None
    finish_reason: str | None
    attempts: int
    tool_calls: str
    repeats: list[RepeatView]
    judgements: list[JudgementView]
    upstream: list[UpstreamView]


class RepeatView(TypedDict):
    """One repeat of an answer.

    Attributes:
        output: The text.
        error: Why there is none, or None.
        scores: By scorer.
    """

    output: str
    error: str | None
    scores: dict[str, float | None]


class JudgementView(TypedDict):
    """What a judge said.

    Attributes:
        scorer: The judge's name.
        told: What is known of it (order, vote, model), by name, as text.
        output: Its answer in full, or empty.
    """

    scorer: str
    told: dict[str, str]
    output: str


class UpstreamView(TypedDict):
    """What a prompt upstream answered.

    Attributes:
        version: Which, such as "support/summary #3".
        fills: The variable that its answer fills; empty where it feeds another prompt upstream.
        output: The text.
        error: Why there is none, or None.
    """

    version: str
    fills: str
    output: str
    error: str | None


class StandingView(TypedDict):
    """How one version stands by a scorer, for the charts.

    Attributes:
        version: Its name in the run.
        n: Rows with a score.
        mean: Their mean.
        low: Lower end of its 95 % interval, or None.
        high: Upper end, or None.
        bins: How many rows have a score in each bin of `StandingsView.edges`.
        cost: US dollars, the mean of an answer; None where it is not known.
        front: Whether no other version is as good and as cheap; None where a cost is missing.
    """

    version: str
    n: int
    mean: float
    low: float | None
    high: float | None
    bins: list[int]
    cost: float | None
    front: bool | None


class StandingsView(TypedDict):
    """The versions of a run by one scorer.

    Attributes:
        scorer: Its name.
        edges: Ends of the bins, one more than there are bins; in the scorer's own unit.
        items: The baseline first; versions without a score are left out.
    """

    scorer: str
    edges: list[float]
    items: list[StandingView]


class CorrectedView(TypedDict):
    """A row that was corrected.

    Attributes:
        dataset: The dataset's name.
        row: The row.
        note: What the dataset's name stands for now, such as "version 2".
        changes: By column, the value before and after, as text.
        suites: Suites that still judge by the old rows.
    """

    dataset: str
    row: int
    note: str
    changes: dict[str, list[str]]
    suites: list[str]


class RowView(TypedDict):
    """One row of the grid.

    Attributes:
        row: Its number, from 0.
        values: The dataset's columns as text, each cut to about 200 characters by `run_rows`, whole in `run_row`. Those
            in `inputs` come first.
        inputs: The columns that fill a variable of one of the run's versions.
        cells: By version, one for each version of the run.
    """

    row: int
    values: dict[str, str]
    inputs: list[str]
    cells: dict[str, CellView]


class ComparisonView(TypedDict):
    """The verdict on one candidate against the baseline by one scorer.

    Attributes:
        baseline: The version on the left.
        candidate: The version that is judged.
        scorer: Its name.
        sentence: "v2 better by 5.9 points [0.4, 11.3] on 198 rows: 62 up, 46 down, 90 same".
        verdict: Of the sentence; None while there is not enough to say anything, `sentence` says why.
        difference: Candidate minus baseline, in the scorer's own unit (0.059), None as above.
        low: Lower end of the 95 % interval, or None.
        high: Upper end, or None.
        n: Rows paired.
        up: Rows with a better score.
        down: Rows with a worse one.
        same: Rows with an equal one.
        baseline_mean: Mean over the paired rows, or None.
        candidate_mean: Likewise.
        provisional: True while the run is not complete.
        rows_needed: Rows that would tell, where the verdict is "cannot tell" and it is known; else None.
        test: Which test gave the interval, in words.
        guards: For the primary scorer: one line for every other scorer.
        slices: One for each value of the suite's slice column; none while the run is going on.
    """

    baseline: str
    candidate: str
    scorer: str
    sentence: str
    verdict: Verdict | None
    difference: float | None
    low: float | None
    high: float | None
    n: int
    up: int
    down: int
    same: int
    baseline_mean: float | None
    candidate_mean: float | None
    provisional: bool
    rows_needed: int | None
    test: str
    guards: list[GuardView]
    slices: list[SliceView]


class SliceView(TypedDict):
    """The comparison on the rows of one slice.

    Attributes:
        name: The slice column's value there, as text; `run_order` takes it.
        verdict: The one that holds although every slice is looked at (p values adjusted by Holm's method).
        difference: Candidate minus baseline, in the scorer's own unit.
        low: Lower end of the slice's own 95 % interval, or None where it is open.
        high: Upper end, or None.
        n: Rows paired.
        p: The adjusted p value.
    """

    name: str
    verdict: Verdict
    difference: float
    low: float | None
    high: float | None
    n: int
    p: float


class GuardView(TypedDict):
    """A guard's line under the verdict.

    Attributes:
        scorer: Its name.
        verdict: Or None while it cannot be said.
        sentence: As in `ComparisonView`.
    """

    scorer: str
    verdict: Verdict | None
    sentence: str


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
