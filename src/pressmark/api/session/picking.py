"""Rows of a dataset as example messages of a draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from pressmark.api.session.bodies import as_text, short, unit_of
from pressmark.api.session.part import Part
from pressmark.errors import DatasetError, PressmarkError
from pressmark.evals.examples import literal
from pressmark.evals.origin import HOLDOUT
from pressmark.prompts import thaw
from pressmark.prompts.canonical import unit_digest
from pressmark.rendering import compiled
from pressmark.widgets.protocols import ExampleRowsView, ExamplesView, UnitBody

if TYPE_CHECKING:
    from pressmark.evals import Dataset

MOST_ROWS: Final = 20
# Columns by which tables from elsewhere tell their parts apart.
_PARTS: Final = ("split", "part", "fold")


def held_out(dataset: Dataset, holdouts: Sequence[Dataset]) -> set[int]:
    """Return the rows by which prompts are judged, and which no prompt may show therefore.

    Args:
        dataset: Whose rows.
        holdouts: Every other dataset of the workspace that is a holdout: a row that stands there too is held out.
    """
    if is_holdout(dataset):
        return set(range(len(dataset)))
    kept_away = {
        row for each in holdouts if set(each.columns) == set(dataset.columns) for row in map(_row_key, each.rows)
    }
    return {
        number
        for number, row in enumerate(dataset.rows)
        if any(str(row.get(column, "")).strip().lower() == HOLDOUT for column in _PARTS)
        or (kept_away and _row_key(row) in kept_away)
    }


def is_holdout(dataset: Dataset) -> bool:
    """Whether a dataset is the part of a split that prompts are judged by."""
    return dataset.origin.part == HOLDOUT or dataset.name.rpartition("/")[2] == HOLDOUT


class Picking(Part):
    """Few-shot rows."""

    def example_rows(self, dataset: str, search: str, offset: int, limit: int) -> ExampleRowsView:
        """A page of a dataset's rows, with those told that no prompt may show."""
        chosen = self._store.dataset(dataset)
        held = self._held_rows(chosen)
        wanted = search.strip().casefold()
        found = [
            number
            for number, row in enumerate(chosen.rows)
            if not wanted or any(wanted in as_text(value).casefold() for value in row.values())
        ]
        return {
            "dataset": dataset,
            "columns": list(chosen.columns),
            "total": len(found),
            "held": len(held),
            "rows": [
                {
                    "row": number,
                    "values": {name: short(value) for name, value in chosen.rows[number].items()},
                    "held": number in held,
                }
                for number in found[offset : offset + limit]
            ],
        }

    def examples(
        self, body: UnitBody, dataset: str, rows: list[int], answer: str, form: Literal["messages", "text"]
    ) -> ExamplesView:
        """Rows as a question, in the words of the draft's own last user message, and the expected answer."""
        chosen = self._store.dataset(dataset)
        chosen_rows = _checked(chosen, rows, answer)
        if refused := sorted(self._held_rows(chosen) & set(chosen_rows)):
            raise DatasetError(
                f"row {refused[0]} of {dataset!r} is held out: a prompt that shows it could not be judged by it."
                " Take rows of the train part"
            )
        pairs = [(_question(body, chosen.rows[row], answer), _said(chosen.rows[row][answer])) for row in chosen_rows]
        if form == "text":
            told = "\n\n".join(f"Input:\n{question}\nOutput:\n{said}" for question, said in pairs)
            return {"messages": [], "text": f"Examples:\n\n{told}"}
        messages = [
            {"role": role, "content": content}
            for pair in pairs
            for role, content in zip(("user", "assistant"), pair, strict=True)
        ]
        return {"messages": messages, "text": ""}

    def _held_rows(self, dataset: Dataset) -> set[int]:
        others = [self._store.dataset(str(name)) for name in self._store.datasets()["name"] if name != dataset.name]
        return held_out(dataset, [each for each in others if is_holdout(each)])


def _checked(dataset: Dataset, rows: Sequence[int], answer: str) -> list[int]:
    if answer not in dataset.columns:
        raise DatasetError(
            f"dataset {dataset.name!r} has no column {answer!r} for the answer: choose one of"
            f" {', '.join(dataset.columns)}"
        )
    if not rows or len(rows) > MOST_ROWS:
        raise DatasetError(f"examples are 1 to {MOST_ROWS} rows, not {len(rows)}: every request carries them all")
    wrong = [row for row in rows if isinstance(row, bool) or not isinstance(row, int) or not 0 <= row < len(dataset)]
    if wrong:
        raise DatasetError(f"dataset {dataset.name!r} has no row {wrong[0]}: it has rows 0 to {len(dataset) - 1}")
    return list(dict.fromkeys(rows))


def _question(body: UnitBody, row: Mapping[str, Any], answer: str) -> str:
    """What the model is really asked for a row, else its columns one by one."""
    users = [message for message in body["messages"] if message.get("role") == "user"]
    if body.get("kind", "chat") == "chat" and users and isinstance(users[-1].get("content"), str):
        last: UnitBody = {**body, "messages": [users[-1]], "variables": {}, "tools": None, "tool_choice": None}
        last = {**last, "response_format": None, "inputs": {}}
        try:
            unit = unit_of(last, placeholder_model="unset")
            values = {name: row[name] for name in unit.variables if row.get(name) is not None}
            for name, variable in body["variables"].items():
                if name in unit.variables and name not in values and "default" in variable:
                    values[name] = variable["default"]
            rendered = compiled(unit, unit_digest(unit)).render(values)
            if not isinstance(rendered, str):
                return literal(str(rendered[0]["content"]))
        except PressmarkError:
            pass  # the message does not fit the row: its columns say what it holds
    return literal("\n".join(f"{name}: {as_text(thaw(value))}" for name, value in row.items() if name != answer))


def _said(value: Any) -> str:
    return literal("" if value is None else as_text(thaw(value)))


def _row_key(row: Mapping[str, Any]) -> str:
    from pressmark.prompts.canonical import canonical_bytes

    return canonical_bytes(thaw(row)).decode()
