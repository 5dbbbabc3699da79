"""The notebooks are true: each cell runs, in order, against a real registry and the practice model."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pressmark.providers import practice
from pressmark.registry import serving

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_runs(notebook: Path, tmp_path: Path) -> None:
    """Every cell of the notebook runs without an error, as nbval finds."""
    copy = tmp_path / notebook.name
    shutil.copyfile(notebook, copy)
    with practice.running() as practice_url, serving.running(tmp_path / "registry.db") as registry:
        environment = {
            **os.environ,
            "PRESSMARK_PRACTICE_URL": practice_url,
            "PRESSMARK_URL": registry.url,
            "PRESSMARK_TOKEN": registry.token or "",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
        command = [
            *(sys.executable, "-m", "pytest", "--nbval-lax", "--current-env", "-q", "-p", "no:cacheprovider"),
            *("--nbval-cell-timeout=240", f"--rootdir={tmp_path}", str(copy)),
        ]
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False
        )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
    assert "failed" not in done.stdout


def test_notebooks_are_saved_without_outputs() -> None:
    """Notebooks are committed without outputs, so that a change of one shows what was written and nothing else."""
    import json

    for notebook in NOTEBOOKS:
        for cell in json.loads(notebook.read_text())["cells"]:
            assert not cell.get("outputs"), f"{notebook.name}: clear its outputs before committing"
