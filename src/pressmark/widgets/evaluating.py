"""The Evaluate panel's half in Python: what to run, the run in sight, its verdicts, and the order of its rows."""

from __future__ import annotations

import itertools
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import cast

from pressmark.errors import PressmarkError
from pressmark.widgets.commands import command, told
from pressmark.widgets.lanes import Throttle
from pressmark.widgets.panels import Desk, Panel, State
from pressmark.widgets.protocols import ComparisonView, RowFilter, RowSort, RowView, RunProgress, ScorerView

PROGRESS_SECONDS = 0.2
VERDICT_SECONDS = 1.0
SILENCE_SECONDS = 3.0
ORDERS_KEPT = 8
ROWS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Order:
    """A list of rows as it was when the page asked for it: what is being read does not move.

    Attributes:
        run: The run.
        baseline: What the rows are compared with.
        candidate: The version judged.
        scorer: By which scorer.
        rows: Row numbers.
    """

    run: str
    baseline: str
    candidate: str
    scorer: str
    rows: tuple[int, ...]


class Evaluating(Panel):
    """Choices for the next run, and the run that is shown.

    Attributes:
        keeps_pair: A run that leaves `baseline` and `version` as they are when it is loaded; any other one brings its
            own into sight.
    """

    def __init__(self, desk: Desk, scorer: str = "") -> None:
        super().__init__(desk)
        self._asked_scorer = scorer
        self.keeps_pair = ""
        self._latest: RunProgress | None = None
        self._heard = 0.0
        self._tell_progress = Throttle(self._put_progress, PROGRESS_SECONDS)
        self._tell_verdict = Throttle(self.verdict_soon, VERDICT_SECONDS)
        self._orders: OrderedDict[int, Order] = OrderedDict()
        self._tokens = itertools.count(1)

    # What to run

    def load_catalog(self) -> None:
        """Fills datasets and suites, then, on the lane of what may be slow, endpoints."""
        suites = self.session.suites()
        self.desk.put("catalog", ready=True, error=None, datasets=self.session.datasets(), suites=suites)
        suite = _kept(self.desk.state("evaluate").get("suite"), [each["name"] for each in suites])
        self.desk.put("evaluate", ready=True, suite=suite)
        self.in_registry(self._load_endpoints, fills="catalog", key="endpoints")

    def _load_endpoints(self) -> None:
        endpoints = self.session.endpoints()
        self.desk.put("catalog", endpoints=endpoints)
        endpoint = _kept(self.desk.state("evaluate").get("endpoint"), [each["name"] for each in endpoints])
        self.desk.put("evaluate", endpoint=endpoint, estimate=None, estimate_error=None)
        self.estimate_soon()

    def load_runs(self, name: str) -> list[RunProgress]:
        """Fills the list of runs."""
        items = self.session.runs(name)
        self.desk.put("runs", ready=True, error=None, name=name, items=items)
        return items

    def versions_changed(self) -> None:
        """Follows the public traits `baseline` and `version`."""
        chosen = [each for each in (self.desk.baseline, self.desk.version) if each.startswith("#")]
        versions = list(dict.fromkeys(chosen))
        if versions != self.desk.state("evaluate").get("versions"):
            self.desk.put("evaluate", versions=versions, estimate=None, estimate_error=None)
            self.estimate_soon()
        self.verdict_soon()

    def estimate_soon(self) -> None:
        """Asks what the run would cost, once somebody looks; only the last of several calls counts."""
        if self.desk.panel == "evaluate":
            self.in_workspace(self._estimate, fills="evaluate", key="estimate")

    def _estimate(self) -> None:
        chosen = self.desk.state("evaluate")
        versions, suite, endpoint = chosen.get("versions") or [], chosen.get("suite"), chosen.get("endpoint")
        estimate, error = None, None
        if versions and suite and endpoint:
            try:
                estimate = self.session.estimate(self.desk.prompt, versions, suite, endpoint)
            except Exception as raised:  # noqa: BLE001 - the form stays usable, and says why there is no number
                error = told(raised)
        self.desk.put("evaluate", estimate=estimate, estimate_error=error)

    @command()
    def choose_suite(self, suite: str) -> None:
        """Picks the suite of the next run."""
        self.desk.put("evaluate", suite=suite, estimate=None)
        self.estimate_soon()

    @command()
    def choose_endpoint(self, endpoint: str) -> None:
        """Picks the endpoint of the next run."""
        self.desk.put("evaluate", endpoint=endpoint, estimate=None)
        self.estimate_soon()

    @command()
    def choose_versions(self, versions: list[str]) -> None:
        """Picks the versions of the next run, the baseline first; the last one is the candidate in sight."""
        self.desk.put("evaluate", versions=versions, estimate=None, estimate_error=None)
        if len(versions) > 1:
            self.desk.baseline, self.desk.version = versions[0], versions[-1]
        elif versions:
            self.desk.version = versions[0]
        self.desk.put("evaluate", versions=versions)
        self.estimate_soon()

    # The run in sight

    @command()
    def start_run(self) -> str:
        """Starts the run that is chosen; it goes on in the background."""
        chosen = self.desk.state("evaluate")
        versions: list[str] = chosen.get("versions") or []
        suite, endpoint = str(chosen.get("suite") or ""), str(chosen.get("endpoint") or "")
        for kind, choice in (("version", versions), ("suite", suite), ("endpoint", endpoint)):
            if not choice:
                raise PressmarkError(f"nothing was run: no {kind} is chosen; choose one, then run")
        run = self.session.start_run(self.desk.prompt, versions, suite, endpoint, self.progressed)
        self.desk.run = run
        self.load_runs(self.desk.prompt)
        return run

    @command()
    def run_again(self, run: str, endpoint: str) -> str:
        """Runs what a run was about once more, on the endpoint given; answers that are known are not asked for."""
        before = self.session.run(run)
        again = self.session.start_run(before["name"], before["versions"], before["suite"], endpoint, self.progressed)
        self.desk.put("evaluate", endpoint=endpoint, estimate=None, estimate_error=None)
        if again == self.desk.run:  # what was answered is taken up, under the same id
            self._load_run()
        self.desk.run = again
        self.load_runs(self.desk.prompt)
        return again

    @command(lane="now")
    def stop_run(self, run: str) -> None:
        """Stops a run; what was answered stays."""
        self.session.cancel_run(run)

    @command()
    def open_run(self, run: str) -> None:
        """Shows a run, with its own versions in sight."""
        self.keeps_pair = ""
        if run == self.desk.run:
            self._load_run()
        self.desk.run = run

    @command()
    def choose_scorer(self, scorer: str) -> None:
        """Shows scores and verdict of this scorer."""
        self.desk.put("run", scorer=scorer)
        self._load_verdict()

    def run_soon(self) -> None:
        """Fills the run in sight after `run` changed."""
        self.in_workspace(self._load_run, fills="run", key="run")

    def _load_run(self) -> None:
        run = self.desk.run
        if not run:
            self.desk.put("run", ready=True, error=None, progress=None, suite=None, scorer="")
            self._load_verdict()
            return
        progress, suite = self.session.run(run), self.session.run_suite(run)
        shown = self.desk.state("run").get("progress")
        if shown and shown["run"] == run and shown["done"] > progress["done"]:
            progress = shown  # a callback of the run itself came in between
        asked = self._asked_scorer in {each["name"] for each in suite["scorers"]}
        scorer = self._asked_scorer if asked else primary_of(suite["scorers"])
        self.desk.put("run", ready=True, error=None, progress=progress, suite=suite, scorer=scorer)
        if run != self.keeps_pair:
            self._pick_as(progress)
        self._load_verdict()

    def _pick_as(self, progress: RunProgress) -> None:
        """Has the pickers say what the run in sight was of."""
        versions = progress["versions"]
        if self.desk.baseline != versions[0] or self.desk.version not in versions[1:]:
            self.desk.baseline, self.desk.version = versions[0], versions[-1]
        suites = {each["name"] for each in self.desk.state("catalog").get("suites", [])}
        chosen = self.desk.state("evaluate")
        if (versions, progress["suite"]) != (chosen.get("versions"), chosen.get("suite")):
            suite = progress["suite"] if progress["suite"] in suites else chosen.get("suite")
            self.desk.put("evaluate", versions=versions, suite=suite, estimate=None, estimate_error=None)
            self.estimate_soon()

    def progressed(self, progress: RunProgress) -> None:
        """Takes a run's progress from whatever thread; the page hears of it five times a second at most."""
        if progress["status"] != "running":
            # By now there are more answers in the cache.
            self.desk.put("evaluate", estimate=None, estimate_error=None)
            self.estimate_soon()
        if progress["run"] != self.desk.run:
            if progress["status"] != "running":
                self.in_workspace(lambda: self._runs_again(progress["name"]), fills="runs", key="runs")
            return
        self._latest, self._heard = progress, time.monotonic()
        if progress["status"] == "running":
            self._tell_progress()
            self._tell_verdict()
        else:
            self._tell_progress.flush()
            self._tell_verdict.flush()
            self.in_workspace(lambda: self._runs_again(progress["name"]), fills="runs", key="runs")

    def _runs_again(self, name: str) -> None:
        if name == self.desk.prompt:
            self.load_runs(name)

    def _put_progress(self) -> None:
        progress = self._latest
        if progress is not None and progress["run"] == self.desk.run:
            self.desk.put("run", progress=progress)

    def verdict_soon(self) -> None:
        """Fills the verdicts; only the last of several calls counts."""
        self.in_workspace(self._load_verdict, fills="verdict", key="verdict")

    def in_sight(self) -> tuple[str, str] | None:
        """Baseline and candidate of the run in sight.

        A run keeps its own baseline, whatever is picked for the next. Of several candidates the one picked is shown.
        """
        progress = self.desk.state("run").get("progress")
        if not progress or progress["run"] != self.desk.run:
            return None
        baseline, *others = progress["versions"]
        candidate = self.desk.version if self.desk.version in others else (others[-1] if others else baseline)
        return baseline, candidate

    def _load_verdict(self) -> None:
        pair = self.in_sight()
        state = self.desk.state("run")
        scorer = state.get("scorer", "")
        items: list[ComparisonView] = []
        if pair is not None and scorer and pair[0] != pair[1]:
            others = [each for each in state["progress"]["versions"] if each not in pair]
            items = [self.session.comparison(self.desk.run, pair[0], each, scorer) for each in [pair[1], *others]]
        self.desk.put("verdict", ready=True, error=None, run=self.desk.run, scorer=scorer, pair=pair, items=items)
        self.desk.verdict = self._final_verdict(pair, items)

    def _final_verdict(self, pair: tuple[str, str] | None, items: list[ComparisonView]) -> str:
        """The public verdict: on the public pair, by the primary scorer, once the run is complete."""
        if pair is None or not items or items[0]["provisional"] or pair != (self.desk.baseline, self.desk.version):
            return ""
        primary = primary_of(self.desk.state("run")["suite"]["scorers"])
        if items[0]["scorer"] == primary:
            return items[0]["verdict"] or ""
        return self.session.comparison(self.desk.run, pair[0], pair[1], primary)["verdict"] or ""

    # Its rows

    @command()
    def order(self, filter: RowFilter, sort: RowSort, search: str, slice: str | None = None) -> State:
        """Fixes an order of rows and returns its token with the counts; `rows` pages through it."""
        pair = self.in_sight()
        if pair is None:
            raise PressmarkError("no rows to show: this run is not open any more; choose a run above")
        self._catch_up()
        run, scorer = self.desk.run, self.desk.state("run").get("scorer", "")
        found = self.session.run_order(run, pair[0], pair[1], scorer, filter, sort, search, slice)
        token = next(self._tokens)
        self._orders[token] = Order(run, pair[0], pair[1], scorer, tuple(found["rows"]))
        while len(self._orders) > ORDERS_KEPT:
            self._orders.popitem(last=False)
        return {"token": token, "total": len(found["rows"]), "counts": found["counts"], "first": found["rows"][:40]}

    def _catch_up(self) -> None:
        """Asks where a run stands that nobody reports on, since another kernel runs it."""
        shown = self.desk.state("run").get("progress")
        if shown and shown["status"] == "running" and time.monotonic() - self._heard > SILENCE_SECONDS:
            self.progressed(self.session.run(shown["run"]))

    @command()
    def rows(self, token: int, offset: int, limit: int) -> State:
        """A page of an order."""
        order = self._ordered(token)
        wanted = order.rows[max(offset, 0) : max(offset, 0) + min(max(limit, 0), ROWS_AT_ONCE)]
        return {"rows": self.session.run_rows(order.run, wanted, order.baseline, order.scorer)}

    @command()
    def row(self, token: int, position: int) -> State:
        """One row of an order in full."""
        order = self._ordered(token)
        if not 0 <= position < len(order.rows):
            raise PressmarkError(f"there is no row at position {position + 1} of {len(order.rows)}: choose another")
        return cast(State, self.session.run_row(order.run, order.rows[position], order.baseline, order.scorer))

    @command()
    def next_flip(self, token: int, position: int, step: int) -> State:
        """The position of the next flipped row of an order, or of the one before where `step` is negative; or None."""
        order = self._ordered(token)
        flipped = self.session.run_order(order.run, order.baseline, order.candidate, order.scorer, "flipped", "row", "")
        rows = set(flipped["rows"])
        ahead = range(position + 1, len(order.rows)) if step > 0 else range(min(position, len(order.rows)) - 1, -1, -1)
        return {"position": next((at for at in ahead if order.rows[at] in rows), None)}

    def first_rows(self, count: int) -> list[RowView]:
        """The first rows of the run in sight, flipped ones first; none without a run."""
        pair = self.in_sight()
        if pair is None:
            return []
        run, scorer = self.desk.run, self.desk.state("run").get("scorer", "")
        found = self.session.run_order(run, pair[0], pair[1], scorer, "all", "flipped", "")
        return self.session.run_rows(run, found["rows"][:count], pair[0], scorer)

    def _ordered(self, token: int) -> Order:
        order = self._orders.get(token)
        if order is None:
            raise PressmarkError("these rows were put aside since: choose a filter again to see them")
        return order


def primary_of(scorers: list[ScorerView]) -> str:
    """The name of the primary scorer, or of the first where none is."""
    primary = [each["name"] for each in scorers if each["primary"]] or [each["name"] for each in scorers]
    return primary[0] if primary else ""


def _kept(chosen: str | None, names: list[str]) -> str:
    if chosen in names:
        return chosen or ""
    return names[0] if names else ""
