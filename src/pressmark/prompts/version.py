"""A version: a unit under a name, with its history."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pressmark.errors import VersionNotFoundError
from pressmark.prompts.frozen import Immutable
from pressmark.prompts.quoting import shown
from pressmark.prompts.unit import Unit

StoreKind = Literal["workspace", "registry"]
_MARKS: dict[str, str] = {"workspace": "#", "registry": "v"}
_REFERENCE = re.compile(r"([#v])([0-9]{1,15})")
_DIGEST = re.compile(r"sha256:[0-9a-f]{8,64}")


@dataclass(frozen=True, slots=True)
class Version(Immutable):
    """An immutable version of a prompt.

    Attributes:
        name: The prompt's name.
        number: Its number in the store that gave it, from 1.
        unit: What it says.
        digest: `sha256:` of the unit's canonical bytes; equal in every store.
        message: The change message.
        author: Who saved or published it.
        created_at: When, in UTC.
        store: Which kind of store the number belongs to.
        parent: The number that it was made from, or None for the first.
        restores: The number of the older version that it equals, or None.
    """

    name: str
    number: int
    unit: Unit
    digest: str
    message: str
    author: str
    created_at: datetime
    store: StoreKind = "workspace"
    parent: int | None = None
    restores: int | None = None

    @property
    def version(self) -> str:
        """How the store writes the number: `#12` in a workspace, `v3` in a registry."""
        return written(self.store, self.number)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def written(store: StoreKind, number: int) -> str:
    """Return a version's number as its store writes it."""
    return f"{_MARKS[store]}{number}"


def parse_number(reference: object, store: StoreKind) -> int | None:
    """Return the number that `#12` or `v3` names, or None where the reference is a label or digest.

    Raises:
        VersionNotFoundError: It is a bare number, or a number of the other kind of store.
    """
    mark = _MARKS[store]
    if isinstance(reference, str) and (found := _REFERENCE.fullmatch(reference)):
        number = int(found[2])
        if found[1] == mark and number:
            return number
        if found[1] == mark:
            raise VersionNotFoundError(f"{reference!r} names no version, since the first one is {mark}1: write that")
        other = "registry" if store == "workspace" else "workspace"
        raise VersionNotFoundError(
            f"{reference!r} is a {other} version, and this is a {store}: write {mark}… or the digest"
        )
    if not isinstance(reference, str) or not reference.strip() or reference.isdecimal():
        example = reference if str(reference).isdecimal() and len(str(reference)) < 10 else 3
        raise VersionNotFoundError(
            f"{shown(reference)} does not name a version: write '{mark}{example}', a label or a digest"
        )
    return None


def is_digest(reference: str) -> bool:
    """Say whether the reference is a digest, whole or shortened to 8 hex digits or more."""
    return _DIGEST.fullmatch(reference) is not None
