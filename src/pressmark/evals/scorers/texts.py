# ruff: noqa: D102  # what a scorer's methods promise stands in `base`
"""Scorers that compare texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from pressmark.errors import SuiteError
from pressmark.evals.scorers.base import (
    Direction,
    DirectScorer,
    Kind,
    ScoringInput,
    check_fields,
    expected,
    name_after,
    text,
)


@dataclass(frozen=True)
class Exact(DirectScorer):
    """1 where the output, without the space around it, equals the row's value in a column.

    Args:
        column: The column with what is expected.
        name: The scorer's name; else the column's.
        ignore_case: Whether `Yes` and `yes` are equal.
    """

    type: ClassVar[str] = "exact"
    column: str
    name: str = ""
    ignore_case: bool = False

    def __post_init__(self) -> None:
        check_fields(self, self.column)
        name_after(self, self.column)

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def score(self, given: ScoringInput) -> bool:
        return _case(given.output.strip(), self.ignore_case) == _case(
            text(expected(given, self.column)), self.ignore_case
        )


@dataclass(frozen=True)
class Contains(DirectScorer):
    """1 where the output contains the row's value in a column, or a fixed text.

    Args:
        column: The column with what is expected; a list there must be contained whole.
        text: The fixed text, in place of a column.
        name: The scorer's name; else the column's, or `contains`.
        ignore_case: Whether `Yes` and `yes` are equal.
    """

    type: ClassVar[str] = "contains"
    column: str | None = None
    text: str | None = None
    name: str = ""
    ignore_case: bool = False

    def __post_init__(self) -> None:
        check_fields(self, self.column)
        name_after(self, self.column or "contains")
        if (self.column is None) == (self.text is None) or self.text == "":
            raise SuiteError(
                "Contains takes a column or text=, one of them: Contains('answer') or Contains(text='sorry')"
            )

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,) if self.column else ()

    def score(self, given: ScoringInput) -> bool:
        value = self.text if self.column is None else expected(given, self.column)
        wanted = value if isinstance(value, list | tuple) else [value]
        output = _case(given.output, self.ignore_case)
        return all(_case(text(item), self.ignore_case) in output for item in wanted)


@dataclass(frozen=True)
class Regex(DirectScorer):
    """1 where a regular expression is found in the output.

    Args:
        pattern: Of Python's `re`; anchor it with `^` and `$` to match the whole output.
        name: The scorer's name.
        ignore_case: Whether case is ignored.
    """

    type: ClassVar[str] = "regex"
    pattern: str
    name: str = "regex"
    ignore_case: bool = False

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except (re.error, TypeError) as error:
            raise SuiteError(f"{self.pattern!r} is no regular expression ({error}): correct it") from error

    def score(self, given: ScoringInput) -> bool:
        return re.search(self.pattern, given.output.strip(), re.IGNORECASE if self.ignore_case else 0) is not None


@dataclass(frozen=True)
class TextSimilarity(DirectScorer):
    """How similar the output is to the row's value in a column, from 0 to 1, by rapidfuzz.

    Args:
        column: The column with what is expected.
        name: The scorer's name; else the column's.
        method: `ratio` (edits between the two texts), `token_sort` (word order does not matter) or `token_set`
            (nor do words that only one of them has).
    """

    type: ClassVar[str] = "text_similarity"
    column: str
    name: str = ""
    method: Literal["ratio", "token_sort", "token_set"] = "ratio"

    def __post_init__(self) -> None:
        check_fields(self, self.column)
        name_after(self, self.column)
        if self.method not in ("ratio", "token_sort", "token_set"):
            raise SuiteError(f"TextSimilarity has the methods ratio, token_sort and token_set, not {self.method!r}")

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def score(self, given: ScoringInput) -> float:
        from rapidfuzz import fuzz

        compare = {"ratio": fuzz.ratio, "token_sort": fuzz.token_sort_ratio, "token_set": fuzz.token_set_ratio}
        return compare[self.method](given.output.strip(), text(expected(given, self.column))) / 100


@dataclass(frozen=True)
class Length(DirectScorer):
    """How long the output is; shorter is better, unless told otherwise.

    Args:
        of: What is counted: `characters` or `words`.
        name: The scorer's name.
        direction: Which way is better.
    """

    type: ClassVar[str] = "length"
    kind: ClassVar[Kind] = "measurement"  # type: ignore[misc]  # fixed for this scorer
    of: Literal["characters", "words"] = "characters"
    name: str = "length"
    direction: Direction = "lower"

    def __post_init__(self) -> None:
        if self.of not in ("characters", "words"):
            raise SuiteError(f"Length counts characters or words, not {self.of!r}")

    @property
    def unit(self) -> str:  # type: ignore[override]  # follows from what is counted
        return self.of

    def score(self, given: ScoringInput) -> float:
        return float(len(given.output) if self.of == "characters" else len(given.output.split()))


def _case(value: str, ignored: bool) -> str:
    return value.casefold() if ignored else value
