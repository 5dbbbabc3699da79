"""The runner: asks what a plan holds, scores each answer, and records it the moment it arrives.

It takes what it needs by hand: a completion function, a sink for records, a lookup of known answers. It imports
neither pandas nor scipy, and costs little beside the calls themselves::

    execution = start(plan, suite, complete, sink, run_id="2026-11-21-1", concurrency=32, lookup=store.cached_answers)
    progress = execution.wait()

Stopped in the middle (Ctrl-C, `cancel()`, kill -9), what was recorded stays. To resume, make the plan again with the
tasks already finished (`finished`) and start it with the same run id.

**What ends a row and what ends a run.** An error that retries did not mend ends a row: it is recorded, and the run goes
on. A run ends early, with one clear error, when no further call could go well: the key is refused, the model is not
there, the endpoint is not (any more), or it wants to be left alone for longer than the run is ready to wait.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from pressmark.errors import BudgetError, RunCancelledError
from pressmark.evals.answer import Completion
from pressmark.evals.asking import Patience
from pressmark.evals.budget import Budget, Ledger, Price, Spent
from pressmark.evals.cache import Lookup
from pressmark.evals.engine import Engine
from pressmark.evals.plan import Plan
from pressmark.evals.progress import Progress
from pressmark.evals.records import OutputRecord, Sink, Task
from pressmark.evals.scorers import AskingScorer, Scorer
from pressmark.evals.scoring import Mark
from pressmark.evals.sizes import Sizes
from pressmark.evals.stages import ChainPlan, Stages
from pressmark.evals.suite import Suite
from pressmark.evals.work import Run, Stop

# The bound where none is given: more calls at once than this, endpoints seldom take from one key.
MOST_AT_ONCE = 256


class Execution:
    """A run under way. `start` makes one."""

    def __init__(self, run: Run | Stages, completes: Iterable[Completion]) -> None:
        self._run = run
        self._completes = {id(complete): complete for complete in completes}.values()
        self._engine = Engine(self._main, name=f"pressmark-run-{run.run_id}")

    async def _main(self) -> None:
        try:
            await self._run.main()
        finally:
            for complete in self._completes:
                close = getattr(complete, "aclose", None)
                if close is not None:
                    # A connection that does not close must not hide what ended the run.
                    with contextlib.suppress(Exception):
                        await close()

    @property
    def progress(self) -> Progress:
        """Where it stands now; safe from any thread."""
        return self._run.tally.progress()

    @property
    def stopped(self) -> Stop | None:
        """Why it ended (or is about to end) before its last row, where its budget or `stop_when` had it do so."""
        return self._run.stop

    @property
    def rows_done(self) -> int:
        """Rows whose every answer is there or ended as an error, those of earlier parts among them."""
        return self._run.rows_done

    @property
    def spent(self) -> Spent:
        """What it has spent, earlier parts of it included."""
        return self._run.ledger.spent

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._engine.done

    def cancel(self) -> None:
        """Ask it to stop; safe from any thread. What was recorded stays."""
        self._engine.cancel()

    def wait(self, *, bar: bool = False) -> Progress:
        """Wait for the end; KeyboardInterrupt stops the run before it goes on.

        Args:
            bar: Whether to draw a progress bar.

        Raises:
            EndpointError: No further call could go well.
            RunCancelledError: The run was cancelled.
        """
        with _bar(self, bar) as look, self._told():
            self._engine.wait(look)
        return self.progress

    async def finished(self, *, bar: bool = False) -> Progress:
        """Wait for the end from an event loop; cancelling the waiter stops the run.

        Raises:
            EndpointError: No further call could go well.
            RunCancelledError: The run was cancelled.
        """
        with _bar(self, bar) as look, self._told():
            await self._engine.finished(look)
        return self.progress

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except asyncio.CancelledError:
            current = self._waiter()
            if current is not None and current.cancelling():
                raise
            now = self.progress
            raise RunCancelledError(
                f"the run was stopped after {now.done:,} of {now.total:,} answers; they are kept: run it again to ask"
                " only what is missing",
                run_id=self._run.run_id,
                progress=now,
            ) from None

    @staticmethod
    def _waiter() -> asyncio.Task[Any] | None:
        try:
            return asyncio.current_task()
        except RuntimeError:
            return None


def start(
    plan: Plan | ChainPlan,
    suite: Suite,
    complete: Completion,
    sink: Sink,
    *,
    run_id: str,
    concurrency: int | None = 16,
    patience: Patience | None = None,
    lookup: Lookup | None = None,
    judge: Completion | None = None,
    budget: Budget | None = None,
    spent: Spent | None = None,
    stop_when: Callable[[], bool] | None = None,
    mark: Mark | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Execution:
    """Begin a run on a thread of its own.

    Args:
        plan: What to ask; of chains, what is upstream is asked first, each prompt once a row.
        suite: Its scorers score each answer.
        complete: Asks the endpoint.
        sink: Gets each record as it arrives, on the run's thread; those of prompts upstream carry
            the id `RUN/upstream`.
        run_id: Goes into the records.
        concurrency: How many calls are under way at an endpoint at once, at most; None leaves it to what the endpoint
            takes. A run begins with a few, and rises to it as long as the endpoint keeps up.
        patience: How long to try for one answer.
        lookup: Finds known answers; they are not asked again.
        judge: Asks the endpoint for the suite's judges; else `complete` does.
        budget: What the run may spend in all. When the next call could exceed it, the run stops: calls under way are
            waited for, and `Execution.stopped` tells why.
        spent: What earlier parts of the run spent of it.
        stop_when: Asked after every 10 finished rows, on a thread of its own; True stops the run likewise. It is asked
            once before the first call of a run that goes on.
        mark: Scores an answer elsewhere; else it is scored here.
        now: The clock of the records.

    Raises:
        BudgetError: Money is budgeted for a model whose price is not known.
        DatasetError: A column for a variable of a prompt in the chains is missing.
        ValueError: `concurrency` is not positive.
    """
    check_concurrency(concurrency)
    check_budget(budget, plan, suite, complete, judge)
    sizes = Sizes()
    ledger = Ledger(budget, spent, sizes)

    def make(part: Plan, judged: Suite, name: str, into: Sink, known: Lookup | None, *, last: bool) -> Run:
        return Run(
            part,
            judged,
            run_id=name,
            complete=complete,
            judge=judge or complete,
            sink=into,
            concurrency=MOST_AT_ONCE if concurrency is None else concurrency,
            patience=patience or Patience(),
            lookup=known,
            now=now,
            ledger=ledger,
            sizes=sizes,
            stop_when=stop_when if last else None,
            mark=mark,
        )

    run: Run | Stages
    if isinstance(plan, ChainPlan):
        run = Stages(
            plan,
            suite,
            run_id=run_id,
            base_url=complete.base_url,
            sink=sink,
            lookup=lookup,
            ledger=ledger,
            make=make,
        )
    else:
        run = make(plan, suite, run_id, sink, lookup, last=True)
    return Execution(run, (complete, judge or complete))


def check_concurrency(concurrency: int | None) -> None:
    """Refuse a number of calls that is none.

    Raises:
        ValueError: It is not positive.
    """
    if concurrency is None:
        return
    if isinstance(concurrency, bool) or not isinstance(concurrency, int) or concurrency < 1:
        raise ValueError(f"concurrency is the number of calls at once, 1 or more, or None, not {concurrency!r}")


def check_budget(
    budget: Budget | None, plan: Plan | ChainPlan, suite: Suite, complete: Completion, judge: Completion | None = None
) -> None:
    """Refuse a budget of money where a price is not known; the arguments are those of `start`.

    Raises:
        BudgetError: The price of a model that would be asked is not known.
    """
    if budget is not None and budget.money is not None:
        _check_prices(plan.models, complete)
        _check_prices({model for scorer in suite.scorers if (model := _judge_model(scorer))}, judge or complete)


def _check_prices(models: Iterable[str], complete: Completion) -> None:
    price: Price | None = getattr(complete, "price", None)
    unknown = [model for model in sorted(models) if price is None or price(model, 1, 1) is None]
    if unknown:
        raise BudgetError(
            f"the price of {' and '.join(map(repr, unknown))} at {complete.base_url} is not known, so a budget of money"
            " cannot be kept: nothing was asked. Give the budget in tokens, calls or minutes instead"
        )


def _judge_model(scorer: Scorer) -> str | None:
    model = getattr(scorer, "model", None) if isinstance(scorer, AskingScorer) else None
    return model if isinstance(model, str) else None


def execute(
    plan: Plan, suite: Suite, complete: Completion, sink: Sink, *, bar: bool = False, **options: Any
) -> Progress:
    """Run a plan and wait for its end: `start` and `Execution.wait` in one."""
    return start(plan, suite, complete, sink, **options).wait(bar=bar)


def finished(records: Iterable[OutputRecord], suite: Suite) -> set[Task]:
    """The tasks of earlier records that are done: answered, and scored by every scorer without an error."""
    names = {scorer.name for scorer in suite.scorers}
    return {
        record.task
        for record in records
        if record.answer is not None and names <= record.scores.keys() and not record.score_errors
    }


@contextlib.contextmanager
def _bar(execution: Execution, wanted: bool) -> Iterator[Callable[[], None]]:
    if not wanted:
        yield lambda: None
        return

    from pressmark.evals.bar import progress_bar

    with progress_bar(execution.progress.total, execution.progress.done) as bar:

        def look() -> None:
            now = execution.progress
            told = {"errors": now.errors or None, "cached": now.cached or None, "USD": now.cost}
            bar.set_postfix({name: value for name, value in told.items() if value is not None}, refresh=False)
            bar.update(now.done - bar.n)

        yield look
