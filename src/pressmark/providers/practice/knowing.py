"""What the model knows of one message under one prompt: its category, urgency, order number and other fields."""

from __future__ import annotations

import hashlib
import math
import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pressmark.providers.practice import cues, extraction, replies
from pressmark.providers.practice.knowledge import TOPICS, URGENCY_WORDS
from pressmark.providers.practice.labels import lessons_about, normal_form
from pressmark.providers.practice.learner import Learner, Lesson, probabilities
from pressmark.providers.practice.messages import CATEGORIES, URGENCIES
from pressmark.providers.practice.reading import Assignment, Task
from pressmark.providers.practice.words import concepts, content_words, words

# How much of the noise that temperature brings reaches a label; wording is drawn anew, a label seldom turns.
_HEAT = 0.15
_NOWHERE = 1e-6


class Knowing:
    """One call.

    Args:
        topics: The learner of categories.
        urgencies: The learner of urgency.
        assignment: The prompt, understood.
        temperature: Above 0, wording varies and close calls may turn.
        draw: What decides between variants above temperature 0.
    """

    def __init__(
        self, topics: Learner, urgencies: Learner, assignment: Assignment, temperature: float, draw: str
    ) -> None:
        self._topics = topics
        self._urgencies = urgencies
        self._it = assignment
        self._temperature = temperature
        self._draw = draw if temperature else ""
        self._form = extraction.number_form(assignment.instructions)

    def dice(self, purpose: str) -> random.Random:
        """Chance that is fixed by message, purpose and, above temperature 0, the draw."""
        told = "\0".join((purpose, self._it.text, self._draw))
        seed = hashlib.blake2b(told.encode("utf-8", "replace"), digest_size=8).digest()
        return random.Random(seed)  # noqa: S311  # it picks wordings, not secrets

    def label(self) -> str:
        """The category: a listed label, or a name of the model's own when the prompt lists none."""
        if not self._it.labels:
            return self.dice("name").choice(TOPICS[self.category()].names)
        it = self._it
        taught = self._topics.taught(it.text, it.lessons)
        chances = probabilities(self._topics.logits(it.text, it.lessons))
        logits = {}
        for label in it.labels:
            said = " ".join(lesson.text for lesson in it.lessons if lesson.label == label and not lesson.is_example)
            logits[label] = math.log(self.chance(label, said, chances, it.text)) + taught.get(label, 0.0)
        return _best(self._warmed(logits, "label"))

    def category(self) -> str:
        """The shipped category that fits best, whatever the prompt calls it."""
        stated = re.search(r"\bcategory\W{1,3}(?P<name>[\w -]+)", self._it.instructions, re.IGNORECASE)
        if stated and self._it.task is Task.REPLY:
            for name in CATEGORIES:
                if normal_form(stated["name"]) == normal_form(name):
                    return name
        return _best(self._warmed(self._topics.logits(self._it.text, self._it.lessons), "category"))

    def confidence(self) -> float:
        """The highest probability among the shipped categories."""
        return round(max(probabilities(self._topics.logits(self._it.text, self._it.lessons)).values()), 2)

    def likely(self, text: str, labels: Sequence[str]) -> str:
        """The label that the model would give ``text`` with nothing but the labels told."""
        chances = probabilities(self._topics.logits(text))
        return max(labels, key=lambda label: self.chance(label, "", chances, text))

    def chance(self, label: str, said: str, chances: Mapping[str, float], text: str) -> float:
        """How likely ``label`` is, by what it means in terms of the shipped categories.

        Args:
            label: The label.
            said: What the prompt says of it.
            chances: The probability of each shipped category.
            text: The message.

        Returns:
            A probability above 0.
        """
        name = normal_form(label)
        for category in CATEGORIES:
            if normal_form(category) == name:
                return max(chances[category], _NOWHERE)
        if cues.CATCH_ALL.match(label):
            return 0.02 if sounds_like_support(text) else 0.9
        meaning = {key: float(len(content_words(name) & content_words(topic.cues))) for key, topic in TOPICS.items()}
        if not any(meaning.values()) and any(concepts(words(f"{name} {said}"))):
            meaning = probabilities(self._topics.logits(f"{name} {said}"))
        total = sum(meaning.values())
        if not total:
            return 0.01
        return max(sum(chances[key] * weight for key, weight in meaning.items()) / total, _NOWHERE)

    def _warmed(self, logits: dict[str, float], purpose: str) -> dict[str, float]:
        """Logits with the noise that temperature brings."""
        if not self._temperature:
            return logits
        dice, heat = self.dice("heat " + purpose), _HEAT * self._temperature
        return {
            name: value - heat * math.log(-math.log(dice.uniform(1e-9, 1 - 1e-9))) for name, value in logits.items()
        }

    def urgency(self, levels: Sequence[str]) -> str:
        """How urgent the message is: one of ``levels``, or the model's own words when there are none."""
        lessons = tuple(
            Lesson(URGENCIES[extraction.rank_on(lesson.label, levels)], lesson.text, is_example=False)
            for lesson in lessons_about(self._it.instructions, tuple(levels))
        )
        best = _best(self._warmed(extraction.urgency(self._it.text, self._urgencies, lessons), "urgency"))
        if not levels:
            return self.dice("urgency").choice(URGENCY_WORDS[best])
        return extraction.on_scale(URGENCIES.index(best), levels)

    def order_number(self) -> str | None:
        """The order number in the message, in the form that the prompt shows."""
        return extraction.order_number(self._it.text, self._form)

    def reply(self) -> str:
        """A reply to the customer."""
        return replies.draft(
            self.category(), self._it.text, self.order_number(), self._it.instructions, self.dice("reply")
        )

    def reason(self) -> str:
        """Why: the words that the model goes by."""
        return f"The decisive words are: \u201c{extraction.summary(self._it.text, 14)}\u201d"

    def summary(self, described: str = "") -> str:
        """The message in one sentence of its own, no longer than the prompt allows."""
        limit = re.search(r"\b(\d+) words?\b", f"{described} {self._it.instructions}")
        return extraction.summary(self._it.text, int(limit[1]) if limit else 0)

    def field(self, name: str, values: tuple[str, ...] = (), described: str = "") -> Any:
        """What the model knows of a field.

        Args:
            name: The field's name, in any spelling.
            values: The words that it may have; empty for any.
            described: What a schema says about it.

        Returns:
            Text, a number, a truth value, or None where nothing is known.
        """
        key = normal_form(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
        if key in cues.CATEGORY_FIELDS or (values and values == self._it.labels):
            return self.label()
        if key in cues.URGENCY_FIELDS or key.startswith("urgency"):
            return self.urgency(values or self._it.levels)
        if "order" in key.split() or key in {"orderid", "ordernumber", "orderno"}:
            form = extraction.number_form(described)
            return extraction.order_number(self._it.text, form if form.explained else self._form)
        if any(part in key for part in ("human", "escalat", "urgent")):
            return self.urgency(URGENCIES) == "high"
        match key:
            case "summary" | "subject" | "title" | "gist" | "headline":
                return self.summary(described)
            case "reply" | "response" | "answer" | "draft" | "email" | "message":
                return self.reply()
            case "reason" | "explanation" | "rationale" | "why" | "reasoning":
                return self.reason()
            case "confidence":
                return self.confidence()
            case "language":
                return _spelled(extraction.language(self._it.text), values)
            case "sentiment" | "mood" | "tone":
                return _spelled(extraction.sentiment(self._it.text), values)
        return None


def sounds_like_support(text: str) -> bool:
    """Whether ``text`` sounds like something that a customer writes."""
    return len(set(concepts(words(text)))) >= 2


def _best(logits: Mapping[str, float]) -> str:
    return max(logits, key=lambda name: logits[name])


def _spelled(word: str, values: tuple[str, ...]) -> str:
    """``word`` as one of ``values`` spells it, such as `de` for German."""
    return next((value for value in values if normal_form(value)[:2] == normal_form(word)[:2]), word)
