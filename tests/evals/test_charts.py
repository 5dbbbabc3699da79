"""Charts: what is drawn is what was measured, and nothing of it can run in the page."""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path
from typing import Any

import pytest

from pressmark.errors import StatsError
from pressmark.evals import charts, compare, scorers
from pressmark.evals.charts import Difference, Interval, Worth

from .making import dataset, record, suite

EVIL = "<script>alert(1)</script>"


def values(chart: Any) -> list[dict[str, Any]]:
    """Every row of data in a chart."""
    told = json.loads(chart.to_json())
    found = [row for rows in told.get("datasets", {}).values() for row in rows]
    found += [row for part in (told, *told.get("layer", ())) for row in part.get("data", {}).get("values", ())]
    # Layers over the same data repeat it.
    return [row for place, row in enumerate(found) if row not in found[:place]]


def test_intervals() -> None:
    """Means stand at their points with their ends; a mean without an interval stands alone."""
    chart = charts.intervals(
        [Interval("#1", 0.5, 0.4, 0.6, 100), Interval("#2", 0.7, math.nan, math.nan, 1)], scorer="right"
    )
    rows = [row for row in values(chart) if "version" in row]
    assert [(row["version"], row["mean"], row["told"]) for row in rows] == [
        ("#1", 50.0, "50.0 [40.0, 60.0]"),
        ("#2", 70.0, "70.0"),
    ]
    assert (rows[1]["low"], rows[1]["high"]) == (70.0, 70.0)


def test_a_label_at_an_edge_reaches_inwards() -> None:
    """A mean at 0 does not write over the names of the versions."""
    found = [Interval("A", 0.0, 0.0, 0.03, 117), Interval("B", 0.4, 0.3, 0.5, 117), Interval("C", 0.8, 0.7, 0.85, 117)]
    rows = [row for row in values(charts.intervals(found, scorer="right")) if "version" in row]
    assert [row["side"] for row in rows] == ["left", "center", "right"]


def test_differences_of_a_comparison() -> None:
    """All rows and each slice are drawn with the verdict that holds beside the others; open ends stay finite."""
    data = dataset(*map(str, range(60)), part=["a", "b", None] * 20)
    kept = [record(v, n, right=float(v == "b" and n % 2)) for n in range(60) for v in "ab"]
    found = compare(kept, suite(data, scorers.Function("right", lambda o, r: 1), slice="part"), "a", "b")
    rows = [row for row in values(charts.of_comparison(found)) if "slice" in row]
    assert [row["slice"] for row in rows] == ["all rows (60)", "(empty) (20)", "a (20)", "b (20)"]
    assert rows[0]["difference"] == pytest.approx(50)
    assert {row["verdict"] for row in rows} == {"better"}
    open_end = charts.differences([Difference("all", 2.0, -math.inf, 3.0, 9, "cannot tell")], scorer="s", candidate="B")
    assert all(math.isfinite(row["low"]) for row in values(open_end) if "low" in row)


def test_cost_quality() -> None:
    """The front holds what no other version beats in both; costs are told for as many answers as can be read."""
    found = [
        Worth("cheap", 1e-5, 0.6, 0.5, 0.7),
        Worth("good", 4e-5, 0.8, 0.7, 0.9),
        Worth("beaten", 5e-5, 0.7, 0.6, 0.8),
        Worth("twin", 4e-5, 0.8, 0.7, 0.9),
        Worth("free of price", math.nan, 0.9, 0.8, 1.0),
    ]
    assert charts.pareto(found[:4]) == ("cheap", "good", "twin")
    rows = [row for row in values(charts.cost_quality(found, scorer="right")) if "version" in row]
    assert {row["version"]: row["standing"] for row in rows}["beaten"] == "beaten in both"
    assert len(rows) == 4
    assert rows[0]["cost"] == pytest.approx(10)
    with pytest.raises(StatsError, match="no version has both scores and a cost"):
        charts.cost_quality(found[4:], scorer="right")


def test_distribution() -> None:
    """Each version's shares add up to one, whatever its scores; equal ones too."""
    chart = charts.distribution({"#1": [0.0, 0.5, 1.0, 1.0], "#2": [0.3] * 7, "#3": []}, scorer="right")
    rows = values(chart)
    for name in ("#1 (4)", "#2 (7)"):
        assert math.fsum(row["share"] for row in rows if row["version"] == name) == pytest.approx(1)
    assert not any(row["version"].startswith("#3") for row in rows)
    equal = charts.distribution({"#1": [7.0] * 5}, scorer="cost", unit="USD")
    assert sum(row["rows"] for row in values(equal)) == 5


def test_nothing_to_draw() -> None:
    """Where no row has a score the chart says so in words."""
    for draw in (
        lambda: charts.intervals([], scorer="right"),
        lambda: charts.differences([], scorer="right", candidate="B"),
        lambda: charts.cost_quality([], scorer="right"),
        lambda: charts.distribution({"#1": [math.nan]}, scorer="right"),
    ):
        with pytest.raises(StatsError, match=r"no row has a score|nothing to draw"):
            draw()


def test_pictures_hold_text_only(tmp_path: Path) -> None:
    """A picture of each chart is SVG in which names are text, without a script and without a network."""
    drawn: list[Any] = [
        charts.intervals([Interval(EVIL, 0.5, 0.4, 0.6, 9)], scorer=EVIL),
        charts.differences([Difference(EVIL, 0.1, 0.0, 0.2, 9, "cannot tell")], scorer="s", candidate=EVIL),
        charts.cost_quality([Worth(EVIL, 0.1, 0.5, 0.4, 0.6)], scorer="s"),
        charts.distribution({EVIL: [0.1, 0.9]}, scorer="s"),
    ]
    for chart in drawn:
        picture = charts.svg(chart)
        assert picture.startswith("<svg")
        assert "<script" not in picture
        assert "&lt;script&gt;" in picture
        assert "http://" not in picture.replace("http://www.w3.org/", "")
        bundle = charts.Drawing(chart)._repr_mimebundle_()
        assert bundle["image/svg+xml"] == picture
        assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
        assert any(kind.startswith("application/vnd.vegalite.v") for kind in bundle)
    for suffix in ("svg", "png", "json"):
        charts.Drawing(drawn[0]).save(tmp_path / f"chart.{suffix}")
        assert (tmp_path / f"chart.{suffix}").stat().st_size > 500
    with pytest.raises(StatsError, match="saved as"):
        charts.Drawing(drawn[0]).save(tmp_path / "chart.bmp")
