"""Rewriting a checked tree so that whatever could grow spends from the rendering's budget.

Jinja evaluates loops, `~`, comparisons, slices and written lists without asking anybody; each is replaced by an
internal filter that counts. A template cannot name these filters: the check has been done before.
"""

# ruff: noqa: N802 - Jinja's visitor finds its methods by the names of the nodes

from __future__ import annotations

from typing import cast

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from pressmark.rendering.environment import PromptEnvironment
from pressmark.rendering.filters import BUILT, COMPARE, CONCAT, LOOP, SLICE


def bound(tree: nodes.Template, environment: PromptEnvironment) -> None:
    """Rewrite the tree in place."""
    _Bounds(environment).visit(tree)


class _Bounds(NodeTransformer):
    def __init__(self, environment: PromptEnvironment) -> None:
        self.environment = environment

    def visit_For(self, node: nodes.For) -> nodes.Node:
        size = sum(map(_size, node.body)) + (_size(node.test) if node.test else 0) + 1
        self.generic_visit(node)
        node.iter = self._filter(node.iter, LOOP, nodes.Const(size))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return self._filter(nodes.List(node.nodes, lineno=node.lineno, environment=self.environment), CONCAT)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        self.generic_visit(node)
        (operand,) = node.ops
        return self._filter(node.expr, COMPARE, nodes.Const(operand.op), operand.expr)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:
        self.generic_visit(node)
        if not isinstance(node.arg, nodes.Slice):
            return node
        bounds = (node.arg.start, node.arg.stop, node.arg.step)
        return self._filter(node.node, SLICE, *(bound or nodes.Const(None) for bound in bounds))

    def visit_List(self, node: nodes.List) -> nodes.Node:
        return self._built(node, node.items)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:
        return self._built(node, [pair.value for pair in node.items])

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:
        return node if node.ctx == "store" else self._built(node, node.items)

    def _built(self, node: nodes.Expr, items: list[nodes.Expr]) -> nodes.Node:
        if all(isinstance(item, nodes.Const) for item in items):
            return node
        self.generic_visit(node)
        return self._filter(node, BUILT)

    def _filter(self, node: nodes.Node, name: str, *args: nodes.Expr) -> nodes.Filter:
        for arg in args:
            arg.environment = self.environment
        return nodes.Filter(
            cast(nodes.Expr, node), name, list(args), [], None, None, lineno=node.lineno, environment=self.environment
        )


def _size(node: nodes.Node) -> int:
    """The number of nodes that one pass goes through; a loop inside spends for its own."""
    if isinstance(node, nodes.For):
        return 1 + _size(node.iter)
    return 1 + sum(_size(child) for child in node.iter_child_nodes())
