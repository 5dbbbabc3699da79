"""Intervals, the paired verdict on two versions, and how many rows would tell.

Everything here takes row scores and returns values: a row's score is the mean over its repeats, so `n` counts rows,
never rows × repeats. The formulas are library calls of scipy and statsmodels, which are imported when they are
needed, because they take a second to load.

While a run goes on, `sequential` gives a comparison of the same form from a confidence sequence, which may be acted on
at any look. Votes between two are `votes`, between three or more `bradley_terry`; raters are held against one another
by `kappa` and `fleiss_kappa`.

The verdict on two versions comes from one rule. From 30 rows on, of which 25 changed, it is the paired t interval;
below that an exact test, because t is wrong there (three rows that go from 0 to 1 give it p = 0): the sign test where
each row went from 0 to 1 or back, the sign-flip permutation test otherwise. The sign test also stands in where more
than nine tenths of the rows flipped between 0 and 1. With `clusters`, whole clusters are the
units that the rule counts. The result names its test::

    >>> result = paired([0, 0, 1, 0, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1, 1])
    >>> result.test, result.verdict
    ('sign test', 'better')
    >>> print(result.sentence())
    B better by 75.0 points [6.0, 96.8] on 8 rows: 6 up, 0 down, 2 same

**The interval beside an exact test.** A difference is the share of rows that changed times the mean change of those.
The first has its exact binomial interval, the second the one that inverts the test, and the two are joined by the
recovery of variances (MOVER). Its sign always agrees with the test, and it stays honest where few rows changed: no
change in 5 rows leaves ±52 points open, none in 500 rows ±0.7.
"""

from __future__ import annotations

from pressmark.stats.agreement import Kappa, fleiss_kappa, kappa
from pressmark.stats.amounts import amount, ends, measured, readable, with_ends
from pressmark.stats.inputs import SAME_WITHIN, Direction, Verdict
from pressmark.stats.means import Mean, PassRate, bootstrap_mean, mean, pass_rate, skewed
from pressmark.stats.pairs import NonInferiority, Paired, non_inferior, paired
from pressmark.stats.power import rows_needed, smallest_effect
from pressmark.stats.sequence import SequenceInterval, confidence_sequence, sequential
from pressmark.stats.strengths import BradleyTerry, Strength, bradley_terry
from pressmark.stats.voting import Holm, McNemar, Votes, holm, mcnemar, votes

__all__ = [
    "SAME_WITHIN",
    "BradleyTerry",
    "Direction",
    "Holm",
    "Kappa",
    "McNemar",
    "Mean",
    "NonInferiority",
    "Paired",
    "PassRate",
    "SequenceInterval",
    "Strength",
    "Verdict",
    "Votes",
    "amount",
    "bootstrap_mean",
    "bradley_terry",
    "confidence_sequence",
    "ends",
    "fleiss_kappa",
    "holm",
    "kappa",
    "mcnemar",
    "mean",
    "measured",
    "non_inferior",
    "paired",
    "pass_rate",
    "readable",
    "rows_needed",
    "sequential",
    "skewed",
    "smallest_effect",
    "votes",
    "with_ends",
]
