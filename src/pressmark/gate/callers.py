"""What today's callers pass and expect, held against the version that the label should point to."""

from __future__ import annotations

from collections.abc import Sequence

from pressmark.gate.values import MoveRequest, Reason
from pressmark.prompts import Unit
from pressmark.prompts.policy import Policy


def callers(policy: Policy, request: MoveRequest, current: Unit | None) -> list[Reason]:
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


def interface(request: MoveRequest, current: Unit | None) -> list[Reason]:
    """Flag what readers of the answers may notice."""
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
