"""Which published prompts feed which, by their newest versions."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Mapping

import sqlalchemy as sa

from pressmark.graph import DependencyGraph
from pressmark.prompts import Unit
from pressmark.registry import schema


class PublishedInputs:
    """The inputs of every prompt's newest version, kept in memory.

    Versions never change and come in order, so each look reads only what was published since the last one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seq = 0
        self._inputs: dict[str, Mapping[str, str]] = {}

    def graph(self, connection: sa.Connection) -> DependencyGraph | None:
        """Return the graph of all that is published, or None where no prompt feeds another."""
        known = self._newest(connection)
        return DependencyGraph(known) if any(known.values()) else None

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
                sa.select(table.name, table.seq, schema.units.c.body)
                .join(schema.units)
                .where(table.seq > self._seq)
                .order_by(table.seq)
            ).all()
            for row in rows:
                # The version that is just being published may yet be refused: it is not remembered.
                if row.name != besides:
                    self._inputs[row.name] = unit_of(bytes(row.body)).inputs
            self._seq = max((row.seq for row in rows if besides is None), default=self._seq)
            return dict(self._inputs)


@functools.lru_cache(maxsize=512)
def unit_of(body: bytes) -> Unit:
    """Return the unit that stored canonical bytes hold."""
    return Unit.from_dict(json.loads(body))
