"""What a template may contain: an allow-list over its syntax tree."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from jinja2 import TemplateSyntaxError, nodes

from pressmark.errors import TemplateError
from pressmark.prompts import Variable
from pressmark.prompts.names import variable_problem
from pressmark.rendering.calls import call_problem
from pressmark.rendering.environment import LOOP_ATTRIBUTES, PromptEnvironment
from pressmark.rendering.inference import inferred
from pressmark.rendering.limits import MAX_LOOP_DEPTH, MAX_NESTING, MAX_TEMPLATE
from pressmark.rendering.places import OversizeError, column_of

environment = PromptEnvironment()

_ALLOWED_NODES = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.For,
    nodes.If,
    nodes.Assign,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Neg,
    nodes.Pos,
    nodes.Add,
    nodes.Sub,
    nodes.Mul,
    nodes.Div,
    nodes.FloorDiv,
    nodes.Mod,
    nodes.Concat,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Slice,
    nodes.Filter,
    nodes.Test,
    nodes.List,
    nodes.Tuple,
    nodes.Dict,
    nodes.Pair,
    nodes.Keyword,
)
_INSTEAD: dict[type[nodes.Node], str] = {
    nodes.Pow: "'**' is not allowed: calculate before rendering",
    nodes.Macro: "macros are not allowed: repeat the text, or loop over a list",
    nodes.Include: "include is not allowed: declare the other prompt as an input",
    nodes.Import: "import is not allowed: declare the other prompt as an input",
    nodes.FromImport: "import is not allowed: declare the other prompt as an input",
    nodes.Extends: "extends is not allowed: write the whole message",
    nodes.Block: "blocks are not allowed: write the text where it belongs",
    nodes.FilterBlock: "filter blocks are not allowed: put the filter on the expression",
    nodes.AssignBlock: "set blocks are not allowed: use {% set name = expression %}",
    nodes.CallBlock: "call blocks are not allowed: write the text where it belongs",
    nodes.With: "with blocks are not allowed: use {% set name = expression %}",
    nodes.Scope: "autoescape blocks are not allowed: a prompt is not HTML, drop them",
}
# The filter that does what a method of the same purpose does in Python.
_FILTER_FOR = {"strip": "trim", "lstrip": "trim", "rstrip": "trim", "dumps": "tojson", "get": "default"} | {
    name: name for name in ("items", "lower", "upper", "title", "capitalize", "replace", "join", "count", "sort")
}
# A sentence may quote a name out of the template, and that may be very long.
_LONGEST = 500
_ENDS = re.compile(r"Jinja was looking for the following tags: (.*?)\. The innermost block .*? is ('\w+')")


@dataclass(slots=True)
class Reading:
    """What was read in a template.

    Attributes:
        tree: The checked syntax tree.
        size: The number of nodes in it.
        variables: The variables that it uses, with the types and defaults that its use suggests.
    """

    tree: nodes.Template
    size: int = 0
    variables: dict[str, Variable] = field(default_factory=dict)


def read_template(source: str, where: str = "template") -> Reading:
    """Parse a template, check it against the allow-list and find its variables.

    Args:
        source: Jinja2 text.
        where: The part of the unit that holds it; errors name it.

    Raises:
        TemplateError: It does not parse or uses what is not allowed; with line and column.
    """
    if len(source) > MAX_TEMPLATE:
        raise TemplateError(
            f"{where} has {len(source):,} characters; a template may have {MAX_TEMPLATE:,}: move text into a variable",
            field=where,
            where=where,
        )
    try:
        tree = environment.parse(source)
        allow_list = _AllowList(where)
        allow_list.check(tree)
        variables = inferred(tree)
        _check_defined(tree, variables, where)
    except OversizeError as error:
        raise _refusal(error.message or "", int(error.lineno), column_of(error.lineno), where) from None
    except TemplateSyntaxError as error:
        said = _told(error.message or "this is not Jinja2")
        raise _refusal(said, int(error.lineno), column_of(error.lineno), where) from None
    except RecursionError:
        raise TemplateError(
            f"{where} is nested too deeply: simplify its expressions and blocks", field=where, where=where
        ) from None
    return Reading(tree, allow_list.size, variables)


def _check_defined(tree: nodes.Template, variables: dict[str, Variable], where: str) -> None:
    for test in tree.find_all(nodes.Test):
        if test.name in ("defined", "undefined") and isinstance(test.node, nodes.Name) and test.node.name in variables:
            name = test.node.name
            said = f"{name!r} is declared, so it is always defined: give it a default and test {{% if {name} %}}"
            raise _refusal(said, int(test.lineno), column_of(test.lineno), where)


def _refusal(said: str, line: int, column: int, where: str) -> TemplateError:
    said = said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…"
    return TemplateError(
        f"{where}, line {line}, column {column}: {said}", field=where, where=where, line=line, column=column
    )


def _told(message: str) -> str:
    """Say a parser's message in our words, with what to do."""
    if ends := _ENDS.search(message):
        return f"{ends[2]} is not closed here: write {ends[1]}"
    message = re.sub(r" at \d+$", "", message).rstrip(".")
    message = re.sub(r"'([^']{59})[^']+'", r"'\1…'", message[:1].lower() + message[1:])
    if message.startswith(("unexpected end of template", "missing end of")):
        return f"{message}: close the tag or block that was opened"
    return f"{message}: correct it, or put literal braces in {{% raw %}}…{{% endraw %}}"


class _AllowList:
    """Walks over a tree and refuses the first node that a prompt may not have."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.size = 0

    def check(self, node: nodes.Node, depth: int = 0, loops: int = 0, line: int = 1) -> None:
        self.size += 1
        # Some nodes, such as the one around an autoescape block, do not know where they stand, but their parts do.
        places = (part.lineno for part in (node, *node.iter_child_nodes()))
        line = next((place for place in places if place is not None), line)
        loops += isinstance(node, nodes.For)
        said = _refused(node)
        if not said and isinstance(node, nodes.Name) and (loops == 0 or node.name != "loop" or node.ctx != "load"):
            # A loop may throw a part of its items away by the usual name for that.
            said = variable_problem(node.name) if node.name != "_" else None
        if not said and loops > MAX_LOOP_DEPTH:
            said = f"loops may stand {MAX_LOOP_DEPTH} deep at most: give the template a flatter list"
        if not said and depth > MAX_NESTING:
            said = f"this is nested over {MAX_NESTING} deep: simplify it"
        if said:
            raise _refusal(said, int(line), column_of(line), self.where)
        for child in node.iter_child_nodes():
            if loops and isinstance(child, nodes.Name) and child.name == "loop" and child.ctx == "load":
                self._check_loop(node, child, line)
            self.check(child, depth + 1, loops, line)

    def _check_loop(self, user: nodes.Node, loop: nodes.Name, line: int) -> None:
        """Refuse what uses a loop's `loop` otherwise than by one of its parts: it is no text and no value."""
        if isinstance(user, nodes.Getattr) and user.attr in LOOP_ATTRIBUTES:
            return
        raise _refusal(
            "loop is used by its parts: write one of loop." + ", loop.".join(sorted(LOOP_ATTRIBUTES)),
            int(loop.lineno or line),
            column_of(loop.lineno or line),
            self.where,
        )


def _refused(node: nodes.Node) -> str | None:
    """Say why a node is refused, and what to write instead; None where it is allowed."""
    if isinstance(node, nodes.Call):
        return _call(node)
    if not isinstance(node, _ALLOWED_NODES):
        return _INSTEAD.get(type(node), f"{type(node).__name__.lower()} is not allowed in a prompt: write it without")
    if isinstance(node, nodes.Filter | nodes.Test):
        return call_problem(node)
    if isinstance(node, nodes.Concat) and len(node.nodes) > MAX_NESTING:
        return f"'~' joins {MAX_NESTING} parts at most, and here are {len(node.nodes):,}: write the text out"
    if isinstance(node, nodes.Const):
        return _constant(node.value)
    if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        return f"parts that start with '_' are read by their key: write [{node.attr!r}]"
    if isinstance(node, nodes.Assign) and not isinstance(node.target, nodes.Name):
        return "set takes one name: {% set name = expression %}"
    if isinstance(node, nodes.For) and node.recursive:
        return "recursive loops are not allowed: flatten the list before rendering"
    if isinstance(node, nodes.Compare) and len(node.ops) > 1:
        return "compare two values at a time, such as a < b and b < c"
    if isinstance(node, nodes.Pair) and not (isinstance(node.key, nodes.Const) and isinstance(node.key.value, str)):
        return "the keys of an object are written as text, such as {'name': value}"
    if isinstance(node, nodes.Mul | nodes.Mod | nodes.Sub | nodes.Div | nodes.FloorDiv):
        return _arithmetic(node)
    return None


def _call(node: nodes.Call) -> str:
    method = node.node.attr if isinstance(node.node, nodes.Getattr) else ""
    instead = _FILTER_FOR.get(method)
    if method:
        return f"calls such as .{method}() are not allowed: use " + (
            f"| {instead}" if instead else "a filter, or a variable"
        )
    called = f" such as {node.node.name}()" if isinstance(node.node, nodes.Name) else ""
    return f"calls{called} are not allowed: let the caller pass the value as a variable"


def _constant(value: object) -> str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return "this number is too large to be one: write a smaller one"
    if isinstance(value, str) and not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        return "this text holds half of a character: write the whole character instead of its code"
    return None


def _arithmetic(node: nodes.BinExpr) -> str | None:
    for side in (node.left, node.right):
        if isinstance(side, nodes.Concat | nodes.List | nodes.Tuple | nodes.Dict) or (
            isinstance(side, nodes.Const) and isinstance(side.value, str)
        ):
            return f"'{node.operator}' works on numbers only: write the text out, or join texts with ~"
    return None
