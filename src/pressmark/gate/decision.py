"""The decision: every condition, asked once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pressmark.gate import basics, callers, record, trials
from pressmark.gate.values import Downstream, GateDecision, MoveRequest, Principal, Reason, Setting
from pressmark.prompts import FrozenDict, LabelPointer, Unit
from pressmark.prompts.entry import timestamp
from pressmark.prompts.evidence import Evidence
from pressmark.prompts.policy import Policy


def decide(
    policy: Policy,
    request: MoveRequest,
    *,
    evidence: Sequence[Evidence] = (),
    approvals: Sequence[Mapping[str, Any]] = (),
    pointers: Sequence[LabelPointer] = (),
    current: Unit | None = None,
    graph: Downstream | None = None,
    principal: Principal,
    now: datetime,
    sees: Callable[[str], bool] = lambda name: True,
    digest_of: Callable[[Evidence], str] | None = None,
) -> GateDecision:
    """Decide on a label move.

    Args:
        policy: What the label demands.
        request: The move.
        evidence: Evidence on the change, newest first; what is on another change is passed over.
        approvals: Approvals of the move.
        pointers: Where labels stand: the prompt's own, and all that the evidence's locks name.
        current: The unit that the label holds now; None where the label is new.
        graph: The dependency graph of what is published.
        principal: Who asks.
        now: The time, in UTC.
        sees: Whether who asks may see a prompt, or a label of one (`prompt@label`); all are looked at, and only these
            are named.
        digest_of: Tells the digest of evidence where it is known already; of many rows it takes seconds to make.

    Returns:
        The decision with every condition, met or not.
    """
    held = {f"{pointer.name}@{pointer.label}": pointer.digest for pointer in pointers}
    setting = Setting(policy, request, held, graph, sees)
    found, about = record.chosen(setting, evidence)
    reasons = [
        *basics.reason_given(policy, request),
        *basics.movable(request),
        *basics.role(principal),
        *basics.already_there(request, pointers),
        *callers.callers(policy, request, current),
        *callers.interface(request, current),
        *_returning(setting),
        *about,
        *(trials.downstream_unknown(setting) if found is None else trials.conditions(setting, found)),
    ]
    reasons.sort(key=lambda reason: (reason.met, not reason.blocking))
    allowed = all(reason.met or not reason.blocking for reason in reasons)
    return GateDecision(allowed, tuple(reasons), FrozenDict(_told(found, digest_of)))


def _returning(setting: Setting) -> list[Reason]:
    if not (setting.policy.require_evidence and setting.returning):
        return []
    return [
        Reason(
            "rollback",
            True,
            False,
            f"{setting.request.label} goes back to what it held before, which needs no evidence",
        )
    ]


def _told(found: Evidence | None, digest_of: Callable[[Evidence], str] | None) -> dict[str, Any]:
    if found is None:
        return {}
    from pressmark.prompts.canonical import evidence_digest

    return {
        "digest": (digest_of or evidence_digest)(found),
        "made_at": timestamp(found.made_at),
        "made_by": found.made_by,
        "baseline": found.baseline,
        "candidate": found.candidate,
    }
