"""What a notebook shows of the workbench once saved, exported or opened elsewhere: plain, escaped, no script."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pressmark.widgets.protocols import RowView
from pressmark.widgets.stills import Block, Interval, Lines, Shown, Table, still_of

REVIVE = "This is a still picture of the workbench. Run this cell in Jupyter to bring it to life."
_BOX = "font-size:13px;line-height:20px;max-width:1200px"
# Where a notebook is not trusted JupyterLab takes `start` away, and its own tables stand right.
_CELL = "padding:4px 8px;border:1px solid #8884;text-align:left;text-align:start;vertical-align:top;font-size:13px"
_TEXT = "margin:0 0 8px;padding:4px 8px;border:1px solid #8884;white-space:pre-wrap;font-size:12px"
_SIGNS = {"same": " ", "added": "+", "removed": "−"}
_ADDED, _REMOVED = "background:#3878c730", "background:#c7663830"
_BLUE, _GREY = "#3878c7", "#888"


def as_text(view: Shown, rows: Sequence[RowView] = ()) -> str:
    """The still picture in plain text.

    Args:
        view: The widget.
        rows: First rows of the run in sight.
    """
    still = still_of(view, rows)
    lines = [line for block in still.blocks for line in _text_block(block)]
    return "\n".join([f"Pressmark workbench: {_where(view)}", still.sentence, *lines, REVIVE])


def as_html(view: Shown, rows: Sequence[RowView] = ()) -> str:
    """The still picture in HTML: the sentence, then what the panel in sight shows.

    Args:
        view: The widget.
        rows: First rows of the run in sight.
    """
    still = still_of(view, rows)
    return "".join(
        [
            f'<div class="pm-still" data-view="{escape(view.still)}" style="{_BOX}">',
            f"<div>Pressmark workbench · <b>{escape(_where(view))}</b></div>",
            f'<div style="font-size:15px;font-weight:600;margin:4px 0">{escape(still.sentence)}</div>',
            *(_html_block(block) for block in still.blocks),
            f'<div style="opacity:.75;margin-top:4px">{escape(REVIVE)}</div>',
            "</div>",
        ]
    )


def interval_svg(shown: Interval) -> str:
    """The difference with its interval around zero, worse to the left, or nothing where there is none.

    A verdict that cannot be told is a hollow grey dot, as on the live page.
    """
    comparison = shown.comparison
    low, high, difference = comparison["low"], comparison["high"], comparison["difference"]
    if low is None or high is None or difference is None:
        return ""
    reach = max(abs(low), abs(high), abs(difference)) * 1.15 or 1.0
    scale = (-150 if shown.lower_is_better else 150) / reach
    from_x, to_x, middle_x = (160 + scale * value for value in (low, high, difference))
    told = comparison["verdict"] in ("better", "worse")
    colour = _BLUE if told else _GREY
    dot = f'fill="{colour}"' if told else f'fill="#fff" stroke="{colour}" stroke-width="2"'
    return (
        '<svg width="320" height="24" viewBox="0 0 320 24" role="img" style="display:block;margin:4px 0"'
        f' aria-label="{escape(comparison["sentence"])}">'
        f'<path d="M8 12H312" stroke="{_GREY}" stroke-width="1" opacity=".5"/><path d="M160 3V21" stroke="{_GREY}"/>'
        f'<path d="M{from_x:.1f} 12H{to_x:.1f}" stroke="{colour}" stroke-width="4"/>'
        f'<circle cx="{middle_x:.1f}" cy="12" r="5" {dot}/></svg>'
    )


def _where(view: Shown) -> str:
    return f"{view.prompt}, {view.panel.capitalize()}" if view.prompt else "no prompt"


def _text_block(block: Block) -> list[str]:
    if isinstance(block, Interval):
        return []
    if isinstance(block, Lines):
        return [f"{block.title}:", *(f"{_SIGNS[kind]} {line}".rstrip() for kind, line in block.lines)]
    table = [block.head, *block.body]
    widths = [max(len(line[at]) for line in table) for at in range(len(block.head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in table]
    return [line.rstrip() for line in lines if line.strip()]


def _html_block(block: Block) -> str:
    if isinstance(block, Interval):
        return interval_svg(block)
    return _html_lines(block) if isinstance(block, Lines) else _html_table(block)


def _html_lines(text: Lines) -> str:
    tags = {"same": ("<span>", "</span>"), "added": (f'<ins style="{_ADDED}">', "</ins>")}
    tags["removed"] = (f'<del style="{_REMOVED}">', "</del>")
    signed = any(kind != "same" for kind, _ in text.lines)
    lines = [
        f"{f'{_SIGNS[kind]} ' if signed else ''}{tags[kind][0]}{escape(line)}{tags[kind][1]}"
        for kind, line in text.lines
    ]
    told = chr(10).join(lines)
    return f'<div style="opacity:.75">{escape(text.title)}</div><pre dir="auto" style="{_TEXT}">{told}</pre>'


def _html_table(table: Table) -> str:
    head = "".join(f'<th dir="auto" style="{_CELL}">{escape(cell)}</th>' for cell in table.head)
    body = "".join(
        "<tr>" + "".join(f'<td dir="auto" style="{_CELL}">{escape(cell)}</td>' for cell in line) + "</tr>"
        for line in table.body
    )
    style = "border-collapse:collapse;margin:4px 0 8px"
    return f'<table style="{style}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
