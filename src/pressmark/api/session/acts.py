"""What the workbench can do about a line of the gate; what it does not know keeps its next step as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pressmark.widgets.protocols import ActView, GateView, ReasonView

if TYPE_CHECKING:
    from pressmark.api.impact import ChangeEvaluation

# An evaluation of the change, or a new one, is what these ask for.
_EVALUATED = {"evaluated", "fresh", "suites", "least_rows", "method", "missing_rows", "downstream", "practice"}
# These are about what the rows show.
_SHOWN = {"verdict", "must_not_regress", "must_reach"}
_CALLERS = {"callers_cannot_fill", "callers_pass_unknown", "callers_pass_other_type"}
_CHANGED = {"model_changed", "tools_changed", "format_changed"}


def act_for(reason: ReasonView, gate: GateView, found: ChangeEvaluation | None, submitted: bool) -> ActView | None:
    """Return the act for a line, or None where it is met or nothing here helps.

    Args:
        reason: The line.
        gate: What the gate says of the whole move.
        found: The evaluation of this change that was made here, or None.
        submitted: Whether the registry holds its evidence.
    """
    code, to = reason["code"], gate["to"]
    if reason["met"] or (gate["target"] is not None and gate["target"] == gate["current"]):
        return None
    if code in _EVALUATED:
        if found is None or submitted:
            return {"kind": "evaluate", "effect": f"Evaluate {to} for {gate['label']}"}
        first = f"Publish {to} and submit its evidence" if gate["target"] is None else "Submit its evidence"
        return {"kind": "submit", "effect": first}
    if code in _SHOWN:
        return _flips(found)
    if code in _CALLERS and to.startswith("#"):
        return {"kind": "draft", "effect": f"Open {to} in Draft"}
    if code in _CHANGED and gate["current"] is not None:
        pair = [gate["current"], to]
        return {"kind": "compare", "effect": f"Compare {pair[0]} with {to}", "versions": pair}
    return None


def _flips(found: ChangeEvaluation | None) -> ActView | None:
    """The gravest run is the one to look at."""
    if found is None:
        return None
    ran = [part for part in found.parts if part.run is not None]
    worst = next((part for part in ran if part.outcome == "worse"), ran[0] if ran else None)
    if worst is None or worst.run is None:
        return None
    return {"kind": "flips", "effect": f"Show the rows of {worst.suite} that flipped", "run": worst.run.id}
