"""The suite's verdict on two versions, and the summary of a run: the numbers behind what a person reads."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pressmark import stats
from pressmark.errors import StatsError
from pressmark.evals.comparison import Comparison, Slice, compare_scores, row_scores
from pressmark.evals.figures import Figures, Rating, gather
from pressmark.evals.judging import JudgeReport, judge_reports
from pressmark.evals.noting import run_notes
from pressmark.evals.records import OutputRecord
from pressmark.evals.reporting import as_dict, frame, markdown, page, text
from pressmark.evals.scorers import Cost, Latency
from pressmark.evals.suite import Suite
from pressmark.prompts.evidence import Method

if TYPE_CHECKING:
    import pandas


# Fewer rows than this are too few to resample.
_BOOTSTRAPPED: Final = 10
_MEASURED: Final = (Cost(), Latency())


@dataclass(frozen=True, slots=True)
class CandidateReport:
    """What a suite says of one candidate: the primary scorer's verdict, unless a guard is worse.

    Attributes:
        name: What the candidate is called.
        primary: The comparison by the primary scorer; None where there is nothing to compare.
        guards: The comparisons by the others that have scores.
        measured: Cost and latency where the suite has no scorer for them; they decide nothing.
        worse: Names of the guards that are worse, adjusted for looking at all of them (Holm).
        unscored: Names of the scorers and measures without a score to compare, such as a cost that is not known.
        p: The primary scorer's p value, adjusted for looking at several candidates (Holm).
        problem: Why there is no comparison by the primary scorer, in words; empty where there is one.
    """

    name: str
    primary: Comparison | None
    guards: tuple[Comparison, ...] = ()
    measured: tuple[Comparison, ...] = ()
    worse: tuple[str, ...] = ()
    unscored: tuple[str, ...] = ()
    p: float = 1.0
    problem: str = ""

    @property
    def verdict(self) -> stats.Verdict:
        """`worse` where a guard is, else the primary scorer's verdict, if it holds beside the other candidates."""
        if self.worse:
            return "worse"
        return "cannot tell" if self.primary is None or not self._holds else self.primary.verdict

    @property
    def sentence(self) -> str:
        """The verdict in one line."""
        if self.primary is None:
            told = f"cannot tell: {self.problem}"
        elif self._holds:
            told = self.primary.sentence
        else:
            told = f"cannot tell beside the other versions (adjusted p {self.p:.2g}); alone, {self.primary.sentence}"
        if self.worse:
            start = f"{self.name} worse by guard {', '.join(self.worse)}"
            return f"{start}; {told}" if self.primary is None else f"{start}; by {self.primary.scorer}: {told}"
        return told

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """All comparisons, the primary scorer's first."""
        return (*(() if self.primary is None else (self.primary,)), *self.guards, *self.measured)

    def role(self, comparison: Comparison) -> str:
        """`primary`, `guard` or `measured`."""
        if comparison is self.primary:
            return "primary"
        return "guard" if any(comparison is guard for guard in self.guards) else "measured"

    def scorer_verdict(self, comparison: Comparison) -> stats.Verdict:
        """The verdict by one scorer: that of a guard alone, that of the primary one beside the other candidates."""
        if comparison is self.primary and not self._holds:
            return "cannot tell"
        return comparison.verdict

    @property
    def _holds(self) -> bool:
        assert self.primary is not None
        # Between p and interval stands the rounding of a single comparison; that one speaks for itself.
        alone = self.p == self.primary.p
        return alone or self.primary.verdict == "cannot tell" or self.p <= 1 - self.primary.result.confidence


@dataclass(frozen=True, slots=True)
class Report:
    """What a suite says of one or more candidates against a baseline.

    Attributes:
        suite: The suite's name.
        baseline: What the baseline is called.
        candidates: One for each, in order.
        judges: The conduct of each judge among the scorers.
        method: `fixed`: all declared rows were asked, and the tests are those of a fixed number of rows; `sequence`:
            the run goes on or was stopped, and the verdicts come from the confidence sequence; `unplanned`: it was
            stopped otherwise, and its verdicts count for nothing that was promised.
        planned: How many rows were declared before the run.
        notes: What else there is to know: rows left out, errors, failed scorers, served models.
    """

    suite: str
    baseline: str
    candidates: tuple[CandidateReport, ...]
    judges: tuple[JudgeReport, ...] = ()
    method: Method = "fixed"
    planned: int = 0
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> CandidateReport:
        for candidate in self.candidates:
            if candidate.name == name:
                return candidate
        raise KeyError(f"no candidate is called {name!r}; there are {', '.join(c.name for c in self.candidates)}")

    @property
    def candidate(self) -> CandidateReport:
        """The candidate; of several the last, as a comparison of the whole run takes it."""
        return self.candidates[-1]

    @property
    def verdict(self) -> stats.Verdict:
        """The verdict on the candidate; of several on the last."""
        return self.candidate.verdict

    @property
    def sentence(self) -> str:
        """The verdict in one line; of several candidates, a line each."""
        return "\n".join(candidate.sentence for candidate in self.candidates)

    @property
    def primary(self) -> Comparison | None:
        """The candidate's comparison by the primary scorer."""
        return self.candidate.primary

    @property
    def guards(self) -> tuple[Comparison, ...]:
        """The candidate's comparisons by the guards."""
        return self.candidate.guards

    @property
    def worse(self) -> tuple[str, ...]:
        """The guards by which the candidate is worse."""
        return self.candidate.worse

    @property
    def unscored(self) -> tuple[str, ...]:
        """The candidate's scorers without a score to compare."""
        return self.candidate.unscored

    @property
    def size(self) -> str:
        """The declared size and the method, in words."""
        declared = f"{self.planned:,} declared row{'' if self.planned == 1 else 's'}"
        if self.method == "fixed":
            return f"fixed size: all {declared} were asked, and the tests are those of a fixed number of rows"
        if self.method == "sequence":
            return f"confidence sequence: not all {declared} were asked; such a verdict holds at any look"
        return f"unplanned: not all {declared} were asked and nobody said when to stop: look, but do not rely on it"

    def to_frame(self) -> pandas.DataFrame:
        """Return a row for each candidate, scorer and slice; the slice `all` is every row."""
        return frame(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return as_dict(self)

    def __str__(self) -> str:
        return text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return page(self)

    def _repr_markdown_(self) -> str:
        return markdown(self)


def report(
    records: Iterable[OutputRecord],
    suite: Suite,
    baseline: str,
    *candidates: str,
    names: Mapping[str, str] | None = None,
    clusters: str | None = None,
    method: Method = "fixed",
    models: Mapping[str, str] | None = None,
    ratings: Sequence[Rating] = (),
) -> Report:
    """Compare versions of a run with its baseline by every scorer of its suite.

    Args:
        records: The run's records.
        suite: What they were scored with.
        baseline: Digest of the baseline version.
        *candidates: Digests of one or more candidates.
        names: What to call the versions, by digest; else `A` and `B`, `C`, ….
        clusters: A column that names what rows share; rows with the same value there are not independent.
        method: How the run ended; see `Report`.
        models: The model that each version asks for, by digest; a served one that is another is told.
        ratings: People's votes, to hold judges against.

    Raises:
        StatsError: No candidate was named, or there is no such column.
    """
    called = dict(names or {})
    for version, letter in zip((baseline, *candidates), "ABCDEFGHIJKLMNOPQRSTUVWXYZ", strict=False):
        called.setdefault(version, letter)
    return make_report(
        gather(records, ratings),
        suite,
        baseline,
        candidates,
        names=called,
        clusters=clusters,
        method=method,
        models=models or {},
    )


def make_report(
    figures: Figures,
    suite: Suite,
    baseline: str,
    candidates: Sequence[str],
    *,
    names: Mapping[str, str],
    clusters: str | None = None,
    method: Method = "fixed",
    models: Mapping[str, str],
) -> Report:
    """Make the report from a run's figures; see `report`.

    Raises:
        StatsError: No candidate was named, or there is no such column.
    """
    if not candidates:
        raise StatsError("a report compares at least one candidate with the baseline: name one")
    if clusters is not None and clusters not in suite.dataset.columns:
        raise StatsError(f"dataset {suite.dataset.name!r} has no column {clusters!r} to cluster by")
    planned = len(suite.dataset)
    found = [
        _candidate(
            figures,
            suite,
            baseline,
            candidate,
            names=names,
            clusters=clusters,
            planned=planned if method == "sequence" else None,
        )
        for candidate in candidates
    ]
    return Report(
        suite=suite.name,
        baseline=_name(names, baseline),
        candidates=_together(found),
        judges=judge_reports(figures, suite),
        method=method,
        planned=planned,
        notes=tuple(run_notes(figures, suite, (baseline, *candidates), names, models)),
    )


def _candidate(
    figures: Figures,
    suite: Suite,
    baseline: str,
    candidate: str,
    *,
    names: Mapping[str, str],
    clusters: str | None,
    planned: int | None,
) -> CandidateReport:
    asked = sorted({*figures.asked.get(baseline, ()), *figures.asked.get(candidate, ())})
    problem, unscored = "", []
    made: dict[str, Comparison] = {}
    extra = [scorer for scorer in _MEASURED if not any(isinstance(own, type(scorer)) for own in suite.scorers)]
    taken = {scorer.name for scorer in suite.scorers}
    for scorer in (*suite.scorers, *(scorer for scorer in extra if scorer.name not in taken)):
        found = figures.scores if scorer.name in taken else figures.measured
        try:
            made[scorer.name] = compare_scores(
                found.get((baseline, scorer.name), {}),
                found.get((candidate, scorer.name), {}),
                suite,
                scorer,
                clusters=clusters,
                asked=asked,
                names=(_name(names, baseline), _name(names, candidate)),
                planned=planned,
            )
        except StatsError as error:
            unscored.append(scorer.name)
            if scorer.name == suite.primary:
                problem = str(error)
    primary = made.pop(suite.primary, None)
    guards = tuple(told for name, told in made.items() if name in taken)
    significant = stats.holm([guard.p for guard in guards]).significant
    return CandidateReport(
        name=_name(names, candidate),
        primary=primary,
        guards=guards,
        measured=tuple(told for name, told in made.items() if name not in taken),
        worse=tuple(g.scorer for g, sure in zip(guards, significant, strict=True) if sure and g.verdict == "worse"),
        unscored=tuple(unscored),
        p=1.0 if primary is None else primary.p,
        problem=problem,
    )


def _together(found: Sequence[CandidateReport]) -> tuple[CandidateReport, ...]:
    """The candidates with p values adjusted for looking at all of them, and their slices for all slices of all."""
    told = list(found)
    places = [place for place, one in enumerate(told) if one.primary is not None]
    adjusted = stats.holm([told[place].p for place in places]).adjusted
    for place, p in zip(places, adjusted, strict=True):
        told[place] = replace(told[place], p=p)
    parts = [(place, part) for place in places for part in _primary(told[place]).slices]
    by_candidate: dict[int, list[Slice]] = {}
    for (place, part), p in zip(parts, stats.holm([part.result.p for _, part in parts]).adjusted, strict=True):
        by_candidate.setdefault(place, []).append(replace(part, p=p))
    for place, slices in by_candidate.items():
        told[place] = replace(told[place], primary=replace(_primary(told[place]), slices=tuple(slices)))
    return tuple(told)


def _primary(candidate: CandidateReport) -> Comparison:
    assert candidate.primary is not None
    return candidate.primary


def _name(names: Mapping[str, str], version: str) -> str:
    return names.get(version, version)


class SummaryRow(NamedTuple):
    """The mean of one version by one scorer on one slice.

    Attributes:
        version: Digest of the version.
        scorer: The scorer's name.
        slice: The slice column's value; `all` for every row.
        n: Rows with a score.
        missing: Rows that were run and have none.
        mean: Mean of the row scores; nan where no row has one.
        stderr: Its standard error.
        low: Lower end of its 95 % interval: Wilson's for scores of 0 and 1, the bootstrap's for skewed ones, else t's.
        high: Upper end.
    """

    version: str
    scorer: str
    slice: Hashable
    n: int
    missing: int
    mean: float
    stderr: float
    low: float
    high: float


def summary(records: Iterable[OutputRecord], suite: Suite) -> list[SummaryRow]:
    """Summarise a run's records: for each version and scorer, the whole and each slice."""
    kept = list(records)
    run: dict[str, set[int]] = {}
    for record in kept:
        run.setdefault(record.version, set()).add(record.row)
    scores = {
        (version, scorer.name): row_scores(kept, version, scorer.name) for version in run for scorer in suite.scorers
    }
    return summarise(scores, {version: sorted(rows) for version, rows in run.items()}, suite)


def summarise(
    scores: Mapping[tuple[str, str], Mapping[int, float]], rows: Mapping[str, Sequence[int]], suite: Suite
) -> list[SummaryRow]:
    """Summarise row scores: for each version and scorer, the whole and each slice.

    Args:
        scores: By version and scorer, the score of each row that has one.
        rows: By version, the rows that were run.
        suite: The suite.
    """
    told = []
    for version, run in rows.items():
        for scorer in suite.scorers:
            found = scores.get((version, scorer.name), {})
            for name, part in _parts(suite, run):
                told.append(_summary_row(version, scorer.name, name, [found.get(row) for row in part]))
    return told


def _parts(suite: Suite, rows: Sequence[int]) -> list[tuple[Hashable, Sequence[int]]]:
    parts: dict[Hashable, list[int]] = {}
    if suite.slice is not None:
        for row in rows:
            value = suite.dataset.rows[row][suite.slice]
            parts.setdefault(value if isinstance(value, Hashable) else str(value), []).append(row)
    return [("all", rows), *sorted(parts.items(), key=lambda part: str(part[0]))]


def _summary_row(version: str, scorer: str, name: Hashable, scores: Sequence[float | None]) -> SummaryRow:
    values = [score for score in scores if score is not None]
    missing = len(scores) - len(values)
    if not values:
        return SummaryRow(version, scorer, name, 0, missing, math.nan, math.nan, math.nan, math.nan)
    mean = summary_mean(values)
    return SummaryRow(version, scorer, name, len(values), missing, mean.mean, mean.stderr, mean.low, mean.high)


def summary_mean(values: Sequence[float]) -> stats.Mean:
    """The mean of row scores with the interval that fits them: Wilson's, the bootstrap's or t's.

    Raises:
        StatsError: There is no row, or a score is missing or not finite.
    """
    mean = stats.mean(values)
    if all(value in (0.0, 1.0) for value in values):
        rate = stats.pass_rate(round(sum(values)), len(values))
        return replace(mean, low=rate.low, high=rate.high)
    if len(values) >= _BOOTSTRAPPED and stats.skewed(values):
        skewed = stats.bootstrap_mean(values)
        return replace(mean, low=skewed.low, high=skewed.high)
    return mean
