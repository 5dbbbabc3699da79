"""What becomes of a scorer's result: a number that can be compared, or the reason why there is none."""

from __future__ import annotations

import math
import threading
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from pressmark.evals.scorers import DirectScorer, Scorer, ScoringError, ScoringInput
from pressmark.stats.inputs import LARGEST


@dataclass(slots=True)
class Marks:
    """What the scorers make of one answer."""

    scores: dict[str, float | None] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    judgements: dict[str, Any] = field(default_factory=dict)

    def miss(self, scorer: str, why: str) -> None:
        """Note why a score is missing."""
        self.scores[scorer] = None
        self.errors[scorer] = why


# Has an answer scored elsewhere by the suite's scorers that need no model; it returns what `marks_of` would.
Mark = Callable[[ScoringInput], Awaitable[Marks]]


def marks_of(scorers: Iterable[DirectScorer], given: ScoringInput) -> Marks:
    """Let scorers score an answer; whatever one raises costs its score, not the row."""
    marks = Marks()
    for scorer in scorers:
        try:
            marks.scores[scorer.name] = scored(scorer, given)
        except Exception as error:  # noqa: BLE001  # a scorer is anybody's code
            marks.miss(scorer.name, failure(scorer, error))
    return marks


def scored(scorer: DirectScorer, given: ScoringInput) -> float | None:
    """Let a scorer score, and return its result as a number.

    A scorer's code may call `sys.exit`, or raise what nobody catches: that costs a score and not the process. An
    interrupt that somebody typed goes through; it only ever comes to the main thread.

    Raises:
        ScoringError: There is no usable result.
    """
    try:
        return checked(scorer, scorer.score(given))
    except Exception:
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
            raise
        raise ScoringError(f"it raised {type(error).__name__}: {error}") from error


def checked(scorer: Scorer, value: object) -> float | None:
    """Return a scorer's result as a number.

    Raises:
        ScoringError: It is none, is not finite, or a score lies outside of [0, 1].
    """
    if value is None:
        return None
    if not isinstance(value, bool | int | float) and not hasattr(value, "__float__"):
        raise ScoringError(f"it returned {type(value).__name__}: return a number, True, False or None")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ScoringError(f"it returned {value!r}, which is no number: {error}") from error
    if not math.isfinite(number):
        raise ScoringError(f"it returned {number}: return a finite number, or None where it does not apply")
    if abs(number) > LARGEST:
        raise ScoringError(f"it returned {number:g}: return a number within ±{LARGEST:g}, such as one in a larger unit")
    if scorer.kind == "score" and not 0 <= number <= 1:
        raise ScoringError(f"it returned {number:g}, and a score lies in [0, 1]: scale it, or make it a measurement")
    return number


def failure(scorer: Scorer, error: Exception) -> str:
    """Say why a score is missing."""
    if isinstance(error, ScoringError):
        return f"scorer {scorer.name!r}: {error}"
    return f"scorer {scorer.name!r} raised {type(error).__name__}: {error}"
