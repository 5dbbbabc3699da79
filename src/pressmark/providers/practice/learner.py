"""The learner: complement naive Bayes over weighted features, and what a single prompt can teach it.

It is trained once on the shipped ``train`` messages. A prompt that defines its labels or shows examples adds evidence
for that call only: an example counts by its likeness to the message, a definition by the concepts they share.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pressmark.providers.practice.words import features

Vector = Mapping[str, float]

# How sharply scores become probabilities; chosen on the train messages alone, by leaving each fourth out.
_SHARPNESS = 30.0
# How much a prompt can teach; set so that its definitions and examples move some ten points of accuracy, no more.
_FULL = 6.0
_EXAMPLE_WEIGHT = 2.0
_DEFINITION_WEIGHT = 6.0


@dataclass(frozen=True, slots=True)
class Lesson:
    """Something that a prompt teaches about one label.

    Attributes:
        label: The label that it speaks for.
        text: An example message, or the words of a definition.
        is_example: Whether ``text`` is a message rather than a description.
    """

    label: str
    text: str
    is_example: bool


class Learner:
    """A classifier that is trained once and read by many calls.

    Args:
        rows: Texts with their classes.
    """

    def __init__(self, rows: Iterable[tuple[str, str]]) -> None:
        documents = [(features(text), name) for text, name in rows]
        seen = Counter(key for found, _ in documents for key in found)
        self._unseen = math.log(len(documents) + 1)
        self._rarity = {key: math.log((len(documents) + 1) / (count + 0.5)) for key, count in seen.items()}
        self.classes = tuple(sorted({name for _, name in documents}))
        self._weights = self._fit([(self.vector(found), name) for found, name in documents])

    def _fit(self, documents: Sequence[tuple[Vector, str]]) -> dict[str, dict[str, float]]:
        """Complement naive Bayes: what speaks for a class is what is rare in all the others."""
        total: defaultdict[str, float] = defaultdict(float)
        inside: dict[str, defaultdict[str, float]] = {name: defaultdict(float) for name in self.classes}
        for vector, name in documents:
            for key, value in vector.items():
                total[key] += value
                inside[name][key] += value
        mass = sum(total.values())
        weights = {}
        for name in self.classes:
            own = inside[name]
            outside = mass - sum(own.values()) + len(total)
            raw = {key: -math.log((value - own[key] + 1) / outside) for key, value in total.items()}
            scale = len(total) / sum(map(abs, raw.values()))
            weights[name] = {key: value * scale for key, value in raw.items()}
        return weights

    def vector(self, found: Mapping[str, float]) -> dict[str, float]:
        """Features weighted by rarity and scaled to length 1."""
        weighted = {key: math.log1p(value) * self._rarity.get(key, self._unseen) for key, value in found.items()}
        length = math.sqrt(sum(value * value for value in weighted.values())) or 1.0
        return {key: value / length for key, value in weighted.items()}

    def logits(self, text: str, lessons: Sequence[Lesson] = ()) -> dict[str, float]:
        """What training says about ``text``: one number a class, their mean 0.

        A concept that a lesson mentions counts in full: the prompt has said what to look for.
        """
        mentioned = {key for lesson in lessons for key in features(lesson.text) if key.startswith("concept ")}
        found = features(text)
        vector = self.vector({key: value * (_FULL if key in mentioned else 1) for key, value in found.items()})
        raw = {
            name: sum(value * weights.get(key, 0.0) for key, value in vector.items())
            for name, weights in self._weights.items()
        }
        middle = sum(raw.values()) / len(raw)
        return {name: _SHARPNESS * (value - middle) for name, value in raw.items()}

    def taught(self, text: str, lessons: Sequence[Lesson]) -> dict[str, float]:
        """What the lessons of one prompt say about ``text``: the strongest of each label, added up by kind."""
        best: dict[tuple[str, bool], float] = {}
        found = features(text)
        for lesson in lessons:
            weight = _EXAMPLE_WEIGHT if lesson.is_example else _DEFINITION_WEIGHT
            likeness = _likeness(self, found, features(lesson.text))
            key = (lesson.label, lesson.is_example)
            # Rising steeply towards 1, so that an example of the very same message decides.
            best[key] = max(best.get(key, 0.0), weight * likeness / (1.05 - likeness))
        total: dict[str, float] = {}
        for (label, _), value in best.items():
            total[label] = total.get(label, 0.0) + value
        return total


def _likeness(learner: Learner, first: Vector, second: Vector) -> float:
    """How much two texts share, concepts counted in full: between 0 and 1."""
    one, other = learner.vector(_with_concepts_in_full(first)), learner.vector(_with_concepts_in_full(second))
    return sum(value * other.get(key, 0.0) for key, value in one.items())


def _with_concepts_in_full(found: Vector) -> dict[str, float]:
    return {key: value * (8 if key.startswith("concept ") else 1) for key, value in found.items()}


def probabilities(logits: Mapping[str, float]) -> dict[str, float]:
    """The softmax of ``logits``."""
    top = max(logits.values())
    powers = {name: math.exp(value - top) for name, value in logits.items()}
    total = sum(powers.values())
    return {name: value / total for name, value in powers.items()}
