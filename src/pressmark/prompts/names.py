"""Names of prompts, labels and variables, and the patterns that scopes match names with."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from pressmark.errors import InvalidNameError
from pressmark.prompts.quoting import shown, with_article

_SEGMENT = r"[a-z0-9]+(?:[._-][a-z0-9]+)*"
_NAME = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")
_LABEL = re.compile(_SEGMENT)
_PATTERN = re.compile(r"[a-z0-9._/*-]+")
# These would be taken for a version.
_NUMBER = re.compile(r"v?[0-9]+")
MAX_NAME = 200
MAX_LABEL = 36
LATEST = "latest"
# Words of the template language; `self` and `loop` mean something in it.
RESERVED_NAMES: Final = frozenset(
    "and else false False if in is loop none None not or self true True".split()  # noqa: SIM905 - reads better
)


def check_name(name: object, what: str = "prompt name") -> str:
    """Return the name when it is well formed: segments of lower-case letters and digits joined by `. _ -` and `/`.

    Args:
        name: The name to check, 200 characters at most.
        what: What the error calls it.

    Raises:
        InvalidNameError: The name is of another form; the message shows a form that would do, where there is one.
    """
    if isinstance(name, str) and len(name) <= MAX_NAME and _NAME.fullmatch(name):
        return name
    if isinstance(name, str) and len(name) > MAX_NAME:
        raise InvalidNameError(
            f"the {what} has {len(name):,} characters; at most {MAX_NAME} are allowed: shorten it", field="name"
        )
    raise InvalidNameError(
        f"{shown(name, MAX_NAME + 2)} cannot be {with_article(what)}: use lower-case letters and digits, joined by '.',"
        " '_', '-' or '/'" + _proposal(name),
        field="name",
    )


def check_label(label: object, *, movable: bool = False) -> str:
    """Return the label when it is well formed: one segment of a name, 36 characters at most, and no version's number.

    Args:
        label: The label to check.
        movable: Also refuse `latest`, which moves by itself.

    Raises:
        InvalidNameError: The label is of another form, or reserved.
    """
    if not (isinstance(label, str) and len(label) <= MAX_LABEL and _LABEL.fullmatch(label)):
        raise InvalidNameError(
            f"{shown(label)} cannot be a label: use lower-case letters and digits"
            f" joined by '.', '_' or '-', at most {MAX_LABEL} characters, such as 'production'",
            field="label",
        )
    if _NUMBER.fullmatch(label):
        raise InvalidNameError(
            f"{label!r} cannot be a label, since it reads like a version's number: use a word, such as 'production'",
            field="label",
        )
    if movable and label == LATEST:
        raise InvalidNameError(
            "'latest' always points to the newest published version and cannot be moved: choose another label,"
            " such as 'staging'",
            field="label",
        )
    return label


def check_variable(name: object, field: str = "variables") -> str:
    """Return the name when a template's variable can have it.

    Args:
        name: The name to check.
        field: The part of the unit that holds it.

    Raises:
        InvalidNameError: It is no identifier, or a word of the template language.
    """
    if said := variable_problem(name):
        raise InvalidNameError(said, field=field)
    return str(name)


def variable_problem(name: object) -> str | None:
    """Say why a template's variable cannot have the name, and what to do; None where it can."""
    if not isinstance(name, str) or not name.isidentifier():
        return f"{shown(name)} cannot be a variable's name: use letters, digits and '_', not starting with a digit"
    if name in RESERVED_NAMES:
        return f"{shown(name)} cannot be a variable's name, since it is a word of the template language: rename it"
    if name.startswith("_"):
        return f"{shown(name)} cannot be a variable's name, since it starts with '_': rename it"
    if not name.isascii():
        import unicodedata

        # Python takes two spellings for one name, so two variables would become one.
        if (normal := unicodedata.normalize("NFKC", name)) != name:
            return f"{shown(name)} is not in its normal Unicode form: write {shown(normal)}"
    return None


def check_pattern(pattern: object) -> str:
    """Return the pattern when names could match it.

    Raises:
        InvalidNameError: It holds what no name holds.
    """
    if isinstance(pattern, str) and len(pattern) <= MAX_NAME and _PATTERN.fullmatch(pattern):
        return pattern
    raise InvalidNameError(
        f"{shown(pattern)} cannot be a pattern of names: use a name in which '*'"
        f" stands for a part of a segment and '**' for whole segments, at most {MAX_NAME} characters, such as"
        " 'support/*'",
        field="name",
    )


def matches(pattern: str, name: str) -> bool:
    """Say whether a name fits a pattern; `*` stays within a segment, `**` crosses `/`.

    The time grows with the name's length times the pattern's, whatever the pattern: subscriptions bring their own,
    and a regular expression of many stars would take for ever.
    """
    if "*" not in pattern:
        return name == pattern
    steps = _steps(pattern)
    # Bit k says that the first k steps of the pattern fit what was read of the name; a star may also fit nothing.
    fits = _skip_stars(1, steps.stars)
    for character in name:
        fits = (fits & steps.of.get(character, 0)) << 1 | fits & (steps.deep if character == "/" else steps.stars)
        fits = _skip_stars(fits, steps.stars)
        if not fits:
            return False
    return bool(fits >> steps.count & 1)


class _Steps:
    """A pattern taken apart; bit k of a set stands for its step k.

    Attributes:
        count: The number of steps.
        of: For each character, the steps that are that character.
        stars: The steps that are `*` or `**`.
        deep: The steps that are `**`.
    """

    __slots__ = ("count", "deep", "of", "stars")

    def __init__(self, pattern: str) -> None:
        parts = re.findall(r"\*\*+|\*|[^*]", pattern)
        self.count = len(parts)
        self.of: dict[str, int] = {}
        self.stars = self.deep = 0
        for place, part in enumerate(parts):
            if part[0] != "*":
                self.of[part] = self.of.get(part, 0) | 1 << place
                continue
            self.stars |= 1 << place
            self.deep |= (len(part) > 1) << place


@lru_cache(maxsize=1024)
def _steps(pattern: str) -> _Steps:
    return _Steps(pattern)


def _skip_stars(fits: int, stars: int) -> int:
    # Two stars never follow each other, so one step of skipping is enough.
    return fits | (fits & stars) << 1


def _proposal(name: object) -> str:
    if not isinstance(name, str):
        return ""
    proposal = re.sub(r"[^a-z0-9/._-]+", "-", name.lower())
    proposal = re.sub(r"[._-]*/[/._-]*", "/", proposal)
    proposal = re.sub(r"([._-])[._-]+", r"\1", proposal).strip("/._-")[:MAX_NAME]
    return f", such as {proposal!r}" if _NAME.fullmatch(proposal) else ""
