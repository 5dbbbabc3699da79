"""`pm.Registry`: published versions and labels, embedded in a file or over HTTP."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import PurePath
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pressmark import publishing
from pressmark.address import told
from pressmark.api.changes import Changes
from pressmark.errors import EvidenceError, PressmarkError, RegistryError
from pressmark.face import Faced
from pressmark.face.forms import Face, Table
from pressmark.gate import GateDecision
from pressmark.prompts import Entry, LabelPointer, Position, Version, check_label
from pressmark.prompts.evidence import Evidence
from pressmark.prompts.policy import Policy, policy_of
from pressmark.prompts.sentences import entry_sentence
from pressmark.registry.access import no_label
from pressmark.registry.values import (
    UNSET,
    EvidenceInfo,
    Expected,
    Move,
    NewToken,
    Published,
    PublishedSuite,
    TokenInfo,
    Verification,
)
from pressmark.rendering import PromptVersion

if TYPE_CHECKING:
    import pandas

    from pressmark.api.workspace import Workspace
    from pressmark.client import Client
    from pressmark.evals import Suite
    from pressmark.registry import RegistryBackend
    from pressmark.widgets import Workbench

_SHOWN = 20


class Registry(Faced, AbstractContextManager["Registry"]):
    """A registry: the same interface on a server and on an embedded file.

    Args:
        url: `http://…` for a server, `sqlite:///FILE` for a registry of one person in one file. Else `PRESSMARK_URL`.
        token: The server's token. Else `PRESSMARK_TOKEN`. An embedded registry takes none.

    Raises:
        RegistryError: The address is of another form, or the file belongs to a running server.
    """

    def __init__(self, url: str | None = None, token: str | None = None) -> None:
        address = url or os.environ.get("PRESSMARK_URL")
        if not address:
            raise RegistryError(
                "no registry was named: pass its URL, such as http://127.0.0.1:8765 or sqlite:///registry.db,"
                " or set PRESSMARK_URL"
            )
        self.url = address
        self._token = token or os.environ.get("PRESSMARK_TOKEN")
        self.changes = Changes()
        self.backend: RegistryBackend
        if address.startswith(("http://", "https://")):
            from pressmark.registry.remote import Remote

            self.backend = Remote(address, self._token)
        elif address.startswith(("sqlite:", "postgresql")):
            try:
                from pressmark.registry.store import Store
            except ModuleNotFoundError as error:
                raise ImportError(
                    f"an embedded registry needs {error.name}, which is not installed:"
                    " pip install 'pressmark[registry]'",
                    name=error.name,
                ) from error
            self.backend = Store(address)
        else:
            raise RegistryError(
                f"{told(address)} is no registry's address: use http://…, https://… or sqlite:///FILE", code="bad_url"
            )

    def close(self) -> None:
        """Give back what the registry holds open."""
        self.backend.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Registry {self.backend.where}>"

    def _face(self) -> Face:
        # A file's folder is nobody's business who reads the notebook.
        where = self.backend.where
        title = f"Registry {where if where.startswith('http') else PurePath(where).name}"
        try:
            held = self.backend.prompts()
        except PressmarkError as error:
            return Face(title, [str(error)])
        rows = [
            (each.name, f"v{each.newest}", _labels(each.labels), f"{each.published_at:%Y-%m-%d %H:%M} UTC")
            for each in held[:_SHOWN]
        ]
        more = [f"the first {_SHOWN} of {len(held):,} prompts"] if len(held) > _SHOWN else []
        told = more if rows else ["nothing is published yet"]
        return Face(title, told, tables=[Table(("prompt", "newest", "labels", "published"), rows)])

    def publish(self, version: Version, *, reason: str, workspace: Workspace | None = None) -> Published:
        """Publish a version under its name; the newest published one again makes nothing new.

        Args:
            version: A version of a workspace; a derived one is saved there first, where `workspace` is given.
            reason: Why; it stands in the change log.
            workspace: The workspace that should remember the publication.

        Returns:
            The published version; `.version` is its name here, such as `v3`.

        Raises:
            RegistryError: It was not published; nothing changed.
        """
        if workspace is not None and isinstance(version, PromptVersion):
            version = workspace.keep(version)
        published = publishing.publish(
            version,
            self.backend,
            reason=reason,
            workspace=workspace.store if workspace else None,
            where=self.backend.where,
        )
        self.changes.tell("registry", name=version.name)
        return published

    def version(self, name: str, reference: str = "latest") -> Published:
        """Return a published version: by `v3`, by label, or by digest.

        Raises:
            NotFoundError: There is none, or it may not be seen.
        """
        return self.backend.version(name, reference)

    def versions(self, name: str) -> pandas.DataFrame:
        """Return a prompt's published versions, newest first, with the columns of the table.

        They are version, digest, message, author, created_at, parent, restores.
        """
        import pandas as pd

        columns = ["version", "digest", "message", "author", "created_at", "parent", "restores"]
        rows = [[getattr(version, column) for column in columns] for version in self.backend.versions(name)]
        return pd.DataFrame(rows, columns=columns)

    def prompts(self) -> pandas.DataFrame:
        """Return every prompt: name, newest (version), labels, published_at."""
        import pandas as pd

        rows = [
            [summary.name, f"v{summary.newest}", _labels(summary.labels), summary.published_at]
            for summary in self.backend.prompts()
        ]
        return pd.DataFrame(rows, columns=["name", "newest", "labels", "published_at"])

    def labels(self, name: str) -> Labels:
        """Return where the prompt's labels stand."""
        return Labels(self.backend.labels(name))

    def label(self, name: str, label: str) -> LabelPointer:
        """Return where one label of the prompt stands; `.version` is its version, such as `v3`.

        Raises:
            NotFoundError: There is no such prompt, or it does not carry the label.
        """
        check_label(label)
        for pointer in self.backend.labels(name):
            if pointer.label == label:
                return pointer
        raise no_label(name, label)

    def move(self, name: str, *, label: str, to: str | Version, reason: str, expected: Expected = UNSET) -> Entry:
        """Move a label.

        Args:
            name: The prompt.
            label: The label; a new one is made.
            to: The published version: `v3`, another label, a digest, or the version itself.
            reason: Why; it stands in the change log.
            expected: What the label must hold now, such as `v2`, or None for a new label; left out, it moves from
                wherever it stands.

        Returns:
            The entry of the change log.

        Raises:
            ConflictError: The label holds something else; `current` tells who moved it, when and why.
            GateError: The gate refused; `decision` holds the reasons.
            NotFoundError: There is no such version.
        """
        entry = self.backend.move(name, label=label, to=_reference(to), reason=reason, expected=expected)
        self.changes.tell("registry", name=name)
        return entry

    def moves(self, moves: Sequence[Move], *, reason: str) -> Entry:
        """Move several labels at once: all of them, or none.

        Raises:
            ConflictError: One of the labels holds something else than expected.
            GateError: The gate refused one of them.
        """
        entry = self.backend.moves(moves, reason=reason)
        self.changes.tell("registry", name=None)
        return entry

    def rollback(
        self, name: str, *, label: str, reason: str, expected: Expected = UNSET, to: str | Version | None = None
    ) -> Entry:
        """Move a label back: to the version that it held before, or to `to`.

        Args:
            name: The prompt.
            label: The label.
            reason: Why; it stands in the change log.
            expected: What the label must hold now; give it, and a second click cannot roll back the rollback.
            to: A named version instead of the one before.

        Returns:
            The entry of the change log.

        Raises:
            ConflictError: The label holds something else.
            NotFoundError: There is nothing to go back to.
        """
        target = None if to is None else _reference(to)
        entry = self.backend.rollback(name, label=label, reason=reason, expected=expected, to=target)
        self.changes.tell("registry", name=name)
        return entry

    def gate(self, name: str, *, label: str, to: str | Version, reason: str = "") -> GateDecision:
        """Say what the gate would decide, without moving anything.

        Args:
            name: The prompt.
            label: The label that would be moved.
            to: The version that it would point to: `v3`, a label, a digest, or a version.
            reason: The reason that would be given; a policy may demand one.

        Raises:
            NotFoundError: There is no such prompt or version, or it may not be seen.
        """
        return self.backend.gate_check(name, label, _reference(to), reason=reason)

    def submit_evidence(self, evidence: Evidence | Any) -> str:
        """Submit what an evaluation of a change found, for the gate; the same again makes nothing new.

        Args:
            evidence: The record, or what carries one as `.evidence`, such as the result of an evaluated change.

        Returns:
            Its digest.

        Raises:
            EvidenceError: It is none, or contradicts itself.
            NotFoundError: What it is about is not published here: publish the version first.
        """
        record = evidence if isinstance(evidence, Evidence) else getattr(evidence, "evidence", None)
        if not isinstance(record, Evidence):
            raise EvidenceError(
                f"{type(evidence).__name__} is no evidence and carries none: submit the result of ws.evaluate_change(…)"
            )
        digest = self.backend.submit_evidence(record)
        self.changes.tell("registry", name=record.name)
        return digest

    def evidence(self, name: str, *, label: str | None = None, candidate: str | None = None) -> list[EvidenceInfo]:
        """Return what evidence there is on a prompt, newest first; `backend.evidence_by_digest` has what is in it.

        Args:
            name: The prompt.
            label: Only what is meant for this label.
            candidate: Only what is about this version: `v3`, a label or a digest.

        Raises:
            NotFoundError: There is no such prompt or version, or it may not be seen.
        """
        return self.backend.evidence(name, label=label, candidate=candidate)

    def publish_suite(self, suite: Suite) -> PublishedSuite:
        """Publish a suite with its dataset, so that others can run it.

        Raises:
            SuiteError: Others could not run it; the message says why.
        """
        return publishing.publish_suite(suite, self.backend)

    def suites(self) -> pandas.DataFrame:
        """Return the newest of every suite: name, version, digest, dataset, scorers, primary, added_at, added_by."""
        import pandas as pd

        columns = ["name", "version", "digest", "dataset", "scorers", "primary", "added_at", "added_by"]
        rows = [
            [
                suite.name,
                suite.version,
                suite.digest,
                suite.spec["dataset"]["name"],
                ", ".join(str(scorer.get("name", scorer["type"])) for scorer in suite.spec["scorers"]),
                suite.spec["primary"],
                suite.added_at,
                suite.added_by,
            ]
            for suite in self.backend.suites()
        ]
        return pd.DataFrame(rows, columns=columns)

    def policy(self, name: str, label: str) -> Policy:
        """Return what a prompt's label demands; `solo` where nothing was set."""
        return self.backend.policy(name, label)

    def policies(self) -> pandas.DataFrame:
        """Return every policy that was set: label, names, policy, seq."""
        import pandas as pd

        rows = [[rule.label, rule.names, rule.policy, rule.seq] for rule in self.backend.policies()]
        return pd.DataFrame(rows, columns=["label", "names", "policy", "seq"])

    def set_policy(
        self, label: str, policy: Policy | str | Mapping[str, Any], *, names: str = "**", reason: str
    ) -> Entry:
        """Let a label demand something from now on. Admins only.

        Args:
            label: The label.
            policy: `solo`, `team`, a `Policy`, or one as a mapping.
            names: Pattern of the prompts of which it is demanded; the most specific pattern that fits a name counts.
            reason: Why; it stands in the change log.

        Returns:
            The entry of the change log.

        Raises:
            PolicyError: There is no such preset, or the policy is malformed.
            PermissionDeniedError: The token is no admin's.
        """
        entry = self.backend.set_policy(label, policy_of(policy), names=names, reason=reason)
        self.changes.tell("registry", name=None)
        return entry

    def log(self, name: str | None = None, *, limit: int = 100) -> Log:
        """Return the newest entries of the change log, newest first."""
        return Log(self.backend.log(name, limit=limit))

    def history(self, name: str | None = None, *, limit: int = 100) -> pandas.DataFrame:
        """Return the change log as a table: seq, at, actor, what, reason."""
        from pressmark.api.frames import told

        rows = [
            [entry.seq, entry.at, entry.actor, entry_sentence(entry), entry.reason]
            for entry in self.log(name, limit=limit)
        ]
        return told(rows, ["seq", "at", "actor", "what", "reason"])

    def view(self, name: str | None = None) -> Workbench:
        """Return the Publish panel alone, as a widget: what is published, where labels stand, and the gate.

        Without a workspace, what is published already can be moved, and labels rolled back.

        Args:
            name: The prompt to open; else the first.
        """
        from pressmark.api.session import Session
        from pressmark.widgets import Workbench

        return Workbench(Session(registry=self), name, panels=("publish",))

    def verify(self) -> Verification:
        """Check the change log from its first entry.

        Raises:
            LogTamperedError: Naming the first entry that was altered, removed or reordered.
        """
        return self.backend.verify()

    def position(self) -> Position:
        """Return where the registry stands in its history."""
        return self.backend.position()

    def client(self, **settings: Any) -> Client:
        """Return a client of this registry, with its address and token, as a service would have one.

        Args:
            **settings: What `pm.Client` takes besides: labels, names, snapshot_dir, …

        Raises:
            RegistryError: The registry is embedded: services read from a server.
        """
        from pressmark.client import Client

        if not self.url.startswith(("http://", "https://")):
            raise RegistryError(
                f"{self.backend.where} is an embedded registry, which no client can follow: serve it with"
                " `pressmark serve`, and give its URL",
                code="embedded",
            )
        return Client(self.url, self._token, **settings)

    def create_token(
        self,
        principal: str,
        role: str,
        *,
        labels: Sequence[str] = (),
        names: Sequence[str] = (),
        expires: datetime | None = None,
    ) -> NewToken:
        """Make a token; its secret is in the result and nowhere else.

        Args:
            principal: Whose it is.
            role: `reader`, `editor`, `evaluator`, `approver` or `admin`.
            labels: Patterns of the labels that it sees and moves; none for all.
            names: Patterns of the prompts that it sees; none for all.
            expires: When it ends; None for a token that does not.

        Raises:
            PermissionDeniedError: Only an admin may.
            RegistryError: The role, a label or a pattern is none.
        """
        return self.backend.create_token(principal, role, labels=labels, names=names, expires=expires)  # type: ignore[arg-type]

    def tokens(self) -> list[TokenInfo]:
        """Return every token, without secrets."""
        return self.backend.tokens()

    def revoke_token(self, token_id: str) -> TokenInfo:
        """Revoke a token at once."""
        return self.backend.revoke_token(token_id)


class Log(Faced, list[Entry]):
    """Entries of the change log, to look at."""

    def _face(self) -> Face:
        rows = [
            (str(entry.seq), f"{entry.at:%Y-%m-%d %H:%M}", entry.actor, entry_sentence(entry), entry.reason)
            for entry in self
        ]
        count = "1 entry" if len(self) == 1 else f"{len(self):,} entries"
        return Face(count, tables=[Table(("entry", "at (UTC)", "who", "what", "why"), rows, right=(0,))])


class Labels(Faced, list[LabelPointer]):
    """Where the labels of a prompt stand, to look at."""

    def _face(self) -> Face:
        rows = [
            (each.label, each.version, f"{each.moved_at:%Y-%m-%d %H:%M}", each.moved_by, each.reason) for each in self
        ]
        count = "1 label" if len(self) == 1 else f"{len(self):,} labels"
        return Face(count, tables=[Table(("label", "holds", "moved at (UTC)", "by", "why"), rows)])


def _reference(version: str | Version) -> str:
    """A version of another store is meant by its digest; a number would name something else here."""
    if isinstance(version, Version):
        return version.version if version.store == "registry" else version.digest
    return version


def _labels(labels: dict[str, Any]) -> str:
    return ", ".join(f"{label} v{number}" for label, number in sorted(labels.items()))
