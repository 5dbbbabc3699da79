"""How the versions of the run in sight compare: the verdicts, worked out beside what the page asks for."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import cast

from pressmark.widgets.commands import command
from pressmark.widgets.lanes import Lane, Throttle
from pressmark.widgets.panels import Desk, Panel, State
from pressmark.widgets.protocols import ComparisonView, ScorerView

VERDICT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Compared:
    """Which verdicts are asked for.

    Attributes:
        run: The run.
        scorer: By which scorer.
        pair: Baseline and candidate in sight, or None.
        candidates: All that are held against the baseline, the one in sight first.
        status: Where the run stood.
        public: The pair that the public verdict is about.
    """

    run: str
    scorer: str
    pair: tuple[str, str] | None
    candidates: tuple[str, ...]
    status: str
    public: tuple[str, str]


class Judging(Panel):
    """The verdicts of one run at a time.

    Attributes:
        lane: Where scores are compared. That takes a while, the first time above all, and what the page asks for does
            not wait for it.
        tell: Works them out anew, once a second at most.
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.lane = Lane("comparisons")
        self.tell = Throttle(self.soon, VERDICT_SECONDS)
        self._lock = threading.RLock()
        self._compared: Compared | None = None
        self._again = False
        self._begun = False

    @command()
    def choose_scorer(self, scorer: str) -> None:
        """Shows scores and verdict of this scorer."""
        self.desk.put("run", scorer=scorer)
        self.load()

    @command()
    def look_at(self, candidate: str) -> None:
        """Brings a candidate of the run in sight to the front: its verdict, and what counts as flipped."""
        self.desk.put("run", candidate=candidate)
        self.load()

    @command(lane="comparison", latest=True)
    def standings(self, run: str, scorer: str) -> State:
        """How the versions of a run stand: the numbers of the charts, which come after the rows."""
        self.leave_way()
        return cast(State, self.session.standings(run, scorer))

    def soon(self) -> None:
        """Names what is compared, and fills the verdicts once the page has what it asked for."""
        self.in_workspace(self.load, fills="verdict", key="verdict")

    def in_sight(self) -> tuple[str, str] | None:
        """Baseline and candidate of the run in sight.

        A run keeps its own baseline, whatever is picked for the next. Of several candidates the one picked is shown.
        """
        progress = self.desk.state("run").get("progress")
        if not progress or progress["run"] != self.desk.run:
            return None
        baseline, *others = progress["versions"]
        for candidate in (str(self.desk.state("run").get("candidate")), self.desk.version):
            if candidate in others:
                return str(baseline), candidate
        return baseline, (others[-1] if others else baseline)

    def load(self) -> None:
        """Names what is compared, and begins to compare it."""
        with self._lock:
            pair = self.in_sight()
            state = self.desk.state("run")
            scorer = state.get("scorer", "")
            candidates: list[str] = []
            if pair is not None and scorer and pair[0] != pair[1]:
                candidates = [pair[1], *(each for each in state["progress"]["versions"] if each not in pair)]
            status = state["progress"]["status"] if candidates else ""
            shown = self.desk.state("verdict")
            public = (self.desk.baseline, self.desk.version)
            asked = Compared(self.desk.run, scorer, pair, tuple(candidates), status, public)
            turned = (shown.get("run"), shown.get("pair")) != (asked.run, pair) or not candidates
            if turned or shown.get("scorer") != scorer:
                self.desk.put("verdict", ready=True, error=None, run=asked.run, scorer=scorer, pair=pair, items=[])
            if turned or pair != public:
                self.desk.verdict = ""
            if self._compared == asked:
                self._again = status == "running"  # there may be more answers than when it began
                return
            self._compared = asked if candidates else None
            if candidates:
                self._compare(asked, [])

    def _compare(self, asked: Compared, items: list[ComparisonView]) -> None:
        """Compares the next candidate, beside what the page asks for meanwhile."""
        if not items:
            self._again = False

        def one() -> None:
            if not self._begun:  # the first one loads what it counts with, which takes as long as all the rest
                self.leave_way()
                self._begun = True
            if asked != self._compared or asked.pair is None:
                return
            try:
                candidate = asked.candidates[len(items)]
                compared = [*items, self.session.comparison(asked.run, asked.pair[0], candidate, asked.scorer)]
                verdict = self._final_verdict(asked, compared)
            except Exception:
                with self._lock:
                    if asked != self._compared:
                        return  # nobody looks at what it was about any more
                    self._compared = None
                raise
            with self._lock:
                if asked != self._compared:  # another run or pair came into sight meanwhile
                    return
                before = self.desk.state("verdict").get("items") or []
                self.desk.put("verdict", ready=True, error=None, items=[*compared, *before[len(compared) :]])
                self.desk.verdict = verdict
                if len(compared) < len(asked.candidates):
                    self._compare(asked, compared)
                elif self._again:
                    self._compare(asked, [])
                else:
                    self._compared = None

        self.lane.submit(lambda: self._attempt(one, "verdict"), key="comparison")

    def _final_verdict(self, asked: Compared, items: list[ComparisonView]) -> str:
        """The public verdict: on the public pair, by the primary scorer, once the run has come to its end."""
        if asked.pair is None or not items or asked.status not in ("done", "stopped") or asked.pair != asked.public:
            return ""
        primary = primary_of(self.desk.state("run")["suite"]["scorers"])
        if items[0]["scorer"] == primary:
            return items[0]["verdict"] or ""
        return self.session.comparison(asked.run, *asked.pair, primary)["verdict"] or ""


def primary_of(scorers: list[ScorerView]) -> str:
    """The name of the primary scorer, or of the first where none is."""
    primary = [each["name"] for each in scorers if each["primary"]] or [each["name"] for each in scorers]
    return primary[0] if primary else ""
