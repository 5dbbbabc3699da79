"""How things show themselves in a notebook: as HTML, and as Markdown for hosts that show that.

Names, reasons and texts are shown as they are, whatever they hold. The HTML of a thing is one line: a blank line would
end the block that it makes inside an exported Markdown file, and what follows would be read as Markdown.
"""

from __future__ import annotations

import html as markup
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

_SIGNS = frozenset(r"\`*_{}[]#|~!$")
_STYLE = "font-variant-numeric:tabular-nums;font-size:inherit"
_PRE = "white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere;max-width:80ch"
# A date or a name is not torn apart for the sake of a long text beside it.
_SHORT = 20


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text.

    Attributes:
        head: The columns' names.
        rows: Its cells.
        right: The columns that hold numbers.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class Face:
    """What a thing shows of itself, the sentence first.

    Attributes:
        title: What it is, or what it says.
        asides: Lines beside it.
        text: A text as it is written, such as a template.
        tables: What stands below; those without rows are left out.
    """

    title: str
    asides: Sequence[str] = ()
    text: str = ""
    tables: Sequence[Table] = ()


def html(face: Face) -> str:
    """The face as HTML, in one line, in the colours of the page that it stands in."""
    parts = [f"<div><strong>{escaped(face.title)}</strong></div>", *(aside(told) for told in face.asides)]
    if face.text:
        parts.append(f"<pre dir='auto' style='{_PRE}'>{escaped(face.text)}</pre>")
    parts += [table(each.head, each.rows, each.right) for each in face.tables if each.rows]
    return f"<div>{''.join(parts)}</div>"


def markdown(face: Face) -> str:
    """The face as Markdown."""
    blocks = ["  \n".join([f"**{marked(face.title)}**", *(marked(told) for told in face.asides)])]
    if face.text:
        blocks.append(fenced(face.text))
    blocks += [markdown_table(each.head, each.rows, each.right) for each in face.tables if each.rows]
    return "\n\n".join(blocks)


def aside(told: str) -> str:
    """What stands beside, in the colour of the page."""
    return f"<div style='opacity:.75'>{escaped(told)}</div>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> str:
    """A table of text in HTML; the columns `right` hold numbers."""

    def cell(text: str, tag: str, side: str) -> str:
        # Where a notebook is not trusted JupyterLab takes `start` away, and its own tables stand right.
        side = "left;text-align:start" if side == "start" else side
        whole = "white-space:nowrap;" if len(text) <= _SHORT else ""
        return f"<{tag} dir='auto' style='text-align:{side};{whole}padding:2px 8px'>{escaped(text)}</{tag}>"

    def line(cells: Sequence[str], tag: str) -> str:
        told = (cell(text, tag, "right" if place in right else "start") for place, text in enumerate(cells))
        return f"<tr>{''.join(told)}</tr>"

    body = "".join(line(cells, "td") for cells in rows)
    named = f"<thead>{line(head, 'th')}</thead>" if any(head) else ""
    return f"<table style='{_STYLE}'>{named}<tbody>{body}</tbody></table>"


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> str:
    """The same table in Markdown."""
    rule = "|".join("---:" if place in right else "---" for place in range(len(head)))
    return "\n".join([_row(head), f"|{rule}|", *map(_row, rows)])


def escaped(text: str) -> str:
    """Text inside HTML, its line ends as references: one line of markup stays one line."""
    return markup.escape(text).replace("\r\n", "\n").replace("\r", "\n").replace("\n", "&#10;")


def marked(told: str) -> str:
    """Text that Markdown shows as it is, in one line."""
    told = "".join(f"\\{sign}" if sign in _SIGNS else sign for sign in " ".join(told.split()))
    return markup.escape(told, quote=False)


def fenced(text: str) -> str:
    """Text in a fence longer than any in it: what a prompt says must not end the block that shows it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}\n{text}\n{fence}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(marked(cell) for cell in cells)} |"
