"""Strengths of three or more versions from votes between pairs of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pressmark.errors import StatsError
from pressmark.stats.inputs import check_confidence, counted
from pressmark.stats.voting import Votes, votes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Strength(NamedTuple):
    """One version's strength.

    Attributes:
        name: The version.
        strength: Log odds of being preferred to the first version; 0 for the first.
        low: Lower end of its interval.
        high: Upper end.
        preferred: Decided votes for it.
        decided: Decided votes that it took part in.
        ties: Ties that it took part in; they decide nothing.
    """

    name: str
    strength: float
    low: float
    high: float
    preferred: int
    decided: int
    ties: int


@dataclass(frozen=True, slots=True)
class BradleyTerry:
    """Strengths by the Bradley-Terry model.

    Attributes:
        strengths: Of each version, in the order in which the versions were first named.
        ties: Votes that decided nothing, in all.
        note: Why there are no strengths, in words; empty where there are.
        confidence: Level of the intervals.
    """

    strengths: tuple[Strength, ...]
    ties: int
    note: str = ""
    confidence: float = 0.95

    def chance(self, a: str, b: str) -> float:
        """The probability that a decided vote between the two prefers `b`; nan where the votes cannot tell.

        Raises:
            StatsError: One of them is unknown.
        """
        known = {told.name: told.strength for told in self.strengths}
        for name in (a, b):
            if name not in known:
                raise StatsError(f"no vote names {name!r}; there are {', '.join(known)}")
        return 1 / (1 + math.exp(known[a] - known[b]))

    def __str__(self) -> str:
        if self.note:
            return self.note
        told = sorted(self.strengths, key=lambda one: -one.strength)
        lines = [f"{one.name}: {one.strength:+.2f} [{one.low:+.2f}, {one.high:+.2f}]" for one in told]
        return "\n".join([*lines, f"log odds against {self.strengths[0].name}; {counted(self.ties, 'tie')}"])


def bradley_terry(
    votes_between: Mapping[tuple[str, str], Votes | tuple[int, ...]], *, confidence: float = 0.95
) -> BradleyTerry:
    """Order three or more versions by votes between pairs of them: a binomial model of the decided votes.

    Args:
        votes_between: By pair `(a, b)`, the votes: of `pressmark.stats.votes`, or `(for a, for b)` with the ties as a
            third number. A pair that was never put to the vote is left out.
        confidence: Level of the intervals.

    Returns:
        Strengths relative to the version named first. Where a version or a group of them won all or no votes against
        the others, the votes say nothing of how much stronger it is: the strengths are nan and the note says why.

    Raises:
        StatsError: There are fewer than three versions (two are compared by `votes`), a pair is one version twice, or a
            count is negative.
    """
    check_confidence(confidence)
    read: list[tuple[str, str, Votes]] = []
    for (a, b), given in votes_between.items():
        if a == b:
            raise StatsError(f"{a!r} cannot be compared with itself: name two versions")
        read.append((a, b, given if isinstance(given, Votes) else votes(*given)))
    names = list(dict.fromkeys(name for a, b, _ in read for name in (a, b)))
    if len(names) < 3:
        raise StatsError(f"Bradley-Terry orders three or more versions, not {len(names)}: votes(a, b) compares two")

    import numpy as np

    wins = np.zeros((len(names), len(names)))
    ties = np.zeros((len(names), len(names)), dtype=int)
    for a, b, found in read:
        i, j = names.index(a), names.index(b)
        wins[i, j] += found.a
        wins[j, i] += found.b
        ties[i, j] += found.ties
    note = _undecided(names, wins)
    middle, spread = _fit(wins, confidence) if not note else (np.full(len(names), math.nan),) * 2
    strengths = tuple(
        Strength(
            name,
            float(middle[place]),
            float(middle[place] - spread[place]),
            float(middle[place] + spread[place]),
            int(wins[place].sum()),
            int(wins[place].sum() + wins[:, place].sum()),
            int(ties[place].sum() + ties[:, place].sum()),
        )
        for place, name in enumerate(names)
    )
    return BradleyTerry(strengths, int(ties.sum()), note, confidence)


def _undecided(names: list[str], wins: NDArray[np.float64]) -> str:
    """Why no strengths can be found, by Ford's condition; empty where they can."""
    from scipy.sparse.csgraph import connected_components

    parts, part_of = connected_components(wins > 0, connection="strong")
    if parts == 1:
        return ""
    import numpy as np

    for part in range(parts):
        inside = part_of == part
        won, lost = wins[np.ix_(inside, ~inside)].sum(), wins[np.ix_(~inside, inside)].sum()
        if won and lost:
            continue
        group = ", ".join(name for name, within in zip(names, inside, strict=True) if within)
        how = "all votes" if won else "no vote" if lost else "no decided vote"
        verb = "has" if how == "no decided vote" else "won"
        return f"cannot tell strengths: {group} {verb} {how} against the others; more votes would tell"
    return "cannot tell strengths: some versions were never held against the others; more votes would tell"


def _fit(wins: NDArray[np.float64], confidence: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Strengths relative to the first, and half the widths of their intervals."""
    import numpy as np
    from scipy.stats import norm
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    counts, design = [], []
    for i in range(len(wins)):
        for j in range(i + 1, len(wins)):
            if wins[i, j] + wins[j, i]:
                row = np.zeros(len(wins))
                row[i], row[j] = 1.0, -1.0
                counts.append((wins[i, j], wins[j, i]))
                design.append(row[1:])
    fit = GLM(np.asarray(counts), np.asarray(design), family=Binomial()).fit()
    quantile = float(norm.ppf((1 + confidence) / 2))
    return np.concatenate([[0.0], fit.params]), np.concatenate([[0.0], quantile * fit.bse])
