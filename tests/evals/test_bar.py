"""The progress bar of a run: one line in a shell, and one line in a saved notebook, as it was at the end."""

from __future__ import annotations

import re
from typing import Any

import nbclient
import nbformat
import pytest

from pressmark.evals import Memory, start
from pressmark.evals import plan as make_plan
from pressmark.evals.bar import progress_bar

from .making import Scripted, dataset, suite, version

RUN = """
from pressmark.evals.bar import progress_bar
with progress_bar(40, 10) as bar:
    bar.set_postfix({"errors": 2}, refresh=False)
    bar.update(30)
"""
FAILING = """
from pressmark.evals.bar import progress_bar
with progress_bar(40, 0) as bar:
    bar.update(7)
    raise KeyboardInterrupt
"""
EMPTY = """
from pressmark.evals.bar import progress_bar
with progress_bar(0, 0):
    pass
"""


@pytest.fixture(scope="module")
def outputs() -> list[list[Any]]:
    """What cells of a real notebook hold after they ran: a bar to its end, one that was interrupted, one of nothing."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in (RUN, FAILING, EMPTY)])
    nbclient.NotebookClient(notebook, kernel_name="python3", timeout=60, allow_errors=True).execute()
    return [cell.outputs for cell in notebook.cells]


def test_a_cell_keeps_the_end_of_it(outputs: list[list[Any]]) -> None:
    """One output of text, changed in its place: no widget, and nothing on the error stream."""
    [shown] = outputs[0]
    assert shown.output_type == "display_data"
    assert list(shown.data) == ["text/plain"]
    assert re.search(r"100%.* 40/40 \[.* answers/s, errors=2\]", shown.data["text/plain"])


def test_an_interrupted_cell_says_how_far_it_came(outputs: list[list[Any]]) -> None:
    """The line stands at what was answered, above the error."""
    shown, error = outputs[1]
    assert "7/40" in shown.data["text/plain"]
    assert (error.output_type, error.ename) == ("error", "KeyboardInterrupt")


def test_a_bar_of_nothing(outputs: list[list[Any]]) -> None:
    """Where there is nothing to ask, it is a line all the same."""
    [shown] = outputs[2]
    assert "0" in shown.data["text/plain"]


def test_a_shell_gets_a_line_on_the_error_stream(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output stays free for what a script prints."""
    with progress_bar(3, 1) as bar:
        bar.update(2)
    told = capsys.readouterr()
    assert told.out == ""
    assert re.search(r"100%.* 3/3 ", told.err)


def test_a_run_draws_it_where_it_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    """It counts answers with errors and what came from the cache; without it nothing is drawn."""
    data = dataset(*(f"text {number}" for number in range(5)))
    for wanted in (False, True):
        complete = Scripted(lambda text: text)
        made = make_plan([version()], data, base_url=complete.base_url)
        start(made, suite(data), complete, Memory(), run_id="run").wait(bar=wanted)
        told = capsys.readouterr().err
        assert ("5/5" in told) == wanted
