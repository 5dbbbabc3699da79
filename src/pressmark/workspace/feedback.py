"""What people and registries said about outputs and versions: ratings, and where versions were published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pressmark.errors import WorkspaceError
from pressmark.workspace.batches import FLAG, INTEGER, TEXT, TIME, arrow, dataframe, insert

if TYPE_CHECKING:
    import pandas

    from pressmark.workspace.connection import Database

_RATINGS: Final = {
    "run_id": TEXT,
    "row": INTEGER,
    "repeat": INTEGER,
    "left": TEXT,
    "right": TEXT,
    "choice": TEXT,
    "rater": TEXT,
    "note": TEXT,
    "rated_at": TIME,
    "again": FLAG,
}
_CHOICES: Final = ("left", "right", "tie", "skip")


def add_ratings(database: Database, ratings: Sequence[Mapping[str, Any]]) -> None:
    """Keep what raters said of outputs, as `Store.add_ratings` describes it."""
    for rating in ratings:
        choice = rating.get("choice")
        grade = not rating.get("right") and isinstance(choice, str) and choice.lstrip("-").isdecimal()
        if choice not in _CHOICES and not grade:
            raise WorkspaceError(
                f"a rating's choice is one of {', '.join(_CHOICES)}, or of a single output a grade; got {choice!r}"
            )
    if not ratings:
        return
    now = datetime.now(UTC)
    columns = {name: [rating.get(name) for rating in ratings] for name in _RATINGS}
    columns["repeat"] = [repeat or 0 for repeat in columns["repeat"]]
    # Given in one batch, they keep their order.
    columns["rated_at"] = [now + timedelta(microseconds=place) for place, _ in enumerate(ratings)]
    columns["right"] = [right or "" for right in columns["right"]]
    columns["again"] = [bool(again) for again in columns["again"]]
    with database.writing() as connection:
        insert(connection, "ratings", arrow(_RATINGS, columns))


def withdraw_rating(
    database: Database, run_id: str, row: int, versions: Sequence[str], rater: str, *, again: bool
) -> None:
    """Take a rater's answers to a question back, as `Store.withdraw_rating` describes it."""
    with database.writing() as connection:
        connection.execute(
            """
            delete from ratings where run_id = ? and row = ? and rater = ? and coalesce(again, false) = ?
            and list_sort(list_filter(["left", "right"], lambda each: each <> '')) = list_sort(?)
            """,
            [run_id, row, rater, again, list(versions)],
        )


def ratings(database: Database, run_id: str) -> pandas.DataFrame:
    """Return the ratings of a run, in the order in which they were given."""
    with database.reading() as connection:
        return dataframe(connection, "select * from ratings where run_id = ? order by rated_at, row", [run_id])


def record_publication(
    database: Database, prompt: str, number: int, *, digest: str, registry: str, version: str
) -> None:
    """Remember that a version was published, as `Store.record_publication` describes it."""
    with database.writing() as connection:
        connection.execute(
            "insert into publications select $prompt, $number, $digest, $registry, $version, $now where not exists"
            " (from publications where prompt = $prompt and registry = $registry and version = $version)",
            {
                "prompt": prompt,
                "number": number,
                "digest": digest,
                "registry": registry,
                "version": version,
                "now": datetime.now(UTC),
            },
        )


def publications(database: Database, prompt: str | None = None) -> pandas.DataFrame:
    """Return where versions were published, the newest first; of one prompt where it is named."""
    with database.reading() as connection:
        return dataframe(
            connection,
            "select * from publications where $prompt is null or prompt = $prompt order by published_at desc",
            {"prompt": prompt},
        )
