"""Where a dataset came from: imported, corrected by hand, drawn from another one, or a part of a split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pressmark.prompts import FrozenDict, freeze, thaw

Kind = Literal["rows", "sql", "logs", "unique", "sample", "correction", "split"]
Part = Literal["", "train", "holdout"]

TRAIN: Final = "train"
HOLDOUT: Final = "holdout"


@dataclass(frozen=True, slots=True)
class Origin:
    """What is remembered of a dataset's making; no part of its digest.

    Attributes:
        kind: How it was made.
        parent: Digest of the dataset that it was made of; empty where it was imported.
        part: `train` or `holdout` of a split, also of what was corrected in such a part; else empty.
        told: In a sentence: what was left out, drawn or changed.
        changes: Of a correction, each cell: `row`, `column`, `before`, `after`, and `message` where there is one.
    """

    kind: Kind = "rows"
    parent: str = ""
    part: Part = ""
    told: str = ""
    changes: tuple[FrozenDict, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form of what is told; parent and part are kept beside it."""
        told: dict[str, Any] = {"kind": self.kind, "told": self.told}
        return told | ({"changes": [thaw(change) for change in self.changes]} if self.changes else {})

    @classmethod
    def from_dict(cls, told: Mapping[str, Any], parent: str, part: Part) -> Origin:
        """Read the JSON form."""
        changes = tuple(freeze(change) for change in told.get("changes", ()))
        return cls(told.get("kind", "rows"), parent, part, told.get("told", ""), changes)
