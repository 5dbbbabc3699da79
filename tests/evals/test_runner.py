"""The runner on scripted completions: scores, records, cache, resumption, and what ends a run."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from typing import Any

import pytest

from pressmark.errors import EndpointAuthError, EndpointConnectionError, EndpointError, RunCancelledError
from pressmark.evals import (
    Answer,
    Completion,
    Execution,
    Memory,
    OutputRecord,
    Patience,
    Task,
    execute,
    finished,
    scorers,
    start,
)
from pressmark.evals import plan as make_plan
from pressmark.evals.plan import order_of
from pressmark.prompts import FrozenDict

from .making import Scripted, dataset, suite, version

QUICK = Patience(first_wait=0.001)
TEXTS = [f"text {n}" for n in range(20)]


def begin(
    complete: Completion, *texts: str, sink: Any = None, given: Any = (), **options: Any
) -> tuple[Execution, Any]:
    """Start a run of one version over texts."""
    data = dataset(*(texts or TEXTS))
    sink = Memory() if sink is None else sink
    plan = make_plan([version()], data, base_url=complete.base_url, repeats=options.pop("repeats", 1))
    options = {"run_id": "run", "patience": QUICK, **options}
    return start(plan, suite(data, *given), complete, sink, **options), sink


def echo(text: str) -> str:
    """Answer with the question."""
    return f"echo of {text}"


def test_every_task_is_recorded() -> None:
    """Each row is answered, scored and recorded once, and the completion is closed."""
    complete = Scripted(echo)
    even = scorers.Function("even", lambda output, row: int(output[-1]) % 2 == 0)
    execution, sink = begin(complete, given=[scorers.Length(), even])
    progress = execution.wait()
    assert sorted(record.row for record in sink.records) == list(range(20))
    for record in sink.records:
        assert record.answer is not None
        assert record.answer.output == f"echo of text {record.row}"
        assert record.scores == {"length": len(record.answer.output), "even": float(record.row % 2 == 0)}
        assert OutputRecord.from_dict(record.to_dict()) == record
    assert (progress.done, progress.total, progress.errors, progress.calls, progress.retries) == (20, 20, 0, 20, 0)
    assert complete.closed == 1


def test_concurrency_is_a_bound() -> None:
    """No more calls are under way at once than asked for, and not fewer where there is work."""

    async def slowly() -> str:
        await asyncio.sleep(0.01)
        return "done"

    complete = Scripted(lambda text: slowly())
    execution, _ = begin(complete, concurrency=7)
    execution.wait()
    assert complete.peak == 7


def test_errors_are_rows() -> None:
    """A call that cannot be mended ends its row with the reason; the other rows go on."""

    def reply(text: str) -> Any:
        return EndpointError(f"no {text}", status=400) if text == "text 3" else echo(text)

    execution, sink = begin(Scripted(reply))
    progress = execution.wait()
    (failed,) = [record for record in sink.records if record.error]
    assert (failed.row, failed.answer, failed.error.kind, failed.error.status) == (3, None, "bad request", 400)
    assert failed.error.message == "no text 3"
    assert OutputRecord.from_dict(failed.to_dict()) == failed
    assert (progress.done, progress.errors) == (20, 1)


def test_a_fault_of_the_completion_is_a_row() -> None:
    """Whatever a completion raises costs its row, not the run."""
    execution, sink = begin(Scripted(lambda text: KeyError("x") if text == "text 1" else echo(text)))
    assert execution.wait().errors == 1
    assert {r.error.kind for r in sink.records if r.error} == {"unexpected"}


def test_a_scorer_that_raises_costs_a_score() -> None:
    """A scorer that raises, or returns nonsense, makes a score error; the answer and the other scores stay."""
    given = [
        scorers.Function("broken", lambda output, row: 1 / 0),
        scorers.Function("text", lambda output, row: "good"),  # type: ignore[arg-type, return-value]
        scorers.Function("much", lambda output, row: 7),
        scorers.Function("absent", lambda output, row: None),
        scorers.Length(),
    ]
    execution, sink = begin(Scripted(echo), "a", given=given)
    assert execution.wait().errors == 0
    (record,) = sink.records
    assert record.scores == {"broken": None, "text": None, "much": None, "absent": None, "length": 9}
    assert record.score_errors.keys() == {"broken", "text", "much"}
    assert record.score_errors["broken"] == "scorer 'broken' raised ZeroDivisionError: division by zero"


ENDING = """
import sys
from pressmark.evals import scorers
from tests.evals.making import Scripted
from tests.evals.test_runner import begin, echo

class Over(BaseException):
    pass

def ending(output, row):
    raise {raised}

execution, sink = begin(Scripted(echo), "a", "b", given=[scorers.Function("f", ending), scorers.Length()])
print(execution.wait().errors, [(r.scores["length"], r.score_errors["f"]) for r in sink.records])
"""


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        ("SystemExit(3)", "scorer 'f': it raised SystemExit: 3"),
        ("Over('enough')", "scorer 'f': it raised Over: enough"),
        ("KeyboardInterrupt('again')", "scorer 'f': it raised KeyboardInterrupt: again"),
    ],
)
def test_a_scorer_that_ends_the_process(raised: str, said: str) -> None:
    """Whatever a scorer raises costs the score and nothing else; a real interrupt comes to the main thread."""
    done = subprocess.run(
        [sys.executable, "-c", ENDING.format(raised=raised)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stderr == ""
    assert done.returncode == 0
    assert said in done.stdout
    assert done.stdout.count(said) == 2


def test_rows_that_do_not_render_are_recorded() -> None:
    """A row that does not fit the template becomes an error row of the run."""
    data = dataset("a", 3, "c")  # type: ignore[arg-type]
    plan = make_plan([version(variables={"text": "string"})], data, base_url="http://scripted/v1")
    sink = Memory()
    progress = execute(plan, suite(data), Scripted(echo), sink, run_id="run")
    assert {record.row: record.error.kind if record.error else None for record in sink.records} == {
        0: None,
        1: "render",
        2: None,
    }
    assert (progress.done, progress.errors) == (3, 1)


def test_repeats_and_equal_rows() -> None:
    """Each repeat is asked; equal rows are asked once and both recorded."""
    complete = Scripted(echo)
    execution, sink = begin(complete, "a", "a", "b", repeats=3)
    execution.wait()
    assert len(complete.asked) == 6
    assert len(sink.records) == 9
    assert sum(record.cached for record in sink.records) == 3


def test_known_answers_are_not_asked_again() -> None:
    """Answers found by one lookup before the start are scored and recorded without a call; errors are asked again."""
    complete = Scripted(lambda text: EndpointError("no", status=400) if text == "text 5" else echo(text))
    execution, first = begin(complete)
    execution.wait()
    known = {r.request_digest: r.answer.to_dict() for r in first.records if r.answer}
    looked: list[int] = []

    def lookup(keys: Any) -> dict[str, Any]:
        looked.append(len(keys))
        return {key: known[key] for key in keys if key in known}

    again = Scripted(echo)
    execution, second = begin(again, lookup=lookup)
    progress = execution.wait()
    assert again.asked == ["text 5"]
    assert looked == [20]
    assert (progress.cached, progress.calls, progress.cost) == (19, 1, None)
    assert {r.row: r.answer and r.answer.output for r in second.records} == {n: f"echo of text {n}" for n in range(20)}
    assert {record.attempts for record in second.records if record.cached} == {0}


def test_cancel_and_resume() -> None:
    """A cancelled run keeps what was recorded; resumed, it asks only what is missing, earlier errors among it."""
    reached = threading.Event()
    data = dataset(*TEXTS)
    order = order_of(data)

    async def stuck() -> str:
        reached.set()
        await asyncio.Event().wait()
        return ""

    def reply(text: str) -> Any:
        if text == TEXTS[order[2]]:
            return EndpointError("no", status=400)
        return stuck() if text == TEXTS[order[10]] else echo(text)

    complete = Scripted(reply)
    execution, sink = begin(complete, concurrency=1)
    assert reached.wait(10)
    execution.cancel()
    with pytest.raises(RunCancelledError, match="stopped after 10 of 20 answers; they are kept") as raised:
        execution.wait()
    assert raised.value.progress.done == 10  # type: ignore[attr-defined]
    assert complete.closed == 1

    answered = finished(sink.records, suite(data))
    assert answered == {Task(version().digest, row, 0) for row in (*order[:2], *order[3:10])}
    again = Scripted(echo)
    plan = make_plan([version()], data, base_url=again.base_url, answered=answered)
    progress = execute(plan, suite(data), again, sink, run_id="run")
    assert again.asked == [f"text {row}" for row in (order[2], *order[10:])]
    assert (progress.done, progress.total, progress.errors) == (20, 20, 0)
    assert all(record.answer for record in sink.records)


async def test_awaited() -> None:
    """In an async caller the run is awaited, and cancelling the caller stops it."""
    execution, _ = begin(Scripted(echo))
    assert (await execution.finished()).done == 20

    started = threading.Event()

    async def stuck() -> str:
        started.set()
        await asyncio.Event().wait()
        return ""

    async def caller() -> None:
        execution, _ = begin(Scripted(lambda text: stuck()))
        await execution.finished()

    waiting = asyncio.ensure_future(caller())
    assert await asyncio.to_thread(started.wait, 10)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_cancelled_from_elsewhere_while_awaited() -> None:
    """A run that someone else cancels ends for its awaiting caller with words, not as the caller's own cancellation."""
    execution, _ = begin(Scripted(lambda text: asyncio.Event().wait()))
    execution.cancel()
    with pytest.raises(RunCancelledError):
        await execution.finished()


@pytest.mark.parametrize(
    "error",
    [
        EndpointAuthError("wrong key", status=401, hopeless=True),
        EndpointError("no such model", status=404, hopeless=True),
        EndpointConnectionError("nothing there", retryable=True, refused=True),
        EndpointError("come back in an hour", status=429, retryable=True, retry_after=3600.0),
    ],
)
def test_hopeless_errors_end_the_run(error: EndpointError) -> None:
    """A refused key, an unknown model, a dead address and a wait beyond all patience each end the run at once."""
    complete = Scripted(lambda text: error)
    execution, _ = begin(complete, concurrency=4)
    with pytest.raises(type(error)) as raised:
        execution.wait()
    assert raised.value is error
    assert len(complete.asked) <= 8
    assert complete.closed == 1


def test_an_endpoint_that_goes_away_ends_the_run() -> None:
    """Where nothing listens any more, the run ends after some rows have waited in vain, and keeps its answers."""
    gone = EndpointConnectionError("gone", retryable=True, refused=True)
    seen: list[str] = []

    def reply(text: str) -> Any:
        seen.append(text)
        return gone if len(seen) > 5 else echo(text)

    texts = [f"text {n}" for n in range(200)]
    execution, sink = begin(Scripted(reply), *texts, concurrency=4, patience=Patience(attempts=2, first_wait=0.001))
    with pytest.raises(EndpointConnectionError):
        execution.wait()
    assert sum(record.answer is not None for record in sink.records) == 5
    assert len(seen) < 40


def test_a_sink_that_fails_ends_the_run() -> None:
    """Answers that cannot be kept are not paid for: the sink's error ends the run."""

    class Full(Memory):
        def record(self, record: OutputRecord) -> None:
            if len(self.records) == 3:
                raise OSError("disk full")
            super().record(record)

    complete = Scripted(echo)
    execution, sink = begin(complete, sink=Full(), concurrency=2)
    with pytest.raises(OSError, match="disk full"):
        execution.wait()
    assert len(sink.records) == 3
    assert len(complete.asked) <= 5


def test_judges_ask_through_the_same_runner() -> None:
    """A judge's answer is retried, recorded under the run and its name, counted and cached like any other."""
    judge = scorers.Judge("good", model="judge", question="text")
    busy = iter([EndpointError("busy", status=429, retryable=True)])

    def reply(text: str) -> Any:
        if "The answer to grade" not in text:
            return Answer(echo(text), tokens_in=10, tokens_out=1, cost=0.5)
        if "text 7" in text:
            return "who knows"
        return next(busy, Answer("4", model="judge", tokens_in=5, tokens_out=1))

    execution, sink = begin(Scripted(reply), given=[judge, scorers.Length()])
    progress = execution.wait()
    assert (progress.calls, progress.retries, progress.tokens_in, progress.cost) == (41, 1, 295, 10.0)
    run = {record.row: record for record in sink.records if record.run_id == "run"}
    apart = {record.row: record for record in sink.records if record.run_id == "run/judge"}
    assert len(run) == len(apart) == 20
    assert run[0].scores == {"judge": 0.75, "length": 14}
    assert run[0].judgements == {"judge": {"grade": 4, "model": "judge"}}
    assert run[7].scores["judge"] is None
    assert "'who knows', not a whole number from 1 to 5" in run[7].score_errors["judge"]
    assert finished(run.values(), suite(dataset(*TEXTS), judge, scorers.Length())) == {
        record.task for record in run.values() if record.row != 7
    }

    known = {r.request_digest: r.answer.to_dict() for r in sink.records if r.answer}
    again = Scripted(echo)
    execution, second = begin(
        again, given=[judge, scorers.Length()], lookup=lambda keys: {k: known[k] for k in keys if k in known}
    )
    execution.wait()
    assert again.asked == []
    assert {r.row: r.scores for r in second.records} == {row: record.scores for row, record in run.items()}


def test_an_answer_is_kept_before_it_is_judged() -> None:
    """An answer is recorded as soon as it is there; a stop while the judge thinks does not lose it."""
    judging = threading.Event()

    async def thinking() -> str:
        judging.set()
        await asyncio.Event().wait()
        return ""

    judge = scorers.Judge("good", model="judge")
    complete = Scripted(lambda text: thinking() if "The answer to grade" in text else echo(text))
    execution, sink = begin(complete, "a", given=[judge])
    assert judging.wait(10)
    execution.cancel()
    with pytest.raises(RunCancelledError):
        execution.wait()
    (record,) = sink.records
    assert record.answer is not None
    assert finished(sink.records, suite(dataset("a"), judge)) == set()


def test_a_judge_that_does_not_answer_costs_its_score() -> None:
    """A judge whose endpoint fails leaves a score error that a resumed run tries again."""
    judge = scorers.Judge("good", model="judge")
    broken = EndpointError("broken", status=400)
    complete = Scripted(lambda text: broken if "The answer to grade" in text else echo(text))
    execution, sink = begin(complete, "a", given=[judge])
    assert execution.wait().errors == 0
    (record,) = sink.records
    assert record.score_errors == {"judge": "scorer 'judge': the judge did not answer: broken"}
    assert finished(sink.records, suite(dataset("a"), judge)) == set()


def test_a_judge_may_have_an_endpoint_of_its_own() -> None:
    """A judge's completion, where one is given, gets the judge's requests and no others."""
    asked, judging = Scripted(echo), Scripted(lambda text: "5")
    execution, _ = begin(asked, "a", "b", given=[scorers.Judge("good", model="judge")], judge=judging)
    execution.wait()
    assert (len(asked.asked), len(judging.asked)) == (2, 2)
    assert (asked.closed, judging.closed) == (1, 1)


def test_answers_read_the_json_form() -> None:
    """An answer's JSON form is complete, and forms with gaps or additions are read."""
    answer = Answer("o", "m", FrozenDict({"content": "o"}), "f", "stop", 1, 2, 0.5, 1.5, "id")
    assert Answer.from_dict(answer.to_dict()) == answer
    assert Answer.from_dict({"output": "o", "model": None, "later": 1}) == Answer("o")


@pytest.mark.parametrize("concurrency", [0, -1, 1.5, True])
def test_bad_concurrency(concurrency: Any) -> None:
    """Concurrency is a number of calls."""
    with pytest.raises(ValueError, match="number of calls at once"):
        begin(Scripted(echo), concurrency=concurrency)


def test_progress_bar(capsys: pytest.CaptureFixture[str]) -> None:
    """The bar counts to the end."""
    execution, _ = begin(Scripted(echo))
    execution.wait(bar=True)
    assert "20/20" in capsys.readouterr().err


def test_the_runner_imports_little() -> None:
    """Loading the runner loads neither pandas nor numpy, scipy and statsmodels."""
    code = "import sys, pressmark.evals; print({'pandas', 'scipy', 'statsmodels', 'numpy'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"
