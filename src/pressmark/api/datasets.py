"""Datasets of a workspace: keeping, comparing, correcting, parting and deleting rows."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pressmark.api.gathering import chosen_examples, made
from pressmark.api.opened import Opened
from pressmark.errors import DatasetError, DatasetNotFoundError
from pressmark.evals import Dataset
from pressmark.evals.drawing import Split
from pressmark.prompts import check_name

if TYPE_CHECKING:
    import pandas

    from pressmark.evals.examples import Examples
    from pressmark.evals.row_changes import DatasetDifference
    from pressmark.workspace import Compacted, Deletion


class Datasets(Opened):
    """What is done with datasets."""

    def dataset(
        self,
        name: str,
        source: Any = None,
        *,
        version: str | None = None,
        sql: str | None = None,
        logs: str | os.PathLike[str] | None = None,
        unique: bool | str | Sequence[str] | None = None,
        near: float | None = None,
        sample: int | None = None,
        by: str | None = None,
        seed: int = 0,
    ) -> Dataset:
        """Keep rows under a name, or return the dataset of that name.

        Args:
            name: The dataset's name.
            source: A DataFrame, a path to a CSV, JSONL or Parquet file, a list of dicts or a dataset; without any
                source the dataset that is kept under the name is returned.
            version: Which version of it: `#2` or a digest; else the newest.
            sql: A query over the workspace, whose rows are kept; with `logs`, those stand in the table `logs`.
            logs: An export of OpenTelemetry spans (OTLP as JSON, whole or a line each), or of Langfuse traces or
                observations (JSON, JSON Lines or CSV). Rows hold the prompt's variables where they are recorded, else
                what the user said as `input`; and output, model, prompt, trace and time.
            unique: Whether to leave out rows that repeat an earlier one, or the columns that make them the same. Of
                logs they are left out, by the variables, unless this says False.
            near: Also leave out rows whose text is so similar to that of one kept, such as 0.95.
            sample: Keep so many rows, drawn at random.
            by: A column whose values keep their shares in the sample.
            seed: Another one draws other rows; the same one draws the same on every machine.

        Returns:
            The dataset; its `repr` tells what was left out.

        Raises:
            DatasetError: The source is empty or cannot be read, or the arguments do not fit together.
            DatasetNotFoundError: Nothing is kept under the name.
            WorkspaceError: The SQL is no query.
        """
        if source is None and sql is None and logs is None:
            return self.store.dataset(name, version)
        if version is not None:
            raise DatasetError("version= returns what is kept under a name, and takes no rows: leave one of them out")
        if isinstance(source, Dataset) and all(drawn is None for drawn in (unique, near, sample, by)):
            found = replace(source, name=check_name(name, "dataset name"), note="")
        else:
            rows = [dict(row) for row in source.rows] if isinstance(source, Dataset) else source
            found = made(
                self.store, name, rows, sql=sql, logs=logs, unique=unique, near=near, sample=sample, by=by, seed=seed
            )
        return self._keep_dataset(found)

    def dataset_versions(self, name: str) -> pandas.DataFrame:
        """Return a dataset's versions, newest first.

        Columns: version (`#2`), digest, rows, kind (how it was made), told, part, parent (digest), author, created_at.

        Raises:
            DatasetNotFoundError: Nothing is kept under the name.
        """
        return self.store.dataset_versions(name)

    def diff_datasets(
        self, before: Dataset | str, after: Dataset | str | None = None, *, key: str | Sequence[str] | None = None
    ) -> DatasetDifference:
        """Return which rows were added, removed and changed between two datasets.

        Args:
            before: A dataset, or a name: its newest version.
            after: Another one; without it, `before` is held against the version before.
            key: The column, or columns, by which a row is known; else rows are matched where they are equal, and those
                between by their place.

        Raises:
            DatasetNotFoundError: There is none of that name, or no version before.
            DatasetError: There is no such column, or two rows have the same key.
        """
        first = self.store.dataset(before) if isinstance(before, str) else before
        if after is not None:
            second = self.store.dataset(after) if isinstance(after, str) else after
            return first.diff(second, key=key)
        digests = self.store.dataset_versions(first.name)["digest"].tolist()
        older = digests[digests.index(first.digest) + 1 :] if first.digest in digests else []
        if not older:
            raise DatasetNotFoundError(
                f"dataset {first.name!r} has no version before {first.digest[:15]}: give the other dataset, too",
                name=first.name,
            )
        return self.store.dataset(first.name, older[0]).diff(first, key=key)

    def correct(self, dataset: Dataset | str, row: int, values: Mapping[str, Any], *, message: str = "") -> Dataset:
        """Keep other values in a row of a dataset, as its next version, and return it.

        Args:
            dataset: A name: its newest version is corrected. Or a dataset that was looked at: likewise, where the row
                still stands there as it was seen.
            row: Which row, from 0.
            values: The new value by column, such as `{"category": "refund"}`.
            message: Why.

        Raises:
            DatasetError: There is no such row or column, it holds that already, or it was changed by now.
            DatasetNotFoundError: Nothing is kept under the name.
        """
        name, seen = (dataset, None) if isinstance(dataset, str) else (dataset.name, dataset.row(row))
        corrected = self.store.correct_dataset(name, row, values, author=self.author, message=message, seen=seen)
        self.changes.tell("catalog")
        return corrected

    def split(
        self,
        dataset: Dataset | str,
        holdout: float = 0.3,
        *,
        by: str | None = None,
        clusters: str | None = None,
        seed: int = 0,
    ) -> Split:
        """Part a dataset into what a prompt may be tuned on and what it is judged by, and keep both.

        Args:
            dataset: A dataset, or the name of one.
            holdout: The share that is held out.
            by: A column whose values keep their shares in both parts.
            clusters: A column that names what rows share, such as a conversation; such rows stay together.
            seed: Another one parts the rows otherwise.

        Returns:
            `train` and `holdout`, kept as `NAME/train` and `NAME/holdout`.

        Raises:
            DatasetError: There is no such column, the share is none, or the rows cannot be parted.
        """
        whole = self.store.dataset(dataset) if isinstance(dataset, str) else dataset
        parts = whole.split(holdout, by=by, clusters=clusters, seed=seed)
        return Split(self._keep_dataset(parts.train), self._keep_dataset(parts.holdout))

    def examples(self, dataset: Dataset | str, rows: int, *, by: str | None = None, seed: int = 0) -> Examples:
        """Return rows to show a model as examples, drawn from the train part; never from the holdout.

        Args:
            dataset: A train part, or a dataset that was split, or the name of one.
            rows: How many.
            by: A column whose values keep their shares.
            seed: Another one draws other rows.

        Returns:
            The rows; `.messages(user="text", assistant="category")` makes messages for a template of them.

        Raises:
            DatasetError: It is a holdout, or was not split.
        """
        found = self.store.dataset(dataset) if isinstance(dataset, str) else dataset
        return chosen_examples(self.store, found, rows, by, seed)

    def _keep_dataset(self, dataset: Dataset) -> Dataset:
        kept = self.store.save_dataset(dataset, self.author)
        self.changes.tell("catalog")
        return kept

    def datasets(self) -> pandas.DataFrame:
        """Return every dataset: name, digest, columns, rows, versions, when it was kept."""
        return self.store.datasets()

    def delete_dataset(self, name: str, *, reason: str, runs: bool = False, compact: bool = True) -> Deletion:
        """Delete every version of a dataset and the suites on it, and have its bytes leave the file.

        Saved versions and drafts that quote rows stay, and so do other datasets that hold some of its rows or values,
        or that were made by SQL since: `also_in` names those. What was deleted, by whom and why is remembered.

        Args:
            name: The dataset.
            reason: Why, for those who miss it later.
            runs: Whether its runs go too, with their outputs, scores, ratings and evaluations; else these stay.
            compact: Whether to compact the file, without which the bytes stay in it until they are overwritten.

        Raises:
            DatasetNotFoundError: There is none.
            WorkspaceError: There is no reason, or a run is working on it; nothing was deleted.
        """
        gone = self.store.delete_dataset(name, reason, self.author, runs=runs)
        try:
            if compact:
                self.store.compact()
        finally:
            self.changes.tell("catalog")
            if gone.runs:
                self.changes.tell("runs")
        return gone

    def compact(self) -> Compacted:
        """Rewrite the file without what was deleted, and return its bytes before and after; others wait meanwhile.

        Raises:
            WorkspaceError: Others use the file all the time, or there is no room for the copy; it is as it was.
        """
        return self.store.compact()
