# ruff: noqa: D102  # what a scorer's methods promise stands in `base`
"""Measurements that come with the answer: what it cost and how long it took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pressmark.evals.scorers.base import Direction, DirectScorer, Kind, ScoringInput


@dataclass(frozen=True)
class Cost(DirectScorer):
    """US dollars an answer; does not apply where the price is not known.

    Args:
        name: The scorer's name.
    """

    type: ClassVar[str] = "cost"
    kind: ClassVar[Kind] = "measurement"  # type: ignore[misc]  # fixed for this scorer
    direction: ClassVar[Direction] = "lower"  # type: ignore[misc]
    unit: ClassVar[str] = "USD"  # type: ignore[misc]
    name: str = "cost"

    def score(self, given: ScoringInput) -> float | None:
        return given.answer.cost


@dataclass(frozen=True)
class Latency(DirectScorer):
    """Seconds an answer took; a cached one keeps those of its first asking.

    Args:
        name: The scorer's name.
    """

    type: ClassVar[str] = "latency"
    kind: ClassVar[Kind] = "measurement"  # type: ignore[misc]  # fixed for this scorer
    direction: ClassVar[Direction] = "lower"  # type: ignore[misc]
    unit: ClassVar[str] = "s"  # type: ignore[misc]
    name: str = "latency"

    def score(self, given: ScoringInput) -> float:
        return given.answer.latency
