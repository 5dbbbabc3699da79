"""Published suites: numbered as versions are, each with its dataset as a Parquet file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from pressmark.errors import InvalidUnitError, SuiteError
from pressmark.prompts import LATEST, check_name, freeze, is_digest, parse_number, sha256_digest, thaw
from pressmark.prompts.canonical import canonical_bytes
from pressmark.prompts.entry import timestamp
from pressmark.prompts.quoting import shown
from pressmark.registry import access, packing, schema
from pressmark.registry.database import Transaction
from pressmark.registry.values import Principal, PublishedSuite
from pressmark.wire import read_time

FORMAT: Final = 1
MAX_SPEC: Final = 1024 * 1024
_MAGIC: Final = b"PAR1"
_SUITES = schema.suites.c
# What a suite's digest is not over: names, and where its functions are found.
_BESIDES: Final = frozenset({"format", "name", "dataset", "functions"})


@dataclass(frozen=True, slots=True)
class SuiteDraft:
    """A suite that somebody publishes, checked in every way that needs no look at the store."""

    name: str
    spec: dict[str, Any]
    digest: str
    dataset: bytes

    @classmethod
    def checked(cls, name: str, spec: Mapping[str, Any], dataset: bytes) -> SuiteDraft:
        """Check a suite's description and its dataset.

        Raises:
            InvalidNameError: The name is malformed.
            SuiteError: The description is, others could not run it, or the dataset is no Parquet file.
            RegistryError: It is too large.
        """
        check_name(name, "suite name")
        told = thaw(spec) if isinstance(spec, Mapping) else {}
        _check(name, told)
        if len(dataset) < 12 or not (dataset.startswith(_MAGIC) and dataset.endswith(_MAGIC)):
            raise SuiteError(f"the dataset of suite {name!r} is no Parquet file: publish it by publish_suite")
        packing.demand_size(len(dataset))
        try:
            body = canonical_bytes(told)
            digest = sha256_digest(canonical_bytes(_content(told)))
        except InvalidUnitError as error:
            raise SuiteError(f"the description of suite {name!r} has no canonical form: {error}") from error
        if len(body) > MAX_SPEC:
            raise SuiteError(
                f"the description of suite {name!r} takes {len(body):,} bytes; at most {MAX_SPEC:,} are allowed:"
                " move what is long into the dataset"
            )
        return cls(name, told, digest, dataset)


def publish(transaction: Transaction, principal: Principal, draft: SuiteDraft) -> PublishedSuite:
    """Add a suite; what equals the newest of that name makes nothing new."""
    connection = transaction.connection
    newest = connection.execute(
        sa.select(schema.suites).where(_SUITES.name == draft.name).order_by(_SUITES.number.desc()).limit(1)
    ).first()
    if newest is not None and newest.digest == draft.digest:
        return _suite(newest, created=False)
    dataset = sha256_digest(draft.dataset)
    known = sa.select(schema.datasets.c.digest).where(schema.datasets.c.digest == dataset)
    if connection.execute(known).first() is None:
        connection.execute(schema.datasets.insert().values(digest=dataset, body=draft.dataset))
    number = 1 if newest is None else newest.number + 1
    connection.execute(
        schema.suites.insert().values(
            name=draft.name,
            number=number,
            digest=draft.digest,
            spec=canonical_bytes(draft.spec).decode(),
            dataset=dataset,
            added_at=timestamp(transaction.now),
            added_by=principal.name,
        )
    )
    return numbered(connection, draft.name, number)


def numbered(connection: sa.Connection, name: str, number: int, *, created: bool = True) -> PublishedSuite:
    """Return a suite that is known to exist."""
    row = connection.execute(
        sa.select(schema.suites).where(_SUITES.name == name, _SUITES.number == number)
    ).one()  # fmt: skip
    return _suite(row, created=created)


def find(connection: sa.Connection, principal: Principal, name: str, ref: str | None = None) -> PublishedSuite:
    """Return a suite by number (`v2`) or digest; the newest where neither is given.

    Raises:
        SuiteNotFoundError: There is none, or it may not be seen.
    """
    check_name(name, "suite name")
    if not sees(principal, name):
        raise access.no_suite(name)
    query = sa.select(schema.suites).where(_SUITES.name == name).order_by(_SUITES.number.desc()).limit(1)
    if ref is not None and ref != LATEST:
        number = parse_number(ref, "registry")
        if number is None and not is_digest(ref):
            raise access.no_suite(name, ref)
        query = query.where(
            _SUITES.number == min(number, 2**31 - 1)
            if number is not None
            else _SUITES.digest.startswith(ref, autoescape=True)
        )
    row = connection.execute(query).first()
    if row is None:
        raise access.no_suite(name, ref)
    return _suite(row)


def data(connection: sa.Connection, principal: Principal, name: str, ref: str | None = None) -> bytes:
    """Return a suite's dataset, as Parquet.

    Raises:
        SuiteNotFoundError: There is no such suite, or it may not be seen.
    """
    found = find(connection, principal, name, ref)
    return bytes(
        connection.execute(
            sa.select(schema.datasets.c.body)
            .join(schema.suites, _SUITES.dataset == schema.datasets.c.digest)
            .where(_SUITES.name == name, _SUITES.number == found.number)
        ).scalar_one()
    )


def listed(connection: sa.Connection, principal: Principal) -> list[PublishedSuite]:
    """Return the newest of every suite that may be seen, by name."""
    rows = connection.execute(sa.select(schema.suites).order_by(_SUITES.name, _SUITES.number)).all()
    newest = {row.name: row for row in rows if sees(principal, row.name)}
    return [_suite(row) for row in newest.values()]


def sees(principal: Principal, name: str) -> bool:
    """Say whether a suite may be seen: datasets are not for services that read a label."""
    return principal.sees_name(name) and not principal.narrow


def _check(name: str, spec: dict[str, Any]) -> None:
    dataset, scorers = spec.get("dataset"), spec.get("scorers")
    if spec.get("format") != FORMAT:
        raise SuiteError(f"the description of suite {name!r} is of no format that this registry reads: upgrade it")
    if spec.get("name") != name:
        raise SuiteError(
            f"the description is of suite {shown(spec.get('name'))}, not of {name!r}: publish it by its name"
        )
    if not isinstance(dataset, dict) or not _whole(dataset.get("digest")):
        raise SuiteError(f"the description of suite {name!r} does not name its dataset by digest: publish it again")
    check_name(dataset.get("name"), "dataset name")
    if not isinstance(scorers, list) or not scorers or not all(isinstance(scorer, dict) for scorer in scorers):
        raise SuiteError(f"the description of suite {name!r} has no scorers: publish it again")
    # A description leaves out what its type implies, also a name; what a newer type implies is not known here.
    names = [scorer["name"] for scorer in scorers if "name" in scorer]
    if not all(isinstance(scorer, str) and scorer for scorer in names) or len({*names}) < len(names):
        raise SuiteError(f"the scorers of suite {name!r} have not each a name of their own: name them")
    primary = spec.get("primary")
    if not isinstance(primary, str) or (len(names) == len(scorers) and primary not in names):
        raise SuiteError(f"suite {name!r} has no scorer {shown(primary)} to be primary: name one that it has")
    for scorer in scorers:
        if not isinstance(scorer.get("type"), str):
            raise SuiteError(f"a scorer of suite {name!r} does not say of what type it is: publish it again")
        if scorer.get("type") == "function" and ("code" in scorer or "<lambda>" in str(scorer.get("function"))):
            raise SuiteError(
                f"others could not run scorer {shown(scorer.get('name'))} of suite {name!r}: write a named function,"
                " and give it a version="
            )


def _content(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"dataset": spec["dataset"]["digest"], **{key: part for key, part in spec.items() if key not in _BESIDES}}


def _whole(digest: object) -> bool:
    return isinstance(digest, str) and len(digest) == 71 and is_digest(digest)


def _suite(row: Any, *, created: bool = True) -> PublishedSuite:
    return PublishedSuite(
        row.name, row.number, row.digest, freeze(json.loads(row.spec)), read_time(row.added_at), row.added_by, created
    )  # fmt: skip
