"""What the client's tests share: a simulated registry, and clients that are closed after each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import pressmark as pm

from .simulator import Simulator, unit_text

NAME = "support/triage"


@pytest.fixture
def sim() -> Iterator[Simulator]:
    """A registry with one prompt under `production`."""
    simulator = Simulator()
    simulator.put((NAME, "production", unit_text()))
    yield simulator
    simulator.fault.clear()
    simulator.down()


@pytest.fixture
def connect(sim: Simulator, tmp_path: Path) -> Iterator[Callable[..., pm.Client]]:
    """Make clients of the simulated registry."""
    made: list[pm.Client] = []

    def make(**settings: Any) -> pm.Client:
        given = {
            "url": sim.url,
            "token": sim.token,
            "snapshot_dir": tmp_path / "snapshots",
            "poll_interval": 0.2,
            "on_error": lambda error: None,
            **settings,
        }
        made.append(pm.Client(**given))
        return made[-1]

    yield make
    for client in made:
        client.close()
