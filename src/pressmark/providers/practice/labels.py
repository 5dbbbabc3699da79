"""Find the lists that an instruction gives: category labels, urgency levels, JSON keys, and what it says of each."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence

from pressmark.providers.practice.learner import Lesson
from pressmark.providers.practice.messages import CATEGORIES
from pressmark.providers.practice.words import content_words

_LABEL_CUE = (
    r"(?:categor(?:y|ies)|labels?|class(?:es)?|topics?|intents?|types?|queues?|departments?|teams?|tags?|buckets?|"
    r"options|values|one of|into|among)"
)
_LEVEL_CUE = r"(?:urgency|urgent|priority|priorities|severity|levels?)"
_KEY_CUE = r"(?:keys?|fields?|properties|attributes)"
_BULLET = re.compile(r"^[ \t]*(?:[-*\u2022]|\d+[.)])[ \t]+(?P<rest>\S.*)$")
_HEAD = re.compile(r"^[\"'`*_]{0,3}(?P<head>[A-Za-z][\w&/' -]{0,40}?)[\"'`*_]{0,3}\s*(?:[:=(\u2013\u2014]|\s-\s|->|$)")
_LEVELS = (
    {"low", "minor", "trivial", "not urgent", "p3", "p4", "lowest"},
    {"normal", "medium", "moderate", "standard", "middle", "p2", "regular"},
    {"high", "urgent", "critical", "major", "severe", "p1", "p0", "highest", "emergency"},
)
# Bounds on what is read, so that a long or odd prompt costs no more than a long one.
_CUES_READ = 60
_LIST_LENGTH = 2000
_MOST_LESSONS = 200
_FIELD_NAMES = frozenset((
    "category", "label", "urgency", "priority", "severity", "order", "number", "id", "ordernumber", "orderid",
    "summary", "reply", "response", "answer", "reason", "explanation", "confidence", "language", "sentiment", "message",
    "text", "draft", "intent", "topic", "tone", "title", "subject",
))  # fmt: skip


def normal_form(label: str) -> str:
    """A label in lower case, everything but letters and digits as one space."""
    return re.sub(r"[^a-z0-9]+", " ", label.lower()).strip()


@functools.lru_cache(maxsize=256)
def find_labels(instructions: str) -> tuple[str, ...]:
    """The category labels that ``instructions`` list, exactly as written; empty when there are none."""
    lists = [
        items
        for items in _lists(instructions, _LABEL_CUE)
        if not (_is_levels(items) or _is_fields(items) or _is_moods(items))
    ]
    known = known_names(instructions)
    best = max(lists, key=lambda items: (len({normal_form(item) for item in items} & _KNOWN), len(items)), default=())
    if len(known) > len({normal_form(item) for item in best} & _KNOWN) + 1 and len(known) >= 2:
        return known
    return best


@functools.lru_cache(maxsize=256)
def find_levels(instructions: str) -> tuple[str, ...]:
    """The urgency levels that ``instructions`` list, as written; empty when there are none."""
    lists = [items for items in _lists(instructions, _LEVEL_CUE) if _is_levels(items)]
    lists += [items for items in _lists(instructions, _LABEL_CUE) if _is_levels(items)]
    return max(lists, key=len, default=())


@functools.lru_cache(maxsize=256)
def find_keys(instructions: str) -> tuple[str, ...]:
    """The JSON keys that ``instructions`` ask for, in their order; empty when they name none."""
    for skeleton in re.finditer(r"\{[^{}]*\}", instructions):
        keys = re.findall(r"[\"'](\w+)[\"']\s*:", skeleton[0]) or re.findall(
            r"(?<=[{,])\s*[\"']?(\w+)[\"']?\s*(?=[,}:])", skeleton[0]
        )
        if keys:
            return tuple(dict.fromkeys(keys))
    flat = re.sub(r"\([^()]*\)", "", instructions)
    for match in re.finditer(rf"\b{_KEY_CUE}\b(?:\s+(?:named|called|are|is))?[ \t]*:?[ \t]*", flat, re.IGNORECASE):
        rest = flat[match.end() : match.end() + _LIST_LENGTH]
        items = _inline(rest, least=1)
        names = [item for item in items if re.fullmatch(r"[A-Za-z]\w*", item)]
        if names and len(names) == len(items):
            return tuple(dict.fromkeys(names))
        bullets = _bullets(rest, least=1)
        if bullets and all(re.fullmatch(r"[A-Za-z]\w*", item) for item in bullets):
            return bullets
    around = re.search(r"\bjson\b[^.\n]*", flat, re.IGNORECASE)
    quoted = re.findall(r"[\"'`](\w+)[\"'`]", around[0]) if around else []
    return tuple(dict.fromkeys(quoted))


def known_names(instructions: str) -> tuple[str, ...]:
    """The shipped categories that ``instructions`` name literally, as written, in their order."""
    found: list[tuple[int, str]] = []
    for category in CATEGORIES:
        # A one-word category is an ordinary word, too: it counts only where it stands as a name.
        pattern = (
            category.replace("_", "[ _-]")
            if "_" in category
            else rf"(?<=[\"'`*(\[|:,-])\s*{category}\b(?=\s*[\"'`*)\]|:,=\n]|$)"
        )
        match = re.search(pattern, instructions, re.IGNORECASE | re.MULTILINE)
        if match:
            found.append((match.start(), match[0].strip()))
    return tuple(name for _, name in sorted(found))


@functools.lru_cache(maxsize=256)
def lessons_about(instructions: str, labels: tuple[str, ...]) -> tuple[Lesson, ...]:
    """What ``instructions`` say about each label: definitions after its name, and rules in sentences of their own."""
    if not labels:
        return ()
    names = "|".join(re.escape(label) for label in sorted(labels, key=len, reverse=True))
    named = re.compile(rf"(?<![\w-])[\"'`*_]{{0,3}}(?P<label>{names})[\"'`*_]{{0,3}}(?![\w-])", re.IGNORECASE)
    exact = {normal_form(label): label for label in labels}
    lessons = []
    for piece in re.split(r"\n+|(?<=[.;!?])\s+", instructions):
        marks = list(named.finditer(piece))
        if not marks:
            continue
        # "billing: charges, refund: returns" holds several definitions, "if charged twice, choose billing" one rule.
        defined = [
            mark
            for mark in marks
            if re.match(
                r"\s*(?:[:=(\u2013\u2014]|-+>?\s|is\b|are\b|means\b|covers\b)", piece[mark.end() : mark.end() + 12]
            )
        ]
        if defined:
            for mark, following in zip(defined, [*defined[1:], None], strict=True):
                words = piece[mark.end() : following.start() if following else len(piece)]
                lessons.append((mark["label"], words))
        else:
            positive = [
                mark
                for mark in marks
                if not re.search(
                    r"\b(?:not|never|no|than)\s+$", piece[max(0, mark.start() - 12) : mark.start()], re.IGNORECASE
                )
            ]
            if len({normal_form(mark["label"]) for mark in positive}) == 1:
                lessons.append((positive[0]["label"], named.sub(" ", piece)))
    return tuple(
        Lesson(exact[normal_form(label)], _without_refusals(words), is_example=False)
        for label, words in lessons[:_MOST_LESSONS]
        if len(content_words(words)) >= 2
    )


def _without_refusals(definition: str) -> str:
    """A definition without the parts that say what does not belong to the label."""
    return re.sub(r"\b(?:not|never|except|unless|rather than|but no)\b[^,;.()]*", " ", definition, flags=re.IGNORECASE)


_KNOWN = {normal_form(category) for category in CATEGORIES}


def _lists(instructions: str, cue: str) -> list[tuple[str, ...]]:
    """Every list that stands shortly after a cue word."""
    found = []
    for match in itertools.islice(re.finditer(rf"\b{cue}\b", instructions, re.IGNORECASE), _CUES_READ):
        rest = instructions[match.end() : match.end() + _LIST_LENGTH]
        lead = re.match(
            r"[^\n.:(\[]{0,60}?(?::|\(|=|\bof\b|\bas\b|\bare\b|\beither\b|\binto\b|(?=\[))[*_]*[ \t]*", rest
        )
        for start in {0, lead.end() if lead else 0}:
            found.append(_inline(rest[start:].lstrip("s ")))
        found.append(_bullets(rest))
    return [items for items in found if 2 <= len(items) <= 40]


def _inline(text: str, least: int = 2) -> tuple[str, ...]:
    """A list within one line, separated by commas, bars, slashes, semicolons or 'or'."""
    text = (
        re.sub(
            r"^(?:exactly |the |these |following |one |of |are |either |only )*",
            "",
            text.lstrip("\"' :([{"),
            flags=re.IGNORECASE,
        )
        if text
        else text
    )
    line = re.match(r"[^\n.:?!)\]}]*", re.sub(r"\([^()\n]*\)", "", text))
    body = line[0] if line else ""
    for separator in (r"\|", ";", ",", "/"):
        parts = re.split(separator, body)
        if len(parts) >= least and (len(parts) > 1 or least == 1):
            break
    items: list[str] = []
    for part in parts:
        items += re.split(r"\s+(?:or|and|und)\s+|^\s*(?:or|and)\s+", part)
    clean = [item.strip(" \t\"'`*_<>([{\u201c\u201d") for item in items]
    clean = [item for item in clean if item]
    if any(not re.fullmatch(r"[A-Za-z0-9][\w&'/ -]{0,40}", item) or len(item.split()) > 4 for item in clean):
        return ()
    return tuple(dict.fromkeys(clean)) if len(clean) >= least else ()


def _bullets(text: str, least: int = 2) -> tuple[str, ...]:
    """The heads of a bullet list, or of plain lines 'name: meaning', that begins within the next two lines."""
    heads: list[str] = []
    for number, line in enumerate(text.split("\n")[1:]):
        bullet = _BULLET.match(line)
        head = _HEAD.match(bullet["rest"] if bullet else line.strip())
        plain = head is not None and (bullet is not None or ":" in line or "=" in line or len(line.split()) <= 3)
        if head and plain and line.strip() and len(head["head"].split()) <= 4:
            heads.append(head["head"].strip())
        elif heads or number > 1 or bullet:
            break
    return tuple(dict.fromkeys(heads)) if len(heads) >= least else ()


def _is_levels(items: Sequence[str]) -> bool:
    ranked = sum(level_rank(item) is not None for item in items)
    return ranked >= max(2, len(items) - 1)


def level_rank(level: str) -> int | None:
    """0, 1 or 2 for a word of low, middle or high urgency; None for another word."""
    name = normal_form(level)
    return next((rank for rank, names in enumerate(_LEVELS) if name in names or name.split(" ")[0] in names), None)


def _is_moods(items: Sequence[str]) -> bool:
    return {normal_form(item) for item in items} <= {"positive", "negative", "neutral", "mixed"}


def _is_fields(items: Sequence[str]) -> bool:
    fields = sum(all(word in _FIELD_NAMES for word in normal_form(item).split()) for item in items)
    return fields >= max(2, len(items) - 1)
