"""A disk that becomes full: what was acknowledged stays, what was not leaves no trace, and it goes on with room."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pressmark.workspace import Store

# Appends batches of random text until the limit on file sizes stops it, then reads under the same limit.
WRITER = """
import random, resource, sys
sys.path.insert(0, sys.argv[3])
from records import make_record
from pressmark.errors import WorkspaceFullError
from pressmark.workspace import Store

store = Store(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
chance = random.Random(1)
batch = 0
try:
    while True:
        texts = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=400)) for _ in range(100)]
        store.append_outputs([make_record(row=batch * 100 + n, output=text) for n, text in enumerate(texts)])
        batch += 1
except WorkspaceFullError as error:
    print(batch, "make room" in str(error), len(store.sql("select 1 from outputs")))
"""


@pytest.mark.parametrize("limit", [30_000, 500_000, 1_000_000, 1_700_000])
def test_a_full_disk_loses_nothing_that_was_acknowledged(store: Store, path: Path, limit: int) -> None:
    """Whichever write meets the limit, whole batches are there or not at all, then and at the next opening."""
    command = [sys.executable, "-c", WRITER, str(path), str(limit), str(Path(__file__).parent)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    batches = int(told[0])
    assert told[1:] == ["True", str(batches * 100)]
    again = Store(path)
    rows = again.sql("select row from outputs order by row")["row"].tolist()
    assert rows == list(range(batches * 100))
    again.save_draft("p", {})
    assert again.draft("p") is not None


READER = """
import resource, sys
from pressmark.workspace import Store
size = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
print(len(Store(sys.argv[1]).sql("select 1 from outputs")))
"""


def test_answers_of_a_dead_process_wait_for_room(
    store: Store, path: Path, record: Callable[..., dict[str, Any]]
) -> None:
    """A workspace on a full disk opens for reading; what a journal holds is saved when there is room."""
    store.append_outputs([record(row=0)])
    journal = store.journal("run-1")
    for row in range(1, 200):
        journal.append(record(row=row, output="x" * 1000))
    journal.close()
    command = [sys.executable, "-c", READER, str(path), "1000"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout == "1\n"
    assert journal.path.exists()
    assert len(Store(path).sql("select 1 from outputs")) == 200
    assert not journal.path.exists()
