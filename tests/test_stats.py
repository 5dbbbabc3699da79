"""Statistics: published figures to the printed digit, the rule, and honest answers where rows cannot tell."""

from __future__ import annotations

import doctest
import itertools
import math
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy import stats as scipy_stats

from pressmark import stats
from pressmark.errors import StatsError
from pressmark.stats.exact import sign_flip_interval, sign_flip_p
from pressmark.stats.sequence import sequence_width

DIFFERENT = [0.1 * (row % 7) for row in range(60)]


def zeros_and_ones(up: int, down: int, same: int) -> tuple[list[int], list[int]]:
    """Baseline and candidate with so many rows up, down and the same."""
    return [0] * up + [1] * down + [0] * same, [1] * up + [0] * down + [0] * same


class TestPublishedFigures:
    """What others printed, to the printed digit."""

    @pytest.mark.parametrize(
        ("version", "win_rate", "standard_error"),
        [
            ("plain", 9.177964561962735, 0.8904117511864436),
            ("concise", 7.41586497762733, 0.8374438113826953),
            ("verbose", 12.76316981026087, 1.044246819212278),
        ],
    )
    def test_alpacaeval(self, shared: Path, version: str, win_rate: float, standard_error: float) -> None:
        """The recorded preferences give AlpacaEval's win rates and standard errors to 12 digits."""
        import pyarrow.parquet as pq

        wins = pq.read_table(shared / "data/alpacaeval/gpt-3.5-turbo-1106.parquet").column(f"win_{version}")
        result = stats.mean(wins.to_pylist())
        assert result.n == 805
        assert f"{100 * result.mean:.12g}" == f"{win_rate:.12g}"
        assert f"{100 * result.stderr:.12g}" == f"{standard_error:.12g}"

    @pytest.mark.parametrize(
        ("table", "chi2", "p", "exact"),
        [
            ([[101, 121], [59, 33]], "20.67222", "5.450095e-06", "0.000004"),
            ([[101, 70], [59, 33]], "0.7751938", "0.3786151", "0.378688"),
            ([[101, 80], [59, 33]], "2.87769784", "0.08981434", "0.089452"),
        ],
    )
    def test_mcnemar(self, table: list[list[int]], chi2: str, p: str, exact: str) -> None:
        """McNemar's chi squared with correction, its p value and the exact one are those of R and Vassar."""
        corrected = stats.mcnemar(table, exact=False)
        assert f"{corrected.statistic:.{len(chi2.split('.')[1])}f}" == chi2
        printed = f"{corrected.p:.6e}" if "e" in p else f"{corrected.p:.{len(p) - 2}f}"
        assert printed == p
        assert f"{stats.mcnemar(table).p:.6f}" == exact

    def test_standard_errors(self) -> None:
        """Standard errors of 0..9 and of clustered 0..19 are Inspect AI's."""
        assert f"{stats.mean(range(10)).stderr:.3f}" == "0.957"
        assert f"{stats.mean(range(20), [row % 4 for row in range(20)]).stderr:.3f}" == "0.645"

    def test_wilson(self) -> None:
        """17 of 20 is 64.0 to 94.8 %, 5 of 5 is 56.6 to 100 %."""
        told = [stats.pass_rate(17, 20), stats.pass_rate(5, 5)]
        assert [f"{100 * rate.low:.1f} {100 * rate.high:.1f}" for rate in told] == ["64.0 94.8", "56.6 100.0"]

    @pytest.mark.parametrize(("rows", "quantile"), [(2, "12.7062"), (10, "2.26216"), (31, "2.04227")])
    def test_quantiles(self, rows: int, quantile: str) -> None:
        """The half width of a mean's interval over its standard error is t's .975 quantile."""
        result = stats.mean(range(rows))
        measured = (result.high - result.mean) / result.stderr
        assert f"{measured:.{len(quantile.split('.')[1])}f}" == quantile

    def test_cohens_kappa(self) -> None:
        """Two readers of 50 grant proposals agree with kappa .40, the textbook example."""
        told = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
        found = stats.kappa(*zip(*told, strict=True))
        assert (f"{found.kappa:.2f}", f"{found.agreed:.2f}") == ("0.40", "0.70")
        assert found.sentence() == "agree in 70.0 % of 50 rows, kappa 0.40 [0.15, 0.65]"

    def test_fleiss_kappa(self) -> None:
        """14 raters on ten subjects agree with kappa .210, the textbook example."""
        table = [
            [0, 0, 0, 0, 14],
            [0, 2, 6, 4, 2],
            [0, 0, 3, 5, 6],
            [0, 3, 9, 2, 0],
            [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0],
            [3, 2, 6, 3, 0],
            [2, 5, 3, 2, 2],
            [6, 5, 2, 1, 0],
            [0, 2, 2, 3, 7],
        ]
        found = stats.fleiss_kappa(table)
        assert (f"{found.kappa:.3f}", f"{found.agreed:.3f}") == ("0.210", "0.378")

    def test_bradley_terry(self) -> None:
        """The baseball teams of 1987 have the abilities that Agresti and R's BradleyTerry2 print."""
        teams = ["Baltimore", "Boston", "Cleveland", "Detroit", "Milwaukee", "New York", "Toronto"]
        # Wins of the row's team over the column's.
        wins = [
            [0, 1, 7, 4, 2, 3, 1],
            [12, 0, 7, 2, 6, 7, 6],
            [6, 6, 0, 4, 4, 6, 5],
            [9, 11, 9, 0, 6, 5, 7],
            [11, 7, 9, 7, 0, 7, 9],
            [10, 6, 7, 8, 6, 0, 6],
            [12, 7, 8, 6, 4, 7, 0],
        ]
        found = stats.bradley_terry(
            {(a, b): (wins[i][j], wins[j][i]) for i, a in enumerate(teams) for j, b in enumerate(teams[i + 1 :], i + 1)}
        )
        told = [f"{one.strength:.4f}" for one in found.strengths]
        assert told == ["0.0000", "1.1077", "0.6839", "1.4364", "1.5814", "1.2476", "1.2945"]
        errors = [f"{(one.high - one.low) / (2 * 1.959964):.4f}" for one in found.strengths[1:]]
        assert errors == ["0.3339", "0.3319", "0.3396", "0.3433", "0.3359", "0.3367"]
        assert found.chance("Baltimore", "Milwaukee") == pytest.approx(0.829, abs=5e-4)


class TestPaired:
    """The paired verdict and the rule that picks its test."""

    def test_t_from_thirty_rows(self) -> None:
        """From 30 rows with 25 changed on, it is scipy's paired t interval."""
        rng = np.random.default_rng(3)
        before, after = rng.random(60), rng.random(60)
        result = stats.paired(before, after)
        expected = scipy_stats.ttest_rel(after, before)
        assert result.test == "paired t"
        assert (result.low, result.high) == pytest.approx(tuple(expected.confidence_interval()))
        assert result.p == pytest.approx(expected.pvalue)
        assert result.difference == pytest.approx(after.mean() - before.mean())

    @pytest.mark.parametrize(
        ("up", "down", "same", "test"),
        [(13, 12, 5, "paired t"), (13, 12, 4, "sign test"), (12, 12, 6, "sign test"), (20, 4, 176, "sign test")],
    )
    def test_the_rule_at_its_edges(self, up: int, down: int, same: int, test: str) -> None:
        """30 rows with 25 changed is the first t; one row less of either gets the exact test."""
        assert stats.paired(*zeros_and_ones(up, down, same)).test == test

    def test_nearly_all_rows_flipped(self) -> None:
        """Where more than nine tenths of the rows flip between 0 and 1, t would be too sure: 32 of 50 is no verdict."""
        assert stats.paired(*zeros_and_ones(32, 18, 0)).test == "sign test"
        assert stats.paired(*zeros_and_ones(32, 18, 0)).verdict == "cannot tell"
        assert stats.paired(*zeros_and_ones(33, 17, 0)).verdict == "better"
        assert stats.paired(*zeros_and_ones(30, 15, 5)).test == "paired t"

    def test_sign_test_is_exact_mcnemar(self) -> None:
        """On 0 and 1 the sign test's p value is exact McNemar's."""
        for up, down in [(6, 0), (9, 2), (3, 12), (12, 12), (1, 0)]:
            expected = stats.mcnemar([[5, up], [down, 5]]).p
            assert stats.paired(*zeros_and_ones(up, down, 10)).p == pytest.approx(expected)

    def test_sign_flip_counts_every_flip(self) -> None:
        """On other scores the p value is the share of all sign flips that are as extreme."""
        differences = [0.3, 0.1, -0.05, 0.2, 0.4, 0.15, -0.1, 0.25]
        result = stats.paired([0.5] * 8, [0.5 + d for d in differences])
        total = abs(sum(differences))
        flips = [
            abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
            for signs in itertools.product((1, -1), repeat=8)
        ]
        assert result.test == "sign-flip test"
        assert result.p == pytest.approx(sum(flip >= total - 1e-12 for flip in flips) / 2**8)

    def test_three_rows_are_not_proof(self) -> None:
        """Three rows from 0 to 1, where t says p = 0, cannot tell, and say how many rows would."""
        result = stats.paired([0, 0, 0], [1, 1, 1])
        assert result.verdict == "cannot tell"
        assert result.rows_needed == 6
        assert result.sentence().endswith("3 up, 0 down, 0 same; about 6 rows would tell")

    @pytest.mark.parametrize("rows", [30, 200])
    def test_equal_changes_go_to_the_exact_test(self, rows: int) -> None:
        """Where every row changed alike, t has no spread to go by and the sign test speaks."""
        result = stats.paired([0] * rows, [1] * rows)
        assert (result.test, result.verdict) == ("sign test", "better")
        assert 0 < result.low < 1 == result.high

    def test_nothing_changed(self) -> None:
        """Equal scores cannot tell, with an interval that narrows with the rows."""
        few, many = stats.paired([0.5] * 5, [0.5] * 5), stats.paired([1] * 500, [1] * 500)
        assert few.verdict == many.verdict == "cannot tell"
        assert few.rows_needed is None
        assert (few.p, few.difference) == (1.0, 0.0)
        assert few.high > 0.5 > 0.01 > many.high > 0
        assert "no row changed" in few.sentence()

    def test_one_row(self) -> None:
        """One row cannot tell, whatever it holds."""
        for before, after in [(0, 1), (1, 0), (0.2, 0.7), (3, 90)]:
            assert stats.paired([before], [after]).verdict == "cannot tell"

    def test_sum_order_is_not_a_change(self) -> None:
        """Scores that differ by rounding are the same."""
        result = stats.paired([0.3, 0.6], [0.1 + 0.2, 0.2 + 0.4])
        assert (result.up, result.down, result.same) == (0, 0, 2)

    def test_direction_turns_the_verdict(self) -> None:
        """For a score that should be low, lower is better and the numbers stay candidate minus baseline."""
        before, after = [2.0 + value for value in DIFFERENT], [1.0 + value * 0.9 for value in DIFFERENT]
        result = stats.paired(before, after, direction="lower")
        assert result.verdict == "better"
        assert result.high < 0
        assert result.sentence(unit="s").startswith("B better: lower by 1.03 s [")

    def test_verdict_and_p_agree(self) -> None:
        """Over many random small samples a verdict is given exactly where p is below the level."""
        rng = random.Random(5)
        for _ in range(150):
            rows = rng.randint(1, 28)
            kind = rng.choice((0, 1, 2))
            score = (lambda: rng.randint(0, 1), lambda: rng.randint(0, 4) / 4, lambda: rng.gauss(0, 3))[kind]
            before = [score() for _ in range(rows)]
            after = [value if rng.random() < 0.3 else score() + (0.8 * (kind == 2)) for value in before]
            result = stats.paired(before, after)
            assert (result.verdict == "cannot tell") == (result.p > 0.05), (before, after)
            assert result.low <= result.difference + 1e-12
            assert result.difference - 1e-12 <= result.high

    @pytest.mark.parametrize(("n", "p_up", "p_down"), [(12, 0.3, 0.3), (25, 0.2, 0.1), (25, 0.5, 0.1), (40, 0.1, 0.02)])
    def test_exact_interval_covers(self, n: int, p_up: float, p_down: float) -> None:
        """Summed over every outcome, the interval of few rows misses on each side with at most 2.5 %."""
        missed_below = missed_above = 0.0
        for up, down in itertools.product(range(n + 1), repeat=2):
            if up + down > n or (n >= 30 and up + down >= 25):
                continue
            chance = scipy_stats.multinomial.pmf([up, down, n - up - down], n, [p_up, p_down, 1 - p_up - p_down])
            if chance > 1e-7:
                result = stats.paired(*zeros_and_ones(up, down, n - up - down))
                missed_below += chance * (result.low > p_up - p_down)
                missed_above += chance * (result.high < p_up - p_down)
        assert max(missed_below, missed_above) <= 0.025

    def test_sign_flip_interval_inverts_the_test(self) -> None:
        """Every changed row shifted by an end of the interval stands at the test's edge."""
        changes = np.array([0.31, 0.12, -0.05, 0.23, 0.44, 0.15, -0.11, 0.27, 0.09, 0.02])
        result = stats.paired(np.full(10, 0.5), 0.5 + changes)
        low, high = sign_flip_interval(changes, 1.0, 0.05)
        for end, inside in ((low, 1e-6), (high, -1e-6)):
            assert sign_flip_p(changes - end - inside) > 0.05
            assert sign_flip_p(changes - end + inside) <= 0.05
        assert result.low <= low + 1e-9 < high - 1e-9 <= result.high


class TestClusters:
    """Rows that share a document are not independent."""

    def test_many_clusters(self) -> None:
        """From 30 clusters with 25 changed on, the interval is that of OLS with clustered covariance."""
        import statsmodels.api as sm

        rng = np.random.default_rng(1)
        groups = np.repeat(np.arange(40), 5)
        before = rng.random(200)
        after = before + rng.normal(0, 0.1, 200) + rng.normal(0.02, 0.1, 40)[groups]
        result = stats.paired(before, after, clusters=[f"document {g}" for g in groups])
        fit = sm.OLS(after - before, np.ones(200)).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
        assert result.test == "clustered t"
        assert (result.low, result.high) == pytest.approx(tuple(fit.conf_int()[0]))
        assert result.sd / math.sqrt(result.n) == pytest.approx(float(fit.bse[0]), rel=0.05)
        assert result.high - result.low > stats.paired(before, after).high - stats.paired(before, after).low

    def test_few_clusters(self) -> None:
        """Three clusters cannot tell, however many rows they hold."""
        result = stats.paired([0] * 300, [1] * 300, clusters=[row % 3 for row in range(300)])
        assert (result.test, result.verdict) == ("sign test", "cannot tell")

    def test_one_cluster_has_no_spread(self) -> None:
        """The mean of one cluster has no interval."""
        result = stats.mean([1.0, 2.0, 4.0], ["a", "a", "a"])
        assert math.isnan(result.stderr)
        assert math.isnan(result.low)


@pytest.mark.parametrize("far", [1e308, -1e308, 2e150, 10**200])
def test_numbers_too_large_to_calculate_with(far: float, recwarn: pytest.WarningsRecorder) -> None:
    """What would overflow is refused by its row, before numpy warns; what is within reach gives finite intervals."""
    for call in (lambda: stats.mean([0.0, far]), lambda: stats.paired([0.0, 1.0], [1.0, far])):
        with pytest.raises(StatsError, match=r"row 1 of .* too large to calculate with: give numbers within") as told:
            call()
        assert told.value.row == 1  # type: ignore[attr-defined]
    near = math.copysign(1e150, far)
    result = stats.paired([0.0] * 40, [near, -near, near / 2, 0.0] * 10)
    assert math.isfinite(result.low)
    assert math.isfinite(result.high)
    assert not recwarn.list


def test_ends_of_a_pass_rate() -> None:
    """Where no row passed the interval begins at 0, where all did it ends at 1, without what rounding leaves."""
    for n in range(1, 400):
        assert stats.pass_rate(0, n).low == 0.0
        assert stats.pass_rate(n, n).high == 1.0
        assert stats.pass_rate(0, n).high > 0.0


class TestMean:
    """Means where the rows say little."""

    def test_one_row_and_equal_rows(self) -> None:
        """One row and equal rows have a mean and no t interval; all passed has Wilson's."""
        assert math.isnan(stats.mean([0.4]).stderr)
        assert math.isnan(stats.mean([0.4]).low)
        assert math.isnan(stats.mean([0.4] * 9).high)
        assert stats.mean([0.4] * 9).stderr == pytest.approx(0.0)
        assert (stats.mean([1] * 5).low, stats.mean([1] * 5).high) == pytest.approx((0.5655, 1.0), abs=1e-4)


class TestNonInferior:
    """Must not regress: the lower end of the interval stays above minus the margin."""

    def test_the_end_decides(self) -> None:
        """A margin just beyond the lower end passes and one just inside does not."""
        rng = np.random.default_rng(2)
        before = rng.random(100)
        after = before + rng.normal(0, 0.1, 100)
        low = stats.paired(before, after).low
        assert low < 0
        assert stats.non_inferior(before, after, -low + 1e-9).passed
        refused = stats.non_inferior(before, after, -low - 1e-3)
        assert not refused.passed
        assert refused.rows_needed is not None
        assert refused.rows_needed > 100

    def test_few_equal_rows_do_not_pass(self) -> None:
        """Five equal rows do not pass a margin of 2 points; the rows that they ask for do."""
        few = stats.non_inferior([1] * 5, [1] * 5, 0.02)
        assert not few.passed
        assert few.rows_needed == 183
        assert stats.non_inferior([1] * 183, [1] * 183, 0.02).passed
        assert not stats.non_inferior([1] * 182, [1] * 182, 0.02).passed

    def test_lower_is_better(self) -> None:
        """A cost that rises beyond the margin does not pass."""
        before, after = [1 + value for value in DIFFERENT], [1.5 + value * 1.1 for value in DIFFERENT]
        assert not stats.non_inferior(before, after, 0.1, direction="lower").passed
        assert stats.non_inferior(after, before, 0.1, direction="lower").passed

    def test_clearly_worse_gets_no_rows(self) -> None:
        """No number of rows makes a loss beyond the margin pass."""
        result = stats.non_inferior(*zeros_and_ones(2, 60, 40), 0.05)
        assert (result.passed, result.rows_needed) == (False, None)

    @pytest.mark.parametrize("margin", [-0.1, math.nan, math.inf])
    def test_bad_margin(self, margin: float) -> None:
        """A margin is a finite number of 0 or more."""
        with pytest.raises(StatsError, match="margin"):
            stats.non_inferior([0, 1], [1, 0], margin)


class TestVotesAndHolm:
    """Votes and several looks at once."""

    def test_votes(self) -> None:
        """Ties decide nothing; the share has Wilson's interval and an exact test."""
        result = stats.votes(39, 61, 5)
        assert result.p == pytest.approx(scipy_stats.binomtest(61, 100).pvalue)
        assert result.verdict == "better"
        assert result.sentence() == "B preferred in 61.0 % [51.2, 70.0] of 100 decided votes, 5 ties"
        assert stats.votes(61, 39).verdict == "worse"
        assert stats.votes(61, 39, 1).sentence().startswith("A preferred in 61.0 % [51.2, 70.0]")

    def test_votes_that_cannot_tell(self) -> None:
        """No decided vote and too few decided votes cannot tell."""
        assert stats.votes(0, 0, 7).sentence() == "cannot tell: no vote was decided, 7 ties"
        assert stats.votes(0, 5).verdict == "cannot tell"
        with pytest.raises(StatsError):
            stats.votes(-1, 3)

    def test_holm(self) -> None:
        """Holm multiplies the smallest p by their number and keeps the order."""
        result = stats.holm([0.04, 0.01, 0.03])
        assert result.adjusted == pytest.approx((0.06, 0.03, 0.06))
        assert result.significant == (False, True, False)
        assert stats.holm([]).adjusted == ()
        with pytest.raises(StatsError):
            stats.holm([0.1, math.nan])


class TestPower:
    """Rows needed and the smallest effect to be seen."""

    def test_they_are_inverse(self) -> None:
        """The smallest effect of n rows needs n rows."""
        for n in (5, 40, 400):
            assert stats.rows_needed(stats.smallest_effect(n, 0.4), 0.4) in (n, n + 1)

    @pytest.mark.parametrize(("difference", "sd"), [(0.5, 0.01), (1e6, 1.0), (0.05, 0.4), (1e-3, 0.4), (0.4, 0.4)])
    def test_any_size(self, difference: float, sd: float) -> None:
        """A finite answer comes for any difference that ten million rows could show."""
        needed = stats.rows_needed(difference, sd)
        assert needed is not None
        assert needed >= 2

    def test_no_number_would_tell(self) -> None:
        """No difference, or one far too small, gets None."""
        assert stats.rows_needed(0.0, 0.4) is None
        assert stats.rows_needed(1e-6, 0.4) is None

    @pytest.mark.parametrize("sd", [0.0, -1.0, math.nan])
    def test_bad_pilot(self, sd: float) -> None:
        """A pilot without spread is refused."""
        with pytest.raises(StatsError):
            stats.rows_needed(0.1, sd)
        with pytest.raises(StatsError):
            stats.smallest_effect(10, sd)


class TestConfidenceSequence:
    """The interval that may be looked at while a run streams."""

    def test_nothing_under_thirty_rows(self) -> None:
        """29 rows show nothing, 30 do."""
        assert stats.confidence_sequence(DIFFERENT[:29], 100) is None
        assert stats.confidence_sequence([], 100) is None
        assert stats.confidence_sequence(DIFFERENT[:30], 100) is not None

    def test_narrowest_at_the_planned_rows(self) -> None:
        """No other tuning is narrower at the planned number of rows."""
        planned = 400
        best = sequence_width(planned, planned, 0.05)
        assert all(sequence_width(planned, other, 0.05) > best for other in (50, 300, 500, 5000))

    def test_false_wins_while_peeking(self) -> None:
        """Looked at every 10 rows of 1,000 runs without a difference, under 5 % ever claim one."""
        rng = np.random.default_rng(0)
        sizes = np.arange(30, 401, 10)
        widths = np.array([sequence_width(int(n), 400, 0.05) for n in sizes])
        ordinary = scipy_stats.t.ppf(0.975, sizes - 1) / np.sqrt(sizes)
        false = false_ordinary = 0
        for _ in range(1000):
            differences = rng.choice([-1.0, 0.0, 1.0], 400, p=[0.12, 0.76, 0.12])
            means = np.cumsum(differences)[sizes - 1] / sizes
            sds = np.sqrt((np.cumsum(differences**2)[sizes - 1] - sizes * means**2) / (sizes - 1))
            false += bool(np.any(abs(means) > sds * widths))
            false_ordinary += bool(np.any(abs(means) > sds * ordinary))
        assert false < 50 < 150 < false_ordinary

    def test_matches_its_parts(self) -> None:
        """The interval is the mean plus and minus sd times the width."""
        result = stats.confidence_sequence(DIFFERENT, 100)
        assert result is not None
        half = float(np.std(DIFFERENT, ddof=1)) * sequence_width(60, 100, 0.05)
        assert (result.low, result.high) == pytest.approx((result.mean - half, result.mean + half))


class TestSequential:
    """The comparison of a run that goes on, in the form of a finished one."""

    def test_nothing_under_thirty_rows(self) -> None:
        """29 rows give none, 30 do."""
        before, after = zeros_and_ones(20, 10, 0)
        assert stats.sequential(before[:29], after[:29], 200) is None
        found = stats.sequential(before, after, 200)
        assert found is not None
        assert (found.test, found.n, found.up, found.down, found.same) == ("confidence sequence", 30, 20, 10, 0)

    def test_its_interval(self) -> None:
        """It is the sequence's, with a gain and a loss of 1 counted into the variance."""
        before, after = zeros_and_ones(40, 15, 45)
        found = stats.sequential(before, after, 400)
        plain = stats.confidence_sequence([b - a for a, b in zip(before, after, strict=True)], 400)
        assert found is not None
        assert plain is not None
        half = math.sqrt(found.sd**2 + 2 / 100) * sequence_width(100, 400, 0.05)
        assert (found.low, found.high) == pytest.approx((0.25 - half, 0.25 + half))
        assert found.low < plain.low < plain.high < found.high

    def test_verdict_and_p_agree(self) -> None:
        """A verdict is given exactly where p is below the level, at any look and for either direction."""
        rng = np.random.default_rng(4)
        seen = set()
        for gain in (0.0, 0.2, 0.4, 0.5):
            before, after = rng.random(300) < 0.5, rng.random(300) < 0.5 + gain
            for rows in range(30, 301, 10):
                found = stats.sequential(before[:rows], after[:rows], 300)
                turned = stats.sequential(before[:rows], after[:rows], 300, direction="lower")
                assert found is not None
                assert turned is not None
                assert (found.verdict == "cannot tell") == (found.p >= 0.05)
                assert {"better": "worse", "worse": "better"}.get(found.verdict, found.verdict) == turned.verdict
                seen.add(found.verdict)
        assert seen == {"better", "cannot tell"}

    def test_clear_and_equal_rows(self) -> None:
        """Thirty rows that all rise are better; rows that do not change cannot tell, whatever they measure."""
        clear, equal = stats.sequential([0] * 30, [1] * 30, 100), stats.sequential([1] * 60, [1] * 60, 100)
        assert clear is not None
        assert equal is not None
        assert (clear.verdict, clear.high) == ("better", 1.0)
        assert (equal.verdict, equal.p) == ("cannot tell", 1.0)
        measured = stats.sequential([7.0] * 60, [7.0] * 60, 100)
        assert measured is not None
        assert (measured.verdict, measured.low, measured.high) == ("cannot tell", -math.inf, math.inf)
        assert "no row changed" in measured.sentence()

    def test_lopsided_measurements_wait(self) -> None:
        """A measurement with a few huge changes says nothing before there are rows enough for its skewness."""
        after = [1.0 - 0.001 * (row % 3) for row in range(60)]
        after[50] = 9.0
        found = stats.sequential([1.0] * 60, after, 100)
        assert found is not None
        assert (found.low, found.high, found.verdict) == (-math.inf, math.inf, "cannot tell")

    def test_bad_input(self) -> None:
        """Unequal lengths, missing scores and a plan of nothing are refused."""
        for before, after, planned in ([0, 1], [1], 10), ([math.nan] * 30, [1] * 30, 40), ([0] * 30, [1] * 30, 0):
            with pytest.raises(StatsError):
                stats.sequential(before, after, planned)


class TestAgreementAndStrengths:
    """Raters and many versions, where they say little."""

    def test_all_gave_one_answer(self) -> None:
        """Where all raters gave one answer there is no kappa, and a sentence says so."""
        found = stats.kappa(["A"] * 5, ["A"] * 5)
        assert math.isnan(found.kappa)
        assert found.sentence() == "agree in 100.0 % of 5 rows; all have one answer, so kappa cannot tell"
        assert math.isnan(stats.fleiss_kappa([[3, 0], [3, 0]]).kappa)

    @pytest.mark.parametrize("table", [[], [[1, 0]], [[2, 1], [2, 2]], [[2, 1], [3]], [[-1, 4]], [[0.5, 1.5]]])
    def test_bad_tables(self, table: list[list[int]]) -> None:
        """Raters that differ in number, or are fewer than two, are refused."""
        with pytest.raises(StatsError, match="row of counts"):
            stats.fleiss_kappa(table)

    def test_unequal_raters(self) -> None:
        """Two raters must have rated the same."""
        for a, b in (([], []), (["A"], ["A", "B"])):
            with pytest.raises(StatsError, match="keep the rows that both rated"):
                stats.kappa(a, b)

    def test_who_never_lost(self) -> None:
        """A version that won every vote has no finite strength: the note says so."""
        found = stats.bradley_terry({("a", "b"): (5, 3, 2), ("b", "c"): (4, 0), ("a", "c"): (6, 0)})
        assert found.note.startswith("cannot tell strengths: ")
        assert found.note.endswith("more votes would tell")
        assert math.isnan(found.strengths[0].strength)
        assert math.isnan(found.chance("a", "b"))
        assert (found.strengths[0].preferred, found.strengths[0].decided, found.strengths[0].ties) == (11, 14, 2)

    def test_ties_stand_beside(self) -> None:
        """Ties change no strength, and are told."""
        votes = {("a", "b"): (5, 3), ("b", "c"): (4, 6), ("a", "c"): (6, 2)}
        plain, tied = stats.bradley_terry(votes), stats.bradley_terry({k: (*v, 9) for k, v in votes.items()})
        assert [one.strength for one in plain.strengths] == [one.strength for one in tied.strengths]
        assert (plain.ties, tied.ties) == (0, 27)
        assert str(tied).endswith("log odds against a; 27 ties")

    def test_two_versions(self) -> None:
        """Two versions are compared by their votes; one cannot be compared with itself."""
        with pytest.raises(StatsError, match="three or more"):
            stats.bradley_terry({("a", "b"): (5, 3)})
        with pytest.raises(StatsError, match="itself"):
            stats.bradley_terry({("a", "a"): (5, 3)})


class TestBootstrap:
    """The interval of few or skewed rows."""

    def test_it_covers(self) -> None:
        """On 40 skewed rows it holds the mean in at least 85 of 100 samples."""
        rng = np.random.default_rng(8)
        held = sum(
            found.low <= math.exp(0.5) <= found.high
            for found in (stats.bootstrap_mean(np.exp(rng.standard_normal(40))) for _ in range(100))
        )
        assert held >= 85

    def test_it_stays_within_the_rows(self) -> None:
        """It is the same each time, and never leaves what the rows hold."""
        scores = [0.0] * 3 + [1.0] * 9
        found = stats.bootstrap_mean(scores)
        assert found == stats.bootstrap_mean(scores)
        assert 0 < found.low < found.mean < found.high <= 1
        assert stats.mean(scores).high > found.high

    def test_equal_rows(self) -> None:
        """Equal rows and one row have no interval."""
        assert math.isnan(stats.bootstrap_mean([0.4] * 9).low)
        assert math.isnan(stats.bootstrap_mean([0.4]).high)

    def test_skewed(self) -> None:
        """A handful of huge rows among 100 is skewed; even spread is not."""
        assert stats.skewed([1.0] * 98 + [60.0, 61.0])
        assert not stats.skewed(DIFFERENT)
        assert not stats.skewed([1.0] * 5)


def bad_scores() -> Iterator[object]:
    """Sequences that hold what is no score."""
    yield [0.1, math.nan]
    yield [0.1, math.inf]
    yield [0.1, None]
    yield ["0.1", 0.2]
    yield [0.1, [0.2]]
    yield []


class TestBadInput:
    """One clear error, never a false verdict."""

    @pytest.mark.parametrize("scores", list(bad_scores()), ids=repr)
    def test_scores(self, scores: list[float]) -> None:
        """A missing or infinite score, and no row at all, are refused by name and row."""
        for call in (
            lambda: stats.mean(scores),
            lambda: stats.paired(scores, scores),
            lambda: stats.paired([0.5] * len(scores), scores),
        ):
            with pytest.raises(StatsError, match=r"finite number|no row"):
                call()

    def test_lengths(self) -> None:
        """Unequal lengths of rows and clusters are refused with both numbers."""
        with pytest.raises(StatsError, match="baseline has 2 rows and candidate 3"):
            stats.paired([0, 1], [0, 1, 1])
        with pytest.raises(StatsError, match="clusters names 1 row"):
            stats.paired([0, 1], [1, 1], clusters=["a"])
        with pytest.raises(StatsError, match="row 1 has no cluster"):
            stats.mean([0, 1], clusters=["a", None])

    def test_counts_and_levels(self) -> None:
        """Impossible counts, tables, levels and directions are refused."""
        for call in (
            lambda: stats.pass_rate(0, 0),
            lambda: stats.pass_rate(3, 2),
            lambda: stats.mcnemar([[1, 2, 3]]),
            lambda: stats.mcnemar([[1, -2], [3, 4]]),
            lambda: stats.mean([0, 1], confidence=95),
            lambda: stats.paired([0, 1], [1, 1], direction="up"),  # type: ignore[arg-type]
            lambda: stats.confidence_sequence(DIFFERENT, 0),
        ):
            with pytest.raises(StatsError):
                call()


class TestSentence:
    """The verdict in one line."""

    def test_better(self) -> None:
        """The form is the one that the workbench, the report and the gate show."""
        before, after = zeros_and_ones(62, 32, 104)
        result = stats.paired(before, after)
        assert result.sentence() == "B better by 15.2 points [5.7, 24.6] on 198 rows: 62 up, 32 down, 104 same"

    def test_worse(self) -> None:
        """Worse tells by how much, with both ends of how much."""
        before, after = zeros_and_ones(32, 62, 104)
        told = stats.paired(before, after).sentence("support/triage #2")
        assert told.startswith("support/triage #2 worse by 15.2 points [5.7, 24.6] on 198 rows: 32 up")

    def test_cannot_tell(self) -> None:
        """Cannot tell says how many rows would."""
        before, after = zeros_and_ones(33, 27, 138)
        told = stats.paired(before, after).sentence()
        assert told.startswith("cannot tell: B differs by +3.0 points [-4.7, 10.8] on 198 rows: 33 up, 27 down")
        assert told.endswith("about 2,598 rows would tell")


def test_the_packages_own_example() -> None:
    """The example in the package's docstring is what comes out."""
    assert doctest.testmod(stats).attempted == 3
    assert doctest.testmod(stats).failed == 0
