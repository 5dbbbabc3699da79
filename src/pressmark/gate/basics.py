"""Conditions of every move: a reason, a label that moves, a role that may, somewhere to go."""

from __future__ import annotations

from collections.abc import Sequence

from pressmark.gate.values import MoveRequest, Principal, Reason
from pressmark.prompts import LATEST, LabelPointer
from pressmark.prompts.policy import Policy


def reason_given(policy: Policy, request: MoveRequest) -> list[Reason]:
    """Whether the move says why, where the policy asks for it."""
    if not policy.require_reason:
        return []
    if request.reason.strip():
        return [Reason("reason", True, True, "A reason is given")]
    return [
        Reason("reason", False, True, "The move has no reason", "say why, so that the change log can tell it later")
    ]


def movable(request: MoveRequest) -> list[Reason]:
    """Whether the label is one that people move."""
    if request.label != LATEST:
        return []
    return [
        Reason(
            "reserved_label",
            False,
            True,
            "'latest' always points to the newest published version",
            "move another label, such as 'staging'",
        )
    ]


def role(principal: Principal) -> list[Reason]:
    """Whether the role may move labels."""
    if principal.role in ("editor", "approver", "admin"):
        return []
    return [
        Reason(
            "role",
            False,
            True,
            f"{principal.name} has the role {principal.role}, which may not move labels",
            "ask an editor, or use a token with the role editor",
        )
    ]


def already_there(request: MoveRequest, pointers: Sequence[LabelPointer]) -> list[Reason]:
    """Whether there is anything to move."""
    here = (request.target.name, request.label, request.target.number)
    if all((pointer.name, pointer.label, pointer.number) != here for pointer in pointers):
        return []
    return [
        Reason(
            "already_there",
            False,
            True,
            f"{request.label} already points to {request.target.version}",
            "there is nothing to move: choose another version",
        )
    ]
