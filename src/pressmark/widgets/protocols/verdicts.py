"""What a run's scores say: means, the paired verdict, its slices and guards."""

from __future__ import annotations

from typing import Literal, TypedDict

Verdict = Literal["better", "worse", "cannot tell"]


class StandingView(TypedDict):
    """How one version stands by a scorer, for the charts.

    Attributes:
        version: Its name in the run.
        n: Rows with a score.
        mean: Their mean.
        low: Lower end of its 95 % interval, or None.
        high: Upper end, or None.
        bins: How many rows have a score in each bin of `StandingsView.edges`.
        cost: US dollars, the mean of an answer; None where it is not known.
        front: Whether no other version is as good and as cheap; None where a cost is missing.
    """

    version: str
    n: int
    mean: float
    low: float | None
    high: float | None
    bins: list[int]
    cost: float | None
    front: bool | None


class StandingsView(TypedDict):
    """The versions of a run by one scorer.

    Attributes:
        scorer: Its name.
        edges: Ends of the bins, one more than there are bins; in the scorer's own unit.
        items: The baseline first; versions without a score are left out.
    """

    scorer: str
    edges: list[float]
    items: list[StandingView]


class ComparisonView(TypedDict):
    """The verdict on one candidate against the baseline by one scorer.

    Attributes:
        baseline: The version on the left.
        candidate: The version that is judged.
        scorer: Its name.
        sentence: "v2 better by 5.9 points [0.4, 11.3] on 198 rows: 62 up, 46 down, 90 same".
        verdict: Of the sentence; None while there is not enough to say anything, `sentence` says why.
        difference: Candidate minus baseline, in the scorer's own unit (0.059), None as above.
        low: Lower end of the 95 % interval, or None.
        high: Upper end, or None.
        n: Rows paired.
        up: Rows with a better score.
        down: Rows with a worse one.
        same: Rows with an equal one.
        baseline_mean: Mean over the paired rows, or None.
        candidate_mean: Likewise.
        provisional: True while the run is not complete.
        rows_needed: Rows that would tell, where the verdict is "cannot tell" and it is known; else None.
        test: Which test gave the interval, in words.
        guards: For the primary scorer: one line for every other scorer.
        slices: One for each value of the suite's slice column; none while the run is going on.
    """

    baseline: str
    candidate: str
    scorer: str
    sentence: str
    verdict: Verdict | None
    difference: float | None
    low: float | None
    high: float | None
    n: int
    up: int
    down: int
    same: int
    baseline_mean: float | None
    candidate_mean: float | None
    provisional: bool
    rows_needed: int | None
    test: str
    guards: list[GuardView]
    slices: list[SliceView]


class SliceView(TypedDict):
    """The comparison on the rows of one slice.

    Attributes:
        name: The slice column's value there, as text; `run_order` takes it.
        verdict: The one that holds although every slice is looked at (p values adjusted by Holm's method).
        difference: Candidate minus baseline, in the scorer's own unit.
        low: Lower end of the slice's own 95 % interval, or None where it is open.
        high: Upper end, or None.
        n: Rows paired.
        p: The adjusted p value.
    """

    name: str
    verdict: Verdict
    difference: float
    low: float | None
    high: float | None
    n: int
    p: float


class GuardView(TypedDict):
    """A guard's line under the verdict.

    Attributes:
        scorer: Its name.
        verdict: Or None while it cannot be said.
        sentence: As in `ComparisonView`.
    """

    scorer: str
    verdict: Verdict | None
    sentence: str
