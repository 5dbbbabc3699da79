"""The practice model itself: from a checked request to an answer.

Nothing is looked up: the label comes from the learner and from what the prompt teaches, the form from what the prompt
demands. Where a prompt leaves something open, the model does what a small model would do, and decides by a hash of the
message, so that the same request has the same answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pressmark.providers.practice import cues, judging, schema
from pressmark.providers.practice.knowing import Knowing, sounds_like_support
from pressmark.providers.practice.knowledge import TOPICS
from pressmark.providers.practice.labels import find_labels
from pressmark.providers.practice.learner import Learner
from pressmark.providers.practice.messages import CATEGORIES, training_messages
from pressmark.providers.practice.reading import Assignment, Task, read
from pressmark.providers.practice.requests import ChatRequest, content_text
from pressmark.providers.practice.words import content_words


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
        self._urgencies = Learner((str(row["text"]), str(row["urgency"])) for row in rows)

    def answer(self, request: ChatRequest, variation: int = 0) -> Answer:
        """Answer a request.

        Args:
            request: The request.
            variation: Picks between wordings above temperature 0, where the request has no seed.

        Returns:
            The answer, cut at its stop texts and its length.
        """
        tool = _tool_to_call(request)
        form = request.schema if tool is None else tool.get("parameters") or {"type": "object"}
        allowed = {} if form is None else schema.allowed_values(form)
        described = "" if form is None else schema.described(form)
        assignment = read(request.messages, allowed=allowed, described=described)
        draw = str(variation if request.seed is None else request.seed)
        knowing = Knowing(self._topics, self._urgencies, assignment, request.temperature, draw)
        said = _Said(knowing, assignment, request)
        if tool is not None and form is not None:
            arguments = schema.fill(form, said.field, knowing.dice("tool"))
            return Answer(None, ToolCall(str(tool["name"]), _json(arguments)), "tool_calls")
        return _cut(said.text(), request)


def _tool_to_call(request: ChatRequest) -> Mapping[str, Any] | None:
    """The function that this request must call, or asks for."""
    tools = request.tools
    if not tools or request.tool_choice == "none":
        return None
    if request.tool_choice in tools:
        return tools[request.tool_choice]
    told = "\n".join(content_text(message.get("content")) for message in request.messages)
    named = {name for name in tools if name.lower() in told.lower()}
    if request.tool_choice == "auto" and not named and not cues.CALLS_TOOL.search(told):
        return None
    if request.messages[-1]["role"] == "tool":
        return None
    known = content_words(told)

    def fitness(name: str) -> tuple[bool, int]:
        about = f"{name.replace('_', ' ')} {tools[name].get('description', '')}"
        return name in named, len(content_words(about) & known)

    return tools[max(tools, key=fitness)]


def _cut(text: str, request: ChatRequest) -> Answer:
    for stop in request.stop:
        text = text.partition(stop)[0]
    if request.max_tokens is not None and len(text) > 4 * request.max_tokens:
        return Answer(text[: 4 * request.max_tokens], finish_reason="length")
    return Answer(text)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


class _Said:
    """One answer, put as the prompt wants it."""

    def __init__(self, knowing: Knowing, assignment: Assignment, request: ChatRequest) -> None:
        self._knowing = knowing
        self._it = assignment
        self._request = request

    def text(self) -> str:
        """The whole answer as text."""
        request, it = self._request, self._it
        if request.schema is not None:
            return _json(schema.fill(request.schema, self.field, self._knowing.dice("schema")))
        if request.messages[-1]["role"] == "tool":
            return f"According to the tool: {content_text(request.messages[-1].get('content'))}"
        if request.json_mode or it.manner.json:
            return self._object()
        match it.task:
            case Task.COMPARE:
                return self._comparison()
            case Task.GRADE:
                return self._grade()
            case Task.CLASSIFY:
                return self._classification()
            case Task.RECORD if len(it.keys) == 1 and it.manner.brief:
                return self._shown(it.keys[0])
            case Task.RECORD:
                return "\n".join(f"{_title(key)}: {self._shown(key)}" for key in it.keys)
            case Task.SUMMARIZE:
                return self._summary()
        if it.task is Task.REPLY and (sounds_like_support(it.text) or cues.REPLY.search(it.instructions)):
            return self._knowing.reply()
        return self._talk()

    def field(self, name: str, values: tuple[str, ...] = (), described: str = "") -> Any:
        """What is known of a field, judgements included; see `Knowing.field`."""
        match name.lower():
            case "score" | "rating" | "grade":
                return self._score()
            case "winner" | "preferred" | "verdict" | "better" | "choice" | "preference":
                return self._winner()
        return self._knowing.field(name, values, described)

    def _shown(self, key: str) -> str:
        value = self.field(key)
        if value is not None:
            return str(value)
        return self._absent() or "none given"

    def _absent(self) -> str | None:
        """The word that the prompt wants where there is nothing to say."""
        asked = cues.ABSENT.search(self._it.instructions)
        return (asked["first"] or asked["last"]) if asked else None

    def _classification(self) -> str:
        it, label, dice = self._it, self._knowing.label(), self._knowing.dice("form")
        if it.manner.only:
            return label
        named = it.manner.names_label or it.manner.brief
        if named and it.labels and dice.random() < 0.72:
            return label
        if named:
            return dice.choice((f"Category: {label}", f"{label}.", f"**{label}**", f"I would say {label}."))
        about = dice.choice(TOPICS[self._knowing.category()].about)
        reason = self._knowing.reason()
        return dice.choice(
            (
                f"The customer {about}, so I would put this message under **{label}**.",
                f"This looks like {label} to me: the customer {about}.\n\nShall I draft a reply as well?",
                f"**{label}**\n\nThe message suggests that the customer {about}. {reason}",
                f'Based on the message, the best description is "{label}". {reason}',
            )
        )

    def _object(self) -> str:
        """A JSON object; in a Markdown fence or behind a sentence now and then, unless the prompt forbids it."""
        it = self._it
        defaults = {
            Task.REPLY: ("reply",),
            Task.COMPARE: ("winner",),
            Task.GRADE: ("score", "reason"),
            Task.SUMMARIZE: ("summary",),
        }
        keys = it.keys or defaults.get(it.task, ("category", "summary"))
        body = _json({key: self._object_value(key) for key in keys})
        chance = self._knowing.dice("wrapping").random()
        if it.manner.only or self._request.json_mode or chance < 0.5:
            return body
        fenced = f"```json\n{body}\n```"
        return fenced if chance < 0.8 else f"Here is the JSON for this message:\n\n{fenced}"

    def _object_value(self, key: str) -> Any:
        value = self.field(key)
        if value is not None:
            return value
        word = (self._absent() or "null").lower()
        return None if word == "null" else "" if "empty" in word else word

    def _summary(self) -> str:
        core = self._knowing.summary()
        if self._it.manner.brief:
            return core
        about = self._knowing.dice("summary").choice(TOPICS[self._knowing.category()].about)
        return f"In short, the customer {about}: {core}"

    def _talk(self) -> str:
        if self._it.manner.brief:
            return "I am a practice model; I only know support messages."
        return (
            "I am Pressmark's practice model. I learned from a few hundred support messages: give me one, and I can "
            "classify it, take its order number and urgency, summarise it, or draft a reply. Anything else is beyond "
            "me; a real endpoint can do it."
        )

    def _whole(self) -> str:
        return "\n".join(content_text(message.get("content")) for message in self._request.messages)

    def _criteria(self, before: str) -> judging.Criteria:
        """What to judge by; ``before`` is all that stands before the outputs."""
        reference = cues.REFERENCE.search(before)
        asked = list(cues.REQUEST.finditer(before))
        source = before[asked[0].end() if asked else 0 : reference.start() if reference else None]
        return judging.Criteria(
            source=source,
            reference=reference["text"].strip() if reference else "",
            label=self._knowing.likely(source, find_labels(source) or CATEGORIES),
            short=self._it.manner.brief,
        )

    def _winner(self) -> str:
        before, outputs = judging.two_outputs(self._whole())
        return judging.preferred(outputs, self._criteria(before)) if outputs else "tie"

    def _comparison(self) -> str:
        winner = self._winner()
        if self._it.manner.brief:
            return winner
        if winner == "tie":
            return "Tie: neither answer is clearly more relevant, polite or fitting in length."
        return f"{winner}\n\nIt is closer to the message, more polite, or nearer to a fitting length."

    def _score(self) -> float | int:
        whole = self._whole()
        marks = list(cues.OUTPUT.finditer(whole))
        output, source = self._it.text, self._it.instructions
        if marks:
            output = judging.until_question(re.sub(r"</\w+>.*", "", whole[marks[-1].end() :], flags=re.DOTALL))
            source = whole[: marks[-1].start()]
        return judging.scale_of(self._it.instructions).place(
            judging.quality(output.strip(" \n\"'`"), self._criteria(source))
        )

    def _grade(self) -> str:
        score = self._score()
        if self._it.manner.brief:
            return str(score)
        return f"Score: {score}\n\nThis counts relevance, politeness and length only: I am a practice model."


def _title(key: str) -> str:
    return key.replace("_", " ").capitalize()
