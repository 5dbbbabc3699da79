"""Rating sessions: blind questions over a run, answers kept one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pressmark.errors import NotFoundError, RatingError
from pressmark.evals.rating import (
    PAIR_CHOICES,
    SKIP,
    Kind,
    Question,
    Rating,
    RatingResult,
    graded,
    questions,
    result,
)
from pressmark.face import forms

if TYPE_CHECKING:
    from pressmark import workspace as files
    from pressmark.api.runs import Run
    from pressmark.api.workspace import Workspace
    from pressmark.widgets import Workbench

_CELL = "text-align:left;text-align:start;vertical-align:top;white-space:pre-wrap;max-width:40em"


class RatingSession:
    """A rater's way through the outputs of a run; `ws.rate` returns one.

    Every answer is kept the moment it is given. Opened again by the same rater, a session goes on where it stopped.

    Args:
        workspace: Where ratings are kept.
        run: Whose outputs are rated.
        versions: Digests, the baseline first.
        rater: Who rates.
        kind: Pairs, or one output at a time.
        scale: The worst grade and the best, for one output at a time.
        again: Share of the questions that are asked twice.
        rows: Which rows; else all.
        show: Columns that are shown beside those that fill the prompts' variables.

    Raises:
        DatasetError: There is no such column to show.
        RatingError: There is nothing to rate.
    """

    def __init__(
        self,
        workspace: Workspace,
        run: Run,
        versions: Sequence[str],
        rater: str,
        *,
        kind: Kind = "pairwise",
        scale: tuple[int, int] = (1, 5),
        again: float = 0.1,
        rows: Sequence[int] | None = None,
        show: Sequence[str] | str = (),
    ) -> None:
        if not rater.strip():
            raise RatingError("a rating says whose it is: give rater= a name")
        if not scale[0] < scale[1]:
            raise RatingError(f"a scale goes from the worst grade to the best, not {scale[0]} to {scale[1]}")
        self._workspace, self._store = workspace, workspace.store
        self._run, self._versions, self._rater = run, tuple(versions), rater
        self._kind, self._scale = kind, scale
        data = run.suite.dataset.rows
        chosen = range(len(data)) if rows is None else rows
        if unknown := [row for row in chosen if not 0 <= row < len(data)]:
            raise RatingError(f"there is no row {unknown[0]}: the run has rows 0 to {len(data) - 1}")
        columns = _shown(run, (show,) if isinstance(show, str) else show)
        self._questions = questions(
            {row: {column: data[row][column] for column in columns} for row in chosen},
            run.answers_of(chosen, self._versions),
            self._versions,
            kind=kind,
            seed=f"{run.id}/{rater}",
            again=again,
        )
        open_keys = {question.key for question in self._questions}
        given = ((_key(rating), rating.choice) for rating in kept(self._store, run.id) if rating.rater == rater)
        self._answers = {key: choice for key, choice in given if key in open_keys}

    @property
    def run(self) -> Run:
        """Whose outputs are rated."""
        return self._run

    @property
    def rater(self) -> str:
        """Who rates."""
        return self._rater

    @property
    def kind(self) -> Kind:
        """Pairs, or one output at a time."""
        return self._kind

    @property
    def names(self) -> tuple[str, ...]:
        """The versions that are rated, the baseline first."""
        return tuple(map(self._run.name_of, self._versions))

    @property
    def question(self) -> Question | None:
        """What to rate next; None when all is rated."""
        return next((question for question in self._questions if question.key not in self._answers), None)

    @property
    def answered(self) -> int:
        """How many questions have an answer."""
        return len(self._answers)

    @property
    def total(self) -> int:
        """How many questions there are."""
        return len(self._questions)

    @property
    def choices(self) -> tuple[str, ...]:
        """What may be answered."""
        if self._kind == "pairwise":
            return PAIR_CHOICES
        return (*map(str, range(self._scale[0], self._scale[1] + 1)), SKIP)

    def answer(self, choice: str | int, note: str | None = None) -> Question | None:
        """Answer the question and return the next one.

        Args:
            choice: One of `choices`.
            note: Why, in words.

        Raises:
            RatingError: It is not one of them, or nothing is left to rate.
            WorkspaceError: It could not be kept; the question stays.
        """
        question = self.question
        if question is None:
            raise RatingError("everything is rated: look at the result with reveal()")
        told = str(choice)
        if isinstance(choice, bool) or told not in self.choices:
            raise RatingError(f"{choice!r} is no choice here: answer one of {', '.join(self.choices)}")
        left, right = (*question.versions, "")[:2]
        rating = {
            "run_id": self._run.id,
            "row": question.row,
            "left": left,
            "right": right,
            "choice": told,
            "rater": self._rater,
            "note": note,
            "again": question.again,
        }
        self._store.add_ratings([rating])
        self._answers[question.key] = told
        self._workspace.changes.tell("ratings", run=self._run.id)
        return self.question

    def back(self) -> Question | None:
        """Take the last answer back, and return its question; None where nothing was answered.

        It is gone from the file at once: who stops here has not answered that question.

        Raises:
            WorkspaceError: It could not be taken back; the answer stays.
        """
        last = next((q for q in reversed(self._questions) if q.key in self._answers), None)
        if last is not None:
            self._store.withdraw_rating(self._run.id, last.row, last.versions, self._rater, again=last.again)
            del self._answers[last.key]
            self._workspace.changes.tell("ratings", run=self._run.id)
        return last

    def reveal(self, *, early: bool = False) -> RatingResult:
        """Say which version was which, and what all raters of this run prefer.

        Args:
            early: Look although questions are open. Who has looked is no longer blind.

        Raises:
            RatingError: Questions are open, or nobody has rated a pair yet.
        """
        if self.question is not None and not early:
            raise RatingError(
                f"{self.total - self.answered:,} of {self.total:,} questions are open: rate them first, or look with"
                " reveal(early=True)"
            )
        pair = (self._versions[0], self._versions[-1])
        return rated(self._store, self._run, pair, self._kind, self._scale)

    def view(self) -> Workbench:
        """Return the session as a widget, to rate by mouse and keyboard."""
        from pressmark.api.session import Session
        from pressmark.widgets import Workbench

        session = Session(self._workspace, rating=self)
        return Workbench(session, self._run.prompt, panels=("rate",), run=self._run.id)

    def _ipython_display_(self) -> None:
        try:
            view = self.view()
        except ImportError:  # an install without widgets shows the question as it is
            from IPython.display import display

            display({"text/html": self._repr_html_(), "text/plain": repr(self)}, raw=True)  # type: ignore[no-untyped-call]
        else:
            view._ipython_display_()

    def __repr__(self) -> str:
        return f"<RatingSession of {self._rater}: {self.answered:,} of {self.total:,} rated>"

    def _repr_html_(self) -> str:
        question = self.question
        head = f"<p>{self.answered:,} of {self.total:,} rated by {forms.escaped(self._rater)}</p>"
        if question is None:
            return f"<div>{head}<p>Everything is rated: <code>reveal()</code> says which was which.</p></div>"
        values = "".join(
            f"<div><b>{forms.escaped(str(name))}</b> {forms.escaped(str(value))}</div>"
            for name, value in question.values.items()
        )
        cells = "".join(f"<td dir='auto' style='{_CELL}'>{forms.escaped(text)}</td>" for text in question.texts)
        names = ("left", "right") if len(question.texts) == 2 else ("output",)
        heads = "".join(f"<th style='text-align:left'>{name}</th>" for name in names)
        return (
            f"<div>{head}{values}<table><tr>{heads}</tr><tr>{cells}</tr></table><p>{', '.join(self.choices)}</p></div>"
        )


def _shown(run: Run, show: Sequence[str]) -> list[str]:
    """The columns that a rater sees: those that filled the prompts, but for what a scorer expects: the answer."""
    suite = run.suite
    suite.dataset.check_columns(show)
    expected = {column for scorer in suite.scorers for column in scorer.expects}
    try:
        given = {name for chain in run.chains for each in chain.members for name in each.version.unit.variables}
    except NotFoundError:  # a version was deleted since
        given = set(suite.dataset.columns)
    return [column for column in suite.dataset.columns if column in show or column in given - expected]


def rated(
    store: files.Store, run: Run, pair: tuple[str, str], kind: Kind, scale: tuple[int, int] = (1, 5)
) -> RatingResult:
    """Return what all ratings of a run say of two of its versions (digests, the baseline first).

    Raises:
        RatingError: Nobody has rated them yet.
    """
    baseline, candidate = pair
    names = (run.name_of(baseline), run.name_of(candidate))
    ratings = kept(store, run.id)
    if kind == "pointwise":
        return graded(ratings, baseline, candidate, scale=scale, names=names)
    texts = run.answers_of(range(len(run.suite.dataset)), [baseline, candidate])
    rows = {row for row, _ in texts}
    same = [row for row in sorted(rows) if texts.get((row, baseline)) == texts.get((row, candidate))]
    return result(ratings, baseline, candidate, identical=same, names=names)


def kept(store: files.Store, run_id: str) -> list[Rating]:
    """Return the ratings of a run, in the order in which they were given."""
    return [
        Rating(int(told["row"]), told["left"], told["right"], told["choice"], told["rater"], bool(told["again"]))
        for told in store.ratings(run_id).to_dict("records")
    ]


def _key(rating: Rating) -> tuple[int, tuple[str, ...], bool]:
    versions = (rating.left, rating.right) if rating.right else (rating.left,)
    return rating.row, tuple(sorted(versions)), rating.again
