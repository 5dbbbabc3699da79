"""Evidence on one change, and the question whether it opens a label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pressmark.gate import GateDecision, MoveRequest, Principal, Reason, decide
from pressmark.graph import DependencyGraph
from pressmark.prompts import LabelPointer, Unit, Version
from pressmark.prompts.canonical import unit_digest
from pressmark.prompts.evidence import Evidence, RowScores, Trial
from pressmark.prompts.policy import TEAM
from pressmark.rendering import build_unit

NOW = datetime(2026, 5, 1, tzinfo=UTC)
NAME, BELOW, ABOVE = "support/triage", "support/reply", "support/clean"
MODEL = {"name": "team", "base_url": "https://models.example/v1", "practice": False}
PRACTICE = {"name": "practice", "base_url": "http://127.0.0.1:1/v1", "practice": True}


def unit(text: str) -> Unit:
    """A unit of one text."""
    return build_unit(text=text, model="m")


OLD, NEW = unit("Say {{ a }}"), unit("Now say {{ a }}")
BASE, CANDIDATE = unit_digest(OLD), unit_digest(NEW)
OTHER, REPLY, CLEAN = (f"sha256:{letter * 64}" for letter in "efd")
CHAIN = DependencyGraph({BELOW: {"sorted": f"{NAME}@production"}, NAME: {}})


def scores(
    before: Sequence[float | None] | None = None,
    after: Sequence[float | None] | None = None,
    *,
    scorer: str = "category",
    direction: str = "higher",
    kind: str = "score",
    unit: str = "points",
) -> RowScores:
    """Row scores; unless others are given, 200 rows of which each third is wrong, before and after alike."""
    same = tuple(float(row % 3 > 0) for row in range(200))
    before, after = before or same, after or same
    return RowScores(scorer, kind, direction, unit, tuple(before), tuple(after))


def trial(prompt: str = NAME, *found: RowScores, **changes: Any) -> Trial:
    """A trial with all planned rows."""
    given = found or (scores(),)
    rows = len(given[0].candidate)
    digests = {"baseline": BASE, "candidate": CANDIDATE} if prompt == NAME else {"baseline": REPLY, "candidate": REPLY}
    told: dict[str, Any] = {
        "prompt": prompt,
        "suite": f"{prompt}-basics",
        "suite_digest": OTHER,
        "primary": given[0].scorer,
        "planned": rows,
        "method": "fixed",
        "rows": tuple(range(rows)),
        "scores": given,
        **digests,
    }
    return Trial(**(told | changes))


def evidence(*trials: Trial, **changes: Any) -> Evidence:
    """Evidence on the change that `ask` asks for."""
    told: dict[str, Any] = {
        "name": NAME,
        "label": "production",
        "candidate": CANDIDATE,
        "baseline": BASE,
        "lock": {f"{NAME}@production": BASE, f"{ABOVE}@production": CLEAN},
        "endpoint": MODEL,
        "trials": trials or (trial(),),
        "unevaluated": (),
        "made_at": NOW - timedelta(hours=1),
        "made_by": "ana",
    }
    return Evidence(**(told | changes))


HELD: Mapping[str, str] = {
    f"{NAME}@production": BASE,
    f"{ABOVE}@production": CLEAN,
    f"{BELOW}@production": REPLY,
}


def pointers(held: Mapping[str, str] = HELD) -> list[LabelPointer]:
    """Where labels stand."""
    split = [(reference.split("@"), digest) for reference, digest in held.items()]
    return [LabelPointer(name, label, 2, digest, 1, NOW, "ana", "r") for (name, label), digest in split]


def ask(*records: Evidence, held: Mapping[str, str] = HELD, **given: Any) -> GateDecision:
    """Ask a label of the team's policy, unless another is given, for the change that `evidence` is about."""
    target = Version(NAME, 3, NEW, CANDIDATE, "m", "ana", NOW, "registry")
    request = MoveRequest(
        "production", target, "a better tone", given.pop("kind", "move"), given.pop("held_before", False)
    )
    asked: dict[str, Any] = {
        "evidence": records,
        "pointers": pointers(held),
        "current": OLD if f"{NAME}@production" in held else None,
        "principal": Principal("ana", "editor"),
        "now": NOW,
        **given,
    }
    return decide(asked.pop("policy", TEAM), request, **asked)


def of(decision: GateDecision, code: str) -> list[Reason]:
    """The reasons of that code."""
    return [reason for reason in decision.reasons if reason.code == code]


def blocked(decision: GateDecision) -> list[str]:
    """Codes of the conditions that block."""
    return [reason.code for reason in decision.unmet]
