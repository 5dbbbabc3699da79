"""What the tests of the installed package share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..client.simulator import Simulator, unit_text


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A simulated registry with one prompt under `production`."""
    simulated = Simulator()
    simulated.put(("support/triage", "production", unit_text()))
    yield simulated
    simulated.down()
