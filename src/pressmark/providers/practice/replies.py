"""Draft a reply to a customer, as the prompt wants it."""

from __future__ import annotations

import random
import re

from pressmark.providers.practice.cues import any_of
from pressmark.providers.practice.extraction import sentences
from pressmark.providers.practice.knowledge import TOPICS
from pressmark.providers.practice.words import concepts, content_words, words

_COUNTS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "a single": 1, "single": 1}
_SIGN = re.compile(
    r"\b[Ss]ign(?:ed)?(?: off)?(?: it)?(?: the \w+)?(?: as| with| by)?:?\s+[\"'\u201c]?"
    r"(?P<name>(?:the |your )?[A-Z][^.\n\"'\u201d]{1,40})"
)
# Sentences that tell the writer what to do; the others are facts for the customer.
_RULE = any_of(
    "you", "your", "write", "draft", "answer", "reply", "respond", "use", "keep", "be", "do not", "don't", "always",
    "never", "sign", "tone", "return", "give", "begin", "end", "start", "classify", "the customer", "help",
)  # fmt: skip


def draft(category: str, text: str, order: str | None, instructions: str, dice: random.Random) -> str:
    """Write a reply.

    Args:
        category: One of the shipped categories.
        text: The customer's message.
        order: The order number in it, if any.
        instructions: What the prompt says of tone, length, policy and signature.
        dice: Decides between wordings.

    Returns:
        The reply.
    """
    topic = TOPICS[category]
    formal = _says(instructions, r"formal|dear|professional|sir or madam") and not _says(
        instructions, r"informal|casual"
    )
    warm = _says(instructions, r"friendly|warm|empath\w*|casual|informal|cheerful|kind")
    bare = _says(instructions, r"no greeting|without (?:a )?greeting|no salutation")
    parts = [f"{dice.choice(topic.opening).capitalize()}."]
    if (topic.sorry or _says(instructions, r"apolog\w*")) and not _says(
        instructions, r"(?:not|no|without|never) apolog\w*"
    ):
        parts.append(
            dice.choice(
                ("We are sorry for the trouble.", "I am sorry that this happened.", "Please accept our apologies.")
            )
        )
    if order:
        parts.append(f"I have your order {order} in front of me.")
    parts += _facts(instructions, text)
    parts.append(dice.choice(topic.action))
    wanted = _sentence_limit(instructions)
    if wanted is None:
        if not _says(instructions, r"brief\w*|short|concise\w*|terse\w*"):
            parts.append("If anything is still open, simply answer this message and we will gladly help you further.")
            parts.append("Thank you for your patience.")
    elif len(parts) > wanted:
        # The promise matters most, then what the prompt told us to say.
        parts = [*parts[: wanted - 1], parts[-1]] if wanted > 1 else parts[-1:]
    body = " ".join(parts)
    if warm and _says(instructions, r"emoji"):
        body += " \U0001f642"
    if bare:
        return body
    greeting = "Dear customer," if formal else ("Hi there," if warm else "Hello,")
    return f"{greeting}\n\n{body}\n\n{_farewell(instructions, formal, warm)}"


def _says(instructions: str, pattern: str) -> bool:
    return re.search(rf"\b(?:{pattern})\b", instructions, re.IGNORECASE) is not None


def _sentence_limit(instructions: str) -> int | None:
    match = re.search(
        r"\b(?P<count>a single|single|one|two|three|four|five|\d+)(?: short)? sentences?\b", instructions, re.IGNORECASE
    )
    if match is None:
        return None
    count = match["count"].lower()
    return max(1, _COUNTS.get(count) or int(count))


def _facts(instructions: str, text: str) -> list[str]:
    """Up to two sentences of the prompt that inform rather than instruct, and touch the message."""
    asked, meant = content_words(text), set(concepts(words(text)))
    scored = []
    for sentence in sentences(re.sub(r"(?m)^\s*(?:[-*\u2022]|\d+[.)])\s+", "", instructions)):
        shared = len(content_words(sentence) & asked) + 2 * len(meant & set(concepts(words(sentence))))
        if shared >= 2 and sentence.endswith(".") and len(sentence.split()) <= 40 and not _RULE.match(sentence):
            scored.append((shared, sentence))
    scored.sort(key=lambda pair: -pair[0])
    return [sentence for _, sentence in scored[:2]]


def _farewell(instructions: str, formal: bool, warm: bool) -> str:
    signed = _SIGN.search(instructions)
    closing = "Yours sincerely" if formal else ("All the best" if warm else "Kind regards")
    return f"{closing},\n{signed['name'].strip() if signed else 'your support team'}"
