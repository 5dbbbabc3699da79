"""Laying out the notebooks that ship with Pressmark in a folder where somebody works.

A notebook that is not there is copied. One that is there, and that nobody edited since, is replaced by a newer shipped
one. Running a notebook is no edit, although it fills in outputs: the sources of the cells are what counts.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path


@dataclass(frozen=True, slots=True)
class LaidOut:
    """What was done.

    Attributes:
        copied: Names of the notebooks that were not there.
        updated: Names of those that were replaced by a newer one.
        kept: Names of those that stay as somebody edited them, although a newer one ships.
    """

    copied: list[str]
    updated: list[str]
    kept: list[str]


def shipped() -> Path:
    """Return the folder of the notebooks that ship: in the package, or in the repository for a work tree."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "notebooks"
    return inside if inside.is_dir() else package.parents[1] / "notebooks"


def lay_out(source: Path, folder: Path, record_path: Path) -> LaidOut:
    """Bring the notebooks of a folder into another one.

    Args:
        source: Where they ship.
        folder: Where somebody works.
        record_path: A file that remembers which notebooks were laid out.

    Raises:
        OSError: The folder cannot be written.
    """
    record = _read(record_path)
    laid_out = LaidOut([], [], [])
    for notebook in sorted(source.glob("*.ipynb")):
        name, ours, newest = notebook.name, folder / notebook.name, _digest(notebook)
        held = _digest(ours) if ours.exists() else None
        if held == newest:
            record[name] = newest
        elif held is None or held == record.get(name):
            shutil.copyfile(notebook, ours)
            record[name] = newest
            (laid_out.copied if held is None else laid_out.updated).append(name)
        elif record.get(name) != newest:
            laid_out.kept.append(name)
    record_path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return laid_out


def _read(path: Path) -> dict[str, str]:
    """What was laid out before; where that cannot be told, everything counts as edited."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _digest(path: Path) -> str:
    data = path.read_bytes()
    try:
        cells = [[cell["cell_type"], "".join(cell["source"])] for cell in json.loads(data)["cells"]]
    except (ValueError, LookupError, TypeError):
        return sha256(data).hexdigest()  # no notebook any more; certainly not as it shipped
    return sha256(json.dumps(cells).encode()).hexdigest()
