"""What the gate is asked and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from pressmark.face import Faced
from pressmark.face.forms import Face, Table
from pressmark.prompts import FrozenDict, Version, freeze
from pressmark.prompts.evidence import Trial
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
        held_before: Whether the label pointed to the target before. Only such a rollback goes through without evidence:
            else a rollback to any version would lead around the gate.
    """

    label: str
    target: Version
    reason: str
    kind: str = "move"
    held_before: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """One condition of the gate and how it stands.

    Attributes:
        code: Short machine name; several reasons may have one, such as a scorer each.
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

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class GateDecision(Faced):
    """What the gate says.

    Attributes:
        allowed: Whether the move may be done now.
        reasons: Every condition, those that block first.
        evidence: Which evidence was looked at: `digest`, `made_at`, `made_by`, `baseline`, `candidate`; empty where
            there is none.
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

    def _face(self) -> Face:
        rows = [
            ("met" if reason.met else "unmet" if reason.blocking else "open", reason.sentence, reason.next_step)
            for reason in self.reasons
        ]
        said = "The move is allowed." if self.allowed else "The move is refused."
        return Face(said, tables=[Table(("", "condition", "next step"), rows)])

    def __str__(self) -> str:
        if self.allowed:
            return "the move is allowed"
        return "; ".join(f"{reason.sentence}: {reason.next_step}" for reason in self.unmet)


class Downstream(Protocol):
    """What the gate asks of the dependency graph."""

    def downstream(self, name: str) -> tuple[str, ...]:
        """Every prompt that depends on `name`."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What every condition on evidence looks at.

    Attributes:
        policy: What the label demands.
        request: The move.
        held: Where labels stand: `prompt@label` to digest.
        graph: The dependency graph, or None where no prompt feeds another.
        sees: Whether whoever asks may see a prompt, or a label of one (`prompt@label`); else it is never named.
    """

    policy: Policy
    request: MoveRequest
    held: Mapping[str, str]
    graph: Downstream | None
    sees: Callable[[str], bool]

    @property
    def name(self) -> str:
        """The prompt that changes."""
        return self.request.target.name

    @property
    def baseline(self) -> str | None:
        """Digest of what the label holds now."""
        return self.held.get(f"{self.name}@{self.request.label}")

    @property
    def demands(self) -> bool:
        """Whether the conditions on evidence block."""
        return self.policy.require_evidence and not self.returning

    @property
    def returning(self) -> bool:
        """Whether the label goes back to what it held before."""
        return self.request.kind == "rollback" and self.request.held_before

    @property
    def downstream(self) -> tuple[str, ...]:
        """Every prompt that takes this one's output, directly or not."""
        return self.graph.downstream(self.name) if self.graph else ()

    def below(self, name: str) -> frozenset[str]:
        """A prompt and everything downstream of it."""
        return frozenset({name, *(self.graph.downstream(name) if self.graph else ())})

    def named(self, names: Iterable[str]) -> str:
        """Names for a sentence; of those that may not be seen, how many there are."""
        given = list(names)
        shown = [name for name in given if self.sees(name)]
        hidden = len(given) - len(shown)
        if hidden:
            more = " more" if shown else ""
            shown.append(f"{hidden}{more} that you may not see")
        return ", ".join(shown)

    def suite(self, trial: Trial) -> str:
        """A suite with the prompt that it was run on, for a sentence."""
        if not self.sees(trial.prompt):
            return "a suite of a prompt that you may not see"
        return f"{trial.suite} on {trial.prompt}"

    def reason(self, code: str, met: bool, sentence: str, next_step: str = "") -> Reason:
        """A condition that blocks where evidence is demanded."""
        return Reason(code, met, self.demands, sentence, "" if met else next_step)
