"""The dependency graph over inputs."""

from __future__ import annotations

import graphlib
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pressmark.errors import GraphCycleError, InvalidNameError, InvalidUnitError
from pressmark.graph import DependencyGraph

CHAIN = {
    "extract": {},
    "summarise": {"facts": "extract@production"},
    "triage": {"summary": "summarise@production", "facts": "extract@staging"},
    "answer": {"category": "triage@production"},
    "alone": {},
}


def test_upstream_and_downstream() -> None:
    """Everything that a prompt depends on, and everything that depends on it, in the order in which they run."""
    graph = DependencyGraph(CHAIN)
    assert graph.upstream("answer") == ("extract", "summarise", "triage")
    assert graph.downstream("extract") == ("summarise", "triage", "answer")
    assert graph.upstream("extract") == graph.downstream("answer") == ()
    assert graph.upstream("alone") == graph.downstream("alone") == ()
    assert graph.upstream("unknown") == graph.downstream("unknown") == ()


def test_affected() -> None:
    """The prompts themselves with everything downstream, each once, unknown ones last."""
    graph = DependencyGraph(CHAIN)
    assert graph.affected(["triage"]) == ("triage", "answer")
    assert graph.affected(["triage", "summarise", "alone"]) == ("alone", "summarise", "triage", "answer")
    assert graph.affected(["zzz", "triage"]) == ("triage", "answer", "zzz")
    assert graph.affected([]) == ()
    assert graph.affected(iter(["answer"])) == ("answer",)


def test_an_input_that_nobody_published() -> None:
    """A prompt that is only named as an input is upstream all the same."""
    graph = DependencyGraph({"a": {"x": "elsewhere@production"}})
    assert graph.upstream("a") == ("elsewhere",)
    assert graph.downstream("elsewhere") == ("a",)


@pytest.mark.parametrize(
    ("inputs", "cycle"),
    [
        ({"a": {"x": "a@production"}}, ("a", "a")),
        ({"a": {"x": "b@production"}, "b": {"x": "a@production"}}, ("a", "b", "a")),
        ({"c": {"x": "b@p"}, "b": {"x": "a@p"}, "a": {"x": "c@p"}, "z": {"x": "a@p"}}, ("a", "b", "c", "a")),
        ({"a": {"x": "b@staging"}, "b": {"x": "a@production"}}, ("a", "b", "a")),
    ],
)
def test_a_cycle_is_named(inputs: dict[str, dict[str, str]], cycle: tuple[str, ...]) -> None:
    """Prompts that feed each other are refused; the circle is told from its first name, the way the outputs go."""
    for order in itertools.permutations(inputs):
        with pytest.raises(GraphCycleError) as caught:
            DependencyGraph({name: inputs[name] for name in order})
        assert caught.value.cycle == cycle
        assert str(caught.value) == (
            f"prompts feed each other in a circle: {' → '.join(cycle)}: drop one of these inputs"
        )


def test_malformed_inputs() -> None:
    """An input that names no prompt and label is refused."""
    with pytest.raises(InvalidUnitError):
        DependencyGraph({"a": {"x": "b"}})
    with pytest.raises(InvalidNameError):
        DependencyGraph({"a": {"x": "B@production"}})


NAMES = [f"p{number}" for number in range(8)]
EDGES = st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=16)


@settings(derandomize=True, deadline=None)
@given(EDGES)
def test_against_python(edges: set[tuple[str, str]]) -> None:
    """Cycles, reach and order agree with Python's own topological sort, whatever the graph."""
    inputs = {name: {f"v{up}": f"{up}@production" for up, down in edges if down == name} for name in NAMES}
    sorter = graphlib.TopologicalSorter({name: {up for up, down in edges if down == name} for name in NAMES})
    try:
        sorter.prepare()
    except graphlib.CycleError:
        with pytest.raises(GraphCycleError) as caught:
            DependencyGraph(inputs)
        cycle = caught.value.cycle
        assert cycle[0] == cycle[-1] == min(cycle)
        assert set(itertools.pairwise(cycle)) <= edges
        return
    graph = DependencyGraph(inputs)
    for name in NAMES:
        reached: set[str] = set()
        while more := {down for up, down in edges if up in reached | {name}} - reached:
            reached |= more
        found = graph.downstream(name)
        assert set(found) == reached
        assert all(found.index(up) < found.index(down) for up, down in edges if {up, down} <= reached)
        assert {up for up in NAMES if name in graph.downstream(up)} == set(graph.upstream(name))
        assert graph.affected([name]) == (name, *found)


def test_the_same_graph_is_told_the_same_way() -> None:
    """The order of what is given does not show in the answers."""
    wide = {f"n{number:02}": {"x": "root@production"} for number in range(20)}
    answers = {DependencyGraph(dict(order)).downstream("root") for order in (wide.items(), reversed(wide.items()))}
    assert answers == {tuple(sorted(wide))}
