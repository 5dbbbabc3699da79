"""What differs between two units, part by part."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pressmark.prompts.unit import ChatTemplate, Unit

# Those that an editor of the workbench marks; joiners, which scripts and emoji need, are not among them.
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b\u200e\u200f"
    r"\u2028\u2029\u202a-\u202e\u2060-\u2064\u2066-\u2069\u3164\ufeff\ufff9-\ufffc\U000e0000-\U000e007f]"
)


@dataclass(frozen=True, slots=True)
class Change:
    """One part of a unit that differs.

    Attributes:
        part: Such as `messages[0] (system)`, `params.temperature` or `tools`.
        before: Its text in the first unit; None where it is new.
        after: Its text in the second unit; None where it is gone.
    """

    part: str
    before: str | None
    after: str | None

    def unified(self, context: int = 3) -> list[str]:
        """Return the lines of a unified diff, without the file names.

        A character that shows nothing, or turns the text around it, is named in its place, such as ‹U+200B›.
        """
        before, after = (_HIDDEN.sub(_named, text or "").splitlines() for text in (self.before, self.after))
        return list(difflib.unified_diff(before, after, lineterm="", n=context))[2:]


def compare_units(before: Unit, after: Unit) -> list[Change]:
    """Return the parts that differ, in the order of a unit's parts."""
    one, two = dict(_parts(before)), dict(_parts(after))
    names = list(dict.fromkeys([*one, *two]))
    return [Change(name, one.get(name), two.get(name)) for name in names if one.get(name) != two.get(name)]


def _parts(unit: Unit) -> Iterator[tuple[str, str]]:
    if isinstance(unit.template, ChatTemplate):
        for place, message in enumerate(unit.template.messages):
            if "placeholder" in message:
                yield f"messages[{place}]", f"placeholder {message['placeholder']}"
                continue
            others = {key: value for key, value in message.items() if key not in ("role", "content")}
            content = message.get("content")
            text = content if isinstance(content, str) else "" if content is None else _json(content)
            yield f"messages[{place}]", f"{message['role']}:\n{text}" + (f"\n{_json(others)}" if others else "")
    else:
        yield "text", unit.template.text
    yield "model", unit.model
    for name in sorted(unit.params):
        yield f"params.{name}", _json(unit.params[name])
    for name, variable in unit.variables.items():
        yield f"variables.{name}", _json(variable.to_dict())
    for tool in unit.tools:
        yield f"tools.{tool['function']['name']}", _json(tool)
    if unit.tool_choice is not None:
        yield "tool_choice", _json(unit.tool_choice)
    if unit.response_format is not None:
        yield "response_format", _json(unit.response_format)
    for name in sorted(unit.inputs):
        yield f"inputs.{name}", unit.inputs[name]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _named(hidden: re.Match[str]) -> str:
    return f"‹U+{ord(hidden.group()):04X}›"
