"""Real data through the runner: figures that others published, over a real endpoint with real recorded outputs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

from pressmark import stats
from pressmark.evals import (
    Dataset,
    Memory,
    OutputRecord,
    Suite,
    compare,
    execute,
    plan,
    report,
    row_scores,
    scorers,
    summary,
)
from pressmark.providers import Endpoint, completer
from pressmark.rendering import PromptVersion

from .making import version

SYSTEMS = {
    "plain": "You are a helpful assistant.",
    "concise": "You are a helpful assistant. Be as concise as possible while still providing all the necessary"
    " information to answer the question.",
    "verbose": "You are a helpful assistant. Always answer with as much detail as possible.",
}
# data/README.md: win rate, its standard error, and the win rate of discrete votes, in %.
PUBLISHED = {
    "plain": (9.177964561962735, 0.8904117511864436, 8.198757763975156),
    "concise": (7.41586497762733, 0.8374438113826953, 7.329192546583851),
    "verbose": (12.76316981026087, 1.044246819212278, 11.801242236024844),
}
PREFERENCES = scorers.Recorded("win", {f"output_{name}": f"win_{name}" for name in SYSTEMS})
JUDGE = scorers.PairwiseJudge("output_baseline", model="judge", question="instruction", seed=7)


@pytest.fixture(scope="module")
def alpaca(shared: Path) -> Dataset:
    """The 805 AlpacaEval instructions with recorded outputs and preferences."""
    return Dataset.of("alpaca/eval", pq.read_table(shared / "data/alpacaeval/gpt-3.5-turbo-1106.parquet").to_pylist())


@pytest.fixture(scope="module")
def versions() -> dict[str, PromptVersion]:
    """The three prompt versions, which differ in their system message only."""
    return {name: version(system, "{{ instruction }}", model="gpt-3.5-turbo-1106") for name, system in SYSTEMS.items()}


@pytest.fixture(scope="module")
def run(
    recorded_model: Callable[..., Any], alpaca: Dataset, versions: dict[str, PromptVersion]
) -> tuple[list[OutputRecord], Suite]:
    """All versions over all rows, scored by the recorded preferences and by the pairwise judge."""
    model = recorded_model()
    suite = Suite.of("alpaca/win", alpaca, [PREFERENCES, JUDGE, scorers.Cost()], slice="slice")
    complete = completer(Endpoint("recorded", model.base_url))
    sink = Memory()
    execute(
        plan(list(versions.values()), alpaca, base_url=model.base_url),
        suite,
        complete,
        sink,
        run_id="run",
        concurrency=16,
    )
    return [record for record in sink.records if record.run_id == "run"], suite


@pytest.mark.parametrize("name", SYSTEMS)
def test_win_rates(run: tuple[list[OutputRecord], Suite], versions: dict[str, PromptVersion], name: str) -> None:
    """The recorded preferences, loaded as a scorer, give the published win rates and errors to 10 digits."""
    records, suite = run
    rate, error, _ = PUBLISHED[name]
    (row,) = [
        s for s in summary(records, suite) if (s.version, s.scorer, s.slice) == (versions[name].digest, "win", "all")
    ]
    assert (row.n, row.missing) == (805, 0)
    assert 100 * row.mean == pytest.approx(rate, rel=1e-10)
    assert 100 * row.stderr == pytest.approx(error, rel=1e-10)


@pytest.mark.parametrize("name", SYSTEMS)
def test_discrete_win_rates(
    run: tuple[list[OutputRecord], Suite], versions: dict[str, PromptVersion], name: str
) -> None:
    """The pairwise judge over the endpoint, order randomised, gives the published discrete win rates exactly."""
    records, _ = run
    scores = row_scores(records, versions[name].digest, "preference")
    assert len(scores) == 805
    assert 100 * sum(scores.values()) / 805 == PUBLISHED[name][2]


def test_orders_are_recorded(run: tuple[list[OutputRecord], Suite]) -> None:
    """Each vote tells the order shown; both orders come, and one row has the same for every version."""
    orders: dict[int, set[str]] = {}
    for record in run[0]:
        told = record.judgements["preference"]
        orders.setdefault(record.row, set()).add(told["order"])
        preferred = {"A": told["order"] == "output first", "B": told["order"] != "output first", "tie": 0.5}
        assert record.scores["preference"] == float(preferred[told["vote"]])
    assert {len(shown) for shown in orders.values()} == {1}
    counted = Counter(next(iter(shown)) for shown in orders.values())
    assert sorted(counted.values()) == [402, 403]


def test_a_function_scores_the_same(run: tuple[list[OutputRecord], Suite], alpaca: Dataset) -> None:
    """A function of output and row finds the recorded preferences as well as the recorded scorer."""
    made = scorers.Function(
        "win", lambda output, row: next(row[f"win_{name}"] for name in SYSTEMS if row[f"output_{name}"] == output)
    )
    for record in run[0][::50]:
        assert record.answer is not None
        given = scorers.ScoringInput(record.answer.output, alpaca.rows[record.row], record.answer, {})
        assert made.score(given) == record.scores["win"]


def test_verdict_on_alpaca(run: tuple[list[OutputRecord], Suite], versions: dict[str, PromptVersion]) -> None:
    """Verbose is better than plain by the recorded preferences; the judge's votes are told beside."""
    records, suite = run
    found = compare(records, suite, versions["plain"].digest, versions["verbose"].digest)
    assert (found.verdict, found.n, found.test) == ("better", 805, "paired t")
    assert 100 * found.difference == pytest.approx(12.76316981026087 - 9.177964561962735, rel=1e-9)
    assert len(found.slices) == 5
    judged = compare(records, suite, versions["plain"].digest, versions["verbose"].digest, scorer="preference")
    assert [(v.a, v.b, v.ties) for v in judged.votes] == [(737, 64, 4), (709, 94, 2)]
    assert all(record.answer is not None and record.answer.cost for record in records)


def test_three_versions_on_alpaca(run: tuple[list[OutputRecord], Suite], versions: dict[str, PromptVersion]) -> None:
    """Plain against concise and verbose, with Holm over versions and over the slices of both."""
    records, suite = run
    digests = {name: made.digest for name, made in versions.items()}
    found = report(
        records,
        suite,
        digests["plain"],
        digests["concise"],
        digests["verbose"],
        names={digest: name for name, digest in digests.items()},
        models=dict.fromkeys(digests.values(), "gpt-3.5-turbo-1106"),
    )
    differences = {name: (PUBLISHED[name][0] - PUBLISHED["plain"][0]) / 100 for name in ("concise", "verbose")}
    alone = {}
    for name, difference in differences.items():
        told = found[name].primary
        assert told is not None
        assert told.difference == pytest.approx(difference, rel=1e-9)
        alone[name] = compare(records, suite, digests["plain"], digests[name])
        assert told.result == alone[name].result
    adjusted = stats.holm([alone[name].p for name in differences]).adjusted
    assert tuple(candidate.p for candidate in found.candidates) == adjusted
    assert found["concise"].verdict == "worse"
    # Better by the primary scorer, and dearer: cost is a guard of this suite.
    assert found["verbose"].scorer_verdict(found["verbose"].comparisons[0]) == "better"
    assert (found["verbose"].verdict, found["verbose"].worse) == ("worse", ("cost",))
    slices = [part for candidate in found.candidates if candidate.primary for part in candidate.primary.slices]
    assert len(slices) == 10
    assert [part.p for part in slices] == list(stats.holm([part.result.p for part in slices]).adjusted)
    assert {part.result.n for part in slices} == {252, 188, 156, 129, 80}
    assert sum(part.verdict != "cannot tell" for part in slices) < sum(
        part.result.verdict != "cannot tell" for part in slices
    )
    (judge,) = found.judges
    assert judge.orders in {(1206, 1209), (1209, 1206)}
    assert judge.places is not None
    assert judge.places.a + judge.places.b + judge.places.ties == 3 * 805


@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.soak)])
def test_banking77(recorded_model: Callable[..., Any], shared: Path, step: int) -> None:
    """Two prompts over the queries of BANKING77 give a verdict, and a second run with the answers asks nothing."""
    model = recorded_model()
    # The model behind computes each answer, for 15 ms or so; the whole loop's test asks about all 3,080.
    rows = csv.read_csv(shared / "data/banking77/test.csv").to_pylist()[::step]
    labels = json.loads((shared / "data/banking77/categories.json").read_text())
    data = Dataset.of("banking77/test", rows)
    suite = Suite.of("banking77/label", data, [scorers.Exact("category")])
    listed = "Answer with one of these labels and nothing else:\n" + "\n".join(labels)
    vague, clear = (version(s, model="banking77-knn") for s in ("Label the message.", listed))
    made = plan([vague, clear], data, base_url=model.base_url)
    sink = Memory()
    model.stats(reset=True)
    progress = execute(made, suite, completer(Endpoint("recorded", model.base_url)), sink, run_id="run")
    assert (progress.done, progress.errors) == (2 * len(rows), 0)
    assert model.stats(reset=True)["calls"] == len(made.calls) <= 2 * len(rows)
    found = compare(sink.records, suite, vague.digest, clear.digest)
    assert (found.verdict, found.n) == ("better", len(rows))
    right = stats.mean(list(found.after)).mean
    assert right == pytest.approx(0.78, abs=0.04)
    assert found.sentence.startswith(f"B better by {100 * found.difference:.1f} points [")

    known = {r.request_digest: r.answer.to_dict() for r in sink.records if r.answer}
    again = Memory()
    progress = execute(
        made,
        suite,
        completer(Endpoint("recorded", model.base_url)),
        again,
        run_id="again",
        lookup=lambda keys: {key: known[key] for key in keys if key in known},
    )
    assert (progress.cached, progress.calls) == (2 * len(rows), 0)
    assert model.stats()["calls"] == 0
    assert compare(again.records, suite, vague.digest, clear.digest).result == found.result
