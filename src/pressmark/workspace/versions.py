"""Saved versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from pressmark.errors import InvalidUnitError, PromptNotFoundError, VersionNotFoundError
from pressmark.graph import DependencyGraph
from pressmark.prompts import LATEST, Unit, Version, check_name, parse_number
from pressmark.prompts.canonical import unit_bytes
from pressmark.prompts.digest import sha256_digest
from pressmark.prompts.lines import LONGEST_AUTHOR, LONGEST_MESSAGE, check_line
from pressmark.prompts.quoting import shown
from pressmark.rendering import PromptVersion
from pressmark.workspace.batches import clean, dataframe, json_text

if TYPE_CHECKING:
    import pandas
    from duckdb import DuckDBPyConnection as Connection

    from pressmark.workspace.connection import Database

_COLUMNS = "prompt, number, digest, unit, message, author, created_at, parent, restores"
_SHORTEST_DIGEST = 6


class Saved(NamedTuple):
    """What a save came to.

    Attributes:
        version: The version that now is the newest.
        created: False where the newest version was equal, so that nothing new was made.
    """

    version: PromptVersion
    created: bool


def save(
    database: Database,
    name: str,
    unit: Unit,
    message: str,
    author: str,
    *,
    parent: int | str | Version | None = None,
    source: Mapping[str, Any] | None = None,
) -> Saved:
    """Save a unit under a name, as `Store.save` describes it."""
    check_name(name)
    for what, given in (("message", message), ("author", author)):
        if not isinstance(given, str):
            raise InvalidUnitError(
                f"the {what} of a version is text, got {shown(given)}: write {what}='…', or leave it out", field=what
            )
    # What a registry would refuse could never be published: who saves it can still write it otherwise.
    message, author = (given if given.strip() else "" for given in (clean(message), clean(author)))
    for what, given, limit in (("message", message, LONGEST_MESSAGE), ("author", author, LONGEST_AUTHOR)):
        if given:
            check_line(given, f"the {what} of a version", limit)
    text = unit_bytes(unit)
    digest = sha256_digest(text)
    with database.writing() as connection:
        newest = _fetch(connection, "where prompt = ? order by number desc limit 1", [name])
        if newest and newest[0].digest == digest:
            return Saved(newest[0], created=False)
        older = _fetch(connection, "where prompt = ? and digest = ? order by number desc limit 1", [name, digest])
        before = newest[0].number if newest else None
        if parent is not None:
            before = _found(connection, name, _reference(parent)).number
        if unit.inputs:
            DependencyGraph({**_inputs(connection), name: unit.inputs})
        version = PromptVersion(
            name=name,
            number=newest[0].number + 1 if newest else 1,
            unit=unit,
            digest=digest,
            message=message,
            author=author,
            created_at=datetime.now(UTC),
            store="workspace",
            parent=before,
            restores=older[0].number if older else None,
        )
        connection.execute(
            "insert into versions values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                name,
                version.number,
                digest,
                text.decode(),
                version.message,
                version.author,
                version.created_at,
                version.parent,
                version.restores,
                json_text(source) if source is not None else None,
            ],
        )
    return Saved(version, created=True)


def _inputs(connection: Connection) -> dict[str, Mapping[str, str]]:
    """Return the inputs of every prompt's newest version, where it has some."""
    rows = connection.execute(
        "select prompt, unit from versions qualify number = max(number) over (partition by prompt)"
    ).fetchall()
    told = {prompt: json.loads(unit).get("inputs", {}) for prompt, unit in rows if '"inputs"' in unit}
    return {prompt: inputs for prompt, inputs in told.items() if inputs}


def one(database: Database, name: str, reference: str) -> PromptVersion:
    """Return the version that `#2`, `latest`, a digest or the beginning of one names."""
    with database.reading() as connection:
        return _found(connection, name, reference)


def all_of(database: Database, name: str) -> list[PromptVersion]:
    """Return every version of a prompt, the newest first."""
    with database.reading() as connection:
        found = _fetch(connection, "where prompt = ? order by number desc", [name])
        if not found:
            _refuse_unknown(connection, name)
        return found


def with_digest(database: Database, digest: str) -> list[PromptVersion]:
    """Return every version, of any prompt, that has this digest, the newest first."""
    with database.reading() as connection:
        return _fetch(connection, "where digest = ? order by created_at desc, number desc", [digest])


def summaries(database: Database) -> pandas.DataFrame:
    """Return a line for each prompt that has a version or a draft, the last changed first."""
    with database.reading() as connection:
        return dataframe(
            connection,
            """
            with saved as (
                select prompt, count(*) as versions, max(number) as latest, arg_max(digest, number) as digest,
                       arg_max(message, number) as message, max(created_at) as saved_at
                from versions group by prompt)
            select coalesce(saved.prompt, drafts.prompt) as prompt, coalesce(versions, 0) as versions,
                   '#' || latest as latest, digest, message,
                   greatest(saved.saved_at, drafts.saved_at) as changed_at, drafts.prompt is not null as draft
            from saved full join drafts on saved.prompt = drafts.prompt
            order by changed_at desc, prompt
            """,
        )


def _reference(parent: int | str | Version) -> str:
    if isinstance(parent, Version):
        return parent.version if parent.store == "workspace" else parent.digest
    return f"#{parent}" if isinstance(parent, int) else parent


def _found(connection: Connection, name: str, reference: str) -> PromptVersion:
    number = parse_number(reference, "workspace")
    if number is not None:
        found = _fetch(connection, "where prompt = ? and number = ?", [name, number])
    elif reference == LATEST:
        found = _fetch(connection, "where prompt = ? order by number desc limit 1", [name])
    else:
        found = _by_digest(connection, name, reference)
    if found:
        return found[0]
    numbers = _refuse_unknown(connection, name)
    raise VersionNotFoundError(
        f"{name!r} has no version {reference!r} in this workspace: it has {_some(numbers)}",
        name=name,
        reference=reference,
    )


def _by_digest(connection: Connection, name: str, reference: str) -> list[PromptVersion]:
    digits = reference.removeprefix("sha256:")
    if len(digits) < _SHORTEST_DIGEST or not all(digit in "0123456789abcdef" for digit in digits):
        return []
    found = _fetch(
        connection, "where prompt = ? and starts_with(digest, ?) order by number desc", [name, f"sha256:{digits}"]
    )
    if len({version.digest for version in found}) > 1:
        raise VersionNotFoundError(
            f"{reference!r} is the beginning of several digests of {name!r}:"
            f" {', '.join(version.version for version in found)}. Write more of it",
            name=name,
            reference=reference,
        )
    return found


def _refuse_unknown(connection: Connection, name: str) -> list[int]:
    numbers = [
        row[0]
        for row in connection.execute("select number from versions where prompt = ? order by number", [name]).fetchall()
    ]
    if not numbers:
        names = [
            row[0] for row in connection.execute("select distinct prompt from versions order by prompt").fetchall()
        ]
        raise PromptNotFoundError(
            f"there is no prompt {name!r} in this workspace:"
            f" {'it holds ' + _listed(names) if names else 'it is empty; save a first version'}",
            name=name,
        )
    return numbers


def _some(numbers: list[int]) -> str:
    return f"#{numbers[0]}" if len(numbers) == 1 else f"#{numbers[0]} to #{numbers[-1]}"


def _listed(names: list[str], most: int = 8) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def _fetch(connection: Connection, clause: str, values: list[Any]) -> list[PromptVersion]:
    rows = connection.execute(f"select {_COLUMNS} from versions {clause}", values).fetchall()
    return [
        PromptVersion(
            name=name,
            number=number,
            unit=Unit.from_dict(json.loads(unit)),
            digest=digest,
            message=message,
            author=author,
            created_at=created_at.astimezone(UTC),
            store="workspace",
            parent=parent,
            restores=restores,
        )
        for name, number, digest, unit, message, author, created_at, parent, restores in rows
    ]
