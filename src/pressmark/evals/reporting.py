"""A report as text, HTML, a DataFrame and JSON. Whatever names and reasons hold, it is shown as text.

The sentence stands first, then a line a scorer, then slices and the rows that changed, regressions first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from pressmark import stats
from pressmark.evals import shown
from pressmark.face import forms

if TYPE_CHECKING:
    import pandas

    from pressmark.evals.comparison import Comparison
    from pressmark.evals.report import CandidateReport, Report

# Meaning is never colour alone.
_MARKS: Final[dict[stats.Verdict, str]] = {"better": "▲", "worse": "▼", "cannot tell": "?"}
# Why the report's own measures have nothing to compare.
_MISSING: Final = {"cost": "price not known", "latency": "not timed in this run"}
_HEAD: Final = ("scorer", "", "verdict", "difference", "rows", "up", "down", "same", "test")


def text(report: Report) -> str:
    """The report for a terminal."""
    lines = []
    for candidate in report.candidates:
        lines += [f"{_MARKS[candidate.verdict]} {candidate.sentence}", *_columns(_lines(candidate))]
        if (primary := candidate.primary) is not None:
            if slices := shown.slice_lines(primary):
                unit = shown.slice_unit(primary)
                of = primary.scorer if unit == "points" else f"{primary.scorer}, in {unit}"
                lines += [f"  by slice ({of})", *_columns(slices, 4)]
            if flips := shown.flip_lines(primary):
                lines += ["  rows that changed", *_columns([(f"row {flip[0]}", *flip[1:]) for flip in flips], 4)]
                lines += [f"    {rest}" for rest in shown.rest_lines(primary)]
        lines.append("")
    for heading, notes in _told(report):
        lines += [heading, *(f"  {note}" for note in notes), ""]
    return "\n".join(lines).rstrip()


def page(report: Report) -> str:
    """The report as HTML, in the colours of the page that it stands in."""
    parts = []
    for candidate in report.candidates:
        mark = f"<span aria-hidden='true'>{_MARKS[candidate.verdict]}</span>"
        sentence = f"<strong>{mark} {forms.escaped(candidate.sentence)}</strong>"
        parts.append(f"<p style='font-size:1.1em;margin-top:20px'>{sentence}</p>")
        parts.append(forms.table(_HEAD, _lines(candidate), right=range(4, 8)))
        if (primary := candidate.primary) is not None:
            if slices := shown.slice_lines(primary):
                head = shown.slice_head(primary)
                parts.append(_folded(f"{primary.scorer} in {len(slices)} slices", forms.table(head, slices)))
            if flips := shown.flip_lines(primary):
                head = ("row", primary.baseline, primary.candidate, "")
                body = forms.table(head, flips, right=range(3)) + "".join(
                    forms.aside(rest) for rest in shown.rest_lines(primary)
                )
                parts.append(_folded(f"{len(primary.flips):,} rows changed, regressions first", body, still_open=True))
    for heading, notes in _told(report):
        told = "".join(f"<li>{forms.escaped(note)}</li>" for note in notes)
        parts.append(f"<p style='margin-bottom:0'>{forms.escaped(heading)}</p><ul style='margin-top:4px'>{told}</ul>")
    return f"<div class='pressmark-report'>{''.join(parts)}</div>"


def markdown(report: Report) -> str:
    """The report as Markdown."""
    blocks = []
    for candidate in report.candidates:
        blocks.append(f"**{_MARKS[candidate.verdict]} {forms.marked(candidate.sentence)}**")
        blocks.append(forms.markdown_table(_HEAD, _lines(candidate), right=range(4, 8)))
        if (primary := candidate.primary) is not None:
            if slices := shown.slice_lines(primary):
                head = shown.slice_head(primary)
                blocks.append(forms.markdown_table(head, slices, right=(2, 3)))
            if flips := shown.flip_lines(primary):
                head = ("row", primary.baseline, primary.candidate, "")
                blocks.append(forms.markdown_table(head, flips, right=range(3)))
                blocks += shown.rest_lines(primary)
    for heading, notes in _told(report):
        blocks.append("\n".join([forms.marked(heading), "", *(f"- {forms.marked(note)}" for note in notes)]))
    return "\n\n".join(blocks)


def frame(report: Report) -> pandas.DataFrame:
    """The report as a DataFrame: a row for each candidate, scorer and slice."""
    import pandas as pd

    rows = []
    for candidate in report.candidates:
        for told in candidate.comparisons:
            role = candidate.role(told)
            start = {"candidate": candidate.name, "baseline": report.baseline, "scorer": told.scorer, "role": role}
            p = candidate.p if role == "primary" else told.p
            verdict = candidate.scorer_verdict(told)
            rows.append(start | {"slice": "all", "verdict": verdict} | _numbers(told.result, told.unit, p))
            rows += [
                start | {"slice": part.name, "verdict": part.verdict} | _numbers(part.result, told.unit, part.p)
                for part in told.slices
            ]
    columns = ["candidate", "baseline", "scorer", "role", "slice", "verdict", "difference", "low", "high", "unit"]
    return pd.DataFrame(rows, columns=[*columns, "n", "up", "down", "same", "p", "p_adjusted", "test"])


def as_dict(report: Report) -> dict[str, Any]:
    """The report as JSON."""
    return {
        "suite": report.suite,
        "baseline": report.baseline,
        "verdict": report.verdict,
        "sentence": report.sentence,
        "method": report.method,
        "planned": report.planned,
        "candidates": [
            {
                "name": candidate.name,
                "verdict": candidate.verdict,
                "sentence": candidate.sentence,
                "p_adjusted": candidate.p,
                "problem": candidate.problem,
                "worse": list(candidate.worse),
                "unscored": list(candidate.unscored),
                "comparisons": [told.to_dict() | {"role": candidate.role(told)} for told in candidate.comparisons],
            }
            for candidate in report.candidates
        ],
        "judges": [judge.to_dict() for judge in report.judges],
        "notes": list(report.notes),
    }


def _lines(candidate: CandidateReport) -> list[tuple[str, ...]]:
    told = [_line(candidate, comparison) for comparison in candidate.comparisons]
    missing = [(name, _MISSING.get(name, "no score to compare")) for name in candidate.unscored]
    return told + [(name, "", why, "", "", "", "", "", "") for name, why in missing]


def _line(candidate: CandidateReport, told: Comparison) -> tuple[str, ...]:
    role = candidate.role(told)
    verdict = candidate.scorer_verdict(told)
    counts = (f"{number:,}" for number in (told.n, told.up, told.down, told.same))
    found = told.result
    unit, by = stats.readable(told.unit, found.difference, found.low, found.high)
    amount = stats.with_ends(by * found.difference, by * found.low, by * found.high, unit, sign=True)
    amount += "" if unit == "points" else f" {unit}"
    return told.scorer, role, f"{_MARKS[verdict]} {verdict}", amount, *counts, told.test


def _told(report: Report) -> list[tuple[str, Sequence[str]]]:
    told: list[tuple[str, Sequence[str]]] = [
        (f"judge {judge.name} ({judge.asked})", judge.sentences) for judge in report.judges if judge.sentences
    ]
    behind = [report.size]
    if len(report.candidates) > 1:
        behind.append("verdicts and slices hold although several versions are looked at together (Holm)")
    if any("latency" in each.unscored or _timed_in_part(each) for each in report.candidates):
        behind.append(
            "latency is compared where this run asked both versions: an answer remembered from another run came under"
            " another load"
        )
    for candidate in report.candidates:
        if candidate.primary is not None and candidate.primary.left_out:
            number = len(candidate.primary.left_out)
            rows = "1 row has" if number == 1 else f"{number:,} rows have"
            are = "is" if number == 1 else "are"
            behind.append(f"{candidate.name}: {rows} no score of both versions and {are} left out")
    return [*told, (f"{report.suite}, against {report.baseline}; 95 % intervals", [*behind, *report.notes])]


def _timed_in_part(candidate: CandidateReport) -> bool:
    """Whether some rows of the measured latency are missing."""
    return any(told.scorer == "latency" and told.left_out for told in candidate.measured)


def _numbers(result: stats.Paired, unit: str, p: float) -> dict[str, Any]:
    return {
        "difference": result.difference,
        "low": result.low if math.isfinite(result.low) else math.nan,
        "high": result.high if math.isfinite(result.high) else math.nan,
        "unit": unit,
        "n": result.n,
        "up": result.up,
        "down": result.down,
        "same": result.same,
        "p": result.p,
        "p_adjusted": p,
        "test": result.test,
    }


def _columns(rows: Sequence[Sequence[str]], indent: int = 2) -> list[str]:
    if not rows:
        return []
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        " " * indent + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True) if width).rstrip()
        for row in rows
    ]


def _folded(heading: str, body: str, *, still_open: bool = False) -> str:
    return f"<details{' open' if still_open else ''}><summary>{forms.escaped(heading)}</summary>{body}</details>"
