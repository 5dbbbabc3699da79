"""Charts of a run: functions from plain data to an altair chart.

The charts have no background and take their text from the page by a grey that reads on light and on dark. A version has
the same colour in each of them; meaning is never colour alone: better and worse differ in their marks too.

What altair shows by itself loads its renderer from the network. A `Drawing` brings a picture of its own, as SVG, beside
the chart's description, which JupyterLab draws with the renderer that it ships where that is new enough.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pressmark import stats
from pressmark.errors import PressmarkError, StatsError
from pressmark.evals.report import summary_mean

if TYPE_CHECKING:
    import altair

    from pressmark.evals.comparison import Comparison

# Grey of middle lightness: 4.5 : 1 on white and 4.2 : 1 on JupyterLab's dark page.
INK: Final = "#767676"
_GRID: Final = "rgba(128,128,128,0.25)"
# After Okabe and Ito, in lightnesses that stand out on white and on dark alike.
_VERSIONS: Final = ("#767676", "#2a7fc9", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#b07aa1")
_VERDICTS: Final = {"better": "#2a7fc9", "worse": "#d55e00", "cannot tell": INK}
_SHAPES: Final = {"better": "triangle-up", "worse": "triangle-down", "cannot tell": "circle"}
_WIDTH: Final = 420
_STEP: Final = 28
_POINT: Final = 90


class Interval(NamedTuple):
    """A version's mean.

    Attributes:
        name: The version.
        mean: Its mean.
        low: Lower end of the interval; nan where there is none.
        high: Upper end.
        n: Rows.
    """

    name: str
    mean: float
    low: float
    high: float
    n: int


class Difference(NamedTuple):
    """A candidate's difference from the baseline, on all rows or on a slice.

    Attributes:
        name: The slice, or the candidate.
        difference: The difference.
        low: Lower end of its interval; infinite where it is open.
        high: Upper end.
        n: Rows.
        verdict: The verdict, adjusted for looking at all of them.
    """

    name: str
    difference: float
    low: float
    high: float
    n: int
    verdict: stats.Verdict


class Worth(NamedTuple):
    """What a version costs and how good it is.

    Attributes:
        name: The version.
        cost: Mean cost of an answer.
        quality: Mean score.
        low: Lower end of the score's interval.
        high: Upper end.
    """

    name: str
    cost: float
    quality: float
    low: float
    high: float


def intervals(found: Sequence[Interval], *, scorer: str, unit: str = "points") -> altair.LayerChart:
    """Means of versions with their intervals.

    Args:
        found: A mean for each version, the baseline first.
        scorer: Whose scores they are.
        unit: `points` for scores in [0, 1]; else the measurement's.

    Raises:
        StatsError: There is no version with a mean.
    """
    alt = _altair()
    scale = 100 if unit == "points" else 1
    rows: list[dict[str, Any]] = [
        {
            "version": one.name,
            "mean": scale * one.mean,
            "low": _finite(scale * one.low, scale * one.mean),
            "high": _finite(scale * one.high, scale * one.mean),
            "told": stats.with_ends(one.mean, one.low, one.high, unit),
            "rows": one.n,
        }
        for one in _some(found, "mean")
    ]
    least, most = min(row["low"] for row in rows), max(row["high"] for row in rows)
    for row in rows:
        # At an edge the label would stand on the axis or be cut off: it reaches inwards.
        place = (row["mean"] - least) / ((most - least) or 1)
        row["side"] = "left" if place < 0.15 else "right" if place > 0.85 else "center"
    names = [row["version"] for row in rows]
    y = alt.Y("version:N", title=None, sort=names)
    title = f"{scorer} ({unit})"
    x = alt.X("mean:Q", title=title, scale=alt.Scale(zero=False, nice=True))
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=y,
        color=_colour(names),
        tooltip=[alt.Tooltip("version:N"), alt.Tooltip("told:N", title=scorer), alt.Tooltip("rows:Q", format=",")],
    )
    bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title=title), x2="high:Q")
    points = base.mark_point(filled=True, size=_POINT, opacity=1).encode(x=x)
    labels = base.mark_text(dy=-11, fontSize=11, color=INK, align={"expr": "datum.side"}).encode(
        x=x, text="told:N", color=alt.value(INK)
    )
    return _styled(alt.layer(bars, points, labels), len(rows), step=44)


def differences(
    found: Sequence[Difference], *, scorer: str, candidate: str, unit: str = "points", direction: str = "higher"
) -> altair.LayerChart:
    """Differences from the baseline, such as one for each slice, around a line at 0.

    Args:
        found: All rows first, then each slice.
        scorer: Whose scores they are.
        candidate: What to call the candidate.
        unit: `points` for scores in [0, 1]; else the measurement's.
        direction: Which direction is better.

    Raises:
        StatsError: There is no difference to show.
    """
    alt = _altair()
    scale = 100 if unit == "points" else 1
    kept = _some(found, "difference")
    # An open end reaches to the edge of what the others show.
    ends = [scale * end for one in kept for end in (one.difference, one.low, one.high) if math.isfinite(end)]
    least, most = min(*ends, 0.0), max(*ends, 0.0)
    rows = [
        {
            "slice": f"{one.name} ({one.n:,})",
            "difference": scale * one.difference,
            "low": _finite(scale * one.low, least),
            "high": _finite(scale * one.high, most),
            "verdict": one.verdict,
            "told": stats.with_ends(one.difference, one.low, one.high, unit, sign=True),
        }
        for one in kept
    ]
    legend = alt.Legend(title=None, orient="top")
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("slice:N", title=None, sort=[row["slice"] for row in rows]),
        color=alt.Color(
            "verdict:N",
            scale=alt.Scale(domain=list(_VERDICTS), range=list(_VERDICTS.values())),
            legend=legend,
        ),
        tooltip=[alt.Tooltip("slice:N"), alt.Tooltip("verdict:N"), alt.Tooltip("told:N", title="difference")],
    )
    title = f"{candidate}: difference in {scorer} ({unit}, {direction} is better)"
    shape = alt.Shape("verdict:N", scale=alt.Scale(domain=list(_SHAPES), range=list(_SHAPES.values())), legend=legend)
    zero = alt.Chart(alt.Data(values=[{"zero": 0}])).mark_rule(color=INK, strokeDash=[4, 3]).encode(x="zero:Q")
    bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title=title), x2="high:Q")
    points = base.mark_point(filled=True, size=_POINT, opacity=1).encode(
        x=alt.X("difference:Q", title=title), shape=shape
    )
    return _styled(alt.layer(zero, bars, points), len(rows))


def cost_quality(found: Sequence[Worth], *, scorer: str, unit: str = "USD") -> altair.LayerChart:
    """Cost against quality, with the front of versions that no other one beats in both.

    Args:
        found: The versions.
        scorer: Whose scores are the quality.
        unit: Of the cost.

    Raises:
        StatsError: No version has both.
    """
    alt = _altair()
    kept = [one for one in found if math.isfinite(one.quality) and math.isfinite(one.cost)]
    if not kept:
        raise StatsError("there is nothing to draw: no version has both scores and a cost, as when no price is known")
    front = pareto(kept)
    power, prefix = _thousands(max(one.cost for one in kept))
    rows: list[dict[str, Any]] = [
        {
            "version": one.name,
            "cost": one.cost * power,
            "quality": 100 * one.quality,
            "low": 100 * _finite(one.low, one.quality),
            "high": 100 * _finite(one.high, one.quality),
            "told": stats.with_ends(one.quality, one.low, one.high, "points"),
            "standing": "on the front" if one.name in front else "beaten in both",
        }
        for one in kept
    ]
    names = [row["version"] for row in rows]
    x = alt.X("cost:Q", title=f"cost of {prefix} ({unit})", scale=alt.Scale(zero=False, nice=True, padding=24))
    y_title = f"{scorer} (points)"
    y = alt.Y("quality:Q", title=y_title, scale=alt.Scale(zero=False, nice=True))
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=x,
        tooltip=[
            alt.Tooltip("version:N"),
            alt.Tooltip("cost:Q", format=",.3~r", title=f"cost of {prefix}"),
            alt.Tooltip("told:N", title=scorer),
            alt.Tooltip("standing:N"),
        ],
    )
    steps = (
        base.transform_filter("datum.standing == 'on the front'")
        .mark_line(color=INK, strokeDash=[4, 3], interpolate="step-after")
        .encode(y=y)
    )
    bars = base.mark_rule(strokeWidth=1.5, opacity=0.7).encode(
        y=alt.Y("low:Q", title=y_title), y2="high:Q", color=_colour(names)
    )
    points = base.mark_point(size=_POINT, opacity=1, strokeWidth=2).encode(
        y=y,
        color=_colour(names),
        fill=alt.condition("datum.standing == 'on the front'", _colour(names), alt.value("transparent")),
    )
    labels = base.mark_text(align="left", dx=9, dy=-7, fontSize=12).encode(y=y, text="version:N", color=alt.value(INK))
    return _styled(alt.layer(steps, bars, points, labels), height=240)


def distribution(
    scores: Mapping[str, Iterable[float]], *, scorer: str, unit: str = "points", bins: int = 20
) -> altair.FacetChart:
    """How the row scores of each version are spread, as the share of its rows in each bin.

    Args:
        scores: The row scores of each version, the baseline first.
        scorer: Whose scores they are.
        unit: `points` for scores in [0, 1]; else the measurement's.
        bins: How many bins.

    Raises:
        StatsError: No version has a score.
    """
    alt = _altair()
    import numpy as np

    scale = 100 if unit == "points" else 1
    values = {name: np.asarray(list(given), dtype=float) * scale for name, given in scores.items()}
    values = {name: array[np.isfinite(array)] for name, array in values.items()}
    values = {name: array for name, array in values.items() if len(array)}
    if not values:
        raise StatsError(f"no row has a score of {scorer!r}: there is nothing to draw")
    every = np.concatenate(list(values.values()))
    reach = (0.0, 100.0) if unit == "points" else (float(every.min()), float(every.max()))
    edges = np.linspace(reach[0], reach[1] if reach[1] > reach[0] else reach[0] + 1, bins + 1)
    rows = [
        {
            "version": f"{name} ({len(array):,})",
            "from": float(edges[place]),
            "to": float(edges[place + 1]),
            "share": float(count) / len(array),
            "rows": int(count),
        }
        for name, array in values.items()
        for place, count in enumerate(np.histogram(array, edges)[0])
    ]
    names = [f"{name} ({len(array):,})" for name, array in values.items()]
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X("from:Q", bin=alt.Bin(binned=True), title=f"{scorer} ({unit})"),
            x2="to:Q",
            y=alt.Y("share:Q", title="rows", axis=alt.Axis(format="%", tickCount=3)),
            color=_colour(names),
            tooltip=[
                alt.Tooltip("version:N"),
                alt.Tooltip("from:Q", format=",.3~r"),
                alt.Tooltip("to:Q", format=",.3~r"),
                alt.Tooltip("rows:Q", format=","),
            ],
        )
        .properties(width=_WIDTH, height=70)
        .facet(
            row=alt.Row(
                "version:N",
                title=None,
                sort=names,
                header=alt.Header(
                    labelAnchor="start", labelOrient="top", labelColor=INK, labelFontSize=12, labelPadding=2
                ),
            ),
            spacing=8,
        )
    )
    told: altair.FacetChart = _configured(chart)
    return told


class Drawing:
    """A chart as a notebook shows it: without a network, and still there when the notebook is saved or exported.

    Attributes:
        chart: The altair chart, to go on with.
    """

    def __init__(self, chart: altair.LayerChart | altair.FacetChart) -> None:
        self.chart = chart

    def svg(self) -> str:
        """Return the picture as SVG."""
        return svg(self.chart)

    def save(self, path: str | Path) -> None:
        """Write the picture: `.svg`, `.png`, or `.json` for the description.

        Raises:
            StatsError: The name has another ending.
            OSError: The file cannot be written.
        """
        place = Path(path)
        if place.suffix == ".svg":
            place.write_text(self.svg(), encoding="utf-8")
        elif place.suffix == ".json":
            place.write_text(self.chart.to_json(), encoding="utf-8")
        elif place.suffix == ".png":
            self.chart.save(str(place), format="png", scale_factor=2)
        else:
            raise StatsError(f"a chart is saved as .svg, .png or .json, not as {place.name!r}")

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        alt = _altair()
        told: dict[str, Any] = self.chart.to_dict()
        major = alt.SCHEMA_VERSION.lstrip("v").partition(".")[0]
        return {
            f"application/vnd.vegalite.v{major}+json": told,
            "image/svg+xml": self.svg(),
            # A notebook that somebody else saved is not trusted: there JupyterLab shows neither of the above.
            "image/png": base64.b64encode(_png(self.chart)).decode("ascii"),
            "text/plain": repr(self),
        }

    def __repr__(self) -> str:
        return f"<Drawing: {type(self.chart).__name__}>"


def means(scores: Mapping[str, Mapping[int, float]]) -> list[Interval]:
    """The mean of each version that has row scores, as a summary tells it."""
    found = []
    for name, rows in scores.items():
        if rows:
            told = summary_mean(list(rows.values()))
            found.append(Interval(name, told.mean, told.low, told.high, told.n))
    return found


def worths(scores: Mapping[str, Mapping[int, float]], costs: Mapping[str, Mapping[int, float]]) -> list[Worth]:
    """The cost and quality of each version that has both, on the rows that have both."""
    found = []
    for name, rows in scores.items():
        both = sorted(rows.keys() & costs.get(name, {}).keys())
        if both:
            told = summary_mean([rows[row] for row in both])
            cost = math.fsum(costs[name][row] for row in both) / len(both)
            found.append(Worth(name, cost, told.mean, told.low, told.high))
    return found


def of_comparison(comparison: Comparison) -> altair.LayerChart:
    """A comparison's difference on all rows and on each slice.

    Raises:
        StatsError: There is no difference to show.
    """
    told = comparison.result
    every = [Difference("all rows", told.difference, told.low, told.high, told.n, comparison.verdict)]
    every += [
        Difference(
            "(empty)" if part.name is None or part.name == "" else str(part.name),
            part.result.difference,
            part.result.low,
            part.result.high,
            part.result.n,
            part.verdict,
        )
        for part in comparison.slices
    ]
    return differences(
        every,
        scorer=comparison.scorer,
        candidate=comparison.candidate,
        unit=comparison.unit,
        direction=told.direction,
    )


def pareto(found: Sequence[Worth]) -> tuple[str, ...]:
    """The versions that no other one beats: none is as good or better and as cheap or cheaper, and differs in one."""
    return tuple(
        one.name
        for one in found
        if not any(
            other.quality >= one.quality
            and other.cost <= one.cost
            and (other.quality, other.cost) != (one.quality, one.cost)
            for other in found
        )
    )


def svg(chart: altair.LayerChart | altair.FacetChart) -> str:
    """A picture of a chart as SVG, for a page that stands alone."""
    return str(_vl_convert().vegalite_to_svg(chart.to_dict()))


def _png(chart: altair.LayerChart | altair.FacetChart) -> bytes:
    return bytes(_vl_convert().vegalite_to_png(chart.to_dict(), scale=1))


def _vl_convert() -> Any:
    try:
        import vl_convert
    except ImportError as error:
        raise PressmarkError("a chart as a picture needs vl-convert: pip install 'pressmark[workbench]'") from error
    return vl_convert


def _altair() -> Any:
    try:
        import altair
    except ImportError as error:
        raise PressmarkError("charts need altair: pip install 'pressmark[workbench]'") from error
    return altair


def _some(found: Sequence[Any], part: str) -> list[Any]:
    kept = [one for one in found if math.isfinite(getattr(one, part))]
    if not kept:
        raise StatsError(f"there is no {part} to draw: no row has a score")
    return kept


def _colour(names: Sequence[str]) -> Any:
    alt = _altair()
    colours = [_VERSIONS[place % len(_VERSIONS)] for place, _ in enumerate(names)]
    return alt.Color("version:N", scale=alt.Scale(domain=list(names), range=colours), legend=None)


def _styled(chart: Any, lines: int = 0, *, step: int = _STEP, height: int | None = None) -> altair.LayerChart:
    styled: altair.LayerChart = _configured(chart.properties(width=_WIDTH, height=height or max(60, step * lines)))
    return styled


def _configured(chart: Any) -> Any:
    return (
        chart.configure(background="transparent", font="Helvetica, Arial, sans-serif", padding=12)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=INK,
            titleColor=INK,
            titleFontWeight="normal",
            gridColor=_GRID,
            domainColor=INK,
            tickColor=INK,
            labelFontSize=12,
            titleFontSize=12,
            labelLimit=220,
            labelSeparation=8,
        )
        .configure_legend(labelColor=INK, titleColor=INK, labelFontSize=12)
    )


def _finite(value: float, otherwise: float) -> float:
    return value if math.isfinite(value) else otherwise


def _thousands(largest: float) -> tuple[int, str]:
    """How many answers to price together, so that the numbers can be read."""
    for power in (1, 1_000, 1_000_000):
        if largest * power >= 0.1 or power == 1_000_000:
            return power, "an answer" if power == 1 else f"{power:,} answers"
    raise AssertionError
