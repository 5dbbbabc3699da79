"""Suites, endpoints and runs, as the workbench sees them."""

from __future__ import annotations

import math
import re
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from pressmark import stats
from pressmark.api.runner import Runner
from pressmark.api.runs import Run
from pressmark.api.session.asking import Asking
from pressmark.api.session.bodies import as_text, short
from pressmark.api.session.correcting import Correcting
from pressmark.api.session.full_row import Told
from pressmark.api.session.outline import Outline
from pressmark.api.session.pace import Pace
from pressmark.api.session.standing import standings
from pressmark.errors import EndpointError, NotFoundError, PressmarkError, StatsError
from pressmark.evals.plan import order_of
from pressmark.widgets.protocols import (
    CellView,
    ComparisonView,
    DatasetView,
    EndpointView,
    GuardView,
    OrderView,
    RowFilter,
    RowSort,
    RowView,
    RunProgress,
    RunStatus,
    SliceView,
    StandingsView,
    SuiteView,
)

if TYPE_CHECKING:
    from pressmark import workspace as files
    from pressmark.api.registry import Registry
    from pressmark.api.workspace import Workspace
    from pressmark.evals.comparison import Comparison, Slice
    from pressmark.providers import Endpoint

SHORT_VALUE = 200
MOST_RUNS = 50
MODELS_SECONDS = 1.0
RUNS_KEPT = 8


class Evaluating(Asking, Correcting):
    """Runs, what they need and what came out of them."""

    def __init__(self, workspace: Workspace | None = None, registry: Registry | None = None) -> None:
        super().__init__(workspace, registry)
        self._variables: dict[str, tuple[str, ...]] = {}
        self._looked: OrderedDict[str, Run] = OrderedDict()
        self._outlines: dict[str, Outline] = {}
        self._paces: dict[str, Pace] = {}

    def datasets(self) -> list[DatasetView]:
        """The datasets, by name."""
        told = self._store.datasets()
        views: list[DatasetView] = [
            {"name": str(row["name"]), "rows": int(row["rows"]), "columns": [str(name) for name in row["columns"]]}
            for row in told.to_dict("records")
        ]
        return sorted(views, key=lambda view: view["name"])

    def suites(self) -> list[SuiteView]:
        """The suites, by name."""
        told = self._store.suites()
        rows = self._store.row_counts()
        views = [Outline.of(spec, self._workspace.functions).view(rows) for spec in told["spec"]]
        return sorted(views, key=lambda view: view["name"])

    def endpoints(self) -> list[EndpointView]:
        """The endpoints."""
        return [_endpoint_view(endpoint) for endpoint in self._workspace.endpoints()]

    def runs(self, name: str) -> list[RunProgress]:
        """The runs of a prompt, the newest first."""
        alive = self._store.running()
        return [self._progress(kept, alive) for kept in self._store.runs(name, MOST_RUNS)]

    def run(self, run: str) -> RunProgress:
        """Where a run stands."""
        return self._progress(self._store.run(run), None)

    def run_suite(self, run: str) -> SuiteView:
        """The suite as it was when the run began."""
        spec = self._store.suite_spec(self._run(run).suite_digest)
        return Outline.of(spec, self._workspace.functions).view(self._store.row_counts())

    def run_order(
        self,
        run: str,
        baseline: str,
        candidate: str,
        scorer: str,
        filter: RowFilter,
        sort: RowSort,
        search: str,
        slice: str | None = None,
    ) -> OrderView:
        """Which rows to show."""
        found = self._run(run)
        suite = self._outline(found)
        inside = None
        if slice is not None and (column := suite.slice) is not None:
            rows = self._store.dataset_rows(suite.digest)
            inside = [number for number, row in rows.items() if as_text(row.get(column)) == slice]
        order = self._store.run_order(
            run,
            [found.digest_of(baseline), found.digest_of(candidate)],
            scorer,
            direction=suite.scorer(scorer).direction,
            filter=filter,
            sort=sort,
            search=search,
            within=inside,
        )
        return {"rows": list(order.rows), "counts": dict(order.counts)}

    def run_rows(self, run: str, rows: Sequence[int], baseline: str, scorer: str) -> list[RowView]:
        """These rows, texts cut short."""
        found = self._run(run)
        inputs = self._inputs(found)
        cells = self._cells(found, rows, baseline, scorer, whole=False)
        return [_row_view(row, found, inputs, cut=True) for row in cells]

    def run_row(self, run: str, row: int, baseline: str, scorer: str) -> RowView:
        """One row in full."""
        found = self._run(run)
        cells = self._cells(found, [row], baseline, scorer, whole=True)
        view = _row_view(cells[0], found, self._inputs(found), cut=False)
        told = Told(found, self._store.records_of_row(run, row), cells[0].values)
        for name, cell in view["cells"].items():
            cell["request"], cell["full"] = told.of(name)
            cell["score_errors"] = dict(cells[0].cells[found.digest_of(name)].score_errors)
        return view

    def standings(self, run: str, scorer: str) -> StandingsView:
        """How the run's versions stand by a scorer."""
        found = self._run(run)
        scores = {name: self._store.row_means(run, found.digest_of(name), scorer) for name in found.versions}
        costs = {name: self._store.mean_cost(run, found.digest_of(name)) for name in found.versions}
        return standings(self._outline(found).scorer(scorer), scores, costs)

    def comparison(self, run: str, baseline: str, candidate: str, scorer: str) -> ComparisonView:
        """The verdict."""
        found = self._workspace.run(run)
        suite = found.suite
        provisional = found.status == "running"
        view = _comparison_view(found, baseline, candidate, scorer, provisional)
        if scorer == suite.primary:
            for guard in suite.guards:
                told = _comparison_view(found, baseline, candidate, guard.name, provisional)
                view["guards"].append(_guard(told))
        return view

    def _run(self, run: str) -> Run:
        """A run that was looked at before: what is read of it here never changes."""
        if run not in self._looked:
            self._looked[run] = self._workspace.run(run)
            while len(self._looked) > RUNS_KEPT:
                self._looked.popitem(last=False)
        return self._looked[run]

    def _outline(self, run: Run) -> Outline:
        """The suite of a run, without its rows: to read 100,000 takes longer than to draw the page."""
        if run.id not in self._outlines:
            spec = self._store.suite_spec(run.suite_digest)
            self._outlines[run.id] = Outline.of(spec, self._workspace.functions)
        return self._outlines[run.id]

    def _cells(self, run: Run, rows: Sequence[int], baseline: str, scorer: str, *, whole: bool) -> list[files.Row]:
        first = run.digest_of(baseline)
        digests = [first, *(digest for digest in map(run.digest_of, run.versions) if digest != first)]
        cut = {"cut": None} if whole else {}
        return self._store.run_rows(
            run.id, digests, rows, scorer, direction=self._outline(run).scorer(scorer).direction, **cut
        )

    def _inputs(self, run: Run) -> list[str]:
        """The variables of the run's versions, in the order of their first use."""
        if run.id not in self._variables:
            with suppress(PressmarkError):
                names = dict.fromkeys(name for chain in run.chains for name in chain.version.unit.variables)
                self._variables[run.id] = tuple(names)
        return list(self._variables.get(run.id, ()))

    def _progress(self, kept: files.Run, alive: set[str] | None) -> RunProgress:
        runner = self._workspace.runners.get(kept.run_id)
        told: dict[str, Any] = {
            "run": kept.run_id,
            "name": kept.prompt or "",
            "versions": [version["version"] for version in kept.spec["versions"]],
            "suite": kept.spec["suite"]["name"],
            "endpoint": kept.spec["endpoint"]["name"],
            "started_at": kept.started_at.isoformat(),
            **_why(kept),
            "rate": None,
            "seconds_left": None,
        }
        if runner is not None:
            pace = self._paces.setdefault(kept.run_id, Pace())
            return cast("RunProgress", told | _live(runner, pace))
        self._paces.pop(kept.run_id, None)
        tally = self._store.tally(kept.run_id)
        ended = kept.finished_at or datetime.now(UTC)
        return cast(
            "RunProgress",
            told
            | {
                "status": self._status(kept, alive),
                "done": tally.done,
                "total": self._total(kept, tally.done),
                "errors": tally.errors,
                "cached": tally.cached,
                "cost": tally.cost,
                "elapsed": max(0.0, (ended - kept.started_at).total_seconds()),
            },
        )

    def _status(self, kept: files.Run, alive: set[str] | None) -> RunStatus:
        if kept.status in ("done", "stopped", "cancelled", "failed"):
            return cast("RunStatus", kept.status)
        living = self._store.running() if alive is None else alive
        return "running" if kept.run_id in living else "cancelled"

    def _total(self, kept: files.Run, done: int) -> int:
        if kept.status == "done":
            return done
        try:
            spec = self._store.suite_spec(kept.spec["suite"]["digest"])
        except NotFoundError:
            return done
        rows = self._store.row_counts().get((spec["dataset"]["name"], spec["dataset"]["digest"]))
        if rows is None:
            return done  # its dataset was deleted: no more can come
        return rows * len(kept.spec["versions"]) * int(kept.spec["repeats"])


def _endpoint_view(endpoint: Endpoint) -> EndpointView:
    models = _models(endpoint)
    return {
        "name": endpoint.name,
        "base_url": endpoint.base_url,
        "key_env": endpoint.key_env,
        "key_present": endpoint.key_present,
        "practice": any(model.startswith("pressmark-practice") for model in models),
        "models": models,
    }


def _models(endpoint: Endpoint) -> list[str]:
    """The models that the endpoint offers; none where it does not tell within a second."""
    from openai import OpenAI, OpenAIError

    if not endpoint.key_present:
        return []
    try:
        key = endpoint.key() or "none"
        with OpenAI(base_url=endpoint.base_url, api_key=key, timeout=MODELS_SECONDS, max_retries=0) as client:
            return sorted(model.id for model in client.models.list())
    except (OpenAIError, EndpointError, ValueError):
        return []


def _why(kept: files.Run) -> dict[str, str | None]:
    """Why a run ended where it did."""
    note = kept.note or ""
    if kept.status != "failed":
        return {"error": None, "details": None, "note": note if kept.status == "stopped" and note else None}
    # What the HTTP client said stands behind the advice: it is for whoever looks closer.
    sentence, advice, details = note.partition("correct the address")
    return {
        "error": (sentence + advice) or "The run failed, and no reason was kept: run it again",
        "details": details.strip(" ;.") or None,
        "note": None,
    }


def _live(runner: Runner, pace: Pace) -> dict[str, Any]:
    now = runner.progress
    rate = pace.rate(now.elapsed, now.done)
    return {
        "status": "running",
        "done": now.done,
        "total": now.total,
        "errors": now.errors,
        "cached": now.cached,
        "cost": now.cost,
        "elapsed": now.elapsed,
        "rate": rate,
        "seconds_left": (now.total - now.done) / rate if rate else None,
    }


def _row_view(row: files.Row, run: Run, inputs: Sequence[str], *, cut: bool) -> RowView:
    names = {run.digest_of(name): name for name in run.versions}
    first = [name for name in inputs if name in row.values]
    values = {
        name: short(row.values[name], SHORT_VALUE) if cut else as_text(row.values[name])
        for name in dict.fromkeys([*first, *row.values])
    }
    return {
        "row": row.row,
        "values": values,
        "inputs": first,
        "cells": {names[digest]: _cell_view(cell) for digest, cell in row.cells.items()},
    }


def _cell_view(cell: files.Cell) -> CellView:
    return {
        "output": cell.output,
        "cut": cell.cut,
        "error": cell.error,
        "pending": cell.pending,
        "scores": dict(cell.scores),
        "change": cell.change,
        "tokens_in": cell.tokens_in,
        "tokens_out": cell.tokens_out,
        "cost": cell.cost,
        "latency": cell.latency,
        "cached": cell.cached,
        "model": cell.model,
    }


def _comparison_view(run: Run, baseline: str, candidate: str, scorer: str, provisional: bool) -> ComparisonView:
    try:
        told = run.compare(baseline, candidate, scorer=scorer, sequence=False)
    except StatsError as error:
        return _no_comparison(baseline, candidate, scorer, str(error), provisional)
    except PressmarkError as error:
        return _no_comparison(baseline, candidate, scorer, str(error), False)
    # A run that chose its own end was looked at while it went on: only the sequence's interval holds then.
    sequential = provisional or run.status == "stopped" or run.method == "sequence"
    return _sequential(told, run, provisional) if sequential else _verdict(told)


def _verdict(told: Comparison) -> ComparisonView:
    n = len(told.rows)
    return {
        "baseline": told.baseline,
        "candidate": told.candidate,
        "scorer": told.scorer,
        "sentence": plain_sentence(told),
        "verdict": told.verdict,
        "difference": told.difference,
        "low": _end(told.low),
        "high": _end(told.high),
        "n": told.n,
        "up": told.up,
        "down": told.down,
        "same": told.same,
        "baseline_mean": math.fsum(told.before) / n if n else None,
        "candidate_mean": math.fsum(told.after) / n if n else None,
        "provisional": False,
        "rows_needed": told.rows_needed if told.verdict == "cannot tell" else None,
        "test": told.test,
        "guards": [],
        "slices": [_slice_view(part) for part in told.slices],
    }


def _slice_view(part: Slice) -> SliceView:
    return {
        "name": as_text(part.name),
        "verdict": part.verdict,
        "difference": part.result.difference,
        "low": _end(part.result.low),
        "high": _end(part.result.high),
        "n": part.result.n,
        "p": part.p,
    }


def _end(value: float) -> float | None:
    return value if math.isfinite(value) else None


def plain_sentence(told: Comparison) -> str:
    """The sentence as a page shows it, with a minus that is one."""
    return minus(told.sentence)


def minus(text: str) -> str:
    """A text with minus signs that are some."""
    return re.sub(r"(?<![\w.)\]-])-(?=[\d.])", "−", text)


def _sequential(told: Comparison, run: Run, provisional: bool) -> ComparisonView:
    """What may be said while a run streams: an interval that stays valid however often it is looked at."""
    view = _verdict(told)
    suite = run.suite
    planned = len(suite.dataset)
    # In the order in which the run asks: the sequence is of what was seen, one row after the other.
    pairs = dict(zip(told.rows, zip(told.before, told.after, strict=True), strict=True))
    seen = [pairs[row] for row in order_of(suite.dataset) if row in pairs]
    scorer = suite.scorer(told.scorer)
    sequence = stats.sequential(
        [before for before, _ in seen],
        [after for _, after in seen],
        planned,
        direction=scorer.direction,
        bounded=scorer.kind == "score",
    )
    view |= {"provisional": provisional, "rows_needed": None, "test": "confidence sequence", "verdict": None}
    view["slices"] = []
    so_far = f"on {told.n:,} of {planned:,} rows{' so far' if provisional else ''}"
    if sequence is None:
        view |= {"low": None, "high": None, "difference": None}
        view["sentence"] = f"{told.candidate} against {told.baseline}: too early to tell, {so_far}"
        return view
    verdict = sequence.verdict
    view |= {"low": _end(sequence.low), "high": _end(sequence.high), "difference": sequence.difference}
    view["verdict"] = verdict
    low, high = sequence.low, sequence.high
    change = stats.measured(sequence.difference, low, high, told.unit, without="(no interval yet)")
    word = verdict if verdict != "cannot tell" else "not told apart yet" if provisional else "not told apart"
    view["sentence"] = minus(f"{told.candidate} {word}: {change} {so_far}")
    return view


def _no_comparison(baseline: str, candidate: str, scorer: str, sentence: str, provisional: bool) -> ComparisonView:
    return {
        "baseline": baseline,
        "candidate": candidate,
        "scorer": scorer,
        "sentence": sentence,
        "verdict": None,
        "difference": None,
        "low": None,
        "high": None,
        "n": 0,
        "up": 0,
        "down": 0,
        "same": 0,
        "baseline_mean": None,
        "candidate_mean": None,
        "provisional": provisional,
        "rows_needed": None,
        "test": "",
        "guards": [],
        "slices": [],
    }


def _guard(told: ComparisonView) -> GuardView:
    return {"scorer": told["scorer"], "verdict": told["verdict"], "sentence": told["sentence"]}
