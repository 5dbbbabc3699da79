"""The practice model itself: from a checked request to an answer.

Nothing is looked up: the label comes from the learner and from what the prompt teaches, the form from what the prompt
demands. Where a prompt leaves something open, the model does what a small model would do, and decides by a hash of the
message, so that the same request has the same answer.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pressmark.providers.practice import extraction, judging, replies, schema
from pressmark.providers.practice.knowledge import TOPICS, URGENCY_WORDS
from pressmark.providers.practice.labels import find_labels, lessons_about, normal_form
from pressmark.providers.practice.learner import Learner, Lesson, probabilities
from pressmark.providers.practice.messages import CATEGORIES, URGENCIES, training_messages
from pressmark.providers.practice.reading import CATEGORY_FIELDS, URGENCY_FIELDS, Assignment, Task, content_text, read
from pressmark.providers.practice.requests import ChatRequest
from pressmark.providers.practice.words import concepts, content_words, words

_CATCH_ALL = re.compile(r"^(?:other|others|misc\w*|general|none|unknown|something else|unclear|rest)\b", re.IGNORECASE)
_ABSENT = re.compile(
    r"(?:\bno(?:ne| order number| number| such number)?\b|\bmissing\b|\babsent\b|\bnot (?:given|present|there|mentioned)\b|\bwithout\b)"
    r"[^.\n]{0,40}?\b(?:use|write|return|answer|give|put|say|output)\b (?:the word |an? )?[\"'`]?(?P<word>null|none|n/a|unknown|empty string|nothing|-)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function that the model wants called, with its arguments as JSON text."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says.

    Attributes:
        text: The answer; None when a tool is called.
        tool_call: The call, if there is one.
        finish_reason: `stop`, `length` or `tool_calls`.
    """

    text: str | None
    tool_call: ToolCall | None = None
    finish_reason: str = "stop"


class PracticeModel:
    """The model, trained when it is made (a fraction of a second); answering changes nothing in it."""

    def __init__(self) -> None:
        rows = training_messages()
        self._topics = Learner((str(row["text"]), str(row["category"])) for row in rows)
        self._urgency = Learner((str(row["text"]), str(row["urgency"])) for row in rows)

    def answer(self, request: ChatRequest, variation: int = 0) -> Answer:
        """Answer a request.

        Args:
            request: The request.
            variation: Picks between wordings above temperature 0, where the request has no seed.

        Returns:
            The answer, cut at its stop texts and its length.
        """
        tool = self._tool_to_call(request)
        allowed, described = _what_is_allowed(request, tool)
        assignment = read(request.messages, allowed=allowed, described=described)
        draw = "" if request.temperature == 0 else f"{request.seed if request.seed is not None else variation}"
        work = _Work(self._topics, self._urgency, assignment, request, draw)
        if tool is not None:
            arguments = schema.fill(tool.get("parameters") or {"type": "object"}, work.knows, work.dice("tool"))
            call = ToolCall(str(tool["name"]), json.dumps(arguments, ensure_ascii=False))
            return Answer(None, call, "tool_calls")
        return _cut(work.text(), request)

    def _tool_to_call(self, request: ChatRequest) -> Mapping[str, Any] | None:
        """The function that this request must or should call."""
        if not request.tools or request.tool_choice == "none":
            return None
        if request.tool_choice in request.tools:
            return request.tools[request.tool_choice]
        if request.messages[-1]["role"] == "tool":
            return None
        told = "\n".join(content_text(message.get("content")) for message in request.messages)
        asked = re.search(
            r"\b(?:call|use|using|with|via|through)\b[^.\n]{0,30}\b(?:tool|function)s?\b", told, re.IGNORECASE
        )
        named = [name for name in request.tools if name.lower() in told.lower()]
        if request.tool_choice == "auto" and not asked and not named:
            return None
        known = content_words(told)

        def fitness(name: str) -> tuple[bool, int]:
            tool = request.tools[name] if request.tools else {}
            about = f"{name.replace('_', ' ')} {tool.get('description', '')}"
            return name in named, len(content_words(about) & known)

        return request.tools[max(request.tools, key=fitness)]


def _what_is_allowed(request: ChatRequest, tool: Mapping[str, Any] | None) -> tuple[dict[str, tuple[str, ...]], str]:
    form = (tool.get("parameters") or {}) if tool is not None else request.schema
    if form is None:
        return {}, ""
    return schema.allowed_values(form), schema.described(form)


def _cut(text: str, request: ChatRequest) -> Answer:
    for stop in request.stop:
        text = text.partition(stop)[0]
    if request.max_tokens is not None and len(text) > 4 * request.max_tokens:
        return Answer(text[: 4 * request.max_tokens], finish_reason="length")
    return Answer(text)


class _Work:
    """One call: everything that depends on this prompt and this message."""

    def __init__(
        self, topics: Learner, urgency: Learner, assignment: Assignment, request: ChatRequest, draw: str
    ) -> None:
        self._topics = topics
        self._urgency_learner = urgency
        self._it = assignment
        self._request = request
        self._draw = draw
        self._label = ""
        self._form = extraction.number_form(assignment.instructions)

    def dice(self, purpose: str) -> random.Random:
        """Chance that is fixed by message, purpose and, above temperature 0, the seed."""
        told = "\0".join((purpose, self._it.text, self._draw))
        return random.Random(hashlib.blake2b(told.encode(), digest_size=8).digest())  # noqa: S311  # wording, not secrets

    def text(self) -> str:
        """The whole answer as text."""
        request, it = self._request, self._it
        if request.schema is not None:
            return json.dumps(schema.fill(request.schema, self.knows, self.dice("schema")), ensure_ascii=False)
        if request.messages[-1]["role"] == "tool":
            return f"According to the tool: {content_text(request.messages[-1].get('content'))}"
        if it.task is Task.COMPARE:
            return self._comparison()
        if it.task is Task.GRADE:
            return self._grade()
        if request.json_mode or it.manner.json:
            return self._json()
        if it.task is Task.CLASSIFY:
            return self._classification()
        if it.task is Task.RECORD:
            return "\n".join(f"{key.replace('_', ' ').capitalize()}: {self._shown(key)}" for key in it.keys)
        if it.task is Task.SUMMARIZE:
            return self._summary()
        if self._is_support(it.text) or (it.task is Task.REPLY and it.instructions.strip()):
            return self._reply()
        return self._talk()

    # What the model knows of the message.

    def label(self) -> str:
        """The category: a listed label, or a name of the model's own."""
        if not self._label:
            it = self._it
            if it.labels:
                logits = self._label_logits()
                self._label = max(logits, key=lambda name: logits[name])
            else:
                self._label = self.dice("name").choice(TOPICS[self.category()].names)
        return self._label

    def category(self) -> str:
        """The shipped category that fits best, whatever the prompt calls it."""
        stated = re.search(r"\bcategory\W{1,3}(?P<name>[\w -]+)", self._it.instructions, re.IGNORECASE)
        if stated and self._it.task is Task.REPLY:
            for name in CATEGORIES:
                if normal_form(stated["name"]) == normal_form(name):
                    return name
        logits = self._warmed(self._topics.logits(self._it.text, self._it.lessons), "category")
        return max(logits, key=lambda name: logits[name])

    def _warmed(self, logits: dict[str, float], purpose: str) -> dict[str, float]:
        """Logits with the noise that temperature brings."""
        heat = 0.5 * self._request.temperature
        if not heat:
            return logits
        dice = self.dice("heat " + purpose)
        return {
            name: value - heat * math.log(-math.log(dice.uniform(1e-9, 1 - 1e-9))) for name, value in logits.items()
        }

    def _label_logits(self) -> dict[str, float]:
        it = self._it
        chances = probabilities(self._topics.logits(it.text, it.lessons))
        taught = self._topics.taught(it.text, it.lessons)
        logits = {}
        for label in it.labels:
            said = " ".join(lesson.text for lesson in it.lessons if lesson.label == label and not lesson.is_example)
            logits[label] = math.log(self._chance(label, said, chances)) + taught.get(label, 0.0)
        return self._warmed(logits, "label")

    def _chance(self, label: str, said: str, chances: Mapping[str, float]) -> float:
        """How likely ``label`` is, by what it means in terms of the shipped categories."""
        exact = next((name for name in CATEGORIES if normal_form(name) == normal_form(label)), None)
        if exact is not None:
            return max(chances[exact], 1e-6)
        if _CATCH_ALL.match(label):
            return 0.02 if self._is_support(self._it.text) else 0.9
        spelled = normal_form(label)
        meaning = {name: len(content_words(spelled) & content_words(topic.cues)) for name, topic in TOPICS.items()}
        if not any(meaning.values()) and any(concepts(words(f"{spelled} {said}"))):
            meaning = {
                name: round(4 * share)
                for name, share in probabilities(self._topics.logits(f"{spelled} {said}")).items()
            }
        total = sum(meaning.values())
        if not total:
            return 0.01
        return max(sum(chances[name] * weight for name, weight in meaning.items()) / total, 1e-6)

    def _is_support(self, text: str) -> bool:
        """Whether ``text`` sounds like something that a customer writes."""
        return bool(text.strip()) and len(set(concepts(words(text)))) >= 2

    def urgency(self, levels: tuple[str, ...]) -> str:
        """How urgent the message is: one of ``levels``, or in the model's own words."""
        lessons = tuple(
            Lesson(URGENCIES[rank], lesson.text, is_example=False)
            for lesson in lessons_about(self._it.instructions, levels)
            if (rank := _rank(lesson.label, levels)) is not None
        )
        logits = self._warmed(extraction.urgency(self._it.text, self._urgency_learner, lessons), "urgency")
        best = max(logits, key=lambda name: logits[name])
        if not levels:
            return self.dice("urgency").choice(URGENCY_WORDS[best])
        return extraction.on_scale(URGENCIES.index(best), levels)

    def order_number(self) -> str | None:
        """The order number in the message, in the form that the prompt shows."""
        return extraction.order_number(self._it.text, self._form)

    def knows(self, name: str, values: tuple[str, ...], description: str) -> Any:
        """What the model knows of a field.

        Args:
            name: The field's name.
            values: The words that it may have; empty for any.
            description: What a schema says about it.

        Returns:
            Text, a number, a truth value, or None.
        """
        it, key = self._it, normal_form(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
        if key in CATEGORY_FIELDS or (values and key not in URGENCY_FIELDS and self._speaks_of_labels(values)):
            return self.label()
        if key in URGENCY_FIELDS or key.startswith("urgency"):
            return self.urgency(values or it.levels)
        if "order" in key.split() or key in {"orderid", "ordernumber", "orderno"}:
            form = extraction.number_form(description)
            return extraction.order_number(it.text, form if form.explained else self._form)
        if key in {"summary", "subject", "title", "gist", "headline"}:
            return extraction.summary(it.text, _word_limit(it.instructions + " " + description))
        if key in {"reply", "response", "answer", "draft", "email", "message"}:
            return self._reply()
        if key in {"reason", "explanation", "rationale", "why", "reasoning"}:
            return self._reason()
        if key == "confidence":
            return round(max(probabilities(self._topics.logits(it.text, it.lessons)).values()), 2)
        if key == "language":
            return _fitting(extraction.language(it.text), values)
        if key in {"sentiment", "mood", "tone"}:
            return _fitting(extraction.sentiment(it.text), values)
        if key in {"score", "rating", "grade"}:
            return self._score()
        if key in {"winner", "preferred", "verdict", "better", "choice"}:
            return self._winner()
        if any(part in key for part in ("human", "escalat", "urgent")):
            return self.urgency(URGENCIES) == "high"
        return None

    def _speaks_of_labels(self, values: tuple[str, ...]) -> bool:
        return tuple(values) == self._it.labels

    # How it says so.

    def _shown(self, key: str) -> str:
        value = self.knows(key, (), "")
        return self._absent_word() if value is None else str(value)

    def _absent_word(self) -> str:
        asked = _ABSENT.search(self._it.instructions)
        return asked["word"] if asked else "none given"

    def _classification(self) -> str:
        it, label, dice = self._it, self.label(), self.dice("form")
        if it.manner.only:
            return label
        if it.labels and (it.manner.names_label or it.manner.brief) and dice.random() < 0.72:
            return label
        if it.manner.brief or it.manner.names_label:
            return dice.choice((f"Category: {label}", f"{label}.", f"**{label}**", f"I would say {label}."))
        about = dice.choice(TOPICS[self.category()].about)
        return dice.choice(
            (
                f"The customer {about}, so I would put this message under **{label}**.",
                f"This looks like {label} to me: the customer {about}.\n\nLet me know if you would like a reply drafted as well!",
                f"**{label}**\n\nThe message suggests that the customer {about}. {self._reason()}",
                f'Based on the message, the best description is "{label}". {self._reason()}',
            )
        )

    def _reason(self) -> str:
        quoted = extraction.summary(self._it.text, 14)
        return f"The decisive words are: \u201c{quoted}\u201d"

    def _json(self) -> str:
        it = self._it
        keys = it.keys or ("category", "summary")
        if it.task is Task.REPLY and not it.keys:
            keys = ("reply",)
        body = json.dumps({key: self._json_value(key) for key in keys}, ensure_ascii=False)
        if it.manner.only or self._request.json_mode:
            return body
        chance = self.dice("wrapping").random()
        if chance < 0.5:
            return body
        fenced = f"```json\n{body}\n```"
        return fenced if chance < 0.8 else f"Here is the JSON for this message:\n\n{fenced}"

    def _json_value(self, key: str) -> Any:
        value = self.knows(key, (), "")
        if value is not None:
            return value
        asked = _ABSENT.search(self._it.instructions)
        return (
            None
            if asked is None or asked["word"].lower() == "null"
            else ("" if "empty" in asked["word"].lower() else asked["word"])
        )

    def _summary(self) -> str:
        it = self._it
        core = extraction.summary(it.text, _word_limit(it.instructions))
        if it.manner.brief:
            return core
        return f"In short, the customer {self.dice('summary').choice(TOPICS[self.category()].about)}: {core}"

    def _reply(self) -> str:
        it = self._it
        return replies.draft(self.category(), it.text, self.order_number(), it.instructions, self.dice("reply"))

    def _talk(self) -> str:
        offer = (
            "I am Pressmark's practice model. I learned from a few hundred support messages: give me one, and I can "
            "classify it, take the order number and urgency out of it, summarise it, or draft a reply."
        )
        if self._it.manner.brief:
            return "I am a practice model; I only know support messages."
        return f"{offer} Anything else is beyond me; a real endpoint can do it."

    # Judging.

    def _whole(self) -> str:
        return "\n".join(content_text(message.get("content")) for message in self._request.messages)

    def _criteria(self, source: str) -> judging.Criteria:
        reference = re.search(
            r"^[ \t>*#<-]*(?:reference|expected|correct|gold)(?: (?:answer|output|label|response))?\**>?[ \t]*[:\n]\s*(?P<text>.+?)(?=\n\s*\n|</|\Z)",
            self._whole(),
            re.IGNORECASE | re.MULTILINE | re.DOTALL,
        )
        labels = find_labels(source) or CATEGORIES
        chances = probabilities(self._topics.logits(source))
        return judging.Criteria(
            source=source,
            reference=reference["text"].strip() if reference else "",
            label=max(labels, key=lambda label: self._chance(label, "", chances)),
            short=self._it.manner.brief,
        )

    def _winner(self) -> str:
        before, outputs = judging.two_outputs(self._whole())
        return judging.preferred(outputs, self._criteria(before)) if len(outputs) == 2 else "tie"

    def _comparison(self) -> str:
        winner = self._winner()
        if self._request.json_mode or (self._it.manner.json and self._it.keys):
            return json.dumps({key: self.knows(key, (), "") for key in self._it.keys or ("winner",)})
        if self._it.manner.brief:
            return winner
        if winner == "tie":
            return "Tie: neither answer is clearly more relevant, polite or fitting in length."
        return f"{winner}\n\nIt is closer to the message, more polite, or nearer to a fitting length."

    def _score(self) -> float | int:
        output, source = self._graded()
        scale = judging.scale_of(self._it.instructions)
        return scale.place(judging.quality(output, self._criteria(source)))

    def _graded(self) -> tuple[str, str]:
        """The output to grade, and what stands before it."""
        whole = self._whole()
        marks = list(
            re.finditer(
                r"^[ \t>*#<-]*(?:the )?(?:model'?s? )?(?:output|answer|response|reply|candidate)\**>?[ \t]*[:>\n]\**",
                whole,
                re.IGNORECASE | re.MULTILINE,
            )
        )
        if not marks:
            return self._it.text, self._it.instructions
        last = marks[-1]
        return re.sub(r"</\w+>.*", "", whole[last.end() :], flags=re.DOTALL).strip(" \n\"'`"), whole[: last.start()]

    def _grade(self) -> str:
        if self._request.json_mode or self._it.manner.json:
            keys = self._it.keys or ("score",)
            return json.dumps({key: self.knows(key, (), "") for key in keys})
        score = self._score()
        if self._it.manner.brief:
            return str(score)
        return f"Score: {score}\n\nThis counts relevance, politeness and length only: I am a practice model."


def _rank(level: str, levels: tuple[str, ...]) -> int | None:
    """Which of low, normal and high the prompt's ``level`` is."""
    return next((rank for rank in range(3) if extraction.on_scale(rank, levels) == level), None)


def _fitting(word: str, values: tuple[str, ...]) -> str:
    """``word`` as one of ``values`` spells it."""
    return next((value for value in values if normal_form(value)[:2] == normal_form(word)[:2]), word)


def _word_limit(instructions: str) -> int:
    match = re.search(r"\b(\d+) words?\b", instructions)
    return int(match[1]) if match else 0
