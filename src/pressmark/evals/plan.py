"""What a run has to ask: every version with every row and repeat, rendered and keyed before the first call.

Rows are asked in an order that is random, and the same for the same dataset: whatever part of a run is there is a fair
sample of its rows, also where the file was sorted, and a run that is taken up again goes on in the same order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pressmark.errors import DatasetError, InvalidUnitError, RenderError
from pressmark.evals.cache import answer_key
from pressmark.evals.dataset import Dataset
from pressmark.evals.records import RowError, Task
from pressmark.prompts import MISSING
from pressmark.rendering import PromptVersion, compiled


@dataclass(frozen=True, slots=True)
class Call:
    """One request, and the tasks that its answer serves: rows that hold the same are asked once.

    Attributes:
        key: The answer cache's key.
        request: The keyword arguments of `chat.completions.create`.
        tasks: At least one.
    """

    key: str
    request: Mapping[str, Any]
    tasks: tuple[Task, ...]


class Unrendered(NamedTuple):
    """A task whose request could not be made."""

    task: Task
    error: RowError


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run has to ask.

    Attributes:
        calls: In the order in which they are asked, the versions of one row side by side.
        unrendered: Tasks whose row does not fit the template; they become error rows.
        total: How many tasks the run has, those already answered among them.
        answered: How many of them were answered before.
        baseline: Digest of the first version.
        kept: The baseline's requests that were answered before, for judges that hold other outputs against those.
        order: The dataset's rows in the order in which they are asked.
    """

    calls: tuple[Call, ...]
    unrendered: tuple[Unrendered, ...]
    total: int
    answered: int
    baseline: str = ""
    kept: tuple[Call, ...] = ()
    order: tuple[int, ...] = ()


def plan(
    versions: Sequence[PromptVersion],
    dataset: Dataset,
    *,
    base_url: str,
    repeats: int = 1,
    seeds: bool = False,
    answered: Container[Task | tuple[str, int, int]] = (),
) -> Plan:
    """Render every request of a run.

    Args:
        versions: The prompt versions.
        dataset: Its columns fill the variables of the same name.
        base_url: Where the endpoint is.
        repeats: How often each request is asked.
        seeds: Whether each repeat's request has a `seed` of its own: the repeat's number from 1, or so much above the
            seed that the prompt's parameters set. It is part of the request, and so of the answer cache's key.
        answered: Tasks that need not be asked again.

    Raises:
        DatasetError: A column for a variable is missing, or a version's input would need an upstream prompt's answer.
        RenderError: Not one row fits a version's template; the first row's reason.
        ValueError: `repeats` is not positive, or there is no version.
    """
    if not versions:
        raise ValueError("a run needs at least one version: give those that shall be compared")
    if isinstance(repeats, bool) or not isinstance(repeats, int) or repeats < 1:
        raise ValueError(f"repeats is how often each request is asked, 1 or more, not {repeats!r}")
    distinct = list({version.digest: version for version in versions}.values())
    fills = [(version, _columns(version, dataset)) for version in distinct]
    grouped: dict[str, tuple[Mapping[str, Any], list[Task]]] = {}
    unrendered: list[Unrendered] = []
    failures = dict.fromkeys((version.digest for version in distinct), 0)
    skipped = 0
    kept: list[Call] = []
    order = order_of(dataset)
    for number in order:
        row = dataset.rows[number]
        for version, columns in fills:
            tasks = [Task(version.digest, number, repeat) for repeat in range(repeats)]
            open_tasks = [task for task in tasks if task not in answered]
            skipped += len(tasks) - len(open_tasks)
            if not open_tasks and version is not distinct[0]:
                continue
            try:
                request = compiled(version.unit, version.digest).request(_values(version, row, columns))
                asked = {task: _seeded(request, task.repeat) if seeds else request for task in tasks}
                keys = {task: answer_key(base_url, asked[task], task.repeat) for task in tasks}
            except (RenderError, InvalidUnitError) as error:
                failures[version.digest] += 1
                if failures[version.digest] == len(dataset.rows):
                    raise _none_fits(version, dataset, error) from error
                unrendered.extend(Unrendered(task, RowError("render", str(error))) for task in open_tasks)
                continue
            for task in open_tasks:
                grouped.setdefault(keys[task], (asked[task], []))[1].append(task)
            if version is distinct[0]:
                kept.extend(Call(keys[task], asked[task], (task,)) for task in tasks if task in answered)
    return Plan(
        calls=tuple(Call(key, request, tuple(tasks)) for key, (request, tasks) in grouped.items()),
        unrendered=tuple(unrendered),
        total=len(distinct) * len(dataset.rows) * repeats,
        answered=skipped,
        baseline=distinct[0].digest,
        kept=tuple(kept),
        order=order,
    )


def _seeded(request: Mapping[str, Any], repeat: int) -> Mapping[str, Any]:
    base = request.get("seed")
    return {**request, "seed": repeat + (base if isinstance(base, int) else 1)}


def order_of(dataset: Dataset) -> tuple[int, ...]:
    """Return the rows in the order in which every run asks them: random, and fixed by the dataset's digest."""
    # Not random.shuffle, whose order Python may change from one release to the next.
    drawn = [hashlib.sha256(f"{dataset.digest}/{row}".encode()).digest() for row in range(len(dataset.rows))]
    return tuple(sorted(range(len(drawn)), key=drawn.__getitem__))


def _columns(version: PromptVersion, dataset: Dataset) -> tuple[str, ...]:
    """The variables of a version that the dataset has columns for."""
    known = set(dataset.columns)
    for variable, upstream in version.unit.inputs.items():
        if variable not in known:
            raise DatasetError(
                f"{version} takes {variable!r} from {upstream}, and chains are not run yet: give dataset"
                f" {dataset.name!r} a column {variable!r} with that prompt's outputs",
                missing=(variable,),
            )
    if missing := tuple(name for name in version.unit.required if name not in known):
        raise DatasetError(
            f"{version} needs {', '.join(map(repr, missing))}, which dataset {dataset.name!r} has no column for; it has"
            f" {', '.join(dataset.columns)}: rename a column, or give the variable a default",
            missing=missing,
        )
    return tuple(name for name in version.unit.variables if name in known)


def _values(version: PromptVersion, row: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    values = {}
    for name in columns:
        value = row[name]
        # An empty cell of a variable with a default is one that was not given.
        if value is not None or version.unit.variables[name].default is MISSING:
            values[name] = value
    return values


def _none_fits(version: PromptVersion, dataset: Dataset, error: RenderError | InvalidUnitError) -> RenderError:
    kind = type(error) if isinstance(error, RenderError) else RenderError
    return kind(f"no row of dataset {dataset.name!r} fits {version}: {error}", **error.facts)
