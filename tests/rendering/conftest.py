"""Short ways to render for the tests of this folder."""

from __future__ import annotations

from typing import Any, Protocol

import pytest
from hypothesis import settings

from pressmark.rendering import Template, build_unit

settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")


class Render(Protocol):
    """Fills one text template."""

    def __call__(self, text: str, /, **values: Any) -> str:
        """Return the text with the values filled in."""


@pytest.fixture(scope="session")
def render() -> Render:
    """Build a unit of one text, with all that building checks, and fill it."""

    def run(text: str, /, **values: Any) -> str:
        rendered = Template(build_unit(text=text, model="m")).render(values)
        assert isinstance(rendered, str)
        return rendered

    return run
