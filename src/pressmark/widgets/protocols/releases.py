"""The registry: what the panel Publish shows, and the part of a session that knows it."""

from __future__ import annotations

from typing import Literal, NotRequired, Protocol, TypedDict

from pressmark.widgets.protocols.drafts import VersionView
from pressmark.widgets.protocols.impacts import ActView
from pressmark.widgets.protocols.verdicts import Verdict


class RegistryView(TypedDict):
    """Whether there is a registry, and as whom it is used.

    Attributes:
        state: "none" where none was given, "down" where it does not answer, "refused" where it does not know the token.
        where: Its URL, without user or password; empty for "none".
        principal: Who the token belongs to, or None.
        role: Its role, or None.
        message: For all but "connected": what happened, why, what to do next; else empty.
    """

    state: Literal["connected", "none", "down", "refused"]
    where: str
    principal: str | None
    role: str | None
    message: str


class LabelView(TypedDict):
    """Where a label of the prompt stands.

    Attributes:
        label: Its name.
        version: What it holds, such as "v6".
        digest: Of that version.
        seq: Sequence number of the move that put it there.
        moved_at: When.
        moved_by: By whom.
        reason: Why.
        previous: What a rollback would return to, or None.
    """

    label: str
    version: str
    digest: str
    seq: int
    moved_at: str
    moved_by: str
    reason: str
    previous: str | None


class EntryView(TypedDict):
    """One entry of the change log.

    Attributes:
        seq: Its number.
        kind: publish, move, rollback, policy, ...
        at: When.
        actor: Who.
        reason: Why; a publication's change message where it has no reason.
        sentence: What happened, such as "moved production from v5 to v6".
        label: The label moved, or None.
        before: The version it held, or None.
        after: The version it holds or that was published, or None.
    """

    seq: int
    kind: str
    at: str
    actor: str
    reason: str
    sentence: str
    label: str | None
    before: str | None
    after: str | None


class RegistryPromptView(TypedDict):
    """What the registry holds of one prompt; all lists empty where it does not know the name.

    Attributes:
        name: The prompt's name.
        versions: Published ones, the newest first.
        labels: Where its labels stand.
        log: Its newest entries (up to 50), the newest first.
    """

    name: str
    versions: list[VersionView]
    labels: list[LabelView]
    log: list[EntryView]


class ReasonView(TypedDict):
    """One line of the gate's checklist.

    Attributes:
        code: A stable word for it.
        sentence: What was looked at and found.
        next_step: What to do; empty where it is met.
        blocking: Whether it stops the move while it is not met.
        met: Whether it is.
        verdict: Present only where the line tells of evidence: the verdict of that comparison, None where there is no
            comparison.
        act: Present only where the workbench can do something about it.
    """

    code: str
    sentence: str
    next_step: str
    blocking: bool
    met: bool
    verdict: NotRequired[Verdict | None]
    act: NotRequired[ActView]


class GateView(TypedDict):
    """What the gate says to one move.

    Attributes:
        name: The prompt.
        label: The label to be moved.
        to: The version asked for, "#3" or "v7".
        target: The published version with that digest, or None where the move would publish it first.
        current: What the label holds now, or None where the label is new.
        allowed: Whether it would go through now.
        reasons: The checklist.
    """

    name: str
    label: str
    to: str
    target: str | None
    current: str | None
    allowed: bool
    reasons: list[ReasonView]


class PublishedView(TypedDict):
    """The outcome of publishing.

    Attributes:
        version: The registry's name for it, such as "v7".
        created: False where the newest version was equal, so that nothing new was made.
        restores: The older version that it equals, or None.
    """

    version: str
    created: bool
    restores: str | None


class MovedView(TypedDict):
    """The outcome of a move or a rollback.

    Attributes:
        label: The label moved.
        before: What it held, or None.
        after: What it holds now.
        published: The version that was published on the way, or None.
        seq: Sequence number of the move.
    """

    label: str
    before: str | None
    after: str
    published: str | None
    seq: int


class ReleasingSession(Protocol):
    """The part of a session that publishes and moves labels. Its methods are called on a thread of their own."""

    def registry(self) -> RegistryView:
        """Whether a registry is there. Never raises; returns within a few seconds where it does not answer."""

    def registry_prompt(self, name: str) -> RegistryPromptView:
        """The registry's versions, labels and newest log entries of a prompt.

        Raises:
            RegistryError: It could not be asked.
        """

    def gate(self, name: str, label: str, to: str) -> GateView:
        """What the gate would say to moving `label` to `to` ("v7", or "#3", which would be published first).

        Raises:
            RegistryError: It could not be asked.
        """

    def publish(self, name: str, version: str, reason: str) -> PublishedView:
        """Publishes a workspace version and moves no label.

        Raises:
            RegistryError: It was not published; nothing changed.
        """

    def move(self, name: str, label: str, to: str, reason: str, expected: str | None) -> MovedView:
        """Moves a label; a workspace version ("#3") is published first.

        Args:
            name: The prompt.
            label: The label.
            to: "v7" or "#3".
            reason: Why; not empty.
            expected: What the page showed the label to hold, None for a new label.

        Raises:
            ConflictError: The label has moved meanwhile.
            GateError: The gate refused; `decision` says why.
            RegistryError: Anything else. Where a version was published and only the move failed, the sentence says so.
        """

    def older_entries(self, name: str, before: int) -> list[EntryView]:
        """The entries of the prompt's log before one (up to 50), the newest first.

        Raises:
            RegistryError: It could not be asked.
        """

    def rollback(self, name: str, label: str, reason: str, expected: str, to: str | None = None) -> MovedView:
        """Moves a label back to what it held before, or to `to`, as a new entry in the log.

        Raises:
            ConflictError: The label has moved meanwhile.
            RegistryError: Anything else.
        """
