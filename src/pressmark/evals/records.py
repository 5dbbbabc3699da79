"""What a run produces: an answer or an error for each version, row and repeat, recorded as it arrives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from pressmark.evals.answer import Answer
from pressmark.prompts import FrozenDict, freeze, thaw


class Task(NamedTuple):
    """One answer wanted: a version (by digest), a row of the dataset and a repeat, both from 0."""

    version: str
    row: int
    repeat: int


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row has no answer.

    Attributes:
        kind: A few words for grouping: `rate limit`, `server`, `connection`, `timeout`, `garbage`, `bad request`,
            `render`, …
        message: What happened, why, and what to do next.
        status: HTTP status, where there was one.
    """

    kind: str
    message: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class OutputRecord:
    """One answer, or one error, with its scores.

    A judge's answers are recorded likewise, under the run id `RUN/SCORER`: they were paid for, and the answer cache
    finds them.

    Attributes:
        run_id: The run.
        version: Digest of the prompt version.
        row: The dataset's row, from 0.
        repeat: From 0.
        request_digest: The answer cache's key of the request; empty where no request could be made.
        answer: What the model answered, or None.
        error: Why there is no answer, or None.
        attempts: How many times the endpoint was asked; 0 for a cached answer.
        cached: Whether the answer came from the cache.
        at: When it was recorded, in UTC.
        scores: By scorer; None where the scorer does not apply or failed.
        score_errors: By scorer, why a score is missing.
        judgements: By scorer, what a judge was shown and said: order, vote, served model.
    """

    run_id: str
    version: str
    row: int
    repeat: int
    request_digest: str
    answer: Answer | None
    error: RowError | None
    attempts: int
    cached: bool
    at: datetime
    scores: FrozenDict = field(default_factory=FrozenDict)
    score_errors: FrozenDict = field(default_factory=FrozenDict)
    judgements: FrozenDict = field(default_factory=FrozenDict)

    @property
    def task(self) -> Task:
        """The task that it answers."""
        return Task(self.version, self.row, self.repeat)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        told: dict[str, Any] = {
            "run_id": self.run_id,
            "version": self.version,
            "row": self.row,
            "repeat": self.repeat,
            "request_digest": self.request_digest,
            "answer": self.answer.to_dict() if self.answer else None,
            "error": None,
            "attempts": self.attempts,
            "cached": self.cached,
            "at": self.at.isoformat(),
            "scores": dict(self.scores),
            "score_errors": dict(self.score_errors),
        }
        if self.error:
            told["error"] = {"kind": self.error.kind, "message": self.error.message, "status": self.error.status}
        if self.judgements:
            told["judgements"] = thaw(self.judgements)
        return told

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> OutputRecord:
        """Read the JSON form."""
        answer, error = told.get("answer"), told.get("error")
        return cls(
            run_id=told["run_id"],
            version=told["version"],
            row=told["row"],
            repeat=told["repeat"],
            request_digest=told.get("request_digest") or "",
            answer=Answer.from_dict(answer) if answer else None,
            error=RowError(error["kind"], error["message"], error.get("status")) if error else None,
            attempts=told.get("attempts") or 0,
            cached=bool(told.get("cached")),
            at=datetime.fromisoformat(told["at"]),
            scores=freeze(told.get("scores") or {}),
            score_errors=freeze(told.get("score_errors") or {}),
            judgements=freeze(told.get("judgements") or {}),
        )


class Sink(Protocol):
    """Where records go the moment they arrive. Called from the engine's thread, one call at a time."""

    def record(self, record: OutputRecord) -> None:
        """Keep a record; a later one of the same run, version, row and repeat takes its place.

        Whatever this raises stops the run: answers that cannot be kept must not be paid for.
        """
        ...


class Memory:
    """A sink that keeps records in memory.

    Attributes:
        records: The latest record of each run, version, row and repeat.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, Task], OutputRecord] = {}

    @property
    def records(self) -> list[OutputRecord]:
        """Every record kept, in the order in which its task was first recorded."""
        return list(self._kept.values())

    def record(self, record: OutputRecord) -> None:
        """Keep a record."""
        self._kept[record.run_id, record.task] = record
