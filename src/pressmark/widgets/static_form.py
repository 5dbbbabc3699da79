"""What a notebook shows of the workbench once saved, exported or opened elsewhere: plain, escaped, no script."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, Protocol

from pressmark.widgets.panels import State
from pressmark.widgets.protocols import ComparisonView, RowView

REVIVE = "This is a still picture of the workbench. Run this cell in Jupyter to bring it to life."
VERSIONS_SHOWN = 10
TEXT_SHOWN = 160
_MARKS = {"better": "▲", "worse": "▼", "cannot tell": "?"}
_BOX = "font-size:13px;line-height:20px;max-width:1200px"
_CELL = "padding:4px 8px;border:1px solid #8884;text-align:left;vertical-align:top"


class Shown(Protocol):
    """The widget, as far as a still picture needs it."""

    prompt: str
    version: str

    @property
    def still(self) -> str:
        """What ties the picture to its live view, which hides it."""

    def state(self, which: str, /) -> State:
        """What the trait `state_WHICH` holds."""


def as_text(view: Shown, rows: Sequence[RowView] = ()) -> str:
    """The still picture in plain text.

    Args:
        view: The widget.
        rows: First rows of the run in sight.
    """
    head, *table = _table(view, rows) or [[]]
    widths = [max(len(line[at]) for line in [head, *table]) for at in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in [head, *table]]
    title = f"Pressmark workbench: {view.prompt}" if view.prompt else "Pressmark workbench"
    return "\n".join([title, sentence_of(view), *(line.rstrip() for line in lines if line.strip()), REVIVE])


def as_html(view: Shown, rows: Sequence[RowView] = ()) -> str:
    """The still picture in HTML: the sentence, its interval, the first rows as a table.

    Args:
        view: The widget.
        rows: First rows of the run in sight.
    """
    comparisons: list[ComparisonView] = view.state("verdict").get("items") or []
    return "".join(
        [
            f'<div class="pm-still" data-view="{escape(view.still)}" style="{_BOX}">',
            f"<div>Pressmark workbench · <b>{escape(view.prompt or 'no prompt')}</b></div>",
            f'<div style="font-size:15px;font-weight:600;margin:4px 0">{escape(sentence_of(view))}</div>',
            interval_svg(comparisons[0]) if comparisons else "",
            _html_table(_table(view, rows)),
            f'<div style="opacity:.75;margin-top:4px">{escape(REVIVE)}</div>',
            "</div>",
        ]
    )


def sentence_of(view: Shown) -> str:
    """The one sentence that says where things stand."""
    comparisons: list[ComparisonView] = view.state("verdict").get("items") or []
    if comparisons:
        first = comparisons[0]
        provisional = " (so far)" if first["provisional"] else ""
        return f"{_MARKS.get(first['verdict'] or '', '?')} {first['sentence']}{provisional}"
    if not view.prompt:
        return "No prompt yet."
    versions = view.state("versions").get("items") or []
    if not versions:
        return "A draft; no version was saved yet."
    return f"{len(versions)} version{'s' if len(versions) != 1 else ''}; {view.version} was not compared yet."


def interval_svg(comparison: ComparisonView) -> str:
    """The difference with its interval around zero, or nothing where there is none."""
    low, high, difference = comparison["low"], comparison["high"], comparison["difference"]
    if low is None or high is None or difference is None:
        return ""
    reach = max(abs(low), abs(high), abs(difference)) * 1.15 or 1.0
    low_x, high_x, middle_x = (160 + 150 * value / reach for value in (low, high, difference))
    return (
        '<svg width="320" height="24" viewBox="0 0 320 24" role="img" style="display:block;margin:4px 0">'
        f"<title>{escape(comparison['sentence'])}</title>"
        '<path d="M8 12H312" stroke="#888" stroke-width="1" opacity=".5"/><path d="M160 3V21" stroke="#888"/>'
        f'<path d="M{low_x:.1f} 12H{high_x:.1f}" stroke="#3878c7" stroke-width="4"/>'
        f'<circle cx="{middle_x:.1f}" cy="12" r="5" fill="#3878c7"/></svg>'
    )


def _table(view: Shown, rows: Sequence[RowView]) -> list[list[str]]:
    if rows:
        return _row_table(view, rows)
    versions: list[dict[str, Any]] = view.state("versions").get("items") or []
    if not versions:
        return []
    body = [
        [each["version"], each["created_at"][:16].replace("T", " "), each["author"], _cut(each["message"])]
        for each in versions[:VERSIONS_SHOWN]
    ]
    return [["version", "saved", "author", "change message"], *body]


def _row_table(view: Shown, rows: Sequence[RowView]) -> list[list[str]]:
    scorer = view.state("run").get("scorer", "")
    pair: Sequence[str] = view.state("verdict").get("pair") or ()
    versions = list(dict.fromkeys([*pair, *rows[0]["cells"]]))
    head = ["row", "input", *(part for each in versions for part in (each, f"{scorer} {each}"))]
    table = [head]
    for row in rows:
        line = [str(row["row"] + 1), _cut(" · ".join(row["values"].values()))]
        for version in versions:
            cell = row["cells"][version]
            score = cell["scores"].get(scorer)
            output = cell["error"] or ("not answered yet" if cell["pending"] else cell["output"])
            line += [_cut(output), "" if score is None else f"{score:.3g}"]
        table.append(line)
    return table


def _html_table(table: list[list[str]]) -> str:
    if not table:
        return ""
    head = "".join(f'<th style="{_CELL}">{escape(cell)}</th>' for cell in table[0])
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{escape(cell)}</td>' for cell in line) + "</tr>" for line in table[1:]
    )
    return f'<table style="border-collapse:collapse"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TEXT_SHOWN else line[: TEXT_SHOWN - 1] + "…"
