"""Laying out the shipped notebooks: what somebody edited stays, what nobody edited is brought up to date."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pressmark.cli.notebooks import lay_out, shipped

RECORD = ".record.json"


def write(path: Path, *sources: str, output: str | None = None) -> None:
    outputs = [] if output is None else [{"output_type": "stream", "name": "stdout", "text": output}]
    cells = [{"cell_type": "code", "source": source, "outputs": outputs, "metadata": {}} for source in sources]
    path.write_text(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "shipped"
    folder.mkdir()
    write(folder / "tour.ipynb", "1 + 1")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "a lab"
    folder.mkdir()
    return folder


def test_new_notebook_is_copied_once(source, folder):
    """What is not there is copied; the second time nothing is done."""
    assert lay_out(source, folder, folder / RECORD).copied == ["tour.ipynb"]
    assert (folder / "tour.ipynb").read_bytes() == (source / "tour.ipynb").read_bytes()
    again = lay_out(source, folder, folder / RECORD)
    assert (again.copied, again.updated, again.kept) == ([], [], [])


def test_unedited_notebook_is_updated(source, folder):
    """A newer shipped notebook replaces one that nobody edited, also where it was run."""
    lay_out(source, folder, folder / RECORD)
    write(folder / "tour.ipynb", "1 + 1", output="2")
    write(source / "tour.ipynb", "1 + 2")
    assert lay_out(source, folder, folder / RECORD).updated == ["tour.ipynb"]
    assert (folder / "tour.ipynb").read_bytes() == (source / "tour.ipynb").read_bytes()


@pytest.mark.parametrize("record", [True, False])
def test_edited_notebook_stays(source, folder, record):
    """A notebook that somebody edited stays, and is named each time that a newer one ships; so without a record."""
    lay_out(source, folder, folder / RECORD)
    write(folder / "tour.ipynb", "my own cell")
    mine = (folder / "tour.ipynb").read_bytes()
    assert lay_out(source, folder, folder / RECORD).kept == []
    if not record:
        (folder / RECORD).write_text("no JSON")
    write(source / "tour.ipynb", "1 + 2")
    for _ in range(2):
        assert lay_out(source, folder, folder / RECORD).kept == ["tour.ipynb"]
    assert (folder / "tour.ipynb").read_bytes() == mine


def test_file_that_is_no_notebook_stays(source, folder):
    """Something else under a notebook's name is left alone."""
    (folder / "tour.ipynb").write_text("notes")
    assert lay_out(source, folder, folder / RECORD).kept == ["tour.ipynb"]
    assert (folder / "tour.ipynb").read_text() == "notes"


def test_own_notebooks_are_left_alone(source, folder):
    """Notebooks of other names are nobody's business."""
    write(folder / "mine.ipynb", "3")
    lay_out(source, folder, folder / RECORD)
    assert sorted(path.name for path in folder.glob("*.ipynb")) == ["mine.ipynb", "tour.ipynb"]


def test_what_ships(tmp_path):
    """The tour and the six notebooks after it ship, and a new lab has them all."""
    assert lay_out(shipped(), tmp_path, tmp_path / RECORD).copied == [
        "01-tour.ipynb",
        "02-compare-versions.ipynb",
        "03-judges-and-ratings.ipynb",
        "04-chains.ipynb",
        "05-publish-and-roll-back.ipynb",
        "06-read-in-production.ipynb",
        "07-your-own-endpoint.ipynb",
    ]
