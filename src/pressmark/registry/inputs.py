"""Which published prompts feed which: by their newest versions, and by where labels stand."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Mapping

import sqlalchemy as sa

from pressmark.graph import DependencyGraph
from pressmark.prompts import LATEST, Unit
from pressmark.registry import schema


class PublishedInputs:
    """The inputs of every prompt's newest version, kept in memory.

    Versions never change and come in order, so each look reads only what was published since the last one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seq = 0
        self._inputs: dict[str, Mapping[str, str]] = {}
        self._feeding: dict[str, frozenset[str]] = {}

    def standing(
        self, connection: sa.Connection, label: str, moved: Mapping[tuple[str, str], str]
    ) -> StandingGraph | None:
        """Return which prompts a change of this label reaches, or None where no prompt feeds another.

        Args:
            connection: A moment of the store.
            label: The label that is to be moved.
            moved: Digests of what labels point to after earlier steps of the same move, by name and label.
        """
        self._newest(connection)
        if not self._feeding:
            return None
        table = schema.labels.c
        rows = connection.execute(sa.select(table.name, table.label, table.digest))
        held = {(row.name, row.label): row.digest for row in rows} | dict(moved)
        return StandingGraph(label, {key: self._feeding.get(digest, frozenset()) for key, digest in held.items()})

    def demand_no_cycle(self, connection: sa.Connection, name: str, unit: Unit) -> None:
        """Refuse a unit whose inputs lead back to itself.

        Raises:
            GraphCycleError: Naming the circle.
        """
        DependencyGraph({**self._newest(connection, besides=name), name: unit.inputs})

    def _newest(self, connection: sa.Connection, besides: str | None = None) -> dict[str, Mapping[str, str]]:
        with self._lock:
            table = schema.versions.c
            rows = connection.execute(
                sa.select(table.name, table.seq, table.digest, schema.units.c.body)
                .join(schema.units)
                .where(table.seq > self._seq)
                .order_by(table.seq)
            ).all()
            for row in rows:
                inputs = unit_of(bytes(row.body)).inputs
                if inputs:  # by digest, so it holds of a version that is refused, too
                    self._feeding[row.digest] = frozenset(inputs.values())
                # The version that is just being published may yet be refused: it is not remembered.
                if row.name != besides:
                    self._inputs[row.name] = inputs
            self._seq = max((row.seq for row in rows if besides is None), default=self._seq)
            return dict(self._inputs)


class StandingGraph:
    """Which prompts a change of one label reaches.

    A prompt stands at the same label, or where it has no such label at its newest version, and its inputs lead where
    they say: who feeds on another label of the changed prompt is not reached.

    Args:
        label: The label that is to be moved.
        inputs: For each name and label, what the version there takes, as `prompt@label`.
    """

    def __init__(self, label: str, inputs: Mapping[tuple[str, str], frozenset[str]]) -> None:
        self._label = label
        self._takes = {f"{name}@{at}": taken for (name, at), taken in inputs.items() if taken}
        names = {name for name, _ in inputs}
        standing = {name: inputs.get((name, label), inputs.get((name, LATEST), frozenset())) for name in names}
        self._standing = {name: taken for name, taken in standing.items() if taken}

    def downstream(self, name: str) -> tuple[str, ...]:
        """Every prompt whose chain a move of the label on `name` changes, the nearest first."""
        changed = {f"{name}@{self._label}"}
        found: dict[str, None] = {}
        while changed:
            reached = sorted(each for each, taken in self._standing.items() if taken & changed)
            found |= dict.fromkeys(each for each in reached if each != name)
            seen = changed | {each for each, taken in self._takes.items() if taken & changed}
            if seen == changed:
                break
            changed = seen
        return tuple(found)


@functools.lru_cache(maxsize=512)
def unit_of(body: bytes) -> Unit:
    """Return the unit that stored canonical bytes hold."""
    return Unit.from_dict(json.loads(body))
