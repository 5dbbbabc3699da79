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
    lines += [f"  {name:<{width}}  {verdict:<11}  {amount}  on {rows}" for name, verdict, amount, rows in slices]
    lines += [f"  row {row}: {before} → {after}  {sign}" for row, before, after, sign in flip_lines(comparison)]
    return "\n".join([*lines, *(f"  {rest}" for rest in rest_lines(comparison))])


def markdown(comparison: Comparison) -> str:
    """The same as Markdown."""
    lines = [f"**{marked(comparison.sentence)}**", "", *(f"{marked(note)}  " for note in comparison.notes)]
    if slices := slice_lines(comparison):
        head = ("slice", "verdict", f"difference ({comparison.unit})", "rows")
        lines += ["", markdown_table(head, slices, right=(2, 3))]
    if flips := flip_lines(comparison):
        lines += ["", markdown_table(("row", comparison.baseline, comparison.candidate, ""), flips, right=range(3))]
    return "\n".join([*lines, *(f"\n{rest}" for rest in rest_lines(comparison))])


def page(comparison: Comparison) -> str:
    """The same as HTML."""
    parts = [f"<p><strong>{escaped(comparison.sentence)}</strong></p>"]
    parts += [aside(note) for note in comparison.notes]
    if slices := slice_lines(comparison):
        parts.append(table(("slice", "verdict", f"difference ({comparison.unit})", "rows"), slices))
    if flips := flip_lines(comparison):
        parts.append(table(("row", comparison.baseline, comparison.candidate, ""), flips))
    parts += [aside(rest) for rest in rest_lines(comparison)]
    return f"<div>{''.join(parts)}</div>"


def slice_lines(comparison: Comparison) -> list[tuple[str, ...]]:
    """A line for each slice: name, verdict, difference, rows."""
    return [
        (_name(part.name), part.verdict, amount(part.result, comparison.unit), f"{part.result.n:,}")
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


def amount(result: stats.Paired, unit: str) -> str:
    """A difference with its interval; where rows tell none, such as where nothing changed, without."""
    return stats.with_ends(result.difference, result.low, result.high, unit, sign=True)


def _name(value: Hashable) -> str:
    return "(empty)" if value is None or value == "" else str(value)


def _sign(flip: Flip) -> str:
    return "▼ worse" if flip.change == "regression" else "▲ better"
