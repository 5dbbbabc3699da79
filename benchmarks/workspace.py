"""How a workspace's file carries a million outputs: `python -m benchmarks.workspace`.

A file holds runs of two versions over up to 100,000 rows, one after the other, until there are 10,000, 100,000 or
1,000,000 outputs; the one in the middle is looked at. Measured are the first page of its grid, largest regression
first, the comparison of its two versions by slice and with its verdict, the whole report, the size of the file and the
most memory that the process held. Beside them stand, in the same process, plain duckdb queries that read the least that
a page or a comparison must read (the floor), and pandas with a t test on the scores (a peer). Each figure is the median
of several. Prints a table, and a JSON object as its last line.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import stats as scipy_stats

import pressmark as pm
from pressmark.api.runs import Run
from pressmark.workspace.connection import Database
from pressmark.workspace.runs import _OUTPUTS, _SCORES, Batch, write

SIZES = (10_000, 100_000, 1_000_000)
COMPARED = 100_000
ROUNDS = 5
WORDS = (
    "the", "a", "of", "refund", "order", "late", "invoice", "parcel", "please", "thank", "you", "we", "will", "look",
    "into", "it", "and", "reply", "today",
)  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """What one size took: milliseconds of a page, seconds of a comparison, and beside them floor and peer."""

    outputs: int
    first_page_ms: float
    page_floor_ms: float
    compare_s: float
    query_s: float
    pandas_s: float
    report_s: float
    file_mb: float
    rss_mb: float


def main() -> None:
    """Measure, and print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--outputs", type=int, nargs="*", default=list(SIZES), help="how many outputs the file holds")
    found = [measure(outputs) for outputs in parser.parse_args().outputs]
    print(
        f"{'outputs':>10}{'page ms':>9}{'floor':>8}{'compare s':>11}{'query s':>9}{'pandas s':>10}{'report s':>10}",
        end="",
    )
    print(f"{'file MB':>9}{'RSS MB':>8}")
    for told in found:
        print(
            f"{told.outputs:>10,}{told.first_page_ms:>9.0f}{told.page_floor_ms:>8.0f}{told.compare_s:>11.2f}"
            f"{told.query_s:>9.2f}{told.pandas_s:>10.2f}{told.report_s:>10.2f}{told.file_mb:>9.0f}{told.rss_mb:>8.0f}"
        )
    last = found[-1]
    result = {
        "first_page_ms": round(last.first_page_ms, 1),
        "compare_100k_s": round(last.compare_s, 3),
        "file_mb": round(last.file_mb, 1),
        "growth": {
            str(told.outputs): {
                "first_page_ms": round(told.first_page_ms, 1),
                "compare_s": round(told.compare_s, 3),
                "file_mb": round(told.file_mb, 1),
                "rss_mb": round(told.rss_mb, 1),
            }
            for told in found
        },
        "page_ratio_to_query": round(last.first_page_ms / last.page_floor_ms, 2),
        "compare_ratio_to_query": round(last.compare_s / last.query_s, 2),
        "compare_ratio_to_pandas": round(last.compare_s / last.pandas_s, 2),
        "report_s": round(last.report_s, 3),
    }
    print(json.dumps(result))


def measure(outputs: int) -> Measured:
    """Fill a file with so many outputs, and measure."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prompts.duckdb"
        compared = min(COMPARED, outputs // 2)
        rows = [{"text": f"message {row}", "label": "x", "part": "abcd"[row % 4]} for row in range(compared)]
        space = pm.Workspace(path)
        versions = [
            space.save("bench/prompt", messages=[{"role": "user", "content": f"{word} {{{{ text }}}}"}], model="m")
            for word in ("Sort", "Label")
        ]
        data = space.dataset("bench/rows", rows)
        suite = space.suite("bench/suite", dataset=data, scorers=[pm.scorers.Exact("label")], slice="part")
        store = space.store
        store.save_suite(suite.name, suite.digest, suite.spec())
        digests = [version.digest for version in versions]
        spec = {
            "format": 1,
            "versions": [{"name": v.name, "version": v.version, "digest": v.digest} for v in versions],
            "suite": {"name": suite.name, "digest": suite.digest},
            "endpoint": {"name": "none", "base_url": "http://127.0.0.1:9/v1"},
            "repeats": 1,
        }
        runs = max(1, outputs // (2 * compared))
        for number in range(runs):
            store.create_run(f"run-{number}", spec, prompt="bench/prompt", dataset=data.digest)
            fill(path, f"run-{number}", digests, compared, suite.primary, seed=number)
            store.finish_run(f"run-{number}", "done")
        shown = f"run-{runs // 2}"
        run = space.run(shown)
        page, page_floor, compare, query, peer, report = measured(path, store, run, digests, suite.primary)
        size = path.stat().st_size / 1e6
        return Measured(outputs, page, page_floor, compare, query, peer, report, size, peak_mb())


def measured(path: Path, store: Any, run: Run, digests: list[str], scorer: str) -> tuple[float, ...]:
    """Page and its floor in ms; comparison, query, pandas and report in seconds."""
    page = seconds(lambda: store.run_page(run.id, digests, scorer=scorer, limit=50))
    page_floor = seconds(lambda: floor_of_page(path, run.id, digests))
    compare = seconds(lambda: told(run.compare(scorer=scorer)))
    query = seconds(lambda: read_scores(path, run.id, digests, scorer))
    peer = seconds(lambda: by_pandas(path, run.id, digests, scorer))
    report = seconds(lambda: told(run.report()), rounds=2)
    return page * 1000, page_floor * 1000, compare, query, peer, report


def told(found: Any) -> str:
    """The verdict in words, as somebody would read it."""
    sentence: str = found.sentence
    assert "on " in sentence
    return sentence


def fill(path: Path, run_id: str, digests: list[str], rows: int, scorer: str, seed: int) -> None:
    """Put a run's outputs and scores into the file, 50,000 at a time, as they would be drained."""
    rng = np.random.default_rng(seed)
    database = Database(path)
    for version, digest in enumerate(digests):
        for begin in range(0, rows, 50_000):
            count = min(50_000, rows - begin)
            database_batch = batch(rng, run_id, digest, begin, count, scorer, 0.7 + 0.01 * version)
            with database.writing() as connection:
                write(connection, database_batch)


def batch(
    rng: np.random.Generator, run_id: str, digest: str, begin: int, count: int, scorer: str, rate: float
) -> Batch:
    """Outputs of some 100 characters with their scores."""
    numbers = np.arange(begin, begin + count, dtype=np.int32)
    drawn = rng.integers(0, len(WORDS), (count, 18))
    texts = [" ".join(WORDS[word] for word in line) for line in drawn]
    now = pd.Timestamp.now("UTC").to_pydatetime()
    columns: dict[str, Any] = {
        "run_id": [run_id] * count,
        "version": [digest] * count,
        "row": numbers,
        "repeat": np.zeros(count, dtype=np.int32),
        "output": texts,
        "model": ["m"] * count,
        "finish_reason": ["stop"] * count,
        "tokens_in": rng.integers(50, 90, count),
        "tokens_out": rng.integers(15, 30, count),
        "cost": rng.random(count) * 1e-4,
        "latency": rng.lognormal(0, 0.4, count),
        "attempts": np.ones(count, dtype=np.int32),
        "cached": np.zeros(count, dtype=bool),
        "answered_at": [now] * count,
        "request_digest": [f"{digest[:20]}{number:012d}" for number in numbers],
    }
    scores = {
        "run_id": columns["run_id"],
        "version": columns["version"],
        "row": numbers,
        "repeat": columns["repeat"],
        "scorer": [scorer] * count,
        "value": (rng.random(count) < rate).astype(float),
    }
    return Batch(table(_OUTPUTS, columns, count), table(_SCORES, scores, count))


def table(schema: dict[str, Any], columns: dict[str, Any], count: int) -> pa.Table:
    """An Arrow table of these columns, the others empty."""
    return pa.table(
        {
            name: pa.array(columns[name], type=kind) if name in columns else pa.nulls(count, kind)
            for name, kind in schema.items()
        }
    )


def floor_of_page(path: Path, run_id: str, digests: list[str]) -> list[Any]:
    """The least that a page must read: the 50 rows that differ most, and their outputs, by plain duckdb."""
    with duckdb.connect(str(path)) as connection:
        rows = connection.execute(
            "select row from (select row, avg(value) filter (version = $b) - avg(value) filter (version = $a) as change"
            " from scores where run_id = $run group by row) order by change, row limit 50",
            {"run": run_id, "a": digests[0], "b": digests[1]},
        ).fetchall()
        return connection.execute(
            "select row, version, output from outputs where run_id = $run and row in (select unnest($rows))",
            {"run": run_id, "rows": [row for (row,) in rows]},
        ).fetchall()


def read_scores(path: Path, run_id: str, digests: list[str], scorer: str) -> Any:
    """The scores of both versions by plain duckdb: what any comparison must read."""
    with duckdb.connect(str(path)) as connection:
        return connection.execute(
            "select row, avg(value) filter (version = $a) as a, avg(value) filter (version = $b) as b from scores"
            " where run_id = $run and scorer = $scorer group by row order by row",
            {"run": run_id, "a": digests[0], "b": digests[1], "scorer": scorer},
        ).fetchnumpy()


def by_pandas(path: Path, run_id: str, digests: list[str], scorer: str) -> float:
    """What somebody would write in a notebook: read the scores, pivot, t test; no slices, no flips, no rule."""
    with duckdb.connect(str(path)) as connection:
        scores = connection.execute(
            "select version, row, value from scores where run_id = ? and scorer = ?", [run_id, scorer]
        ).df()
    wide = scores.pivot_table(index="row", columns="version", values="value", aggfunc="mean")
    return float(scipy_stats.ttest_rel(wide[digests[1]], wide[digests[0]]).pvalue)


def seconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median of several times, after one that warms up."""
    work()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def peak_mb() -> float:
    """The most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    main()
