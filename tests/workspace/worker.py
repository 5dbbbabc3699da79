"""A process that works on a shared workspace until it is done or killed; each acknowledged piece is told at once.

Run as `python worker.py FILE NAME COUNT PLACE`. Lines of the file PLACE name what the workspace or a journal has
acknowledged: a process that is killed leaves there exactly what must not be lost.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from pathlib import Path

from pressmark.rendering import build_unit
from pressmark.workspace import Store

_spec = importlib.util.spec_from_file_location("records", Path(__file__).with_name("records.py"))
assert _spec
assert _spec.loader
records = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(records)


def main(file: str, name: str, count: int, place: str) -> None:
    """Save versions of a shared prompt, append batches, and journal single answers from a second thread."""
    told = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def tell(line: str) -> None:
        os.write(told, line.encode() + b"\n")

    store = Store(file, deadline=120)
    tell("begun")
    begin = int(os.environ.get("BEGIN_AT", "0"))
    numbers = range(begin, begin + count)
    journal = store.journal(f"journaled-{name}")
    drainer = store.drainer(journal, interval=0.05).start()

    def answer() -> None:
        for number in numbers:
            for part in range(5):
                row = number * 5 + part
                journal.append(records.make_record(row=row, run_id=f"journaled-{name}", scores={"exact": 1.0}))
                tell(f"journaled {row}")

    thread = threading.Thread(target=answer)
    thread.start()
    for number in numbers:
        version = store.save_version("shared", build_unit(text=f"{name} {number}", model="m")).version
        tell(f"version {version.number} {version.digest}")
        batch = [records.make_record(row=number * 5 + part, run_id=f"batch-{name}") for part in range(5)]
        store.append_outputs(batch)
        tell(f"batch {number}")
    thread.join()
    drainer.stop()
    tell("done")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
