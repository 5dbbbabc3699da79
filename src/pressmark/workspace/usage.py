"""What answers took so far: tokens and time, the base of an estimate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pressmark.workspace.connection import Database


@dataclass(frozen=True, slots=True)
class Usage:
    """Means over answers that were really asked for.

    Attributes:
        answers: How many there were.
        tokens_in: Tokens of a request.
        tokens_out: Tokens of an answer.
        latency: Seconds of an answer.
    """

    answers: int
    tokens_in: float
    tokens_out: float
    latency: float


# Answers of judges stand under RUN/SCORER, with the version that they judged.
_ASKED = "error_kind is null and not cached and tokens_in is not null and tokens_out is not null"
_MEANS = "count(*), avg(tokens_in), avg(tokens_out), coalesce(avg(latency), 0)"


def by_version(database: Database, digests: Iterable[str]) -> dict[str, Usage]:
    """Return what answers of these versions took, by digest."""
    return _grouped(database, "version", digests, "not contains(run_id, '/')")


def by_model(database: Database, models: Iterable[str]) -> dict[str, Usage]:
    """Return what answers of these served models took, by model."""
    return _grouped(database, "model", models, "not contains(run_id, '/')")


def by_judge(database: Database, scorers: Iterable[str]) -> dict[str, Usage]:
    """Return what these judges' answers took, by scorer."""
    return _grouped(database, "split_part(run_id, '/', 2)", scorers, "contains(run_id, '/')")


def _grouped(database: Database, key: str, wanted: Iterable[str], which: str) -> dict[str, Usage]:
    names = list(wanted)
    if not names:
        return {}
    with database.reading() as connection:
        rows = connection.execute(
            f"select {key} as key, {_MEANS} from outputs"
            f" where {which} and {_ASKED} and {key} in (select unnest($names)) group by key",
            {"names": names},
        ).fetchall()
    return {name: Usage(int(count), *map(float, means)) for name, count, *means in rows}
