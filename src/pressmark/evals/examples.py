"""Rows as few-shot examples, taken from the train part only."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from pressmark.evals.dataset import Dataset
from pressmark.face.forms import table
from pressmark.prompts import FrozenDict

_BRACE: Final = re.compile(r"\{(?=[{%#])")
_WRITTEN: Final = '{{ "{" }}'
_RAW: Final = re.compile(r"\{%[-+]?\s*(?:end)?raw\s*[-+]?%\}")
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Examples:
    """Rows to show a model.

    Attributes:
        dataset: The train part that they were taken from.
        rows: The rows.
    """

    dataset: Dataset = field(repr=False)
    rows: tuple[FrozenDict, ...]

    def messages(self, user: str, assistant: str) -> list[dict[str, str]]:
        """Return them as messages for a template, a question and its answer each.

        Args:
            user: The column with the question.
            assistant: The column with the answer.

        Raises:
            DatasetError: There is no such column.
        """
        self.dataset.check_columns([user, assistant])
        return [
            {"role": role, "content": literal(_text(row[column]))}
            for row in self.rows
            for role, column in (("user", user), ("assistant", assistant))
        ]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[FrozenDict]:
        return iter(self.rows)

    def _repr_html_(self) -> str:
        columns = self.dataset.columns
        return table(columns, [[_text(row[column])[:_LONGEST] for column in columns] for row in self.rows])


def literal(text: str) -> str:
    """Return a template that says exactly this text, whatever braces are in it."""
    return _BRACE.sub(lambda _: _WRITTEN, text)


def unescaped(template: str) -> str:
    """Return a template's text without what keeps braces from being read."""
    return _RAW.sub("", template).replace(_WRITTEN, "{")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
