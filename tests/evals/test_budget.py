"""Budgets: what stops a run, what is counted, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from pressmark.errors import BudgetError, EndpointConnectionError, EndpointError
from pressmark.evals import Answer, Budget, Memory, Patience, Spent, execute, finished, plan, start
from pressmark.evals.budget import Halt, Ledger
from pressmark.evals.scorers import Judge, Scorer
from pressmark.evals.sizes import Size, Sizes

from .making import Scripted, dataset, suite, version

TEXTS = [f"text {n}" for n in range(60)]
QUICK = Patience(first_wait=0.001)


class Priced(Scripted):
    """A scripted endpoint whose models have a price: a cent for each token, in or out."""

    def price(self, model: str, tokens_in: int, tokens_out: int) -> float | None:
        """A cent a token; of `nameless` none."""
        return None if model == "nameless" else 0.01 * (tokens_in + tokens_out)


def told(text: str, tokens_in: int = 10, tokens_out: int = 5) -> Answer:
    """An answer with its usage, and a cent for each token."""
    return Answer(
        f"echo of {text}", "m", tokens_in=tokens_in, tokens_out=tokens_out, cost=0.01 * (tokens_in + tokens_out)
    )


async def slow(text: str) -> Answer:
    """An answer that lets others be asked meanwhile."""
    await asyncio.sleep(0.001)
    return told(text)


def begin(complete: Scripted, budget: Budget, *, given: tuple[Scorer, ...] = (), **options: Any) -> tuple[Any, Memory]:
    """A run of one version over 60 texts."""
    sink, params = Memory(), options.pop("params", {})
    data = dataset(*options.pop("texts", TEXTS))
    made = plan([version(params=params, model=options.pop("model", "m"))], data, base_url=complete.base_url)
    execution = start(made, suite(data, *given), complete, sink, run_id="run", budget=budget, patience=QUICK, **options)
    return execution, sink


@pytest.mark.parametrize("concurrency", [1, 7, 16])
def test_calls(concurrency: int) -> None:
    """As many calls as the budget has are made, whatever the concurrency, and their answers are kept."""
    complete = Scripted(slow)
    execution, sink = begin(complete, Budget(calls=25), concurrency=concurrency)
    progress = execution.wait()
    assert len(complete.asked) == progress.calls == execution.spent.calls == 25
    assert (progress.done, progress.total, len(sink.records)) == (25, 60, 25)
    assert all(record.answer for record in sink.records)
    assert execution.stopped.by == "budget"
    assert execution.stopped.why == "the budget of 25 calls is used up"


def test_repeated_calls_count() -> None:
    """A call that is asked again counts each time, and a row whose turn to be asked again never came is open."""
    busy = EndpointError("busy", status=429, retryable=True)
    complete = Scripted(lambda text: busy)
    execution, sink = begin(complete, Budget(calls=10), concurrency=4)
    progress = execution.wait()
    assert len(complete.asked) == progress.calls == execution.spent.calls == 10
    assert all(record.error for record in sink.records)
    assert progress.done == len(sink.records) <= 1


def test_a_judge_counts() -> None:
    """A judge's calls are in the budget; answers that were not judged are kept, and judged when the run goes on."""
    judge = Judge("good", model="judge")

    def reply(text: str) -> Any:
        return told("4", 1, 1) if "The answer to grade" in text else told(text)

    complete = Scripted(lambda text: Answer("4") if "The answer to grade" in text else told(text))
    execution, sink = begin(complete, Budget(calls=21), given=(judge,), concurrency=3)
    execution.wait()
    assert len(complete.asked) == 21
    own = [record for record in sink.records if record.run_id == "run"]
    done = finished(own, suite(dataset(*TEXTS), judge))
    assert len(own) > len(done) == execution.progress.done
    assert len(own) + len(done) == 21

    known = {record.request_digest: record.answer.to_dict() for record in sink.records if record.answer}
    data = dataset(*TEXTS)
    again = Scripted(reply)
    made = plan([version()], data, base_url=again.base_url, answered=done)
    progress = execute(
        made,
        suite(data, judge),
        again,
        sink,
        run_id="run",
        lookup=lambda keys: {key: known[key] for key in keys if key in known},
    )
    assert progress.done == 60
    assert len(again.asked) == 120 - 21


@pytest.mark.parametrize("concurrency", [1, 16])
def test_tokens_are_never_exceeded_where_answers_are_bounded(concurrency: int) -> None:
    """With `max_tokens` the budget is kept, and used up to less than what one more call could take."""
    complete = Scripted(slow)
    execution, _ = begin(complete, Budget(tokens=400), params={"max_tokens": 20}, concurrency=concurrency)
    progress = execution.wait()
    used = progress.tokens_in + progress.tokens_out
    assert used == execution.spent.tokens == 15 * progress.done
    assert 400 - 40 < used <= 400
    assert execution.stopped.why.startswith(f"the budget is 400 tokens; {used} are used, and the next call could take ")


def test_without_a_bound_the_first_call_goes_alone() -> None:
    """Where nothing bounds an answer, one is waited for first; its length stands for the others."""
    first = asyncio.Event()

    async def reply(text: str) -> Answer:
        if len(complete.asked) == 1:
            await asyncio.sleep(0.01)
            assert len(complete.asked) == 1
            first.set()
        assert first.is_set()
        return told(text)

    complete = Scripted(reply)
    execution, sink = begin(complete, Budget(tokens=300), concurrency=8)
    progress = execution.wait()
    assert not [record.error for record in sink.records if record.error]
    assert 300 - 40 < progress.tokens_in + progress.tokens_out <= 300


def test_money() -> None:
    """A budget of money is kept likewise, by the price of the model."""
    complete = Priced(slow)
    execution, _ = begin(complete, Budget(money=3.0), params={"max_tokens": 10}, concurrency=8)
    progress = execution.wait()
    assert progress.cost == pytest.approx(0.15 * progress.done)
    assert 3.0 - 0.35 < progress.cost <= 3.0
    assert execution.stopped.why.startswith(
        f"the budget is 3 USD; {progress.cost:.4g} USD are spent, and the next call"
    )


@pytest.mark.parametrize(
    ("complete", "model", "given", "named"),
    [
        (Scripted(slow), "m", (), "'m'"),
        (Priced(slow), "nameless", (), "'nameless'"),
        (Priced(slow), "m", (Judge("good", model="nameless"),), "'nameless'"),
    ],
)
def test_money_without_a_price_is_refused(
    complete: Scripted, model: str, given: tuple[Scorer, ...], named: str
) -> None:
    """Where a model's or a judge's price is not known, nothing is asked, and the sentence names the model."""
    with pytest.raises(
        BudgetError, match=f"the price of {named} at http://scripted/v1 is not known.*nothing was asked"
    ):
        begin(complete, Budget(money=1), model=model, given=given)
    assert complete.asked == []


def test_minutes() -> None:
    """Calls are begun only as long as they can end in time."""
    complete = Scripted(slow)
    execution, sink = begin(complete, Budget(minutes=0.05), spent=Spent(minutes=0.05))
    progress = execution.wait()
    assert (progress.done, len(sink.records), complete.asked) == (0, 0, [])
    assert execution.stopped.why.startswith("the budget is 0.05 minutes; 0.05 have passed")


def test_what_was_spent_before_counts() -> None:
    """The budget is the run's, over every time it is taken up."""
    execution, _ = begin(Scripted(slow), Budget(calls=25), spent=Spent(calls=20))
    assert execution.wait().calls == 5
    assert execution.spent.calls == 25


def test_a_budget_that_suffices_stops_nothing() -> None:
    """A run that ends within its budget was not stopped."""
    budget = Budget(money=100, tokens=10_000, calls=60, minutes=10)
    execution, _ = begin(Priced(slow), budget, params={"max_tokens": 10})
    assert execution.wait().done == 60
    assert execution.stopped is None


def test_cached_answers_are_free() -> None:
    """What is known costs nothing."""
    execution, first = begin(Scripted(slow), Budget(calls=60))
    execution.wait()
    known = {record.request_digest: record.answer.to_dict() for record in first.records if record.answer}
    again = Scripted(slow)
    execution, _ = begin(again, Budget(calls=1), lookup=lambda keys: {key: known[key] for key in keys})
    assert execution.wait().done == 60
    assert again.asked == []


@pytest.mark.parametrize("bad", [0, -1, float("nan"), float("inf"), True, "1"])
@pytest.mark.parametrize("part", ["money", "tokens", "calls", "minutes"])
def test_bad_budgets(part: str, bad: Any) -> None:
    """A limit is a positive number."""
    with pytest.raises(ValueError, match=f"a budget's {part} is a positive"):
        Budget(**{part: bad})


def test_whole_numbers() -> None:
    """Calls and tokens are whole; money and minutes need not be."""
    with pytest.raises(ValueError, match=r"a budget's calls is a positive whole number or None, not 1\.5"):
        Budget(calls=1.5)  # type: ignore[arg-type]
    assert Budget(money=1.5, minutes=0.5).calls is None


def asked(model: str = "m", text: str = "ab" * 50, **more: Any) -> Mapping[str, Any]:
    """A request."""
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


async def test_calls_that_may_have_been_billed_count() -> None:
    """A refused call costs nothing; one that was cut counts with what it could have taken."""
    ledger = Ledger(Budget(tokens=10_000))
    bound = asked(max_tokens=100)
    size = Sizes().most(bound).total
    for error, tokens in [
        (EndpointError("busy", status=429), 0),
        (EndpointConnectionError("nobody", refused=True), 0),
        (EndpointConnectionError("cut"), size),
        (EndpointError("late", kind="timeout"), 2 * size),
    ]:
        ledger.settle(await ledger.reserve(bound, None), None, error, 0.1)
        assert ledger.spent.tokens == tokens
    assert ledger.spent.calls == 4


async def test_a_call_waits_for_those_under_way() -> None:
    """Where only calls under way stand against a call, it waits for them, and goes when they took less."""
    ledger = Ledger(Budget(tokens=250))
    bound = asked(text="x", max_tokens=200)
    first = await ledger.reserve(bound, None)
    second = asyncio.ensure_future(ledger.reserve(bound, None))
    await asyncio.sleep(0)
    assert not second.done()
    ledger.settle(first, Answer("a", tokens_in=5, tokens_out=5), None, 0.1)
    ledger.settle(await second, Answer("a", tokens_in=5, tokens_out=100), None, 0.1)
    with pytest.raises(Halt, match="the budget is 250 tokens; 115 are used"):
        await ledger.reserve(bound, None)
    with pytest.raises(Halt):
        await ledger.reserve(asked(text="x", max_tokens=1), None)


def test_sizes_learn() -> None:
    """Before the first answer a request is judged by its length; after it, by what such a length took."""
    sizes = Sizes()
    assert sizes.most(asked()).tokens_out is None
    assert sizes.most(asked(max_tokens=7, n=2)).tokens_out == 14
    assert sizes.most(asked()).tokens_in >= 50
    sizes.learn(asked(), Answer("a", tokens_in=30, tokens_out=40))
    size = sizes.most(asked())
    assert 30 <= size.tokens_in <= 40
    assert size == Size(size.tokens_in, 61)
    assert sizes.most(asked("other")).tokens_out is None
    picture = [{"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 1_000_000}}]
    assert sizes.most({"model": "m", "messages": [{"role": "user", "content": picture}]}).tokens_in < 5000
