"""What a registry is asked and what it answers: frozen values that the store and the HTTP remote share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Final, Literal

from pressmark.face import Faced
from pressmark.face.forms import Face
from pressmark.gate import GateDecision, Reason
from pressmark.prompts import FrozenDict, Position, freeze, matches, thaw
from pressmark.prompts.entry import timestamp
from pressmark.prompts.policy import Policy
from pressmark.prompts.quoting import shown
from pressmark.rendering import PromptVersion
from pressmark.wire import position_from_dict, position_to_dict, read_time

Role = Literal["reader", "editor", "evaluator", "approver", "admin"]
ROLES: Final[tuple[Role, ...]] = ("reader", "editor", "evaluator", "approver", "admin")
EVERYTHING: Final = ("**",)


class Unset(Enum):
    """The type of `UNSET`: a move that says nothing about what it expects."""

    UNSET = "UNSET"


UNSET: Final = Unset.UNSET
Expected = str | int | None | Literal[Unset.UNSET]


@dataclass(frozen=True, slots=True)
class Move:
    """One label of one prompt that should point elsewhere.

    Attributes:
        name: The prompt's name.
        label: The label to move.
        to: The version it should point to: `v3`, a label or a digest.
        expected: What the mover believes the label holds: `v2`, None for "does not exist yet", or the sequence number
            of its last move. `UNSET` moves it wherever it stands.
    """

    name: str
    label: str
    to: str
    expected: Expected = UNSET


@dataclass(frozen=True, slots=True)
class Published(PromptVersion):
    """A version as the registry holds it, and whether publishing made it.

    Attributes:
        created: False where the newest version was equal, so that nothing new was made.
    """

    created: bool = True

    @property
    def restored(self) -> str | None:
        """The older version that this one equals, such as `v1`, or None."""
        return None if self.restores is None else f"v{self.restores}"

    def __repr__(self) -> str:
        return f"<Published {self} {self.digest[:15]} {shown(self.message)}>"


@dataclass(frozen=True, slots=True)
class PromptSummary:
    """A prompt in the registry's list.

    Attributes:
        name: Its name.
        newest: Number of the newest version that may be seen.
        digest: Digest of that version.
        published_at: When that one was published.
        labels: Where its labels stand: label to version number, `latest` among them.
    """

    name: str
    newest: int
    digest: str
    published_at: datetime
    labels: FrozenDict

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "name": self.name,
            "newest": self.newest,
            "digest": self.digest,
            "published_at": timestamp(self.published_at),
            "labels": dict(self.labels),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> PromptSummary:
        """Read the JSON form."""
        return cls(
            told["name"], told["newest"], told["digest"], read_time(told["published_at"]), FrozenDict(told["labels"])
        )


@dataclass(frozen=True, slots=True)
class Verification(Faced):
    """A change log that was read from its first entry and agrees with everything it leads to.

    Attributes:
        count: Number of entries.
        head: Hash of the last one.
        position: Where the registry stands.
    """

    count: int
    head: str
    position: Position

    def __repr__(self) -> str:
        entries = "1 entry" if self.count == 1 else f"{self.count:,} entries"
        return f"<Verification {entries} in place, head {self.head[:15]}>"

    def _face(self) -> Face:
        entries = "1 entry" if self.count == 1 else f"{self.count:,} entries"
        return Face(f"The change log is whole: {entries} in place", [f"head {self.head}"])

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"count": self.count, "head": self.head, "position": position_to_dict(self.position)}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Verification:
        """Read the JSON form."""
        return cls(told["count"], told["head"], position_from_dict(told["position"]))


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and what they may see and do.

    Attributes:
        name: Who.
        role: What they may do.
        labels: Patterns of the labels that they may see and move.
        names: Patterns of the prompts that they may see.
        token: Id of the token that they came with; None at an embedded registry.
    """

    name: str
    role: Role
    labels: tuple[str, ...] = EVERYTHING
    names: tuple[str, ...] = EVERYTHING
    token: str | None = None

    def sees_name(self, name: str) -> bool:
        """Say whether the prompt is in scope."""
        return self.names == EVERYTHING or any(matches(pattern, name) for pattern in self.names)

    def sees_label(self, label: str) -> bool:
        """Say whether the label is in scope."""
        return self.labels == EVERYTHING or any(matches(pattern, label) for pattern in self.labels)

    @property
    def wide(self) -> bool:
        """Whether nothing is out of scope."""
        return self.labels == EVERYTHING == self.names

    @property
    def narrow(self) -> bool:
        """Whether they see only versions that a label in scope points to, or did.

        That is a reader with chosen labels, such as a production service. Who works on versions sees all of them.
        """
        return self.role == "reader" and not {"*", "**"} & set(self.labels)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "name": self.name,
            "role": self.role,
            "labels": list(self.labels),
            "names": list(self.names),
            "token": self.token,
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Principal:
        """Read the JSON form."""
        return cls(told["name"], told["role"], tuple(told["labels"]), tuple(told["names"]), told["token"])


@dataclass(frozen=True, slots=True)
class TokenInfo(Faced):
    """A token as the registry remembers it: everything but its secret.

    Attributes:
        id: Names it, for revocation.
        principal: Who comes with it, and what they may see and do.
        created_at: When it was made.
        created_by: By whom.
        expires_at: When it stops to work, or None.
        revoked_at: When it was revoked, or None.
    """

    id: str
    principal: Principal
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def _face(self) -> Face:
        until = f"until {self.expires_at:%Y-%m-%d %H:%M} UTC" if self.expires_at else "without an end"
        revoked = [f"revoked {self.revoked_at:%Y-%m-%d %H:%M} UTC"] if self.revoked_at else []
        who = self.principal
        scope = f"labels {', '.join(who.labels)}; names {', '.join(who.names)}"
        made = f"made {self.created_at:%Y-%m-%d %H:%M} UTC by {self.created_by}, {until}"
        return Face(f"Token {self.id} of {who.name}, {who.role}", [scope, made, *revoked])

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "id": self.id,
            "principal": self.principal.to_dict(),
            "created_at": timestamp(self.created_at),
            "created_by": self.created_by,
            "expires_at": None if self.expires_at is None else timestamp(self.expires_at),
            "revoked_at": None if self.revoked_at is None else timestamp(self.revoked_at),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> TokenInfo:
        """Read the JSON form."""
        return cls(
            told["id"],
            Principal.from_dict(told["principal"]),
            read_time(told["created_at"]),
            told["created_by"],
            None if told["expires_at"] is None else read_time(told["expires_at"]),
            None if told["revoked_at"] is None else read_time(told["revoked_at"]),
        )


@dataclass(frozen=True, slots=True)
class NewToken(Faced):
    """A token at the one moment when its secret can be seen.

    Attributes:
        secret: What the bearer sends; the registry keeps only its hash.
        info: What the registry remembers.
    """

    secret: str = field(repr=False)
    info: TokenInfo

    def _face(self) -> Face:
        return Face(
            f"New token {self.info.id} of {self.info.principal.name}, {self.info.principal.role}",
            ["its secret is in .secret, and nowhere else: it is not shown here, since a notebook keeps what it shows"],
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """A write that was refused, as the audit log keeps it.

    Attributes:
        at: When.
        actor: Who tried.
        verb: What they tried, such as `move`.
        code: Why not, in a word.
        message: Why not, in words.
        data: What was asked for.
    """

    at: datetime
    actor: str
    verb: str
    code: str
    message: str
    data: FrozenDict

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "at": timestamp(self.at),
            "actor": self.actor,
            "verb": self.verb,
            "code": self.code,
            "message": self.message,
            "data": dict(self.data),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Refusal:
        """Read the JSON form."""
        return cls(
            read_time(told["at"]), told["actor"], told["verb"], told["code"], told["message"], FrozenDict(told["data"])
        )


@dataclass(frozen=True, slots=True)
class EvidenceInfo(Faced):
    """Evidence as a list tells it: what it is about, not what is in it.

    Attributes:
        digest: Names it.
        name: The prompt that changes.
        label: The label that the change is meant for.
        candidate: Digest of the version that it should point to.
        baseline: Digest of what it was held against; None for a new label.
        added_at: When the registry took it.
        added_by: Who submitted it.
    """

    digest: str
    name: str
    label: str
    candidate: str
    baseline: str | None
    added_at: datetime
    added_by: str

    def _face(self) -> Face:
        against = (self.baseline or "nothing")[:15]
        added = f"{self.candidate[:15]} against {against}, added {self.added_at:%Y-%m-%d %H:%M} UTC by {self.added_by}"
        return Face(f"Evidence on {self.name} for {self.label}", [added, self.digest])

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "digest": self.digest,
            "name": self.name,
            "label": self.label,
            "candidate": self.candidate,
            "baseline": self.baseline,
            "added_at": timestamp(self.added_at),
            "added_by": self.added_by,
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> EvidenceInfo:
        """Read the JSON form."""
        return cls(
            told["digest"],
            told["name"],
            told["label"],
            told["candidate"],
            told["baseline"],
            read_time(told["added_at"]),
            told["added_by"],
        )


@dataclass(frozen=True, slots=True)
class PublishedSuite(Faced):
    """A suite as the registry holds it.

    Attributes:
        name: Its name.
        number: Its number here, from 1.
        digest: `sha256:` over dataset, scorers, primary and slice, as `pressmark.evals.Suite.digest`.
        spec: Its description.
        added_at: When it was published.
        added_by: By whom.
        created: False where the newest one was equal, so that nothing new was made.
    """

    name: str
    number: int
    digest: str
    spec: FrozenDict
    added_at: datetime
    added_by: str
    created: bool = True

    def _face(self) -> Face:
        added = f"added {self.added_at:%Y-%m-%d %H:%M} UTC by {self.added_by}"
        return Face(f"Suite {self.name} v{self.number}", [added])

    @property
    def version(self) -> str:
        """How the registry writes its number, such as `v2`."""
        return f"v{self.number}"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "name": self.name,
            "number": self.number,
            "digest": self.digest,
            "spec": thaw(self.spec),
            "added_at": timestamp(self.added_at),
            "added_by": self.added_by,
            "created": self.created,
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> PublishedSuite:
        """Read the JSON form."""
        return cls(
            told["name"],
            told["number"],
            told["digest"],
            freeze(told["spec"]),
            read_time(told["added_at"]),
            told["added_by"],
            told["created"],
        )


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """What a label demands of some prompts.

    Attributes:
        label: The label.
        names: Pattern of the prompts' names.
        policy: What it demands.
        seq: The entry of the change log that set it.
    """

    label: str
    names: str
    policy: Policy
    seq: int

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"label": self.label, "names": self.names, "policy": self.policy.to_dict(), "seq": self.seq}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> PolicyRule:
        """Read the JSON form."""
        return cls(told["label"], told["names"], Policy.from_dict(told["policy"]), told["seq"])


@dataclass(frozen=True, slots=True)
class Event:
    """What a watcher is told.

    Attributes:
        kind: `move` (pointers changed), `head` (nothing did; the position it is up to) or `resync` (too far behind:
            ask for a sync).
        seq: The sequence number that the watcher stands at after it.
        data: The event's JSON.
    """

    kind: Literal["move", "head", "resync"]
    seq: int
    data: Mapping[str, Any]


def patterns(given: Sequence[str] | None) -> tuple[str, ...]:
    """Return the patterns of a scope in one form: sorted, without repeats; none given means everything."""
    return tuple(sorted(set(given))) if given else EVERYTHING


def decision_to_dict(decision: GateDecision) -> dict[str, Any]:
    """Return the gate's decision in JSON form."""
    return {
        "allowed": decision.allowed,
        "reasons": [reason.to_dict() for reason in decision.reasons],
        "evidence": thaw(decision.evidence),
    }


def decision_from_dict(told: Mapping[str, Any]) -> GateDecision:
    """Read the gate's decision."""
    reasons = tuple(
        Reason(reason["code"], reason["met"], reason["blocking"], reason["sentence"], reason["next_step"])
        for reason in told["reasons"]
    )
    return GateDecision(told["allowed"], reasons, freeze(told["evidence"]))
