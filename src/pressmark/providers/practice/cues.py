"""The wordings by which a prompt is understood, each kind in one place.

A prompt that uses other words is not understood, as with any model; add the wording here.
"""

from __future__ import annotations

import re


def any_of(*wordings: str, whole: bool = True) -> re.Pattern[str]:
    """A pattern for any of ``wordings`` (regular expressions), in either case.

    Args:
        *wordings: Alternatives.
        whole: Whether they must begin and end at a word's edge.
    """
    joined = "|".join(wordings)
    return re.compile(rf"\b(?:{joined})\b" if whole else rf"(?:{joined})", re.IGNORECASE)


# What a paragraph that instructs talks about.
TASK_WORDS = any_of(
    r"classif\w*",
    r"categor\w*",
    r"labels?",
    r"triage",
    r"route",
    r"extract\w*",
    r"summar\w*",
    r"urgency",
    r"order numbers?",
    r"json",
    r"(?:draft|write|compose) (?:a|an|the|one)",
    r"reply to",
    r"respond to",
    r"answer the",
    r"customer (?:support|service)",
    r"assistant",
    r"sort (?:this|the)",
    r"which (?:team|queue|department)",
    r"rate",
    r"judge",
    r"support (?:desk|agent|team)",
    r"tone",
    r"polite\w*",
)
# How an instruction begins; "tell me" is what a customer says.
ORDERS = re.compile(
    r"^\W*(?:"
    r"answer|reply|respond|return|give|output|only|choose|pick|use|do not|don't|classify|write|label|which|what is the|"
    r"categori[sz]e|extract|summari[sz]e|draft|tell|sort|assign|decide|state|name|rate|judge|keep|be|json|read the|"
    r"your (?:task|answer|reply))\b(?! (?:to )?(?:me|us|my)\b)",
    re.IGNORECASE,
)

ONLY = any_of(
    r"(?:one|single) word",
    r"only (?:with |by )*(?:the |this |that |a |an |one |valid |raw |plain )*(?:single )?"
    r"(?:label|category|name|class|answer|word|json|object|letter|number|level|urgency|priority|sentiment|summary|"
    r"order number)",
    r"(?:label|category|name|class|word|json|object|letter|number)(?: name)? (?:only|alone)",
    r"only output",
    r"just (?:the|one|a)",
    r"nothing else",
    r"no (?:other|extra|additional|further|surrounding) (?:text|words?|prose)",
    r"no (?:explanation|comment|chatter|prose|preamble)s?",
    r"without (?:any )?(?:explanation|comment|further|other|additional)",
    r"(?:do not|don't|never) (?:explain|add|comment)",
    r"exactly one of",
    r"verbatim",
    r"exact (?:label|name|category)",
)
NO_FENCE = any_of(
    r"no (?:markdown|code|fences?|backticks)",
    r"(?:without|not use) (?:markdown|code|fences?|backticks)",
    r"(?:raw|valid|plain|strict) json",
)
BRIEF = any_of(
    r"concise\w*",
    r"brief\w*",
    r"short",
    r"terse\w*",
    r"succinct\w*",
    r"few words",
    r"(?:one|single) sentence",
    r"(?:at most|max(?:imum)?(?: of)?|no more than|under|in|up to) \w+ (?:words?|sentences?)",
)
JSON = any_of(r"json")
NO_JSON = any_of(r"(?:no|not|without|never)\b[^.\n]{0,12}\bjson")
NAMES_LABEL = any_of(
    r"(?:answer|reply|respond|return|output|give|choose|pick|select|use|assign)\b[^.\n]{0,30}\b"
    r"(?:one of|the (?:best |right |matching )?(?:category|label|class)|one (?:category|label))"
)

REPLY = any_of(
    r"(?:write|draft|compose|prepare|suggest|formulate|produce)\b[^.\n]{0,60}\b"
    r"(?:reply|replies|response|answer|e-?mail|message|note)",
    r"(?:reply|respond|answer|write back)\b (?:\w+ly )?(?:and \w+ly )?(?:to )?(?:the |this |our |a |each )?"
    r"(?:customer|message|e-?mail|client|complaint|user|ticket|question)s?",
    r"you (?:are|work|help|answer)\b[^.\n]{0,60}\b(?:support|service|customers)",
)
CLASSIFY = any_of(
    r"classif\w*",
    r"categor\w*",
    r"label\w*",
    r"triage",
    r"route",
    r"intent",
    r"sort",
    r"assign",
    r"topic",
    r"which (?:\w+ )?(?:team|queue|department)",
    r"what (?:\w+ )?(?:kind|type|is this)",
)
CATEGORY = any_of(r"categor\w*", "label", "team", "queue", "department", "topic", "intent")
# What a language model could do, and this one cannot.
BEYOND = any_of(
    r"translat\w*", r"rewrite\w*", r"paraphras\w*", r"proofread\w*", "poem", "story", "code", "essay", "joke"
)
COMPARE = any_of("which", "compare", "better", r"prefer\w*", "A, B", "A or B", "1 or 2", "tie", "winner")
GRADE = any_of("score", "rate", "rating", "grade", "rubric", "points?", "marks?")
GRADED = any_of(
    r"(?:grade|score|rate|judge|evaluate|assess)\b[^.\n]{0,40}\b(?:output|answer|response|reply|candidate)",
    "rubric",
)

# The fields that a prompt may ask for without saying JSON.
FIELDS = (
    ("category", CLASSIFY),
    ("urgency", any_of("urgency", "how urgent", "priority", "severity")),
    ("order_number", any_of(r"order[ _-]?(?:number|no\.?|id)s?")),
    ("summary", any_of(r"summar\w+")),
    ("language", any_of("which language", "language of the")),
    ("sentiment", any_of("sentiment")),
)
CATEGORY_FIELDS = frozenset(
    {"category", "label", "class", "intent", "topic", "type", "queue", "team", "department", "tag"}
)
URGENCY_FIELDS = frozenset({"urgency", "priority", "severity"})

# A line that opens one of two outputs: "Output A:", "[B]", "## Answer 1", "Response B's answer:".
ONE_OF_TWO = re.compile(
    r"^[ \t>*#\[(<-]*(?:(?:output|response|answer|candidate|assistant|option|version|reply|text|summary|model)[ _]?)?"
    r"(?P<name>[AB12])(?:'s (?:answer|output|response))?\b[ \t]*[\])>*]*[ \t]*(?:[:\n]|[-\u2013\u2014=]+[ \t]*\n|$)",
    re.IGNORECASE | re.MULTILINE,
)
# What opens the output to be graded, the request that it answers, and a good answer to it.
OUTPUT = re.compile(
    r"^[ \t>*#<-]*(?:the )?(?:model'?s? )?(?:output|answer|response|reply|candidate)"
    r"(?: (?:to grade|to rate|to judge))?\**>?[ \t]*[:>]\**",
    re.IGNORECASE | re.MULTILINE,
)
REQUEST = re.compile(
    r"^[ \t>*#<-]*(?:the )?(?:user'?s? |customer'?s? )?"
    r"(?:request|question|message|prompt|input|instruction|source|task)\**>?[ \t]*[:>]\**",
    re.IGNORECASE | re.MULTILINE,
)
REFERENCE = re.compile(
    r"^[ \t>*#<-]*(?:(?:the |a )?(?:good|correct|gold|expected|reference) (?:answer|output|label|response|reply)|"
    r"reference|expected)\**>?[ \t]*[:>]\s*(?P<text>.+?)(?=\n\s*\n|</|\Z)",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
# "null if there is none", "if no order number is given, write unknown".
ABSENT = re.compile(
    r"(?P<first>null|none|n/a|unknown|empty string|-)[\"'`]?,? (?:if|when|where|unless)\b|"
    r"\b(?:no(?:ne| order number| number| such number)?|missing|absent|without|not (?:given|present|there|mentioned))\b"
    r"[^.\n]{0,40}?\b(?:use|write|return|answer|give|put|say|output)\b (?:the word |an? )?[\"'`]?"
    r"(?P<last>null|none|n/a|unknown|empty string|nothing|-)",
    re.IGNORECASE,
)
CATCH_ALL = re.compile(r"^(?:other|others|misc\w*|general|none|unknown|something else|unclear|rest)\b", re.IGNORECASE)
CALLS_TOOL = any_of(r"(?:call|use|using|with|via|through)\b[^.\n]{0,30}\b(?:tool|function)s?")
