"""Turn a text into weighted features: words, pairs of words, pieces of words, and the concepts they express.

The concepts (concepts.txt) are the practice model's only general knowledge: groups of words that mean nearly the same
at a support desk ("cracked", "dented", "kaputt"), so that a message can be understood whose exact words were never seen
in training.
"""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from importlib.resources import files
from types import MappingProxyType

_COMMON = frozenset(
    re.findall(
        r"\S+",
        """
        the a an and or of to in on for it is i my me we you your that this was with at be have has are as so but from
        by do does can could would please hello hi hey good morning day afternoon dear thanks thank there's will been
        they them our us if then than just only also no not yes there here am
        """,
    )
)
_WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*|\d+")
_ENDINGS = ("ations", "ation", "ings", "ing", "ies", "ied", "ed", "es", "ly", "s", "e", "y")


def plain(text: str) -> str:
    """Lower-case ``text`` and take accents off its letters."""
    decomposed = unicodedata.normalize("NFKD", text.lower().replace("\u2019", "'"))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def words(text: str) -> list[str]:
    """Words and numbers of ``text``, in order, in plain lower case."""
    return _WORD.findall(plain(text))


def content_words(text: str) -> set[str]:
    """The stems of the words that carry meaning, for comparing two texts."""
    return {stem(word) for word in words(text) if word not in _COMMON and len(word) > 2}


def stem(word: str) -> str:
    """Cut a common English ending off, if at least three letters remain."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


@functools.cache
def _index() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """The phrases of concepts.txt with their concepts, by their first three letters."""
    index: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    listed = re.sub(r"\n +", " ", files(__package__).joinpath("concepts.txt").read_text("utf-8"))
    for line in listed.splitlines():
        if line.startswith("#"):
            continue
        concept, _, phrases = line.partition(":")
        for phrase in phrases.split(","):
            pattern = tuple(phrase.split())
            index.setdefault(pattern[0].rstrip("*")[:3], []).append((pattern, concept))
    return index


def _matches(pattern: tuple[str, ...], tokens: list[str], at: int) -> bool:
    """Whether ``pattern`` stands in ``tokens`` from ``at``; a lone ``*`` spans up to three words."""
    if not pattern:
        return True
    if pattern[0] == "*":
        return any(_matches(pattern[1:], tokens, at + skip) for skip in range(4))
    if at >= len(tokens):
        return False
    part, token = pattern[0], tokens[at]
    fits = token.startswith(part[:-1]) if part.endswith("*") else token == part
    return fits and _matches(pattern[1:], tokens, at + 1)


def concepts(tokens: list[str]) -> Iterator[str]:
    """The concepts that ``tokens`` express, one for each phrase found."""
    index = _index()
    for at, token in enumerate(tokens):
        for pattern, concept in index.get(token[:3], ()):
            if _matches(pattern, tokens, at):
                yield concept


@functools.lru_cache(maxsize=4096)
def features(text: str) -> Mapping[str, float]:
    """Weighted features of ``text``.

    A word weighs 1, a pair of neighbours 0.7, a piece of four letters 0.35 (pieces survive misspellings), a concept
    0.6: the learner trusts what it saw more than what it could know, until a prompt says what matters. Numbers are
    left out: they name orders, not topics.
    """
    tokens = [word for word in words(text) if not word.isdigit()]
    stems = [stem(word) for word in tokens]
    found: defaultdict[str, float] = defaultdict(float)
    for word, root in zip(tokens, stems, strict=True):
        if word in _COMMON:
            continue
        found["word " + root] += 1.0
        if len(word) > 3:
            padded = f"<{word}>"
            for start in range(len(padded) - 3):
                found["piece " + padded[start : start + 4]] += 0.35
    for first, second in itertools.pairwise(stems):
        found[f"pair {first} {second}"] += 0.7
    for concept in concepts(tokens):
        found["concept " + concept] += 0.6
    return MappingProxyType(found)
