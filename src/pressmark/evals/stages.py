"""Running chains: the prompts upstream first, each once a row, then those that take their outputs.

Every stage is a run of its own on the same thread and journal. Outputs of prompts upstream are recorded under the run
id `RUN/upstream`, apart from the outputs that are judged. The answer cache finds them: resumed or evaluated again, a
chain asks only what it has not asked before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Protocol

from pressmark.evals.budget import Ledger
from pressmark.evals.cache import Lookup
from pressmark.evals.chain import Chain
from pressmark.evals.plan import Plan, columns_of, plan
from pressmark.evals.progress import Progress
from pressmark.evals.records import OutputRecord, Sink, Task
from pressmark.evals.suite import Suite
from pressmark.evals.work import Run, Stop

UPSTREAM: Final = "upstream"


class MakeRun(Protocol):
    """Makes the run of one stage."""

    def __call__(self, part: Plan, judged: Suite, name: str, into: Sink, known: Lookup | None, /, *, last: bool) -> Run:
        """Return a run of a plan, under a run id; `last` where its outputs are the judged ones."""


@dataclass(frozen=True, slots=True)
class ChainPlan:
    """What a run of chains has to ask; the requests downstream are made when the answers upstream are there.

    Attributes:
        chains: The chains whose outputs are judged, the baseline first.
        repeats: How often each request is asked; repeat i takes repeat i of what is upstream.
        seeds: Whether each repeat's request has a seed of its own.
        answered: Tasks of the judged chains that need not be asked again.
    """

    chains: tuple[Chain, ...]
    repeats: int = 1
    seeds: bool = False
    answered: frozenset[Task] = frozenset()

    @property
    def models(self) -> set[str]:
        """The models that are asked."""
        return {member.version.unit.model for chain in self.chains for member in chain.members}

    @property
    def upstream(self) -> tuple[Chain, ...]:
        """Every chain that feeds one of these, each once, in the order in which they must run."""
        found: dict[str, Chain] = {}
        for chain in self.chains:
            for member in chain.members[:-1]:
                found.setdefault(member.digest, member)
        return tuple(found.values())


class Stages:
    """Chains under way: what a `Run` is for plans without upstream prompts.

    Args:
        chained: What to ask.
        suite: Judges the outputs.
        run_id: Goes into the records.
        base_url: Where the endpoint is.
        sink: Gets each record.
        lookup: Finds known answers.
        ledger: Counts what all stages spend together.
        make: Makes the run of one stage.

    Raises:
        DatasetError: A column for a variable of any prompt in the chains is missing.
    """

    def __init__(
        self,
        chained: ChainPlan,
        suite: Suite,
        *,
        run_id: str,
        base_url: str,
        sink: Sink,
        lookup: Lookup | None,
        ledger: Ledger,
        make: MakeRun,
    ) -> None:
        self.run_id = run_id
        self.ledger = ledger
        self.stop: Stop | None = None
        self._judged: Run | None = None
        self._chained, self._suite, self._make = chained, suite, make
        self._base_url, self._sink, self._lookup = base_url, sink, lookup
        for chain in (*chained.upstream, *chained.chains):
            columns_of(chain, suite.dataset)
        chains = len(chained.upstream) + len({chain.digest for chain in chained.chains})
        self.tally = Together(chains * len(suite.dataset) * chained.repeats)

    @property
    def rows_done(self) -> int:
        """Rows that are finished; none while prompts upstream are asked."""
        return self._judged.rows_done if self._judged is not None else 0

    async def main(self) -> None:
        """Do the work; this is what the engine runs."""
        data = self._suite.dataset
        asked: dict[str, Any] = {
            "base_url": self._base_url,
            "repeats": self._chained.repeats,
            "seeds": self._chained.seeds,
        }
        outputs: dict[str, dict[tuple[int, int], str | None]] = {}
        collected = _Collected(self._sink, self._lookup)
        for chain in self._chained.upstream:
            part = plan([chain], data, upstream=outputs, **asked)
            collected.outputs = outputs.setdefault(chain.digest, {})
            name = f"{self.run_id}/{UPSTREAM}"
            await self._stage(self._make(part, Suite.collecting(data), name, collected, collected.find, last=False))
            if self.stop is not None:
                return
        collected.outputs = None
        part = plan(self._chained.chains, data, answered=self._chained.answered, upstream=outputs, **asked)
        self._judged = self._make(part, self._suite, self.run_id, collected, collected.find, last=True)
        await self._stage(self._judged)

    async def _stage(self, run: Run) -> None:
        self.tally.begin(run)
        await run.main()
        self.stop = run.stop


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
        total: Tasks of all of them.
    """

    def __init__(self, total: int) -> None:
        self._total = total
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
