"""What every scorer is: a named function from an output to a number, with a description that others can run."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, Literal

from pressmark.errors import PressmarkError, SuiteError
from pressmark.evals.answer import Answer
from pressmark.prompts import FrozenDict, thaw

Direction = Literal["higher", "lower"]
Kind = Literal["score", "measurement"]


class ScoringError(PressmarkError):
    """An output that a scorer could not score; it becomes a score error of its row, never a zero."""


@dataclass(frozen=True, slots=True)
class ScoringInput:
    """What a scorer may look at.

    Attributes:
        output: The answer's text.
        row: The dataset's row.
        answer: The whole answer, with tokens, cost and latency.
        request: The rendered request that it answers.
        number: The row's number, from 0.
        repeat: The repeat, from 0.
        baseline: The output of the run's first version for this row and repeat, where a scorer needs it.
    """

    output: str
    row: Mapping[str, Any]
    answer: Answer
    request: Mapping[str, Any]
    number: int = 0
    repeat: int = 0
    baseline: str | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A judge's score, with what it was shown and what it said."""

    score: float
    details: FrozenDict


class Scorer(ABC):
    """Turns an output into a score in [0, 1] or a measurement.

    A scorer is a frozen dataclass: its fields are its description. `spec()` holds those that differ from their
    defaults, so a field that is added later changes no suite's digest.

    Attributes:
        type: What the description calls it.
        name: Its name in the suite; the columns of results are called so.
        kind: A score lies in [0, 1]; a measurement is any number, with a unit.
        direction: Which way is better.
        unit: Of a measurement, such as `s` or `USD`.
    """

    type: ClassVar[str]
    name: str
    kind: Kind = "score"
    direction: Direction = "higher"
    unit: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the dataset that it reads."""
        return ()

    @property
    def expects(self) -> tuple[str, ...]:
        """Those of its columns that tell what a good answer is; who rates outputs must not see them."""
        return self.columns

    @property
    def why_not_publishable(self) -> str | None:
        """Why others could not run it, or None."""
        return None

    def spec(self) -> dict[str, Any]:
        """Return the JSON description, from which `pressmark.evals.scorers.from_spec` makes an equal scorer."""
        told: dict[str, Any] = {"type": self.type}
        for part in fields(self):  # type: ignore[arg-type]  # every scorer is a dataclass
            value = getattr(self, part.name)
            default = part.default if part.default is not MISSING else None
            if part.init and value != default:
                told[part.name] = thaw(value)
        return told


class DirectScorer(Scorer):
    """A scorer that needs no model."""

    @abstractmethod
    def score(self, given: ScoringInput) -> float | bool | None:
        """Score an output.

        Returns:
            The score; None where the scorer does not apply to this answer.

        Raises:
            ScoringError: The output cannot be scored.
        """


class AskingScorer(Scorer):
    """A judge: a scorer that asks a model. The runner does the asking, with its retries, cache and journal."""

    @property
    def needs_baseline(self) -> bool:
        """Whether it holds each output against that of the run's first version, which has then no score itself."""
        return False

    @abstractmethod
    def request(self, given: ScoringInput) -> dict[str, Any]:
        """Return the request for the judge model.

        Raises:
            ScoringError: The row lacks what the judge must see.
        """

    @abstractmethod
    def read(self, given: ScoringInput, answer: Answer) -> Judgement:
        """Read the judge's answer.

        Raises:
            ScoringError: It is none of the answers that were asked for.
        """


def expected(given: ScoringInput, column: str) -> Any:
    """Return the row's value in a column.

    Raises:
        ScoringError: The row has none.
    """
    value = given.row.get(column)
    if value is None:
        raise ScoringError(f"row {given.number} has nothing in column {column!r} to compare with: fill it")
    return value


def text(value: Any) -> str:
    """How a value is written in an output: text as it is, anything else as JSON."""
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def name_after(scorer: Scorer, name: str | None) -> None:
    """Give a frozen scorer that has no name the one that follows from its other fields."""
    if not scorer.name:
        object.__setattr__(scorer, "name", name)


def check_fields(scorer: Scorer, *columns: str | None) -> None:
    """Refuse a scorer whose columns are not column names.

    Raises:
        SuiteError: One is not text.
    """
    for column in columns:
        if column is not None and (not isinstance(column, str) or not column):
            raise SuiteError(f"{type(scorer).__name__} takes the name of a column, such as 'category', not {column!r}")
