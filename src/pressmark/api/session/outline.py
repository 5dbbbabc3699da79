"""A suite without its dataset's rows: what is listed and what a grid is drawn by, in the time of a few lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from pressmark.errors import SuiteError
from pressmark.evals.scorers import Scorer
from pressmark.evals.scorers.specs import from_spec
from pressmark.widgets.protocols import ScorerView, SuiteView

if TYPE_CHECKING:
    from pressmark.evals.scorers.custom import ScoreFunction


@dataclass(frozen=True, slots=True)
class Outline:
    """What a suite's description tells by itself.

    Attributes:
        name: Its name.
        dataset: Its dataset's name.
        digest: Its dataset's digest.
        scorers: Its scorers.
        primary: The name of the primary one.
        slice: The column that parts the rows into slices, or None.
        prompt: The prompt that it judges, or None.
    """

    name: str
    dataset: str
    digest: str
    scorers: tuple[Scorer, ...]
    primary: str
    slice: str | None
    prompt: str | None

    @classmethod
    def of(cls, spec: Mapping[str, Any], functions: Mapping[str, ScoreFunction]) -> Outline:
        """Read a description that the workspace keeps."""
        dataset = spec["dataset"]
        scorers = tuple(from_spec(told, functions) for told in spec["scorers"])
        return cls(
            spec["name"],
            dataset["name"],
            dataset["digest"],
            scorers,
            spec["primary"],
            spec.get("slice"),
            spec.get("prompt"),
        )

    def scorer(self, name: str) -> Scorer:
        """The scorer of that name.

        Raises:
            SuiteError: There is none.
        """
        for scorer in self.scorers:
            if scorer.name == name:
                return scorer
        known = ", ".join(scorer.name for scorer in self.scorers)
        raise SuiteError(f"suite {self.name!r} has no scorer {name!r}: it has {known}")

    def view(self, rows: Mapping[tuple[str, str], int]) -> SuiteView:
        """As the workbench lists it, the primary scorer first; no rows where its dataset was deleted.

        Args:
            rows: How many rows datasets have, by name and digest.
        """
        why_not = next((why for scorer in self.scorers if (why := scorer.why_not_publishable)), None)
        ordered = sorted(self.scorers, key=lambda scorer: scorer.name != self.primary)
        return {
            "name": self.name,
            "dataset": self.dataset,
            "rows": rows.get((self.dataset, self.digest), 0),
            "scorers": [self._scorer_view(scorer) for scorer in ordered],
            "slice": self.slice,
            "prompt": self.prompt,
            "publishable": why_not is None,
            "why_not": why_not,
        }

    def _scorer_view(self, scorer: Scorer) -> ScorerView:
        return cast(
            "ScorerView",
            {
                "name": scorer.name,
                "kind": scorer.kind,
                "direction": scorer.direction,
                "unit": scorer.unit,
                "primary": scorer.name == self.primary,
                "column": _expected_column(scorer),
            },
        )


def _expected_column(scorer: Scorer) -> str | None:
    """The column that an output is held against; what a judge is merely shown does not count."""
    for name in ("column", "reference", "against"):
        if isinstance(column := getattr(scorer, name, None), str):
            return column
    return None
