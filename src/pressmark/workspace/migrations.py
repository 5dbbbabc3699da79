"""The form of the file, in numbered steps.

A step never changes once it was released: files in the world have gone through it. What the file needs later becomes
the next step. `pressmark_migrations` in the file says which steps it has seen.

There are no foreign keys (DuckDB may refuse to update a row that one names), and the tables that grow have no key of
their own: an index over a million rows costs more, in every open, than the batch's own deletion of what it replaces.
"""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pressmark.errors import WorkspaceError, WorkspaceFormatError, WorkspaceVersionError
from pressmark.workspace.batches import first
from pressmark.workspace.connection import Database

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection


def m001_initial(connection: Connection) -> None:
    """Every table of the first release."""
    connection.execute(
        """
        create table versions (
            prompt varchar not null, number integer not null, digest varchar not null, unit json not null,
            message varchar not null, author varchar not null, created_at timestamptz not null,
            parent integer, restores integer, source json,
            primary key (prompt, number));
        create table drafts (
            prompt varchar primary key, body json not null, base varchar, saved_at timestamptz not null);

        create table datasets (
            name varchar not null, number integer not null, digest varchar not null, columns json not null,
            row_count integer not null, created_at timestamptz not null,
            primary key (name, number));
        create table dataset_rows (digest varchar not null, row integer not null, data json not null);
        create table suites (
            name varchar not null, number integer not null, digest varchar not null, spec json not null,
            created_at timestamptz not null,
            primary key (name, number));
        create table endpoints (
            name varchar primary key, base_url varchar not null, key_env varchar, saved_at timestamptz not null);

        create table runs (
            run_id varchar primary key, prompt varchar, dataset varchar, spec json not null, status varchar not null,
            started_at timestamptz not null, finished_at timestamptz, note varchar);
        create table outputs (
            run_id varchar not null, version varchar not null, row integer not null, repeat integer not null,
            output varchar, error varchar, error_kind varchar,
            model varchar, fingerprint varchar, finish_reason varchar, response_id varchar,
            tokens_in bigint, tokens_out bigint, cost double, latency double,
            attempts integer, cached boolean not null, answered_at timestamptz,
            request_digest varchar, message json, details json);
        create table scores (
            run_id varchar not null, version varchar not null, row integer not null, repeat integer not null,
            scorer varchar not null, value double, error varchar);
        create table ratings (
            run_id varchar not null, row integer not null, repeat integer not null,
            "left" varchar not null, "right" varchar not null, choice varchar not null,
            rater varchar not null, note varchar, rated_at timestamptz not null);
        create table publications (
            prompt varchar not null, number integer not null, digest varchar not null,
            registry varchar not null, version varchar not null, published_at timestamptz not null);

        create table journals (journal varchar primary key, drained bigint not null);
        create view answers as
            select request_digest as key, output, message, model, fingerprint, finish_reason, response_id,
                   tokens_in, tokens_out, cost, latency, details, answered_at
            from outputs where error_kind is null and request_digest <> '';
        """
    )


def m002_limits_and_records(connection: Connection) -> None:
    """What an endpoint takes a minute and how it is reached, how a run came to its end, time to the first token."""
    connection.execute(
        """
        alter table endpoints add column rpm double;
        alter table endpoints add column tpm double;
        alter table endpoints add column transport varchar;
        alter table runs add column record json;
        drop view answers;
        alter table outputs add column ttft double;
        create view answers as
            select request_digest as key, output, message, model, fingerprint, finish_reason, response_id,
                   tokens_in, tokens_out, cost, latency, ttft, details, answered_at
            from outputs where error_kind is null and request_digest <> '';
        """
    )


def m003_rated_again(connection: Connection) -> None:
    """Ratings say whether the question was asked a second time."""
    connection.execute("alter table ratings add column again boolean default false")


def m004_origins(connection: Connection) -> None:
    """Where each version of a dataset came from: who made it, of which one, which part of a split, how."""
    connection.execute(
        """
        alter table datasets add column author varchar;
        alter table datasets add column parent varchar;
        alter table datasets add column part varchar;
        alter table datasets add column origin json;
        """
    )


def m005_steps_and_deletions(connection: Connection) -> None:
    """The steps that led to a draft, for undo; what was deleted, by whom and why."""
    connection.execute(
        """
        create table draft_heads (prompt varchar primary key, revision bigint not null, step integer not null);
        create table draft_steps (
            prompt varchar not null, step integer not null, body json not null, base varchar,
            view varchar not null, made_at timestamptz not null);
        create table deletions (
            what varchar not null, name varchar not null, reason varchar not null, author varchar not null,
            told json not null, deleted_at timestamptz not null);
        """
    )


def m006_evaluations(connection: Connection) -> None:
    """What evaluating a change found, for whoever publishes it later."""
    connection.execute(
        """
        create table evaluations (
            prompt varchar not null, label varchar not null, candidate varchar not null, baseline varchar,
            evidence json not null, parts json not null, made_at timestamptz not null);
        """
    )


MIGRATIONS: Final[tuple[Callable[[Connection], None], ...]] = (
    m001_initial,
    m002_limits_and_records,
    m003_rated_again,
    m004_origins,
    m005_steps_and_deletions,
    m006_evaluations,
)
NEWEST: Final = len(MIGRATIONS)


def create(database: Database) -> None:
    """Make the file where there is none; it appears whole or not at all, also when two processes make it at once.

    Raises:
        WorkspaceError: It could not be made there; nothing is left behind.
    """
    path = database.path
    if not path.parent.is_dir():
        raise WorkspaceError(
            f"{path} cannot be made, because there is no directory {path.parent}: make it first", path=str(path)
        )
    log = _log_of(path)
    if log.exists():
        raise WorkspaceFormatError(
            f"{path} is missing, but its write-ahead log {log.name} is there and may hold what was saved last: put the"
            f" file back beside it, or move {log.name} away to begin a new workspace",
            path=str(path),
        )
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.new")
    try:
        fresh = Database(draft, deadline=database.deadline)
        with fresh.apart():
            migrate(fresh)
        _put(draft, path)
    except OSError as error:
        raise WorkspaceError(
            f"{path} cannot be made ({error.strerror or error}): see to the directory's permissions",
            path=str(path),
        ) from error
    finally:
        draft.unlink(missing_ok=True)
        _log_of(draft).unlink(missing_ok=True)


def migrate(database: Database) -> None:
    """Bring the file to the newest form; each step is applied whole or not at all.

    Raises:
        WorkspaceVersionError: The file is of a newer Pressmark.
        WorkspaceFormatError: It is a DuckDB file with tables of something else.
    """
    with database.reading() as connection:
        known = applied(connection)
        if known is None and _tables(connection):
            raise WorkspaceFormatError(
                f"{database.path} is a DuckDB file, but not a Pressmark workspace: it holds other tables. It was left"
                " as it is: give another path",
                path=str(database.path),
            )
    refuse_newer(known, database)
    for number in range((known or 0) + 1, NEWEST + 1):
        with database.writing() as connection:
            # Another process may have taken this step since we looked.
            if (applied(connection) or 0) >= number:
                continue
            step = MIGRATIONS[number - 1]
            connection.execute(
                "create table if not exists pressmark_migrations"
                " (number integer primary key, name varchar not null, applied_at timestamptz not null)"
            )
            step(connection)
            connection.execute("insert into pressmark_migrations values (?, ?, now())", [number, step.__name__])


def applied(connection: Connection) -> int | None:
    """Return the number of the last step that the file has seen, or None for a file that has seen none."""
    return last_step(connection) if "pressmark_migrations" in _tables(connection) else None


def last_step(connection: Connection) -> int | None:
    """Return the number of the last step of a file that is known to be a workspace."""
    row = first(connection, "select max(number) from pressmark_migrations")
    return int(row[0]) if row and row[0] is not None else None


def _tables(connection: Connection) -> set[str]:
    rows = connection.execute("select table_name from duckdb_tables() where database_name = current_database()")
    return {row[0] for row in rows.fetchall()}


def _put(draft: Path, path: Path) -> None:
    """Give the finished file its name, unless another process was quicker: its file is as good."""
    with suppress(FileExistsError):
        try:
            os.link(draft, path)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
                raise
            # This file system has no links; two processes that begin in the same instant are told apart no more.
            if not path.exists():
                draft.rename(path)


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def refuse_newer(known: int | None, database: Database) -> None:
    """Refuse a file that has seen steps which this Pressmark does not know.

    Raises:
        WorkspaceVersionError: It has.
    """
    if known is not None and known > NEWEST:
        raise WorkspaceVersionError(
            f"{database.path} was written by a newer Pressmark (its form is {known}, this one knows up to {NEWEST})."
            " It was left as it is: upgrade with pip install -U pressmark",
            path=str(database.path),
            found=known,
            known=NEWEST,
        )
