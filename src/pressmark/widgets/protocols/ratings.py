"""Blind ratings: what the panel Rate shows, and the part of a session that keeps them.

Which version wrote what is never in a `BlindView`: it is told by `RatedView`, once the rater asks for the reveal.
"""

from __future__ import annotations

from typing import Literal, Protocol, TypedDict

from pressmark.widgets.protocols.verdicts import Verdict

RatingKind = Literal["pairwise", "pointwise"]


class RaterView(TypedDict):
    """Somebody who rated outputs of a run.

    Attributes:
        rater: Who.
        kind: How.
        answers: How many answers are kept.
    """

    rater: str
    kind: RatingKind
    answers: int


class RatableView(TypedDict):
    """What a run offers to be rated.

    Attributes:
        run: The run.
        suite: The suite that it ran.
        versions: Its versions, the baseline first.
        rows: How many rows it has.
        author: Whose name stands first where somebody begins.
        raters: Who rated already.
        why_not: Why nothing can be rated now; empty where something can.
    """

    run: str
    suite: str
    versions: list[str]
    rows: int
    author: str
    raters: list[RaterView]
    why_not: str


class QuestionView(TypedDict):
    """What is rated next.

    Attributes:
        number: Its place, from 1; an answer names it, so that a key pressed twice answers once.
        values: The row's values, name and text, what the versions read first.
        texts: One output, or left and right.
    """

    number: int
    values: list[tuple[str, str]]
    texts: list[str]


class BlindView(TypedDict):
    """Where a rater stands.

    Attributes:
        run: The run.
        rater: Who rates.
        kind: Pairs, or one output at a time.
        pair: The versions that are rated, in the order of the run: not the order of the texts.
        choices: What may be answered.
        answered: How many questions have an answer.
        total: How many there are.
        question: What is next, or None where all is rated.
    """

    run: str
    rater: str
    kind: RatingKind
    pair: list[str]
    choices: list[str]
    answered: int
    total: int
    question: QuestionView | None


class RatedRowView(TypedDict):
    """What raters said of a row.

    Attributes:
        row: Its number.
        text: The beginning of what the versions read first, to know the row by.
        change: `better` where they lean to the candidate, `worse`, or `same`.
        votes: Rater and what they chose: a version's name, `tie`, or grades.
    """

    row: int
    text: str
    change: Literal["better", "worse", "same"]
    votes: list[tuple[str, str]]


class RatedView(TypedDict):
    """The reveal: what all raters of a run say of two versions.

    Attributes:
        run: The run.
        kind: How they rated.
        baseline: Name of the baseline.
        candidate: Name of the candidate.
        sentence: The verdict in one line.
        verdict: The candidate against the baseline.
        difference: Of the row means, in [-1, 1].
        low: Lower end of its interval.
        high: Upper end.
        n: Rows that count.
        test: The name of the test.
        votes: Rows that lean to the baseline, to the candidate, and ties; None for grades.
        vote_sentence: The votes in one line, or empty.
        raters: Who answered how often.
        skipped: Questions that were skipped.
        identical: Rows whose outputs are the same text: ties without a look.
        repeated: Questions that were asked twice and answered both times.
        agreements: Who, and how far they agree beyond chance.
        rows: Row by row.
    """

    run: str
    kind: RatingKind
    baseline: str
    candidate: str
    sentence: str
    verdict: Verdict
    difference: float
    low: float
    high: float
    n: int
    test: str
    votes: list[int] | None
    vote_sentence: str
    raters: list[tuple[str, int]]
    skipped: int
    identical: int
    repeated: int
    agreements: list[tuple[str, str]]
    rows: list[RatedRowView]


class RatedTextsView(TypedDict):
    """A rated row in full.

    Attributes:
        values: The row's values, name and text.
        texts: The baseline's output and the candidate's.
    """

    values: list[tuple[str, str]]
    texts: list[str]


class BlindSession(Protocol):
    """A rater's way through the outputs of a run. Every answer is kept the moment it is given."""

    def view(self) -> BlindView:
        """Where the rater stands."""

    def answer(self, choice: str) -> None:
        """Answers the question.

        Raises:
            RatingError: It is no choice, or nothing is left to rate.
            WorkspaceError: It could not be kept; the question stays.
        """

    def back(self) -> None:
        """Takes the last answer back."""

    def reveal(self, early: bool) -> RatedView:
        """Says which version was which.

        Args:
            early: Whether to look although questions are open.

        Raises:
            RatingError: Questions are open, or nobody has rated a pair yet.
        """

    def texts(self, row: int) -> RatedTextsView:
        """A row with both outputs, once they were revealed."""


class RatingSession(Protocol):
    """The part of a session that has outputs rated."""

    def ratable(self, run: str) -> RatableView:
        """What a run offers to be rated.

        Raises:
            RunNotFoundError: There is no such run.
        """

    def begin_rating(self, run: str, baseline: str, candidate: str, rater: str, kind: RatingKind) -> BlindSession:
        """Begins to rate, or goes on where this rater stopped.

        Raises:
            RatingError: There is nothing to rate, or no rater was named.
        """

    def begun_rating(self) -> BlindSession | None:
        """What was begun before the view was opened, or None."""
