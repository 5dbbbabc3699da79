"""Suites: a dataset with scorers, one of them primary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pressmark.errors import SuiteError
from pressmark.evals.dataset import Dataset
from pressmark.evals.scorers import AskingScorer, DirectScorer, Scorer, from_spec
from pressmark.evals.scorers.custom import ScoreFunction
from pressmark.face import Faced
from pressmark.face.forms import Face, Table
from pressmark.prompts import check_name, sha256_digest
from pressmark.prompts.canonical import canonical_bytes
from pressmark.prompts.quoting import shown

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Suite(Faced):
    """A dataset with scorers. `Suite.of` makes one.

    Attributes:
        name: Its name.
        dataset: The rows.
        scorers: At least one; the others beside the primary one are its guards.
        primary: The name of the scorer whose verdict is the suite's.
        slice: The column that parts the rows into slices, or None.
        digest: `sha256:` over the dataset's digest, scorers, primary, slice and prompt; its own name is not part of it.
        prompt: The prompt that it judges, so that it is run when that prompt or one upstream of it changes; or None.
        note: What its name stood for before, and whether its dataset has changed since; no part of it.
    """

    name: str
    dataset: Dataset
    scorers: tuple[Scorer, ...]
    primary: str
    slice: str | None
    digest: str
    prompt: str | None = None
    note: str = field(default="", compare=False)

    @classmethod
    def of(
        cls,
        name: str,
        dataset: Dataset,
        scorers: Sequence[Scorer],
        *,
        primary: str | None = None,
        slice: str | None = None,
        prompt: str | None = None,
    ) -> Suite:
        """Make a suite whose parts fit together.

        Args:
            name: Its name, of the form of a prompt's name.
            dataset: The rows.
            scorers: At least one, each with a name of its own.
            primary: The name of the primary scorer; else the first one.
            slice: A column of the dataset.
            prompt: The prompt that it judges.

        Raises:
            SuiteError: A column is missing, a name is taken twice, or a part is not what it should be.
            InvalidNameError: The name is not of the allowed form.
        """
        check_name(name, "suite name")
        if prompt is not None:
            check_name(prompt)
        if not isinstance(dataset, Dataset):
            raise SuiteError(
                f"suite {name!r} takes a Dataset, not {type(dataset).__name__}: make one with ws.dataset(…)"
            )
        given = tuple(scorers) if isinstance(scorers, Sequence) else (scorers,)
        _check_scorers(name, dataset, given)
        names = [scorer.name for scorer in given]
        if primary is not None and primary not in names:
            raise SuiteError(f"suite {name!r} has no scorer {primary!r} to be primary; it has {', '.join(names)}")
        if slice is not None and slice not in dataset.columns:
            raise SuiteError(
                f"dataset {dataset.name!r} has no column {slice!r} to slice by; it has {', '.join(dataset.columns)}"
            )
        chosen = primary if primary is not None else names[0]
        content = {"dataset": dataset.digest, **_content(given, chosen, slice, prompt)}
        return cls(name, dataset, given, chosen, slice, sha256_digest(canonical_bytes(content)), prompt)

    @classmethod
    def collecting(cls, dataset: Dataset) -> Suite:
        """Return what has rows and no scorers: the outputs are wanted as they are, to fill other prompts' inputs."""
        return cls(dataset.name, dataset, (), "", None, dataset.digest)

    @classmethod
    def from_spec(
        cls, spec: Mapping[str, Any], dataset: Dataset, functions: Mapping[str, ScoreFunction] | None = None
    ) -> Suite:
        """Make the suite that a description tells of.

        Args:
            spec: What `spec` returned.
            dataset: The dataset that it names.
            functions: Python functions for `Function` scorers, by name; see `pressmark.evals.scorers.from_spec`.

        Raises:
            SuiteError: The description is malformed, or the dataset is another one.
        """
        if not isinstance(spec, Mapping) or spec.get("format") != FORMAT:
            raise SuiteError(f"this is no suite that this Pressmark reads (format {FORMAT}): upgrade pressmark")
        try:
            wanted = spec["dataset"]["digest"]
            scorers = [from_spec(told, functions) for told in spec["scorers"]]
            name, primary, part, prompt = spec["name"], spec["primary"], spec.get("slice"), spec.get("prompt")
        except (KeyError, TypeError) as error:
            raise SuiteError(f"the description of the suite lacks {error}") from error
        if wanted != dataset.digest:
            raise SuiteError(
                f"suite {name!r} was made of dataset {wanted[:15]}…, and {dataset.name!r} is {dataset.digest[:15]}…:"
                " take the one it was made of, or make a new suite",
                expected=wanted,
                found=dataset.digest,
            )
        return cls.of(name, dataset, scorers, primary=primary, slice=part, prompt=prompt)

    def spec(self) -> dict[str, Any]:
        """Return the JSON description; the dataset is named with its digest, not included."""
        return {
            "format": FORMAT,
            "name": self.name,
            "dataset": {"name": self.dataset.name, "digest": self.dataset.digest},
            **_content(self.scorers, self.primary, self.slice, self.prompt),
        }

    @property
    def why_not_publishable(self) -> str | None:
        """Why others could not run it, or None where it can be published."""
        return next((why for scorer in self.scorers if (why := scorer.why_not_publishable)), None)

    @property
    def publishable(self) -> bool:
        """Whether others could run it."""
        return self.why_not_publishable is None

    @property
    def guards(self) -> tuple[Scorer, ...]:
        """The scorers beside the primary one."""
        return tuple(scorer for scorer in self.scorers if scorer.name != self.primary)

    def scorer(self, name: str | None = None) -> Scorer:
        """Return the scorer of that name; without one, the primary.

        Raises:
            SuiteError: The suite has none of that name.
        """
        wanted = self.primary if name is None else name
        for scorer in self.scorers:
            if scorer.name == wanted:
                return scorer
        raise SuiteError(
            f"suite {self.name!r} has no scorer {wanted!r}; it has {', '.join(s.name for s in self.scorers)}"
        )

    def __repr__(self) -> str:
        names = ", ".join(f"{s.name} (primary)" if s.name == self.primary else s.name for s in self.scorers)
        note = f" ({self.note})" if self.note else ""
        return f"<Suite {self.name} {self.digest[:15]}: {len(self.dataset):,} rows, scored by {names}{note}>"

    def _face(self) -> Face:
        rows = [
            (each.name, "primary" if each.name == self.primary else "guard", each.kind, each.direction, each.unit)
            for each in self.scorers
        ]
        told = [f"dataset {self.dataset.name}, {len(self.dataset):,} rows"]
        told += [f"slices by {self.slice}"] if self.slice else []
        told += [f"judges {self.prompt}"] if self.prompt else []
        head = ("scorer", "role", "kind", "better is", "unit")
        return Face(f"Suite {self.name}", [*told, *([self.note] if self.note else [])], tables=[Table(head, rows)])


def _content(scorers: Sequence[Scorer], primary: str, part: str | None, prompt: str | None) -> dict[str, Any]:
    content = {"scorers": [scorer.spec() for scorer in scorers], "primary": primary, "slice": part}
    return content if prompt is None else {**content, "prompt": prompt}


def _check_scorers(name: str, dataset: Dataset, scorers: Sequence[Scorer]) -> None:
    if not scorers:
        raise SuiteError(f"suite {name!r} has no scorer: give at least one, such as pm.scorers.Exact('category')")
    seen: set[str] = set()
    for scorer in scorers:
        if not isinstance(scorer, DirectScorer | AskingScorer):
            called = getattr(scorer, "__name__", "")
            what = "a lambda" if called == "<lambda>" else f"the function {called}" if called else shown(scorer)
            raise SuiteError(
                f"suite {name!r} was given {what} as a scorer: wrap a function by pm.scorers.Function('name', function)"
            )
        if not isinstance(scorer.name, str) or not scorer.name.strip():
            raise SuiteError(f"suite {name!r} has a scorer without a name: give it name=")
        if scorer.name in seen:
            raise SuiteError(f"suite {name!r} has two scorers called {scorer.name!r}: give one of them another name=")
        seen.add(scorer.name)
        if missing := [column for column in scorer.columns if column not in dataset.columns]:
            raise SuiteError(
                f"scorer {scorer.name!r} reads column {missing[0]!r}, which dataset {dataset.name!r} does not have;"
                f" it has {', '.join(dataset.columns)}",
                missing=tuple(missing),
            )
