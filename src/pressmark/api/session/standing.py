"""How the versions of a run stand by one scorer: the numbers of the page's charts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from pressmark import stats
from pressmark.evals.charts import Worth, pareto
from pressmark.evals.report import summary_mean
from pressmark.evals.scorers import Scorer
from pressmark.widgets.protocols import StandingsView, StandingView

BINS: Final = 20
# Beyond so many rows the interval of the mean is t's whatever the shape, and drawing samples again takes seconds.
_MANY: Final = 5_000


def standings(
    scorer: Scorer, scores: Mapping[str, Sequence[float]], costs: Mapping[str, float | None]
) -> StandingsView:
    """Return how versions stand.

    Args:
        scorer: Whose scores they are.
        scores: The row scores of each version, the baseline first.
        costs: US dollars an answer of each version, where known.
    """
    import numpy as np

    found = {name: np.asarray(values, dtype=float) for name, values in scores.items() if len(values)}
    every = np.concatenate(list(found.values())) if found else np.zeros(0)
    low, high = (0.0, 1.0) if scorer.kind == "score" or not len(every) else (float(every.min()), float(every.max()))
    edges = np.linspace(low, high if high > low else low + 1.0, BINS + 1)
    items: list[StandingView] = []
    for name, values in found.items():
        # 0/1 scores have an interval of their own at any number of rows, quickly.
        many = len(values) > _MANY and not bool(np.isin(values, (0.0, 1.0)).all())
        mean = stats.mean(values.tolist()) if many else summary_mean(values.tolist())
        items.append(
            {
                "version": name,
                "n": mean.n,
                "mean": mean.mean,
                "low": _end(mean.low),
                "high": _end(mean.high),
                "bins": [int(count) for count in np.histogram(values, edges)[0]],
                "cost": costs.get(name),
                "front": None,
            }
        )
    priced = [one for one in items if one["cost"] is not None]
    if scorer.kind == "score" and len(priced) == len(items):
        sign = 1.0 if scorer.direction == "higher" else -1.0
        front = pareto([Worth(one["version"], one["cost"] or 0.0, sign * one["mean"], 0.0, 0.0) for one in priced])
        for one in items:
            one["front"] = one["version"] in front
    return {"scorer": scorer.name, "edges": edges.tolist(), "items": items}


def _end(value: float) -> float | None:
    return value if math.isfinite(value) else None
