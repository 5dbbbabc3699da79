"""The tree of errors."""

from __future__ import annotations

import ast
import copy
import inspect
import pickle
import re

import pytest

from pressmark import errors

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == "pressmark.errors"]


def test_the_tree_at_the_top_names_every_error() -> None:
    """The drawing in the module's docstring names each class once, and no other."""
    drawn = re.findall(r"\b\w+Error\b", (errors.__doc__ or "").partition("::")[2])
    assert sorted(drawn) == sorted(kind.__name__ for kind in KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error(kind: type[errors.PressmarkError]) -> None:
    """Each error ends in Error, is documented, belongs to the tree, and keeps its facts over copying and pickling."""
    assert kind.__name__.endswith("Error")
    assert kind.__doc__
    assert issubclass(kind, errors.PressmarkError)
    error = kind("what happened: what to do", field="name", seq=3, line=2)
    assert str(error) == error.message == "what happened: what to do"
    for again in (error, copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert type(again) is kind
        assert str(again) == str(error)
        assert again.facts == {"field": "name", "seq": 3, "line": 2}
        assert (again.field, again.seq, again.line) == ("name", 3, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_facts_have_their_defaults(kind: type[errors.PressmarkError]) -> None:
    """Every fact that an error documents can be read where nobody gave it."""
    error = kind("x")
    for name in inspect.get_annotations(kind):
        getattr(error, name)


def test_python_catches_them_as_its_own_kind() -> None:
    """Wrong values are ValueErrors, what is not found is a LookupError, so that old code catches them."""
    for kind in (
        errors.InvalidUnitError,
        errors.RenderError,
        errors.StatsError,
        errors.DatasetError,
        errors.SuiteError,
    ):
        assert issubclass(kind, ValueError)
    assert issubclass(errors.NotFoundError, LookupError)
    assert issubclass(errors.GraphCycleError, ValueError)


def test_statuses_and_codes() -> None:
    """A registry's errors carry the status and the code that stand for them on the wire, or what they are given."""
    pairs = {kind.code: kind.status for kind in KINDS if issubclass(kind, errors.RegistryError)}
    assert pairs == {
        "invalid": 400,
        "unavailable": 503,
        "conflict": 412,
        "unauthenticated": 401,
        "forbidden": 403,
        "tampered": 500,
        "malformed": 502,
    }
    error = errors.RegistryError("x", status=413, code="too_large", hint="send less")
    assert (error.status, error.code, error.hint) == (413, "too_large", "send less")


def test_the_module_imports_nothing() -> None:
    """The production client loads this module first: it imports nothing at all."""
    tree = ast.parse(inspect.getsource(errors))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [node.module for node in imports if isinstance(node, ast.ImportFrom)] == ["__future__"]
    assert len(imports) == 1
