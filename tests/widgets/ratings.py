"""Blind ratings in memory, for the stand-in session: questions and verdict are the real ones, only the store is not."""

from __future__ import annotations

from typing import Any, cast

from pressmark.evals.rating import PAIR_CHOICES, Kind, Rating, graded, preferences, questions, result
from pressmark.widgets.protocols import BlindView, RatableView, RatedTextsView, RatedView, RatingKind


class MemoryRatings:
    """The part of the stand-in that has outputs rated."""

    data: list[dict[str, str]]
    _runs: dict[str, Any]
    _ratings: dict[str, list[Rating]]

    def ratable(self, run: str) -> RatableView:
        """What the run offers."""
        found = self._runs[run]
        raters = {rating.rater for rating in self._given(run)}
        return {
            "run": run,
            "suite": found.suite,
            "versions": list(found.versions),
            "rows": len(self.data),
            "author": "ana",
            "raters": [
                {
                    "rater": rater,
                    "kind": "pairwise",
                    "answers": sum(rating.rater == rater for rating in self._given(run)),
                }
                for rater in sorted(raters)
            ],
            "why_not": "the run is still going: rating begins when it has ended" if found.status == "running" else "",
        }

    def begin_rating(self, run: str, baseline: str, candidate: str, rater: str, kind: RatingKind) -> MemoryBlind:
        """Begins, or goes on."""
        return MemoryBlind(self, run, (baseline, candidate), rater, kind)

    def begun_rating(self) -> None:
        """Nothing was begun before."""

    def _given(self, run: str) -> list[Rating]:
        return self.__dict__.setdefault("_ratings", {}).setdefault(run, [])


class MemoryBlind:
    """A session over a run in memory; versions are their own digests."""

    def __init__(self, ratings: MemoryRatings, run: str, pair: tuple[str, str], rater: str, kind: Kind) -> None:
        self._ratings, self._run, self._pair, self._rater, self._kind = ratings, run, pair, rater, kind
        answers = ratings._runs[run].answers
        self._texts = {
            (row, version): str(cells[version]["output"])
            for row, cells in answers.items()
            for version in pair
            if not cells[version]["error"]
        }
        self._questions = questions(
            dict(enumerate(ratings.data)), self._texts, pair, kind=kind, seed=f"{run}/{rater}", again=0.1
        )
        given = [
            each for each in ratings._given(run) if each.rater == rater and bool(each.right) == (kind == "pairwise")
        ]
        self._answered = len({(each.row, each.again, each.left if not each.right else "") for each in given})

    def view(self) -> BlindView:
        """Where the rater stands."""
        question = self._questions[self._answered] if self._answered < len(self._questions) else None
        choices = PAIR_CHOICES if self._kind == "pairwise" else ("1", "2", "3", "4", "5", "skip")
        return {
            "run": self._run,
            "rater": self._rater,
            "kind": self._kind,
            "pair": list(self._pair),
            "choices": list(choices),
            "answered": self._answered,
            "total": len(self._questions),
            "question": None
            if question is None
            else {
                "number": self._answered + 1,
                "values": [(name, str(value)) for name, value in question.values.items()],
                "texts": list(question.texts),
            },
        }

    def answer(self, choice: str) -> None:
        """Keeps an answer."""
        question = self._questions[self._answered]
        left, right = (*question.versions, "")[:2]
        self._ratings._given(self._run).append(Rating(question.row, left, right, choice, self._rater, question.again))
        self._answered += 1

    def back(self) -> None:
        """Goes one question back."""
        self._answered = max(0, self._answered - 1)

    def reveal(self, early: bool) -> RatedView:
        """The verdict on what was given."""
        given = self._ratings._given(self._run)
        told = graded(given, *self._pair, names=self._pair) if self._kind == "pointwise" else None
        told = told or result(given, *self._pair, names=self._pair)
        rows = [
            {
                "row": row,
                "text": str(next(iter(self._ratings.data[row].values()))),
                "change": "better" if value > 0.5 else "worse" if value < 0.5 else "same",
                "votes": [(rater, {0.0: self._pair[0], 0.5: "tie", 1.0: self._pair[1]}[value])],
            }
            for (row, rater, again), value in preferences(given, *self._pair).items()
            if value is not None and not again
        ]
        return cast(
            RatedView,
            {
                "run": self._run,
                "kind": self._kind,
                "baseline": told.baseline,
                "candidate": told.candidate,
                "sentence": told.sentence,
                "verdict": told.verdict,
                "difference": told.result.difference,
                "low": told.result.low,
                "high": told.result.high,
                "n": told.result.n,
                "test": told.result.test,
                "votes": None if told.votes is None else [told.votes.a, told.votes.b, told.votes.ties],
                "vote_sentence": "" if told.votes is None else told.votes.sentence(*self._pair),
                "raters": list(told.raters.items()),
                "skipped": told.skipped,
                "identical": told.identical,
                "repeated": 0,
                "agreements": [(each.who, each.kappa.sentence()) for each in told.agreements],
                "rows": rows,
            },
        )

    def texts(self, row: int) -> RatedTextsView:
        """A row in full."""
        return {
            "values": [(name, str(value)) for name, value in self._ratings.data[row].items()],
            "texts": [self._texts.get((row, version), "not answered") for version in self._pair],
        }
