"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and servers; tests that need it skip where it is absent."""
    place = Path(os.environ.get("PRESSMARK_SHARED") or Path(__file__).parents[2] / "shared")
    if not (place / "servers" / "recorded_model.py").is_file():
        pytest.skip(f"no shared data at {place}: set PRESSMARK_SHARED to the folder that holds it")
    return place.resolve()
