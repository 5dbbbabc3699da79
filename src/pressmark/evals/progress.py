"""Where a run stands."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from pressmark.evals.asking import Asked
from pressmark.evals.records import OutputRecord, Task


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands.

    Attributes:
        done: Tasks recorded, errors and earlier answers among them.
        total: Tasks of the run.
        errors: Tasks that ended as an error.
        cached: Tasks whose answer was known already.
        calls: Requests sent, those of judges and repeated ones among them.
        retries: How many of them were repeated.
        tokens_in: Tokens of the requests that were answered.
        tokens_out: Tokens of their answers.
        cost: US dollars for them, or None where no price was known.
        elapsed: Seconds since the start.
    """

    done: int
    total: int
    errors: int
    cached: int
    calls: int
    retries: int
    tokens_in: int
    tokens_out: int
    cost: float | None
    elapsed: float


class Rows:
    """Which rows are finished: those whose every task has ended.

    Args:
        tasks: The tasks that have to end.
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._open = Counter(task.row for task in tasks)
        self.finished = 0

    def ended(self, task: Task) -> bool:
        """Count the end of a task, and tell whether it was the last of its row."""
        self._open[task.row] -= 1
        last = self._open[task.row] == 0
        self.finished += last
        return last

    @property
    def open(self) -> int:
        """How many rows are not finished."""
        return len(self._open) - self.finished


class Tally:
    """The counts of a run; its own thread counts, any thread may read.

    Args:
        total: Tasks of the run.
        answered: How many of them were done before.
    """

    def __init__(self, total: int, answered: int) -> None:
        self._total, self._done = total, answered
        self._errors = self._cached = self._calls = self._retries = self._tokens_in = self._tokens_out = 0
        self._cost: float | None = None
        self._began, self._ended = time.monotonic(), 0.0

    def asked(self, asked: Asked) -> None:
        """Count the calls for one answer, and what it took."""
        self._calls += asked.attempts
        self._retries += max(0, asked.attempts - 1)
        if asked.answer is not None:
            self._tokens_in += asked.answer.tokens_in or 0
            self._tokens_out += asked.answer.tokens_out or 0
            if asked.answer.cost is not None:
                self._cost = (self._cost or 0.0) + asked.answer.cost

    def ended(self, record: OutputRecord) -> None:
        """Count a task that is done."""
        self._errors += record.error is not None
        self._cached += record.cached
        self._done += 1

    def stop(self) -> None:
        """Stop the clock."""
        self._ended = time.monotonic()

    def progress(self) -> Progress:
        """Where the run stands now."""
        return Progress(
            done=self._done,
            total=self._total,
            errors=self._errors,
            cached=self._cached,
            calls=self._calls,
            retries=self._retries,
            tokens_in=self._tokens_in,
            tokens_out=self._tokens_out,
            cost=self._cost,
            elapsed=(self._ended or time.monotonic()) - self._began,
        )
