"""Find the examples that a prompt shows: earlier turns, or pairs written into the text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_ASK = r"(?:customer(?:'s)? )?(?:message|text|input|email|ticket|customer|query|user|question|q)"
_ANSWER = r"(?:category|label|output|answer|class|result|assistant|response|json|a)"
_BLOCK = re.compile(
    rf"^[ \t>*#-]*{_ASK}\**[ \t]*:\**[ \t]*(?P<text>(?:(?!^[ \t>*#-]*{_ASK}\**[ \t]*:).)+?)\n+"
    rf"[ \t>*#-]*{_ANSWER}\**[ \t]*:\**[ \t]*(?P<answer>\{{.*?\}}|[^\n]+)",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_ARROW = re.compile(
    r"^[ \t]*(?:[-*\u2022]|\d+[.)])?[ \t]*(?P<text>[^\n]{8,}?)[ \t]*(?:->|=>|\u2192|\u21d2)[ \t]*(?P<answer>[^\n]+)$",
    re.MULTILINE,
)
_TAGGED = re.compile(
    r"<example[^>]*>\s*<(?P<ask>\w+)>(?P<text>.*?)</(?P=ask)>\s*<(?P<tag>\w+)>(?P<answer>.*?)</(?P=tag)>\s*</example>",
    re.IGNORECASE | re.DOTALL,
)
_HEADING = re.compile(
    r"^[ \t#*]*(?:here are )?(?:some |a few )?examples?[ \t\w]*[:*]*[ \t]*$", re.IGNORECASE | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Shot:
    """One example of a prompt.

    Attributes:
        text: The message in it.
        answer: The answer that it shows, as written.
    """

    text: str
    answer: str

    def fields(self) -> dict[str, Any]:
        """The answer as a JSON object; empty when it is none."""
        try:
            value = json.loads(unfenced(self.answer))
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


def unfenced(answer: str) -> str:
    """``answer`` without a Markdown fence around it."""
    return re.sub(r"^\s*```\w*\s*|\s*```\s*$", "", answer).strip()


def written_shots(text: str) -> tuple[str, tuple[Shot, ...]]:
    """Take the examples out of an instruction.

    Args:
        text: The instruction.

    Returns:
        What remains of it, and the examples in their order.
    """
    found: list[tuple[int, Shot]] = []
    for pattern in (_TAGGED, _BLOCK, _ARROW):
        for match in pattern.finditer(text):
            shot = Shot(match["text"].strip().strip("\"'\u201c\u201d"), match["answer"].strip().strip('`"\u201c\u201d'))
            found.append((match.start(), shot))
        text = pattern.sub(lambda match: " " * len(match[0]), text)
    if found:
        text = _HEADING.sub("", text)
    found.sort(key=lambda pair: pair[0])
    return text, tuple(shot for _, shot in found)
