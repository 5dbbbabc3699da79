"""From a scorer's description back to the scorer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, NoReturn

from pressmark.errors import SuiteError
from pressmark.evals.scorers.base import Scorer, ScoringError
from pressmark.evals.scorers.custom import Function, Recorded, ScoreFunction
from pressmark.evals.scorers.judges import Judge, PairwiseJudge
from pressmark.evals.scorers.measured import Cost, Latency
from pressmark.evals.scorers.structured import FieldEquals, JSONSchema, NumericTolerance, ValidJSON
from pressmark.evals.scorers.texts import Contains, Exact, Length, Regex, TextSimilarity

_TYPES: dict[str, type[Scorer]] = {
    kind.type: kind
    for kind in (
        Contains,
        Cost,
        Exact,
        FieldEquals,
        Function,
        JSONSchema,
        Judge,
        Latency,
        Length,
        NumericTolerance,
        PairwiseJudge,
        Recorded,
        Regex,
        TextSimilarity,
        ValidJSON,
    )
}


def from_spec(spec: Mapping[str, Any], functions: Mapping[str, ScoreFunction] | None = None) -> Scorer:
    """Make the scorer that a description tells of.

    Args:
        spec: What `Scorer.spec` returned.
        functions: Python functions for `Function` scorers, by scorer name. One that is not given is a stand-in that
            fails each row, so that a suite can be looked at, and its recorded scores compared, without its code.

    Raises:
        SuiteError: The description is of no scorer that this Pressmark knows.
    """
    told = dict(spec) if isinstance(spec, Mapping) else {}
    kind = _TYPES.get(str(told.pop("type", "")))
    if kind is None:
        raise SuiteError(f"no scorer is described by {spec!r}: this Pressmark knows {', '.join(sorted(_TYPES))}")
    if kind is Function:
        return _function(told, functions or {})
    if unknown := set(told) - {part.name for part in fields(kind) if part.init}:  # type: ignore[arg-type]
        raise SuiteError(
            f"a scorer of the type {kind.type!r} has no {', '.join(sorted(unknown))}: upgrade pressmark, or correct it"
        )
    try:
        return kind(**told)
    except TypeError as error:
        raise SuiteError(f"the description of a {kind.type!r} scorer is incomplete: {error}") from error


def _function(told: dict[str, Any], functions: Mapping[str, ScoreFunction]) -> Function:
    name, qualname = str(told.get("name")), str(told.pop("function", ""))
    code = told.pop("code", None)
    given = functions.get(name)
    if given is not None:
        return Function(function=given, **told)
    return _Absent(function=_refusing(name, qualname), qualname=qualname, code=code, **told)


class _Absent(Function):
    """A function scorer whose function is somewhere else; it describes itself as the original did."""

    def __init__(self, *, qualname: str, code: str | None, **told: Any) -> None:
        super().__init__(**told)
        object.__setattr__(self, "_original", {"function": qualname} | ({"code": code} if code else {}))

    @property
    def why_not_publishable(self) -> str | None:
        return f"the function of scorer {self.name!r} is not here: build the suite with functions={{{self.name!r}: …}}"

    def spec(self) -> dict[str, Any]:
        original: dict[str, Any] = self.__dict__["_original"]
        return {**super().spec(), **original}


def _refusing(name: str, qualname: str) -> ScoreFunction:
    def refuse(output: str, row: Mapping[str, Any]) -> NoReturn:
        raise ScoringError(
            f"the function of scorer {name!r} ({qualname}) is not here: build the suite with functions={{{name!r}: …}}"
        )

    return refuse
