"""Correcting a row of a dataset from the grid, and the suites that judge by it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pressmark.api.session.bodies import as_text
from pressmark.api.session.part import Part
from pressmark.errors import DatasetError
from pressmark.evals import Dataset
from pressmark.prompts import freeze
from pressmark.widgets.protocols import CorrectedView


class Correcting(Part):
    """Keeps what somebody saw to be wrong in a row as the dataset's next version."""

    def correct_row(self, run: str, row: int, values: dict[str, str], message: str) -> CorrectedView:
        """Keep the dataset's newest version with other values in a row."""
        seen = self._workspace.run(run).suite.dataset
        before = seen.row(row)
        if unknown := [name for name in values if name not in seen.columns]:
            raise DatasetError(f"{seen.name} has no column {unknown[0]!r}: it has {', '.join(seen.columns)}")
        after = {name: _value(text, before[name], name) for name, text in values.items()}
        kept = self._workspace.correct(seen, row, after, message=message)
        return {
            "dataset": seen.name,
            "row": row,
            "note": kept.note,
            "changes": {
                name: [as_text(before[name]), as_text(kept.rows[row][name])]
                for name in after
                if as_text(before[name]) != as_text(kept.rows[row][name])
            },
            "suites": self._behind(kept),
        }

    def move_suites(self, dataset: str, suites: Sequence[str]) -> list[str]:
        """Make suites again on the dataset's newest rows."""
        rows = self._store.dataset(dataset)
        moved = []
        for name in suites:
            suite = self._workspace.suite(name)
            if suite.dataset.name != dataset or suite.dataset.digest == rows.digest:
                continue
            self._workspace.suite(
                name,
                dataset=rows,
                scorers=suite.scorers,
                primary=suite.primary,
                slice=suite.slice,
                prompt=suite.prompt,
            )
            moved.append(name)
        return moved

    def _behind(self, dataset: Dataset) -> list[str]:
        """The suites that judge by older rows of a dataset."""
        told = self._store.suites()
        return [
            str(name)
            for name, spec in zip(told["name"], told["spec"], strict=True)
            if spec["dataset"]["name"] == dataset.name and spec["dataset"]["digest"] != dataset.digest
        ]


def _value(text: str, before: Any, column: str) -> Any:
    """What was typed, as a value of the kind that stood there; an empty field where nothing stood is nothing."""
    if isinstance(before, str):
        return text
    if before is None:
        return text or None
    try:
        return freeze(json.loads(text))
    except (ValueError, TypeError) as error:
        raise DatasetError(
            f"{column} holds {as_text(before)}, which is no text, and {text[:40]!r} is no JSON: write a value of its"
            ' kind, or a text in quotes, such as "text"',
            column=column,
        ) from error
