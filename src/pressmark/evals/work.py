"""The work of a run, as it goes on its own thread: asking, scoring, recording."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pressmark.errors import EndpointAuthError, EndpointConnectionError, EndpointError
from pressmark.evals.answer import Answer, Completion
from pressmark.evals.asking import Asked, Patience, ask, row_error
from pressmark.evals.budget import Ledger
from pressmark.evals.cache import Lookup, answer_key
from pressmark.evals.lanes import Lane
from pressmark.evals.plan import Call, Plan
from pressmark.evals.progress import Rows, Tally
from pressmark.evals.records import OutputRecord, RowError, Sink, Task
from pressmark.evals.scorers import AskingScorer, DirectScorer, ScoringError, ScoringInput
from pressmark.evals.scoring import Mark, Marks, checked, failure, marks_of
from pressmark.evals.sizes import Sizes
from pressmark.evals.suite import Suite
from pressmark.prompts import FrozenDict

# An endpoint that was never reached is asked this often before the run gives up: a wrong address stays wrong.
_FIRST_CONTACT = 2
# Cached answers are recorded in bursts, with a pause between in which a cancellation is heard.
_BURST = 100
# Rows that finish between two looks at whether the run may stop.
_LOOK_EVERY = 10


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run ended before its last row.

    Attributes:
        by: `budget` or `sequence`.
        why: Said in words, without a full stop.
    """

    by: Literal["budget", "sequence"]
    why: str


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer on its way through the scorers."""

    task: Task
    call: Call
    answer: Answer
    attempts: int
    cached: bool
    marks: Marks


class Run:
    """The state of a run; only its own thread changes it."""

    def __init__(
        self,
        plan: Plan,
        suite: Suite,
        *,
        run_id: str,
        complete: Completion,
        judge: Completion,
        sink: Sink,
        concurrency: int,
        patience: Patience,
        lookup: Lookup | None,
        now: Callable[[], datetime],
        ledger: Ledger,
        sizes: Sizes,
        stop_when: Callable[[], bool] | None = None,
        mark: Mark | None = None,
    ) -> None:
        self.run_id = run_id
        self.ledger = ledger
        self.stop: Stop | None = None
        self._lanes = {c.base_url: Lane(c, concurrency, ledger, sizes) for c in (judge, complete)}
        self._stop_when, self._mark = stop_when, mark
        self._rows = Rows(
            [*(task for call in plan.calls for task in call.tasks), *(failed.task for failed in plan.unrendered)]
        )
        self._look = asyncio.Event()
        self._plan, self._suite, self._sink, self._now = plan, suite, sink, now
        self._complete, self._judge = complete, judge
        self._concurrency, self._patience, self._lookup = concurrency, patience, lookup
        self._direct = tuple(scorer for scorer in suite.scorers if isinstance(scorer, DirectScorer))
        self._asking = tuple(scorer for scorer in suite.scorers if isinstance(scorer, AskingScorer))
        self._known: dict[str, Answer] = {}
        # What the baseline answered, by row and repeat, and the answers that wait for it to be judged.
        self._by_baseline = any(judge.needs_baseline for judge in self._asking)
        self._baselines: dict[tuple[int, int], str | None] = {}
        self._waiting: dict[tuple[int, int], list[Judged]] = {}
        self.tally = Tally(plan.total, plan.answered)
        self._reached: set[str] = set()
        self._lost = 0
        self._random = random.Random()  # noqa: S311  # spreads waits

    @property
    def rows_done(self) -> int:
        """Rows that are finished, those of earlier parts among them."""
        return len(self._suite.dataset) - self._rows.open

    async def main(self) -> None:
        """Do the work; this is what the engine runs."""
        try:
            for unrendered in self._plan.unrendered:
                await self._fail(unrendered.task, "", unrendered.error, attempts=0)
            self._find([call.key for call in self._plan.calls])
            self._find_baselines()
            self._find(self._judge_keys())
            queue = iter(self._plan.calls)
            if self._plan.answered:
                await self._look_once()
            async with asyncio.TaskGroup() as group:
                watcher = group.create_task(self._watch()) if self._stop_when is not None else None
                workers = [
                    group.create_task(self._work(queue)) for _ in range(min(self._concurrency, len(self._plan.calls)))
                ]
                if watcher is not None and workers:
                    await asyncio.wait(workers)
                if watcher is not None:
                    watcher.cancel()
        except BaseExceptionGroup as raised:
            # Workers fail for one reason; the others were cancelled for it.
            raise raised.exceptions[0] from None
        finally:
            self.tally.stop()

    async def _work(self, queue: Iterator[Call]) -> None:
        burst = 0
        for call in queue:
            if self.stop is not None:
                return
            known = self._known.pop(call.key, None)
            if known is None:
                await self._serve(call)
                continue
            for task in call.tasks:
                await self._score(task, call, known, attempts=0, cached=True)
            burst += 1
            if burst % _BURST == 0:
                await asyncio.sleep(0)

    async def _serve(self, call: Call) -> None:
        """Ask for an answer, and give it to every task that waits for it."""
        asked = await self._ask(self._complete, call.request)
        if asked.answer is None:
            if asked.error is None:
                return  # the run is to stop; what is missing is asked when it goes on
            self._refuse_hopeless(self._complete, asked.error)
            error = row_error(asked.error, asked.attempts)
            for task in call.tasks:
                await self._fail(task, call.key, error, attempts=asked.attempts)
            return
        first, *others = call.tasks
        await self._score(first, call, asked.answer, attempts=asked.attempts)
        for task in others:
            await self._score(task, call, asked.answer, attempts=0, cached=True)

    async def _score(self, task: Task, call: Call, answer: Answer, *, attempts: int, cached: bool = False) -> None:
        given = self._given(task, call, answer)
        if self._direct and self._mark is not None:
            self._keep(Judged(task, call, answer, attempts, cached, Marks()))
            marks = await self._mark(given)
        else:
            marks = marks_of(self._direct, given)
        judged = Judged(task, call, answer, attempts, cached, marks)
        if self._asking:
            self._keep(judged)
        place = (task.row, task.repeat)
        if self._by_baseline and task.version != self._plan.baseline and place not in self._baselines:
            self._waiting.setdefault(place, []).append(judged)
            return
        await self._judge_all(judged)
        await self._baseline_ended(task, answer.output)

    def _keep(self, judged: Judged) -> None:
        """Record an answer that was paid for now: to judge it, or to have it scored elsewhere, takes a while."""
        if not judged.cached:
            self._sink.record(
                self._made(
                    judged.task,
                    judged.call.key,
                    answer=judged.answer,
                    attempts=judged.attempts,
                    marks=judged.marks,
                )
            )

    async def _judge_all(self, judged: Judged) -> None:
        """Ask the judges about an answer, and end its task."""
        task, marks = judged.task, judged.marks
        given = self._given(task, judged.call, judged.answer)
        for judge in self._asking:
            if judge.needs_baseline and task.version == self._plan.baseline:
                marks.scores[judge.name] = None
            elif not await self._ask_judge(judge, given, task, marks):
                return
        self._end(
            self._made(
                task,
                judged.call.key,
                answer=judged.answer,
                attempts=judged.attempts,
                cached=judged.cached,
                marks=marks,
            )
        )

    async def _fail(self, task: Task, key: str, error: RowError, *, attempts: int) -> None:
        self._end(self._made(task, key, error=error, attempts=attempts))
        await self._baseline_ended(task, None)

    async def _baseline_ended(self, task: Task, output: str | None) -> None:
        """Judge the answers that waited for the baseline's."""
        if self._by_baseline and task.version == self._plan.baseline:
            place = (task.row, task.repeat)
            self._baselines[place] = output
            for judged in self._waiting.pop(place, ()):
                await self._judge_all(judged)

    async def _ask_judge(self, judge: AskingScorer, given: ScoringInput, task: Task, marks: Marks) -> bool:
        """Ask a judge; False where the run is to stop instead, and the answer waits to be judged when it goes on."""
        try:
            request = judge.request(given)
            key = answer_key(self._judge.base_url, request, task.repeat)
        except Exception as error:  # noqa: BLE001  # as for any scorer
            marks.miss(judge.name, failure(judge, error))
            return True
        answer = self._known.get(key)
        if answer is None:
            asked = await self._ask(self._judge, request)
            if asked.answer is None:
                if asked.error is None:
                    return False
                self._refuse_hopeless(self._judge, asked.error)
                told = row_error(asked.error, asked.attempts).message
                marks.miss(judge.name, f"scorer {judge.name!r}: the judge did not answer: {told}")
                return True
            answer = asked.answer
            apart = f"{self.run_id}/{judge.name}"
            self._sink.record(self._made(task, key, answer=answer, attempts=asked.attempts, run_id=apart))
        try:
            judgement = judge.read(given, answer)
            marks.scores[judge.name] = checked(judge, judgement.score)
            marks.judgements[judge.name] = judgement.details
        except Exception as error:  # noqa: BLE001  # as for any scorer
            marks.miss(judge.name, failure(judge, error))
            marks.judgements[judge.name] = {"answer": answer.output, "model": answer.model}
        return True

    async def _ask(self, complete: Completion, request: Mapping[str, Any]) -> Asked:
        url = complete.base_url

        def go_on(error: EndpointError, attempt: int) -> bool:
            return url in self._reached or not _refused(error) or attempt < _FIRST_CONTACT

        try:
            asked = await ask(
                complete,
                request,
                self._patience,
                admit=self._lanes[url].admit,
                go_on=go_on,
                draw=self._random.random,
            )
        except Exception as error:  # noqa: BLE001  # a fault of ours must not lose the other rows
            told = EndpointError(f"{type(error).__name__}: {error}", kind="unexpected")
            asked = Asked(None, told, 1)
        self.tally.asked(asked)
        if asked.answer is None and asked.error is None and self.stop is None:
            self.stop = Stop("budget", self.ledger.why)
        if asked.answer is not None:
            self._reached.add(url)
            self._lost = 0
        return asked

    def _refuse_hopeless(self, complete: Completion, error: EndpointError) -> None:
        """Raise an error after which no further call could go well."""
        if isinstance(error, EndpointAuthError) or getattr(error, "hopeless", False):
            raise error
        if error.retry_after is not None and error.retry_after > self._patience.longest_wait:
            raise error  # it would say so to every row
        if _refused(error):
            self._lost += 1
            if complete.base_url not in self._reached or self._lost > self._concurrency:
                raise error

    def _find(self, keys: Sequence[str]) -> None:
        if self._lookup is not None and keys:
            for key, told in self._lookup(keys).items():
                self._known[key] = Answer.from_dict(told)

    def _find_baselines(self) -> None:
        """Learn what the baseline answered, where that is known already."""
        if not self._by_baseline:
            return
        self._find([call.key for call in self._plan.kept])
        for call in (*self._plan.kept, *self._plan.calls):
            answer = self._known.get(call.key)
            for task in call.tasks if answer is not None else ():
                if task.version == self._plan.baseline:
                    assert answer is not None
                    self._baselines[task.row, task.repeat] = answer.output
        for call in self._plan.kept:
            # Answered by an earlier run whose answers are not at hand.
            self._baselines.setdefault((call.tasks[0].row, call.tasks[0].repeat), None)

    def _judge_keys(self) -> list[str]:
        """Keys of what judges would be asked about the answers that are known already."""
        keys = []
        for call in self._plan.calls if self._asking else ():
            answer = self._known.get(call.key)
            for task in call.tasks if answer else ():
                for judge in self._asking:
                    assert answer is not None
                    with contextlib.suppress(ScoringError):
                        request = judge.request(self._given(task, call, answer))
                        keys.append(answer_key(self._judge.base_url, request, task.repeat))
        return keys

    def _given(self, task: Task, call: Call, answer: Answer) -> ScoringInput:
        row = self._suite.dataset.rows[task.row]
        baseline = self._baselines.get((task.row, task.repeat))
        return ScoringInput(answer.output, row, answer, call.request, task.row, task.repeat, baseline)

    def _end(self, record: OutputRecord) -> None:
        """Record the end of a task."""
        self._sink.record(record)
        self.tally.ended(record)
        if self._rows.ended(record.task) and self._rows.finished % _LOOK_EVERY == 0:
            self._look.set()

    async def _watch(self) -> None:
        while self.stop is None:
            await self._look.wait()
            self._look.clear()
            await self._look_once()

    async def _look_once(self) -> None:
        """Ask whether enough is known, on another thread: the calls under way are not kept waiting."""
        if self._stop_when is not None and self.stop is None and await asyncio.to_thread(self._stop_when):
            self.stop = Stop("sequence", "the difference is told apart")
            self.ledger.halt(self.stop.why)

    def _made(
        self,
        task: Task,
        key: str,
        *,
        answer: Answer | None = None,
        error: RowError | None = None,
        attempts: int = 0,
        cached: bool = False,
        marks: Marks | None = None,
        run_id: str | None = None,
    ) -> OutputRecord:
        marks = marks or Marks()
        return OutputRecord(
            run_id=run_id or self.run_id,
            version=task.version,
            row=task.row,
            repeat=task.repeat,
            request_digest=key,
            answer=answer,
            error=error,
            attempts=attempts,
            cached=cached,
            at=self._now(),
            scores=FrozenDict(marks.scores),
            score_errors=FrozenDict(marks.errors),
            judgements=FrozenDict(marks.judgements),
        )


def _refused(error: EndpointError) -> bool:
    """Whether nothing listens at the endpoint's address."""
    return isinstance(error, EndpointConnectionError) and bool(getattr(error, "refused", False))
