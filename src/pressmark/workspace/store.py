"""The workspace, as the layers above see it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pressmark.errors import WorkspaceFullError
from pressmark.evals.dataset import Dataset
from pressmark.evals.figures import Figures
from pressmark.evals.origin import TRAIN
from pressmark.prompts import Unit, Version
from pressmark.prompts.evidence import Evidence
from pressmark.rendering import PromptVersion
from pressmark.workspace import (
    catalog,
    deleting,
    drafts,
    evaluations,
    feedback,
    figures,
    grid,
    migrations,
    query,
    runs,
    usage,
    versions,
)
from pressmark.workspace import journal as journals
from pressmark.workspace.catalog import SavedEndpoint
from pressmark.workspace.connection import DEADLINE, Compacted, Database
from pressmark.workspace.deleting import Deletion
from pressmark.workspace.drafts import Draft, Steps
from pressmark.workspace.evaluations import SavedEvaluation, SavedPart
from pressmark.workspace.grid import CUT, Direction, Filter, Order, Page, Row, Sort, View
from pressmark.workspace.journal import Drainer, Journal
from pressmark.workspace.runs import Record, Run, Tally
from pressmark.workspace.usage import Usage
from pressmark.workspace.versions import Saved

if TYPE_CHECKING:
    import pandas
    import pyarrow

_log = logging.getLogger("pressmark.workspace")


class Store:
    """One DuckDB file with everything an analyst makes.

    Several processes may have a store on one file, and several threads may share a store: each call opens the file,
    does its work in one transaction and closes. A call that another process keeps waiting for longer than the deadline
    raises `WorkspaceLockedError`. Every method can raise `WorkspaceError`; then nothing was changed.

    Opening makes the file where there is none, brings an older one to today's form, and saves the answers that a
    process which died left in its journal.

    Args:
        path: The file.
        deadline: Seconds to wait for other processes in each call.

    Attributes:
        path: The file, with links resolved.

    Raises:
        WorkspaceFormatError: There is something else at that path.
        WorkspaceVersionError: The file is of a newer Pressmark or DuckDB.
        WorkspaceLockedError: Another process kept it for longer than the deadline.
        WorkspaceFullError: The disk is too full to make the file.
    """

    def __init__(self, path: str | os.PathLike[str], *, deadline: float = DEADLINE) -> None:
        self._database = Database(path, deadline=deadline)
        # The dataset that was read last: it never changes, and a run's report, charts and grid each want its rows.
        self._dataset: Dataset | None = None
        if not self._database.exists():
            migrations.create(self._database)
        migrations.migrate(self._database)
        self._database.check = lambda connection: migrations.refuse_newer(
            migrations.last_step(connection), self._database
        )
        try:
            journals.recover(self._database)
        except WorkspaceFullError as error:
            # Reading needs no room; the answers are safe in their journals until there is some.
            _log.warning("answers of an earlier process wait in their journal: %s", error)

    @property
    def path(self) -> Path:
        """The file, with links resolved."""
        return self._database.path

    def __repr__(self) -> str:
        return f"Store({str(self.path)!r})"

    # Prompts

    def save_version(
        self,
        name: str,
        unit: Unit,
        message: str = "",
        author: str = "",
        *,
        parent: int | str | Version | None = None,
        source: Mapping[str, Any] | None = None,
    ) -> Saved:
        """Save a unit as the next version of a prompt.

        What equals the newest version makes nothing new and returns that one. What equals an older one gets a new
        number with the old digest, and `restores` names the old number.

        Args:
            name: The prompt's name.
            unit: What the version says.
            message: What changed.
            author: Who says so.
            parent: What it was made from; the newest version unless told otherwise.
            source: Where it was pulled from, as JSON, where it was.

        Raises:
            InvalidNameError: The name is not of the allowed form.
            InvalidUnitError: The unit is too large or has no canonical form, or the message is no text.
            VersionNotFoundError: There is no such parent.
            GraphCycleError: Its inputs would close a circle.
        """
        return versions.save(self._database, name, unit, message, author, parent=parent, source=source)

    def version(self, name: str, reference: str = "latest") -> PromptVersion:
        """Return one version.

        Args:
            name: The prompt's name.
            reference: `#2`, `latest`, a digest, or the first six or more digits of one.

        Raises:
            PromptNotFoundError: There is no prompt of that name.
            VersionNotFoundError: It has no such version, or the reference fits several.
        """
        return versions.one(self._database, name, reference)

    def versions(self, name: str) -> list[PromptVersion]:
        """Return every version of a prompt, the newest first.

        Raises:
            PromptNotFoundError: There is no prompt of that name.
        """
        return versions.all_of(self._database, name)

    def versions_with_digest(self, digest: str) -> list[PromptVersion]:
        """Return every version, of any prompt, with this digest, the newest first; none is an empty list."""
        return versions.with_digest(self._database, digest)

    def prompts(self) -> pandas.DataFrame:
        """Return a line for each prompt: prompt, versions, latest, digest, message, changed_at, draft.

        A prompt that has only a draft is among them, with 0 versions. The last changed comes first.
        """
        return versions.summaries(self._database)

    def save_draft(
        self,
        name: str,
        body: Mapping[str, Any],
        base: str | None = None,
        *,
        expected: int | None = None,
        start: Mapping[str, Any] | None = None,
        view: str = "",
    ) -> datetime:
        """Keep what an editor holds, whatever state it is in, in the place of the prompt's draft before.

        Args:
            name: The prompt's name.
            body: JSON.
            base: The version that the draft was begun from, such as `#3`.
            expected: The revision that the editor had before it; without one, the draft is overwritten whatever it is.
            start: What the editor held before the first change, so that this can be undone.
            view: Who types; what one view types in a moment is undone at once.

        Returns:
            When it was saved.

        Raises:
            InvalidNameError: The name is not of the allowed form.
            DraftConflictError: Another hand changed the draft since; the body is kept as the step before.
        """
        return drafts.save(self._database, name, body, base, expected=expected, start=start, view=view)

    def draft(self, name: str) -> Draft | None:
        """Return the draft of a prompt, or None where there is none."""
        return drafts.one(self._database, name)

    def draft_steps(self, name: str) -> Steps:
        """Return where a prompt's draft stands among the steps that can be undone and done again."""
        return drafts.steps(self._database, name)

    def walk_draft(self, name: str, by: int) -> None:
        """Undo so many steps of a draft (negative), or do them again.

        Raises:
            WorkspaceError: There are not so many.
        """
        drafts.walk(self._database, name, by)

    def close_draft(self, name: str, body: Mapping[str, Any], base: str | None, *, saved: bool) -> None:
        """End a draft, whose steps stay: it became a version, or was discarded.

        Args:
            name: The prompt's name.
            body: What the editor holds from now on.
            base: The version that this is.
            saved: Whether the draft became that version.
        """
        drafts.close(self._database, name, body, base, saved=saved)

    def delete_draft(self, name: str) -> None:
        """Forget the draft of a prompt and its steps; where there is none, nothing happens."""
        drafts.delete(self._database, name)

    # Evaluations of a change

    def save_evaluation(self, evidence: Evidence, parts: Sequence[SavedPart]) -> None:
        """Keep what evaluating a change found, in the place of what was found of the same change before.

        Args:
            evidence: What a registry takes.
            parts: Which run judged which prompt.
        """
        evaluations.save(self._database, evidence, parts)

    def evaluation(self, name: str, label: str, candidate: str, baseline: str | None) -> SavedEvaluation | None:
        """Return what evaluating a change found, or None where it was not evaluated.

        Args:
            name: The changed prompt.
            label: The label that it is meant for.
            candidate: Digest of the version that the label would get.
            baseline: Digest of what it holds; None for a new label.
        """
        return evaluations.one(self._database, name, label, candidate, baseline)

    # Deleting

    def weigh_dataset(self, name: str) -> Deletion:
        """Return what deleting a dataset would take away.

        Raises:
            DatasetNotFoundError: There is none.
        """
        return deleting.weigh(self._database, name)

    def delete_dataset(self, name: str, reason: str, author: str = "", *, runs: bool = False) -> Deletion:
        """Delete every version of a dataset and the suites on it; its bytes leave the file when it is compacted.

        Args:
            name: The dataset.
            reason: Why, for those who miss it.
            author: Who says so.
            runs: Whether its runs go too, with their outputs, scores, ratings and evaluations.

        Returns:
            What was deleted.

        Raises:
            DatasetNotFoundError: There is none.
            WorkspaceError: There is no reason, or a run is working on it.
        """
        self._dataset = None
        return deleting.delete_dataset(self._database, name, reason, author, runs=runs)

    def weigh_file(self) -> Compacted:
        """Return the file's size now and, about, what compacting would leave of it.

        Raises:
            WorkspaceError: The file is missing, locked or damaged.
        """
        return self._database.weigh()

    def compact(self) -> Compacted:
        """Rewrite the file without what was deleted, and return its size before and after.

        Other processes wait meanwhile. Killed at any moment, the file is the old one or the new one, both whole.

        Raises:
            WorkspaceLockedError: Others use the file all the time, or a connection to it is open in this process.
            WorkspaceFullError: There is no room for the copy.
        """
        return self._database.compact()

    # Datasets, suites, endpoints

    def save_dataset(self, dataset: Dataset, author: str = "", *, again: bool = True) -> Dataset:
        """Keep a dataset; the newest of that name again makes nothing new.

        Args:
            dataset: What to keep, with where it came from.
            author: Who made it.
            again: Whether what is an older version of that name becomes its newest again.
        """
        return catalog.save_dataset(self._database, dataset, author, again=again)

    def dataset(self, name: str, reference: str | None = None) -> Dataset:
        """Return the newest dataset of that name, or the one of that name with that digest or number (`#2`).

        Raises:
            DatasetNotFoundError: There is none.
        """
        known = self._dataset
        if reference is not None and known is not None and (known.name, known.digest) == (name, reference):
            return known
        found = catalog.dataset(self._database, name, reference)
        self._dataset = found
        return found

    def correct_dataset(
        self,
        name: str,
        row: int,
        values: Mapping[str, Any],
        *,
        author: str = "",
        message: str = "",
        seen: Mapping[str, Any] | None = None,
    ) -> Dataset:
        """Keep the newest dataset of a name with other values in a row, as its next version.

        Args:
            name: The dataset's name.
            row: Which row, from 0.
            values: The new value by column.
            author: Who says so.
            message: Why.
            seen: The row as it was looked at; where it stands otherwise by now, nothing is changed.

        Raises:
            DatasetNotFoundError: There is none of that name.
            DatasetError: There is no such row or column, it holds that already, or it was changed by now.
        """
        return catalog.correct_dataset(self._database, name, row, values, author=author, message=message, seen=seen)

    def dataset_versions(self, name: str) -> pandas.DataFrame:
        """Return a line for each version of a dataset, the newest first.

        Columns: version (`#2`), digest, rows, kind (how it was made), told, part, parent (digest), author, created_at.

        Raises:
            DatasetNotFoundError: There is none of that name.
        """
        return catalog.dataset_versions(self._database, name)

    def train_parts(self, parent: str | None = None) -> list[Dataset]:
        """Return the train parts of all splits, the newest first; of one dataset where its digest is named."""
        found = catalog.parts(self._database, TRAIN, parent)
        return [catalog.dataset(self._database, name, digest) for name, digest in found]

    def dataset_rows(self, digest: str, rows: Sequence[int] | None = None) -> dict[int, dict[str, Any]]:
        """Return rows of a dataset by their numbers, without reading the others; all where none are named."""
        return catalog.dataset_rows(self._database, digest, None if rows is None else list(rows))

    def datasets(self) -> pandas.DataFrame:
        """Return a line for each dataset: name, digest, columns, rows, versions, created_at."""
        return catalog.datasets(self._database)

    def save_suite(self, name: str, digest: str, spec: Mapping[str, Any], *, again: bool = True) -> int:
        """Keep a suite's description and return its number; the newest of that name again makes nothing new.

        Args:
            name: The suite's name.
            digest: Its digest.
            spec: Its description.
            again: Whether what is an older version of that name becomes its newest again.
        """
        return catalog.save_suite(self._database, name, digest, spec, again=again)

    def suite_spec(self, reference: str) -> dict[str, Any]:
        """Return the description of the newest suite of that name, or of the suite with that digest.

        Raises:
            SuiteNotFoundError: There is none.
        """
        return catalog.suite_spec(self._database, reference)

    def row_counts(self) -> dict[tuple[str, str], int]:
        """Return how many rows each version of a dataset has, by name and digest, without reading them."""
        return catalog.row_counts(self._database)

    def suites(self) -> pandas.DataFrame:
        """Return a line for each suite: name, digest, spec, versions, created_at."""
        return catalog.suites(self._database)

    def save_endpoint(
        self,
        name: str,
        base_url: str,
        key_env: str | None = None,
        *,
        rpm: float | None = None,
        tpm: float | None = None,
        transport: str | None = None,
    ) -> SavedEndpoint:
        """Keep where a model is reached, in the place of what that name said before. The key itself is never kept.

        Args:
            name: What to call it.
            base_url: Its address, without user, password or query.
            key_env: The name of the environment variable that holds its key.
            rpm: Requests that it takes a minute.
            tpm: Tokens that it takes a minute.
            transport: How it is reached.

        Raises:
            EndpointError: An argument is malformed or looks like a key; it is not repeated in the message.
        """
        return catalog.save_endpoint(self._database, name, base_url, key_env, rpm=rpm, tpm=tpm, transport=transport)

    def endpoint(self, name: str) -> SavedEndpoint:
        """Return the endpoint of that name.

        Raises:
            EndpointNotFoundError: There is none.
        """
        return catalog.endpoint(self._database, name)

    def endpoints(self) -> list[SavedEndpoint]:
        """Return every endpoint, by name."""
        return catalog.endpoints(self._database)

    # Runs

    def create_run(
        self,
        run_id: str,
        spec: Mapping[str, Any],
        *,
        prompt: str | None = None,
        dataset: str | None = None,
        record: Mapping[str, Any] | None = None,
    ) -> Run:
        """Record that a run begins; the same id again takes it up where it stopped and keeps its first spec.

        Args:
            run_id: A new id, or the one to resume.
            spec: What is asked for, as JSON.
            prompt: The prompt's name, where the run is of one.
            dataset: The digest of the dataset, so that the grid finds the rows.
            record: What is to be known of how it comes to its end, as JSON; else what stands there stays.
        """
        return runs.create(self._database, run_id, spec, prompt, dataset, record=record)

    def finish_run(
        self, run_id: str, status: str, note: str | None = None, record: Mapping[str, Any] | None = None
    ) -> None:
        """Record how a run ended: `done`, `stopped`, `cancelled` or `failed`, with a sentence that says why.

        Args:
            run_id: The run.
            status: How it ended.
            note: Why.
            record: How it came to its end, as JSON; else what stands there stays.

        Raises:
            RunNotFoundError: There is no such run.
        """
        runs.finish(self._database, run_id, status, note, record)

    def spent(self, run_id: str) -> dict[str, Any]:
        """Return what a run's outputs took, as far as they are in the file: calls, tokens, money (US dollars)."""
        return runs.spent(self._database, run_id)

    def run(self, run_id: str) -> Run:
        """Return a run.

        Raises:
            RunNotFoundError: There is none.
        """
        return runs.one(self._database, run_id)

    def runs(self, prompt: str | None = None, limit: int | None = None) -> list[Run]:
        """Return the runs, the newest first; of one prompt where it is named."""
        return runs.all_of(self._database, prompt, limit)

    def running(self) -> set[str]:
        """Return the ids of the runs that a living process is really working on, whatever their status says."""
        return journals.owned_runs(self.path)

    def tally(self, run_id: str) -> Tally:
        """Return how far a run has come, as far as its outputs are in the file: done, errors, cached, cost, latency.

        Raises:
            RunNotFoundError: There is no such run.
        """
        return runs.tally(self._database, run_id)

    def usage(
        self, *, versions: Iterable[str] = (), models: Iterable[str] = (), judges: Iterable[str] = ()
    ) -> dict[str, dict[str, Usage]]:
        """Return what answers took so far, under `versions`, `models` and `judges`; what has none is left out.

        Args:
            versions: Digests.
            models: Models, as they were served.
            judges: Scorers that ask a model.
        """
        return {
            "versions": usage.by_version(self._database, versions),
            "models": usage.by_model(self._database, models),
            "judges": usage.by_judge(self._database, judges),
        }

    def append_outputs(self, records: Sequence[Record]) -> None:
        """Record outputs in one batch; each replaces what its run, version, row and repeat had before.

        Args:
            records: `OutputRecord.to_dict()` of each.
        """
        runs.append(self._database, records)

    def journal(self, run_id: str) -> Journal:
        """Begin a journal, to which a run's outputs are appended the moment they arrive.

        Raises:
            WorkspaceError: It could not be made beside the file.
        """
        return Journal(self.path, run_id)

    def drainer(self, journal: Journal, interval: float = 1.0) -> Drainer:
        """Return what moves a journal into the file while a `with` block runs, and to its end when it is left."""
        return Drainer(self._database, journal, interval)

    def recover(self) -> int:
        """Save what dead processes left in their journals and return how many outputs that was. Opening does it too."""
        return journals.recover(self._database)

    def records(self, run_id: str) -> list[dict[str, Any]]:
        """Return a run's outputs as they were recorded.

        Raises:
            RunNotFoundError: There is no such run.
        """
        return runs.records(self._database, run_id)

    def records_of_row(self, run_id: str, row: int) -> list[dict[str, Any]]:
        """Return what was recorded for one row of a run, by its judges and prompts upstream too.

        The run ids of those are `RUN/SCORER` and `RUN/upstream`.

        Raises:
            RunNotFoundError: There is no such run.
        """
        return runs.records_of_row(self._database, run_id, row)

    def answered(self, run_id: str) -> set[tuple[str, int, int]]:
        """Return the tasks (version, row, repeat) of a run that have an answer; the others are to be asked."""
        return runs.answered(self._database, run_id)

    def cached_answers(self, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return the known answers (`Answer.to_dict()`) for these cache keys; errors are never among them.

        Args:
            keys: `request_digest` of outputs: what stands for endpoint, whole request and repeat.
        """
        return runs.cached_answers(self._database, keys)

    def results_frame(self, run_id: str) -> pandas.DataFrame:
        """Return a row for each output, in order of row, version and repeat.

        Columns: version (digest), row, repeat, output, error, one for each scorer (with `_score` behind its name where
        that is taken), tokens_in, tokens_out, cost, latency, ttft (seconds to the first token, of streamed answers),
        model, finish_reason, attempts, cached, error_kind, answered_at.

        Raises:
            RunNotFoundError: There is no such run.
        """
        return runs.results(self._database, run_id)

    # The grid and comparisons

    def run_page(
        self,
        run_id: str,
        versions: Sequence[str],
        scorer: str,
        *,
        offset: int = 0,
        limit: int = 50,
        filter: Filter = "all",
        search: str = "",
        sort: Sort = "change",
        direction: Direction = "higher",
        cut: int | None = CUT,
    ) -> Page:
        """Return one page of a run's grid.

        Args:
            run_id: The run.
            versions: Digests, the baseline first.
            scorer: Whose scores decide what changed.
            offset: Rows to leave out at the beginning.
            limit: Rows at most.
            filter: `all`, `better` or `worse` (some candidate against the baseline), `flipped` (either), `errors` (in
                any version).
            search: Text looked for without regard to case, in outputs, errors and the dataset's values.
            sort: `change` puts the largest regression first and rows that cannot be compared last; `flipped` puts worse
                rows first, then better ones, errors and the rest; `row` is the dataset's order.
            direction: Which way the scorer is better.
            cut: Characters of each output; None for whole ones.

        Raises:
            RunNotFoundError: There is no such run.
        """
        view = View(run_id, tuple(versions), scorer, direction, filter, sort, search, cut)
        return grid.page(self._database, view, offset, limit)

    def run_order(
        self,
        run_id: str,
        versions: Sequence[str],
        scorer: str,
        *,
        direction: Direction = "higher",
        filter: Filter = "all",
        sort: Sort = "change",
        search: str = "",
        within: Sequence[int] | None = None,
    ) -> Order:
        """Return which rows a grid shows, in order, and how many each filter leaves.

        The arguments are `run_page`'s, and `within`: the rows to look at, such as those of a slice; None for all.
        """
        inside = None if within is None else tuple(within)
        view = View(run_id, tuple(versions), scorer, direction, filter, sort, search, within=inside)
        return grid.order(self._database, view)

    def run_rows(
        self,
        run_id: str,
        versions: Sequence[str],
        rows: Sequence[int],
        scorer: str | None = None,
        *,
        direction: Direction = "higher",
        cut: int | None = CUT,
    ) -> list[Row]:
        """Return these rows of a run's grid, in this order; the arguments are `run_page`'s."""
        view = View(run_id, tuple(versions), scorer, direction, cut=cut)
        return grid.rows(self._database, view, rows)

    def paired_scores(
        self, run_id: str, baseline: str, candidate: str, scorer: str, *, slice: str | None = None
    ) -> pandas.DataFrame:
        """Return a row for each dataset row with a score: row, baseline, candidate, and slice where it is asked for.

        Scores are means over repeats; NaN stands where a version has none.

        Args:
            run_id: The run.
            baseline: A version's digest.
            candidate: Another's.
            scorer: Whose scores.
            slice: A column of the dataset.

        Raises:
            RunNotFoundError: There is no such run.
            DatasetNotFoundError: A slice is asked for, and the run's dataset is not in the file.
        """
        return grid.paired_scores(self._database, run_id, baseline, candidate, scorer, slice=slice)

    def row_scores(self, run_id: str, scorer: str | None = None) -> pandas.DataFrame:
        """Return version, scorer, row and value, the mean over repeats, of all versions and scorers of a run.

        Raises:
            RunNotFoundError: There is no such run.
        """
        return grid.row_scores(self._database, run_id, scorer)

    # Ratings, publications, SQL

    def figures(self, run_id: str) -> Figures:
        """Return a run in numbers, which a report is made of: row scores, costs, errors, votes, served models.

        Raises:
            RunNotFoundError: There is no such run.
        """
        return figures.figures(self._database, run_id)

    def row_means(self, run_id: str, version: str, scorer: str) -> list[float]:
        """Return a version's row scores in a run by one scorer, the mean over repeats each, in the order of the rows.

        Args:
            run_id: The run.
            version: The version's digest.
            scorer: Whose scores.
        """
        return figures.row_means(self._database, run_id, version, scorer)

    def mean_cost(self, run_id: str, version: str) -> float | None:
        """Return what an answer of a version costs on average in US dollars, or None where no price is known."""
        return figures.mean_cost(self._database, run_id, version)

    def add_ratings(self, ratings: Sequence[Mapping[str, Any]]) -> None:
        """Keep what raters said of outputs.

        Args:
            ratings: Each has run_id, row, left and right (digests, as they were shown; right is empty for an output
                shown alone), choice (`left`, `right`, `tie` or `skip`; a grade for an output shown alone), rater, and
                optionally repeat, note and again (whether the question was asked a second time).
        """
        feedback.add_ratings(self._database, ratings)

    def withdraw_rating(self, run_id: str, row: int, versions: Sequence[str], rater: str, *, again: bool) -> None:
        """Take back what a rater said to a question, as if it had not been answered.

        Args:
            run_id: The run.
            row: The row, from 0.
            versions: Digests of the two versions that were shown, whichever stood left, or of the one shown alone.
            rater: Who rated.
            again: Whether the question was asked a second time.
        """
        feedback.withdraw_rating(self._database, run_id, row, versions, rater, again=again)

    def ratings(self, run_id: str) -> pandas.DataFrame:
        """Return the ratings of a run, in the order in which they were given."""
        return feedback.ratings(self._database, run_id)

    def record_publication(self, prompt: str, number: int, digest: str, registry: str, version: str) -> None:
        """Remember that a version was published; remembering it twice makes one entry.

        Args:
            prompt: The prompt's name.
            number: The version's number here.
            digest: Its digest.
            registry: The registry's address or id, without secrets.
            version: What the registry calls it, such as `v3`.
        """
        feedback.record_publication(self._database, prompt, number, digest=digest, registry=registry, version=version)

    def publications(self, prompt: str | None = None) -> pandas.DataFrame:
        """Return where versions were published, the newest first; of one prompt where it is named."""
        return feedback.publications(self._database, prompt)

    def sql(self, text: str) -> pandas.DataFrame:
        """Return what one SQL query finds in the file. It cannot change the file, load extensions or write others.

        Raises:
            WorkspaceError: It is no query, or DuckDB refuses it; the message says what to use for changes.
        """
        return query.sql(self._database, text)

    def sql_table(self, text: str, logs: pyarrow.Table | None = None) -> pyarrow.Table:
        """Return what one SQL query finds in the file, with the types that it has there, under the same rules.

        Args:
            text: The query.
            logs: What it finds as the table `logs`.

        Raises:
            WorkspaceError: It is no query, or DuckDB refuses it.
        """
        return query.table(self._database, text, logs)
