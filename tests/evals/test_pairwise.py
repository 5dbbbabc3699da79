"""The pairwise judge between two versions of one run: the candidate's output against the baseline's."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pressmark.errors import EndpointError
from pressmark.evals import Memory, OutputRecord, Suite, compare, execute, finished, plan, scorers

from .making import Scripted, dataset, suite, version

ROWS = 40
DATA = dataset(*(f"row {n}" for n in range(ROWS)))
JUDGE = scorers.PairwiseJudge(model="judge")
BASE, BETTER, OTHER = (version("", f"{style} {{{{ text }}}}") for style in ("plain", "good", "odd"))


def reply(text: str) -> Any:
    """Versions echo; the judge prefers what is good, and ties on what is odd."""
    if "Answer A:" not in text:
        return f"<{text}>"
    first, second = re.findall(r"<(\w+) row \d+>", text)
    if "odd" in (first, second):
        return "tie"
    return "A" if first == "good" else "B"


def run(complete: Scripted, *versions: Any, sink: Memory | None = None, **options: Any) -> list[OutputRecord]:
    """The run's own records, by version and row."""
    sink = sink or Memory()
    answered = finished([r for r in sink.records if r.run_id == "run"], the_suite())
    made = plan(list(versions), DATA, base_url=complete.base_url, answered=answered)
    execute(made, the_suite(), complete, sink, run_id="run", **options)
    return [record for record in sink.records if record.run_id == "run"]


def the_suite() -> Suite:
    """Judged, and measured beside."""
    return suite(DATA, JUDGE, scorers.Length())


@pytest.mark.parametrize("concurrency", [1, 5, 100])
def test_candidates_are_held_against_the_baseline(concurrency: int) -> None:
    """Each candidate's answer is judged against the first version's of its row; the baseline itself is not."""
    complete = Scripted(reply)
    records = run(complete, BASE, BETTER, OTHER, concurrency=concurrency)
    assert len(complete.asked) == 5 * ROWS
    by = {(record.version, record.row): record for record in records}
    for row in range(ROWS):
        assert by[BASE.digest, row].scores["preference"] is None
        assert by[BETTER.digest, row].scores["preference"] == 1.0
        assert by[OTHER.digest, row].scores["preference"] == 0.5
        told = by[BETTER.digest, row].judgements["preference"]
        assert told["vote"] == ("A" if told["order"] == "output first" else "B")
        assert by[BASE.digest, row].score_errors == {}
    assert {by[BETTER.digest, row].judgements["preference"]["order"] for row in range(ROWS)} == {
        "output first",
        "reference first",
    }


def test_verdict_by_votes() -> None:
    """Against the baseline the votes between the two are told; between two candidates, those of each."""
    records = run(Scripted(reply), BASE, BETTER, OTHER)
    found = compare(records, the_suite(), BASE.digest, BETTER.digest)
    assert (found.verdict, found.difference, found.n) == ("better", 0.5, ROWS)
    assert [(v.a, v.b, v.ties) for v in found.votes] == [(0, ROWS, 0)]
    assert "B preferred in 100.0 % [91.2, 100.0] of 40 decided votes, 0 ties" in found.notes
    turned = compare(records, the_suite(), BETTER.digest, BASE.digest)
    assert (turned.verdict, turned.votes[0].a) == ("worse", ROWS)
    tied = compare(records, the_suite(), BASE.digest, OTHER.digest)
    assert (tied.verdict, tied.votes[0].ties) == ("cannot tell", ROWS)
    between = compare(records, the_suite(), OTHER.digest, BETTER.digest)
    assert [(v.a, v.b, v.ties) for v in between.votes] == [(0, 0, ROWS), (0, ROWS, 0)]


def test_a_baseline_without_an_answer() -> None:
    """Where the baseline has no answer the candidate's is kept, with a score error."""
    broken = Scripted(lambda text: EndpointError("no", status=400) if text == "plain row 3" else reply(text))
    records = run(broken, BASE, BETTER, concurrency=1)
    assert len(records) == 2 * ROWS
    (missing,) = [record for record in records if record.score_errors]
    assert (missing.version, missing.row) == (BETTER.digest, 3)
    assert missing.answer is not None
    assert "the baseline has no answer in row 3" in missing.score_errors["preference"]


def test_resumed_with_known_answers() -> None:
    """Resumed, the baseline's earlier answers come from the cache and are judged against as before."""
    sink = Memory()
    stopped = Scripted(lambda text: EndpointError("no", status=400) if text.startswith("good") else reply(text))
    run(stopped, BASE, BETTER, sink=sink)
    known = {record.request_digest: record.answer.to_dict() for record in sink.records if record.answer}
    again = Scripted(reply)
    records = run(again, BASE, BETTER, sink=sink, lookup=lambda keys: {k: known[k] for k in keys if k in known})
    assert len(again.asked) == 2 * ROWS
    assert compare(records, the_suite(), BASE.digest, BETTER.digest).verdict == "better"


def test_equal_rows_in_another_order_do_not_wait_for_ever() -> None:
    """A candidate's answer that serves a later row waits for that row's baseline without holding up the run."""
    base = version("", "plain {{ text }} {{ extra }}")
    data = dataset("same", "same", extra=["x", "y"])
    judged = suite(data, JUDGE)
    sink = Memory()
    made = plan([base, BETTER], data, base_url="http://scripted/v1")
    assert sorted(len(call.tasks) for call in made.calls) == [1, 1, 2]
    execute(made, judged, Scripted(lambda text: "A" if "Answer A" in text else text), sink, run_id="run", concurrency=1)
    kept = [record for record in sink.records if record.run_id == "run"]
    assert len(kept) == 4
    assert all(record.scores["preference"] is not None for record in kept if record.version == BETTER.digest)
