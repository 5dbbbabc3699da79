"""What evaluating a change found, kept until the same change is evaluated again: for whoever publishes it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from pressmark.prompts.evidence import Evidence
from pressmark.workspace.batches import first, json_text

if TYPE_CHECKING:
    from pressmark.workspace.connection import Database

_CHANGE: Final = "prompt = ? and label = ? and candidate = ? and baseline is not distinct from ?"


class SavedPart(NamedTuple):
    """One prompt that the change reaches, and the run that judged it.

    Attributes:
        prompt: The prompt.
        suite: The suite's name; None where the prompt has none.
        run: The run's id; None where nothing was run.
        why_not: Why there is no verdict, in words; empty where there is one.
    """

    prompt: str
    suite: str | None
    run: str | None
    why_not: str


class SavedEvaluation(NamedTuple):
    """An evaluation of a change.

    Attributes:
        evidence: What a registry takes.
        parts: The changed prompt's own suites first, then those downstream.
    """

    evidence: Evidence
    parts: tuple[SavedPart, ...]


def save(database: Database, evidence: Evidence, parts: Sequence[SavedPart]) -> None:
    """Keep an evaluation in the place of the one before of the same change."""
    change = [evidence.name, evidence.label, evidence.candidate, evidence.baseline]
    told = [json_text(evidence.to_dict()), json_text([part._asdict() for part in parts]), evidence.made_at]
    with database.writing() as connection:
        connection.execute(f"delete from evaluations where {_CHANGE}", change)
        connection.execute("insert into evaluations values (?, ?, ?, ?, ?, ?, ?)", [*change, *told])


def one(database: Database, name: str, label: str, candidate: str, baseline: str | None) -> SavedEvaluation | None:
    """Return the evaluation of a change, or None where there is none."""
    with database.reading() as connection:
        found = first(
            connection,
            f"select evidence, parts from evaluations where {_CHANGE}",
            [name, label, candidate, baseline],
        )
    if found is None:
        return None
    parts = tuple(SavedPart(**part) for part in json.loads(found[1]))
    return SavedEvaluation(Evidence.from_dict(json.loads(found[0])), parts)
