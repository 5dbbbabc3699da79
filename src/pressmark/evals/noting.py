"""What a report must not pass over: errors, answers cut off, scorers that failed, models other than those asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pressmark.evals.figures import Figures
from pressmark.evals.scorers import Judge, PairwiseJudge
from pressmark.evals.suite import Suite

_CUT = {
    "length": (
        "was",
        "were",
        "cut off at the limit of tokens, and scored so: raise max_tokens to compare whole answers",
    ),
    "content_filter": ("was", "were", "held back by the endpoint's content filter, and scored so"),
    "empty": ("is", "are", "empty, and scored so"),
}


def run_notes(
    figures: Figures, suite: Suite, versions: Sequence[str], names: Mapping[str, str], models: Mapping[str, str]
) -> Iterator[str]:
    """Tell, in sentences, what stands behind a run's figures.

    Args:
        figures: The run's figures.
        suite: What it was scored with.
        versions: Digests of the versions compared.
        names: What to call them.
        models: The model that each asks for, as far as it is known.
    """
    planned = len(suite.dataset)
    for version in versions:
        name = names.get(version, version)
        asked = len(figures.asked.get(version, ()))
        if asked < planned:
            yield f"{name}: {planned - asked:,} of {planned:,} rows were not asked"
        for kind, count in sorted(figures.errors.get(version, {}).items()):
            yield f"{name}: {_outputs(count)} ended as an error ({kind})"
        for how, count in sorted(figures.cut.get(version, {}).items()):
            one, several, told = _CUT[how]
            yield f"{name}: {_outputs(count)} {one if count == 1 else several} {told}"
        for scorer in suite.scorers:
            if failed := figures.missing.get((version, scorer.name)):
                yield f"{name}: {scorer.name} could not score {_outputs(failed.outputs)}, such as: {failed.example}"
    yield from _served(figures, versions, names, models)
    for judge in suite.scorers:
        if isinstance(judge, Judge | PairwiseJudge):
            served: dict[str, int] = {}
            for seen, count in figures.shown.get(judge.name, {}).items():
                served[seen.model] = served.get(seen.model, 0) + count
            yield from _other(f"judge {judge.name}", judge.model, served, "judgements")


def _served(
    figures: Figures, versions: Sequence[str], names: Mapping[str, str], models: Mapping[str, str]
) -> Iterator[str]:
    for version in versions:
        served, name = figures.served.get(version, {}), names.get(version, version)
        if asked := models.get(version):
            yield from _other(name, asked, served, "outputs")
        elif len(_named(served)) > 1:
            yield f"{name} was served by several models: {_counts(_named(served))}"


def _other(name: str, asked: str, served: Mapping[str, int], what: str) -> Iterator[str]:
    known = _named(served)
    if others := {model: count for model, count in known.items() if not _same(asked, model)}:
        yield (
            f"{name} asks for model {asked}, and the endpoint served {_counts(others)} {what}: the verdict is about"
            " the model that was served"
        )
    elif len(known) > 1:
        yield f"{name} was served by several models: {_counts(known)}"


def _same(asked: str, served: str) -> bool:
    """Whether the served model is the one asked for, or a dated one that its name stands for."""
    return served == asked or (served.startswith(f"{asked}-") and served[len(asked) + 1 : len(asked) + 2].isdigit())


def _named(served: Mapping[str, int]) -> dict[str, int]:
    return {model: count for model, count in served.items() if model}


def _counts(served: Mapping[str, int]) -> str:
    return ", ".join(f"{model} in {count:,}" for model, count in sorted(served.items(), key=lambda s: (-s[1], s[0])))


def _outputs(count: int) -> str:
    return f"{count:,} output{'' if count == 1 else 's'}"
