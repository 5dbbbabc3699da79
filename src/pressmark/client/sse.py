"""The syntax of server-sent events, read from whatever pieces the network gives."""

from __future__ import annotations

from typing import Final, NamedTuple

from pressmark.client.answers import malformed

MAX_EVENT: Final = 64 * 1024 * 1024


class Event(NamedTuple):
    """One event: its kind, its id and its data."""

    kind: str
    id: str
    data: str


class EventReader:
    """Puts events together; a piece may end anywhere, in the middle of a character too."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[Event]:
        """Return the events that the piece completes.

        Raises:
            RegistryError: An event is longer than any that a registry sends, or not text.
        """
        # A CR at the very end may be half of a CR LF: it waits for the next piece.
        text = self._rest + piece
        held = b"\r" if text.endswith(b"\r") else b""
        text = text[: len(text) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *blocks, rest = text.split(b"\n\n")
        self._rest = rest + held
        if len(self._rest) > MAX_EVENT:
            raise malformed(f"an event has more than {MAX_EVENT:,} bytes")
        return [event for block in blocks if (event := _event(block)) is not None]


def _event(block: bytes) -> Event | None:
    kind, event_id, data = "message", "", []
    try:
        lines = block.decode().split("\n")
    except UnicodeDecodeError:
        raise malformed("an event is not UTF-8 text") from None
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            kind = value
        elif field == "id":
            event_id = value
        elif field == "data":
            data.append(value)
    return Event(kind, event_id, "\n".join(data)) if data or kind != "message" else None
