"""Runs in memory, for the stand-in session: they answer by themselves, the same at every time."""

from __future__ import annotations

import hashlib
import json
import math
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

from pressmark.errors import (
    InvalidUnitError,
    RunNotFoundError,
)
from pressmark.widgets.protocols import (
    AskingView,
    CellView,
    ComparisonView,
    CorrectedView,
    DatasetView,
    EndpointView,
    EstimateView,
    OrderView,
    OverrideView,
    RowView,
    RunProgress,
    ScorerView,
    SliceView,
    StandingsView,
    SuiteView,
)

from .shop import CATEGORIES, SECOND


class MemoryRuns:
    """The part of the stand-in that runs versions and compares them."""

    with_data: bool
    data: list[dict[str, str]]
    _runs: dict[str, MemoryRun]

    def datasets(self) -> list[DatasetView]:
        if not self.with_data:
            return []
        return [{"name": "triage/inbox", "rows": len(self.data), "columns": ["channel", "text", "category"]}]

    def suites(self) -> list[SuiteView]:
        if not self.with_data:
            return []
        return [
            {
                "name": "triage/basics",
                "dataset": "triage/inbox",
                "rows": len(self.data),
                "scorers": [
                    _scorer("category", primary=True, column="category"),
                    _scorer("valid_json"),
                    _scorer("latency", kind="measurement", direction="lower", unit="s"),
                ],
                "slice": "channel",
                "prompt": None,
                "publishable": True,
                "why_not": None,
            }
        ]

    def endpoints(self) -> list[EndpointView]:
        return [
            {
                "name": "practice",
                "base_url": "http://127.0.0.1:8901/v1",
                "key_env": None,
                "key_present": True,
                "practice": True,
                "models": ["practice-1"],
            },
            {
                "name": "openai",
                "base_url": "https://api.openai.com/v1",
                "key_env": "OPENAI_API_KEY",
                "key_present": False,
                "practice": False,
                "models": [],
            },
            {
                "name": "wrong",
                "base_url": "http://127.0.0.1:1/v1",
                "key_env": None,
                "key_present": True,
                "practice": False,
                "models": [],
            },
        ]

    def derive(self, name: str, override: OverrideView) -> str:
        self.unit(name, override["of"])
        if not override["model"] and not override["params"]:
            raise InvalidUnitError(f"{override['of']} asks for exactly that already: change its model or a parameter")
        told = json.dumps([override["model"], override["params"]], sort_keys=True)
        return f"{override['of']}*{hashlib.sha256(told.encode()).hexdigest()[:4]}"

    def keep(self, name: str, version: str) -> str:
        body = self.unit(name, version.partition("*")[0])
        return self.save(name, {**body, "model": "practice-2"}, "kept", None)["version"]

    def estimate(
        self,
        name: str,
        versions: Sequence[str],
        suite: str,
        endpoint: str,
        asking: AskingView | None = None,
        pause: Callable[[], None] = lambda: None,
    ) -> EstimateView:
        if self.refuses:
            raise InvalidUnitError(self.refuses)
        calls = len(self.data) * len(versions) * (asking["repeats"] if asking else 1)
        done = {tuple(run.versions) for run in self._runs.values() if run.status == "done"}
        cached = calls if tuple(versions) in done else 0
        return {
            "rows": len(self.data),
            "calls": calls,
            "cached": cached,
            "cost": None if endpoint == "openai" else 0.0,
            "judge_calls": 0,
            "unrendered": 0,
            "tokens_in": 96 * (calls - cached),
            "tokens_out": 12 * (calls - cached),
            "seconds": 0.05 * (calls - cached),
            "basis": "recorded use of 480 answers",
            "smallest": 0.09,
            "smallest_from": "by the spread of 240 rows in an earlier run",
        }

    def start_run(
        self,
        name: str,
        versions: Sequence[str],
        suite: str,
        endpoint: str,
        on_progress: Callable[[RunProgress], None],
        asking: AskingView | None = None,
    ) -> str:
        for version in versions:
            self.unit(name, version.partition("*")[0])
        if not self.data:
            raise InvalidUnitError(f"nothing was run: the dataset of {suite} has no rows; import rows first")
        if endpoint == "openai":
            raise InvalidUnitError(
                "nothing was run: endpoint 'openai' has no key, because OPENAI_API_KEY is not set; set it, restart"
            )
        run = MemoryRun(f"run-{len(self._runs) + 1}", name, list(versions), suite, endpoint, self, on_progress)
        self._runs[run.id] = run
        run.thread.start()
        return run.id

    def resume_run(
        self,
        run: str,
        endpoint: str,
        on_progress: Callable[[RunProgress], None],
        asking: AskingView | None = None,
    ) -> str:
        before = self._run(run)
        if before.status == "failed" or endpoint != before.endpoint:
            return self.start_run(before.name, before.versions, before.suite, endpoint, on_progress, asking)
        self.stops_at = None
        before.go_on(on_progress)
        return run

    def standings(self, run: str, scorer: str) -> StandingsView:
        found = self._run(run)
        edges = [at / 20 for at in range(21)]
        items: list[Any] = []
        for version in found.versions:
            cells = [cells[version] for cells in list(found.answers.values()) if version in cells]
            values = [cell["scores"][scorer] for cell in cells if cell["scores"].get(scorer) is not None]
            bins = [0] * 20
            for value in values:
                bins[min(int(value * 20), 19)] += 1
            if values:
                mean = sum(values) / len(values)
                half = 1.96 * math.sqrt(mean * abs(1 - mean) / len(values))
                told = {"version": version, "n": len(values), "mean": mean, "low": mean - half, "high": mean + half}
                items.append(told | {"bins": bins, "cost": 0.0002 * len(version) * (1 + len(items)), "front": True})
        return {"scorer": scorer, "edges": edges, "items": items}

    def correct_row(self, run: str, row: int, values: dict[str, str], message: str) -> CorrectedView:
        before = {name: self.data[row][name] for name in values}
        if before == values:
            raise InvalidUnitError(f"row {row} of triage/inbox holds that already: nothing was changed")
        self.data[row] = {**self.data[row], **values}
        return {
            "dataset": "triage/inbox",
            "row": row,
            "note": "version 2; 240 → 240 rows",
            "changes": {name: [before[name], value] for name, value in values.items()},
            "suites": ["triage/basics"],
        }

    def move_suites(self, dataset: str, suites: Sequence[str]) -> list[str]:
        return list(suites)

    def cancel_run(self, run: str) -> None:
        self._run(run).stop.set()

    def _run(self, run: str) -> MemoryRun:
        if run not in self._runs:
            raise RunNotFoundError(f"there is no run {run!r} in this workspace: choose one from the list")
        return self._runs[run]

    def runs(self, name: str) -> list[RunProgress]:
        return [run.progress() for run in reversed(self._runs.values()) if run.name == name]

    def run(self, run: str) -> RunProgress:
        return self._run(run).progress()

    def run_suite(self, run: str) -> SuiteView:
        return self.suites()[0]

    def run_order(
        self,
        run: str,
        baseline: str,
        candidate: str,
        scorer: str,
        filter: str,
        sort: str,
        search: str,
        slice: str | None = None,
    ) -> OrderView:
        found = self._run(run)
        needle = search.lower()
        numbers = [
            at
            for at in range(len(self.data))
            if (slice is None or self.data[at]["channel"] == slice)
            and any(
                needle in str(text).lower()
                for text in (*self.data[at].values(), *(cell["output"] for cell in found.answers.get(at, {}).values()))
            )
        ]
        changes = {at: self._row_change(found, at, baseline, candidate, scorer) for at in numbers}
        kinds = {
            "all": numbers,
            "flipped": [at for at in numbers if changes[at] in ("better", "worse")],
            "better": [at for at in numbers if changes[at] == "better"],
            "worse": [at for at in numbers if changes[at] == "worse"],
            "errors": [at for at in numbers if changes[at] == "error"],
        }
        rank = {"worse": 0, "better": 1, "error": 2, "same": 3, "pending": 4}
        rows = kinds[filter]
        if sort != "row":
            rows = sorted(rows, key=lambda at: (rank[changes[at]], at))
        return {"rows": rows, "counts": {kind: len(those) for kind, those in kinds.items()}}

    def _row_change(self, run: MemoryRun, at: int, baseline: str, candidate: str, scorer: str) -> str:
        cells = run.answers.get(at, {})
        if any(cell["error"] for cell in cells.values()):
            return "error"
        return self._change(cells.get(baseline), cells.get(candidate), scorer) or "same"

    def _change(self, left: CellView | None, right: CellView | None, scorer: str) -> Any:
        if left is None or right is None:
            return "pending"
        a, b = left["scores"].get(scorer), right["scores"].get(scorer)
        if a is None or b is None:
            return "error"
        if math.isclose(a, b):
            return "same"
        return "better" if (b > a) != (scorer == "latency") else "worse"

    def run_rows(self, run: str, rows: Sequence[int], baseline: str, scorer: str) -> list[RowView]:
        return [self._row(run, at, baseline, scorer, 200) for at in rows]

    def run_row(self, run: str, row: int, baseline: str, scorer: str) -> RowView:
        return self._row(run, row, baseline, scorer, None)

    def _row(self, run: str, at: int, baseline: str, scorer: str, limit: int | None) -> RowView:
        found = self._run(run)
        cells: dict[str, CellView] = {}
        for version in found.versions:
            cell = found.answers.get(at, {}).get(version)
            if cell is None:
                cell = _pending_cell()
            else:
                change = None if version == baseline else self._change(found.answers[at].get(baseline), cell, scorer)
                cell = cast(CellView, {**cell, "change": change})
                if limit is None:
                    cell["request"] = [
                        {"role": "system", "content": SECOND},
                        {"role": "user", "content": self.data[at]["text"]},
                    ]
                    cell["score_errors"] = {}
                    cell["full"] = {
                        "settings": json.dumps({"model": "practice-1", "temperature": 0}, indent=2),
                        "ttft": 0.08,
                        "finish_reason": "stop",
                        "attempts": 1,
                        "tool_calls": "",
                        "repeats": [],
                        "judgements": [],
                        "upstream": [],
                    }
                else:
                    cell["cut"] = len(cell["output"]) > limit * 2
                    cell["output"] = cell["output"][: limit * 2]
            cells[version] = cell
        values = {name: str(value)[:limit] for name, value in self.data[at].items()}
        return {"row": at, "values": values, "inputs": ["channel", "text"], "cells": cells}

    def comparison(
        self, run: str, baseline: str, candidate: str, scorer: str, part: str | None = None
    ) -> ComparisonView:
        found = self._run(run)
        pairs = [
            (cells[baseline]["scores"][scorer], cells[candidate]["scores"][scorer])
            for at, cells in list(found.answers.items())
            if (part is None or self.data[at]["channel"] == part)
            and baseline in cells
            and candidate in cells
            and not cells[baseline]["error"]
            and not cells[candidate]["error"]
        ]
        pairs = [(a, b) for a, b in pairs if a is not None and b is not None]
        differences = [b - a for a, b in pairs]
        sign = -1 if scorer == "latency" else 1
        n = len(pairs)
        up, down = sum(d * sign > 1e-9 for d in differences), sum(d * sign < -1e-9 for d in differences)
        view: ComparisonView = {
            "baseline": baseline,
            "candidate": candidate,
            "scorer": scorer,
            "sentence": f"{n} of at least 30 rows are answered: too few to say anything",
            "verdict": None,
            "difference": None,
            "low": None,
            "high": None,
            "n": n,
            "up": up,
            "down": down,
            "same": n - up - down,
            "baseline_mean": None,
            "candidate_mean": None,
            "provisional": found.status == "running",
            "rows_needed": None,
            "test": "paired t",
            "guards": [],
            "slices": [],
        }
        if n < 30:
            return view
        mean = sum(differences) / n
        half = 1.97 * math.sqrt(sum((d - mean) ** 2 for d in differences) / (n - 1) / n)
        verdict = "cannot tell" if abs(mean) <= half else ("better" if mean * sign > 0 else "worse")
        amount = f"{abs(mean) * 100:.1f} points" if scorer != "latency" else f"{abs(mean):.3f} s"
        ends = [mean - half, mean + half] if scorer == "latency" else [(mean - half) * 100, (mean + half) * 100]
        told = (
            f"{candidate} {verdict} by {amount}"
            if verdict != "cannot tell"
            else f"Cannot tell {candidate} from {baseline}"
        )
        interval = f"[{ends[0]:.3g}, {ends[1]:.3g}]".replace("-", "−")
        view |= {
            "sentence": f"{told} {interval} on {n} rows: {up} up, {down} down, {n - up - down} same",
            "verdict": verdict,  # type: ignore[typeddict-item]
            "difference": mean,
            "low": mean - half,
            "high": mean + half,
            "baseline_mean": sum(a for a, _ in pairs) / n,
            "candidate_mean": sum(b for _, b in pairs) / n,
            "rows_needed": 1240 if verdict == "cannot tell" else None,
        }
        if part is None and not view["provisional"]:
            view["slices"] = [self._slice(run, baseline, candidate, scorer, name) for name in ("chat", "form", "mail")]
        if scorer == "category" and part is None:
            for guard in ("valid_json", "latency"):
                against = self.comparison(run, baseline, candidate, guard)
                view["guards"].append({"scorer": guard, "verdict": against["verdict"], "sentence": against["sentence"]})
        return view

    def _slice(self, run: str, baseline: str, candidate: str, scorer: str, name: str) -> SliceView:
        told = self.comparison(run, baseline, candidate, scorer, name)
        return {
            "name": name,
            "verdict": told["verdict"] or "cannot tell",
            "difference": told["difference"] or 0.0,
            "low": told["low"],
            "high": told["high"],
            "n": told["n"],
            "p": 0.04,
        }


class MemoryRun:
    """A run that answers by itself: each version is right more often than the one before."""

    def __init__(
        self,
        id: str,
        name: str,
        versions: list[str],
        suite: str,
        endpoint: str,
        session: Any,
        on_progress: Callable[[RunProgress], None],
    ) -> None:
        self.id, self.name, self.versions, self.suite, self.endpoint = id, name, versions, suite, endpoint
        self.session = session
        self.on_progress = on_progress
        self.answers: dict[int, dict[str, CellView]] = {}
        self.status = "running"
        self.done = self.errors = 0
        self.stop = threading.Event()
        self.began = time.monotonic()
        self.started_at = session.now()
        self.thread = threading.Thread(target=self._work, daemon=True)

    def progress(self) -> RunProgress:
        elapsed = time.monotonic() - self.began
        total = len(self.session.data) * len(self.versions)
        rate = self.done / elapsed if elapsed > 0.2 and self.status == "running" else None
        return {
            "run": self.id,
            "status": self.status,  # type: ignore[typeddict-item]
            "name": self.name,
            "versions": self.versions,
            "suite": self.suite,
            "endpoint": self.endpoint,
            "done": self.done,
            "total": total,
            "errors": self.errors,
            "cached": 0,
            "rate": rate,
            "seconds_left": (total - self.done) / rate if rate else None,
            "cost": self.done * 0.00021,
            "elapsed": elapsed,
            "started_at": self.started_at,
            "error": "nothing answers at http://127.0.0.1:1/v1: start the server, or correct the address"
            if self.status == "failed"
            else None,
            "details": "All connection attempts failed" if self.status == "failed" else None,
            "note": "the run stopped by itself: the rows so far tell #3 from #2" if self.status == "stopped" else None,
        }

    def go_on(self, on_progress: Callable[[RunProgress], None]) -> None:
        """Answers what is missing, in a thread again."""
        self.on_progress, self.status, self.began = on_progress, "running", time.monotonic()
        self.stop.clear()
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _work(self) -> None:
        if self.endpoint == "wrong":
            self.status = "failed"
            self.on_progress(self.progress())
            return
        for at in range(len(self.session.data)):
            if at == self.session.stops_at:
                self.status = "stopped"
                break
            known = self.answers.get(at, {})
            for version in self.versions:
                if version in known and not known[version]["error"]:
                    continue
                if version in known:
                    self.done, self.errors = self.done - 1, self.errors - 1
                cell = self._answer(at, version)
                self.answers.setdefault(at, {})[version] = cell
                self.done += 1
                self.errors += cell["error"] is not None
            if self.session.delay:
                self.on_progress(self.progress())
            if self.stop.wait(self.session.delay) if self.session.delay else self.stop.is_set():
                self.status = "cancelled"
                break
        else:
            self.status = "done"
        self.on_progress(self.progress())

    def _answer(self, at: int, version: str) -> CellView:
        dice = random.Random(f"{at}/{version}")
        right = random.Random(at).random() < 0.62 or dice.random() < 0.2 * int(version[1:2])
        wanted = self.session.data[at]["category"]
        category = wanted if right else CATEGORIES[(CATEGORIES.index(wanted) + 1) % len(CATEGORIES)]
        json_asked = version >= "#3"
        output = category
        if json_asked:
            output = json.dumps({"category": category, "urgent": at % 3 == 0, "order": None})
        if self.session.hostile:
            output = f"<img src=x onerror=\"window.hacked='output'\"><script>window.hacked='script'</script>{output}"
        failed = dice.random() < 0.012
        return {
            "output": "" if failed else output,
            "cut": False,
            "error": "The endpoint answered 429 five times: too many requests. Lower concurrency and run again."
            if failed
            else None,
            "pending": False,
            "scores": {}
            if failed
            else {"category": float(right), "valid_json": float(json_asked), "latency": 0.2 + dice.random() * 0.3},
            "change": None,
            "tokens_in": 96,
            "tokens_out": 4 if not json_asked else 21,
            "cost": 0.00021,
            "latency": 0.31,
            "cached": False,
            "model": "practice-1",
        }


def _scorer(name: str, **changes: Any) -> ScorerView:
    told = {"name": name, "kind": "score", "direction": "higher", "unit": "", "primary": False, "column": None}
    return cast(ScorerView, told | changes)


def _pending_cell() -> CellView:
    return {
        "output": "",
        "cut": False,
        "error": None,
        "pending": True,
        "scores": {},
        "change": "pending",
        "tokens_in": None,
        "tokens_out": None,
        "cost": None,
        "latency": None,
        "cached": False,
        "model": None,
    }
