"""One recorded call of a model, in whatever form a log has it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_USER: Final = ("user", "human")
_ANSWERING: Final = ("assistant", "ai", "model")


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """What a log tells of one call.

    Attributes:
        variables: What filled the prompt, where it is recorded.
        said: What the user said; None where it is not recorded.
        output: What the model answered; None where it is not recorded.
        model: The served model, else the one asked for.
        prompt: The prompt's name.
        prompt_version: Its version, as the log writes it.
        trace: The trace's id.
        time: When it began, as ISO 8601.
    """

    variables: Mapping[str, Any] | None = None
    said: str | None = None
    output: str | None = None
    model: str | None = None
    prompt: str | None = None
    prompt_version: str | None = None
    trace: str | None = None
    time: str | None = None

    @property
    def usable(self) -> bool:
        """Whether anything of what filled the prompt is there."""
        return bool(self.variables) or bool(self.said)


def parsed(value: Any) -> Any:
    """Return what a JSON text stands for; what is none stays as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "[", '"'):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def user_text(value: Any) -> str | None:
    """Return what the user said: of messages the user's, else the text or JSON itself."""
    messages = _messages(parsed(value))
    if messages is None:
        return text_of(parsed(value))
    told = [content for role, content in messages if role in _USER and content]
    return "\n\n".join(told) or None


def answer_text(value: Any) -> str | None:
    """Return what the model answered: of messages the last of its own, else the text or JSON itself."""
    found = parsed(value)
    if isinstance(found, Mapping) and isinstance(choices := found.get("choices"), list) and choices:
        found = choices[0].get("message", choices[0]) if isinstance(choices[0], Mapping) else choices[0]
    messages = _messages(found)
    if messages is None:
        return text_of(found)
    told = [content for role, content in messages if role in _ANSWERING and content]
    return told[-1] if told else messages[-1][1] or None


def text_of(value: Any) -> str | None:
    """Return a value as text: a text as it is, what says nothing as None, anything else as JSON."""
    if value is None or (isinstance(value, str | Mapping | list) and not value):
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def first_text(told: Mapping[str, Any], *names: str) -> str | None:
    """Return the first of these that says something, as text."""
    return next((text for name in names if (text := text_of(told.get(name)))), None)


def mapping(value: Any) -> Mapping[str, Any] | None:
    """Return what is an object with something in it, also as JSON text; else None."""
    found = parsed(value)
    return found if isinstance(found, Mapping) and found else None


def _messages(value: Any) -> list[tuple[str, str]] | None:
    """Role and text of messages; None where these are none."""
    if isinstance(value, Mapping):
        if isinstance(value.get("messages"), list):
            value = value["messages"]
        elif "role" in value and _content(value) is not None:
            value = [value]
    if not isinstance(value, list) or not value:
        return None
    if not all(isinstance(message, Mapping) and isinstance(message.get("role"), str) for message in value):
        return None
    return [(message["role"].lower(), text_of(_content(message)) or "") for message in value]


def _content(message: Mapping[str, Any]) -> Any:
    """What a message says: its text, else the tools that it calls."""
    content = message.get("content", message.get("parts"))
    if isinstance(content, list):
        texts = list(_texts(content))
        content = "\n".join(texts) if texts else content
    return content or message.get("tool_calls") or content


def _texts(parts: Sequence[Any]) -> Iterator[str]:
    for part in parts:
        told = part if isinstance(part, str) else None
        if isinstance(part, Mapping) and part.get("type", "text") in ("text", "input_text", "output_text"):
            told = part.get("text", part.get("content"))
        if isinstance(told, str):
            yield told
