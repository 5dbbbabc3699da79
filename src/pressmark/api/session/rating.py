"""Blind ratings, as the workbench sees them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pressmark.api.rating import RatingSession, kept
from pressmark.api.session.bodies import as_text
from pressmark.api.session.part import Part
from pressmark.evals.rating import SKIP, RatingResult, grades, preferences
from pressmark.widgets.protocols import (
    BlindSession,
    BlindView,
    RatableView,
    RatedRowView,
    RatedTextsView,
    RatedView,
    RatingKind,
)

if TYPE_CHECKING:
    from pressmark.api.runs import Run
    from pressmark.evals.rating import Rating as Answer


# Characters of a row's text that a list shows.
EXCERPT = 200


class Rating(Part):
    """Who rates what."""

    _rating: RatingSession | None = None

    def ratable(self, run: str) -> RatableView:
        """What a run offers to be rated."""
        found = self._workspace.run(run)
        counted = Counter(
            (answer.rater, "pairwise" if answer.right else "pointwise") for answer in _last(kept(self._store, run))
        )
        return {
            "run": run,
            "suite": found.suite_name,
            "versions": list(found.versions),
            "rows": len(found.suite.dataset),
            "author": self._workspace.author,
            "raters": [
                {"rater": rater, "kind": "pairwise" if kind == "pairwise" else "pointwise", "answers": number}
                for (rater, kind), number in sorted(counted.items())
            ],
            # The order of the questions is drawn from the answers that there are: it has to stay.
            "why_not": "the run is still going: rating begins when it has ended" if found.status == "running" else "",
        }

    def begin_rating(self, run: str, baseline: str, candidate: str, rater: str, kind: RatingKind) -> BlindSession:
        """Begin to rate, or go on where this rater stopped."""
        found = self._workspace.run(run)
        return Blind(self._workspace.rate(found, baseline, candidate, rater=rater.strip() or " ", kind=kind), self)

    def begun_rating(self) -> BlindSession | None:
        """The session that was begun in Python."""
        return None if self._rating is None else Blind(self._rating, self)

    def values(self, run: Run, row: int) -> list[tuple[str, str]]:
        """A row's values, also those that no rater sees, what the versions read first."""
        values = run.suite.dataset.rows[row]
        read = [name for name in self._read(run) if name in values]
        return [(name, as_text(values[name])) for name in dict.fromkeys([*read, *values])]

    def rows(self, run: Run, pair: tuple[str, str], kind: RatingKind) -> list[RatedRowView]:
        """What raters said, row by row."""
        answers = kept(self._store, run.id)
        votes = _pairs(answers, run, pair) if kind == "pairwise" else _grades(answers, run, pair)
        read = self._read(run)
        rows: list[RatedRowView] = []
        for row, (lean, told) in sorted(votes.items()):
            values = run.suite.dataset.rows[row]
            first = next((as_text(values[name]) for name in (*read, *values) if name in values), "")
            rows.append(
                {
                    "row": row,
                    "text": first[:EXCERPT],
                    "change": "better" if lean > 0 else "worse" if lean < 0 else "same",
                    "votes": told,
                }
            )
        return rows

    def repeated(self, run: Run) -> int:
        """How many questions were asked twice and answered both times."""
        keys = {
            (answer.row, frozenset((answer.left, answer.right)), answer.rater, answer.again): answer.choice
            for answer in kept(self._store, run.id)
        }
        said = {key for key, choice in keys.items() if choice != SKIP}
        return sum(key[3] and (*key[:3], False) in said for key in said)

    def _read(self, run: Run) -> list[str]:
        """The variables of the run's versions."""
        found: dict[str, None] = {}
        for name in run.versions:
            for version in self._store.versions_with_digest(run.digest_of(name))[:1]:
                found |= dict.fromkeys(version.unit.variables)
        return list(found)


class Blind:
    """A session of `ws.rate` for a page: texts and values, and no word of who wrote what."""

    def __init__(self, session: RatingSession, part: Rating) -> None:
        self._session = session
        self._part = part

    def view(self) -> BlindView:
        """Where the rater stands."""
        session = self._session
        question = session.question
        return {
            "run": session.run.id,
            "rater": session.rater,
            "kind": session.kind,
            "pair": list(session.names),
            "choices": list(session.choices),
            "answered": session.answered,
            "total": session.total,
            "question": None
            if question is None
            else {
                "number": session.answered + 1,
                "values": [(name, as_text(value)) for name, value in question.values.items()],
                "texts": list(question.texts),
            },
        }

    def answer(self, choice: str) -> None:
        """Answer the question."""
        self._session.answer(choice)

    def back(self) -> None:
        """Take the last answer back."""
        self._session.back()

    def reveal(self, early: bool) -> RatedView:
        """Say which version was which."""
        session = self._session
        return self._told(session.reveal(early=early))

    def texts(self, row: int) -> RatedTextsView:
        """A row with both outputs."""
        run, pair = self._session.run, self._pair
        texts = run.answers_of([row], pair)
        return {
            "values": self._part.values(run, row),
            "texts": [texts.get((row, version), "not answered") for version in pair],
        }

    @property
    def _pair(self) -> tuple[str, str]:
        run, names = self._session.run, self._session.names
        return run.digest_of(names[0]), run.digest_of(names[-1])

    def _told(self, result: RatingResult) -> RatedView:
        session, votes = self._session, result.votes
        return {
            "run": session.run.id,
            "kind": session.kind,
            "baseline": result.baseline,
            "candidate": result.candidate,
            "sentence": result.sentence,
            "verdict": result.verdict,
            "difference": result.result.difference,
            "low": result.result.low,
            "high": result.result.high,
            "n": result.result.n,
            "test": result.result.test,
            "votes": None if votes is None else [votes.a, votes.b, votes.ties],
            "vote_sentence": "" if votes is None else votes.sentence(result.baseline, result.candidate),
            "raters": list(result.raters.items()),
            "skipped": result.skipped,
            "identical": result.identical,
            "repeated": self._part.repeated(session.run),
            "agreements": [(each.who, each.kappa.sentence()) for each in result.agreements],
            "rows": self._part.rows(session.run, self._pair, session.kind),
        }


def _last(answers: list[Answer]) -> list[Answer]:
    """Of one rater and question the last answer counts."""
    return list(
        {(each.row, frozenset((each.left, each.right)), each.rater, each.again): each for each in answers}.values()
    )


def _pairs(answers: list[Answer], run: Run, pair: tuple[str, str]) -> dict[int, tuple[float, list[tuple[str, str]]]]:
    names = {0.0: run.name_of(pair[0]), 0.5: "tie", 1.0: run.name_of(pair[1])}
    votes: dict[int, tuple[float, list[tuple[str, str]]]] = {}
    for (row, rater, again), value in preferences(answers, *pair).items():
        if value is not None and not again:
            lean, told = votes.get(row, (0.0, []))
            votes[row] = lean + value - 0.5, [*told, (rater, names[value])]
    return votes


def _grades(answers: list[Answer], run: Run, pair: tuple[str, str]) -> dict[int, tuple[float, list[tuple[str, str]]]]:
    given: dict[int, dict[str, dict[str, str]]] = {}
    for (row, version, rater, again), choice in grades(answers, *pair).items():
        if choice != SKIP and not again:
            given.setdefault(row, {}).setdefault(rater, {})[version] = choice
    votes: dict[int, tuple[float, list[tuple[str, str]]]] = {}
    for row, by_rater in given.items():
        means = []
        for version in pair:
            said = [float(choices[version]) for choices in by_rater.values() if version in choices]
            means.append(sum(said) / len(said) if said else None)
        if None in means:
            continue  # a row counts once it has a grade of both
        told = [
            (rater, ", ".join(f"{run.name_of(version)} {choices[version]}" for version in pair if version in choices))
            for rater, choices in by_rater.items()
        ]
        votes[row] = (means[1] or 0.0) - (means[0] or 0.0), told
    return votes
