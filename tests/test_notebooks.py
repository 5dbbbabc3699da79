"""The notebooks are true: each cell runs, in order, and says what the saved notebook says that it says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pressmark.providers import practice
from pressmark.registry import serving

HERE = Path(__file__).parent
NOTEBOOKS = sorted((HERE.parent / "notebooks").glob("*.ipynb"))
# It uses the lab's registry; the others bring all that they need.
NEEDS_THE_LAB = "01-tour"
each_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)


@contextmanager
def the_lab(folder: Path) -> Iterator[dict[str, str]]:
    """The environment that `pressmark lab` gives to its kernels."""
    with practice.running() as practice_url, serving.running(folder / "registry.db") as registry:
        yield {
            "PRESSMARK_PRACTICE_URL": practice_url,
            "PRESSMARK_URL": registry.url,
            "PRESSMARK_TOKEN": registry.token or "",
            "PRESSMARK_AUTHOR": "ana",
        }


def run(notebook: Path, folder: Path, environment: dict[str, str]) -> None:
    """Run a notebook's cells and compare the outputs with the saved ones."""
    shutil.copyfile(notebook, folder / notebook.name)
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PRESSMARK_")}
    command = [
        *(sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-q", "-p", "no:cacheprovider"),
        *("--nbval-cell-timeout=240", f"--nbval-sanitize-with={HERE / 'notebooks.cfg'}"),
        *(f"--rootdir={folder}", str(folder / notebook.name)),
    ]
    done = subprocess.run(
        command,
        env={**bare, **environment, "PYDEVD_DISABLE_FILE_VALIDATION": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


def outputs(notebook: Path) -> Iterator[tuple[str, Any]]:
    """Every saved output with its cell's id."""
    for cell in json.loads(notebook.read_text())["cells"]:
        for output in cell.get("outputs", ()):
            yield cell["id"], output


@each_notebook
def test_every_cell_does_what_is_saved(notebook: Path, tmp_path: Path) -> None:
    """Every cell runs and gives the saved output, but for times, ports and the names of runs, as nbval finds."""
    if notebook.stem == NEEDS_THE_LAB:
        with the_lab(tmp_path) as environment:
            run(notebook, tmp_path, environment)
    else:
        run(notebook, tmp_path, {})


@each_notebook
def test_saved_outputs_can_be_shown_to_anybody(notebook: Path) -> None:
    """A notebook is saved with its outputs: no error, no warning, no path of a machine, no widget that is gone."""
    saved = list(outputs(notebook))
    assert len(saved) >= 5
    for cell, output in saved:
        assert output["output_type"] != "error", cell
        assert output.get("name") != "stderr", cell
        assert not any("widget" in kind for kind in output.get("data", ())), cell
    path = re.search(r'(?:/home/|/root/|/tmp/|/work/|/Users/|/var/|[A-Z]:\\\\)[^"\s]*', notebook.read_text())
    assert path is None, path


@each_notebook
def test_notebooks_are_short_and_in_order(notebook: Path) -> None:
    """A notebook has at most 15 cells of code, each run once, from top to bottom."""
    cells = [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]
    assert len(cells) <= 15
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
