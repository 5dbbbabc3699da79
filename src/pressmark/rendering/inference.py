"""What a template's use of its variables says about them: their names, likely types and defaults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from jinja2 import nodes
from jinja2.meta import TrackingCodeGenerator

from pressmark.prompts import MISSING, Variable, freeze


@dataclass(slots=True)
class _Use:
    """How a template uses one name.

    Attributes:
        types: The types that its uses ask for.
        defaults: What `| default(…)` gives, where it stands on the name.
        plain: The number of uses without a default.
    """

    types: set[str] = field(default_factory=set)
    defaults: list[Any] = field(default_factory=list)
    plain: int = 0

    def variable(self, name: str) -> Variable:
        """Return the variable that these uses suggest."""
        first = self.defaults[0] if self.defaults else MISSING
        # A default holds for the whole prompt, so it is one only where every use of the variable names the same.
        if not self.plain and first is not MISSING and all(_same(first, other) for other in self.defaults):
            return Variable(name, "any", first)
        return Variable(name, next((kind for kind in ("object", "list") if kind in self.types), "any"))


def inferred(tree: nodes.Template) -> dict[str, Variable]:
    """Return the variables that a template uses, in the order of their names."""
    uses: dict[str, _Use] = {}
    _collect(tree, uses)
    return {name: uses.get(name, _Use()).variable(name) for name in sorted(_undeclared(tree))}


def _undeclared(tree: nodes.Template) -> set[str]:
    """The names that the template takes from outside, by Jinja's own rules of scope."""
    assert tree.environment is not None
    generator = TrackingCodeGenerator(tree.environment)
    # `meta.find_undeclared_variables` would calculate constants first, in a time that grows with the square of depth.
    generator.optimizer = None
    generator.visit(tree)
    return generator.undeclared_identifiers


def _collect(node: nodes.Node, uses: dict[str, _Use]) -> None:
    if isinstance(node, nodes.Name):
        uses.setdefault(node.name, _Use()).plain += node.ctx == "load"
    for name, kind in _asked(node):
        uses.setdefault(name, _Use()).types.add(kind)
    defaulted = isinstance(node, nodes.Filter) and node.name in ("default", "d") and isinstance(node.node, nodes.Name)
    if isinstance(node, nodes.Filter) and isinstance(node.node, nodes.Name) and defaulted:
        uses.setdefault(node.node.name, _Use()).defaults.append(_default(node))
    for child in node.iter_child_nodes():
        if not (defaulted and isinstance(node, nodes.Filter) and child is node.node):
            _collect(child, uses)


def _asked(node: nodes.Node) -> Iterator[tuple[str, str]]:
    """Yield names with the type that the node asks of them."""
    if isinstance(node, nodes.For):
        root, filters = _root(node.iter)
        if root:
            yield root, "object" if filters & {"items", "dictsort"} else "list"
    named = isinstance(node, nodes.Getattr) or (isinstance(node, nodes.Getitem) and _is_text(node.arg))
    if isinstance(node, nodes.Getattr | nodes.Getitem) and named and isinstance(node.node, nodes.Name):
        yield node.node.name, "object"


def _root(node: nodes.Node | None) -> tuple[str | None, set[str]]:
    """The variable directly looped over, with the filters on the way; None where the list is a part of it."""
    filters: set[str] = set()
    while isinstance(node, nodes.Filter):
        filters.add(node.name)
        node = node.node
    return (node.name if isinstance(node, nodes.Name) else None), filters


def _default(node: nodes.Filter) -> Any:
    if not node.args:
        return ""
    first = node.args[0]
    return freeze(first.value) if isinstance(first, nodes.Const) else MISSING


def _is_text(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Const) and isinstance(node.value, str)


def _same(one: Any, other: Any) -> bool:
    # True equals 1 in Python, but they are two defaults.
    return type(one) is type(other) and bool(one == other)
