"""A page that was not built is told with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from pressmark.errors import PressmarkError
from pressmark.widgets.assets import asset


def test_a_missing_page_says_how_to_build_it(tmp_path: Path) -> None:
    """Without the built files the error names `make setup`."""
    with pytest.raises(PressmarkError, match="make setup"):
        asset("workbench.js", tmp_path)


def test_a_page_that_was_built_anew_is_read_anew(tmp_path: Path) -> None:
    """A rebuilt file is not hidden by what was read before."""
    import os

    path = tmp_path / "workbench.js"
    path.write_text("one")
    assert asset("workbench.js", tmp_path) == "one"
    path.write_text("two")
    os.utime(path, ns=(1, 1))
    assert asset("workbench.js", tmp_path) == "two"
