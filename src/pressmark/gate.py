"""The gate: may this label move there? A pure function over what is known.

The registry calls `decide` inside the move's transaction; the workbench calls it to show what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from pressmark.prompts import LATEST, FrozenDict, LabelPointer, Unit, Version


@dataclass(frozen=True, slots=True)
class Policy:
    """What a label demands.

    Attributes:
        name: How people call it.
        require_reason: A move without a reason is refused.
        keep_callers: A version that today's callers cannot fill is refused.
    """

    name: str = "solo"
    require_reason: bool = True
    keep_callers: bool = True


SOLO = Policy()


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks.

    Attributes:
        name: As it stands in the change log.
        role: `reader`, `editor`, `evaluator`, `approver` or `admin`.
    """

    name: str
    role: str = "admin"


@dataclass(frozen=True, slots=True)
class MoveRequest:
    """A label move that somebody wants.

    Attributes:
        label: The label to move.
        target: The version that it should point to.
        reason: Why.
        kind: `move` or `rollback`.
    """

    label: str
    target: Version
    reason: str
    kind: str = "move"


@dataclass(frozen=True, slots=True)
class Reason:
    """One condition of the gate and how it stands.

    Attributes:
        code: Short machine name.
        met: Whether it is fulfilled.
        blocking: Whether the move is refused while it is not.
        sentence: What it says, for a person.
        next_step: What to do about it; empty when it is met.
    """

    code: str
    met: bool
    blocking: bool
    sentence: str
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class GateDecision:
    """What the gate says.

    Attributes:
        allowed: Whether the move may be done now.
        reasons: Every condition, those that block first.
        evidence: The evidence that was looked at, as JSON.
    """

    allowed: bool
    reasons: tuple[Reason, ...]
    evidence: FrozenDict = field(default_factory=FrozenDict)

    @property
    def unmet(self) -> tuple[Reason, ...]:
        """The conditions that block."""
        return tuple(reason for reason in self.reasons if reason.blocking and not reason.met)

    def __str__(self) -> str:
        if self.allowed:
            return "the move is allowed"
        return "; ".join(f"{reason.sentence}: {reason.next_step}" for reason in self.unmet)


class Downstream(Protocol):
    """What the gate asks of the dependency graph."""

    def downstream(self, name: str) -> tuple[str, ...]:
        """Every prompt that depends on `name`."""


def decide(
    policy: Policy,
    request: MoveRequest,
    *,
    evidence: Sequence[Mapping[str, Any]] = (),
    approvals: Sequence[Mapping[str, Any]] = (),
    pointers: Sequence[LabelPointer] = (),
    current: Unit | None = None,
    graph: Downstream | None = None,
    principal: Principal,
    now: datetime,
) -> GateDecision:
    """Decide on a label move.

    Args:
        policy: What the label demands.
        request: The move.
        evidence: Evidence records for the target, newest first.
        approvals: Approvals of the move.
        pointers: Where the prompt's labels stand.
        current: The unit that the label holds now; None where the label is new.
        graph: The dependency graph of what is published.
        principal: Who asks.
        now: The time, in UTC.

    Returns:
        The decision with every condition, met or not.
    """
    reasons = [
        _reason_given(policy, request),
        _movable(request),
        _role(principal),
        _already_there(request, pointers),
        _callers(policy, request, current),
        *_interface(request, current),
        *_downstream(request, graph),
        evaluated(request, evidence),
    ]
    told = [reason for reason in reasons if reason is not None]
    told.sort(key=lambda reason: (reason.met, not reason.blocking))
    allowed = all(reason.met or not reason.blocking for reason in told)
    looked_at = FrozenDict(evidence[0]) if evidence else FrozenDict()
    return GateDecision(allowed, tuple(told), looked_at)


def _reason_given(policy: Policy, request: MoveRequest) -> Reason | None:
    if not policy.require_reason:
        return None
    met = bool(request.reason.strip())
    if met:
        return Reason("reason", True, True, "A reason is given")
    return Reason("reason", False, True, "The move has no reason", "say why, so that the change log can tell it later")


def _movable(request: MoveRequest) -> Reason | None:
    if request.label != LATEST:
        return None
    return Reason(
        "reserved_label",
        False,
        True,
        "'latest' always points to the newest published version",
        "move another label, such as 'staging'",
    )


def _role(principal: Principal) -> Reason | None:
    if principal.role in ("editor", "approver", "admin"):
        return None
    return Reason(
        "role",
        False,
        True,
        f"{principal.name} has the role {principal.role}, which may not move labels",
        "ask an editor, or use a token with the role editor",
    )


def _already_there(request: MoveRequest, pointers: Sequence[LabelPointer]) -> Reason | None:
    for pointer in pointers:
        if pointer.label == request.label and pointer.version == request.target.number:
            return Reason(
                "already_there",
                False,
                True,
                f"{request.label} already points to {request.target.version}",
                "there is nothing to move",
            )
    return None


def _callers(policy: Policy, request: MoveRequest, current: Unit | None) -> Reason | None:
    if current is None or not policy.keep_callers:
        return None
    # A rollback must work at once, even when it asks for a variable that newer callers no longer pass.
    blocking = request.kind != "rollback"
    new = [name for name in request.target.unit.required if name not in current.variables]
    dropped = [name for name in current.required if name not in request.target.unit.variables]
    if new:
        names = ", ".join(map(repr, new))
        return Reason(
            "callers_cannot_fill",
            False,
            blocking,
            f"{request.target.version} needs {names}, which callers of {request.label} do not pass today",
            "give the new variable a default, or move the callers first",
        )
    if dropped:
        names = ", ".join(map(repr, dropped))
        return Reason(
            "callers_pass_unknown",
            False,
            blocking,
            f"callers of {request.label} pass {names}, which {request.target.version} does not declare",
            "keep the variable in the template, or move the callers first",
        )
    return Reason("callers", True, blocking, "Today's callers can fill every variable")


def _interface(request: MoveRequest, current: Unit | None) -> list[Reason]:
    if current is None:
        return []
    target, told = request.target.unit, []
    for code, what, changed in (
        ("model_changed", "The model changes", target.model != current.model),
        ("tools_changed", "The tools change", target.tools != current.tools),
        ("format_changed", "The response format changes", target.response_format != current.response_format),
    ):
        if changed:
            told.append(Reason(code, False, False, what, "make sure that whoever reads the answers is ready for it"))
    return told


def _downstream(request: MoveRequest, graph: Downstream | None) -> list[Reason]:
    names = graph.downstream(request.target.name) if graph else ()
    if not names:
        return []
    return [
        Reason(
            "downstream",
            False,
            False,
            f"{len(names)} {'prompt takes' if len(names) == 1 else 'prompts take'} its output: {', '.join(names)}",
            "run their suites too",
        )
    ]


def evaluated(request: MoveRequest, evidence: Sequence[Mapping[str, Any]]) -> Reason:
    """Say what is known of the target's evaluation; the workbench asks this with its own runs."""
    for record in evidence:
        sentence = str(record.get("sentence") or "It was evaluated")
        if record.get("candidate") == request.target.digest:
            worse = record.get("verdict") == "worse"
            step = "look at the rows that flipped before you move it" if worse else ""
            return Reason("evaluated", not worse, False, sentence, step)
    return Reason(
        "evaluated",
        False,
        False,
        f"No comparison of {request.target.version} is known here",
        "compare it with what the label holds in the workbench first",
    )
