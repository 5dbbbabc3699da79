"""Pressmark: draft, compare and release LLM prompts.

Where to start:

- `Workspace(path)`: draft, evaluate and compare prompt versions in one DuckDB file (extra `workbench` or `evals`).
- `Registry(url, token=...)`: immutable published versions and movable labels (extra `registry` to run one).
- `Policy(name, require_evidence=True, ...)`: what a label demands; `registry.set_policy` takes one.
- `Client(url, token=...)`: read prompts in production; needs nothing but the base install.
- `Budget(money=..., tokens=..., calls=..., minutes=...)`: what a run may spend.
- `Dataset`, `Suite`, `Version`, `Run`: what a workspace hands out, for annotations.
- `scorers`: what turns an output into a score.
- `errors`: every exception, in one tree.

The import is lazy: a name is loaded when it is first used, so a service that reads prompts never pays for the rest.
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # as typing's, without its import
if TYPE_CHECKING:
    from pressmark import errors
    from pressmark.api import Registry, Run, Workspace
    from pressmark.client import Client
    from pressmark.errors import PressmarkError
    from pressmark.evals import Dataset, Suite, scorers
    from pressmark.evals.budget import Budget
    from pressmark.prompts import Version
    from pressmark.prompts.policy import Policy

__version__ = "0.1.0"

_HOMES = {
    "Budget": "pressmark.evals.budget",
    "Client": "pressmark.client",
    "Dataset": "pressmark.evals",
    "Policy": "pressmark.prompts.policy",
    "PressmarkError": "pressmark.errors",
    "Registry": "pressmark.api",
    "Run": "pressmark.api",
    "Suite": "pressmark.evals",
    "Version": "pressmark.prompts",
    "Workspace": "pressmark.api",
    "errors": "pressmark.errors",
    "scorers": "pressmark.evals.scorers",
}
# What a third-party module belongs to: the extra that brings it.
_EXTRAS = {
    "Budget": "evals",
    "Dataset": "evals",
    "Registry": "evals",
    "Run": "evals",
    "Suite": "evals",
    "Workspace": "evals",
    "scorers": "evals",
}

__all__ = [
    "Budget", "Client", "Dataset", "Policy", "PressmarkError", "Registry", "Run", "Suite", "Version", "Workspace",
    "__version__", "errors", "scorers",
]  # fmt: skip


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'pressmark' has no attribute {name!r}; it has {', '.join(__all__)}")
    try:
        module = importlib.import_module(home)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing == "pressmark" or name not in _EXTRAS:
            raise
        raise ImportError(
            f"pressmark.{name} needs {missing}, which is not installed: pip install 'pressmark[{_EXTRAS[name]}]'",
            name=missing,
        ) from error
    value: object = module if home.endswith("." + name) else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
