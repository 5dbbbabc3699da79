"""What a report is made of: row scores and counts of a run, gathered from its records or from the workspace's file."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from pressmark.evals.records import OutputRecord

MEASURES: Final = ("cost", "latency")
# Reasons to stop that leave an answer which is not what the model would have said.
CUT: Final = ("length", "content_filter")
# What tells of the moment in which a call was made, so that only the run that made it can compare it.
TIMED: Final = frozenset({"latency"})


class Missing(NamedTuple):
    """Scores that are missing because a scorer failed.

    Attributes:
        outputs: How many outputs.
        example: The reason of one of them.
    """

    outputs: int
    example: str


class Shown(NamedTuple):
    """How a pairwise judge was shown two answers, and what it said.

    Attributes:
        order: `output first` or `reference first`.
        vote: `A` for the answer that was shown first, `B`, or `tie`.
        model: The model that judged, as the endpoint names it.
    """

    order: str
    vote: str
    model: str


class Rating(NamedTuple):
    """A person's vote between the outputs of two versions for one row.

    Attributes:
        row: The row.
        repeat: The repeat.
        left: Digest of one version.
        right: Digest of the other.
        choice: `left`, `right` or `tie`.
        rater: Who.
    """

    row: int
    repeat: int
    left: str
    right: str
    choice: str
    rater: str


@dataclass(frozen=True, slots=True)
class Figures:
    """A run in numbers. Versions are named by digest.

    Attributes:
        scores: By version and scorer, the score of each row that has one, the mean over its repeats.
        measured: By version and measure (`cost`, `latency`), likewise; latency of the answers that this run asked for,
            since one that was remembered came under another load.
        asked: By version, the rows that have an output or an error.
        errors: By version, how many outputs are errors, by kind.
        cut: By version, how many answers were cut off (`length`), held back (`content_filter`) or `empty`.
        missing: By version and scorer, the scores that failed.
        shown: By pairwise judge, how often each order met each vote.
        served: By version, how many outputs each model gave, as the endpoint names it.
        ratings: People's votes.
    """

    scores: Mapping[tuple[str, str], Mapping[int, float]]
    measured: Mapping[tuple[str, str], Mapping[int, float]] = field(default_factory=dict)
    asked: Mapping[str, Sequence[int]] = field(default_factory=dict)
    errors: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    cut: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    missing: Mapping[tuple[str, str], Missing] = field(default_factory=dict)
    shown: Mapping[str, Mapping[Shown, int]] = field(default_factory=dict)
    served: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    ratings: Sequence[Rating] = ()

    def of(self, version: str, scorer: str) -> Mapping[int, float]:
        """The scores of a version by a scorer, or by a measure that is no scorer of the suite."""
        return self.scores.get((version, scorer), {})


def gather(records: Iterable[OutputRecord], ratings: Sequence[Rating] = ()) -> Figures:
    """Gather the figures of a run's records."""
    scores: dict[tuple[str, str], dict[int, list[float]]] = {}
    measured: dict[tuple[str, str], dict[int, list[float]]] = {}
    asked: dict[str, set[int]] = {}
    errors: dict[str, Counter[str]] = {}
    cut: dict[str, Counter[str]] = {}
    missing: dict[tuple[str, str], list[str]] = {}
    shown: dict[str, Counter[Shown]] = {}
    served: dict[str, Counter[str]] = {}
    for record in records:
        version, row = record.version, record.row
        asked.setdefault(version, set()).add(row)
        for name, value in record.scores.items():
            if value is not None:
                scores.setdefault((version, name), {}).setdefault(row, []).append(value)
        for name, reason in record.score_errors.items():
            missing.setdefault((version, name), []).append(reason)
        for name, told in record.judgements.items():
            if "order" in told:
                seen = Shown(str(told["order"]), str(told.get("vote")), str(told.get("model") or ""))
                shown.setdefault(name, Counter())[seen] += 1
        if record.error is not None:
            errors.setdefault(version, Counter())[record.error.kind] += 1
        if record.answer is not None:
            served.setdefault(version, Counter())[record.answer.model] += 1
            if record.answer.finish_reason in CUT:
                cut.setdefault(version, Counter())[record.answer.finish_reason] += 1
            elif not record.answer.output:
                cut.setdefault(version, Counter())["empty"] += 1
            for measure in MEASURES:
                if record.cached and measure in TIMED:
                    continue
                if (value := getattr(record.answer, measure)) is not None:
                    measured.setdefault((version, measure), {}).setdefault(row, []).append(value)
    return Figures(
        scores=_means(scores),
        measured=_means(measured),
        asked={version: sorted(rows) for version, rows in asked.items()},
        errors=errors,
        cut=cut,
        missing={key: Missing(len(reasons), reasons[0]) for key, reasons in missing.items()},
        shown=shown,
        served=served,
        ratings=tuple(ratings),
    )


def _means(found: Mapping[tuple[str, str], Mapping[int, list[float]]]) -> dict[tuple[str, str], dict[int, float]]:
    return {
        key: {row: math.fsum(values) / len(values) for row, values in sorted(rows.items())}
        for key, rows in found.items()
    }
