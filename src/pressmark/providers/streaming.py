"""A streamed answer, put together chunk by chunk into the form of one that came whole."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

# No chunk of a real answer comes near it; what is longer is no stream of events, and would fill the memory.
LONGEST_LINE = 16 * 1024 * 1024
_LINE_ENDS = re.compile(rb"[\r\n]+")
_PREFIX = "data:"
_FIELDS = ("event:", "id:", "retry:", ":")
_HEAD = ("id", "model", "system_fingerprint")


class NotAStreamError(ValueError):
    """A line or chunk that belongs to no streamed chat completion; the message says what it is."""


async def lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """The lines of a stream of server-sent events, without empty ones.

    They end with CR, LF or both (HTML Living Standard, 9.2.5); what else ends a line of text, such as U+2028, may stand
    within a chunk's JSON.

    Args:
        pieces: The response's body as it comes.

    Raises:
        NotAStreamError: A line does not end.
    """
    held = bytearray()
    async for piece in pieces:
        *whole, rest = _LINE_ENDS.split(piece)
        if whole:
            whole[0] = bytes(held) + whole[0]
            held.clear()
        held += rest
        if len(held) > LONGEST_LINE:
            raise NotAStreamError(f"a line of its stream is longer than {LONGEST_LINE >> 20} MiB")
        for line in whole:
            if line:
                yield line.decode(errors="replace")
    if held:
        yield held.decode(errors="replace")


class Assembly:
    """The parts of a streamed chat completion (server-sent events) that have come so far.

    Attributes:
        begun: Whether the first token is there.
        finished: Whether the answer is whole: the model said why it stopped, or the stream its last word.
        error: What the endpoint reported in mid-stream, or None.
    """

    def __init__(self) -> None:
        self.begun = self.finished = False
        self.error: Any = None
        self._head: dict[str, Any] = {}
        self._usage: Any = None
        self._message: dict[str, Any] = {"role": "assistant"}
        self._calls: dict[int, dict[str, Any]] = {}
        self._reason: Any = None

    def feed(self, line: str) -> None:
        """Take the next line of the stream.

        Raises:
            NotAStreamError: It is no line of a streamed chat completion.
        """
        if not line.strip() or line.startswith(_FIELDS):
            return
        if not line.startswith(_PREFIX):
            raise NotAStreamError("a line of its stream is no event")
        data = line[len(_PREFIX) :].strip()
        if data == "[DONE]":
            self.finished = True
            return
        try:
            chunk = json.loads(data)
        except ValueError:
            raise NotAStreamError("a chunk of its stream is not JSON") from None
        if not isinstance(chunk, dict):
            raise NotAStreamError("a chunk of its stream is no object")
        if chunk.get("error"):
            self.error = chunk["error"]
            return
        try:
            self._take(chunk)
        except (KeyError, TypeError, AttributeError, ValueError):
            raise NotAStreamError("a chunk of its stream holds no message") from None

    @property
    def text(self) -> str:
        """What of the answer's text is there; calls of tools as they are written."""
        calls = [f"{call['function']['name']}({call['function']['arguments']}" for call in self._calls.values()]
        return "\n".join([part for part in (self._message.get("content"),) if part] + calls)

    def whole(self) -> dict[str, Any]:
        """Return the body that an answer in one piece would have had."""
        message = dict(self._message)
        message.setdefault("content", None)
        if self._calls:
            message["tool_calls"] = [self._calls[index] for index in sorted(self._calls)]
        choice = {"index": 0, "message": message, "finish_reason": self._reason}
        return {**self._head, "choices": [choice], "usage": self._usage}

    def _take(self, chunk: dict[str, Any]) -> None:
        for name in _HEAD:
            if chunk.get(name) and name not in self._head:
                self._head[name] = chunk[name]
        if chunk.get("usage"):
            self._usage = chunk["usage"]
        for choice in chunk.get("choices") or ():
            if choice.get("index", 0) != 0:
                continue
            self._add(choice.get("delta") or {})
            if choice.get("finish_reason"):
                self._reason, self.finished = choice["finish_reason"], True

    def _add(self, delta: dict[str, Any]) -> None:
        for name, value in delta.items():
            if name == "tool_calls":
                for call in value or ():
                    self._add_call(call)
            elif name != "role" and isinstance(value, str):
                self._message[name] = self._message.get(name, "") + value
                self.begun = self.begun or bool(value)

    def _add_call(self, told: dict[str, Any]) -> None:
        call = self._calls.setdefault(
            int(told.get("index", len(self._calls))),
            {"id": None, "type": "function", "function": {"name": "", "arguments": ""}},
        )
        call["id"] = call["id"] or told.get("id")
        function = told.get("function") or {}
        call["function"]["name"] += function.get("name") or ""
        call["function"]["arguments"] += function.get("arguments") or ""
        self.begun = True
