"""Scorers: what each makes of an output, and its description."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pressmark.errors import SuiteError
from pressmark.evals import scorers
from pressmark.evals.scorers import ScoringError
from pressmark.evals.scoring import checked

from .making import given


def polite(output: str, row: Any) -> float:
    """A function of a user's own."""
    return 1.0 if "please" in output else 0.0


SCHEMA = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}

CASES: list[tuple[scorers.DirectScorer, str, dict[str, Any], float | None]] = [
    (scorers.Exact("want"), " yes\n", {"want": "yes"}, 1),
    (scorers.Exact("want"), "Yes", {"want": "yes"}, 0),
    (scorers.Exact("want", ignore_case=True), "Yes", {"want": "yes"}, 1),
    (scorers.Exact("want"), "3", {"want": 3}, 1),
    (scorers.Exact("want"), "true", {"want": True}, 1),
    (scorers.Contains("want"), "it is yes, I think", {"want": "yes"}, 1),
    (scorers.Contains("want"), "red and blue", {"want": ["red", "blue"]}, 1),
    (scorers.Contains("want"), "red", {"want": ["red", "blue"]}, 0),
    (scorers.Contains(text="Sorry", ignore_case=True), "so sorry", {}, 1),
    (scorers.Regex(r"^\d{4}$"), " 2026 ", {}, 1),
    (scorers.Regex(r"^\d{4}$"), "in 2026", {}, 0),
    (scorers.ValidJSON(), ' {"a": [1, null]} ', {}, 1),
    (scorers.ValidJSON(), '```json\n{"a": 1}\n```', {}, 0),
    (scorers.ValidJSON(), "NaN", {}, 0),
    (scorers.ValidJSON(), "[" * 100_000, {}, 0),
    (scorers.JSONSchema(SCHEMA), '{"a": 1}', {}, 1),
    (scorers.JSONSchema(SCHEMA), '{"a": "1"}', {}, 0),
    (scorers.JSONSchema(SCHEMA), "no json", {}, 0),
    (scorers.FieldEquals("category"), '{"category": "billing"}', {"category": "billing"}, 1),
    (scorers.FieldEquals("category"), '{"category": " billing "}', {"category": "billing"}, 1),
    (scorers.FieldEquals("category"), "billing", {"category": "billing"}, 0),
    (scorers.FieldEquals("category"), '["category"]', {"category": "billing"}, 0),
    (scorers.FieldEquals("want", field="a.b"), '{"a": {"b": 3}}', {"want": "3"}, 1),
    (scorers.FieldEquals("want", field="a.b"), '{"a.b": 3}', {"want": 3}, 1),
    (scorers.FieldEquals("want", field="a"), '{"a": null}', {"want": 3}, 0),
    (scorers.NumericTolerance("want"), "It is 42.", {"want": 42}, 1),
    (scorers.NumericTolerance("want"), "1,234.5 €", {"want": 1234.5}, 1),
    (scorers.NumericTolerance("want"), "-3e2", {"want": -300}, 1),
    (scorers.NumericTolerance("want", absolute=0.5), "41.5", {"want": 42}, 1),
    (scorers.NumericTolerance("want", absolute=0.5), "41.4", {"want": 42}, 0),
    (scorers.NumericTolerance("want", relative=0.1), "90", {"want": "100"}, 1),
    (scorers.NumericTolerance("want", absolute=0.1), "0.4", {"want": 0.3}, 1),
    (scorers.NumericTolerance("want"), "no number", {"want": 1}, 0),
    (scorers.NumericTolerance("want", field="n"), '{"m": 1, "n": 2}', {"want": 2}, 1),
    (scorers.NumericTolerance("want", field="n"), "2", {"want": 2}, 0),
    (scorers.TextSimilarity("want"), "abcd", {"want": "abcd"}, 1),
    (scorers.TextSimilarity("want"), "abce", {"want": "abcd"}, 0.75),
    (scorers.TextSimilarity("want", method="token_sort"), "b a", {"want": "a b"}, 1),
    (scorers.TextSimilarity("want", method="token_set"), "a b c", {"want": "b a"}, 1),
    (scorers.Length(), "äbc", {}, 3),
    (scorers.Length(of="words"), "one  two\nthree", {}, 3),
    (scorers.Function("polite", polite, version="1"), "yes please", {}, 1),
    (scorers.Function("row", lambda output, row: row["n"] / 2), "", {"n": 1}, 0.5),
    (scorers.Function("none", lambda output, row: None), "", {}, None),
    (scorers.Recorded("win", {"a": "win_a", "b": "win_b"}), "B", {"a": "A", "b": "B", "win_a": 1, "win_b": 0.5}, 0.5),
]


@pytest.mark.parametrize(
    ("scorer", "output", "row", "score"), CASES, ids=[f"{c[0].type}-{n}" for n, c in enumerate(CASES)]
)
def test_scores(scorer: scorers.DirectScorer, output: str, row: dict[str, Any], score: float | None) -> None:
    """Each scorer gives the score that its docstring promises."""
    found = checked(scorer, scorer.score(given(output, row)))
    assert found == (None if score is None else pytest.approx(score))


def test_measurements_come_with_the_answer() -> None:
    """Cost and latency are the answer's; an unknown cost does not apply."""
    assert scorers.Cost().score(given("x", cost=0.25)) == 0.25
    assert scorers.Cost().score(given("x")) is None
    assert scorers.Latency().score(given("x", latency=1.5)) == 1.5
    assert {s.direction for s in (scorers.Cost(), scorers.Latency(), scorers.Length())} == {"lower"}
    assert [s.unit for s in (scorers.Cost(), scorers.Latency(), scorers.Length())] == ["USD", "s", "characters"]
    assert scorers.Length(direction="higher").direction == "higher"


@pytest.mark.parametrize(
    ("scorer", "row", "message"),
    [
        (scorers.Exact("want"), {"want": None}, "row 0 has nothing in column 'want'"),
        (scorers.FieldEquals("want"), {}, "row 0 has nothing in column 'want'"),
        (scorers.NumericTolerance("want"), {"want": "many"}, "no number in column 'want'"),
        (scorers.Recorded("win", {"a": "b"}), {"a": "other", "b": 1}, "no recorded score for this output"),
    ],
)
def test_rows_that_cannot_be_scored(scorer: scorers.DirectScorer, row: dict[str, Any], message: str) -> None:
    """A row that lacks what is expected is a score error, not a zero."""
    with pytest.raises(ScoringError, match=message):
        scorer.score(given('{"want": 1}', row))


@pytest.mark.parametrize("value", ["0.5", float("nan"), float("inf"), 1.01, -0.01, object(), [1]])
def test_scores_are_checked(value: Any) -> None:
    """What is no finite number, or no score in [0, 1], is a score error."""
    with pytest.raises(ScoringError):
        checked(scorers.Function("f", polite), value)


def test_measurements_may_be_any_number() -> None:
    """A measurement is not bound to [0, 1]."""
    assert checked(scorers.Length(), 1e6) == 1e6
    assert checked(scorers.Function("f", polite, kind="measurement"), -3) == -3
    for far in (1e308, -1e308, 2e150, 10**200):
        with pytest.raises(ScoringError, match=r"within ±1e\+150"):
            checked(scorers.Function("f", polite, kind="measurement"), far)


BAD: list[Any] = [
    lambda: scorers.Exact(""),
    lambda: scorers.Exact(3),  # type: ignore[arg-type]
    scorers.Contains,
    lambda: scorers.Contains("a", text="b"),
    lambda: scorers.Contains(text=""),
    lambda: scorers.Regex("("),
    lambda: scorers.JSONSchema({"type": "nonsense"}),
    lambda: scorers.JSONSchema("text"),
    lambda: scorers.NumericTolerance("a", absolute=-1),
    lambda: scorers.NumericTolerance("a", relative=float("nan")),
    lambda: scorers.TextSimilarity("a", method="magic"),  # type: ignore[arg-type]
    lambda: scorers.Length(of="lines"),  # type: ignore[arg-type]
    lambda: scorers.Function("f", "text"),  # type: ignore[arg-type]
    lambda: scorers.Function("f", lambda output: 1),  # type: ignore[arg-type, misc]
    lambda: scorers.Function("", polite),
    lambda: scorers.Function("f", polite, version=1),  # type: ignore[arg-type]
    lambda: scorers.Function("f", polite, kind="grade"),  # type: ignore[arg-type]
    lambda: scorers.Function("f", polite, direction="up"),  # type: ignore[arg-type]
    lambda: scorers.Recorded("f", {}),
    lambda: scorers.Recorded("f", {"a": 1}),  # type: ignore[dict-item]
    lambda: scorers.Judge("", model="m"),
    lambda: scorers.Judge("good", model=""),
    lambda: scorers.Judge("good", model="m", low=5, high=5),
    lambda: scorers.PairwiseJudge("", model="m"),
    lambda: scorers.PairwiseJudge("a", model="m", rubric=" "),
]


@pytest.mark.parametrize("make", BAD)
def test_bad_scorers(make: Any) -> None:
    """A scorer that could not work is refused when it is made."""
    with pytest.raises(SuiteError):
        make()


def test_an_async_function_is_refused() -> None:
    """A function that would have to be awaited is refused in words."""

    async def later(output: str, row: Any) -> float:
        return 1.0

    with pytest.raises(SuiteError, match="is async"):
        scorers.Function("later", later)  # type: ignore[arg-type]


EVERY: list[scorers.Scorer] = [
    *(case[0] for case in CASES if not isinstance(case[0], scorers.Function)),
    scorers.Cost(),
    scorers.Latency(name="seconds"),
    scorers.Judge("kind", model="m", question="q", low=0, high=10, params={"temperature": 0}),
    scorers.PairwiseJudge("reference", model="m", seed=3),
    scorers.PairwiseJudge(model="m"),
]


@pytest.mark.parametrize("scorer", EVERY, ids=[f"{s.type}-{n}" for n, s in enumerate(EVERY)])
def test_descriptions_round_trip(scorer: scorers.Scorer) -> None:
    """From its description, sent as JSON, an equal scorer is made."""
    spec = json.loads(json.dumps(scorer.spec()))
    again = scorers.from_spec(spec)
    assert again == scorer
    assert again.spec() == scorer.spec()


def test_defaults_are_left_out_of_descriptions() -> None:
    """A field that is added later with a default changes no description, and so no suite's digest."""
    assert scorers.Exact("category").spec() == {"type": "exact", "column": "category", "name": "category"}
    assert scorers.Cost().spec() == {"type": "cost"}


def test_function_needs_its_code() -> None:
    """A function's description becomes a scorer again with the function; without, a stand-in that fails each row."""
    scorer = scorers.Function("polite", polite, version="1")
    again = scorers.from_spec(scorer.spec(), {"polite": polite})
    assert isinstance(again, scorers.Function)
    assert again.score(given("please")) == 1.0
    absent = scorers.from_spec(scorer.spec())
    assert isinstance(absent, scorers.Function)
    assert absent.spec() == scorer.spec()
    assert absent.why_not_publishable is not None
    with pytest.raises(ScoringError, match=r"function of scorer 'polite'.*is not here"):
        absent.score(given("please"))


def test_unversioned_functions_are_told_apart_by_their_code() -> None:
    """Two lambdas of one name have different descriptions."""
    one, other = (scorers.Function("f", f) for f in (lambda output, row: 1, lambda output, row: 0))
    same = scorers.Function("f", lambda output, row: 1)
    assert one.spec() == same.spec()
    assert one.spec() != other.spec()


@pytest.mark.parametrize(
    ("scorer", "publishable"),
    [
        (scorers.Function("f", polite, version="1"), True),
        (scorers.Function("f", polite), False),
        (scorers.Function("f", lambda output, row: 1, version="1"), False),
        (scorers.Exact("a"), True),
    ],
)
def test_publishable(scorer: scorers.Scorer, publishable: bool) -> None:
    """A lambda, and a function without a version, run but cannot be published."""
    assert (scorer.why_not_publishable is None) == publishable


@pytest.mark.parametrize("spec", [{}, {"type": "magic"}, {"type": "exact"}, {"type": "exact", "column": "a", "new": 1}])
def test_unknown_descriptions(spec: dict[str, Any]) -> None:
    """A description that this version does not know is refused in words."""
    with pytest.raises(SuiteError):
        scorers.from_spec(spec)
