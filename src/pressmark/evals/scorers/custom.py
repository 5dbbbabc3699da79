# ruff: noqa: D102  # what a scorer's methods promise stands in `base`
"""Scorers that a user writes or has recorded."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, ClassVar

from pressmark.errors import SuiteError
from pressmark.evals.scorers.base import Direction, DirectScorer, Kind, ScoringError, ScoringInput
from pressmark.prompts import FrozenDict

ScoreFunction = Callable[[str, Mapping[str, Any]], float | bool | None]


@dataclass(frozen=True)
class Function(DirectScorer):
    """What a Python function makes of output and row.

    Args:
        name: The scorer's name.
        function: Takes the output and the row; returns a number, True or False, or None where it does not apply.
        version: Names the function's state, to be changed with it. A suite without it runs but cannot be published,
            and neither can one with a lambda: others could not tell what it does.
        kind: A `score` in [0, 1], or a `measurement`.
        direction: Which way is better.
        unit: Of a measurement.
    """

    type: ClassVar[str] = "function"
    name: str
    function: ScoreFunction = field(compare=False)
    version: str | None = None
    kind: Kind = "score"
    direction: Direction = "higher"
    unit: str = ""

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise SuiteError(f"Function({self.name!r}, …) takes a function of output and row, not {self.function!r}")
        if inspect.iscoroutinefunction(self.function):
            raise SuiteError(f"the function of {self.name!r} is async: give a plain one; judges ask models by Judge")
        try:
            inspect.signature(self.function).bind("output", {})
        except TypeError as error:
            raise SuiteError(
                f"the function of {self.name!r} must take output and row, as in lambda output, row: …: {error}"
            ) from error
        except ValueError:
            pass  # a builtin that does not tell its signature
        if self.version is not None and not (isinstance(self.version, str) and self.version):
            raise SuiteError(f"the version of {self.name!r} is text, such as '1', not {self.version!r}")
        check_meaning(self.name, self.kind, self.direction)

    @property
    def why_not_publishable(self) -> str | None:
        if getattr(self.function, "__name__", "") == "<lambda>":
            return f"scorer {self.name!r} is a lambda: write it as a named function and give it a version="
        if self.version is None:
            return f"scorer {self.name!r} has no version: give it version='1', and another when the function changes"
        return None

    def spec(self) -> dict[str, Any]:
        told = super().spec()
        told["function"] = getattr(self.function, "__qualname__", type(self.function).__name__)
        if self.version is None:
            # Nothing names the function's state, so its code stands for it: another lambda makes another suite.
            told["code"] = _code_digest(self.function)
        return told

    def score(self, given: ScoringInput) -> float | bool | None:
        return self.function(given.output, given.row)


@dataclass(frozen=True)
class Recorded(DirectScorer):
    """The score that was recorded for an output, such as a person's preference.

    Args:
        name: The scorer's name.
        recorded: Column of outputs to column of their scores: the output is looked for in the former, and scored
            with the latter. An output that was not recorded is a score error.
        kind: A `score` in [0, 1], or a `measurement`.
        direction: Which way is better.
        unit: Of a measurement.
    """

    type: ClassVar[str] = "recorded"
    name: str
    recorded: Mapping[str, str]
    kind: Kind = "score"
    direction: Direction = "higher"
    unit: str = ""

    def __post_init__(self) -> None:
        check_meaning(self.name, self.kind, self.direction)
        pairs = self.recorded.items() if isinstance(self.recorded, Mapping) else ()
        if not pairs or not all(isinstance(name, str) and name for pair in pairs for name in pair):
            raise SuiteError(f"Recorded({self.name!r}, …) takes columns, such as {{'output_a': 'score_a'}}")
        object.__setattr__(self, "recorded", FrozenDict(self.recorded))

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for pair in self.recorded.items() for name in pair))

    def score(self, given: ScoringInput) -> float | None:
        for output, score in self.recorded.items():
            if given.row.get(output) == given.output:
                value: float | None = given.row.get(score)
                return value
        raise ScoringError(f"row {given.number} has no recorded score for this output")


def check_meaning(name: object, kind: object, direction: object) -> None:
    """Refuse a scorer's name, kind or direction that means nothing.

    Raises:
        SuiteError: With what is allowed.
    """
    if not isinstance(name, str) or not name.strip():
        raise SuiteError(f"a scorer's name is text, not {name!r}")
    if kind not in ("score", "measurement"):
        raise SuiteError(f"scorer {name!r} must be of the kind 'score' or 'measurement', not {kind!r}")
    if direction not in ("higher", "lower"):
        raise SuiteError(f"for scorer {name!r} 'higher' or 'lower' is better, not {direction!r}")


def _code_digest(function: Callable[..., Any]) -> str:
    code = getattr(function, "__code__", None)
    told = repr(function) if code is None else repr(_code(code))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _code(code: CodeType) -> tuple[Any, ...]:
    """What a function does, without where it stands: running its cell again changes nothing."""
    constants = tuple(_code(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts)
    return code.co_code, code.co_names, code.co_varnames, constants
