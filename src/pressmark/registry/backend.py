"""The interface of a registry: what `pm.Registry(...)` wraps, whichever implementation its URL means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from pressmark.gate import GateDecision
from pressmark.prompts import Entry, LabelPointer, Position
from pressmark.prompts.evidence import Evidence
from pressmark.prompts.policy import Policy
from pressmark.registry.values import (
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


class RegistryBackend(Protocol):
    """A registry, embedded or over HTTP; one contract suite holds every implementation.

    What the principal may not see raises the same `NotFoundError` as what does not exist; what their role may not do
    raises `PermissionDeniedError`. A registry that cannot be reached raises `RegistryUnavailableError`. A write is done
    whole or not at all; one with an `idempotency_key` that was answered before is not done again and gets that answer.
    """

    @property
    def where(self) -> str:
        """Its file or URL, without user and password."""

    def whoami(self) -> Principal:
        """Return who asks, with role and scope."""

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
        """Add a version of a prompt, and let `latest` point to it.

        What equals the newest version makes nothing new (`created` is False); what equals an older one gets a new
        number and says so (`restores`).

        Args:
            name: The prompt's name; a new one makes a new prompt.
            unit_bytes: The unit's canonical bytes.
            message: What changed in the version.
            reason: Why it is published, for the change log.
            author: Who wrote it; the principal where that is not said.
            source: Where it comes from, such as the workspace's number; at most 4 KiB of JSON.
            idempotency_key: Makes repeating harmless.

        Raises:
            InvalidUnitError: The bytes are no canonical unit, or a text is empty or too long.
            GraphCycleError: Its inputs would close a circle of prompts.
        """

    def version(self, name: str, ref: str) -> Published:
        """Return a version by number (`v3`), label, or digest (8 hex digits of it or more).

        Raises:
            PromptNotFoundError, VersionNotFoundError, LabelNotFoundError: There is none that may be seen.
        """

    def versions(self, name: str) -> list[Published]:
        """Return a prompt's versions, the newest first."""

    def prompts(self) -> list[PromptSummary]:
        """Return every prompt that may be seen, by name."""

    def labels(self, name: str) -> list[LabelPointer]:
        """Return where a prompt's labels stand, by label; `latest` is among them."""

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
        """Let a label point to a version.

        Args:
            name: The prompt.
            label: The label; one that is not there yet is made.
            to: `v3`, another label or a digest.
            reason: Why, for the change log.
            expected: What the label is believed to hold (`v2`, or the sequence number of its last move), None for "no
                such label yet", `UNSET` to move it wherever it stands.
            idempotency_key: Makes repeating harmless.

        Raises:
            ConflictError: The label stands elsewhere; `current` is its `LabelPointer`: who moved it, when and why.
            GateError: The gate refuses; `decision` has the reasons.
            InvalidNameError: The label is malformed, or `latest`.
        """

    def moves(self, moves: Sequence[Move], *, reason: str, idempotency_key: str | None = None) -> Entry:
        """Move several labels as one change: all of them, or none."""

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
        """Move a label back.

        Args:
            name: The prompt.
            label: The label.
            reason: Why, for the change log.
            expected: What the label is believed to hold, so that a second click cannot roll back the rollback.
            to: The version to go back to; without it the one that the label held before this one, as `previous` tells.
            idempotency_key: Makes repeating harmless.

        Raises:
            ConflictError: The label stands elsewhere by now.
            LabelNotFoundError: There is no such label.
            VersionNotFoundError: The label held nothing before.
        """

    def previous(self, name: str, label: str) -> str | None:
        """Return the version that a rollback of the label would lead to, such as `v2`, or None."""

    def gate_check(self, name: str, label: str, to: str, *, reason: str = "") -> GateDecision:
        """Return what the gate would say to a move now. Moves nothing."""

    def submit_evidence(self, evidence: Evidence, *, idempotency_key: str | None = None) -> str:
        """Keep evidence on a change, for the gate, and return its digest; the same again makes nothing new.

        Raises:
            EvidenceError: It contradicts itself, or has no canonical form.
            PromptNotFoundError, VersionNotFoundError: What it is about is not published here.
            RegistryError: It takes more than 32 MiB when compressed.
            PermissionDeniedError: The role may not, or the token is not for its label.
        """

    def evidence(self, name: str, *, label: str | None = None, candidate: str | None = None) -> list[EvidenceInfo]:
        """Return what evidence there is on a prompt, newest first, as far as all in it may be seen.

        Args:
            name: The prompt that changes.
            label: Only what is meant for this label.
            candidate: Only what is about this version: `v3`, a label or a digest.
        """

    def evidence_by_digest(self, digest: str) -> Evidence:
        """Return evidence.

        Raises:
            NotFoundError: There is none, or it may not be seen.
        """

    def publish_suite(
        self, name: str, spec: Mapping[str, Any], dataset: bytes, *, idempotency_key: str | None = None
    ) -> PublishedSuite:
        """Publish a suite, so that others can run it; what equals the newest of that name makes nothing new.

        Args:
            name: The suite's name.
            spec: Its description, `pressmark.evals.Suite.spec()`, with `functions`: where its functions are imported
                from.
            dataset: Its rows as a Parquet file.
            idempotency_key: Makes repeating harmless.

        Raises:
            SuiteError: The description is malformed, or others could not run it.
            RegistryError: It is too large.
        """

    def suite(self, name: str, ref: str | None = None) -> PublishedSuite:
        """Return a suite by number (`v2`) or digest; the newest where neither is given.

        Raises:
            SuiteNotFoundError: There is none, or it may not be seen.
        """

    def suite_dataset(self, name: str, ref: str | None = None) -> bytes:
        """Return a suite's rows as a Parquet file; whoever reads them checks them against the digest in its spec.

        Raises:
            SuiteNotFoundError: There is no such suite, or it may not be seen.
        """

    def suites(self) -> list[PublishedSuite]:
        """Return the newest of every suite that may be seen, by name."""

    def policy(self, name: str, label: str) -> Policy:
        """Return what a prompt's label demands: of the patterns that the name fits the most specific, else `solo`.

        Raises:
            PromptNotFoundError, LabelNotFoundError: It may not be seen.
        """

    def policies(self) -> list[PolicyRule]:
        """Return every policy that was set and may be seen, by label, the most specific pattern first."""

    def set_policy(
        self, label: str, policy: Policy, *, names: str = "**", reason: str, idempotency_key: str | None = None
    ) -> Entry:
        """Let a label demand something from now on. Admins only.

        Args:
            label: The label.
            policy: What it demands.
            names: Pattern of the prompts of which it demands it.
            reason: Why, for the change log.
            idempotency_key: Makes repeating harmless.

        Raises:
            InvalidNameError: The label or the pattern is malformed.
        """

    def log(self, name: str | None = None, *, limit: int = 100, before: int | None = None) -> list[Entry]:
        """Return entries of the change log, the newest first.

        Args:
            name: Only what concerns this prompt.
            limit: How many at most, 1 to 1000.
            before: Only entries older than this sequence number: the last one of the page before.
        """

    def verify(self) -> Verification:
        """Read the whole change log and hold everything in the registry against it.

        Raises:
            LogTamperedError: `seq` is the first entry that was altered, is missing, or does not agree with the rest.
            PermissionDeniedError: The token is for a part of the registry.
        """

    def position(self) -> Position:
        """Return where the registry stands."""

    def sync(
        self,
        labels: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        *,
        since: Position | None = None,
        scope: str | None = None,
        units: bool = True,
    ) -> dict[str, Any]:
        """Return all pointers under labels and name patterns with the units they need, as `GET /v1/sync` does.

        Args:
            labels: Patterns of labels; none for all.
            names: Patterns of names; none for all.
            since: Only what changed after this position (together with `scope`); else everything.
            scope: The `scope` of the answer that `since` comes from.
            units: Whether the units come too.
        """

    def events(
        self,
        after: Position | None = None,
        labels: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
    ) -> Iterator[Event]:
        """Give changes as they happen, in order, each once; the iterator ends when it is closed.

        Args:
            after: Give what came after this position; from now on where it is not given.
            labels: Patterns of labels; none for all.
            names: Patterns of names; none for all.
        """

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
        """Make a bearer token; its secret is in the answer and can never be seen again. Admins only.

        Args:
            principal: Who will come with it.
            role: `reader`, `editor`, `evaluator`, `approver` or `admin`.
            labels: Patterns of the labels that it sees and moves; none for all.
            names: Patterns of the prompts that it sees; none for all.
            expires: When it stops to work.
            idempotency_key: A repeated one is refused, since the secret cannot be told again.
        """

    def revoke_token(self, token: str, *, idempotency_key: str | None = None) -> TokenInfo:
        """Stop a token, named by its id, at once and for good. Admins only."""

    def tokens(self) -> list[TokenInfo]:
        """Return every token without its secret, the oldest first. Admins only."""

    def audit(self, *, limit: int = 100) -> list[Refusal]:
        """Return refused writes, the newest first. Admins only."""

    def close(self) -> None:
        """Give back files and connections."""
