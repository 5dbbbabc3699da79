"""Runs the notebooks and saves them with their outputs, as the tests compare them: `python -m tests.save_notebooks`.

Live views and what is written to stderr are left out: a saved notebook shows what stands beside them.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from tests.test_notebooks import NEEDS_THE_LAB, NOTEBOOKS, the_lab


def save(notebook: Path, environment: dict[str, str]) -> None:
    """Run one notebook in a folder of its own and write its outputs into it."""
    book = nbformat.read(notebook, as_version=4)
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PRESSMARK_")}
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(book, timeout=240, resources={"metadata": {"path": folder}})
        client.execute(env={**bare, **environment})
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.metadata.pop("execution", None)
            cell.outputs = [kept for output in cell.outputs if (kept := _kept(output)) is not None]
    book.metadata.pop("widgets", None)
    book.metadata["language_info"] = {"name": "python"}
    notebook.write_text(json.dumps(book, indent=1, ensure_ascii=False) + "\n")


def _kept(output: Any) -> Any:
    if output.output_type == "stream":
        return output if output.name == "stdout" else None
    if "data" in output:
        output.data = {kind: value for kind, value in output.data.items() if "widget" not in kind}
        return output if output.data else None
    return output


def main(names: list[str]) -> None:
    """Save those that are named by the beginnings of their names, else all."""
    for notebook in NOTEBOOKS:
        if names and not any(notebook.name.startswith(name) for name in names):
            continue
        if notebook.stem == NEEDS_THE_LAB:
            with tempfile.TemporaryDirectory() as folder, the_lab(Path(folder)) as environment:
                save(notebook, environment)
        else:
            save(notebook, {})
        print(notebook.name)


if __name__ == "__main__":
    main(sys.argv[1:])
