"""An entry of the change log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from pressmark.face import Faced
from pressmark.prompts.frozen import FrozenDict, Immutable, freeze
from pressmark.prompts.quoting import shown

TYPE_CHECKING = False  # as typing's, without its import
if TYPE_CHECKING:
    from pressmark.face.forms import Face

GENESIS = "sha256:" + "0" * 64


@dataclass(frozen=True, slots=True)
class Entry(Faced, Immutable):
    """One change of a registry.

    Attributes:
        seq: Sequence number, from 1, without gaps.
        kind: `publish`, `move`, `rollback`, `policy`, …
        at: When, in UTC.
        actor: Who.
        reason: Why.
        data: What changed, as JSON.
        previous: Hash of the entry before it; `GENESIS` for the first.
        hash: Hash over all of the above.
    """

    seq: int
    kind: str
    at: datetime
    actor: str
    reason: str
    data: FrozenDict
    previous: str
    hash: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", freeze(self.data))

    def __repr__(self) -> str:
        from pressmark.prompts.sentences import entry_sentence

        said = entry_sentence(self)
        return f"<Entry {self.seq}: {said}, {self.at:%Y-%m-%d %H:%M} UTC by {self.actor}: {shown(self.reason)}>"

    def _face(self) -> Face:
        from pressmark.face.forms import Face
        from pressmark.prompts.sentences import entry_sentence

        said = f"{self.at:%Y-%m-%d %H:%M} UTC, {self.actor}: {self.reason}"
        return Face(f"{self.seq}: {entry_sentence(self)}", [said, self.hash])


def timestamp(at: datetime) -> str:
    """Return the time as it is hashed and sent: UTC, microseconds, `Z`.

    Raises:
        ValueError: The time has no zone, so that it would mean another moment on another machine.
    """
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone: give it one, such as datetime.now(UTC)")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
