"""How often verdicts are wrong, measured: 10,000 seeded runs without a difference of each kind and size."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import verdicts
from pressmark import stats

SHORT = (*verdicts.CONTINUOUS, *(kind for kind in verdicts.BINARY if kind.name[:-7] in {"5", "10", "30", "50", "100"}))
KINDS = (*verdicts.CONTINUOUS, *verdicts.BINARY, *verdicts.LOPSIDED)


@pytest.mark.parametrize("n", verdicts.SIZES)
def test_false_verdicts(n: int) -> None:
    """The rule is wrong in at most 5.5 % of runs, the sequence, looked at every 10 rows, in at most 5 %."""
    for kind in SHORT:
        told = verdicts.shares(kind, n, peeked=False)
        assert told["rule"] <= 5.5, kind.name
        assert told["sequence"] <= 5, kind.name
        if kind in verdicts.CONTINUOUS and n >= 50:
            assert told["rule"] >= 4, kind.name


@pytest.mark.parametrize("n", [10, 20, 30, 50, 100])
def test_false_verdicts_exactly(n: int) -> None:
    """Summed over every outcome of scores of 0 and 1, the rule is wrong in at most 5.1 %, whatever share flips."""
    for rate in (0.1, 0.3, 0.5, 0.8, 0.9, 0.95, 1.0):
        assert verdicts.exactly(rate, n) <= 5.1, rate


@pytest.mark.parametrize("kind", verdicts.LOPSIDED, ids=lambda kind: kind.name)
def test_the_sequence_stands_lopsided_rows(kind: verdicts.Kind) -> None:
    """Where rare large gains pay for many small losses, the sequence stays under 5 %."""
    for n in (50, 200, 1000):
        assert verdicts.shares(kind, n, 4000, peeked=False)["sequence"] <= 5


def test_false_verdicts_on_latency() -> None:
    """Under a load that changes, latency's verdicts are wrong as seldom: which version goes first is drawn."""
    told = verdicts.latency_shares(50, 400)
    # 400 runs of 5 %: 3.2 standard errors.
    assert told["drawn"] <= 8.5
    assert told["baseline first"] > 40


def test_power() -> None:
    """Differences are found: 15 points nearly always on 200 rows, and on most of those runs while they go on."""
    told = verdicts.power(0.15, 0.25, 200, 2000)
    assert told["rule"] > 98
    assert told["sequence"] > 90
    few = verdicts.power(0.05, 0.25, 200, 2000)
    assert 25 < few["rule"] < 35
    assert few["sequence"] > 6


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 6))
def test_false_verdicts_at_length(seed: int) -> None:
    """The same with other seeds, over every kind."""
    for n in verdicts.SIZES:
        for kind in (*verdicts.CONTINUOUS, *verdicts.BINARY, *verdicts.LOPSIDED):
            told = verdicts.shares(kind, n, 40_000, seed, peeked=False)
            assert told["sequence"] <= 5, (kind.name, n)
            if not kind.lopsided:
                assert told["rule"] <= 5.5, (kind.name, n)
            if kind in verdicts.CONTINUOUS and n >= 50:
                assert told["rule"] >= 4, (kind.name, n)


@pytest.mark.soak
@pytest.mark.parametrize("n", verdicts.SIZES)
def test_false_verdicts_exactly_at_length(n: int) -> None:
    """The exact shares over a finer grid of flip rates and up to 1,000 rows."""
    for percent in range(5, 101, 5):
        assert verdicts.exactly(percent / 100, n) <= 5.5, percent


def pairs(differences: np.ndarray, bounded: bool) -> tuple[list[float], list[float]]:
    """Scores with these differences."""
    before = np.maximum(0.0, -differences) if bounded else np.zeros(len(differences))
    return before.tolist(), (before + differences).tolist()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_same_verdicts_as_the_public_functions(kind: verdicts.Kind) -> None:
    """What is simulated at once are the verdicts that `paired` and `sequential` give one by one."""
    rng = np.random.default_rng(7)
    agreed = set()
    for n in (10, 13, 20, 30, 60, 110):
        differences = np.asarray(kind.draw(rng, (8, n)), dtype=float)
        # Half of the cases differ in fact, so that both verdicts come.
        if kind in verdicts.BINARY:
            differences[::2] = abs(differences[::2])
        elif not kind.bounded:
            differences[::2] += differences.std() / 2
        else:
            differences[::2] = np.clip(differences[::2] + 0.3 * differences.std(), -1, 1)
        ends, looks = verdicts.at_the_end(differences, kind.bounded), verdicts.live(differences, kind.bounded)
        for row, end, look in zip(differences, ends, looks, strict=True):
            before, after = pairs(row, kind.bounded)
            assert (stats.paired(before, after).verdict != "cannot tell") == end
            seen = [
                stats.sequential(before[:size], after[:size], n, bounded=kind.bounded) for size in range(30, n + 1, 10)
            ]
            assert any(found is not None and found.verdict != "cannot tell" for found in seen) == look
            agreed |= {("end", bool(end)), ("look", bool(look))}
    assert len(agreed) >= 2 if kind.name == "2 % flip" else len(agreed) >= 3
