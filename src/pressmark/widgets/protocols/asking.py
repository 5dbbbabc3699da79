"""How a run asks, what it would take, and where it stands."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

RunStatus = Literal["running", "done", "stopped", "cancelled", "failed"]


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
