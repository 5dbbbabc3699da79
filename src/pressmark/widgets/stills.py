"""What a still picture of each panel holds: the sentence first, then an interval, texts and tables, as plain values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any, Literal, Protocol, cast

from pressmark.stats import amount
from pressmark.widgets.panels import State
from pressmark.widgets.proposing import proposed
from pressmark.widgets.protocols import (
    BlindView,
    ComparisonView,
    DraftView,
    GateView,
    ImpactView,
    RatableView,
    RatedView,
    RegistryPromptView,
    RowView,
    SuiteView,
    UnitBody,
    VersionView,
)

ROWS_SHOWN = 10
TEXT_SHOWN = 160
Kind = Literal["same", "added", "removed"]
MARKS = {"better": "▲", "worse": "▼", "cannot tell": "?"}


class Shown(Protocol):
    """The widget, as far as a still picture needs it."""

    prompt: str
    version: str
    panel: str

    @property
    def still(self) -> str:
        """What ties the picture to its live view, which hides it."""

    def state(self, which: str, /) -> State:
        """What the trait `state_WHICH` holds."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A difference with its interval.

    Attributes:
        comparison: The verdict.
        lower_is_better: Whether a lower score is the better one.
    """

    comparison: ComparisonView
    lower_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Lines:
    """A text, line by line.

    Attributes:
        title: Above it.
        lines: Each with whether it was added or removed.
    """

    title: str
    lines: Sequence[tuple[Kind, str]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        head: The columns' names.
        body: Its rows.
    """

    head: Sequence[str]
    body: Sequence[Sequence[str]]


Block = Interval | Lines | Table


@dataclass(frozen=True, slots=True)
class Still:
    """A still picture.

    Attributes:
        sentence: Where things stand.
        blocks: What is shown below.
    """

    sentence: str
    blocks: Sequence[Block] = ()


def still_of(view: Shown, rows: Sequence[RowView] = ()) -> Still:
    """The panel in sight as a still picture.

    Args:
        view: The widget.
        rows: First rows of the run in sight.
    """
    if not view.prompt:
        return Still("No prompt yet.")
    panels: dict[str, Callable[[], Still]] = {
        "draft": lambda: _draft(view),
        "compare": lambda: _compare(view),
        "evaluate": lambda: _evaluate(view, rows),
        "rate": lambda: _rate(view),
        "publish": lambda: _publish(view),
    }
    return panels[view.panel]()


def _draft(view: Shown) -> Still:
    state = view.state("draft")
    if state.get("body") is None:
        return Still("The draft could not be read.", _versions(view))
    draft = cast(DraftView, state)
    body = draft["body"]
    base = draft["base"]
    if draft["unsaved"]:
        changes = state.get("proposal") or ""
        sentence = f"Unsaved changes{f' since {base}' if base else ''}{f': {changes}' if base and changes else ''}."
    else:
        sentence = f"Equal to {base}." if base else "Nothing written yet."
    settings = [["model", body["model"] or "not set"], *([name, str(value)] for name, value in body["params"].items())]
    blocks: list[Block] = [Lines(title, [("same", line) for line in text.split("\n")]) for title, text in _texts(body)]
    return Still(sentence, [*blocks, Table(("setting", "value"), settings), *_versions(view)])


def _texts(body: UnitBody) -> list[tuple[str, str]]:
    if body["kind"] == "text":
        return [("text", body["text"])]
    return [(str(message.get("role", "")), _content(message)) for message in body["messages"]]


def _content(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str) and set(message) <= {"role", "content"}:
        return content
    return _json({name: value for name, value in message.items() if name != "role"})


def _json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)


def _versions(view: Shown) -> list[Block]:
    versions: list[VersionView] = view.state("versions").get("items") or []
    if not versions:
        return []
    body = [
        [each["version"], _when(each["created_at"]), each["author"], _cut(each["message"])]
        for each in versions[:ROWS_SHOWN]
    ]
    return [Table(("version", "saved", "author", "change message"), body)]


def _compare(view: Shown) -> Still:
    state = view.state("compare")
    units = cast("dict[str, UnitBody]", state.get("units") or {})
    shown = [each for each in state.get("versions") or [] if each in units]
    if not shown:
        return Still("Nothing to compare yet.", _versions(view))
    baseline, *candidates = shown
    if not candidates:
        return Still(f"Both sides are {baseline}.", _versions(view))
    told = [_compared(baseline, candidate, units) for candidate in candidates]
    return Still(" ".join(sentence for sentence, _ in told), [block for _, blocks in told for block in blocks])


def _compared(baseline: str, candidate: str, units: dict[str, UnitBody]) -> tuple[str, list[Block]]:
    left, right = units[baseline], units[candidate]
    changes = proposed(left, right)
    if not changes:
        return f"{candidate} equals {baseline} in everything that decides behaviour.", []
    blocks = [*_diffs(left, right), *_settings(left, right, (baseline, candidate))]
    return f"{candidate} differs from {baseline}: {changes}.", blocks


def _diffs(left: UnitBody, right: UnitBody) -> list[Block]:
    before, after = _texts(left), _texts(right)
    found: list[Block] = []
    for at in range(max(len(before), len(after))):
        old = before[at][1].split("\n") if at < len(before) else []
        new = after[at][1].split("\n") if at < len(after) else []
        lines = list(unified_diff(old, new, lineterm="", n=2))[2:]
        if not lines:
            continue
        kinds: dict[str, Kind] = {"+": "added", "-": "removed"}
        told: list[tuple[Kind, str]] = [
            (kinds.get(line[:1], "same"), line[1:]) for line in lines if not line.startswith("@@")
        ]
        role = after[at][0] if at < len(after) else before[at][0]
        found.append(Lines(f"message {at + 1}, {role}" if right["kind"] == "chat" else "text", told))
    return found


def _settings(left: UnitBody, right: UnitBody, names: tuple[str, str]) -> list[Block]:
    def flat(body: UnitBody) -> dict[str, Any]:
        found: dict[str, Any] = {"model": body["model"] or None}
        for part in ("params", "variables", "inputs"):
            found |= {f"{part}.{name}": value for name, value in cast(dict[str, Any], body[part]).items()}
        return found | {
            "tools": body["tools"],
            "tool_choice": body["tool_choice"],
            "response_format": body["response_format"],
        }

    before, after = flat(left), flat(right)
    body = [
        [name, _setting(before.get(name)), _setting(after.get(name))]
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]
    return [Table(("setting", *names), body)] if body else []


def _setting(value: Any) -> str:
    return "not set" if value is None else _cut(value if isinstance(value, str) else _json(value))


def _evaluate(view: Shown, rows: Sequence[RowView]) -> Still:
    comparisons: list[ComparisonView] = view.state("verdict").get("items") or []
    suite = cast("SuiteView | None", view.state("run").get("suite"))
    progress = view.state("run").get("progress")
    if progress and progress["status"] == "failed":
        return Still(
            f"The run of {', '.join(progress['versions'])} on {progress['suite']} failed: {progress['error']}."
        )
    if not comparisons:
        versions = view.state("versions").get("items") or []
        if not versions:
            return Still("A draft; no version was saved yet.")
        count = f"{len(versions)} version{'s' if len(versions) != 1 else ''}"
        return Still(f"{count}; {view.version} was not compared yet.", _row_table(view, rows) or _versions(view))
    first = comparisons[0]
    scorer = next((each for each in suite["scorers"] if each["name"] == first["scorer"]), None) if suite else None
    provisional = " (so far)" if first["provisional"] else ""
    sentence = f"{MARKS.get(first['verdict'] or '', '?')} {first['sentence']}{provisional}"
    lower = scorer is not None and scorer["direction"] == "lower"
    return Still(sentence, [Interval(first, lower), *_row_table(view, rows)])


def _row_table(view: Shown, rows: Sequence[RowView]) -> list[Block]:
    if not rows:
        return []
    state = view.state("run")
    scorer = state.get("scorer", "")
    pair: Sequence[str] = view.state("verdict").get("pair") or ()
    versions = list(dict.fromkeys([*pair, *rows[0]["cells"]]))
    suite = cast("SuiteView | None", state.get("suite"))
    column = next((each["column"] for each in suite["scorers"] if each["name"] == scorer), None) if suite else None
    inputs = rows[0]["inputs"] or [name for name in rows[0]["values"] if name != column]
    held = [column] if column is not None and column in rows[0]["values"] else []
    head = ["row", *inputs, *(f"expected {name}" for name in held)]
    head += [part for each in versions for part in (each, f"{scorer} {each}")]
    body = []
    for row in rows:
        line = [str(row["row"]), *(_cut(row["values"].get(name, "")) for name in [*inputs, *held])]
        for version in versions:
            cell = row["cells"][version]
            score = cell["scores"].get(scorer)
            output = cell["error"] or ("not answered" if cell["pending"] else cell["output"])
            line += [_cut(output), "" if score is None else amount(score)]
        body.append(line)
    return [Table(head, body)]


def _rate(view: Shown) -> Still:
    """Where the raters stand. Outputs are not shown: a picture stays in the notebook for the next rater to see."""
    state = view.state("rate")
    offer, blind = cast("RatableView | None", state.get("offer")), cast("BlindView | None", state.get("blind"))
    revealed = cast("RatedView | None", state.get("revealed"))
    if revealed is not None:
        facts: list[list[str]] = [[rater, f"{answers:,} answers"] for rater, answers in revealed["raters"]]
        facts += [["votes", revealed["vote_sentence"]]] if revealed["vote_sentence"] else []
        facts += [list(each) for each in revealed["agreements"]]
        return Still(f"{MARKS.get(revealed['verdict'], '?')} {revealed['sentence']}", [Table(("raters", ""), facts)])
    if blind is not None:
        sentence = f"{blind['rater']} rated {blind['answered']:,} of {blind['total']:,}, blind."
        return Still(sentence)
    if offer is None:
        return Still("No run to rate yet.")
    body = [[each["rater"], each["kind"], f"{each['answers']:,}"] for each in offer["raters"]]
    sentence = "Nobody rated this run yet." if not body else f"{', '.join(row[0] for row in body)} rated this run."
    return Still(sentence, [Table(("rater", "how", "answers"), body)] if body else [])


def _publish(view: Shown) -> Still:
    registry = view.state("registry")
    told, held = registry.get("view"), cast("RegistryPromptView | None", registry.get("prompt"))
    if told is None or held is None:
        return Still(told["message"] if told else "The registry was not asked yet.")
    blocks: list[Block] = []
    gate = cast("GateView | None", view.state("gate").get("view"))
    if gate is not None:
        blocks.append(
            Table(("", "the gate"), [[_sign(reason), _cut(reason["sentence"])] for reason in gate["reasons"]])
        )
    impact = cast("ImpactView | None", view.state("impact").get("view"))
    if impact is not None and len(impact["prompts"]) > 1:
        body = [
            [f"{MARKS.get(each['outcome'], '+' if each['outcome'] == 'new' else '!')} {each['name']}", each["outcome"]]
            for each in impact["prompts"]
        ]
        blocks.append(Table(("what the change reaches", "verdict"), body))
    if held["labels"]:
        body = [
            [each["label"], each["version"], _when(each["moved_at"]), each["moved_by"], _cut(each["reason"])]
            for each in held["labels"]
        ]
        blocks.append(Table(("label", "holds", "since", "moved by", "reason"), body))
    if held["log"]:
        body = [
            [str(each["seq"]), _when(each["at"]), each["actor"], _cut(each["sentence"]), _cut(each["reason"])]
            for each in held["log"][:ROWS_SHOWN]
        ]
        blocks.append(Table(("entry", "at", "who", "what", "why"), body))
    return Still(_gate_sentence(gate, held), blocks)


def _gate_sentence(gate: GateView | None, held: RegistryPromptView) -> str:
    if gate is None:
        labels = ", ".join(f"{each['label']} holds {each['version']}" for each in held["labels"])
        return f"{labels}." if labels else "Nothing was published yet."
    if gate["target"] is not None and gate["target"] == gate["current"]:
        return f"{gate['label']} holds {gate['current']} already."
    start = f" from {gate['current']}" if gate["current"] else ""
    what = f"moving {gate['label']}{start} to {gate['target'] or gate['to']}"
    return f"The gate {'lets through' if gate['allowed'] else 'stops'} {what}."


def _sign(reason: Any) -> str:
    if "verdict" in reason:
        return MARKS.get(reason["verdict"] or "", "?")
    return "✓" if reason["met"] else "!"


def _when(iso: str) -> str:
    return iso[:16].replace("T", " ")


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TEXT_SHOWN else line[: TEXT_SHOWN - 1] + "…"
