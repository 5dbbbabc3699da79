"""Take facts out of a message: order number, urgency, summary, language, mood."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pressmark.providers.practice.labels import level_rank, normal_form
from pressmark.providers.practice.learner import Learner, Lesson
from pressmark.providers.practice.words import content_words, words

_DIGIT_WORDS = {
    "zero": "0", "oh": "0", "one": "1", "two": "2", "three": "3", "four": "4",
    "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
_SPOKEN = re.compile(rf"\b(?:(?:{'|'.join(_DIGIT_WORDS)})\b[ ,.-]*){{4,}}", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?<![\w.,/-])(?P<prefix>#|(?:ord|[A-Z]{2,4})[ -]?|[A-Za-z]{2,4}-?)?(?P<digits>\d(?:[ .\u2011-]?\d){3,7})(?![\d/-]|[.,]\d)"
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


_HURRY = re.compile(
    r"\b(?:urgent\w*|asap|immediately|at once|right now|right away|this instant|today|tomorrow|tonight|emergency|dangerous|danger|"
    r"hacked|fraud|sparks?|burn\w*|smoke|hospital|baby|children|outage|can't sell|overdrawn|by friday|before then|"
    r"in the (?:last|next) hour|stop (?:the )?(?:order|ord)|6 ?am|quickly)\b|!!",
    re.IGNORECASE,
)
_EASE = re.compile(
    r"\b(?:no (?:hurry|rush|stress|biggie)|not urgent|whenever|just (?:wondering|planning|a quick)|never ?mind|doesn't bother|if possible|"
    r"small thing|nothing serious|thought you|no big deal|es eilt nicht|fine if not|i'd like to know|interested in|curious|how (?:do|can) i|"
    r"is it possible|do you (?:have|sell|take|ship|deliver))\b",
    re.IGNORECASE,
)


def urgency(text: str, learner: Learner, lessons: Sequence[Lesson]) -> dict[str, float]:
    """Logits for low, normal and high urgency."""
    logits = learner.logits(text, lessons)
    logits["high"] += 2.5 * min(2, len(_HURRY.findall(text)))
    logits["low"] += 2.0 * min(2, len(_EASE.findall(text)))
    logits["normal"] += 1.0
    for name, value in learner.taught(text, lessons).items():
        if name in logits:
            logits[name] += 0.5 * value
    return logits


def on_scale(rank: int, levels: Sequence[str]) -> str:
    """The word or number of the listed ``levels`` that fits rank 0 (low), 1 or 2 (high)."""
    for level in levels:
        if level_rank(level) == rank:
            return level
    ascending = list(levels)
    first, last = level_rank(levels[0]), level_rank(levels[-1])
    p_scale = all(re.fullmatch(r"p\d", normal_form(level)) for level in levels)
    if p_scale or (first is not None and last is not None and first > last):
        ascending.reverse()
    return ascending[round(rank / 2 * (len(ascending) - 1))]


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


_LANGUAGES: Mapping[str, frozenset[str]] = {
    "German": frozenset(["ich", "und", "der", "die", "das", "nicht", "mein", "meine", "bitte", "ist", "wie", "eine", "guten"]),
    "French": frozenset(["je", "et", "le", "la", "les", "mon", "ma", "est", "pas", "une", "que", "bonjour", "merci", "vous"]),
    "Spanish": frozenset(["el", "la", "los", "mi", "no", "que", "una", "hola", "esta", "tengo", "por", "puedo", "se", "cuando"]),
    "English": frozenset(["the", "and", "i", "my", "is", "it", "to", "you", "not", "a", "for", "was", "have", "please"]),
}


def language(text: str) -> str:
    """The language of ``text``, by its commonest words."""
    found = words(text)
    return max(_LANGUAGES, key=lambda name: (sum(word in _LANGUAGES[name] for word in found), name == "English"))


_ANGRY = re.compile(
    r"\b(?:demand|unacceptable|ridiculous|furious|angry|lie|impressive|bravo|congrats|nice one|terrible|fourth time|again)\b|!!|\?\?",
    re.IGNORECASE,
)
_GLAD = re.compile(r"\b(?:thank|thanks|love|lovely|great|kind|happy|delighted|beautiful)\b", re.IGNORECASE)


def sentiment(text: str) -> str:
    """One of negative, neutral and positive, by a few words."""
    balance = len(_GLAD.findall(text)) - 2 * len(_ANGRY.findall(text))
    return "positive" if balance > 0 else "negative" if balance < 0 else "neutral"
