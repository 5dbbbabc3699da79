"""Stopping a run as soon as its confidence sequence tells the versions apart.

The sequence may be looked at as often as one likes, so stopping on it is valid, unlike stopping on an ordinary
interval. Its rows are taken in the order in which the run asks them, up to the first one that is not finished: rows
that come back early are those with short answers, and would be no fair sample.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Sequence
from typing import Any

from pressmark.evals import OutputRecord, Sink, Suite
from pressmark.evals.runner import finished

_LEVEL = 0.05


class Sure:
    """A sink that passes records on, and tells whether every version is told apart from the first.

    With several candidates each has its share of the error (Bonferroni), so that all verdicts hold together.

    Args:
        sink: Where the records go.
        suite: Its primary scorer's differences count.
        versions: Digests, the baseline first; two or more.
        order: The dataset's rows in the order in which the run asks them.
        run_id: The run's; judges' records stand under others.
        repeats: Answers a row and version.
        known: Records of an earlier part of the run.

    Attributes:
        told: What the sequences said at the last look: candidate (digest), rows, mean, low, high.
    """

    def __init__(
        self,
        sink: Sink,
        suite: Suite,
        versions: Sequence[str],
        order: Sequence[int],
        *,
        run_id: str,
        repeats: int,
        known: Iterable[OutputRecord] = (),
    ) -> None:
        self._sink, self._suite = sink, suite
        self._versions, self._order, self._repeats = tuple(versions), tuple(order), repeats
        self._run_id = run_id
        self._names = {scorer.name for scorer in suite.scorers}
        self._guard = threading.Lock()
        self._scores: dict[int, dict[str, list[float | None]]] = {}
        self._next = 0
        self._pairs: dict[str, list[tuple[float, float]]] = {version: [] for version in versions[1:]}
        self.told: list[dict[str, Any]] = []
        records = list(known)
        done = finished(records, suite)
        for record in records:
            if record.task in done:
                self._note(record)

    def record(self, record: OutputRecord) -> None:
        """Keep a record."""
        self._sink.record(record)
        # An answer is recorded before its judges are asked, too; then scores of theirs are missing.
        if record.run_id == self._run_id and (record.answer is None or self._names <= record.scores.keys()):
            self._note(record)

    def __call__(self) -> bool:
        """Whether every candidate is better or worse than the baseline beyond doubt."""
        from pressmark import stats

        with self._guard:
            self._advance()
            pairs = {version: list(values) for version, values in self._pairs.items()}
        confidence = 1 - _LEVEL / len(pairs)
        scorer = self._suite.scorer()
        sequences = {
            version: stats.sequential(
                [before for before, _ in rows],
                [after for _, after in rows],
                len(self._order),
                direction=scorer.direction,
                confidence=confidence,
                bounded=scorer.kind == "score",
            )
            for version, rows in pairs.items()
        }
        self.told = [
            {"candidate": version, "rows": told.n, "mean": told.difference, "low": told.low, "high": told.high}
            for version, told in sequences.items()
            if told is not None
        ]
        return len(self.told) == len(sequences) and all(told["low"] > 0 or told["high"] < 0 for told in self.told)

    def _note(self, record: OutputRecord) -> None:
        value = record.scores.get(self._suite.primary) if record.answer is not None else None
        with self._guard:
            self._scores.setdefault(record.row, {}).setdefault(record.version, []).append(value)

    def _advance(self) -> None:
        """Take the scores of the rows that are finished, up to the first one that is not."""
        while self._next < len(self._order):
            of = self._scores.get(self._order[self._next], {})
            if any(len(of.get(version, ())) < self._repeats for version in self._versions):
                return
            means = {version: _mean(of[version]) for version in self._versions}
            before = means[self._versions[0]]
            for version, rows in self._pairs.items():
                after = means[version]
                if before is not None and after is not None:
                    rows.append((before, after))
            self._next += 1


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None
