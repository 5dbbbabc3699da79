"""A change message from what changed, for whoever saves without writing one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from pressmark.widgets.protocols import UnitBody

MOST = 5
SHORT = 40


def proposed(before: UnitBody | None, after: UnitBody) -> str:
    """What changed, such as "system message changed, temperature 0 → 0.7"; empty where nothing did.

    Args:
        before: The unit that the draft was begun from, or None for the first version.
        after: The draft.
    """
    if before is None:
        return "first version"
    found = list(_changes(before, after))
    if len(found) > MOST:
        found = [*found[: MOST - 1], f"{len(found) - MOST + 1} more changes"]
    return ", ".join(found)


def _changes(before: UnitBody, after: UnitBody) -> Iterator[str]:
    if before["kind"] != after["kind"]:
        yield f"{before['kind']} prompt → {after['kind']} prompt"
    elif after["kind"] == "text":
        if before["text"] != after["text"]:
            yield "text changed"
    else:
        yield from _messages(before["messages"], after["messages"])
    yield from _value("model", before["model"] or None, after["model"] or None)
    for name in _names(before["params"], after["params"]):
        yield from _value(name, before["params"].get(name), after["params"].get(name))
    for name in _names(before["variables"], after["variables"]):
        yield from _part(f"variable {name}", before["variables"].get(name), after["variables"].get(name))
    for name in _names(before["inputs"], after["inputs"]):
        yield from _value(f"input {name}", before["inputs"].get(name), after["inputs"].get(name))
    yield from _part("tools", before["tools"], after["tools"])
    yield from _part("tool choice", before["tool_choice"], after["tool_choice"])
    yield from _part("response format", before["response_format"], after["response_format"])


def _messages(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    roles = Counter(str(message.get("role", "")) for message in [*max(before, after, key=len)])

    def name(at: int, messages: Sequence[Mapping[str, Any]]) -> str:
        role = str(messages[at].get("role", ""))
        return f"{role} message" if roles[role] == 1 else f"message {at + 1}"

    left, right = ([json.dumps(each, sort_keys=True) for each in side] for side in (before, after))
    for kind, start, end, new_start, new_end in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        both = min(end - start, new_end - new_start)
        for at in range(both):
            yield f"{name(new_start + at, after)} changed"
        for at in range(new_start + both, new_end):
            yield f"{name(at, after)} added"
        for at in range(start + both, end):
            yield f"{name(at, before)} removed"


def _names(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return sorted({*before, *after})


def _value(name: str, before: Any, after: Any) -> Iterator[str]:
    if before == after and type(before) is type(after):
        return
    left, right = _short(before), _short(after)
    if max(len(left), len(right)) > SHORT:
        yield f"{name} {'added' if before is None else 'removed' if after is None else 'changed'}"
    elif before is None:
        yield f"{name} set to {right}"
    elif after is None:
        yield f"{name} {left} taken away"
    else:
        yield f"{name} {left} → {right}"


def _part(name: str, before: Any, after: Any) -> Iterator[str]:
    if before != after:
        yield f"{name} {'added' if not before else 'removed' if not after else 'changed'}"


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
