"""What came out of a run: its results, verdicts, reports and charts, also after a restart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from pressmark.api.derived import DerivedVersion
from pressmark.api.tuning import tuned_on, tuning_warnings
from pressmark.errors import PressmarkError, StatsError, VersionNotFoundError
from pressmark.evals import Suite, charts
from pressmark.evals.chain import Chain, resolve
from pressmark.evals.comparison import Comparison, compare_scores
from pressmark.evals.plan import order_of
from pressmark.evals.report import Report, make_report, summarise
from pressmark.face import Faced
from pressmark.face.forms import Face, Table
from pressmark.prompts import Unit, Version
from pressmark.rendering import PromptVersion

if TYPE_CHECKING:
    import pandas

    from pressmark import workspace as files
    from pressmark.api.workspace import Workspace
    from pressmark.providers import Endpoint
    from pressmark.widgets import Workbench

# A run shows so many lines of numbers of itself; by slice only where they are few.
FACE_ROWS = 24


class Run(Faced):
    """What came out of a run; `ws.evaluate` returns one, and `ws.run(run_id)` finds it again."""

    def __init__(self, workspace: Workspace, kept: files.Run) -> None:
        self._workspace = workspace
        self._kept = kept
        told = kept.spec["versions"]
        several = len({version["name"] for version in told}) > 1
        self._digests: dict[str, str] = {
            f"{version['name']} {version['version']}" if several else version["version"]: version["digest"]
            for version in told
        }

    @property
    def id(self) -> str:
        """The run's id."""
        return self._kept.run_id

    @property
    def status(self) -> str:
        """`running`, `done`, `stopped` (its budget, or sure enough), `cancelled`, `failed`, `interrupted` (killed)."""
        status = self._workspace.store.run(self.id).status
        if status == "running" and self.id not in self._workspace.store.running():
            return "interrupted"
        return status

    @property
    def planned(self) -> int:
        """How many rows the run was to ask, declared before its first call."""
        told = self._now.record.get("planned")
        return int(told) if told is not None else len(self.suite.dataset)

    @property
    def method(self) -> Literal["fixed", "sequence", "unplanned"]:
        """By which rule its size came about, and so which verdict it bears.

        `fixed`: every planned row was asked. `sequence`: it was watched by a confidence sequence and might stop on it,
        whether it did or not. `unplanned`: a budget, a stop or a failure ended it, or it is still under way.
        """
        now = self._now
        if now.record.get("method") == "sequence":
            return "sequence"
        return "fixed" if now.status == "done" else "unplanned"

    @property
    def note(self) -> str | None:
        """Why it ended before its last row, as a sentence; None for a run that did not."""
        return self._now.note

    @property
    def _now(self) -> files.Run:
        return self._workspace.store.run(self.id)

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions, the baseline first; these names stand in `results`."""
        return tuple(self._digests)

    @property
    def prompt(self) -> str:
        """The prompt whose versions ran; of several, the baseline's."""
        return self._kept.prompt or str(self._kept.spec["versions"][0]["name"])

    @property
    def suite_name(self) -> str:
        """The suite's name."""
        return str(self._kept.spec["suite"]["name"])

    @property
    def suite_digest(self) -> str:
        """The digest of the suite as it was when the run began."""
        return str(self._kept.spec["suite"]["digest"])

    @property
    def endpoint_name(self) -> str:
        """The endpoint's name."""
        return str(self._kept.spec["endpoint"]["name"])

    @property
    def suite(self) -> Suite:
        """The suite as it was when the run began."""
        return self._workspace.load_suite(self._workspace.store.suite_spec(self.suite_digest))

    @property
    def repeats(self) -> int:
        """How often each row was asked."""
        return int(self._kept.spec["repeats"])

    @property
    def models(self) -> tuple[str, ...]:
        """The models that were served."""
        return tuple(sorted(self.results["model"].dropna().unique().tolist()))

    @property
    def rows(self) -> tuple[int, ...]:
        """The dataset's rows that were asked, in the order in which they were asked."""
        asked = {int(row) for row in self.results["row"].unique()}
        return tuple(row for row in order_of(self.suite.dataset) if row in asked)

    def row_scores(self, scorer: str | None = None) -> pandas.DataFrame:
        """Return version (digest), scorer, row and value, the mean over repeats; of one scorer where it is named."""
        return self._workspace.store.row_scores(self.id, scorer)

    def answers_of(self, rows: Sequence[int], digests: Sequence[str]) -> dict[tuple[int, str], str]:
        """Return whole outputs by row and version (digest), without those that are errors or still to come.

        Of several repeats it is the first that has one.
        """
        found = self._workspace.store.run_rows(self.id, digests, rows, cut=None)
        return {
            (row.row, digest): cell.output
            for row in found
            for digest, cell in row.cells.items()
            if not cell.pending and (cell.error is None or cell.output)
        }

    @property
    def results(self) -> pandas.DataFrame:
        """A row for each output: version, row, repeat, output, error, each scorer, tokens, cost, latency, model, …"""
        frame = self._workspace.store.results_frame(self.id)
        names = {digest: name for name, digest in self._digests.items()}
        frame["version"] = frame["version"].map(names)
        return frame

    @property
    def errors(self) -> pandas.DataFrame:
        """The rows without an answer, with the reason."""
        results = self.results
        return results.loc[results["error"].notna(), ["version", "row", "repeat", "error"]].reset_index(drop=True)

    def summary(self) -> pandas.DataFrame:
        """Return a row for each version, scorer and slice: n (rows), mean, stderr, low, high (95 %), missing (rows).

        The slice `all` is every row. A row's score is the mean over its repeats.
        """
        import pandas as pd

        suite = self.suite
        found = self._workspace.store.row_scores(self.id).dropna(subset=["value"])
        scores: dict[tuple[str, str], dict[int, float]] = {
            (str(version), str(scorer)): dict(zip(part["row"].tolist(), part["value"].tolist(), strict=True))
            for (version, scorer), part in found.groupby(["version", "scorer"])
        }
        rows = range(len(suite.dataset))
        names = {digest: name for name, digest in self._digests.items()}
        told = summarise(scores, dict.fromkeys(names, rows), suite)
        columns = ["version", "scorer", "slice", "n", "mean", "stderr", "low", "high", "missing"]
        return pd.DataFrame([row._replace(version=names[row.version]) for row in told])[columns]

    def compare(
        self,
        baseline: Version | str | None = None,
        candidate: Version | str | None = None,
        *,
        scorer: str | None = None,
        clusters: str | None = None,
        sequence: bool | None = None,
    ) -> Comparison:
        """Return the paired verdict on the candidate against the baseline.

        Args:
            baseline: A version of the run; else the first.
            candidate: Another; else the last.
            scorer: Whose scores; else the suite's primary scorer.
            clusters: A column that names what rows share, such as a conversation; such rows are not independent.
            sequence: Whether the interval is the confidence sequence's, which holds at any look. Else by the run: the
                sequence's where its number of rows was not declared before (it goes on, or was stopped).

        Raises:
            VersionNotFoundError: The run does not have that version, or has only one.
            SuiteError: The suite has no such scorer.
            StatsError: No row has a score of both; or a sequence has under 30 rows.
        """
        first, second = self.pair(baseline, candidate)
        before, after = self.name_of(first), self.name_of(second)
        suite = self.suite
        judged = suite.scorer(scorer)
        pairs = self._workspace.store.paired_scores(self.id, first, second, judged.name)
        compared = compare_scores(
            _by_row(pairs, "baseline"),
            _by_row(pairs, "candidate"),
            suite,
            judged,
            clusters=clusters,
            asked=range(len(suite.dataset)),
            names=(before, after),
            planned=self.planned if (self.method != "fixed" if sequence is None else sequence) else None,
        )
        return replace(compared, opens=lambda: self._view(("compare", "evaluate"), before, after, judged.name))

    def view(self) -> Workbench:
        """Return the Evaluate panel alone, as a widget, opened on this run."""
        return self._view(("evaluate",), self.versions[0], self.versions[-1])

    def _view(self, panels: tuple[str, ...], baseline: str, candidate: str, scorer: str = "") -> Workbench:
        from pressmark.api.session import Session
        from pressmark.widgets import Workbench

        return Workbench(
            Session(self._workspace),
            self.prompt,
            panels=panels,
            panel="evaluate",
            run=self.id,
            baseline=baseline,
            version=candidate,
            scorer=scorer,
        )

    def pair(self, baseline: Version | str | None = None, candidate: Version | str | None = None) -> tuple[str, str]:
        """Return the digests of two versions of the run: those named, else its first and its last.

        Raises:
            VersionNotFoundError: The run does not have one of them, or has only one.
        """
        names = self.versions
        if len(names) < 2 and (baseline is None or candidate is None):
            raise VersionNotFoundError(f"run {self.id} has one version ({names[0]}): a comparison needs two")
        before = self.name_of(names[0] if baseline is None else baseline)
        return self._digests[before], self._digests[self.name_of(names[-1] if candidate is None else candidate)]

    def report(
        self,
        baseline: Version | str | None = None,
        candidates: Version | str | Sequence[Version | str] | None = None,
        *,
        clusters: str | None = None,
    ) -> Report:
        """Return what the suite says of the candidates against the baseline: by every scorer, cost and latency.

        A run whose rows were all asked is judged by the tests of a fixed number of rows; one that goes on or was
        stopped, by the confidence sequence, which holds at any look. The report says which.

        Args:
            baseline: A version of the run; else the first.
            candidates: One or more others; else all others.
            clusters: A column that names what rows share, such as a conversation; such rows are not independent.

        Raises:
            VersionNotFoundError: The run does not have that version, or has only one.
            StatsError: There is no such column.
        """
        before = self.name_of(self.versions[0] if baseline is None else baseline)
        if candidates is None:
            after = [name for name in self.versions if name != before]
        else:
            given = [candidates] if isinstance(candidates, Version | str) else list(candidates)
            after = list(dict.fromkeys(self.name_of(candidate) for candidate in given))
        if not after:
            raise VersionNotFoundError(f"run {self.id} has one version ({before}): a report needs two")
        suite, figures = self.suite, self._workspace.store.figures(self.id)
        compared = [self._digests[name] for name in (before, *after)]
        complete = self.status == "done" and all(
            len(figures.asked.get(version, ())) == len(suite.dataset) for version in compared
        )
        told = make_report(
            figures,
            suite,
            compared[0],
            compared[1:],
            names={digest: name for name, digest in self._digests.items()},
            clusters=clusters,
            method="fixed" if complete and self.method == "fixed" else "sequence",
            models=self._models(),
        )
        chains = self._chains([before, *after])
        return replace(told, notes=(*tuning_warnings(self._workspace.store, chains, suite.dataset), *told.notes))

    def chart(
        self,
        kind: Literal["intervals", "slices", "cost", "scores"] = "intervals",
        *,
        scorer: str | None = None,
        baseline: Version | str | None = None,
        candidate: Version | str | None = None,
    ) -> charts.Drawing:
        """Draw the run; a notebook shows it, and its `chart` is an altair chart to go on with.

        Args:
            kind: `intervals`: each version's mean with its interval; `slices`: the candidate's difference from the
                baseline, on all rows and by slice; `cost`: cost against quality, with the versions that no other one
                beats in both; `scores`: how the row scores are spread.
            scorer: Whose scores; else the suite's primary scorer.
            baseline: For `slices`, a version of the run; else the first.
            candidate: For `slices`, another; else the last.

        Raises:
            StatsError: There is nothing to draw.
            SuiteError: The suite has no such scorer.
            VersionNotFoundError: The run does not have that version.
        """
        if kind not in ("intervals", "slices", "cost", "scores"):
            raise StatsError(f"a chart is one of intervals, slices, cost, scores; got {kind!r}")
        judged = self.suite.scorer(scorer)
        if kind == "slices":
            return charts.Drawing(charts.of_comparison(self.compare(baseline, candidate, scorer=judged.name)))
        if kind == "cost" and judged.kind != "score":
            raise StatsError(f"{judged.name!r} is a measurement, not a quality: name a scorer of scores in [0, 1]")
        figures = self._workspace.store.figures(self.id)
        found = {name: figures.of(digest, judged.name) for name, digest in self._digests.items()}
        unit = "points" if judged.kind == "score" else judged.unit
        if kind == "intervals":
            return charts.Drawing(charts.intervals(charts.means(found), scorer=judged.name, unit=unit))
        if kind == "cost":
            costs = {name: figures.measured.get((digest, "cost"), {}) for name, digest in self._digests.items()}
            return charts.Drawing(charts.cost_quality(charts.worths(found, costs), scorer=judged.name))
        every = {name: scores.values() for name, scores in found.items()}
        return charts.Drawing(charts.distribution(every, scorer=judged.name, unit=unit))

    def tuned_on(self, version: Version | str) -> tuple[int, ...]:
        """Return the rows that a version of the run was tuned on, as far as that can be known.

        Those are rows whose text stands in its template, as an example's does, and rows of a train part.

        Raises:
            VersionNotFoundError: The run does not have that version.
        """
        chains = self._chains([self.name_of(version)])
        found = tuned_on(self._workspace.store, chains, self.suite.dataset)
        return tuple(row for rows in found.values() for row in rows.rows)

    def _chains(self, names: Sequence[str]) -> dict[str, Chain]:
        """What was run under these names, where the workspace still has it."""
        found = {}
        for name, told in zip(self._digests, self._kept.spec["versions"], strict=True):
            if name in names:
                with suppress(PressmarkError):
                    found[name] = self._chain(told)
        return found

    def _models(self) -> dict[str, str]:
        """The model that each version asks for, where the workspace still has the version."""
        found = {}
        for told in self._kept.spec["versions"]:
            with suppress(PressmarkError):
                found[told["digest"]] = self._version(told).unit.model
        return found

    def name_of(self, version: Version | str) -> str:
        """Return what the run calls a version.

        Raises:
            VersionNotFoundError: The run does not have it.
        """
        for name, digest in self._digests.items():
            if (version.digest == digest) if isinstance(version, Version) else version in (name, digest):
                return name
        if isinstance(version, Version):
            # A version that ran as part of a chain, where it ran once.
            units = {told["digest"]: told.get("version_digest") for told in self._kept.spec["versions"]}
            fitting = [name for name, digest in self._digests.items() if units[digest] == version.digest]
            if len(fitting) == 1:
                return fitting[0]
        raise VersionNotFoundError(f"run {self.id} has no version {version}; it has {', '.join(self.versions)}")

    def digest_of(self, name: str) -> str:
        """Return the digest of one of the run's versions."""
        return self._digests[self.name_of(name)]

    def resume(self, *, endpoint: Endpoint | str | None = None, progress: bool = True, **options: Any) -> Run:
        """Ask what is missing, errors among it, and wait for the end.

        Args:
            endpoint: Where to ask; else where the run asked before.
            progress: Whether to show a progress bar.
            **options: As for `ws.evaluate`.
        """
        space = self._workspace
        options.setdefault("repeats", self.repeats)
        options.setdefault("seeds", self.seeds)
        self.reopen()
        return space.evaluate(
            self.chains, self.suite, endpoint=endpoint or self.endpoint_name, progress=progress, **options
        )

    def reopen(self) -> None:
        """Have a run that is done taken up again for the rows that ended as errors."""
        if self.status == "done":
            self._workspace.store.finish_run(self.id, "cancelled", None)

    @property
    def seeds(self) -> bool:
        """Whether each repeat was asked with a seed of its own."""
        return bool(self._kept.spec.get("seeds"))

    @property
    def chains(self) -> list[Chain]:
        """What was run, in the order of `versions`: each version with what feeds it.

        Raises:
            NotFoundError: A version is not in this workspace any more.
        """
        return [self._chain(told) for told in self._kept.spec["versions"]]

    def _chain(self, told: Mapping[str, Any]) -> Chain:
        """The version or chain that the run's description tells of."""
        lock, store = told.get("lock", {}), self._workspace.store
        version = self._version(told)
        if not lock:
            return Chain.of(version)
        return resolve(version, lambda name, label: store.version(name, lock[f"{name}@{label}"]))

    def _version(self, told: Mapping[str, Any]) -> PromptVersion:
        digest = told.get("version_digest", told["digest"])
        if "unit" not in told:
            return self._workspace.store.version(told["name"], digest)
        unit, at = Unit.from_dict(told["unit"]), self._kept.started_at
        return DerivedVersion(told["name"], told["of"], unit, digest, "", "", at, parent=told["of"])

    def __repr__(self) -> str:
        tally = self._workspace.store.tally(self.id)
        failed = f", {tally.errors:,} of {tally.done:,} answers failed" if tally.errors else ""
        return f"<Run {self.id} {self.status}: {', '.join(self.versions)} on {self.suite_name}{failed}>"

    def _face(self) -> Face:
        sentences = [self._sentence(candidate) for candidate in self.versions[1:]]
        tally = self._workspace.store.tally(self.id)
        told = f"{self.id}: {tally.done:,} outputs, {tally.errors:,} errors, {tally.cached:,} from the cache"
        if tally.cost is not None:
            told += f", {tally.cost:.4f} USD"
        whole = self.summary()
        # A suite with many slices would bury the verdict under them.
        summary = whole if len(whole) <= FACE_ROWS else whole[whole["slice"] == "all"]
        if len(summary) < len(whole):
            told += f"; {len(whole) - len(summary):,} lines by slice stand in run.summary()"
        rows = [[_cell(value) for value in row] for row in summary.itertuples(index=False, name=None)]
        if tally.errors:
            sentences.append(f"{tally.errors:,} of {tally.done:,} answers failed, such as: {tally.error}")
        if len(self.versions) < 2:
            sentences.insert(0, f"{', '.join(self.versions)} on {self.suite_name}: {self.status}")
        title, *others = sentences
        return Face(
            title, [*others, told], tables=[Table(list(summary.columns), rows, right=range(3, len(summary.columns)))]
        )

    def _sentence(self, candidate: str) -> str:
        try:
            return self.compare(self.versions[0], candidate).sentence
        except PressmarkError as error:
            return str(error)


def _cell(value: Any) -> str:
    if value is None or value != value:  # noqa: PLR0124 - what is no number is not equal to itself
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _by_row(pairs: pandas.DataFrame, side: str) -> dict[int, float]:
    scored = pairs[pairs[side].notna()]
    return dict(zip(scored["row"].tolist(), scored[side].tolist(), strict=True))
