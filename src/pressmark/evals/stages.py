"""Running chains: the prompts upstream first, each once a row, then those that take their outputs.

Every stage is a run of its own on the same thread and journal. Outputs of prompts upstream are recorded under the run
id `RUN/upstream`, apart from the outputs that are judged. The answer cache finds them: resumed or evaluated again, a
chain asks only what it has not asked before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from pressmark.evals.cache import Lookup
from pressmark.evals.chain import Chain
from pressmark.evals.plan import Plan, columns_of, plan
from pressmark.evals.progress import Progress
from pressmark.evals.records import OutputRecord, Sink, Task
from pressmark.evals.suite import Suite
from pressmark.evals.work import Run

UPSTREAM: Final = "upstream"

MakeRun = Callable[[Plan, Suite, str, Sink, Lookup | None], Run]


class Stages:
    """Chains under way: what a `Run` is for plans without upstream prompts.

    Args:
        chains: The chains whose outputs are judged, the baseline first.
        suite: Judges them.
        run_id: Goes into the records.
        base_url: Where the endpoint is.
        repeats: How often each request is asked; repeat i takes repeat i of what is upstream.
        answered: Tasks of the judged chains that need not be asked again.
        sink: Gets each record.
        lookup: Finds known answers.
        make: Makes the run of one stage from plan, suite, run id, sink and lookup.

    Raises:
        DatasetError: A column for a variable of any prompt in the chains is missing.
    """

    def __init__(
        self,
        chains: Sequence[Chain],
        suite: Suite,
        *,
        run_id: str,
        base_url: str,
        repeats: int,
        answered: Iterable[Task],
        sink: Sink,
        lookup: Lookup | None,
        make: MakeRun,
    ) -> None:
        self.run_id = run_id
        self._chains, self._suite, self._make = tuple(chains), suite, make
        self._base_url, self._repeats, self._answered = base_url, repeats, set(answered)
        self._sink, self._lookup = sink, lookup
        self._upstream = upstream_of(chains)
        for chain in (*self._upstream, *self._chains):
            columns_of(chain, suite.dataset)
        self.tally = Together(len(self._upstream) * len(suite.dataset) * repeats, self._judged_total())

    async def main(self) -> None:
        """Do the work; this is what the engine runs."""
        outputs: dict[str, dict[tuple[int, int], str | None]] = {}
        collected = _Collected(self._sink, self._lookup)
        for chain in self._upstream:
            part = plan([chain], self._suite.dataset, base_url=self._base_url, repeats=self._repeats, upstream=outputs)
            collected.outputs = outputs.setdefault(chain.digest, {})
            await self._stage(part, Suite.collecting(self._suite.dataset), f"{self.run_id}/{UPSTREAM}", collected)
        collected.outputs = None
        judged = plan(
            self._chains,
            self._suite.dataset,
            base_url=self._base_url,
            repeats=self._repeats,
            answered=self._answered,
            upstream=outputs,
        )
        await self._stage(judged, self._suite, self.run_id, collected)

    async def _stage(self, part: Plan, suite: Suite, run_id: str, collected: _Collected) -> None:
        run = self._make(part, suite, run_id, collected, collected.find)
        self.tally.begin(run)
        await run.main()

    def _judged_total(self) -> int:
        return len({chain.digest for chain in self._chains}) * len(self._suite.dataset) * self._repeats


def upstream_of(chains: Iterable[Chain]) -> tuple[Chain, ...]:
    """Return every chain that feeds one of these, each once, in the order in which they must run."""
    found: dict[str, Chain] = {}
    for chain in chains:
        for member in chain.members[:-1]:
            found.setdefault(member.digest, member)
    return tuple(found.values())


class _Collected:
    """Passes records on, and remembers answers and outputs: the next stage needs them before they are in the file."""

    def __init__(self, sink: Sink, lookup: Lookup | None) -> None:
        self._sink, self._lookup = sink, lookup
        self._answers: dict[str, Mapping[str, Any]] = {}
        self.outputs: dict[tuple[int, int], str | None] | None = None

    def record(self, record: OutputRecord) -> None:
        """Keep a record."""
        self._sink.record(record)
        if record.answer is not None and record.request_digest:
            self._answers.setdefault(record.request_digest, record.answer.to_dict())
        if self.outputs is not None:
            self.outputs[record.row, record.repeat] = record.answer.output if record.answer else None

    def find(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return the known answers for these keys."""
        here = {key: self._answers[key] for key in keys if key in self._answers}
        missing = [key for key in keys if key not in here]
        return {**(self._lookup(missing) if self._lookup and missing else {}), **here}


class Together:
    """The progress of all stages as one.

    Args:
        upstream: Tasks of the prompts upstream.
        judged: Tasks of the judged chains.
    """

    def __init__(self, upstream: int, judged: int) -> None:
        self._total = upstream + judged
        self._runs: list[Run] = []

    def begin(self, run: Run) -> None:
        """Count a stage that begins."""
        self._runs.append(run)

    def progress(self) -> Progress:
        """Where the stages stand now."""
        parts = [run.tally.progress() for run in tuple(self._runs)]
        summed = {
            told.name: sum(getattr(part, told.name) for part in parts)
            for told in fields(Progress)
            if told.name not in ("cost", "total")
        }
        costs = [part.cost for part in parts if part.cost is not None]
        return Progress(**summed, total=self._total, cost=sum(costs) if costs else None)
