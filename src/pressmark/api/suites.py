"""Suites of a workspace: what versions are run on, and what scores them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pressmark.api.datasets import Datasets
from pressmark.errors import SuiteError
from pressmark.evals import Dataset, Suite
from pressmark.evals.scorers import Scorer
from pressmark.prompts.quoting import shown

if TYPE_CHECKING:
    import pandas


class Suites(Datasets):
    """What is done with suites."""

    def suite(
        self,
        name: str,
        *,
        dataset: Dataset | str | Any = None,
        scorers: Sequence[Scorer] | None = None,
        primary: str | None = None,
        slice: str | None = None,
        prompt: str | None = None,
    ) -> Suite:
        """Make and keep a suite, or return the suite of that name.

        Args:
            name: The suite's name.
            dataset: A dataset, the name of one, or rows (which are kept under the suite's name).
            scorers: What scores the outputs; without them, the suite that is kept under the name is returned.
            primary: The scorer whose verdict is the suite's; else the first.
            slice: A column by which results are told apart.
            prompt: The prompt that it judges: `evaluate_change` runs it when that prompt or one upstream of it changes.

        Raises:
            SuiteError: The parts do not fit together.
            SuiteNotFoundError: Nothing is kept under the name.
        """
        if scorers is None and dataset is None:
            return self._noted(self.load_suite(self.store.suite_spec(name)))
        if isinstance(dataset, str):
            dataset = self.store.dataset(dataset)
        elif not isinstance(dataset, Dataset):
            dataset = self.dataset(name, dataset)
        suite = Suite.of(name, dataset, scorers or (), primary=primary, slice=slice, prompt=prompt)
        self._learn_functions(suite)
        self.store.save_dataset(dataset, again=False)
        number = self.store.save_suite(name, suite.digest, suite.spec())
        self.changes.tell("catalog")
        return replace(suite, note=f"version {number}") if number > 1 else suite

    def load_suite(self, spec: Mapping[str, Any] | str) -> Suite:
        """Return the suite that a description tells of, or the one of that name, with this process's functions."""
        if not isinstance(spec, Mapping) or "dataset" not in spec:
            return self.suite(spec) if isinstance(spec, str) else self._suite(spec)
        told = spec["dataset"]
        return Suite.from_spec(spec, self.store.dataset(told["name"], told["digest"]), self.functions)

    def _noted(self, suite: Suite) -> Suite:
        """Return a suite found by its name, saying so where its dataset's name stands for other rows by now."""
        kept = self.store.datasets()
        newest = kept[kept["name"] == suite.dataset.name]["digest"].tolist()
        if newest in ([], [suite.dataset.digest]):
            return suite
        return replace(
            suite,
            note=f"dataset {suite.dataset.name!r} has other rows now: make the suite again to run on those",
        )

    def suites(self) -> pandas.DataFrame:
        """Return every suite: name, digest, spec, versions, created_at."""
        return self.store.suites()

    def _suite(self, suite: Any) -> Suite:
        if isinstance(suite, str):
            return self.suite(suite)
        if not isinstance(suite, Suite):
            raise SuiteError(
                f"{shown(suite)} is no suite: make one of rows and scorers with"
                " ws.suite('basics', dataset=…, scorers=[…]), and pass it or its name"
            )
        return suite
