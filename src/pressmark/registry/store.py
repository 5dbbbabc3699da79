"""The embedded registry: everything in one database file, or in PostgreSQL.

    store = Store("sqlite:///registry.db")
    published = store.publish("support/triage", unit_bytes(unit), message="first cut", reason="a start")
    store.move("support/triage", label="staging", to="v1", reason="try it", expected=None)

A server uses the same object: `acting_as(principal)` gives its view for one bearer of a token.
"""

from __future__ import annotations

import copy
import getpass
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from pressmark.errors import ConflictError, GateError, PermissionDeniedError, RegistryError
from pressmark.gate import GateDecision
from pressmark.prompts import Entry, FrozenDict, LabelPointer, Position, check_label, check_name, sha256_digest, thaw
from pressmark.prompts.entry import timestamp
from pressmark.prompts.evidence import Evidence
from pressmark.prompts.policy import Policy
from pressmark.registry import (
    access,
    answers,
    changes,
    evidences,
    moves,
    policies,
    schema,
    state,
    suites,
    tokens,
    verification,
    versions,
)
from pressmark.registry.database import Database, Transaction
from pressmark.registry.faults import code_of
from pressmark.registry.inputs import PublishedInputs
from pressmark.registry.state import Subscription
from pressmark.registry.values import (
    UNSET,
    Event,
    EvidenceInfo,
    Expected,
    Move,
    NewToken,
    PolicyRule,
    Principal,
    PromptSummary,
    Published,
    PublishedSuite,
    Refusal,
    Role,
    TokenInfo,
    Verification,
)
from pressmark.registry.watch import watch
from pressmark.wire import read_time

HEARTBEAT: Final = 10.0
KEPT_REFUSALS: Final = 100_000
"""Refused writes that are kept: a bearer who is refused again and again must not fill the disk."""
T = TypeVar("T")


class Store:
    """A registry in a database of its own.

    Args:
        url: `sqlite:///file`, a file's path, or `postgresql://…`; an empty or new one is made ready.
        actor: Who writes, in the change log; the system's user where it is not given.
        now: The clock.

    Raises:
        RegistryError: It is no registry, or a newer Pressmark's.
        RegistryUnavailableError: It cannot be opened.
    """

    def __init__(self, url: str | Path, *, actor: str | None = None, now: Callable[[], datetime] | None = None) -> None:
        self.database = Database(url, now=now)
        self.principal = Principal(actor or _system_user(), "admin")
        self._inputs = PublishedInputs()

    def __repr__(self) -> str:
        return f"<Store {self.where} as {self.principal.name}>"

    @property
    def where(self) -> str:
        """Its file or URL, without user and password."""
        return self.database.where

    def served(self) -> Store:
        """Mark the store as belonging to a server, as long as this process lives or until `close`; return itself."""
        self.database.ownership.take()
        return self

    def acting_as(self, principal: Principal) -> Store:
        """Return the same store as this principal may see and change it."""
        other = copy.copy(self)
        other.principal = principal
        return other

    def bearer(self, secret: str) -> TokenInfo:
        """Return the token with this secret, alive or not.

        Raises:
            AuthenticationError: There is none.
        """
        with self.database.read() as connection:
            return tokens.find(connection, secret)

    def revocations(self) -> int:
        """Return how many tokens were revoked so far."""
        with self.database.read() as connection:
            return tokens.revocations(connection)

    def whoami(self) -> Principal:
        """Return who asks, with role and scope."""
        return self.principal

    def publish(
        self,
        name: str,
        unit_bytes: bytes,
        *,
        message: str,
        reason: str,
        author: str | None = None,
        source: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Published:
        """Add a version of a prompt, and let `latest` point to it; see `RegistryBackend.publish`."""
        asked = {
            "name": check_name(name),
            "unit": sha256_digest(unit_bytes),
            "message": message,
            "reason": reason,
            "author": author,
            "source": thaw(source),
        }

        with self._audited("publish", asked):
            access.demand(self.principal, "publish")
            access.demand_name(self.principal, name)
        draft = versions.Draft.checked(
            name,
            unit_bytes,
            message=message,
            reason=reason,
            author=author or self.principal.name,
            source=None if source is None else thaw(source),
        )

        def work(transaction: Transaction) -> Published:
            return versions.publish(transaction, self.principal, self._inputs, draft)

        def told(published: Published) -> dict[str, Any]:
            return {"number": published.number, "created": published.created}

        def again(connection: sa.Connection, answer: dict[str, Any]) -> Published:
            return versions.numbered(connection, name, answer["number"], created=answer["created"])

        return self._write("publish", asked, work, told=told, again=again, key=idempotency_key)

    def version(self, name: str, ref: str) -> Published:
        """Return a version by number, label or digest; see `RegistryBackend.version`."""
        with self.database.read() as connection:
            return versions.find(connection, self.principal, name, ref)

    def versions(self, name: str) -> list[Published]:
        """Return a prompt's versions, the newest first."""
        with self.database.read() as connection:
            return versions.listed(connection, self.principal, name)

    def prompts(self) -> list[PromptSummary]:
        """Return every prompt that may be seen, by name."""
        with self.database.read() as connection:
            return versions.prompts(connection, self.principal)

    def labels(self, name: str) -> list[LabelPointer]:
        """Return where a prompt's labels stand, by label."""
        with self.database.read() as connection:
            return moves.pointers(connection, self.principal, name)

    def move(
        self,
        name: str,
        *,
        label: str,
        to: str,
        reason: str,
        expected: Expected,
        idempotency_key: str | None = None,
    ) -> Entry:
        """Let a label point to a version; see `RegistryBackend.move`."""
        return self.moves([Move(name, label, to, expected)], reason=reason, idempotency_key=idempotency_key)

    def moves(self, moves_: Sequence[Move], *, reason: str, idempotency_key: str | None = None) -> Entry:
        """Move several labels as one change: all of them, or none."""
        asked = {"moves": [_asked(move) for move in moves_], "reason": reason}
        return self._change(
            "move",
            asked,
            lambda transaction: moves.apply(transaction, self.principal, self._inputs, moves_, reason=reason),
            idempotency_key,
        )

    def rollback(
        self,
        name: str,
        *,
        label: str,
        reason: str,
        expected: Expected,
        to: str | None = None,
        idempotency_key: str | None = None,
    ) -> Entry:
        """Move a label back; see `RegistryBackend.rollback`."""
        move = Move(name, label, to or "", expected)
        return self._change(
            "rollback",
            {"moves": [_asked(move)], "reason": reason},
            lambda transaction: moves.roll_back(transaction, self.principal, self._inputs, move, reason=reason),
            idempotency_key,
        )

    def previous(self, name: str, label: str) -> str | None:
        """Return the version that a rollback of the label would lead to, or None."""
        check_label(label)
        with self.database.read() as connection:
            versions.demand_prompt(connection, self.principal, name)
            number = moves.previous(connection, name, label) if self.principal.sees_label(label) else None
            return None if number is None else f"v{number}"

    def gate_check(self, name: str, label: str, to: str, *, reason: str = "") -> GateDecision:
        """Return what the gate would say to a move now. Moves nothing."""
        now = self.database.now()
        with self.database.read() as connection:
            return moves.check(
                moves.Asking(connection, self.principal, self._inputs, now), Move(name, label, to), reason=reason
            )

    def submit_evidence(self, evidence: Evidence, *, idempotency_key: str | None = None) -> str:
        """Keep evidence, unless it is there already, and return its digest; see `RegistryBackend.submit_evidence`."""
        with self._audited("submit_evidence", {"name": evidence.name, "label": evidence.label}):
            access.demand(self.principal, "submit_evidence")
        submission = evidences.Submission.checked(evidence)
        return self._write(
            "submit_evidence",
            {"name": evidence.name, "label": evidence.label, "digest": submission.digest},
            lambda transaction: evidences.submit(transaction, self.principal, submission),
            told=lambda digest: {"digest": digest},
            again=lambda connection, answer: str(answer["digest"]),
            key=idempotency_key,
        )

    def evidence(self, name: str, *, label: str | None = None, candidate: str | None = None) -> list[EvidenceInfo]:
        """Return what evidence there is on a prompt, newest first."""
        with self.database.read() as connection:
            return evidences.listed(connection, self.principal, name, label, candidate)

    def evidence_by_digest(self, digest: str) -> Evidence:
        """Return evidence; see `RegistryBackend.evidence_by_digest`."""
        with self.database.read() as connection:
            return evidences.one(connection, self.principal, digest)

    def publish_suite(
        self, name: str, spec: Mapping[str, Any], dataset: bytes, *, idempotency_key: str | None = None
    ) -> PublishedSuite:
        """Publish a suite with its dataset; see `RegistryBackend.publish_suite`."""
        with self._audited("publish_suite", {"name": name}):
            access.demand(self.principal, "publish_suite")
            access.demand_name(self.principal, name)
        draft = suites.SuiteDraft.checked(name, spec, dataset)
        return self._write(
            "publish_suite",
            {"name": name, "digest": draft.digest},
            lambda transaction: suites.publish(transaction, self.principal, draft),
            told=lambda suite: {"number": suite.number, "created": suite.created},
            again=lambda connection, answer: suites.numbered(
                connection, name, answer["number"], created=answer["created"]
            ),
            key=idempotency_key,
        )

    def suite(self, name: str, ref: str | None = None) -> PublishedSuite:
        """Return a suite; see `RegistryBackend.suite`."""
        with self.database.read() as connection:
            return suites.find(connection, self.principal, name, ref)

    def suite_dataset(self, name: str, ref: str | None = None) -> bytes:
        """Return a suite's dataset, as Parquet."""
        with self.database.read() as connection:
            return suites.data(connection, self.principal, name, ref)

    def suites(self) -> list[PublishedSuite]:
        """Return the newest of every suite that may be seen, by name."""
        with self.database.read() as connection:
            return suites.listed(connection, self.principal)

    def policy(self, name: str, label: str) -> Policy:
        """Return what a prompt's label demands; see `RegistryBackend.policy`."""
        with self.database.read() as connection:
            return policies.find(connection, self.principal, name, label)

    def policies(self) -> list[PolicyRule]:
        """Return every policy that was set and may be seen."""
        with self.database.read() as connection:
            return policies.listed(connection, self.principal)

    def set_policy(
        self, label: str, policy: Policy, *, names: str = "**", reason: str, idempotency_key: str | None = None
    ) -> Entry:
        """Let a label demand something; see `RegistryBackend.set_policy`."""
        return self._change(
            "set_policy",
            {"label": label, "names": names, "policy": policy.to_dict(), "reason": reason},
            lambda transaction: policies.put(transaction, self.principal, label, policy, names=names, reason=reason),
            idempotency_key,
        )

    def log(self, name: str | None = None, *, limit: int = 100, before: int | None = None) -> list[Entry]:
        """Return entries of the change log, the newest first."""
        if not 1 <= limit <= 1000:
            raise RegistryError(f"limit is {limit}: ask for 1 to 1000 entries at once", status=422)
        with self.database.read() as connection:
            if name is not None:
                versions.demand_prompt(connection, self.principal, name)
            return changes.newest_first(connection, self.principal, name=name, limit=limit, before=before)

    def verify(self) -> Verification:
        """Read the whole change log and hold everything in the registry against it."""
        access.demand_everything(self.principal)
        with self.database.read() as connection:
            return verification.verify(connection)

    def position(self) -> Position:
        """Return where the registry stands."""
        with self.database.read() as connection:
            return self.database.position(connection)[0]

    def sync(
        self,
        labels: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        *,
        since: Position | None = None,
        scope: str | None = None,
        units: bool = True,
    ) -> dict[str, Any]:
        """Return all pointers under labels and name patterns with the units they need."""
        subscription = Subscription.of(self.principal, labels, names)
        with self.database.read() as connection:
            position, digest = self.database.position(connection)
            return state.sync(connection, position, digest, subscription, since=since, scope=scope, units=units)

    def events(
        self,
        after: Position | None = None,
        labels: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
    ) -> Iterator[Event]:
        """Give changes as they happen, in order, each once; see `RegistryBackend.events`."""
        subscription = Subscription.of(self.principal, labels, names)
        # Where it begins is fixed now, not when the first event is asked for.
        return self._listen(subscription, after or self.position())

    def unit(self, digest: str) -> bytes | None:
        """Return the canonical bytes of a unit, or None where nothing that may be seen holds it."""
        with self.database.read() as connection:
            return versions.unit_body(connection, self.principal, digest)

    def create_token(
        self,
        principal: str,
        role: Role,
        *,
        labels: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        expires: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> NewToken:
        """Make a bearer token; its secret is in the answer and can never be seen again."""
        asked = {
            "principal": principal,
            "role": role,
            "labels": list(labels or ()),
            "names": list(names or ()),
            "expires": None if expires is None else expires.isoformat(),
        }

        def again(connection: sa.Connection, answer: dict[str, Any]) -> NewToken:
            raise RegistryError(
                f"token {answer['id']} was made by this request before, and its secret was told only then:"
                " revoke it and make another",
                status=409,
                code="told_once",
                hint="revoke it and make another",
            )

        return self._write(
            "create_token",
            asked,
            lambda transaction: tokens.create(
                transaction,
                self.principal,
                principal=principal,
                role=role,
                labels=labels,
                names=names,
                expires=expires,
            ),
            told=lambda token: {"id": token.info.id},
            again=again,
            key=idempotency_key,
        )

    def revoke_token(self, token: str, *, idempotency_key: str | None = None) -> TokenInfo:
        """Stop a token, named by its id, at once and for good."""
        return self._write(
            "revoke_token",
            {"token": token},
            lambda transaction: tokens.revoke(transaction, token),
            told=lambda info: {"id": info.id},
            again=lambda connection, answer: tokens.one(connection, answer["id"]),
            key=idempotency_key,
        )

    def tokens(self) -> list[TokenInfo]:
        """Return every token without its secret, the oldest first."""
        access.demand(self.principal, "administer")
        with self.database.read() as connection:
            return tokens.listed(connection)

    def audit(self, *, limit: int = 100) -> list[Refusal]:
        """Return refused writes, the newest first."""
        access.demand(self.principal, "administer")
        if not 1 <= limit <= 1000:
            raise RegistryError(f"limit is {limit}: ask for 1 to 1000 refusals at once", status=422)
        with self.database.read() as connection:
            rows = connection.execute(sa.select(schema.audit).order_by(schema.audit.c.id.desc()).limit(limit))
            return [
                Refusal(read_time(row.at), row.actor, row.verb, row.code, row.message, FrozenDict(json.loads(row.data)))
                for row in rows
            ]

    def close(self) -> None:
        """Give back files and connections."""
        self.database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _listen(self, subscription: Subscription, after: Position) -> Iterator[Event]:
        seq, waiting = after.seq, watch(self.database)
        try:
            while not waiting.closed:
                found, position, digest = self.since(after._replace(seq=seq))
                if found is None:
                    yield Event("resync", position.seq, state.head(position, digest, timestamp(self.database.now())))
                    return
                for event in found:
                    seq = event["seq"]
                    if heard := state.heard(subscription, event):
                        yield heard
                if not found:
                    yield Event("head", seq, state.head(position, digest, timestamp(self.database.now())))
                    waiting.wait(HEARTBEAT)
        finally:
            waiting.close()

    def since(self, after: Position) -> tuple[list[dict[str, Any]] | None, Position, str]:
        """Return the `move` events after a position, for somebody who sees everything, and how far the registry is.

        Where the position is another registry's, of another epoch or too far back, there are no events but None.
        """
        with self.database.read() as connection:
            position, digest = self.database.position(connection)
            if after[:2] != position[:2] or not 0 <= position.seq - after.seq <= state.TOO_FAR:
                return None, position, digest
            return [event for _, event in state.events(connection, position, after.seq)], position, digest

    def _change(self, verb: str, asked: dict[str, Any], work: Callable[[Transaction], Entry], key: str | None) -> Entry:
        return self._write(
            verb,
            asked,
            work,
            told=lambda entry: {"seq": entry.seq},
            again=lambda connection, answer: changes.one(connection, answer["seq"]),
            key=key,
        )

    def _write(
        self,
        verb: str,
        asked: dict[str, Any],
        work: Callable[[Transaction], T],
        *,
        told: Callable[[T], dict[str, Any]],
        again: Callable[[sa.Connection, dict[str, Any]], T],
        key: str | None,
    ) -> T:
        """Do a write once: role, ownership, an earlier answer, the work, its answer kept; all in one transaction."""
        with self._audited(verb, asked):
            access.demand(self.principal, _VERBS[verb])
            request = answers.fingerprint({"verb": verb, **asked})
            with self.database.write() as transaction:
                self.database.ownership.check(transaction.connection)
                if key is not None:
                    answer = answers.earlier(transaction, self.principal, key, request)
                    if answer is not None:
                        return again(transaction.connection, answer)
                done = work(transaction)
                if key is not None:
                    answers.keep(transaction, self.principal, key, request, told(done))
                return done

    @contextmanager
    def _audited(self, verb: str, asked: dict[str, Any]) -> Iterator[None]:
        try:
            yield
        except (ConflictError, GateError, PermissionDeniedError) as refusal:
            with self.database.write() as transaction:
                transaction.connection.execute(
                    schema.audit.insert().values(
                        at=timestamp(transaction.now),
                        actor=self.principal.name,
                        verb=verb,
                        code=code_of(refusal),
                        message=str(refusal)[:2000],
                        data=_short(asked),
                    )
                )
                newest = sa.select(sa.func.max(schema.audit.c.id)).scalar_subquery()
                transaction.connection.execute(schema.audit.delete().where(schema.audit.c.id <= newest - KEPT_REFUSALS))
            raise


_VERBS: Final[dict[str, access.Verb]] = {
    "publish": "publish",
    "move": "move",
    "rollback": "move",
    "submit_evidence": "submit_evidence",
    "publish_suite": "publish_suite",
    "set_policy": "administer",
    "create_token": "administer",
    "revoke_token": "administer",
}


def _asked(move: Move) -> dict[str, Any]:
    expected = "any" if move.expected is UNSET else {"is": move.expected}
    return {"name": move.name, "label": move.label, "to": move.to, "expected": expected}


def _short(asked: dict[str, Any]) -> str:
    # A refused unit is not kept: the audit log is for who tried what, and must not be filled from outside.
    text = json.dumps({key: value for key, value in asked.items() if key not in ("unit", "source")})
    return text if len(text) <= 4096 else json.dumps({"shortened": text[:2048]})


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "local"
