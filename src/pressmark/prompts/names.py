"""Names of prompts and labels, and the patterns that scopes match them with."""

from __future__ import annotations

import re
from functools import lru_cache

from pressmark.errors import InvalidNameError

_SEGMENT = r"[a-z0-9]+(?:[._-][a-z0-9]+)*"
_NAME = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")
_LABEL = re.compile(_SEGMENT)
MAX_NAME = 200
MAX_LABEL = 36
LATEST = "latest"


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
            f"the {what} has {len(name)} characters; at most {MAX_NAME} are allowed: shorten it", field="name"
        )
    raise InvalidNameError(
        f"{name!r} cannot be a {what}: use lower-case letters and digits, joined by '.', '_', '-' or '/'"
        + _proposal(name),
        field="name",
    )


def check_label(label: object, *, movable: bool = False) -> str:
    """Return the label when it is well formed: one segment of a name, 36 characters at most.

    Args:
        label: The label to check.
        movable: Also refuse `latest`, which moves by itself.

    Raises:
        InvalidNameError: The label is of another form, or reserved.
    """
    if not (isinstance(label, str) and len(label) <= MAX_LABEL and _LABEL.fullmatch(label)):
        raise InvalidNameError(
            f"{label!r} cannot be a label: use lower-case letters and digits joined by '.', '_' or '-',"
            f" at most {MAX_LABEL} characters, such as 'production'",
            field="label",
        )
    if movable and label == LATEST:
        raise InvalidNameError(
            "'latest' always points to the newest published version and cannot be moved: choose another label,"
            " such as 'staging'",
            field="label",
        )
    return label


def matches(pattern: str, name: str) -> bool:
    """Say whether a name fits a pattern; `*` stays within a segment, `**` crosses `/`."""
    return _compiled(pattern).fullmatch(name) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*|\*)", pattern)
    return re.compile("".join({"**": ".*", "*": "[^/]*"}.get(part) or re.escape(part) for part in parts))


def _proposal(name: object) -> str:
    if not isinstance(name, str):
        return ""
    proposal = re.sub(r"[^a-z0-9/._-]+", "-", name.lower())
    proposal = re.sub(r"[._-]*/[/._-]*", "/", proposal)
    proposal = re.sub(r"([._-])[._-]+", r"\1", proposal).strip("/._-")[:MAX_NAME]
    return f", such as {proposal!r}" if _NAME.fullmatch(proposal) else ""
