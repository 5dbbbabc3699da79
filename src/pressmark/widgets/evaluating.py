"""The Evaluate panel's half in Python: what to run, the run in sight, and the order of its rows."""

from __future__ import annotations

import itertools
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import cast

from pressmark.errors import PressmarkError
from pressmark.widgets.commands import command, told
from pressmark.widgets.judging import Judging, primary_of
from pressmark.widgets.lanes import Lane, Throttle
from pressmark.widgets.panels import CALM_SECONDS, QUIET_SECONDS, Desk, Panel, State
from pressmark.widgets.protocols import (
    AskingView,
    BudgetView,
    OverrideView,
    RowFilter,
    RowSort,
    RowView,
    RunProgress,
)

PROGRESS_SECONDS = 0.2
SILENCE_SECONDS = 3.0
ORDERS_KEPT = 8
ROWS_AT_ONCE = 200
VERSIONS_AT_ONCE = 4
FIRST_ASKING: AskingView = {
    "repeats": 1,
    "concurrency": 8,
    "budget": {"money": None, "tokens": None, "calls": None, "minutes": None},
    "stop_when_sure": False,
}


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
        verdicts: How the versions of the run in sight compare.
    """

    def __init__(self, desk: Desk, scorer: str = "") -> None:
        super().__init__(desk)
        self._asked_scorer = scorer
        self.keeps_pair = ""
        self._latest: RunProgress | None = None
        self._heard = 0.0
        self._planning = Lane("planning")
        self.verdicts = Judging(desk)
        self._tell_progress = Throttle(self._put_progress, PROGRESS_SECONDS)
        self._orders: OrderedDict[int, Order] = OrderedDict()
        self._tokens = itertools.count(1)

    # What to run

    def load_catalog(self) -> None:
        """Fills datasets and suites, then, on the lane of what may be slow, endpoints."""
        suites = self.session.suites()
        known = {each["name"] for each in self.desk.state("catalog").get("suites", [])}
        self.desk.put("catalog", ready=True, error=None, datasets=self.session.datasets(), suites=suites)
        chosen = self.desk.state("evaluate").get("suite")
        suite = _kept(chosen, [each["name"] for each in suites])
        if any(each["prompt"] == self.desk.prompt and each["name"] not in known for each in suites):
            suite = self._suited(suite)  # by now there is one that was made for the prompt
        asking = self.desk.state("evaluate").get("asking") or FIRST_ASKING
        # What the run would cost was told of the other suite.
        untold = {} if suite == chosen else {"estimate": None, "estimate_error": None}
        self.desk.put("evaluate", ready=True, suite=suite, asking=asking, **untold)
        self.in_registry(self._load_endpoints, fills="catalog", key="endpoints")

    def prompt_changed(self) -> None:
        """Picks a suite for the open prompt, unless the chosen one may judge it."""
        self._pick_suite(self._suited(self.desk.state("evaluate").get("suite", "")))

    def _suited(self, chosen: str) -> str:
        """The chosen suite where it may judge the open prompt; else one that was made for it, or for no certain one."""
        of = {each["name"]: each["prompt"] for each in self.desk.state("catalog").get("suites", [])}
        if of.get(chosen, "") in (None, self.desk.prompt):
            return chosen
        fitting = [name for wanted in (self.desk.prompt, None) for name, prompt in of.items() if prompt == wanted]
        return fitting[0] if fitting else chosen

    def _load_endpoints(self) -> None:
        self.leave_way()
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
        known: list[str] = self.desk.state("evaluate").get("versions") or []
        # A third version, or one that is made for a run, stays where the pair is among what is chosen.
        among = versions[:1] == known[:1] and set(versions) <= set(known)
        if versions and not among:
            self.desk.put("evaluate", versions=versions, estimate=None, estimate_error=None)
            self.estimate_soon()
        self.verdicts.soon()

    def estimate_soon(self) -> None:
        """Asks what the run would cost, once somebody looks; only the last of several calls counts."""
        if self.desk.panel == "evaluate":
            self._planning.submit(self._estimate, key="estimate")

    def settle(self, seconds: float) -> bool:
        """Waits until nothing is planned or compared any more."""
        until = time.monotonic() + seconds
        lanes = (self._planning, self.verdicts.lane)
        return all(lane.settle(max(0.0, until - time.monotonic())) for lane in lanes)

    def close(self) -> None:
        """Ends the threads that plan and compare."""
        self._planning.close()
        self.verdicts.lane.close()

    def _estimate(self) -> None:
        self.leave_way()
        self.verdicts.lane.calm(QUIET_SECONDS, CALM_SECONDS)
        chosen = self.desk.state("evaluate")
        question = _question(self.desk.prompt, chosen)
        versions, suite, endpoint = chosen.get("versions") or [], chosen.get("suite"), chosen.get("endpoint")
        estimate, error = None, None
        if versions and suite and endpoint:
            try:
                asking = chosen.get("asking")
                estimate = self.session.estimate(self.desk.prompt, versions, suite, endpoint, asking, self.leave_way)
            except Exception as raised:  # noqa: BLE001 - the form stays usable, and says why there is no number
                error = told(raised)
        # Many rows take seconds to plan: by then something else may be chosen, and be planned next.
        if question == _question(self.desk.prompt, self.desk.state("evaluate")):
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
        """Picks the versions of the next run, the baseline first; the last saved one is the candidate in sight."""
        if len(versions) > VERSIONS_AT_ONCE:
            raise PressmarkError(
                f"a run compares {VERSIONS_AT_ONCE} versions at most: leave one out, or run the others afterwards"
            )
        overrides: dict[str, OverrideView] = self.desk.state("evaluate").get("overrides") or {}
        kept = {name: override for name, override in overrides.items() if name in versions}
        self.desk.put("evaluate", versions=versions, overrides=kept, estimate=None, estimate_error=None)
        # What is made for one run is known to this panel only: the others go on with saved versions.
        saved = [each for each in versions if each not in kept]
        if len(saved) > 1:
            self.desk.baseline, self.desk.version = saved[0], saved[-1]
        elif saved:
            self.desk.version = saved[0]
        self.desk.put("run", candidate="")
        self.desk.put("evaluate", versions=versions)
        self.verdicts.soon()
        self.estimate_soon()

    @command()
    def add_override(self, of: str, model: str | None, params: State) -> str:
        """Adds a version with another model or parameters to the next run, and returns what it is called."""
        chosen = self.desk.state("evaluate")
        versions: list[str] = chosen.get("versions") or []
        override: OverrideView = {"of": of, "model": model or None, "params": params}
        name = self.session.derive(self.desk.prompt, override)
        if name in versions:
            raise PressmarkError(f"{of} with these settings is in the run already, as {name}: change another one")
        self.desk.put("evaluate", overrides={**(chosen.get("overrides") or {}), name: override})
        self.choose_versions([*versions, name])
        return name

    @command()
    def keep_override(self, version: str) -> str:
        """Saves a version that was made for a run, and takes it by its number from now on."""
        saved = self.session.keep(self.desk.prompt, version)
        versions: list[str] = self.desk.state("evaluate").get("versions") or []
        self.choose_versions(list(dict.fromkeys(saved if each == version else each for each in versions)))
        return saved

    @command()
    def choose_asking(
        self,
        repeats: int,
        concurrency: int | None,
        budget: State,
        stop_when_sure: bool,
    ) -> None:
        """Picks how the next run asks."""
        asking: AskingView = {
            "repeats": repeats,
            "concurrency": concurrency,
            "budget": cast(BudgetView, {**FIRST_ASKING["budget"], **budget}),
            "stop_when_sure": stop_when_sure,
        }
        planned = self.desk.state("evaluate").get("asking") or FIRST_ASKING
        self.desk.put("evaluate", asking=asking)
        if (planned["repeats"], planned["concurrency"]) != (repeats, concurrency):
            self.desk.put("evaluate", estimate=None, estimate_error=None)
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
        asking = chosen.get("asking")
        run = self.session.start_run(self.desk.prompt, versions, suite, endpoint, self.progressed, asking)
        self.desk.run = run
        self.load_runs(self.desk.prompt)
        return run

    @command()
    def run_again(self, run: str, endpoint: str) -> str:
        """Takes a run up again on the endpoint given: only what has no answer is asked, errors among it."""
        asking = self.desk.state("evaluate").get("asking")
        again = self.session.resume_run(run, endpoint, self.progressed, asking)
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
    def correct_row(self, run: str, row: int, values: State, message: str) -> State:
        """Keeps a row with other values as the dataset's next version."""
        given = {str(name): str(value) for name, value in values.items()}
        return cast(State, self.session.correct_row(run, row, given, message))

    @command()
    def move_suites(self, dataset: str, suites: list[str]) -> list[str]:
        """Makes suites again on the dataset's newest rows."""
        moved = self.session.move_suites(dataset, suites)
        self.desk.put("evaluate", estimate=None, estimate_error=None)
        self.load_catalog()
        return moved

    def run_soon(self) -> None:
        """Fills the run in sight after `run` changed."""
        self.in_workspace(self._load_run, fills="run", key="run")

    def _load_run(self) -> None:
        run = self.desk.run
        if not run:
            self.desk.put("run", ready=True, error=None, progress=None, suite=None, scorer="", candidate="")
            self.verdicts.load()
            return
        progress, suite = self.session.run(run), self.session.run_suite(run)
        shown = self.desk.state("run").get("progress")
        if shown and shown["run"] == run and shown["done"] > progress["done"]:
            progress = shown  # a callback of the run itself came in between
        again = shown is not None and shown["run"] == run
        state = self.desk.state("run")
        known = [each["name"] for each in suite["scorers"]]
        chosen = [state.get("scorer") if again else "", self._asked_scorer, primary_of(suite["scorers"])]
        self.desk.put(
            "run",
            ready=True,
            error=None,
            progress=progress,
            suite=suite,
            scorer=next(name for name in chosen if name in known),
            candidate=state.get("candidate", "") if again else "",
        )
        if run != self.keeps_pair:
            self._pick_as(progress)
        elif not again:
            self._pick_suite(progress["suite"])
        self.verdicts.load()

    def _pick_as(self, progress: RunProgress) -> None:
        """Has the pickers say what the run in sight was of."""
        chosen = self.desk.state("evaluate")
        overrides = chosen.get("overrides") or {}
        named = {each["version"] for each in self.desk.state("versions").get("items") or []}
        saved = [each for each in progress["versions"] if each in named]
        versions = [each for each in progress["versions"] if each in named or each in overrides]
        if len(saved) > 1 and (self.desk.baseline != saved[0] or self.desk.version not in saved[1:]):
            self.desk.baseline, self.desk.version = saved[0], saved[-1]
        if versions != chosen.get("versions"):
            self.desk.put("evaluate", versions=versions, estimate=None, estimate_error=None)
            self.estimate_soon()
        self._pick_suite(progress["suite"])

    def _pick_suite(self, suite: str) -> None:
        suites = {each["name"] for each in self.desk.state("catalog").get("suites", [])}
        if suite in suites and suite != self.desk.state("evaluate").get("suite"):
            self.desk.put("evaluate", suite=suite, estimate=None, estimate_error=None)
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
            self.verdicts.tell()
        else:
            self._tell_progress.flush()
            self.verdicts.tell.flush()
            self.in_workspace(lambda: self._runs_again(progress["name"]), fills="runs", key="runs")

    def _runs_again(self, name: str) -> None:
        if name == self.desk.prompt:
            self.load_runs(name)

    def _put_progress(self) -> None:
        progress = self._latest
        if progress is not None and progress["run"] == self.desk.run:
            self.desk.put("run", progress=progress)

    # Its rows

    @command()
    def order(self, filter: RowFilter, sort: RowSort, search: str, slice: str | None = None, limit: int = 0) -> State:
        """Fixes an order of rows; returns its token, the counts and its first rows. `rows` pages through it."""
        pair = self.verdicts.in_sight()
        if pair is None:
            raise PressmarkError("no rows to show: this run is not open any more; choose a run above")
        self._catch_up()
        run, scorer = self.desk.run, self.desk.state("run").get("scorer", "")
        found = self.session.run_order(run, pair[0], pair[1], scorer, filter, sort, search, slice)
        token = next(self._tokens)
        self._orders[token] = Order(run, pair[0], pair[1], scorer, tuple(found["rows"]))
        while len(self._orders) > ORDERS_KEPT:
            self._orders.popitem(last=False)
        return {
            "token": token,
            "total": len(found["rows"]),
            "counts": found["counts"],
            "rows": self._rows_of(self._orders[token], 0, limit),
        }

    def _catch_up(self) -> None:
        """Asks where a run stands that nobody reports on, since another kernel runs it."""
        shown = self.desk.state("run").get("progress")
        if shown and shown["status"] == "running" and time.monotonic() - self._heard > SILENCE_SECONDS:
            self.progressed(self.session.run(shown["run"]))

    @command()
    def rows(self, token: int, offset: int, limit: int) -> State:
        """A page of an order."""
        return {"rows": self._rows_of(self._ordered(token), offset, limit)}

    def _rows_of(self, order: Order, offset: int, limit: int) -> list[RowView]:
        wanted = order.rows[max(offset, 0) : max(offset, 0) + min(max(limit, 0), ROWS_AT_ONCE)]
        return self.session.run_rows(order.run, wanted, order.baseline, order.scorer) if wanted else []

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
        pair = self.verdicts.in_sight()
        if pair is None:
            return []
        run, scorer = self.desk.run, self.desk.state("run").get("scorer", "")
        found = self.session.run_order(run, pair[0], pair[1], scorer, "all", "flipped", "")
        return self.session.run_rows(run, found["rows"][:count], pair[0], scorer)

    def _ordered(self, token: int) -> Order:
        order = self._orders.get(token)
        if order is None:
            raise PressmarkError("these rows were put aside since: choose a filter again to see them")
        self._orders.move_to_end(token)  # what is read in stays, however many newer ones a run that goes on brings
        return order


def _question(prompt: str, chosen: State) -> tuple[object, ...]:
    """What an estimate is the answer to."""
    asking = chosen.get("asking") or FIRST_ASKING
    of = (chosen.get("suite"), chosen.get("endpoint"), asking["repeats"], asking["concurrency"])
    return (prompt, tuple(chosen.get("versions") or ()), *of)


def _kept(chosen: str | None, names: list[str]) -> str:
    if chosen in names:
        return chosen or ""
    return names[0] if names else ""
