"""Judge outputs by a few things that can be counted; simple on purpose, and the same for every order of the outputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pressmark.providers.practice.cues import GRADE, ONE_OF_TWO, ORDERS
from pressmark.providers.practice.labels import normal_form
from pressmark.providers.practice.words import content_words

_POLITE = re.compile(r"\b(?:thank\w*|sorry|please|apolog\w*|glad\w*|happy to|kind\w*|regards|welcome)\b", re.IGNORECASE)
_TIE = 0.02
_XML = re.compile(
    r"<(?P<tag>(?:(?:output|response|answer|candidate)[ _-]?)?(?P<name>[abAB12]))>(?P<body>.*?)</(?P=tag)>", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Criteria:
    """What outputs are judged by.

    Attributes:
        source: The message that they answer.
        reference: A correct answer, if the prompt gives one.
        label: The category that the practice model itself would give.
        short: Whether the rubric prefers short outputs.
    """

    source: str
    reference: str
    label: str
    short: bool


def quality(output: str, criteria: Criteria) -> float:
    """How good ``output`` is, from 0 to 1: relevance, manners and length, or agreement on a label."""
    body = output.strip()
    if not body:
        return 0.0
    if criteria.reference:
        return _agreement(body, criteria.reference)
    length = len(body.split())
    if length <= 4 or body.startswith("{"):
        return 0.9 if normal_form(criteria.label) in normal_form(body) else 0.3
    words, source = content_words(body), content_words(criteria.source)
    relevance = len(words & source) / (len(source) ** 0.5 * len(words) ** 0.5 or 1)
    manners = min(3, len(_POLITE.findall(body))) / 3
    ideal = 30 if criteria.short else 80
    fitting = min(length, ideal) / max(length, ideal)
    return min(1.0, 0.5 * relevance + 0.25 * manners + 0.35 * fitting)


def _agreement(output: str, reference: str) -> float:
    if normal_form(output) == normal_form(reference):
        return 1.0
    found, wanted = content_words(output), content_words(reference)
    return 0.9 * len(found & wanted) / max(1, len(found | wanted))


def two_outputs(prompt: str) -> tuple[str, Mapping[str, str]]:
    """Find two named outputs in a prompt.

    Args:
        prompt: The whole text of the conversation.

    Returns:
        What stands before them, and each output under the name that the prompt gives it (A and B, or 1 and 2).
    """
    tagged = {mark["name"].upper(): mark for mark in _XML.finditer(prompt)}
    for pair in (("A", "B"), ("1", "2")):
        if set(pair) <= set(tagged):
            start = min(tagged[name].start() for name in pair)
            return prompt[:start], {name: tagged[name]["body"] for name in pair}
    marks = list(ONE_OF_TWO.finditer(prompt))
    for pair in (("A", "B"), ("1", "2")):
        places = {name: [mark for mark in marks if mark["name"].upper() == name] for name in pair}
        if all(places.values()):
            first, second = sorted((places[name][-1] for name in pair), key=lambda mark: mark.start())
            outputs = {
                first["name"].upper(): prompt[first.end() : second.start()],
                second["name"].upper(): until_question(prompt[second.end() :]),
            }
            return prompt[: first.start()], {name: _unframed(outputs[name]) for name in pair}
    return prompt, {}


def until_question(text: str) -> str:
    """``text`` without a last paragraph that says how to judge."""
    head, gap, tail = text.rstrip().rpartition("\n\n")
    return head if gap and (ORDERS.match(tail) or (GRADE.search(tail) and len(tail) < 200)) else text


def _unframed(output: str) -> str:
    return re.sub(r"^[\s\"'`\u201c<>\[\]-]+|[\s\"'`\u201d<>\[-]+$|</?\w+>", "", output)


def preferred(outputs: Mapping[str, str], criteria: Criteria) -> str:
    """The name of the better output, or `tie`."""
    (one, first), (two, second) = outputs.items()
    difference = quality(first, criteria) - quality(second, criteria)
    if abs(difference) < _TIE:
        return "tie"
    return one if difference > 0 else two


@dataclass(frozen=True, slots=True)
class Scale:
    """The range of a score, and whether it has steps between whole numbers."""

    low: float
    high: float
    whole: bool

    def place(self, share: float) -> float | int:
        """``share`` of 1 on this scale."""
        value = self.low + share * (self.high - self.low)
        return round(value) if self.whole else round(value, 2)


def scale_of(instructions: str) -> Scale:
    """The range that a rubric names; 1 to 5 when it names none."""
    aside = r"(?:\s*\([^)\n]{0,40}\))?"
    span = rf"(?P<low>\d+(?:\.\d+)?){aside}\s*(?:to|-|\u2013|\.\.|and|through)\s*(?P<high>\d+(?:\.\d+)?)"
    match = re.search(span, instructions) or re.search(r"out of (?P<high>\d+)", instructions)
    if match is None:
        return Scale(1, 5, whole=True)
    low = float(match.groupdict().get("low") or 0)
    high = float(match["high"])
    if high <= low:
        return Scale(1, 5, whole=True)
    return Scale(low, high, whole=high > 1)
