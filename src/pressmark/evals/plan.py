"""What a run has to ask: every version with every row and repeat, rendered and keyed before the first call.

Rows are asked in an order that is random, and the same for the same dataset: whatever part of a run is there is a fair
sample of its rows, also where the file was sorted, and a run that is taken up again goes on in the same order. Which
version of a row goes first is drawn likewise, so that none is asked under another load than the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from pressmark.errors import DatasetError, InvalidUnitError, RenderError
from pressmark.evals.cache import answer_key
from pressmark.evals.chain import Chain
from pressmark.evals.dataset import Dataset
from pressmark.evals.records import RowError, Task
from pressmark.prompts import MISSING
from pressmark.rendering import PromptVersion, compiled

PAUSE_EVERY = 100

# What the prompts upstream answered: by digest of the chain, then by row and repeat; None where there is no answer.
Upstream = Mapping[str, Mapping[tuple[int, int], str | None]]


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
        calls: In the order in which they are asked, the versions of one row side by side, in an order that is drawn for
            each row.
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

    @property
    def models(self) -> set[str]:
        """The models that are asked."""
        return {str(call.request.get("model", "")) for call in self.calls}


def unhurried() -> None:
    """Does not pause."""


def plan(
    versions: Sequence[PromptVersion | Chain],
    dataset: Dataset,
    *,
    base_url: str,
    repeats: int = 1,
    seeds: bool = False,
    answered: Container[Task | tuple[str, int, int]] = (),
    upstream: Upstream | None = None,
    pause: Callable[[], None] = unhurried,
) -> Plan:
    """Render every request of a run.

    Args:
        versions: The prompt versions, or chains.
        dataset: Its columns fill the variables of the same name.
        base_url: Where the endpoint is.
        repeats: How often each request is asked.
        seeds: Whether each repeat's request has a `seed` of its own: the repeat's number from 1, or so much above the
            seed that the prompt's parameters set. It is part of the request, and so of the answer cache's key.
        answered: Tasks that need not be asked again.
        upstream: What the prompts upstream of the chains answered.
        pause: Called every few rows: whoever plans beside other work waits there.

    Raises:
        DatasetError: A column for a variable is missing, or a version's input would need an upstream prompt's answer.
        RenderError: Not one row fits a version's template; the first row's reason.
        ValueError: `repeats` is not positive, or there is no version.
    """
    if not versions:
        raise ValueError("a run needs at least one version: give those that shall be compared")
    if isinstance(repeats, bool) or not isinstance(repeats, int) or repeats < 1:
        raise ValueError(f"repeats is how often each request is asked, 1 or more, not {repeats!r}")
    chains = [given if isinstance(given, Chain) else Chain.of(given) for given in versions]
    distinct = list({chain.digest: chain for chain in chains}.values())
    fills = [_Fill(chain, columns_of(chain, dataset), upstream or {}) for chain in distinct]
    grouped: dict[str, tuple[Mapping[str, Any], list[Task]]] = {}
    unrendered: list[Unrendered] = []
    skipped = 0
    kept: list[Call] = []
    order = order_of(dataset)
    for count, number in enumerate(order):
        if count % PAUSE_EVERY == 0:
            pause()
        row = dataset.rows[number]
        for fill in sorted(fills, key=partial(_turn, dataset.digest, number)):
            for repeat in range(repeats):
                task = Task(fill.chain.digest, number, repeat)
                known = task in answered
                skipped += known
                if known and fill is not fills[0]:
                    continue
                try:
                    request = fill.request(row, number, repeat)
                    request = _seeded(request, repeat) if seeds else request
                    key = answer_key(base_url, request, repeat)
                except (RenderError, InvalidUnitError) as error:
                    fill.failures += 1
                    if fill.failures == len(dataset.rows) * repeats:
                        raise _none_fits(fill.chain.version, dataset, error) from error
                    if not known:
                        unrendered.append(Unrendered(task, RowError("render", str(error))))
                except _UpstreamError as missing:
                    if not known:
                        unrendered.append(Unrendered(task, RowError("upstream", str(missing))))
                else:
                    if known:
                        kept.append(Call(key, request, (task,)))
                    else:
                        grouped.setdefault(key, (request, []))[1].append(task)
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


def _turn(dataset: str, row: int, fill: _Fill) -> bytes:
    # Drawn for each row anew, not in turns: what is asked eight at a time has a rhythm of its own.
    return hashlib.sha256(f"{dataset}/{row}/{fill.chain.digest}".encode()).digest()


class _UpstreamError(Exception):
    """A prompt upstream gave no answer, so that there is nothing to ask."""


class _Fill:
    """How the rows fill one version's template."""

    def __init__(self, chain: Chain, columns: tuple[str, ...], upstream: Upstream) -> None:
        self.chain = chain
        self.failures = 0
        self._columns = columns
        self._upstream = upstream
        self._last: tuple[int, Mapping[str, Any]] | None = None

    def request(self, row: Mapping[str, Any], number: int, repeat: int) -> Mapping[str, Any]:
        """Return what to ask for a row; the same for all repeats where nothing is upstream."""
        if self._last is not None and self._last[0] == number and not self.chain.upstream:
            return self._last[1]
        version = self.chain.version
        values = _values(version, row, self._columns)
        for variable, feed in self.chain.upstream.items():
            answer = self._upstream.get(feed.digest, {}).get((number, repeat))
            if answer is None:
                raise _UpstreamError(
                    f"{feed.version}, whose answer fills {variable!r}, gave none to this row: see its error, and run"
                    " again"
                )
            values[variable] = answer
        request = compiled(version.unit, version.digest).request(values)
        self._last = (number, request)
        return request


def columns_of(chain: Chain, dataset: Dataset) -> tuple[str, ...]:
    """Return the variables of a chain's version that the dataset's columns fill.

    Raises:
        DatasetError: A column for a variable is missing.
    """
    version, known = chain.version, set(dataset.columns)
    for variable, reference in version.unit.inputs.items():
        if variable not in known and variable not in chain.upstream:
            raise DatasetError(
                f"{version} takes {variable!r} from {reference}, which is not part of this run: give dataset"
                f" {dataset.name!r} a column {variable!r} with that prompt's outputs",
                missing=(variable,),
            )
    filled = known | chain.upstream.keys()
    if missing := tuple(name for name in version.unit.required if name not in filled):
        raise DatasetError(
            f"{version} needs {', '.join(map(repr, missing))}, which dataset {dataset.name!r} has no column for; it has"
            f" {', '.join(dataset.columns)}: rename a column, or give the variable a default",
            missing=missing,
        )
    return tuple(name for name in version.unit.variables if name in known and name not in chain.upstream)


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
