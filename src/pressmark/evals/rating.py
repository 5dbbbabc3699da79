"""Blind ratings: what to ask a person, in which order, and what their answers say.

A rater sees outputs and never which version wrote them. Of a pair, the side is drawn, half of the pairs each way; the
order of the rows is drawn too; some are asked twice, sides changed, which tells how far a rater agrees with themselves.
Every choice is made by the rater: there is no default.

A row's preference is the mean over its raters: 1 for the candidate, 0.5 for a tie, 0 for the baseline. Rows whose two
outputs are the same text are ties that nobody needs to look at.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pressmark import stats
from pressmark.errors import RatingError
from pressmark.face import Faced
from pressmark.face.forms import Face, Table

Kind = Literal["pairwise", "pointwise"]
PAIR_CHOICES: Final = ("left", "right", "tie", "skip")
SKIP: Final = "skip"


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to rate.

    Attributes:
        row: The dataset's row, from 0.
        values: The row's values, as far as a rater may see them.
        texts: The outputs, as they are shown: left and right, or one.
        again: Whether it was asked before, to see how far the rater agrees with themselves.
        versions: Digests of the versions that wrote the texts; not to be shown.
    """

    row: int
    values: Mapping[str, Any]
    texts: tuple[str, ...]
    again: bool = field(repr=False)
    versions: tuple[str, ...] = field(repr=False)

    @property
    def key(self) -> tuple[int, tuple[str, ...], bool]:
        """What tells it apart from the others: the row, which versions, and whether it is asked again."""
        return self.row, tuple(sorted(self.versions)), self.again


@dataclass(frozen=True, slots=True)
class Rating:
    """An answer.

    Attributes:
        row: The dataset's row.
        left: Digest of the version shown left, or of the one shown alone.
        right: Digest of the version shown right; empty for one shown alone.
        choice: `left`, `right`, `tie`, `skip`, or a grade as text.
        rater: Who.
        again: Whether the question was asked a second time.
    """

    row: int
    left: str
    right: str
    choice: str
    rater: str
    again: bool = False


def questions(
    rows: Mapping[int, Mapping[str, Any]],
    outputs: Mapping[tuple[int, str], str],
    versions: Sequence[str],
    *,
    kind: Kind = "pairwise",
    seed: str = "",
    again: float = 0.1,
) -> tuple[Question, ...]:
    """Return what to ask, in order.

    Args:
        rows: The rows' values, by number.
        outputs: Texts by row and version (digest); rows without a text of each version are left out.
        versions: Two digests to compare, the baseline first; or any number to grade one by one.
        kind: Pairs, or one text at a time.
        seed: Fixes order, sides and repetitions; it holds the rater's name, so that each sees another order.
        again: Share of the questions that are asked twice.

    Raises:
        RatingError: A pair is not of two versions, or there is nothing to rate.
    """
    if kind == "pairwise" and len(set(versions)) != 2:
        raise RatingError(
            f"pairs are of two versions, and {len(set(versions))} were given: name a baseline and another"
        )
    if not 0 <= again <= 1:
        raise RatingError(f"the share of questions asked twice lies between 0 and 1, not {again!r}")
    asked: list[tuple[int, tuple[str, ...]]] = []
    for row in rows:
        texts = [outputs.get((row, version)) for version in versions]
        if kind == "pairwise" and None not in texts and texts[0] != texts[1]:
            asked.append((row, tuple(versions)))
        elif kind == "pointwise":
            asked.extend((row, (version,)) for version, text in zip(versions, texts, strict=True) if text is not None)
    if not asked:
        raise RatingError(
            "there is nothing to rate: no row has an answer of each version"
            + (" that differs" if kind == "pairwise" else "")
        )
    asked.sort(key=lambda each: _drawn(seed, "order", *each))
    swapped = {each for place, each in enumerate(sorted(asked, key=lambda e: _drawn(seed, "side", *e))) if place % 2}
    twice = sorted(asked, key=lambda each: _drawn(seed, "again", *each))[: math.ceil(again * len(asked))]

    def made(each: tuple[int, tuple[str, ...]], *, second: bool) -> Question:
        row, shown = each
        if (each in swapped) != second:
            shown = shown[::-1]
        texts = tuple(outputs[row, version] for version in shown)
        return Question(row, rows[row], texts, second, shown)

    first = [made(each, second=False) for each in asked]
    # Second looks come at the end, the earliest first, as far from the first look as can be.
    place = {each: number for number, each in enumerate(asked)}
    return (*first, *(made(each, second=True) for each in sorted(twice, key=place.__getitem__)))


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far raters agree beyond chance.

    Attributes:
        who: `ana with themselves`, `ana and bo`, or `3 raters`.
        kappa: Cohen's kappa of two, Fleiss' of more.
    """

    who: str
    kappa: stats.Kappa


@dataclass(frozen=True, slots=True)
class RatingResult(Faced):
    """What the ratings of a pair of versions say.

    Attributes:
        baseline: What to call the baseline.
        candidate: What to call the candidate.
        result: The paired comparison of row preferences, or of row grades.
        votes: The rows' votes; None for grades.
        raters: How many answers each rater gave, skipped ones left out.
        skipped: How many questions were skipped.
        identical: Rows whose outputs are the same text, ties without a look.
        agreements: Of each rater with themselves, and of raters with one another.
    """

    baseline: str
    candidate: str
    result: stats.Paired
    votes: stats.Votes | None
    raters: Mapping[str, int]
    skipped: int
    identical: int
    agreements: tuple[Agreement, ...]

    @property
    def verdict(self) -> stats.Verdict:
        """`better`, `worse` or `cannot tell`: the candidate against the baseline."""
        return self.result.verdict

    @property
    def sentence(self) -> str:
        """The verdict in one line."""
        return self.result.sentence(self.candidate)

    def __str__(self) -> str:
        people = ", ".join(f"{rater} {number:,}" for rater, number in self.raters.items())
        lines = [self.sentence, f"  against {self.baseline}; answers: {people}; {self.skipped:,} skipped"]
        if self.votes is not None:
            lines.append(f"  {self.votes.sentence(self.baseline, self.candidate)}")
        if self.identical:
            lines.append(f"  {self.identical:,} rows have the same text from both and count as ties")
        lines += [f"  {each.who}: {each.kappa.sentence()}" for each in self.agreements]
        return "\n".join(lines)

    __repr__ = __str__

    def _face(self) -> Face:
        asides = [f"against {self.baseline}; {self.skipped:,} skipped"]
        if self.votes is not None:
            asides.append(self.votes.sentence(self.baseline, self.candidate))
        if self.identical:
            asides.append(f"{self.identical:,} rows have the same text from both and count as ties")
        answers = [(rater, f"{number:,} answers") for rater, number in self.raters.items()]
        rows = [*answers, *((each.who, each.kappa.sentence()) for each in self.agreements)]
        return Face(self.sentence, asides, tables=[Table(("rater", ""), rows)])


def result(
    ratings: Iterable[Rating],
    baseline: str,
    candidate: str,
    *,
    identical: Sequence[int] = (),
    names: tuple[str, str] = ("A", "B"),
) -> RatingResult:
    """Work out what pairwise ratings say.

    Args:
        ratings: In the order in which they were given; of one rater and question the last one counts.
        baseline: Digest.
        candidate: Digest.
        identical: Rows whose outputs are the same text.
        names: What to call the two.

    Raises:
        RatingError: Nobody rated a pair of these two.
    """
    kept = preferences(ratings, baseline, candidate)
    answered = {key: value for key, value in kept.items() if value is not None}
    first = {(row, rater): value for (row, rater, again), value in answered.items() if not again}
    if not first:
        raise RatingError("nobody has rated a pair of these two versions yet: rate some, then look")
    by_row: dict[int, list[float]] = {}
    for (row, _), value in sorted(first.items()):
        by_row.setdefault(row, []).append(value)
    scores = {row: math.fsum(values) / len(values) for row, values in by_row.items()}
    scores |= dict.fromkeys(set(identical) - scores.keys(), 0.5)
    rows = sorted(scores)
    preferred = sum(scores[row] > 0.5 for row in rows)
    ties = sum(scores[row] == 0.5 for row in rows)
    return RatingResult(
        baseline=names[0],
        candidate=names[1],
        result=stats.paired([0.5] * len(rows), [scores[row] for row in rows]),
        votes=stats.votes(len(rows) - preferred - ties, preferred, ties),
        raters=_counted(rater for _, rater, _ in answered),
        skipped=len(kept) - len(answered),
        identical=len(identical),
        agreements=_agreements(answered),
    )


def graded(
    ratings: Iterable[Rating],
    baseline: str,
    candidate: str,
    *,
    scale: tuple[int, int] = (1, 5),
    names: tuple[str, str] = ("A", "B"),
) -> RatingResult:
    """Work out what grades of single texts say; a row's grade is the mean over its raters, brought to [0, 1].

    Args:
        ratings: In the order in which they were given; of one rater and question the last one counts.
        baseline: Digest.
        candidate: Digest.
        scale: The worst grade and the best.
        names: What to call the two.

    Raises:
        RatingError: No row has a grade of both.
    """
    low, high = scale
    kept = {
        key: None if choice == SKIP else (float(choice) - low) / (high - low)
        for key, choice in grades(ratings, baseline, candidate).items()
    }
    answered = {key: value for key, value in kept.items() if value is not None}
    by_row: dict[tuple[int, str], list[float]] = {}
    for (row, version, _, again), value in sorted(answered.items()):
        if not again:
            by_row.setdefault((row, version), []).append(value)
    means = {key: math.fsum(values) / len(values) for key, values in by_row.items()}
    rows = sorted(row for row, version in means if version == baseline and (row, candidate) in means)
    if not rows:
        raise RatingError("no row has a grade of both versions yet: rate some, then look")
    told = {((row, version), rater, again): value for (row, version, rater, again), value in answered.items()}
    return RatingResult(
        baseline=names[0],
        candidate=names[1],
        result=stats.paired([means[row, baseline] for row in rows], [means[row, candidate] for row in rows]),
        votes=None,
        raters=_counted(rater for _, _, rater, _ in answered),
        skipped=len(kept) - len(answered),
        identical=0,
        agreements=_agreements(told),
    )


def preferences(ratings: Iterable[Rating], baseline: str, candidate: str) -> dict[tuple[int, str, bool], float | None]:
    """The last answer to each pair of two versions, by row, rater and whether it was asked again.

    1 prefers the candidate, 0 the baseline, 0.5 is a tie, None was skipped.
    """
    pair = {baseline, candidate}
    return {
        (rating.row, rating.rater, rating.again): _preference(rating, candidate)
        for rating in ratings
        if {rating.left, rating.right} == pair
    }


def grades(ratings: Iterable[Rating], baseline: str, candidate: str) -> dict[tuple[int, str, str, bool], str]:
    """The last grade of each single text of two versions, by row, version, rater and whether it was asked again."""
    return {
        (rating.row, rating.left, rating.rater, rating.again): rating.choice
        for rating in ratings
        if not rating.right and rating.left in (baseline, candidate)
    }


def _counted(raters: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(raters).items()))


def _preference(rating: Rating, candidate: str) -> float | None:
    if rating.choice == SKIP:
        return None
    if rating.choice == "tie":
        return 0.5
    return float((rating.left if rating.choice == "left" else rating.right) == candidate)


def _agreements(answered: Mapping[tuple[Any, str, bool], float]) -> tuple[Agreement, ...]:
    first = {(thing, rater): value for (thing, rater, again), value in answered.items() if not again}
    second = {(thing, rater): value for (thing, rater, again), value in answered.items() if again}
    raters = sorted({rater for _, rater in first})
    told = []
    for rater in raters:
        both = sorted(key for key in first.keys() & second.keys() if key[1] == rater)
        if both:
            own = stats.kappa([first[key] for key in both], [second[key] for key in both])
            told.append(Agreement(f"{rater} with themselves", own))
    shared = sorted(
        {thing for thing, _ in first} - {thing for thing, _ in first if any((thing, r) not in first for r in raters)}
    )
    if len(raters) == 2 and shared:
        one, other = ([first[thing, rater] for thing in shared] for rater in raters)
        told.append(Agreement(" and ".join(raters), stats.kappa(one, other)))
    elif len(raters) > 2 and shared:
        levels = sorted(set(first.values()))
        counts = [[sum(first[thing, rater] == level for rater in raters) for level in levels] for thing in shared]
        told.append(Agreement(f"{len(raters)} raters", stats.fleiss_kappa(counts)))
    return tuple(told)


def _drawn(seed: str, what: str, row: int, versions: tuple[str, ...]) -> bytes:
    return hashlib.sha256(f"{seed}/{what}/{row}/{'/'.join(versions)}".encode()).digest()
