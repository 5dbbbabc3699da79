"""Part a user message into what it instructs and the text that it is about."""

from __future__ import annotations

import re

from pressmark.providers.practice.cues import ORDERS, TASK_WORDS
from pressmark.providers.practice.shots import Shot, written_shots

_CLOSING = re.compile(
    r"</(?P<tag>(?:customer_|support_|user_)?(?:message|text|e-?mail|ticket|input|query|content|document|complaint))>",
    re.IGNORECASE,
)
_BLOCK = re.compile(r"(\"\"\"|'''|```|~~~)\w*\n?(?P<text>.*?)\1", re.DOTALL)
_MARKER = re.compile(
    r"^[ \t>*#-]*(?:the |this |their |incoming |support )*(?:customer(?:'s)? |user |support )?"
    r"(?:message|text|e-?mail|ticket|input|query|customer|complaint|review|transcript|enquiry|inquiry)"
    r"(?: (?:of|from) the customer)?\**[ \t]*:\**[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)
_SLOT = re.compile(
    r"\n\s*(?:the )?(?:category|label|answer|output|json|urgency|summary|reply|response|class|result|order[ _]number|"
    r"draft)\**[ \t]*:\**\s*$",
    re.IGNORECASE,
)
_LONG_QUOTE = re.compile(r"[\"\u201c](?P<text>[^\"\u201c\u201d]{12,})[\"\u201d]")


def parted(content: str, *, told: bool) -> tuple[str, str, tuple[Shot, ...]]:
    """Part one user message.

    Args:
        content: The message.
        told: Whether a system message has given the task already; unmarked words are then all text.

    Returns:
        The instruction without its examples, the text, and the examples.
    """
    before, text, after = _located(content, told)
    kept, shots = written_shots(before)
    return (kept + "\n" + after).strip(), text.strip(), shots


def _located(content: str, told: bool) -> tuple[str, str, str]:
    for found in (_tagged(content), _blocked(content)):
        if found and _introduces(found[0], told):
            return found
    markers = list(_MARKER.finditer(content))
    if markers and _introduces(content[: markers[0].start()], told):
        text = content[markers[-1].end() :]
        slot = _SLOT.search(text)
        text, after = (text[: slot.start()], slot[0]) if slot else (text, "")
        text, order = _cut_order(text)
        return content[: markers[-1].start()], text, after + "\n" + order
    return ("", content, "") if told else _by_wording(content)


def _introduces(before: str, told: bool) -> bool:
    """Whether what stands before marked text may be the prompt's: customers use quotes and colons, too."""
    return not told or not before.strip() or TASK_WORDS.search(before) is not None


def _tagged(content: str) -> tuple[str, str, str] | None:
    """The last element that holds a message, found from its end: a prompt with many tags is read as fast."""
    closings = list(_CLOSING.finditer(content))
    if not closings:
        return None
    end = closings[-1]
    openings = list(re.finditer(f"<{end['tag']}>", content[: end.start()], re.IGNORECASE))
    if not openings:
        return None
    return content[: openings[-1].start()], content[openings[-1].end() : end.start()], content[end.end() :]


def _blocked(content: str) -> tuple[str, str, str] | None:
    """The last quoted or fenced block."""
    blocks = list(_BLOCK.finditer(content))
    if not blocks:
        return None
    return content[: blocks[-1].start()], blocks[-1]["text"], content[blocks[-1].end() :]


def _cut_order(text: str) -> tuple[str, str]:
    """Cut a last paragraph off that instructs rather than complains."""
    head, gap, tail = text.rstrip().rpartition("\n\n")
    if gap and ORDERS.match(tail) and (len(tail) < 80 or TASK_WORDS.search(tail)):
        return head, tail
    return text, ""


def _by_wording(content: str) -> tuple[str, str, str]:
    """Tell instruction and text apart by their words, when nothing marks them."""
    quote = _LONG_QUOTE.search(content)
    if quote and TASK_WORDS.search(content[: quote.start()] + content[quote.end() :]):
        return content[: quote.start()], quote["text"], content[quote.end() :]
    joint = "\n\n" if "\n\n" in content else "\n"
    paragraphs = re.split(r"\n\s*\n" if joint == "\n\n" else r"\n", content.strip())
    first, end = 0, len(paragraphs)
    while first < end - 1 and _instructs(paragraphs[first]):
        first += 1
    while end - 1 > first and ORDERS.match(paragraphs[end - 1]):
        end -= 1
    if first or end < len(paragraphs):
        return joint.join(paragraphs[:first]), joint.join(paragraphs[first:end]), joint.join(paragraphs[end:])
    head, colon, tail = content.partition(":")
    if colon and _instructs(head) and len(tail.split()) >= 3:
        return head, tail, ""
    if ORDERS.match(content) and TASK_WORDS.search(content):
        return content, "", ""
    return "", content, ""


def _instructs(paragraph: str) -> bool:
    opens_list = re.match(r"\s*(?:[-*\u2022]|\d+[.)])\s", paragraph) is not None
    return bool(TASK_WORDS.search(paragraph) or ORDERS.match(paragraph) or opens_list)
