"""What the workspace's tests share: a store in a new file, units, and records of outputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pressmark.prompts import Unit
from pressmark.rendering import build_unit
from pressmark.workspace import Store

from .records import make_record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the test's workspace is."""
    return tmp_path / "prompts.duckdb"


@pytest.fixture
def store(path: Path) -> Store:
    """A new workspace that gives up on locks early."""
    return Store(path, deadline=10)


@pytest.fixture
def unit() -> Callable[[str], Unit]:
    """Makes a unit of a text."""
    return lambda text: build_unit(text=text, model="practice")


@pytest.fixture
def record() -> Callable[..., dict[str, Any]]:
    """Makes the dict form of an output: an answer, or an error where one is given."""
    return make_record
