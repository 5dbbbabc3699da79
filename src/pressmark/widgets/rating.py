"""The Rate panel's half in Python: a rater's way through the outputs of a run, and the reveal at its end.

The page is never sent which version wrote what before the rater asks for it, nor which questions come a second time.
"""

from __future__ import annotations

from typing import cast

from pressmark.errors import RatingError
from pressmark.widgets.commands import command
from pressmark.widgets.panels import Desk, Panel, State
from pressmark.widgets.protocols import BlindSession, RatingKind


class Rating(Panel):
    """One rater at a time; who goes on later finds the answers that were kept."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._blind: BlindSession | None = None

    def load(self) -> None:
        """Fills what the run in sight offers; another run ends the session that was open."""
        run = self.desk.run
        blind = self._blind or self.session.begun_rating()
        self._blind = blind if blind is not None and blind.view()["run"] == run else None
        shown = self.desk.state("rate")
        revealed = shown.get("revealed") if shown.get("run") == run else None
        self.desk.put(
            "rate",
            ready=True,
            error=None,
            run=run,
            offer=self.session.ratable(run) if run else None,
            blind=self._blind.view() if self._blind is not None else None,
            revealed=revealed,
        )

    def load_soon(self) -> None:
        """Fills it soon, where somebody looks; only the last of several calls counts."""
        if self.desk.panel == "rate":
            self.in_workspace(self.load, fills="rate", key="rate")

    @command()
    def begin_rating(self, baseline: str, candidate: str, rater: str, kind: RatingKind) -> None:
        """Begins to rate, or goes on where this rater stopped."""
        self._blind = self.session.begin_rating(self.desk.run, baseline, candidate, rater, kind)
        self.desk.put("rate", blind=self._blind.view(), revealed=None)

    @command()
    def answer(self, number: int, choice: str) -> None:
        """Answers a question, unless the page was shown another one meanwhile."""
        blind = self._open()
        question = blind.view()["question"]
        if question is not None and question["number"] == number:
            blind.answer(choice)
        self.desk.put("rate", blind=blind.view())

    @command()
    def take_back(self, number: int) -> None:
        """Takes the answer before a question back, unless the page was shown another one meanwhile."""
        blind = self._open()
        if blind.view()["answered"] + 1 == number:
            blind.back()
        self.desk.put("rate", blind=blind.view(), revealed=None)

    @command()
    def pause_rating(self) -> None:
        """Ends the session in the page; what was answered is kept, and the same rater goes on from there."""
        self._blind = None
        self.desk.put("rate", blind=None, revealed=None, offer=self.session.ratable(self.desk.run))

    @command()
    def reveal(self, early: bool) -> None:
        """Shows which version was which, and what all raters of the run say."""
        self.desk.put("rate", revealed=self._open().reveal(early))

    @command()
    def rated_row(self, row: int) -> State:
        """A rated row with both outputs, once they were revealed."""
        if self.desk.state("rate").get("revealed") is None:
            raise RatingError("which version wrote what is told by the reveal: look at it first")
        return cast(State, self._open().texts(row))

    def _open(self) -> BlindSession:
        if self._blind is None:
            raise RatingError("nobody is rating here any more: begin again, the answers so far are kept")
        return self._blind
