"""Read a conversation: what is asked, of which text, with which labels, examples and manners.

Everything here is looked up in the words of the prompt; what a prompt does not say, the model does not know.
"""

from __future__ import annotations

import enum
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pressmark.providers.practice import cues
from pressmark.providers.practice import labels as found_in
from pressmark.providers.practice.judging import two_outputs
from pressmark.providers.practice.learner import Lesson
from pressmark.providers.practice.locating import parted
from pressmark.providers.practice.requests import content_text
from pressmark.providers.practice.shots import Shot, unfenced, written_shots


class Task(enum.Enum):
    """What a prompt wants."""

    CLASSIFY = "classify"
    RECORD = "record"
    REPLY = "reply"
    SUMMARIZE = "summarize"
    COMPARE = "compare"
    GRADE = "grade"
    TALK = "talk"


@dataclass(frozen=True, slots=True)
class Manner:
    """How an answer is to be put.

    Attributes:
        json: Whether JSON is asked for.
        only: Whether the prompt forbids anything around the answer.
        brief: Whether the prompt asks for a short answer.
        names_label: Whether the prompt asks to answer with the label.
    """

    json: bool
    only: bool
    brief: bool
    names_label: bool


@dataclass(frozen=True, slots=True)
class Assignment:
    """A conversation, understood.

    Attributes:
        instructions: Everything that the prompt says about the task.
        text: The text to work on.
        task: What is wanted.
        labels: The category labels that the prompt lists, as written.
        levels: The urgency levels that the prompt lists, as written.
        keys: The JSON keys, or the fields, that the prompt asks for.
        shots: Its examples.
        lessons: What it teaches about its labels.
        manner: How to put the answer.
    """

    instructions: str
    text: str
    task: Task
    labels: tuple[str, ...]
    levels: tuple[str, ...]
    keys: tuple[str, ...]
    shots: tuple[Shot, ...]
    lessons: tuple[Lesson, ...]
    manner: Manner


def read(
    messages: Sequence[Mapping[str, Any]], *, allowed: Mapping[str, tuple[str, ...]], described: str = ""
) -> Assignment:
    """Understand a conversation.

    Args:
        messages: Chat messages as the API takes them.
        allowed: Values that a JSON schema allows, by property name; they count as listed.
        described: What a schema or a tool says about its properties; it counts as instruction.

    Returns:
        The assignment.
    """
    told = [content_text(m.get("content")) for m in messages if m["role"] in {"system", "developer"}]
    turns = [m for m in messages if m["role"] in {"user", "assistant"}]
    last = max((at for at, m in enumerate(turns) if m["role"] == "user"), default=-1)
    told_task = any(cues.TASK_WORDS.search(text) for text in told)
    system, shots = written_shots("\n\n".join(told))
    asked, text = ("", "")
    if last >= 0:
        asked, text, written = parted(content_text(turns[last].get("content")), told=told_task)
        shots += written
    earlier, opening = _earlier_shots(turns[: max(last, 0)], told_task)
    shots = earlier + shots
    instructions = "\n".join(part for part in (system, opening, asked, described) if part.strip())
    return _understood(instructions, text, shots, allowed)


def _understood(
    instructions: str, text: str, shots: tuple[Shot, ...], allowed: Mapping[str, tuple[str, ...]]
) -> Assignment:
    labels = _allowed(allowed, cues.CATEGORY_FIELDS) or found_in.find_labels(instructions)
    levels = _allowed(allowed, cues.URGENCY_FIELDS) or found_in.find_levels(instructions)
    examples = _example_lessons(shots)
    if not labels:
        # A label that only an example shows is known all the same, as far as it goes.
        labels = tuple(dict.fromkeys(lesson.label for lesson in examples))
    known = {found_in.normal_form(label): label for label in labels}
    taught = tuple(
        Lesson(known[found_in.normal_form(lesson.label)], lesson.text, is_example=True)
        for lesson in examples
        if found_in.normal_form(lesson.label) in known
    )
    manner = _manner(instructions, shots)
    keys = found_in.find_keys(instructions) if manner.json else ()
    if not keys and shots:
        keys = tuple(shots[-1].fields())
    if not keys:
        keys = _mentioned_fields(instructions, labels)
    lessons = taught + found_in.lessons_about(instructions, labels)
    task = _task(instructions, text, labels, keys, manner)
    return Assignment(instructions, text, task, labels, levels, keys, shots, lessons, manner)


def _allowed(allowed: Mapping[str, tuple[str, ...]], fields: frozenset[str]) -> tuple[str, ...]:
    return next((values for name, values in allowed.items() if name.lower() in fields), ())


def _earlier_shots(turns: Sequence[Mapping[str, Any]], told_task: bool) -> tuple[tuple[Shot, ...], str]:
    """Earlier user turns with their answers, and what the first of them instructs."""
    shots, opening = [], ""
    for asked, answered in itertools.pairwise(turns):
        if (asked["role"], answered["role"]) != ("user", "assistant"):
            continue
        orders, text, _ = parted(content_text(asked.get("content")), told=told_task)
        answer = content_text(answered.get("content")).strip()
        if text and answer:
            shots.append(Shot(text, answer))
            opening = opening or orders
    return tuple(shots), opening


def _example_lessons(shots: Sequence[Shot]) -> tuple[Lesson, ...]:
    lessons = []
    for shot in shots:
        fields = shot.fields()
        label = next((str(fields[name]) for name in fields if name.lower() in cues.CATEGORY_FIELDS), "")
        if not fields:
            label = re.sub(
                r"^\W*(?:category|label|answer)\W*:\s*", "", unfenced(shot.answer), flags=re.IGNORECASE
            ).strip(" .*`\"'")
        if label and len(label.split()) <= 4:
            lessons.append(Lesson(label, shot.text, is_example=True))
    return tuple(lessons)


def _manner(instructions: str, shots: Sequence[Shot]) -> Manner:
    shown = [bool(shot.fields()) for shot in shots]
    json_shown = bool(shown) and all(shown)
    bare_shown = bool(shots) and all(len(shot.answer.split()) <= 4 for shot in shots)
    wants_json = bool(cues.JSON.search(instructions)) and not cues.NO_JSON.search(instructions)
    only = bool(cues.ONLY.search(instructions))
    return Manner(
        json=wants_json or json_shown,
        # Examples show the form as plainly as words do.
        only=only or json_shown or bare_shown or (wants_json and bool(cues.NO_FENCE.search(instructions))),
        brief=only or bool(cues.BRIEF.search(instructions)),
        names_label=bool(cues.NAMES_LABEL.search(instructions)),
    )


def _mentioned_fields(instructions: str, labels: Sequence[str]) -> tuple[str, ...]:
    fields = tuple(name for name, pattern in cues.FIELDS if pattern.search(instructions))
    # "Classify the sentiment" asks for the sentiment, not for a category as well.
    if len(fields) > 1 and not labels and not cues.CATEGORY.search(instructions):
        return tuple(name for name in fields if name != "category")
    return fields


def _task(instructions: str, text: str, labels: Sequence[str], keys: Sequence[str], manner: Manner) -> Task:
    whole = instructions + "\n" + text
    if cues.COMPARE.search(instructions) and two_outputs(whole)[1]:
        return Task.COMPARE
    shown = cues.OUTPUT.search(whole)
    shows_output = shown is not None and bool(whole[shown.end() :].strip()) and not labels
    if cues.GRADED.search(instructions) or (shows_output and cues.GRADE.search(instructions)):
        return Task.GRADE
    if manner.json and keys:
        return Task.RECORD
    if cues.REPLY.search(instructions) and not (labels and cues.CLASSIFY.search(instructions)):
        return Task.REPLY
    if len(keys) > 1 or (keys and keys[0] not in {"category", "summary"}):
        return Task.RECORD
    if "summary" in keys:
        return Task.SUMMARIZE
    if labels or "category" in keys:
        return Task.CLASSIFY
    if cues.BEYOND.search(instructions):
        return Task.TALK
    return Task.REPLY
