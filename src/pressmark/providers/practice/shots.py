"""Find the examples that a prompt shows: earlier turns, or pairs written into the text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

# Read line by line, not by one expression over the whole prompt: a prompt may be long, and must not stall the server.
_ASKED = re.compile(
    r"^[ \t>*#-]*(?:customer(?:'s)? )?(?:message|text|input|e-?mail|ticket|customer|query|user|question|q)"
    r"\**[ \t]*:\**[ \t]*(?P<rest>.*)$",
    re.IGNORECASE,
)
_ANSWERED = re.compile(
    r"^[ \t>*#-]*(?:category|label|output|answer|class|result|assistant|response|json|a)"
    r"\**[ \t]*:\**[ \t]*(?P<rest>.*)$",
    re.IGNORECASE,
)
_ARROW = re.compile(r"[ \t](?:->|=>|\u2192|\u21d2)[ \t]")
_BULLET = re.compile(r"^[ \t]*(?:[-*\u2022]|\d+[.)])?[ \t]*")
_OPENING = re.compile(r"<example[^>\n]{0,80}>", re.IGNORECASE)
_CLOSING = "</example>"
_TAGGED = re.compile(r"<(?P<tag>\w+)>(?P<body>.*?)</(?P=tag)>", re.DOTALL)
_HEADING = re.compile(r"^[ \t#*]*(?:here are )?(?:some |a few )?examples?[ \t\w]*[:*]*[ \t]*$", re.IGNORECASE)


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
        What remains of it, and the examples: tagged ones (`<example>`), pairs of lines ("Message: ...", "Category:
        ..."), and lines with an arrow.
    """
    rest, found = _tagged(text)
    shots = list(found)
    lines = rest.split("\n")
    kept: list[str] = []
    at = 0
    while at < len(lines):
        end, shot = _pair(lines, at)
        if shot is None:
            kept.append(lines[at])
        else:
            shots.append(shot)
        at = end
    if shots:
        kept = [line for line in kept if not _HEADING.match(line)]
    return "\n".join(kept), tuple(shots)


def _tagged(text: str) -> tuple[str, list[Shot]]:
    """Take the elements `<example>` out that hold a message and its answer as two elements."""
    shots: list[Shot] = []
    kept: list[str] = []
    at = 0
    for opening in _OPENING.finditer(text):
        closing = text.find(_CLOSING, opening.end())
        if closing < 0:
            break
        parts = [part["body"].strip() for part in _TAGGED.finditer(text[opening.end() : closing])]
        if opening.start() >= at and len(parts) == 2:
            shots.append(Shot(parts[0], parts[1]))
            kept.append(text[at : opening.start()])
            at = closing + len(_CLOSING)
    return "".join([*kept, text[at:]]), shots


def _pair(lines: list[str], at: int) -> tuple[int, Shot | None]:
    """The example that begins in line ``at``, if one does, and the line after it."""
    arrow = _ARROW.split(lines[at])
    if len(arrow) == 2 and len(arrow[0].split()) >= 3 and arrow[1].strip():
        return at + 1, Shot(_bare(_BULLET.sub("", arrow[0])), _bare(arrow[1]))
    asked = _ASKED.match(lines[at])
    if asked is None:
        return at + 1, None
    for number in range(at + 1, len(lines)):
        answered = _ANSWERED.match(lines[number])
        if answered:
            message = "\n".join([asked["rest"], *lines[at + 1 : number]])
            end, answer = _answer(lines, number, answered["rest"])
            if len(message.split()) < 3 or not answer:
                return at + 1, None
            return end, Shot(_bare(message), _bare(answer))
        if _ASKED.match(lines[number]):
            break
    return at + 1, None


def _answer(lines: list[str], number: int, rest: str) -> tuple[int, str]:
    """An answer that begins with ``rest`` in line ``number``; JSON may go on for some lines."""
    answer, end = rest.strip(), number + 1
    if not answer and end < len(lines):
        answer, end = lines[end].strip(), end + 1
    while answer.lstrip("`json \n").startswith("{") and answer.count("{") > answer.count("}") and end < len(lines):
        answer, end = f"{answer}\n{lines[end]}", end + 1
    return end, answer


def _bare(text: str) -> str:
    return text.strip().strip('`"\u201c\u201d').strip()
