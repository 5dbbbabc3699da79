"""What a run would take is told before it is asked, and agrees with what it then takes."""

from __future__ import annotations

import math
from typing import Any

import pytest

import pressmark as pm
from pressmark.errors import DatasetError, EndpointNotFoundError, StatsError
from pressmark.providers import practice
from tests.api.conftest import MESSAGES


def prompts(ws: pm.Workspace, number: int = 2) -> list[Any]:
    return [
        ws.save(
            "support/triage",
            messages=[{"role": "system", "content": MESSAGES[0]["content"] + " Be brief." * extra}, MESSAGES[1]],
            model=practice.PRACTICE_MODEL,
        )
        for extra in range(number)
    ]


def suite(ws: pm.Workspace, rows: int = 40, **more: Any) -> Any:
    data = practice.example_messages()[:rows]
    return ws.suite("support/basics", dataset=data, scorers=[pm.scorers.Exact("category"), *more.pop("also", ())])


def test_a_plan_before_anything_was_asked(ws: pm.Workspace) -> None:
    """Without records tokens are told by characters / 4, and what is not known is said to be unknown."""
    versions, basics = prompts(ws), suite(ws)
    told = ws.plan(versions, basics)
    assert (told.rows, told.answers, told.calls, told.cached) == (40, 80, 80, 0)
    sent = sum(len(str(m["content"])) for v in versions for r in basics.dataset.rows for m in v.render(text=r["text"]))
    assert told.tokens_in == pytest.approx(sent / 4, rel=0.2)
    assert told.tokens_out is None
    assert told.cost == 0
    assert told.seconds is None
    assert "characters / 4" in str(told)
    assert "\nfree\n" in str(told)
    # 40 rows of which one in four changes: (1.96 + 0.84) * 0.5 / sqrt(40), a little more by t.
    assert told.smallest_difference == pytest.approx(2.8 * 0.5 / math.sqrt(40), rel=0.05)
    assert "assumed" in str(told)


def test_a_plan_from_records(ws: pm.Workspace) -> None:
    """After a run the same versions on other rows are planned by what was recorded; nothing is asked for it."""
    versions = prompts(ws)
    run = ws.evaluate(versions, suite(ws), progress=False)
    more = suite(ws, rows=100)
    told = ws.plan(versions, more, concurrency=10)
    assert (told.calls, told.cached) == (120, 80)
    assert "recorded use of 80 answers" in told.basis
    took = run.results
    assert told.tokens_in == pytest.approx(120 * took["tokens_in"].mean(), rel=0.1)
    assert told.tokens_out == pytest.approx(120 * took["tokens_out"].mean(), rel=0.1)
    assert told.cost == 0
    assert told.seconds == pytest.approx(12 * took["latency"].mean(), rel=0.5)
    assert "free" in str(told)
    assert len(ws.runs()) == 1


def test_the_spread_comes_from_an_earlier_run(ws: pm.Workspace) -> None:
    """Where an earlier run compared the versions, the smallest difference stands on its spread."""
    versions, basics = prompts(ws), suite(ws)
    third = ws.save("support/triage", messages=[MESSAGES[1]], model=practice.PRACTICE_MODEL)
    run = ws.evaluate([versions[0], third], basics, progress=False)
    told = ws.plan([versions[0], third], basics)
    assert told.pilot is not None
    assert f"run {run.id} of these versions" in told.pilot.source
    assert told.pilot.sd == run.compare().result.sd
    assert "of other versions" in ws.plan([versions[1], third], basics).pilot.source  # type: ignore[union-attr]
    assert told.smallest_difference is not None
    assert told.rows_needed(told.smallest_difference) == pytest.approx(40, abs=1)
    assert told.rows_needed(told.smallest_difference / 2) == pytest.approx(160, rel=0.1)
    with pytest.raises(StatsError):
        told.rows_needed(math.nan)


def test_too_few_rows_promise_nothing(ws: pm.Workspace) -> None:
    """A difference larger than the scale is none that could be seen: the plan says so instead of naming it."""
    told = ws.plan(prompts(ws), suite(ws, rows=2))
    assert told.smallest_difference is not None
    assert told.smallest_difference > 1
    assert "2 rows are too few to show any difference" in str(told)
    assert "4 times in 5" not in str(told)


def test_all_known(ws: pm.Workspace) -> None:
    """Where every answer is in the cache, nothing is to be asked, and nothing is to be paid."""
    versions, basics = prompts(ws), suite(ws)
    ws.evaluate(versions, basics, progress=False)
    told = ws.plan(versions, basics)
    assert (told.calls, told.cached, told.tokens_in, told.tokens_out, told.cost) == (0, 80, 0, 0, 0)
    assert "0 requests to send, 80 known" in str(told)
    assert "tokens" not in str(told)


def test_judges_are_counted(ws: pm.Workspace) -> None:
    """A judge is asked once an answer; a pairwise judge without a reference not for the baseline's."""
    graded = pm.scorers.Judge("Is it kind?", model="judge", name="kind")
    preferred = pm.scorers.PairwiseJudge(model="judge", name="preferred")
    told = ws.plan(prompts(ws, 3), suite(ws, also=(graded, preferred)))
    assert told.calls == 120
    assert told.judge_calls == 120 + 80
    assert told.cost is None
    assert "up to 200 of judges" in str(told)


def test_repeats_and_rows_that_do_not_fit(ws: pm.Workspace) -> None:
    """Repeats are asked each; rows that do not fit the template are told and not counted."""
    version = ws.save("a", text="{{ text | upper }} {{ n }}", variables={"n": "integer", "text": "string"}, model="m")
    rows = [{"text": "x", "n": 1, "category": "a"}, {"text": "y", "n": "many", "category": "b"}]
    told = ws.plan([version], ws.suite("s", dataset=rows, scorers=[pm.scorers.Exact("category")]), repeats=3)
    assert (told.calls, told.unrendered) == (3, 3)
    assert "do not fit" in str(told)


def test_measurements_have_no_assumed_spread(ws: pm.Workspace) -> None:
    """A measurement may have any spread: without an earlier run nothing is said about what the rows show."""
    basics = ws.suite("s", dataset=practice.example_messages()[:20], scorers=[pm.scorers.Length()])
    told = ws.plan(prompts(ws), basics)
    assert told.smallest_difference is None
    assert told.rows_needed(1.0) is None
    assert "4 times in 5" not in str(told)


def test_html_is_text(ws: pm.Workspace) -> None:
    """The notebook's form says the same."""
    page = ws.plan(prompts(ws), suite(ws))._repr_html_()
    assert "80 requests to send" in page
    assert "<script" not in page


def test_bad_input(ws: pm.Workspace) -> None:
    """A plan refuses what a run would refuse, in the same words."""
    version = ws.save("b", text="{{ unknown }}", model="m")
    with pytest.raises(DatasetError, match="no column for"):
        ws.plan([version], suite(ws))
    with pytest.raises(EndpointNotFoundError):
        ws.plan(prompts(ws), suite(ws), endpoint="nowhere")


def test_a_price_without_records(ws: pm.Workspace) -> None:
    """Nobody pays for the practice model however long its answers are; of another model the price stays unknown."""
    own = ws.save("p", text="{{ text }}", model=practice.PRACTICE_MODEL)
    other = ws.save("p", text="{{ text }}", model="some-model")
    judge = pm.scorers.Judge("Is it kind?", model="some-model")
    assert ws.plan(own, suite(ws)).cost == 0
    assert ws.plan([own, other], suite(ws)).cost is None
    assert "price not known" in str(ws.plan([own, other], suite(ws)))
    assert ws.plan(own, suite(ws, also=[judge])).cost is None
