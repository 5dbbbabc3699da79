"""A dependency graph with each prompt's verdict, as an SVG that follows the page's colours.

JupyterLab takes the drawing out of a notebook that somebody else saved and leaves its text, which reads well alone.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import Final

# Size of a box and the space between two, in pixels.
WIDTH, HEIGHT, ACROSS, DOWN = 210, 46, 56, 18
# Characters that fit into a box.
_FITS = 28
_MARKS: Final = {"better": "▲", "worse": "▼", "cannot tell": "?", "new": "+", "not evaluated": "!"}
# A line's weight and dashes say the same as the mark, for who cannot tell colours apart.
_LINES: Final = {"worse": "stroke-width='3'", "not evaluated": "stroke-dasharray='5 4'"}


def draw(edges: Iterable[tuple[str, str]], outcomes: Mapping[str, str]) -> str:
    """Return an SVG of prompts in layers, those that feed others to the left.

    Args:
        edges: From the prompt that gives its output to the one that takes it.
        outcomes: Each prompt's verdict; prompts without one are drawn faint, as unchanged.
    """
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(outcomes)
    graph.add_edges_from(edges)
    places: dict[str, tuple[int, int]] = {}
    layers = [sorted(layer) for layer in nx.topological_generations(graph)]
    for column, layer in enumerate(layers):
        for line, name in enumerate(layer):
            places[name] = (1 + column * (WIDTH + ACROSS), 1 + line * (HEIGHT + DOWN))
    width = len(layers) * (WIDTH + ACROSS) - ACROSS + 2
    height = max((len(layer) for layer in layers), default=0) * (HEIGHT + DOWN) - DOWN + 2
    told = ", ".join(f"{name}: {outcome}" for name, outcome in outcomes.items())
    parts = [_line(places[start], places[end]) for start, end in graph.edges]
    parts += [_box(name, outcomes.get(name), *places[name]) for name in graph]
    return (
        f"<svg role='img' aria-label='{html.escape(told, quote=True)}' viewBox='0 0 {width} {height}' width='{width}'"
        f" height='{height}' style='max-width:100%;height:auto;font:13px sans-serif' fill='none'"
        f" stroke='currentColor'>{''.join(parts)}</svg>"
    )


def _box(name: str, outcome: str | None, x: int, y: int) -> str:
    shown = name if len(name) <= _FITS else f"…{name[1 - _FITS :]}"
    below = f"{_MARKS[outcome]} {outcome}" if outcome else "unchanged"
    whole = f"<title>{html.escape(name)} </title>" if shown != name else ""
    return (
        f"<g opacity='{1 if outcome else 0.55}'>{whole}"
        f"<rect x='{x}' y='{y}' width='{WIDTH}' height='{HEIGHT}' rx='4' {_LINES.get(outcome or '', '')}/>"
        f"<text x='{x + 10}' y='{y + 19}' fill='currentColor' stroke='none'>{html.escape(shown)} </text>"
        f"<text x='{x + 10}' y='{y + 37}' fill='currentColor' stroke='none'>{html.escape(below)}</text>"
        "<desc>; </desc></g>"
    )


def _line(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1 = start[0] + WIDTH, start[1] + HEIGHT // 2
    x2, y2 = end[0], end[1] + HEIGHT // 2
    middle = (x1 + x2) // 2
    return (
        f"<path d='M{x1} {y1} C{middle} {y1} {middle} {y2} {x2 - 7} {y2}' opacity='.6'/>"
        f"<path d='M{x2 - 7} {y2 - 4} L{x2} {y2} L{x2 - 7} {y2 + 4} Z' fill='currentColor' stroke='none' opacity='.6'/>"
    )
