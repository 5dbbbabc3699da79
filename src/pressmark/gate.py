"""The gate: may this label move there? A pure function over what is known.

The registry calls `decide` inside the move's transaction; the workbench calls it to show what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from pressmark.prompts import LATEST, FrozenDict, LabelPointer, Unit, Version, freeze
from pressmark.prompts.policy import Policy


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

    def __post_init__(self) -> None:
        object.__setattr__(self, "evidence", freeze(self.evidence))

    @property
    def unmet(self) -> tuple[Reason, ...]:
        """The conditions that block."""
        return tuple(reason for reason in self.reasons if reason.blocking and not reason.met)

    def __repr__(self) -> str:
        met = sum(reason.met for reason in self.reasons)
        count = f"{met} of {len(self.reasons)} conditions met"
        return f"<GateDecision allowed, {count}>" if self.allowed else f"<GateDecision refused, {count}: {self}>"

    def _repr_html_(self) -> str:
        import html

        rows = "".join(
            f"<tr><td>{'met' if reason.met else 'unmet' if reason.blocking else 'open'}</td>"
            f"<td style='text-align:left'>{html.escape(reason.sentence)}</td>"
            f"<td style='text-align:left'>{html.escape(reason.next_step)}</td></tr>"
            for reason in self.reasons
        )
        said = "The move is allowed." if self.allowed else "The move is refused."
        return f"<div>{said}<table><tr><th></th><th>condition</th><th>next step</th></tr>{rows}</table></div>"

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
        *_reason_given(policy, request),
        *_movable(request),
        *_role(principal),
        *_already_there(request, pointers),
        *_callers(policy, request, current),
        *_interface(request, current),
        *_downstream(request, graph),
        evaluated(request, evidence),
    ]
    reasons.sort(key=lambda reason: (reason.met, not reason.blocking))
    allowed = all(reason.met or not reason.blocking for reason in reasons)
    return GateDecision(allowed, tuple(reasons), FrozenDict(_record(request, evidence) or {}))


def _reason_given(policy: Policy, request: MoveRequest) -> list[Reason]:
    if not policy.require_reason:
        return []
    if request.reason.strip():
        return [Reason("reason", True, True, "A reason is given")]
    return [
        Reason("reason", False, True, "The move has no reason", "say why, so that the change log can tell it later")
    ]


def _movable(request: MoveRequest) -> list[Reason]:
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


def _role(principal: Principal) -> list[Reason]:
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


def _already_there(request: MoveRequest, pointers: Sequence[LabelPointer]) -> list[Reason]:
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


def _callers(policy: Policy, request: MoveRequest, current: Unit | None) -> list[Reason]:
    """Compare what today's callers pass with what the target takes: they pass what is required now, and may more."""
    if current is None or not policy.keep_callers:
        return []
    # A rollback must work at once, even when it asks for a variable that newer callers no longer pass.
    blocking = request.kind != "rollback"
    target = request.target
    told = []
    if new := [name for name in target.unit.required if name not in current.required]:
        told.append(
            Reason(
                "callers_cannot_fill",
                False,
                blocking,
                f"{target.version} needs {_names(new)}, which callers of {request.label} need not pass today",
                "give the new variable a default, or move the callers first",
            )
        )
    if dropped := [name for name in current.required if name not in target.unit.variables]:
        told.append(
            Reason(
                "callers_pass_unknown",
                False,
                blocking,
                f"callers of {request.label} pass {_names(dropped)}, which {target.version} does not declare",
                "keep the variable in the template, or move the callers first",
            )
        )
    if retyped := [name for name in current.variables if _retyped(name, current, target.unit)]:
        told.append(
            Reason(
                "callers_pass_other_type",
                False,
                blocking,
                f"{target.version} takes {_names(retyped)} as another type than callers of {request.label} pass today",
                "keep the type, or move the callers first",
            )
        )
    return told or [Reason("callers", True, blocking, "Today's callers can fill every variable")]


def _names(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))


def _retyped(name: str, current: Unit, target: Unit) -> bool:
    if name not in target.variables or name in target.inputs:
        return False
    passed, taken = current.variables[name].type, target.variables[name].type
    # Of a variable declared as `any` nobody knows what callers pass; a refusal needs more than a guess.
    return "any" not in (passed, taken) and passed != taken and (passed, taken) != ("integer", "number")


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
    record = _record(request, evidence)
    if record is None:
        return Reason(
            "evaluated",
            False,
            False,
            f"No comparison of {request.target.version} is known here",
            "compare it with what the label holds in the workbench first",
        )
    worse = record.get("verdict") == "worse"
    step = "look at the rows that flipped before you move it" if worse else ""
    return Reason("evaluated", not worse, False, str(record.get("sentence") or "It was evaluated"), step)


def _record(request: MoveRequest, evidence: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The newest evidence on the target."""
    return next((record for record in evidence if record.get("candidate") == request.target.digest), None)
