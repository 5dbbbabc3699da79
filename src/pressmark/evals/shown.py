"""A comparison as text, Markdown and HTML. Whatever names and notes hold, it is shown as text."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from pressmark import stats
from pressmark.face.forms import aside, escaped, markdown_table, marked, table

if TYPE_CHECKING:
    from pressmark.evals.comparison import Comparison, Flip

# A table in a notebook or a terminal is read, not searched.
_SHOWN = 10


def text(comparison: Comparison) -> str:
    """The sentence, its notes, slices and first rows, for a terminal."""
    lines = [comparison.sentence, *(f"  {note}" for note in comparison.notes)]
    slices = slice_lines(comparison)
    width = max((len(name) for name, *_ in slices), default=0)
    unit = "" if slice_unit(comparison) == "points" else f" {slice_unit(comparison)}"
    lines += [f"  {name:<{width}}  {verdict:<11}  {amount}{unit}  on {rows}" for name, verdict, amount, rows in slices]
    lines += [f"  row {row}: {before} → {after}  {sign}" for row, before, after, sign in flip_lines(comparison)]
    return "\n".join([*lines, *(f"  {rest}" for rest in rest_lines(comparison))])


def markdown(comparison: Comparison) -> str:
    """The same as Markdown."""
    lines = [f"**{marked(comparison.sentence)}**", "", *(f"{marked(note)}  " for note in comparison.notes)]
    if slices := slice_lines(comparison):
        lines += ["", markdown_table(slice_head(comparison), slices, right=(2, 3))]
    if flips := flip_lines(comparison):
        lines += ["", markdown_table(("row", comparison.baseline, comparison.candidate, ""), flips, right=range(3))]
    return "\n".join([*lines, *(f"\n{rest}" for rest in rest_lines(comparison))])


def page(comparison: Comparison) -> str:
    """The same as HTML."""
    parts = [f"<p><strong>{escaped(comparison.sentence)}</strong></p>"]
    parts += [aside(note) for note in comparison.notes]
    if slices := slice_lines(comparison):
        parts.append(table(slice_head(comparison), slices))
    if flips := flip_lines(comparison):
        parts.append(table(("row", comparison.baseline, comparison.candidate, ""), flips))
    parts += [aside(rest) for rest in rest_lines(comparison)]
    return f"<div>{''.join(parts)}</div>"


def slice_head(comparison: Comparison) -> tuple[str, ...]:
    """What stands above the lines of slices."""
    return "slice", "verdict", f"difference ({slice_unit(comparison)})", "rows"


def slice_unit(comparison: Comparison) -> str:
    """What the differences of slices are told in."""
    return _scale(comparison)[0]


def slice_lines(comparison: Comparison) -> list[tuple[str, ...]]:
    """A line for each slice: name, verdict, difference, rows."""
    unit, by = _scale(comparison)
    return [
        (
            _name(part.name),
            part.verdict,
            stats.with_ends(by * part.result.difference, by * part.result.low, by * part.result.high, unit, sign=True),
            f"{part.result.n:,}",
        )
        for part in comparison.slices
    ]


def flip_lines(comparison: Comparison) -> list[tuple[str, ...]]:
    """The first rows that changed: number, before, after, which way."""
    return [
        (str(flip.row), stats.amount(flip.before), stats.amount(flip.after), _sign(flip))
        for flip in comparison.flips[:_SHOWN]
    ]


def rest_lines(comparison: Comparison) -> list[str]:
    """How many more rows changed, where there are more."""
    more = len(comparison.flips) - _SHOWN
    return [f"and {more:,} more rows that changed"] if more > 0 else []


def _scale(comparison: Comparison) -> tuple[str, float]:
    """The unit of all slices, and what to multiply them by."""
    results = [part.result for part in comparison.slices]
    return stats.readable(comparison.unit, *(each for one in results for each in (one.difference, one.low, one.high)))


def _name(value: Hashable) -> str:
    return "(empty)" if value is None or value == "" else str(value)


def _sign(flip: Flip) -> str:
    return "▼ worse" if flip.change == "regression" else "▲ better"
