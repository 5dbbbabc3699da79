"""The dependency graph over `inputs`: which prompts feed which.

An edge runs from the prompt that gives its output to the prompt that takes it. Pure: values in, values out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pressmark.errors import GraphCycleError
from pressmark.prompts import parse_input

if TYPE_CHECKING:
    import networkx as nx


class DependencyGraph:
    """Prompts and the inputs between them.

    Args:
        inputs: For each prompt, its variables that are another prompt's output, as `prompt@label`.

    Raises:
        GraphCycleError: Prompts feed each other in a circle; the message names it.
    """

    def __init__(self, inputs: Mapping[str, Mapping[str, str]]) -> None:
        import networkx as nx

        self._graph: nx.DiGraph[str] = nx.DiGraph()
        self._graph.add_nodes_from(sorted(inputs))
        for name in sorted(inputs):
            for reference in inputs[name].values():
                self._graph.add_edge(parse_input(reference)[0], name)
        try:
            circle = [edge[0] for edge in nx.find_cycle(self._graph)]
        except nx.NetworkXNoCycle:
            return
        # The same circle is told the same way, wherever the search happened to enter it.
        first = circle.index(min(circle))
        path = (*circle[first:], *circle[:first], circle[first])
        raise GraphCycleError(
            f"prompts feed each other in a circle: {' → '.join(path)}: drop one of these inputs", cycle=path
        )

    def upstream(self, name: str) -> tuple[str, ...]:
        """Every prompt that `name` depends on, directly or not, in the order in which they must run."""
        import networkx as nx

        return self._ordered(nx.ancestors(self._graph, name) if name in self._graph else ())

    def downstream(self, name: str) -> tuple[str, ...]:
        """Every prompt that depends on `name`, directly or not, in the order in which they would run."""
        import networkx as nx

        return self._ordered(nx.descendants(self._graph, name) if name in self._graph else ())

    def affected(self, names: Iterable[str]) -> tuple[str, ...]:
        """The prompts themselves and everything downstream of any of them, in the order in which they would run."""
        import networkx as nx

        wanted = set(names)
        return self._ordered(wanted.union(*(nx.descendants(self._graph, name) for name in wanted & set(self._graph))))

    def _ordered(self, names: Iterable[str]) -> tuple[str, ...]:
        import networkx as nx

        wanted = set(names)
        ordered = [name for name in nx.lexicographical_topological_sort(self._graph) if name in wanted]
        return (*ordered, *sorted(wanted - set(ordered)))
