"""What a template may contain: an allow-list over its syntax tree, and what it says of its variables."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, cast

from jinja2 import TemplateSyntaxError, meta, nodes

from pressmark.errors import TemplateError
from pressmark.prompts import MISSING, Variable, freeze
from pressmark.rendering.environment import PromptEnvironment
from pressmark.rendering.filters import ALLOWED, ALLOWED_TESTS, CONCAT, LOOP
from pressmark.rendering.limits import MAX_LOOP_DEPTH, MAX_TEMPLATE

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
    nodes.Call: "calls such as text.strip() are not allowed: use a filter, such as text | trim",
    nodes.Pow: "'**' is not allowed",
    nodes.Macro: "macros are not allowed: repeat the text, or loop over a list",
    nodes.Include: "include is not allowed: declare the other prompt as an input",
    nodes.Import: "import is not allowed: declare the other prompt as an input",
    nodes.FromImport: "import is not allowed: declare the other prompt as an input",
    nodes.Extends: "extends is not allowed: write the whole message",
    nodes.Block: "blocks are not allowed: write the text where it belongs",
    nodes.FilterBlock: "filter blocks are not allowed: put the filter on the expression",
    nodes.AssignBlock: "set blocks are not allowed: use {% set name = expression %}",
    nodes.CallBlock: "call blocks are not allowed",
}


@dataclass(slots=True)
class Reading:
    """What was read in a template.

    Attributes:
        tree: The checked syntax tree, with loops and `~` bounded, ready to compile.
        variables: The variables that it uses, with the types and defaults that its use suggests.
    """

    tree: nodes.Template
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
        _check(tree, where, 0)
        used = sorted(meta.find_undeclared_variables(tree))
        variables = {name: _guess(tree, name) for name in used}
        _bound(tree)
    except TemplateSyntaxError as error:
        column = getattr(error.lineno, "column", 1)
        raise _refusal(_told(error.message or "bad syntax"), int(error.lineno), column, where) from None
    except RecursionError:
        raise TemplateError(f"{where} is nested too deeply: simplify it", field=where, where=where) from None
    return Reading(tree, variables)


def _refusal(said: str, line: int, column: int, where: str) -> TemplateError:
    return TemplateError(
        f"{where}, line {line}, column {column}: {said}", field=where, where=where, line=line, column=column
    )


def _told(message: str) -> str:
    message = re.sub(r" at \d+$", "", message).rstrip(".")
    if "unexpected end of template" in message.lower() or "unexpected end of" in message.lower():
        return f"{message}: close the tag or block that was opened"
    return f"{message}: correct it, or put literal braces in {{% raw %}}…{{% endraw %}}"


def _check(node: nodes.Node, where: str, depth: int) -> None:
    said = None
    if not isinstance(node, _ALLOWED_NODES):
        said = _INSTEAD.get(type(node), f"{type(node).__name__.lower()} is not allowed in a prompt")
    elif isinstance(node, nodes.Filter) and (node.node is None or node.name not in ALLOWED):
        said = f"there is no filter {node.name!r} here; there are: {', '.join(sorted(ALLOWED))}"
    elif isinstance(node, nodes.Test) and node.name not in ALLOWED_TESTS:
        said = f"there is no test {node.name!r} here; there are: {', '.join(sorted(ALLOWED_TESTS))}"
    elif isinstance(node, nodes.Name) and node.name.startswith("_"):
        said = f"{node.name!r}: names that start with '_' are not allowed: rename it"
    elif isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        said = f"{node.attr!r}: parts that start with '_' are not allowed"
    elif isinstance(node, nodes.Assign) and not isinstance(node.target, nodes.Name):
        said = "set takes one name: {% set name = expression %}"
    elif isinstance(node, nodes.For):
        depth += 1
        if node.recursive:
            said = "recursive loops are not allowed"
        elif depth > MAX_LOOP_DEPTH:
            said = f"loops may stand {MAX_LOOP_DEPTH} deep at most"
    if said:
        raise _refusal(said, int(node.lineno), getattr(node.lineno, "column", 1), where)
    for child in node.iter_child_nodes():
        _check(child, where, depth)


def _bound(tree: nodes.Template) -> None:
    """Send each loop's list and each `~` through a filter that counts."""
    for loop in tree.find_all(nodes.For):
        loop.iter = _filtered(cast(nodes.Expr, loop.iter), LOOP)
    _replace_concats(tree)


def _replace_concats(node: nodes.Node) -> None:
    for name, value in node.iter_fields():
        if isinstance(value, nodes.Concat):
            setattr(node, name, _filtered(nodes.List(value.nodes, lineno=value.lineno), CONCAT))
        elif isinstance(value, list):
            value[:] = [
                _filtered(nodes.List(item.nodes, lineno=item.lineno), CONCAT)
                if isinstance(item, nodes.Concat)
                else item
                for item in value
            ]
    for child in node.iter_child_nodes():
        _replace_concats(child)


def _filtered(node: nodes.Expr, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno, environment=environment)


def _guess(tree: nodes.Template, name: str) -> Variable:
    """Say what the template's use of a variable suggests: a list where it is looped over, and so on."""
    kind: str = "any"
    default: Any = MISSING
    for loop in tree.find_all(nodes.For):
        root, filters = _root(loop.iter)
        if root == name:
            kind = "object" if filters & {"items", "dictsort"} else "list"
    if kind == "any":
        named = any(_is(part.node, name) for part in tree.find_all(nodes.Getattr))
        keyed = any(_is(part.node, name) and _text_key(part) for part in tree.find_all(nodes.Getitem))
        kind = "object" if named or keyed else "any"
    for use in tree.find_all(nodes.Filter):
        if use.name in ("default", "d") and _is(use.node, name):
            first = use.args[0] if use.args else None
            default = freeze(first.value) if isinstance(first, nodes.Const) else ""
    return Variable(name, kind if default is MISSING else "any", default)


def _is(node: nodes.Node | None, name: str) -> bool:
    return isinstance(node, nodes.Name) and node.name == name


def _text_key(part: nodes.Getitem) -> bool:
    return isinstance(part.arg, nodes.Const) and isinstance(part.arg.value, str)


def _root(node: nodes.Node | None) -> tuple[str | None, set[str]]:
    """The variable directly looped over, with the filters on the way; None where the list is a part of it."""
    filters: set[str] = set()
    while isinstance(node, nodes.Filter):
        filters.add(node.name)
        node = node.node
    return (node.name if isinstance(node, nodes.Name) else None), filters
