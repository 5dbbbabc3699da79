"""The rows of a run: what was answered, how it was scored and judged, and in which order they stand."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

RowChange = Literal["better", "worse", "same", "error", "pending"]
RowFilter = Literal["all", "flipped", "better", "worse", "errors"]
RowSort = Literal["row", "flipped", "change"]


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
