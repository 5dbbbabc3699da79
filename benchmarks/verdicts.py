"""How often a verdict is wrong, and how often one is found: `python -m benchmarks.verdicts`.

10,000 seeded runs of each kind and size. Where the two versions do not differ, every verdict is a false one: that of
the rule at the end of a run (`pressmark.stats.paired`), and that of the live sequence (`pressmark.stats.sequential`)
for somebody who looks every 10 rows and stops at the first verdict. Where they differ, the share of verdicts is the
power. Beside them stands what acting on an ordinary t interval at every look would give. For scores of 0 and 1 the
share of the rule is computed exactly too, over all outcomes. Prints tables, and a JSON object as its last line.

Latency is measured under a load that the run itself makes, so its verdicts are held to account in a simulated endpoint
that grows slower and faster over time and answers the second version of a row sooner (its cache knows the row by then):
for versions that do not differ, in the order in which a run asks, and as if the baseline always went first.

One run through the public functions takes a tenth of a millisecond to a few of them, so the verdicts of many runs are
computed at once here; tests/test_false_verdicts.py holds them against the public functions, case by case.
"""

from __future__ import annotations

import argparse
import heapq
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats as scipy_stats

from pressmark.evals import Dataset, plan
from pressmark.prompts.canonical import unit_digest
from pressmark.rendering import PromptVersion, build_unit
from pressmark.stats.exact import RESAMPLES
from pressmark.stats.pairs import T_CHANGED, T_ROWS
from pressmark.stats.sequence import SEQUENCE_ROWS, sequence_width

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

RUNS = 10_000
SEED = 1
SIZES = (10, 20, 30, 50, 100, 200, 500, 1000)
LOOK = 10
# Calls at once, and what is left of a call's time where the endpoint has seen the row just now.
AT_ONCE, WARM = 8, 0.8
LATENCY_RUNS = 1000
FLIP_RATES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0)


@dataclass(frozen=True)
class Kind:
    """One kind of scores without a difference.

    Attributes:
        name: What to call it.
        draw: Differences of so many runs and rows.
        bounded: Whether they are between scores in [0, 1].
        lopsided: Whether only their mean is 0, while gains and losses are of different sizes.
    """

    name: str
    draw: Callable[[np.random.Generator, tuple[int, int]], Floats]
    bounded: bool = True
    lopsided: bool = False


def flips(rate: float, gain: float = 0.0) -> Callable[[np.random.Generator, tuple[int, int]], Floats]:
    """Differences of scores of 0 and 1: `rate` of the rows flip, and `gain` more of them up than down."""

    def draw(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
        drawn = rng.random(size)
        return np.where(drawn < (rate + gain) / 2, 1.0, np.where(drawn < rate, -1.0, 0.0))

    return draw


CONTINUOUS = (
    Kind("uniform scores", lambda rng, size: rng.random(size) - rng.random(size)),
    Kind("scores near 0 and 1", lambda rng, size: rng.beta(0.3, 0.1, size) - rng.beta(0.3, 0.1, size)),
    Kind("normal measurement", lambda rng, size: rng.standard_normal(size), bounded=False),
)
BINARY = tuple(Kind(f"{100 * rate:g} % flip", flips(rate)) for rate in FLIP_RATES)
LOPSIDED = (
    Kind(
        "1 in 20 gains 0.95, the others lose 0.05",
        lambda rng, size: (rng.random(size) < 0.05) - 0.05 + 0.002 * rng.standard_normal(size),
        lopsided=True,
    ),
    Kind(
        "1 in 100 gains 0.99, the others lose 0.01",
        lambda rng, size: (rng.random(size) < 0.01) - 0.01 + 0.0005 * rng.standard_normal(size),
        lopsided=True,
    ),
    Kind(
        "2 % gain 1, 8 % lose a quarter",
        lambda rng, size: np.where((drawn := rng.random(size)) < 0.02, 1.0, np.where(drawn < 0.1, -0.25, 0.0)),
        lopsided=True,
    ),
    Kind(
        "lognormal measurement",
        lambda rng, size: np.exp(rng.standard_normal(size)) - np.exp(0.5),
        bounded=False,
        lopsided=True,
    ),
)


def at_the_end(differences: Floats, bounded: bool = True) -> Flags:
    """For each run, whether the rule gives a verdict on all of its rows."""
    n = differences.shape[1]
    changed = np.count_nonzero(differences, axis=1)
    whole = bounded & np.isin(differences, (-1.0, 0.0, 1.0)).all(axis=1)
    by_t = (n >= T_ROWS) & (changed >= T_CHANGED) & (np.ptp(differences, axis=1) > 0) & ~(whole & (changed > 0.9 * n))
    found = np.zeros(len(differences), dtype=bool)
    if by_t.any():
        found[by_t] = scipy_stats.ttest_1samp(differences[by_t], 0.0, axis=1).pvalue < 0.05
    signs = ~by_t & whole
    ups = np.count_nonzero(differences[signs] > 0, axis=1)
    found[signs] = [_sign_p(int(up), int(of)) <= 0.05 for up, of in zip(ups, changed[signs], strict=True)]
    rest = ~by_t & ~whole
    for of in np.unique(changed[rest]):
        part = rest & (changed == of)
        found[part] = _sign_flip_p(differences[part], int(of)) <= 0.05
    return found


@cache
def _sign_p(up: int, changed: int) -> float:
    return float(scipy_stats.binomtest(up, changed).pvalue) if changed else 1.0


def _sign_flip_p(differences: Floats, changed: int) -> Floats:
    """Return the p values of runs of which each has so many changed rows."""
    if changed < 2:
        return np.ones(len(differences))
    kept = differences[differences != 0].reshape(len(differences), changed)
    flipped = kept @ _signs(changed).T
    # As scipy counts: what is as far from 0 but for rounding is as far.
    seen = kept.sum(axis=1)[:, None]
    slack = np.maximum(100 * np.finfo(float).eps, abs(100 * np.finfo(float).eps * seen))
    above, below = (flipped >= seen - slack).sum(axis=1), (flipped <= seen + slack).sum(axis=1)
    drawn = 2**changed > RESAMPLES
    share = (np.minimum(above, below) + drawn) / (flipped.shape[1] + drawn)
    return np.asarray(np.minimum(1.0, 2 * share), dtype=np.float64)


@cache
def _signs(changed: int) -> Floats:
    """The sign flips that the public function goes through, read from the sums that they give powers of two."""
    powers = 2.0 ** np.arange(changed)
    result = scipy_stats.permutation_test(
        (powers,),
        np.sum,
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(0),
    )
    bits = np.rint((result.null_distribution + powers.sum()) / 2).astype(np.int64)
    return np.where((bits[:, None] >> np.arange(changed)) & 1, 1.0, -1.0)


def live(differences: Floats, bounded: bool = True, *, ordinary: bool = False) -> Flags:
    """For each run, whether the sequence gives a verdict at any look; or, `ordinary`, a t interval does."""
    n = differences.shape[1]
    looks = np.arange(SEQUENCE_ROWS, n + 1, LOOK)
    if not len(looks):
        return np.zeros(len(differences), dtype=bool)
    powers = [differences, differences * differences]
    if not bounded:
        powers.append(powers[1] * differences)
    sums, squares, *cubes = (_running(part, len(looks)) for part in powers)
    means = sums / looks
    spread = np.maximum(squares / looks - means**2, 0.0)
    variance = spread * looks / (looks - 1)
    if ordinary:
        with np.errstate(divide="ignore", invalid="ignore"):
            found = abs(means) > np.sqrt(variance / looks) * scipy_stats.t.ppf(0.975, looks - 1)
        return np.asarray((found & (variance > 1e-12)).any(axis=1))
    widths = np.array([sequence_width(int(look), max(n, SEQUENCE_ROWS), 0.05) for look in looks])
    reach = np.float64(1) if bounded else np.maximum.accumulate(abs(differences), axis=1)[:, looks - 1]
    found = abs(means) > np.sqrt(variance + 2 * reach**2 / looks) * widths
    if not bounded:
        third = cubes[0] / looks - 3 * means * squares / looks + 2 * means**3
        with np.errstate(divide="ignore", invalid="ignore"):
            found &= ~(50 * third**2 / spread**3 > looks)
    return np.asarray(found.any(axis=1))


def _running(values: Floats, looks: int) -> Floats:
    """Sums up to each look."""
    runs, n = values.shape
    blocks = values[:, : n - n % LOOK].reshape(runs, -1, LOOK).sum(axis=2)
    return np.asarray(np.cumsum(blocks, axis=1)[:, -looks:], dtype=np.float64)


def exactly(rate: float, n: int) -> float:
    """Percent of all outcomes, by their probability, in which the rule gives a verdict on scores of 0 and 1."""
    total = 0.0
    for changed in range(n + 1):
        chance = float(scipy_stats.binom.pmf(changed, n, rate))
        if chance > 1e-9:
            ups = np.arange(changed + 1)
            rows = np.arange(n)
            differences = np.where(rows < ups[:, None], 1.0, np.where(rows < changed, -1.0, 0.0))
            total += chance * float(scipy_stats.binom.pmf(ups, changed, 0.5) @ at_the_end(differences))
    return 100 * total


def shares(kind: Kind, n: int, runs: int = RUNS, seed: int = SEED, *, peeked: bool = True) -> dict[str, float]:
    """Percent of the runs of this kind and size that get a verdict, by the rule, the sequence and the peeked t."""
    # A kind's runs do not depend on which other kinds are measured beside it.
    rng = np.random.default_rng([seed, n, *kind.name.encode()])
    differences = np.asarray(kind.draw(rng, (runs, n)), dtype=np.float64)
    found = {"rule": at_the_end(differences, kind.bounded), "sequence": live(differences, kind.bounded)}
    if peeked:
        found["peeked"] = live(differences, kind.bounded, ordinary=True)
    return {name: round(100 * float(flags.mean()), 2) for name, flags in found.items()}


def power(gain: float, rate: float, n: int, runs: int = RUNS) -> dict[str, float]:
    """Percent of the runs that get a verdict where `gain` more rows flip up than down."""
    return shares(Kind("", flips(rate, gain)), n, runs, peeked=False)


def latency_shares(n: int, runs: int, seed: int = SEED) -> dict[str, float]:
    """Percent of the runs that get a verdict on latency, by the rule, where two versions do not differ.

    `drawn` is in the order in which a run asks, `baseline first` as if the first version always went first.
    """
    rng = np.random.default_rng([seed, n, *b"latency"])
    drawn, first = np.empty((runs, n)), np.empty((runs, n))
    versions = [_version("one"), _version("two")]
    for run in range(runs):
        data = Dataset.of("benchmarks/latency", [{"text": f"{seed}/{run}/{row}"} for row in range(n)])
        asked = [call.tasks[0] for call in plan(versions, data, base_url="http://127.0.0.1/v1").calls]
        places = [task.row for task in asked[::2]]
        candidate_second = np.array([task.version == versions[0].digest for task in asked[::2]])
        assert places == [task.row for task in asked[1::2]]
        seconds = _seconds(rng, n)
        later = seconds[1::2] - seconds[::2]
        first[run], drawn[run] = later, np.where(candidate_second, later, -later)
    found = {"drawn": at_the_end(drawn, bounded=False), "baseline first": at_the_end(first, bounded=False)}
    return {name: round(100 * float(flags.mean()), 2) for name, flags in found.items()}


def _seconds(rng: np.random.Generator, n: int) -> Floats:
    """How long each of the calls takes, in the order in which an endpoint is asked them, AT_ONCE at a time."""
    own = rng.lognormal(0.0, 0.4, 2 * n)
    own[1::2] *= WARM
    period, phase, rising = rng.uniform(10, 60), rng.uniform(0, 2 * np.pi), rng.uniform(0, 1)
    free, taken = [0.0] * AT_ONCE, np.empty(2 * n)
    for call, seconds in enumerate(own):
        began = heapq.heappop(free)
        load = 1 + 0.5 * np.sin(2 * np.pi * began / period + phase) + rising * call / (2 * n)
        taken[call] = seconds * load
        heapq.heappush(free, began + taken[call])
    return taken


def _version(system: str) -> PromptVersion:
    unit = build_unit(text=f"{system}: {{{{ text }}}}", model="m")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return PromptVersion("benchmarks/latency", 1, unit, unit_digest(unit), "", "the benchmark", at)


def main() -> None:
    """Measure, and print the tables and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=RUNS)
    runs = parser.parse_args().runs
    false: dict[str, dict[int, dict[str, float]]] = {}
    print(f"false verdicts in {runs:,} runs without a difference, %: rule / live sequence / t at every look")
    print(f"{'rows':<44}" + "".join(f"{n:>21}" for n in SIZES))
    for kind in (*CONTINUOUS, *BINARY, *LOPSIDED):
        false[kind.name] = {n: shares(kind, n, runs) for n in SIZES}
        cells = [" / ".join(f"{value:.2f}" for value in told.values()) for told in false[kind.name].values()]
        print(f"{kind.name:<44}" + "".join(f"{cell:>21}" for cell in cells))
    print("\nthe rule on scores of 0 and 1 exactly, %")
    exact = {f"{100 * rate:g} % flip": {n: round(exactly(rate, n), 2) for n in SIZES} for rate in FLIP_RATES}
    for name, told in exact.items():
        print(f"{name:<44}" + "".join(f"{value:>21.2f}" for value in told.values()))
    print("\npower, %: rule / live sequence")
    found: dict[str, dict[int, dict[str, float]]] = {}
    for rate in (0.1, 0.25, 0.4):
        for gain in (0.05, 0.1, 0.15):
            if gain <= rate:
                name = f"{100 * gain:.0f} points, {100 * rate:.0f} % of the rows flip"
                found[name] = {n: power(gain, rate, n, runs) for n in SIZES[3:]}
                cells = [f"{told['rule']:.1f} / {told['sequence']:.1f}" for told in found[name].values()]
                print(f"{name:<44}" + "".join(f"{cell:>21}" for cell in cells))
    timed_runs = min(runs, LATENCY_RUNS)
    print(f"\nlatency of two versions that do not differ, {timed_runs:,} runs, %: drawn / baseline first")
    timed = {n: latency_shares(n, timed_runs) for n in SIZES[:6]}
    cells = [" / ".join(f"{value:.2f}" for value in told.values()) for told in timed.values()]
    print(f"{'rows ' + ', '.join(map(str, timed)):<44}" + "".join(f"{cell:>21}" for cell in cells))
    honest = [told for kind in (*CONTINUOUS, *BINARY) for told in false[kind.name].values()]
    continuous = [false[kind.name][n]["rule"] for kind in CONTINUOUS for n in SIZES if n >= 50]
    result = {
        "runs": runs,
        "rule_worst": max(told["rule"] for told in honest),
        "rule_worst_exact": max(value for told in exact.values() for value in told.values()),
        "rule_continuous_least": min(continuous),
        "sequence_worst": max(told["sequence"] for told in honest),
        "sequence_worst_lopsided": max(t["sequence"] for kind in LOPSIDED for t in false[kind.name].values()),
        "peeked_worst": max(told["peeked"] for told in honest),
        "latency_worst": max(told["drawn"] for told in timed.values()),
        "latency_baseline_first_worst": max(told["baseline first"] for told in timed.values()),
        "power": found,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
