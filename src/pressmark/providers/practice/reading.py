"""Read a conversation: what is asked, of which text, with which labels, examples and manners.

Everything here is looked up in the words of the prompt; what a prompt does not say, the model does not know.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pressmark.providers.practice import labels as found_in
from pressmark.providers.practice.learner import Lesson
from pressmark.providers.practice.shots import Shot, unfenced, written_shots

_TAG = re.compile(
    r"<(?P<tag>(?:customer_|support_|user_)?(?:message|text|email|ticket|input|query|content|document|complaint))>"
    r"(?P<text>.*?)</(?P=tag)>",
    re.IGNORECASE | re.DOTALL,
)
_QUOTED_BLOCK = re.compile(r"(\"\"\"|'''|```|~~~)\w*\n?(?P<text>.*?)\1", re.DOTALL)
_MARKER = re.compile(
    r"^[ \t>*#-]*(?:the |this |their |incoming |support )*(?:customer(?:'s)? |user |support )?"
    r"(?:message|text|e-?mail|ticket|input|query|customer|complaint|review|transcript|enquiry|inquiry)"
    r"(?: (?:of|from) the customer)?\**[ \t]*:\**[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)
_SLOT = re.compile(
    r"\n\s*(?:the )?(?:category|label|answer|output|json|urgency|summary|reply|response|class|result|order[ _]number|draft)"
    r"\**[ \t]*:\**\s*$",
    re.IGNORECASE,
)
_LONG_QUOTE = re.compile(r"[\"\u201c](?P<text>[^\"\u201c\u201d]{12,})[\"\u201d]")
_ORDERS = re.compile(
    r"^\W*(?:answer|reply|respond|return|give|output|only|choose|pick|use|do not|don't|respond|classify|write|label|"
    r"which|what is the|categori[sz]e|extract|summari[sz]e|draft|tell|sort|assign|decide|state|name|rate|judge|keep|be|"
    r"your (?:task|answer|reply)|json|read the)\b(?! (?:to )?(?:me|us|my)\b)",
    re.IGNORECASE,
)
_TASK_WORDS = re.compile(
    r"\b(?:classif\w*|categor\w*|labels?|triage|route|extract\w*|summar\w*|urgency|order numbers?|json|"
    r"(?:draft|write|compose) (?:a|an|the|one)\b|reply to|respond to|answer the|customer (?:support|service)|assistant|"
    r"sort (?:this|the)|which (?:team|queue|department)|rate|judge|support (?:desk|agent|team)|tone|polite\w*)",
    re.IGNORECASE,
)


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


def content_text(content: object) -> str:
    """The text of a message's content, which is a string or a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
    return ""


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
    has_orders = any(_TASK_WORDS.search(text) for text in told)
    system, shots = written_shots("\n\n".join(told))
    asked, text = ("", "")
    if last >= 0:
        asked, text, written = _split(content_text(turns[last].get("content")), has_orders)
        shots += written
    earlier, opening = _earlier_shots(turns[: max(last, 0)], has_orders)
    shots = earlier + shots
    instructions = "\n".join(part for part in (system, opening, asked, described) if part.strip())
    return _understood(instructions, text, shots, allowed)


def _understood(
    instructions: str, text: str, shots: tuple[Shot, ...], allowed: Mapping[str, tuple[str, ...]]
) -> Assignment:
    labels = _allowed(allowed, CATEGORY_FIELDS) or found_in.find_labels(instructions)
    levels = _allowed(allowed, URGENCY_FIELDS) or found_in.find_levels(instructions)
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
        keys = _mentioned_fields(instructions)
    lessons = taught + found_in.lessons_about(instructions, labels)
    task = _task(instructions, text, labels, keys, manner)
    return Assignment(instructions, text, task, labels, levels, keys, shots, lessons, manner)


CATEGORY_FIELDS = frozenset(
    {"category", "label", "class", "intent", "topic", "type", "queue", "team", "department", "tag"}
)
URGENCY_FIELDS = frozenset({"urgency", "priority", "severity"})


def _allowed(allowed: Mapping[str, tuple[str, ...]], fields: frozenset[str]) -> tuple[str, ...]:
    return next((values for name, values in allowed.items() if name.lower() in fields), ())


def _earlier_shots(turns: Sequence[Mapping[str, Any]], has_orders: bool) -> tuple[tuple[Shot, ...], str]:
    """Earlier user turns with their answers, and what the first of them instructs."""
    shots, opening = [], ""
    for asked, answered in zip(turns, turns[1:], strict=False):
        if (asked["role"], answered["role"]) != ("user", "assistant"):
            continue
        orders, text, _ = _split(content_text(asked.get("content")), has_orders)
        answer = content_text(answered.get("content")).strip()
        if text and answer:
            shots.append(Shot(text, answer))
            opening = opening or orders
    return tuple(shots), opening


def _example_lessons(shots: Sequence[Shot]) -> tuple[Lesson, ...]:
    lessons = []
    for shot in shots:
        fields = shot.fields()
        label = next((str(fields[name]) for name in fields if name.lower() in CATEGORY_FIELDS), "")
        if not fields:
            label = re.sub(
                r"^\W*(?:category|label|answer)\W*:\s*", "", unfenced(shot.answer), flags=re.IGNORECASE
            ).strip(" .*`\"'")
        if label and len(label.split()) <= 4:
            lessons.append(Lesson(label, shot.text, is_example=True))
    return tuple(lessons)


def _split(content: str, has_orders: bool) -> tuple[str, str, tuple[Shot, ...]]:
    """Part one user message into instruction and text, and take examples out of the instruction."""
    before, text, after = _located(content, has_orders)
    kept, shots = written_shots(before)
    return (kept + "\n" + after).strip(), text.strip(), shots


def _located(content: str, has_orders: bool) -> tuple[str, str, str]:
    for pattern in (_TAG, _QUOTED_BLOCK):
        marked = list(pattern.finditer(content))
        if marked:
            last = marked[-1]
            return content[: last.start()], last["text"], content[last.end() :]
    markers = list(_MARKER.finditer(content))
    if markers:
        text = content[markers[-1].end() :]
        slot = _SLOT.search(text)
        text, after = (text[: slot.start()], slot[0]) if slot else (text, "")
        text, order = _cut_order(text)
        return content[: markers[-1].start()], text, after + "\n" + order
    if has_orders:
        return "", content, ""
    return _by_wording(content)


def _cut_order(text: str) -> tuple[str, str]:
    """Cut a last paragraph off that instructs rather than complains."""
    head, gap, tail = text.rstrip().rpartition("\n\n")
    if gap and _ORDERS.match(tail) and _TASK_WORDS.search(tail + " category" if len(tail) < 80 else tail):
        return head, tail
    return text, ""


def _by_wording(content: str) -> tuple[str, str, str]:
    """Tell instruction and text apart by their words, when nothing marks them."""
    quote = _LONG_QUOTE.search(content)
    if quote and _TASK_WORDS.search(content[: quote.start()] + content[quote.end() :]):
        return content[: quote.start()], quote["text"], content[quote.end() :]
    paragraphs = re.split(r"\n\s*\n", content.strip()) if "\n\n" in content else content.strip().split("\n")
    joint = "\n\n" if "\n\n" in content else "\n"
    leading = 0
    while leading < len(paragraphs) - 1 and _instructs(paragraphs[leading]):
        leading += 1
    trailing = len(paragraphs)
    while trailing - 1 > leading and _ORDERS.match(paragraphs[trailing - 1]):
        trailing -= 1
    if leading or trailing < len(paragraphs):
        return (
            joint.join(paragraphs[:leading]),
            joint.join(paragraphs[leading:trailing]),
            joint.join(paragraphs[trailing:]),
        )
    head, colon, tail = content.partition(":")
    if colon and _instructs(head) and len(tail.split()) >= 3:
        return head, tail, ""
    if _ORDERS.match(content) and _TASK_WORDS.search(content):
        return content, "", ""
    return "", content, ""


def _instructs(paragraph: str) -> bool:
    opens_list = re.match(r"\s*(?:[-*\u2022]|\d+[.)])\s", paragraph) is not None
    return bool(_TASK_WORDS.search(paragraph) or _ORDERS.match(paragraph) or opens_list)


_ONLY = re.compile(
    r"\b(?:one|single) word\b|\bonly (?:with |the |a |by )*(?:the |a |an |one |valid |raw |plain )*(?:single )?"
    r"(?:label|category|name|class|answer|word|json|object|letter|number|level)|"
    r"\b(?:label|category|name|class|word|json|object|letter|number)(?: name)? (?:only|alone)\b|\bonly output\b|\bjust (?:the|one|a)\b|"
    r"\bnothing else\b|\bno (?:other|extra|additional|further|surrounding) (?:text|words?|prose)|\bno (?:explanation|comment|chatter|prose|preamble)|"
    r"\bwithout (?:any )?(?:explanation|comment|further|other|additional)|\b(?:do not|don't|never) (?:explain|add|comment)|"
    r"\bexactly one of\b|\bverbatim\b|\bexact (?:label|name|category)",
    re.IGNORECASE,
)
_NO_FENCE = re.compile(
    r"\bno (?:markdown|code|fences?|backticks)|\b(?:without|not use) (?:markdown|code|fences?|backticks)|\b(?:raw|valid|plain|strict) json\b",
    re.IGNORECASE,
)
_BRIEF = re.compile(
    r"\b(?:concise\w*|brief\w*|short|terse\w*|succinct\w*|few words|one sentence|single sentence|"
    r"(?:at most|max(?:imum)?(?: of)?|no more than|under|in|up to) \w+ (?:words?|sentences?))\b",
    re.IGNORECASE,
)
_NO_JSON = re.compile(r"\b(?:no|not|without|never)\b[^.\n]{0,12}\bjson\b", re.IGNORECASE)
_NAMES_LABEL = re.compile(
    r"\b(?:answer|reply|respond|return|output|give|choose|pick|select|use|assign)\b[^.\n]{0,30}\b(?:one of|the (?:best |right |matching )?(?:category|label|class)|one (?:category|label))",
    re.IGNORECASE,
)


def _manner(instructions: str, shots: Sequence[Shot]) -> Manner:
    shown = [bool(shot.fields()) for shot in shots]
    json_shown = bool(shown) and all(shown)
    bare_shown = bool(shots) and all(len(shot.answer.split()) <= 4 for shot in shots)
    wants_json = bool(re.search(r"\bjson\b", instructions, re.IGNORECASE)) and not _NO_JSON.search(instructions)
    only = bool(_ONLY.search(instructions))
    return Manner(
        json=wants_json or json_shown,
        # Examples show the form as plainly as words do.
        only=only or json_shown or bare_shown or (wants_json and bool(_NO_FENCE.search(instructions))),
        brief=only or bool(_BRIEF.search(instructions)),
        names_label=bool(_NAMES_LABEL.search(instructions)),
    )


_REPLY = re.compile(
    r"\b(?:write|draft|compose|prepare|suggest|formulate|produce)\b[^.\n]{0,60}\b(?:reply|replies|response|answer|e-?mail|message|note)\b|"
    r"\b(?:reply|respond|answer|write back)\b (?:\w+ly )?(?:and \w+ly )?(?:to )?(?:the |this |our |a |each )?(?:customer|message|e-?mail|client|complaint|user|ticket|question)s?\b|"
    r"\byou (?:are|work|help|answer)\b[^.\n]{0,60}\b(?:support|service|customers)\b",
    re.IGNORECASE,
)
_CLASSIFY = re.compile(
    r"\bclassif\w*|\bcategor\w*|\blabel\w*|\btriage\b|\broute\b|\bintent\b|\bsort\b|\bwhich (?:\w+ )?(?:team|queue|department|topic)\b|\bwhat (?:\w+ )?(?:kind|type|is this)\b|\bassign\b|\btopic\b",
    re.IGNORECASE,
)
_COMPARE = re.compile(r"\b(?:which|compare|better|prefer\w*|A, B|A or B|1 or 2|tie|winner)\b", re.IGNORECASE)
_GRADE = re.compile(r"\b(?:score|rate|rating|grade|rubric|points?|marks?)\b", re.IGNORECASE)
_MENTIONS = (
    ("category", _CLASSIFY),
    ("urgency", re.compile(r"\b(?:urgency|how urgent|priority|severity)\b", re.IGNORECASE)),
    ("order_number", re.compile(r"\border[ _-]?(?:number|no\.?|id)s?\b", re.IGNORECASE)),
    ("summary", re.compile(r"\bsummar\w+", re.IGNORECASE)),
    ("language", re.compile(r"\bwhich language\b|\blanguage of the\b", re.IGNORECASE)),
    ("sentiment", re.compile(r"\bsentiment\b", re.IGNORECASE)),
)
TWO_OUTPUTS = re.compile(
    r"^[ \t>*#\[(<-]*(?:(?:output|response|answer|candidate|assistant|option|version|reply|text|summary|model)[ _]?)?(?P<name>[AB12])(?:'s (?:answer|output|response))?\b"
    r"[ \t]*[\])>*]*[ \t]*(?:[:\n]|[-\u2013\u2014=]+[ \t]*\n|$)",
    re.IGNORECASE | re.MULTILINE,
)


def _mentioned_fields(instructions: str) -> tuple[str, ...]:
    return tuple(name for name, pattern in _MENTIONS if pattern.search(instructions))


def _task(instructions: str, text: str, labels: Sequence[str], keys: Sequence[str], manner: Manner) -> Task:
    whole = instructions + "\n" + text
    marks = {mark["name"].upper() for mark in TWO_OUTPUTS.finditer(whole)}
    if ({"A", "B"} <= marks or {"1", "2"} <= marks) and _COMPARE.search(instructions):
        return Task.COMPARE
    if (
        _GRADE.search(instructions)
        and re.search(r"\b(?:output|answer|response|reply|candidate)\b", whole, re.IGNORECASE)
        and re.search(r"\d", instructions)
    ):
        return Task.GRADE
    if manner.json and keys:
        return Task.RECORD
    if _REPLY.search(instructions) and not (labels and _CLASSIFY.search(instructions)):
        return Task.REPLY
    if len(keys) > 1 or (keys and keys[0] not in {"category", "summary"}):
        return Task.RECORD
    if "summary" in keys:
        return Task.SUMMARIZE
    if labels or "category" in keys:
        return Task.CLASSIFY
    if not instructions.strip() and text:
        return Task.REPLY
    return Task.TALK
