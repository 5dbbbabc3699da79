"""Runs and their outputs."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pressmark.errors import RunNotFoundError, WorkspaceError
from pressmark.evals.answer import Answer
from pressmark.evals.records import OutputRecord, RowError
from pressmark.prompts import freeze
from pressmark.workspace import Store

A = "sha256:" + "a" * 64
B = "sha256:" + "b" * 64
Records = Callable[..., dict[str, Any]]


def test_a_run_is_remembered(store: Store) -> None:
    """A run's spec, prompt, dataset, status and times come back; the newest run is the first of the list."""
    store.create_run("run-1", {"versions": [A], "note": "é"}, prompt="p", dataset="sha256:d")
    store.create_run("run-2", {})
    begun = store.run("run-1")
    assert (begun.spec, begun.prompt, begun.dataset) == ({"versions": [A], "note": "é"}, "p", "sha256:d")
    assert (begun.status, begun.finished_at) == ("running", None)
    store.finish_run("run-1", "failed", "the endpoint went away")
    ended = store.run("run-1")
    assert (ended.status, ended.note) == ("failed", "the endpoint went away")
    assert ended.finished_at is not None
    assert ended.finished_at.tzinfo is UTC
    assert [run.run_id for run in store.runs()] == ["run-2", "run-1"]
    assert [run.run_id for run in store.runs("p")] == ["run-1"]
    assert len(store.runs(limit=1)) == 1


def test_a_run_that_is_taken_up_again_keeps_its_spec(store: Store) -> None:
    """Creating a run of the same id makes it running again and changes nothing else of it."""
    first = store.create_run("run-1", {"k": 1}, prompt="p")
    store.finish_run("run-1", "cancelled")
    assert store.create_run("run-1", {"k": 2}) == first


def test_an_unknown_run_is_an_error(store: Store) -> None:
    """Each question about a run that is not there says so."""
    asked: list[Callable[[], object]] = [
        lambda: store.run("none"),
        lambda: store.finish_run("none", "done"),
        lambda: store.tally("none"),
        lambda: store.records("none"),
        lambda: store.results_frame("none"),
        lambda: store.run_page("none", [A], "exact"),
        lambda: store.paired_scores("none", A, B, "exact"),
        lambda: store.row_scores("none"),
    ]
    for ask in asked:
        with pytest.raises(RunNotFoundError, match="none"):
            ask()


_ids = itertools.count(1)
text = st.text(max_size=12)
whole = st.integers(0, 2**40)
real = st.floats(allow_nan=False, allow_infinity=False, width=64)
answers = st.builds(
    Answer,
    output=text,
    model=text,
    message=st.dictionaries(text, text | st.none(), max_size=2).map(freeze),
    fingerprint=st.none() | text,
    finish_reason=st.none() | text,
    tokens_in=st.none() | whole,
    tokens_out=st.none() | whole,
    cost=st.none() | real,
    latency=real,
    response_id=st.none() | text,
)
errors = st.builds(RowError, kind=text, message=text, status=st.none() | st.integers(100, 599))
records = st.builds(
    OutputRecord,
    run_id=st.just("run-1"),
    version=st.sampled_from([A, B]),
    row=st.integers(0, 3),
    repeat=st.integers(0, 1),
    request_digest=st.sampled_from(["", "sha256:1", "sha256:2"]),
    answer=st.none(),
    error=st.none(),
    attempts=st.integers(0, 9),
    cached=st.booleans(),
    at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    scores=st.dictionaries(st.text(min_size=1, max_size=4), st.none() | real, max_size=3).map(freeze),
    score_errors=st.dictionaries(st.text(min_size=1, max_size=4), text, max_size=2).map(freeze),
    judgements=st.dictionaries(st.text(min_size=1, max_size=4), st.just({"vote": "A"}), max_size=1).map(freeze),
)


@st.composite
def _outcomes(draw: st.DrawFn) -> OutputRecord:
    record = draw(records)
    # A scorer that has an error is told in the scores too, without a value.
    scores = freeze({**dict.fromkeys(record.score_errors), **record.scores})
    if draw(st.booleans()):
        return replace(record, answer=draw(answers), scores=scores)
    return replace(record, error=draw(errors), scores=scores)


def _sendable(value: Any) -> Any:
    """The value with what UTF-8 has no form for replaced, as the file keeps it."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_sendable(key): _sendable(item) for key, item in value.items()}
    return value


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given=st.lists(_outcomes(), max_size=8), cut=st.integers(0, 8))
def test_records_are_read_back_as_they_were(given: list[OutputRecord], cut: int, store: Store) -> None:
    """Whatever a record holds comes back, and of several for one task the last one stays, within and across batches."""
    run_id = f"run-{next(_ids)}"
    given = [replace(record, run_id=run_id) for record in given]
    store.create_run(run_id, {})
    store.append_outputs([record.to_dict() for record in given[:cut]])
    store.append_outputs([record.to_dict() for record in given[cut:]])
    kept = {record.task: record for record in given}
    found = [OutputRecord.from_dict(told) for told in store.records(run_id)]
    assert [record.task for record in found] == sorted(kept)
    for record in found:
        expected = OutputRecord.from_dict(_sendable(kept[record.task].to_dict()))
        assert record == expected
    assert store.answered(run_id) == {task for task, record in kept.items() if record.error is None}
    tally = store.tally(run_id)
    assert (tally.done, tally.errors) == (len(kept), sum(record.error is not None for record in kept.values()))


def test_an_answer_takes_the_place_of_an_error(store: Store, record: Records) -> None:
    """A run that is resumed replaces its error rows, with their scores."""
    store.create_run("run-1", {})
    store.append_outputs([record(A, 0, error="429"), record(A, 1, scores={"exact": 1.0})])
    assert store.answered("run-1") == {(A, 1, 0)}
    store.append_outputs([record(A, 0, scores={"exact": 0.0})])
    store.append_outputs([record(A, 1, scores={"other": 0.5})])
    frame = store.results_frame("run-1")
    assert frame["error"].isna().all()
    assert frame["exact"].fillna(-1).tolist() == [0.0, -1]
    assert frame["other"].fillna(-1).tolist() == [-1, 0.5]


def test_the_tally_counts_what_was_paid(store: Store, record: Records) -> None:
    """Cached answers count as done and as cached, and cost nothing again."""
    store.create_run("run-1", {})
    store.append_outputs([record(A, 0), record(A, 1, cached=True), record(A, 2, error="500")])
    tally = store.tally("run-1")
    assert (tally.done, tally.errors, tally.cached) == (3, 1, 1)
    assert tally.cost == pytest.approx(0.001)
    assert tally.latency == pytest.approx(0.25)


def test_the_frame_has_a_column_for_each_scorer(store: Store, record: Records) -> None:
    """Scorers stand under their own names, whatever those are; one that is called like another column gets a suffix."""
    store.create_run("run-1", {})
    scores = {"exact": 1.0, "cost": 2.0, "cost_score": 3.0, "Exact": 4.0, 'say "hi" 😀': 5.0, "drop'); --": None}
    store.append_outputs([record(A, 0, scores=scores), record(B, 0, 1, error="no answer")])
    store.append_outputs([record(A, 0, run_id="run-2", scores={"elsewhere": 1.0})])
    frame = store.results_frame("run-1")
    first = frame.iloc[0]
    assert first["exact"] == 1.0
    assert first["cost"] == 0.001
    assert sorted([first["cost_score"], first["cost_score_score"]]) == [2.0, 3.0]
    assert first["Exact"] == 4.0
    assert first['say "hi" 😀'] == 5.0
    assert frame["drop'); --"].isna().all()
    assert "elsewhere" not in frame.columns
    assert frame[["version", "row", "repeat"]].values.tolist() == [[A, 0, 0], [B, 0, 1]]
    assert frame["error"][1] == "no answer"
    assert {"tokens_in", "tokens_out", "latency", "model", "output"} <= set(frame.columns)


def test_an_empty_run_has_an_empty_frame(store: Store) -> None:
    """Before the first output the frame has its columns and no rows."""
    store.create_run("run-1", {})
    assert store.results_frame("run-1").empty
    assert store.records("run-1") == []


def test_answers_are_found_by_their_key_and_errors_never(store: Store, record: Records) -> None:
    """The cache holds each answer once under its key, the first one; errors and outputs without a key are not in it."""
    store.append_outputs([record(A, 0, output="first", request_digest="k1", at="2026-01-01T00:00:00+00:00")])
    store.append_outputs([record(B, 5, output="second", request_digest="k1", at="2026-01-02T00:00:00+00:00")])
    store.append_outputs([record(A, 1, error="429", request_digest="k2"), record(A, 2, request_digest="")])
    found = store.cached_answers(["k1", "k2", "k3", "", "k1"])
    assert list(found) == ["k1"]
    assert found["k1"] == record(A, 0, output="first")["answer"]
    assert store.cached_answers([]) == {}


def test_ratings_and_publications_are_remembered(store: Store) -> None:
    """Votes come back in order; a publication that is told twice is remembered once."""
    store.add_ratings([{"run_id": "run-1", "row": 3, "left": A, "right": B, "choice": "tie", "rater": "ana"}])
    store.add_ratings([])
    assert store.ratings("run-1")[["row", "repeat", "choice"]].values.tolist() == [[3, 0, "tie"]]
    for _ in range(2):
        store.record_publication("p", 12, A, "http://127.0.0.1:8765", "v3")
    store.record_publication("q", 1, B, "http://127.0.0.1:8765", "v1")
    assert store.publications("p")[["number", "version"]].values.tolist() == [[12, "v3"]]
    assert len(store.publications()) == 2


@pytest.mark.parametrize(
    "wrong", [{"row": "seven"}, {"row": 2**40}, {"at": "yesterday"}, {"scores": {"exact": "good"}}]
)
def test_what_is_no_output_is_refused_whole(store: Store, record: Records, wrong: dict[str, Any]) -> None:
    """A record of another form is one error, and nothing of its batch is kept."""
    store.create_run("run-1", {})
    with pytest.raises(WorkspaceError, match="not an output"):
        store.append_outputs([record(A, 0), record(A, 1) | wrong])
    assert store.records("run-1") == []


def test_a_truth_value_is_a_score(store: Store, record: Records) -> None:
    """A scorer may say True and False."""
    store.create_run("run-1", {})
    store.append_outputs([record(A, 0, scores={"exact": True}), record(A, 1, scores={"exact": 0})])
    assert store.row_scores("run-1")["value"].tolist() == [1.0, 0.0]
