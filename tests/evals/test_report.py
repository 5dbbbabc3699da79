"""The report: several candidates, judges held to account, and what it must not pass over, told in words."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pressmark import stats
from pressmark.errors import StatsError
from pressmark.evals import Answer, Memory, OutputRecord, Rating, Report, Suite, charts, execute, plan, report, scorers
from pressmark.prompts import FrozenDict
from pressmark.workspace import Store

from .making import Scripted, dataset, record, suite, version

ROWS = 120
DATA = dataset(*(f"row {n}" for n in range(ROWS)), channel=["mail" if n % 3 else "chat" for n in range(ROWS)])
RIGHT = scorers.Function("right", lambda output, row: 1)


def answered(version: str, row: int, *, cost: float | None = 0.01, model: str = "m-1", **scores: Any) -> OutputRecord:
    """A scored answer with a cost, a latency and a served model."""
    made = Answer("output", model=model, cost=cost, latency=1.0 + row % 7 * 0.1)
    return replace(record(version, row, **scores), answer=made)


def scored(versions: dict[str, Any], rows: int = ROWS, name: str = "right") -> list[OutputRecord]:
    """Records of versions by row."""
    return [answered(v, n, **{name: f(n)}) for n in range(rows) for v, f in versions.items()]


class TestVerdicts:
    """One candidate and several."""

    def test_cost_and_latency_are_compared_beside(self) -> None:
        """Cost and latency are compared from the answers where no scorer measures them, and decide nothing."""
        kept = [
            answered(v, n, cost=0.01 + 0.01 * (v == "b") * (1 + n % 5), right=float(n % 4 == 0 or (v == "b" and n % 2)))
            for n in range(ROWS)
            for v in "ab"
        ]
        found = report(kept, suite(DATA, RIGHT), "a", "b")
        assert found.verdict == "better"
        cost, latency = found.candidate.measured
        assert (cost.scorer, cost.verdict, cost.unit) == ("cost", "worse", "USD")
        assert (latency.scorer, latency.verdict, latency.same) == ("latency", "cannot tell", ROWS)
        assert found.worse == ()

    def test_a_cost_that_is_not_known(self) -> None:
        """Answers without a price have no cost to compare, and the report says so."""
        kept = [replace(r, answer=Answer("o", latency=1.0)) for r in scored({"a": lambda n: 0.0, "b": lambda n: n % 2})]
        found = report(kept, suite(DATA, RIGHT), "a", "b")
        assert found.unscored == ("cost",)
        assert "price not known" in str(found)

    def test_several_candidates_share_the_risk(self) -> None:
        """A candidate that alone is just better cannot tell beside others; Holm counts versions."""
        just = dict.fromkeys(range(6), 1.0)
        kept = scored({"a": lambda n: 0.0, "b": lambda n: just.get(n, 0.0), "c": lambda n: 0.0, "d": lambda n: 0.0})
        alone = report(kept, suite(DATA, RIGHT), "a", "b")
        assert alone.verdict == "better"
        beside = report(kept, suite(DATA, RIGHT), "a", "b", "c", "d")
        assert [c.verdict for c in beside.candidates] == ["cannot tell"] * 3
        assert beside["B"].p == pytest.approx(3 * alone["B"].p)
        assert beside["B"].sentence.startswith("cannot tell beside the other versions (adjusted p 0.094")
        with pytest.raises(KeyError, match="no candidate is called 'E'"):
            beside["E"]

    def test_slices_count_versions_too(self) -> None:
        """The p values of slices are adjusted over slices and versions together."""
        kept = scored({"a": lambda n: 0.0, "b": lambda n: n % 2, "c": lambda n: n % 5 == 0})
        found = report(kept, suite(DATA, RIGHT, slice="channel"), "a", "b", "c")
        parts = [part for c in found.candidates if c.primary for part in c.primary.slices]
        assert [part.p for part in parts] == list(stats.holm([part.result.p for part in parts]).adjusted)
        assert len(parts) == 4

    def test_a_stopped_run_uses_the_sequence(self) -> None:
        """A run that was stopped is judged by the confidence sequence, and the report names it."""
        kept = scored({"a": lambda n: 0.0, "b": lambda n: float(n % 2)}, rows=80)
        found = report(kept, suite(DATA, RIGHT, slice="channel"), "a", "b", method="sequence")
        assert found.primary is not None
        assert (found.verdict, found.primary.test, found.primary.slices) == ("better", "confidence sequence", ())
        assert "confidence sequence: not all 120 declared rows were asked" in str(found)
        assert "A: 40 of 120 rows were not asked" in str(found)

    def test_too_early(self) -> None:
        """Under 30 rows a run that goes on has no verdict, in words."""
        kept = scored({"a": lambda n: 0.0, "b": lambda n: 1.0}, rows=29)
        found = report(kept, suite(DATA, RIGHT), "a", "b", method="sequence")
        assert found.verdict == "cannot tell"
        assert found.sentence.startswith("cannot tell: too early to tell: 29 of 120 rows so far")

    def test_unplanned(self) -> None:
        """A run that was stopped for no declared reason says not to rely on it."""
        kept = scored({"a": lambda n: 0.0, "b": lambda n: 1.0}, rows=40)
        assert "do not rely on it" in str(report(kept, suite(DATA, RIGHT), "a", "b", method="unplanned"))


class TestBadInput:
    """A sentence where an exception would be no help, and never a false verdict."""

    def test_no_common_row(self) -> None:
        """Versions without a common row cannot be compared; the report is there all the same."""
        kept = [answered("a", 0, right=1.0), answered("b", 1, right=1.0)]
        found = report(kept, suite(DATA, RIGHT), "a", "b")
        assert (found.verdict, found.primary, found.unscored) == ("cannot tell", None, ("right", "cost", "latency"))
        assert found.sentence.startswith("cannot tell: no row has a score of 'right' from both versions")
        for told in (str(found), found._repr_html_(), json.dumps(found.to_dict(), allow_nan=False)):
            assert "cannot tell" in told
        assert list(found.to_frame().columns)[:3] == ["candidate", "baseline", "scorer"]

    @pytest.mark.parametrize("rows", [0, 1, 2, 5, 29])
    def test_few_rows(self, rows: int) -> None:
        """No row, one row and a few that all rise: whatever is told, it is no verdict that five rows do not bear."""
        found = report(scored({"a": lambda n: 0.0, "b": lambda n: 1.0}, rows=rows), suite(DATA, RIGHT), "a", "b")
        assert found.verdict == ("better" if rows >= 6 else "cannot tell")
        assert f"{ROWS - rows:,} of 120 rows were not asked" in str(found)

    def test_all_rows_equal(self) -> None:
        """Where nothing changed the report says that no row changed."""
        found = report(scored({"a": lambda n: 1.0, "b": lambda n: 1.0}), suite(DATA, RIGHT), "a", "b")
        assert found.verdict == "cannot tell"
        assert "no row changed" in found.sentence
        assert "nan" not in str(found).lower()
        assert "inf" not in str(found) + found._repr_html_() + str(found.to_frame())

    def test_a_measurement_that_did_not_change(self) -> None:
        """It has no interval to tell, in the report, in its slices and in the chart."""
        length = scorers.Function("length", lambda output, row: 9, kind="measurement", unit="characters")
        kept = scored({"a": lambda n: 9.0, "b": lambda n: 9.0}, name="length")
        found = report(kept, suite(DATA, length, slice="channel"), "a", "b")
        assert found.primary is not None
        drawn = json.dumps(charts.of_comparison(found.primary).to_dict())
        assert "inf" not in str(found) + found._repr_html_() + str(found.primary) + drawn
        assert "+0 characters" in str(found)
        frame = found.to_frame()
        assert frame.loc[frame["scorer"] == "length", "low"].isna().all()

    def test_latency_has_its_verdict(self) -> None:
        """What a run measured beside its scorers is told with its verdict, and decides nothing."""
        kept = scored({"a": lambda n: 1.0, "b": lambda n: 1.0})
        slower = [
            replace(r, answer=replace(r.answer, latency=r.answer.latency + 1 + r.row % 3)) if r.version == "b" else r
            for r in kept
            if r.answer is not None and r.answer.latency is not None
        ]
        found = report(slower, suite(DATA, RIGHT), "a", "b")
        [line] = [line for line in str(found).splitlines() if line.split()[:2] == ["latency", "measured"]]
        assert "▼ worse" in line
        assert (found.worse, found.verdict) == ((), "cannot tell")
        assert "remembered" not in str(found)
        frame = found.to_frame()
        assert frame.loc[frame["scorer"] == "latency", "verdict"].tolist() == ["worse"]
        timed = [replace(r, scores={**r.scores, "latency": r.answer.latency}) for r in slower if r.answer is not None]
        assert report(timed, suite(DATA, RIGHT, scorers.Latency()), "a", "b").worse == ("latency",)

    def test_a_remembered_answer_has_no_latency_to_compare(self) -> None:
        """It came under the load of another run: its rows are left out, and the report says why."""
        kept = scored({"a": lambda n: 1.0, "b": lambda n: 1.0})
        part = [replace(r, cached=r.version == "a" and r.row < 20) for r in kept]
        found = report(part, suite(DATA, RIGHT), "a", "b")
        cost, latency = found.candidate.measured
        assert (cost.n, latency.n) == (ROWS, ROWS - 20)
        assert "an answer remembered from another run came under another load" in str(found)
        whole = report([replace(r, cached=r.version == "a") for r in kept], suite(DATA, RIGHT), "a", "b")
        assert whole.unscored == ("latency",)
        assert "remembered from another run" in str(whole)

    def test_errors_and_failed_scorers_are_told(self) -> None:
        """Errors, rows left out and scorers that raised are counted, with a reason."""
        kept = scored({"a": lambda n: 0.0, "b": lambda n: float(n % 2)}, rows=100)
        kept[1] = record("b", 0, error="no answer")
        reason = "scorer 'right' raised KeyError: 'x'"
        kept[3] = replace(answered("b", 1, right=None), score_errors=FrozenDict({"right": reason}))
        told = str(report(kept, suite(DATA, RIGHT), "a", "b"))
        assert "B: 1 output ended as an error (server)" in told
        assert f"B: right could not score 1 output, such as: {reason}" in told
        assert "B: 2 rows have no score of both versions and are left out" in told

    def test_answers_that_are_not_whole_are_told(self) -> None:
        """An answer that was cut off, held back or is empty is no error, and no judgement on the prompt either."""
        kept = scored({"a": lambda n: 0.0, "b": lambda n: float(n % 2)}, rows=100)
        answers = {
            1: Answer("outp", finish_reason="length"),
            3: Answer("o", finish_reason="length"),
            5: Answer("", finish_reason="content_filter"),
            7: Answer("", finish_reason="stop"),
        }
        kept = [replace(each, answer=answers.get(number, each.answer)) for number, each in enumerate(kept)]
        told = str(report(kept, suite(DATA, RIGHT), "a", "b"))
        assert "B: 2 outputs were cut off at the limit of tokens, and scored so: raise max_tokens" in told
        assert "B: 1 output was held back by the endpoint's content filter" in told
        assert "B: 1 output is empty, and scored so" in told
        assert "A: 1 output" not in told

    def test_another_model_than_asked(self) -> None:
        """An endpoint that serves another model is told; a dated one of the same name is not another."""
        kept = [
            answered(v, n, right=float(n % 2), model="other" if v == "b" else "m-2026-01-01")
            for n in range(ROWS)
            for v in "ab"
        ]
        found = report(kept, suite(DATA, RIGHT), "a", "b", models={"a": "m", "b": "m"})
        assert found.notes == (
            "B asks for model m, and the endpoint served other in 120 outputs: the verdict is about the model that was"
            " served",
        )

    def test_no_candidate_and_no_column(self) -> None:
        """Nothing to compare and a column that is not there are mistakes of the caller."""
        kept = scored({"a": lambda n: 0.0})
        with pytest.raises(StatsError, match="at least one candidate"):
            report(kept, suite(DATA, RIGHT), "a")
        with pytest.raises(StatsError, match="no column 'topic'"):
            report(kept, suite(DATA, RIGHT), "a", "b", clusters="topic")

    def test_hostile_names(self) -> None:
        """Names and reasons cannot inject HTML."""
        evil = "<img src=x onerror=alert(1)>"
        kept = scored({"a": lambda n: 0.0, "b": lambda n: float(n % 2)})
        kept[1] = replace(kept[1], score_errors=FrozenDict({"right": evil}), scores=FrozenDict({"right": None}))
        told = report(kept, suite(DATA, RIGHT), "a", "b", names={"a": evil, "b": evil}, models={"a": evil})
        assert "<img" not in told._repr_html_()
        assert "&lt;img" in told._repr_html_()


class TestForms:
    """Text, HTML, DataFrame and JSON."""

    def found(self) -> Report:
        """Two candidates, slices, a guard."""
        kept = [
            answered(v, n, right=float(n % 4 == 0 or (v == "b" and n % 2 == 0)), length=10.0 + n % 3 + (v == "c"))
            for n in range(ROWS)
            for v in "abc"
        ]
        length = scorers.Length(name="length")
        return report(
            kept, suite(DATA, RIGHT, length, slice="channel"), "a", "b", "c", names={"a": "#1", "b": "#2", "c": "#3"}
        )

    def test_text(self) -> None:
        """The sentence stands first, then a line a scorer, slices, rows, and what is behind it."""
        lines = str(self.found()).splitlines()
        assert lines[0].startswith("▲ #2 better by 25.0 points [")
        assert lines[1].split()[:4] == ["right", "primary", "▲", "better"]
        assert any(line.startswith("  by slice (right)") for line in lines)
        assert any("fixed size: all 120 declared rows were asked" in line for line in lines)
        assert any("(Holm)" in line for line in lines)

    def test_frame(self) -> None:
        """A row for each candidate, scorer and slice, with the numbers of the comparison."""
        found = self.found()
        frame = found.to_frame()
        assert len(frame) == 2 * 4 * 3
        (row,) = frame[(frame.candidate == "#2") & (frame.scorer == "right") & (frame.slice == "all")].to_dict(
            "records"
        )
        assert (row["verdict"], row["role"], row["n"]) == ("better", "primary", ROWS)
        assert found["#2"].primary is not None
        assert row["difference"] == found["#2"].primary.difference
        assert row["p_adjusted"] >= row["p"]

    def test_json(self) -> None:
        """The JSON form is strict JSON with everything that the text tells."""
        told = json.loads(json.dumps(self.found().to_dict(), allow_nan=False))
        assert [c["name"] for c in told["candidates"]] == ["#2", "#3"]
        assert {c["role"] for c in told["candidates"][0]["comparisons"]} == {"primary", "guard", "measured"}
        assert (told["method"], told["planned"]) == ("fixed", ROWS)


JUDGE = scorers.PairwiseJudge(model="judge", question="text")
PLAIN, NEW = (version("", f"{style} {{{{ text }}}}") for style in ("plain", "new"))


def judged(vote: str, rows: int = 100, repeats: int = 1) -> tuple[list[OutputRecord], Suite]:
    """A run whose judge always votes the same, or for what is new."""

    def reply(text: str) -> str:
        if "Answer A:" not in text:
            return f"<{text}>"
        first = text.split("Answer A:\n<")[1].split(maxsplit=1)[0]
        return ("A" if first == "new" else "B") if vote == "new" else vote

    data = dataset(*(f"row {n}" for n in range(rows)))
    the_suite, sink = suite(data, JUDGE), Memory()
    made = plan([PLAIN, NEW], data, base_url="http://scripted/v1", repeats=repeats)
    execute(made, the_suite, Scripted(reply), sink, run_id="run")
    return [kept for kept in sink.records if kept.run_id == "run"], the_suite


class TestJudges:
    """Judges are held to account."""

    @pytest.mark.parametrize(("vote", "place"), [("A", "first"), ("B", "second")])
    @pytest.mark.parametrize(("rows", "repeats"), [(100, 1), (101, 1), (50, 2)])
    def test_a_judge_that_prefers_a_place(self, vote: str, place: str, rows: int, repeats: int) -> None:
        """The balanced order makes its votes cancel out, and the report shows the bias."""
        kept, the_suite = judged(vote, rows, repeats)
        found = report(kept, the_suite, PLAIN.digest, NEW.digest)
        assert found.verdict == "cannot tell"
        assert found.primary is not None
        assert abs(found.primary.difference) <= 0.5 / rows
        (judge,) = found.judges
        assert judge.biased
        assert judge.places is not None
        assert (judge.places.b if vote == "A" else judge.places.a) == rows * repeats
        assert abs(judge.orders[0] - judge.orders[1]) <= rows % 2
        assert f"the judge favours the {place} place" in str(found)
        low = stats.votes(0, rows * repeats).low
        assert f"preferred in {100 if vote == 'A' else 0:.1f} % [{100 * low if vote == 'A' else 0:.1f}" in str(found)

    def test_an_honest_judge(self) -> None:
        """A judge that prefers one version whatever its place is not told to favour one."""
        kept, the_suite = judged("new")
        found = report(kept, the_suite, PLAIN.digest, NEW.digest)
        assert found.verdict == "better"
        assert not found.judges[0].biased
        assert found.judges[0].orders == (50, 50)
        assert "no favoured place is seen" in str(found)
        assert "nobody knows how far it agrees" in str(found)

    def test_agreement_with_people(self) -> None:
        """People's votes on the same rows give kappa: full agreement, none, and the majority of several."""
        kept, the_suite = judged("new")

        def rating(row: int, choice: str, rater: str = "ana") -> Rating:
            left, right = (PLAIN.digest, NEW.digest) if row % 2 else (NEW.digest, PLAIN.digest)
            side = {"tie": "tie", "new": "right" if row % 2 else "left", "plain": "left" if row % 2 else "right"}
            return Rating(row, 0, left, right, side[choice], rater)

        agreed = [rating(row, "new") for row in range(20)]
        split = [rating(row, "plain") for row in range(20, 40)]
        found = self.judge(kept, the_suite, [*agreed, *split])
        assert (found.agreement.agreed, found.rated) == (0.5, 40)
        assert found.agreement.kappa == pytest.approx(0)
        three = [rating(row, "new", rater) for row in range(20) for rater in ("ana", "bo")]
        three += [rating(row, "plain", "cy") for row in range(20)]
        found = self.judge(kept, the_suite, three)
        assert (found.agreement.agreed, found.rated) == (1.0, 20)
        assert "kappa cannot tell" in found.sentences[-1]
        assert math.isnan(found.agreement.kappa)
        found = self.judge(kept, the_suite, [rating(row, "tie") for row in range(9)])
        assert found.agreement.agreed == 0

    def judge(self, kept: Sequence[OutputRecord], the_suite: Suite, ratings: Sequence[Rating]) -> Any:
        """The only judge's report."""
        return report(kept, the_suite, PLAIN.digest, NEW.digest, ratings=ratings).judges[0]


def test_the_file_gives_the_same_report(tmp_path: Path) -> None:
    """What is gathered in SQL is what is gathered from the records."""
    from pressmark.evals import gather

    kept, the_suite = judged("A", 60, repeats=2)
    kept[5] = replace(
        kept[5], scores=FrozenDict(), score_errors=FrozenDict({"preference": "no"}), judgements=FrozenDict()
    )
    kept[8] = replace(record(kept[8].version, kept[8].row, error="gone"), run_id="run")
    for number, answer in ((2, Answer("outp", finish_reason="length")), (3, Answer("", finish_reason="stop"))):
        kept[number] = replace(kept[number], answer=answer)
    store = Store(tmp_path / "w.duckdb")
    store.save_dataset(the_suite.dataset)
    store.create_run("run", {"format": 1}, dataset=the_suite.dataset.digest)
    store.append_outputs([one.to_dict() for one in kept])
    told = {"run_id": "run", "row": 3, "left": PLAIN.digest, "right": NEW.digest, "choice": "right", "rater": "ana"}
    store.add_ratings([told])
    ours = gather(kept, [Rating(3, 0, PLAIN.digest, NEW.digest, "right", "ana")])
    theirs = store.figures("run")
    for part in ("scores", "measured", "asked", "errors", "cut", "missing", "shown", "served"):
        assert {k: v for k, v in getattr(theirs, part).items() if v} == getattr(ours, part), part
    assert theirs.ratings == ours.ratings
