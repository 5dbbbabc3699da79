"""A workspace with the practice model behind it, and a registry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import pressmark as pm
from pressmark.registry import serving

MESSAGES = [
    {"role": "system", "content": "Sort the message. Answer with one of: billing, delivery, refund."},
    {"role": "user", "content": "{{ text }}"},
]


@pytest.fixture
def ws(tmp_path: Path, practice_url: str) -> pm.Workspace:
    """An empty workspace that knows the practice model."""
    space = pm.Workspace(tmp_path / "prompts.duckdb", author="ana")
    space.endpoint("practice", base_url=practice_url)
    return space


@pytest.fixture
def served(tmp_path: Path) -> Iterator[serving.Running]:
    """A registry's server."""
    with serving.running(tmp_path / "registry.db") as running:
        yield running


@pytest.fixture
def registry(served: serving.Running) -> pm.Registry:
    """The registry, over HTTP, as its admin."""
    return pm.Registry(served.url, token=served.token)
