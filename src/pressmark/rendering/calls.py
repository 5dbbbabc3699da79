"""Whether filters and tests are given what they take, told when a template is saved instead of when it is rendered."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

from jinja2 import nodes

from pressmark.prompts.quoting import shown
from pressmark.rendering.filters import ALLOWED, ALLOWED_TESTS

# They call a test that they are given by name, after the name of a part where they take one.
_BY_TEST = {"select": 0, "reject": 0, "selectattr": 1, "rejectattr": 1}
_ANY = object()


def call_problem(node: nodes.Filter | nodes.Test) -> str | None:
    """Say why a filter or test cannot be called so, and what to write; None where it can."""
    is_test = isinstance(node, nodes.Test)
    known: Mapping[str, Any] = ALLOWED_TESTS if is_test else ALLOWED
    if node.name not in known:
        return unknown("test" if is_test else "filter", node.name, known)
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        return f"{node.name} takes its arguments written out: write them without '*'"
    named: dict[str, nodes.Expr] = {str(pair.key): pair.value for pair in node.kwargs}
    if is_test:
        return _misfit("test", node.name, node.args, named)
    if node.name == "map":
        return _map(node.args, named)
    if node.name in _BY_TEST:
        return _selection(node.name, node.args, named)
    return _misfit("filter", node.name, node.args, named)


def unknown(what: str, name: object, known: Collection[str]) -> str:
    """Say that there is no filter or test of that name, with the ones that were likely meant."""
    import difflib

    near = difflib.get_close_matches(str(name)[:60], known, n=3, cutoff=0.5)
    instead = f"did you mean {' or '.join(near)}?" if near else "the caller can pass the text as it should be"
    return f"there is no {what} {shown(name)} here: {instead}"


def _map(args: Sequence[nodes.Expr], named: Mapping[str, nodes.Expr]) -> str | None:
    usage = "write map('upper') with the name of a filter, or map(attribute='name')"
    if not args:
        stray = [name for name in named if name not in ("attribute", "default")]
        if "attribute" not in named or stray:
            return f"map {f'takes no {stray[0]}=' if stray else 'is told neither a filter nor an attribute'}: {usage}"
        return None
    return _named_call("filter", args, named, usage)


def _selection(name: str, args: Sequence[nodes.Expr], named: Mapping[str, nodes.Expr]) -> str | None:
    first = _BY_TEST[name]
    example = f"{name}('name', 'odd')" if first else f"{name}('odd')"
    usage = f"write {example} with the name of a test"
    if len(args) < first:
        return f"{name} is not told which part to look at: {usage}"
    if len(args) == first:
        return f"{name} takes no {next(iter(named))}=: {usage}" if named else None
    return _named_call("test", args[first:], named, usage)


def _named_call(what: str, args: Sequence[nodes.Expr], named: Mapping[str, nodes.Expr], usage: str) -> str | None:
    """Check a call of a filter or test that is named by the first argument, as far as that is known."""
    called = args[0]
    if not isinstance(called, nodes.Const):
        return None
    known: Mapping[str, Any] = ALLOWED_TESTS if what == "test" else ALLOWED
    if not isinstance(called.value, str):
        return f"{shown(called.value)} is no {what}'s name: {usage}"
    if called.value not in known:
        return unknown(what, called.value, known)
    return _misfit(what, called.value, args[1:], named)


def _misfit(what: str, name: str, args: Sequence[nodes.Expr], named: Mapping[str, nodes.Expr]) -> str | None:
    signature = _signature(what, name)
    if signature is None:
        return None
    try:
        signature.bind(_ANY, *args, **named)
    except TypeError as error:
        takes = [str(part) for part in list(signature.parameters.values())[1:] if part.kind is not part.KEYWORD_ONLY]
        usage = f"{name}({', '.join(takes)})" if takes else f"{name} without arguments"
        return f"the {what} {name!r} does not take this ({error}): write {usage}"
    return None


@lru_cache(maxsize=256)
def _signature(what: str, name: str) -> inspect.Signature | None:
    """What a filter or test takes, its input first; None where it does not tell."""
    function: Callable[..., Any] = (ALLOWED_TESTS if what == "test" else ALLOWED)[name]
    try:
        found = inspect.signature(function)
    except ValueError:
        return None
    parts = [part.replace(annotation=part.empty) for part in found.parameters.values()]
    # Jinja itself gives the first of these its environment.
    given = hasattr(inspect.unwrap(function), "jinja_pass_arg")
    return found.replace(parameters=parts[given:], return_annotation=found.empty)
