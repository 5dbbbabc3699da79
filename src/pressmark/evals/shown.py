"""A comparison as text, Markdown and HTML. Whatever names and notes hold, it is shown as text."""

from __future__ import annotations

import html
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from pressmark import stats

if TYPE_CHECKING:
    from pressmark.evals.comparison import Comparison, Flip

# A table in a notebook or a terminal is read, not searched.
_SHOWN = 10
_SIGNS = frozenset(r"\`*_{}[]#|~!")


def text(comparison: Comparison) -> str:
    """The sentence, its notes, slices and first rows, for a terminal."""
    lines = [comparison.sentence, *(f"  {note}" for note in comparison.notes)]
    slices = _slices(comparison)
    width = max((len(name) for name, *_ in slices), default=0)
    lines += [f"  {name:<{width}}  {verdict:<11}  {amount}  on {rows}" for name, verdict, amount, rows in slices]
    lines += [f"  row {row}: {before} → {after}  {sign}" for row, before, after, sign in _flips(comparison)]
    return "\n".join([*lines, *(f"  {rest}" for rest in _rest(comparison))])


def markdown(comparison: Comparison) -> str:
    """The same as Markdown."""
    lines = [f"**{_marked(comparison.sentence)}**", "", *(f"{_marked(note)}  " for note in comparison.notes)]
    if slices := _slices(comparison):
        lines += ["", f"| slice | verdict | difference ({_marked(comparison.unit)}) | rows |", "|---|---|---:|---:|"]
        lines += [_row(cells) for cells in slices]
    if flips := _flips(comparison):
        lines += ["", f"| row | {_marked(comparison.baseline)} | {_marked(comparison.candidate)} | |"]
        lines += ["|---:|---:|---:|---|", *(_row(cells) for cells in flips)]
    return "\n".join([*lines, *(f"\n{rest}" for rest in _rest(comparison))])


def page(comparison: Comparison) -> str:
    """The same as HTML."""
    parts = [f"<p><strong>{html.escape(comparison.sentence)}</strong></p>"]
    parts += [_aside(note) for note in comparison.notes]
    if slices := _slices(comparison):
        parts.append(_table(("slice", "verdict", f"difference ({comparison.unit})", "rows"), slices))
    if flips := _flips(comparison):
        parts.append(_table(("row", comparison.baseline, comparison.candidate, ""), flips))
    parts += [_aside(rest) for rest in _rest(comparison)]
    return f"<div>{''.join(parts)}</div>"


def _slices(comparison: Comparison) -> list[tuple[str, ...]]:
    return [
        (_name(part.name), part.verdict, _amount(part.result, comparison.unit), f"{part.result.n:,}")
        for part in comparison.slices
    ]


def _flips(comparison: Comparison) -> list[tuple[str, ...]]:
    return [
        (str(flip.row), f"{flip.before:.3g}", f"{flip.after:.3g}", _sign(flip)) for flip in comparison.flips[:_SHOWN]
    ]


def _rest(comparison: Comparison) -> list[str]:
    more = len(comparison.flips) - _SHOWN
    return [f"and {more:,} more rows that changed"] if more > 0 else []


def _amount(result: stats.Paired, unit: str) -> str:
    scale, form = (100, "{:+.1f} [{:.1f}, {:.1f}]") if unit == "points" else (1, "{:+.3g} [{:.3g}, {:.3g}]")
    return form.format(*(scale * value for value in (result.difference, result.low, result.high)))


def _name(value: Hashable) -> str:
    return "(empty)" if value is None or value == "" else str(value)


def _sign(flip: Flip) -> str:
    return "▼ worse" if flip.change == "regression" else "▲ better"


def _marked(told: str) -> str:
    """Text that Markdown shows as it is."""
    told = "".join(f"\\{sign}" if sign in _SIGNS else sign for sign in " ".join(told.split()))
    return html.escape(told, quote=False)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_marked(cell) for cell in cells)} |"


def _aside(told: str) -> str:
    return f"<div style='opacity:.75'>{html.escape(told)}</div>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        told = "".join(f"<{tag} style='text-align:left'>{html.escape(cell)}</{tag}>" for cell in cells)
        return f"<tr>{told}</tr>"

    body = "".join(line(cells, "td") for cells in rows)
    return f"<table><thead>{line(head, 'th')}</thead><tbody>{body}</tbody></table>"
