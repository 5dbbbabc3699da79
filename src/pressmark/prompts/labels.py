"""Where labels stand, and the position of a registry in its own history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from pressmark.face import Faced
from pressmark.prompts.frozen import Immutable
from pressmark.prompts.quoting import shown

TYPE_CHECKING = False  # as typing's, without its import
if TYPE_CHECKING:
    from pressmark.face.forms import Face


@dataclass(frozen=True, slots=True)
class LabelPointer(Faced, Immutable):
    """A label of a prompt and the version that it points to.

    Attributes:
        name: The prompt's name.
        label: The label.
        number: Number of the version in the registry.
        digest: Digest of that version.
        seq: Sequence number of the move that put it there.
        moved_at: When, in UTC.
        moved_by: Who moved it.
        reason: Why.
    """

    name: str
    label: str
    number: int
    digest: str
    seq: int
    moved_at: datetime
    moved_by: str
    reason: str

    @property
    def version(self) -> str:
        """How the registry writes the number, such as `v3`; the same as a published version's `version`."""
        return f"v{self.number}"

    def __repr__(self) -> str:
        return (
            f"<LabelPointer {self.label} of {self.name} at {self.version}, moved {self.moved_at:%Y-%m-%d %H:%M} UTC by"
            f" {self.moved_by}: {shown(self.reason)}>"
        )

    def _face(self) -> Face:
        from pressmark.face.forms import Face

        moved = f"moved {self.moved_at:%Y-%m-%d %H:%M} UTC by {self.moved_by}: {self.reason}"
        return Face(f"{self.label} of {self.name} holds {self.version}", [moved, self.digest])


class Position(NamedTuple):
    """A point in a registry's history; comparable within one registry.

    Attributes:
        registry: The registry's id.
        epoch: Counts restores from a backup.
        seq: Sequence number of the newest change.
    """

    registry: str
    epoch: int
    seq: int
