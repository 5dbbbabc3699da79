"""What a client says about itself."""

from __future__ import annotations

from dataclasses import dataclass

from pressmark.errors import PressmarkError
from pressmark.face import Faced
from pressmark.prompts import Position

TYPE_CHECKING = False  # as typing's, without its import
if TYPE_CHECKING:
    from pressmark.face.forms import Face


@dataclass(frozen=True, slots=True)
class Status(Faced):
    """A client's state at one moment.

    Attributes:
        state: `starting` (no answer yet); `live` (the stream is open); `polling` (the registry answers, the stream is
            not open); `stale` (it does not answer, or its answers are refused: what is served is its last good word);
            `offline` (it was never heard: what is served is a snapshot, bundle or fallback, or nothing); `closed`.
        source: Where what is served came from: `live`, `snapshot`, `bundle`, `fallback`, or `none`.
        position: Registry, epoch and sequence number of what is served; None before there is any.
        age: Seconds since the registry last confirmed what is served; None where it never did.
        lag: Entries of the change log that the registry is known to be ahead.
        last_error: Why the registry was not heard, or a part of its answer left out; None while all is well.
        prompts: How many prompts are served, each label counted.
        removed: Labels that serve nothing any more, as `name@label`, each with `removed`, `unreadable` or `refused`.
        scope: The labels and name patterns that the client asks for.
        url: The registry.
    """

    state: str
    source: str
    position: Position | None
    age: float | None
    lag: int
    last_error: PressmarkError | None
    prompts: int
    removed: dict[str, str]
    scope: tuple[tuple[str, ...], tuple[str, ...]]
    url: str

    @property
    def seq(self) -> int | None:
        """Sequence number of what is served."""
        return self.position.seq if self.position else None

    def __str__(self) -> str:
        age = "never confirmed" if self.age is None else f"confirmed {self.age:.1f} s ago"
        prompts = "1 prompt" if self.prompts == 1 else f"{self.prompts} prompts"
        said = f"{self.state}: {prompts} from {self.source}, entry {self.seq}, {age}"
        return said + (f"; {self.last_error}" if self.last_error else "")

    def _face(self) -> Face:
        from pressmark.face.forms import Face, Table

        removed = [Table(("label", "why it serves nothing"), list(self.removed.items()))]
        scope = f"{self.url}: labels {', '.join(self.scope[0])}; names {', '.join(self.scope[1])}"
        return Face(str(self), [scope], tables=removed)
