"""Take facts out of a message: order number, urgency, summary, language, mood."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pressmark.providers.practice.cues import any_of
from pressmark.providers.practice.labels import level_rank, normal_form
from pressmark.providers.practice.learner import Learner, Lesson
from pressmark.providers.practice.words import content_words, plain, words

_DIGIT_WORDS = {
    "zero": "0", "oh": "0", "one": "1", "two": "2", "three": "3", "four": "4",
    "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
_SPOKEN = re.compile(rf"\b(?:(?:{'|'.join(_DIGIT_WORDS)})\b[ ,.-]*){{4,}}", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?<![\w.,/-])(?P<prefix>#|(?:ord|[A-Z]{2,4})[ -]?|[A-Za-z]{2,4}-?)?"
    r"(?P<digits>\d(?:[ .\u2011-]?\d){3,7})(?![\d/-]|[.,]\d)"
)
_NEAR_ORDER = re.compile(
    r"(?:\bor(?:de)?r\w*|#|\bord\b|o\.r\.d\.|bestell\w*|pedido|commande|parcel|reference|number|return for)",
    re.IGNORECASE,
)
_FOREIGN = re.compile(
    r"\b(?:invoice|inv|cn|credit note|tracking|phone|tel|version|euros?|eur|code|firmware|article|art)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class NumberForm:
    """What a prompt says of order numbers.

    Attributes:
        prefix: What stands before the digits, such as `ORD-`; None when the prompt shows no form.
        digits: How many digits there are; 0 when unknown.
        explained: Whether the prompt tells order numbers from other numbers at all.
    """

    prefix: str | None
    digits: int
    explained: bool


def number_form(instructions: str) -> NumberForm:
    """The form of order numbers that ``instructions`` show, by an example, a pattern or in words."""
    shown = re.search(
        r"\b(?P<prefix>[A-Z]{2,4}[-_]?)(?:(?P<digits>\d{4,8})|(?P<blanks>[#Xx0N]{3,8})|\\d\{(?P<count>\d)\}|\[0-9\]\{(?P<count2>\d)\})",
        instructions,
    )
    counted = re.search(r"\b(?P<count>four|five|six|seven|eight|[4-8])[ -]digits?\b", instructions, re.IGNORECASE)
    digits = 0
    if counted:
        digits = int(_DIGIT_WORDS.get(counted["count"].lower(), counted["count"]))
    if shown:
        count = shown["count"] or shown["count2"]
        digits = int(count) if count else len(shown["digits"] or shown["blanks"])
        return NumberForm(shown["prefix"], digits, explained=True)
    named = re.search(r"(?:start\w*|begin\w*|prefix\w*)(?: with)? [\"'`]?(?P<prefix>[A-Z]{2,4}-?)[\"'`]?", instructions)
    return NumberForm(named["prefix"] if named else None, digits, explained=bool(counted or named))


def order_number(text: str, form: NumberForm) -> str | None:
    """The order number in ``text``; None when there is none.

    Without a known form it is written as the message writes it, and any longer number may be taken for it; with one,
    other kinds of numbers are told apart and the answer has that form.
    """
    best: tuple[float, str, str] | None = None
    for match in _NUMBER.finditer(text):
        digits = re.sub(r"\D", "", match["digits"])
        if form.digits and len(digits) != form.digits:
            continue
        before = text[max(0, match.start() - 28) : match.start()] + (match["prefix"] or "")
        weight = 2.0 if _NEAR_ORDER.search(before) else 0.0
        if form.explained and _FOREIGN.search(before[-16:] + text[match.end() : match.end() + 8]):
            weight -= 3.0
        weight += 0.5 if len(digits) == 5 else 0.0
        if weight >= 0 and (best is None or weight > best[0]):
            best = (weight, digits, match[0].strip())
    if best is None:
        spoken = _SPOKEN.search(text)
        if spoken is None:
            return None
        digits = "".join(_DIGIT_WORDS[word] for word in words(spoken[0]) if word in _DIGIT_WORDS)
        best = (0.0, digits, digits)
    return best[2] if form.prefix is None else form.prefix + best[1]


_HURRY = any_of(
    r"urgent\w*", "asap", "immediately", "at once", "right now", "right away", "today", "tomorrow", "tonight",
    "emergency", "danger(?:ous)?", "hacked", "fraud", "sparks?", r"burn\w*", "smoke", "hospital", "baby", "children",
    "outage", "can't sell", "overdrawn", "before then", "in the (?:last|next) hour", "quickly", "lock the account",
)  # fmt: skip
_EASE = any_of(
    "no (?:hurry|rush|stress|biggie)", "not urgent", "whenever", "just (?:wondering|planning|a quick)", "never ?mind",
    "doesn't bother", "if possible", "small thing", "nothing serious", "thought you", "no big deal", "es eilt nicht",
    "fine if not", "i'd like to know", "interested in", "curious", "how (?:do|can) i", "is it possible",
    "do (?:you|u) (?:have|sell|take|ship|deliver)", "where can i",
)  # fmt: skip


def urgency(text: str, learner: Learner, lessons: Sequence[Lesson]) -> dict[str, float]:
    """Logits for low, normal and high urgency."""
    logits = learner.logits(text, lessons)
    logits["high"] += 4.0 * min(2, len(_HURRY.findall(text)) + text.count("!!"))
    logits["low"] += 2.0 * min(2, len(_EASE.findall(text)))
    # Told nothing of the levels, one takes the middle when in doubt.
    logits["normal"] += 0.0 if lessons else 1.0
    for name, value in learner.taught(text, lessons).items():
        if name in logits:
            logits[name] += 0.5 * value
    return logits


def on_scale(rank: int, levels: Sequence[str]) -> str:
    """The word or number of the listed ``levels`` that fits rank 0 (low), 1 or 2 (high)."""
    for level in levels:
        if level_rank(level) == rank:
            return level
    ascending = _ascending(levels)
    return ascending[round(rank / 2 * (len(ascending) - 1))]


def rank_on(level: str, levels: Sequence[str]) -> int:
    """Which of 0 (low), 1 and 2 (high) ``level`` is among ``levels``."""
    known = level_rank(level)
    if known is not None:
        return known
    return round(2 * _ascending(levels).index(level) / max(1, len(levels) - 1))


def _ascending(levels: Sequence[str]) -> list[str]:
    """``levels`` from low to high; P1 stands above P2."""
    first, last = level_rank(levels[0]), level_rank(levels[-1])
    counted_down = all(re.fullmatch(r"p\d", normal_form(level)) for level in levels) and levels[0] < levels[-1]
    falling = counted_down or (first is not None and last is not None and first > last)
    return list(reversed(levels)) if falling else list(levels)


def sentences(text: str) -> list[str]:
    """The sentences of ``text``, each on one line."""
    parts = re.split(r"(?<=[.!?])\s+|\n+", text.strip())
    return [re.sub(r"\s+", " ", part).strip() for part in parts if part.strip()]


def summary(text: str, limit: int = 0) -> str:
    """The sentence of ``text`` that shares most words with the rest.

    Args:
        text: A message.
        limit: How many words it may have; 0 for any number.
    """
    candidates = sentences(text)
    if not candidates:
        return ""
    everything = [content_words(sentence) for sentence in candidates]
    central = max(
        range(len(candidates)),
        key=lambda at: (sum(len(everything[at] & other) for other in everything) + len(everything[at]), -at),
    )
    chosen = candidates[central].split()
    if limit and len(chosen) > limit:
        chosen = [*chosen[: limit - 1], chosen[limit - 1].rstrip(",.;:") + "\u2026"]
    return " ".join(chosen)


_LANGUAGES: Mapping[str, re.Pattern[str]] = {
    "German": any_of(
        "ich", "und", "der", "die", "das", "nicht", "mein", "meine", "bitte", "ist", "wie", "eine", "guten"
    ),
    "French": any_of("je", "et", "le", "la", "les", "mon", "ma", "est", "pas", "une", "bonjour", "merci", "vous"),
    "Spanish": any_of("el", "los", "mi", "que", "una", "hola", "tengo", "por", "puedo", "se", "cuando", "pedido"),
    "English": any_of("the", "and", "i", "my", "is", "it", "to", "you", "not", "a", "for", "was", "have", "please"),
}


def language(text: str) -> str:
    """The language of ``text``, by its commonest words."""
    told = plain(text)
    return max(_LANGUAGES, key=lambda name: (len(_LANGUAGES[name].findall(told)), name == "English"))


_ANGRY = any_of(
    "demand", "unacceptable", "ridiculous", "furious", "angry", "lie", "impressive", "bravo", "congrats", "nice one",
    "terrible", "fourth time", "again",
)  # fmt: skip
_GLAD = any_of("thanks?", "thank you", "love", "lovely", "great", "kind", "happy", "delighted", "beautiful")


def sentiment(text: str) -> str:
    """One of negative, neutral and positive, by a few words."""
    balance = len(_GLAD.findall(text)) - 2 * len(_ANGRY.findall(text))
    return "positive" if balance > 0 else "negative" if balance < 0 else "neutral"
