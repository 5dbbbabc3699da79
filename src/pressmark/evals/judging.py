"""How far a judge can be trusted: whether it favours a place, and whether it agrees with people."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pressmark import stats
from pressmark.evals.figures import Figures, Rating
from pressmark.evals.scorers import AskingScorer, Judge, PairwiseJudge
from pressmark.evals.suite import Suite


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """A judge's conduct in a run.

    Attributes:
        name: The scorer's name.
        asked: The model that was to judge.
        served: How many judgements each model gave, as the endpoint names it; of pairwise judges.
        places: Votes for what was shown second (`a`) and first (`b`), over all versions; None for a judge that is not
            shown two answers.
        orders: How often the version's output was shown first, and how often second.
        agreement: With people's votes, where there are any on the same rows; None without.
        rated: How many rows both judged.
    """

    name: str
    asked: str
    served: Mapping[str, int]
    places: stats.Votes | None
    orders: tuple[int, int]
    agreement: stats.Kappa | None
    rated: int

    @property
    def biased(self) -> bool:
        """Whether it favours a place: the share of first places among its decided votes is not one half."""
        return self.places is not None and self.places.verdict != "cannot tell"

    @property
    def sentences(self) -> tuple[str, ...]:
        """Place, order and agreement in words."""
        told = []
        if self.places is not None:
            told.append(_place(self.places))
            first, second = self.orders
            balance = (
                "balanced, so a favoured place favours no version"
                if abs(first - second) <= _uneven(first + second)
                else "not balanced: look at the errors of the run"
            )
            told.append(f"the version's output was shown first in {first:,} and second in {second:,} votes: {balance}")
        if self.agreement is not None:
            told.append(f"judge and people {self.agreement.sentence()}")
        elif self.rated == 0:
            told.append("no row was rated by people as well, so nobody knows how far it agrees with them")
        return tuple(told)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        places, kappa = self.places, self.agreement
        return {
            "name": self.name,
            "asked": self.asked,
            "served": dict(self.served),
            "position_bias": None
            if places is None or places.a + places.b == 0
            else {
                "first": places.b,
                "second": places.a,
                "ties": places.ties,
                "share_first": places.share,
                "low": places.low,
                "high": places.high,
                "p": places.p,
                "biased": self.biased,
            },
            "orders": {"output_first": self.orders[0], "output_second": self.orders[1]},
            "agreement": None
            if kappa is None
            else {"kappa": _known(kappa.kappa), "low": _known(kappa.low), "high": _known(kappa.high)}
            | {"agreed": kappa.agreed, "n": kappa.n},
            "sentences": list(self.sentences),
        }


def judge_reports(figures: Figures, suite: Suite) -> tuple[JudgeReport, ...]:
    """Report on each judge of a suite, over all versions of the run."""
    return tuple(_report(figures, scorer) for scorer in suite.scorers if isinstance(scorer, Judge | PairwiseJudge))


def _report(figures: Figures, judge: Judge | PairwiseJudge) -> JudgeReport:
    served: Counter[str] = Counter()
    votes: Counter[str] = Counter()
    orders: Counter[str] = Counter()
    for seen, count in figures.shown.get(judge.name, {}).items():
        served[seen.model] += count
        votes[seen.vote] += count
        orders[seen.order] += count
    pairs = list(_both(figures, judge))
    return JudgeReport(
        name=judge.name,
        asked=judge.model,
        served=dict(served),
        places=stats.votes(votes["B"], votes["A"], votes["tie"]) if isinstance(judge, PairwiseJudge) else None,
        orders=(orders["output first"], orders["reference first"]),
        agreement=stats.kappa(*zip(*pairs, strict=True)) if pairs else None,
        rated=len(pairs),
    )


def _both(figures: Figures, judge: AskingScorer) -> Iterable[tuple[str, str]]:
    """What people and the judge preferred, for each row and pair of versions that both compared."""
    people: dict[tuple[int, str, str], Counter[str]] = {}
    for rating in figures.ratings:
        a, b = sorted((rating.left, rating.right))
        people.setdefault((rating.row, a, b), Counter())[_preferred(rating)] += 1
    for (row, a, b), choices in sorted(people.items()):
        scores = figures.of(a, judge.name), figures.of(b, judge.name)
        if judge.needs_baseline and not (scores[0] and scores[1]):
            # Held against one another: the baseline has no score of its own, and half is a tie.
            scores = scores[0] or dict.fromkeys(scores[1], 0.5), scores[1] or dict.fromkeys(scores[0], 0.5)
        if row in scores[0] and row in scores[1]:
            one, other = scores[0][row], scores[1][row]
            judged = "tie" if abs(one - other) <= stats.SAME_WITHIN else a if one > other else b
            yield _majority(choices), judged


def _preferred(rating: Rating) -> str:
    return {"left": rating.left, "right": rating.right}.get(rating.choice, "tie")


def _majority(choices: Counter[str]) -> str:
    (first, most), *others = choices.most_common()
    return "tie" if others and others[0][1] == most else first


def _place(places: stats.Votes) -> str:
    if places.a + places.b == 0:
        return "no vote was decided, so nothing is known of a favoured place"
    share = f"{100 * places.share:.1f} % [{100 * places.low:.1f}, {100 * places.high:.1f}]"
    counts = f"{places.a + places.b:,} decided votes, {places.ties:,} ties, exact p {places.p:.2g}"
    start = f"the answer shown first was preferred in {share} of {counts}"
    if places.verdict == "cannot tell":
        return f"{start}: no favoured place is seen"
    return f"{start}: the judge favours the {'first' if places.b > places.a else 'second'} place"


def _uneven(votes: int) -> float:
    """How far two counts of so many fair draws may lie apart, beside errors that leave rows out."""
    return max(2.0, 4 * math.sqrt(votes))


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
