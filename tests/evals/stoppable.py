"""A run in a process of its own, for tests that stop it: `python stoppable.py BASE_URL DATA JOURNAL`.

It runs one version over the instructions of a Parquet file and appends each record to a journal file as it comes; what
stands there already is not asked again.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

from pressmark.evals import Dataset, OutputRecord, Suite, execute, finished, plan, scorers
from pressmark.prompts.canonical import unit_digest
from pressmark.providers import Endpoint, completer
from pressmark.rendering import PromptVersion, build_unit

ROWS = 600


class Journal:
    """Appends each record as a line."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    def record(self, record: OutputRecord) -> None:
        """Keep a record."""
        self._file.write(json.dumps(record.to_dict()).encode() + b"\n")


def read(path: Path) -> list[OutputRecord]:
    """The records of a journal; a last line that was torn is left out."""
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [OutputRecord.from_dict(json.loads(line)) for line in lines]


def main(base_url: str, data: str, journal: str) -> None:
    """Run, or go on."""
    rows = pq.read_table(data, columns=["instruction"]).to_pylist()[:ROWS]
    dataset = Dataset.of("alpaca/instructions", rows)
    suite = Suite.of("alpaca/length", dataset, [scorers.Length()])
    unit = build_unit(text="{{ instruction }}", model="gpt-3.5-turbo-1106")
    version = PromptVersion("test", 1, unit, unit_digest(unit), "", "", datetime.now(UTC))
    answered = finished(read(Path(journal)), suite)
    made = plan([version], dataset, base_url=base_url, answered=answered)
    try:
        execute(
            made, suite, completer(Endpoint("local", base_url)), Journal(Path(journal)), run_id="run", concurrency=8
        )
    except KeyboardInterrupt:
        print("interrupted")
    else:
        print("done")


if __name__ == "__main__":
    main(*sys.argv[1:])
