"""Comparisons: paired on rows, by slice, with rows that changed; and the suite's verdict over all its scorers."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from pressmark import stats
from pressmark.errors import StatsError, SuiteError
from pressmark.evals import OutputRecord, compare, report, scorers, summary

from .making import dataset, record, suite

ROWS = 120
DATA = dataset(
    *(f"row {n}" for n in range(ROWS)),
    channel=["mail" if n % 3 else "chat" for n in range(ROWS)],
    thread=[n // 2 for n in range(ROWS)],
)
RIGHT = scorers.Function("right", lambda output, row: 1)
COST = scorers.Cost()


def records(before: Any, after: Any, scorer: str = "right", rows: int = ROWS) -> list[OutputRecord]:
    """Scores of two versions, `a` and `b`, by row."""
    return [record(v, n, **{scorer: f(n)}) for n in range(rows) for v, f in (("a", before), ("b", after))]


def test_paired_on_rows() -> None:
    """The numbers are those of the paired statistics on the rows' scores, whatever the records' order."""
    before, after = [float(n % 4 == 0) for n in range(ROWS)], [float(n % 3 == 0) for n in range(ROWS)]
    kept = records(before.__getitem__, after.__getitem__)
    found = compare(reversed(kept), suite(DATA, RIGHT), "a", "b")
    expected = stats.paired(before, after)
    assert found.result == expected
    assert (found.verdict, found.difference, found.low, found.high) == (
        expected.verdict,
        expected.difference,
        expected.low,
        expected.high,
    )
    assert (found.n, found.up, found.down, found.same) == (ROWS, expected.up, expected.down, expected.same)
    assert found.sentence == expected.sentence("B", "points")


def test_repeats_are_averaged_first() -> None:
    """A row counts once, with the mean over its repeats."""
    kept = [record(v, n, repeat=r, right=float(v == "b" and r > 0)) for n in range(40) for v in "ab" for r in range(3)]
    found = compare(kept, suite(DATA, RIGHT), "a", "b")
    assert found.n == 40
    assert found.difference == pytest.approx(2 / 3)
    assert found.after == pytest.approx([2 / 3] * 40)


def test_rows_without_both_scores_are_left_out_and_told() -> None:
    """An error, and a score that is missing, leave their row out of both sides."""
    kept = [r for r in records(lambda n: 0.0, lambda n: 1.0, rows=40) if (r.version, r.row) != ("a", 7)]
    kept += [record("a", 7, error="no answer"), record("a", 40, right=None), record("b", 40, right=1.0)]
    found = compare(kept, suite(DATA, RIGHT), "a", "b")
    assert found.n == 39
    assert found.left_out == (7, 40)
    assert "2 rows have no score of both versions and are left out" in str(found)


def test_flips_begin_with_the_worst() -> None:
    """Rows that changed are listed, regressions first and the largest change first."""
    after = {0: 0.5, 1: 0.0, 2: 0.9, 3: 1.0, 4: 0.5 + 1e-15}
    kept = records(lambda n: 0.5, lambda n: after.get(n, 0.5), rows=10)
    kept[2 * 5] = record("a", 5, right=0.75)
    flips = compare(kept, suite(DATA, RIGHT), "a", "b").flips
    assert [(flip.row, flip.change) for flip in flips] == [
        (1, "regression"),
        (5, "regression"),
        (3, "improvement"),
        (2, "improvement"),
    ]


def test_lower_is_better() -> None:
    """For a cost the verdict and the regressions turn round."""
    kept = records(lambda n: 1.0 + n % 5, lambda n: 0.5 + n % 5 + (n % 7) * 0.01 + (n == 3) * 2, "cost")
    found = compare(kept, suite(DATA, COST), "a", "b")
    assert (found.verdict, found.unit) == ("better", "USD")
    assert found.difference < 0
    assert found.flips[0].row == 3
    assert found.sentence.startswith("B better: lower by 0.45")


def test_slices_are_adjusted_together() -> None:
    """Each slice has its own comparison; its verdict holds although all slices are looked at."""

    def after(n: int) -> float:
        return float(n % 3 == 0 and n % 2 == 0)

    found = compare(records(lambda n: 0.0, after), suite(DATA, RIGHT, slice="channel"), "a", "b")
    chat, mail = found.slices
    assert (chat.name, chat.result.n, chat.verdict) == ("chat", 40, "better")
    assert (mail.name, mail.result.n, mail.verdict) == ("mail", 80, "cannot tell")
    adjusted = stats.holm([chat.result.p, mail.result.p]).adjusted
    assert (chat.p, mail.p) == pytest.approx(adjusted)


def test_a_slice_that_only_looks_better() -> None:
    """A slice that would be better alone cannot tell beside many others."""
    data = dataset(*map(str, range(120)), part=[n // 6 for n in range(120)])
    kept = records(lambda n: 0.0, lambda n: float(n < 6))
    found = compare(kept, suite(data, RIGHT, slice="part"), "a", "b")
    assert found.slices[0].result.verdict == "better"
    assert {part.verdict for part in found.slices} == {"cannot tell"}


def test_clusters() -> None:
    """Rows of one thread are compared as a cluster."""
    kept = records(lambda n: float(n % 4 < 2), lambda n: float(n // 2 % 3 > 0))
    found = compare(kept, suite(DATA, RIGHT), "a", "b", clusters="thread")
    assert found.test == "clustered t"
    with pytest.raises(StatsError, match="no column 'topic'"):
        compare(kept, suite(DATA, RIGHT), "a", "b", clusters="topic")


def test_votes_of_a_pairwise_judge() -> None:
    """A pairwise judge's votes against the reference are counted for each version."""
    judge = scorers.PairwiseJudge("text", model="judge", name="right")
    kept = records(lambda n: float(n < 10), lambda n: 0.5 if n < 5 else float(n < 40))
    found = compare(kept, suite(DATA, judge), "a", "b")
    assert [(v.a, v.b, v.ties) for v in found.votes] == [(110, 10, 0), (80, 35, 5)]
    assert "B against the reference: 35 preferred, 80 not, 5 ties" in found.notes


def test_nothing_to_compare() -> None:
    """No common row, an unknown version and an unknown scorer are errors with words."""
    kept = [record("a", 0, right=1.0), record("b", 1, right=1.0)]
    with pytest.raises(StatsError, match="no row has a score of 'right' from both versions"):
        compare(kept, suite(DATA, RIGHT), "a", "b")
    with pytest.raises(StatsError):
        compare(kept, suite(DATA, RIGHT), "a", "unknown")
    with pytest.raises(SuiteError, match="no scorer 'wrong'; it has right"):
        compare(kept, suite(DATA, RIGHT), "a", "b", scorer="wrong")


def test_names_and_frame() -> None:
    """Versions are called by the names given, and the row scores come as a DataFrame."""
    kept = records(lambda n: 0.0, lambda n: float(n % 2))
    found = compare(kept, suite(DATA, RIGHT), "a", "b", names={"a": "#1", "b": "#2"})
    assert found.sentence.startswith("#2 better by 50.0 points [")
    assert found.notes[0].startswith("right, against #1; 95 % interval, paired t")
    frame = found.to_frame()
    assert list(frame.columns) == ["row", "baseline", "candidate", "difference"]
    assert frame["difference"].mean() == 0.5


def test_shown_forms_are_escaped() -> None:
    """Names and slices cannot inject HTML or a Markdown table's cells."""
    evil = "<script>alert(1)</script> | **x** | `y`"
    data = dataset(*map(str, range(40)), part=[evil] * 40)
    kept = records(lambda n: 0.0, lambda n: float(n % 2), rows=40)
    found = compare(kept, suite(data, RIGHT, slice="part"), "a", "b", names={"a": evil, "b": evil})
    page, marked = found._repr_html_(), found._repr_markdown_()
    assert "<script" not in page + marked
    assert "| **x**" not in marked
    assert "&lt;script&gt;" in page
    assert evil in str(found)


def test_json_form() -> None:
    """The JSON form is strict JSON, also where an end of the interval is open."""
    kept = records(lambda n: 1.0, lambda n: 2.0 + n, "cost", rows=3)
    found = compare(kept, suite(DATA, COST, slice="channel"), "a", "b")
    assert math.isinf(found.high)
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (told["verdict"], told["low"], told["n"]) == ("cannot tell", None, 3)
    assert told["slices"][0]["verdict"] == "cannot tell"


class TestReport:
    """The suite's verdict."""

    def both(self, cost: Any) -> list[OutputRecord]:
        """The candidate is right more often, at some cost."""
        return [
            record(v, n, right=float(n % 4 == 0 or (v == "b" and n % 2 == 0)), cost=cost(v, n))
            for n in range(ROWS)
            for v in "ab"
        ]

    def test_primary_decides(self) -> None:
        """Without a worse guard the primary scorer's verdict is the suite's."""
        found = report(self.both(lambda v, n: 1.0 + n % 3), suite(DATA, RIGHT, COST), "a", "b")
        assert (found.verdict, found.worse) == ("better", ())
        assert found.sentence == found.primary.sentence
        assert [guard.scorer for guard in found.guards] == ["cost"]

    def test_a_worse_guard_decides(self) -> None:
        """A guard that is worse makes the suite's verdict worse, and is named."""
        found = report(
            self.both(lambda v, n: 1.0 + n % 3 + (v == "b") * (1 + n % 5)), suite(DATA, RIGHT, COST), "a", "b"
        )
        assert (found.verdict, found.worse) == ("worse", ("cost",))
        assert found.sentence.startswith("B worse by guard cost; by right: B better by 25.0 points")
        assert any(line.split()[:4] == ["cost", "guard", "▼", "worse"] for line in str(found).splitlines())

    def test_guards_without_scores(self) -> None:
        """A guard without any score, such as an unknown cost, is told and decides nothing."""
        found = report(self.both(lambda v, n: None), suite(DATA, RIGHT, COST), "a", "b")
        assert (found.verdict, found.unscored) == ("better", ("cost",))
        assert "price not known" in str(found)


def test_summary() -> None:
    """Each version, scorer and slice has its mean and interval; 0 and 1 have Wilson's."""
    kept = [record(v, n, right=float(n < 30), cost=float(n)) for n in range(40) for v in "ab"]
    kept.append(record("a", 40, error="no answer"))
    told = {(s.version, s.scorer, s.slice): s for s in summary(kept, suite(DATA, RIGHT, COST, slice="channel"))}
    assert len(told) == 2 * 2 * 3
    row = told["a", "right", "all"]
    rate = stats.pass_rate(30, 40)
    assert (row.n, row.missing, row.mean) == (40, 1, 0.75)
    assert (row.low, row.high) == (rate.low, rate.high)
    assert told["b", "cost", "all"].low == pytest.approx(stats.mean(range(40)).low)
    assert told["b", "right", "chat"].n + told["b", "right", "mail"].n == 40


def test_summary_without_scores() -> None:
    """Where nothing was scored the mean is nan, not a zero."""
    (row,) = summary([record("a", 0, error="no")], suite(DATA, RIGHT))
    assert (row.n, row.missing) == (0, 1)
    assert math.isnan(row.mean)
