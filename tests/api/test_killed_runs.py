"""A run that is killed again and again, with an endpoint that fails: nothing is lost, and nothing is asked twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import pressmark as pm
from tests.conftest import RecordedModel

FAULTS = "429=0.05,500=0.03,cut=0.02,garbage=0.02"
IN_FLIGHT = 8
MODEL = "gpt-3.5-turbo-1106"
# Loaded once, and forked before each run: a process that is killed twenty times need not import everything each time.
CHILD = f"""
import os, sys
import openai, duckdb, pandas, pyarrow
import pressmark as pm
pm.Workspace
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        ws = pm.Workspace(sys.argv[1])
        ws.evaluate([ws.version('p')], 's', concurrency={IN_FLIGHT}, progress=False)
        os._exit(0)
    print(child, flush=True)
    _, status = os.waitpid(child, 0)
    print(status, flush=True)
"""


@pytest.mark.parametrize(
    ("kills", "rows", "seed"),
    [(20, 400, 1), *(pytest.param(20, 805, seed, marks=pytest.mark.soak) for seed in range(2, 12))],
)
def test_killed_twenty_times(
    shared: Path, recorded_model: Callable[..., RecordedModel], tmp_path: Path, kills: int, rows: int, seed: int
) -> None:
    """After the last resume each row is there once, and no more was asked than rows and what was in flight."""
    model = recorded_model(faults=FAULTS, latency_ms=5, seed=seed)
    ws = pm.Workspace(tmp_path / "prompts.duckdb")
    ws.endpoint("recorded", base_url=model.base_url)
    data = pd.read_parquet(shared / "data" / "alpacaeval" / f"{MODEL}.parquet")[["instruction"]].head(rows)
    ws.save("p", text="{{ instruction }}", model=MODEL)
    ws.suite("s", dataset=ws.dataset("d", data), scorers=[pm.scorers.Length()])
    model.stats(reset=True)
    moments = sorted(random.Random(seed).sample(range(rows), kills))
    command = [sys.executable, "-c", CHILD, str(ws.store.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        killed = 0
        for moment in moments:
            parent.stdin.write("go\n")
            child = int(parent.stdout.readline())
            deadline = time.monotonic() + 120
            # Answered calls, so that the moments are spread over the run however much was asked twice.
            while answered(model) < moment and time.monotonic() < deadline:
                time.sleep(0.001)
            os.kill(child, signal.SIGKILL)
            killed += int(parent.stdout.readline()) == signal.SIGKILL
        parent.stdin.write("go\n")
        parent.stdout.readline()
        assert int(parent.stdout.readline()) == 0
        parent.stdin.close()
    assert killed == kills
    [run_id] = ws.runs()["run"]
    run = ws.run(run_id)
    results = run.results
    assert (run.status, run.method, run.planned) == ("done", "fixed", rows)
    assert sorted(results["row"]) == list(range(rows))
    assert (results["output"].notna() | results["error"].notna()).all()
    assert answered(model) <= rows + kills * IN_FLIGHT


def answered(model: RecordedModel) -> int:
    """Calls so far, less the faults sent."""
    told: dict[str, Any] = model.stats()
    sent: dict[str, int] = told["sent"]
    return int(told["calls"]) - sum(sent.values())
