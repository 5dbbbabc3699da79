"""The chat completion request, checked: what the practice model takes, and how it refuses the rest."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pressmark.providers.practice.schema import flaw

PRACTICE_MODEL = "pressmark-practice"
_LONGEST = 16_384  # tokens of four characters
_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_PARTS = ("text", "refusal", "input_text")


class RefusedError(Exception):
    """A request that the API answers with an error.

    Args:
        status: HTTP status.
        message: What is wrong and what to do.
        param: The part of the request that is wrong.
        code: The error's short name.
    """

    def __init__(self, status: int, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code

    def body(self) -> dict[str, Any]:
        """The error in the shape that OpenAI clients read."""
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A valid request.

    Attributes:
        messages: Chat messages with a role and, mostly, content.
        temperature: 0 when the request names none: a practice run repeats by default.
        seed: What decides between wordings above temperature 0; None leaves it to the server.
        max_tokens: Where to cut the answer; None for nowhere.
        stop: Texts that end the answer.
        json_mode: Whether `response_format` asks for a JSON object or a schema.
        schema: The JSON schema of `response_format`.
        tools: Functions that may be called, by name.
        tool_choice: `none`, `auto`, `required`, or the name of the function that must be called.
        stream: Whether to answer in pieces.
        include_usage: Whether a stream ends with the token count.
    """

    messages: tuple[Mapping[str, Any], ...]
    temperature: float = 0.0
    seed: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    json_mode: bool = False
    schema: Mapping[str, Any] | None = None
    tools: Mapping[str, Mapping[str, Any]] | None = None
    tool_choice: str = "auto"
    stream: bool = False
    include_usage: bool = False


def content_text(content: object) -> str:
    """The text of a message's content, which is a string or a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
    return ""


def parse(body: bytes) -> ChatRequest:
    """Read a request body.

    Args:
        body: What was posted.

    Returns:
        The request.

    Raises:
        RefusedError: The body is not JSON, not of the right shape, or asks for what the practice model cannot do.
    """
    data = _loaded(body)
    if not isinstance(data, dict):
        raise RefusedError(400, f"The body must be a JSON object with model and messages, not {_kind(data)}.")
    _check_model(data.get("model"))
    if data.get("n") not in (None, 1):
        raise RefusedError(
            400, "The practice model gives one choice a call: leave n out, and ask again for another.", "n"
        )
    json_mode, schema = _response_format(data.get("response_format"))
    tools = _tools(data.get("tools"))
    options = data.get("stream_options") or {}
    messages = _messages(data.get("messages"))
    length = sum(len(content_text(message.get("content"))) for message in messages)
    if length > 4 * _LONGEST:
        raise RefusedError(
            400,
            f"The messages hold about {length // 4} tokens; the practice model reads {_LONGEST} at most: send less.",
            "messages",
            "context_length_exceeded",
        )
    if json_mode and schema is None and not any("json" in content_text(m.get("content")).lower() for m in messages):
        raise RefusedError(
            400,
            "With response_format json_object a message has to mention JSON: say in the prompt which JSON you want.",
            "messages",
        )
    return ChatRequest(
        messages=messages,
        temperature=_number(data, "temperature", 0.0, 2.0) or 0.0,
        seed=_whole(data, "seed", None),
        max_tokens=_whole(data, "max_completion_tokens", 1) or _whole(data, "max_tokens", 1),
        stop=_stop(data.get("stop")),
        json_mode=json_mode,
        schema=schema,
        tools=tools,
        tool_choice=_tool_choice(data.get("tool_choice"), tools),
        stream=_flag(data, "stream"),
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
    )


def _loaded(body: bytes) -> Any:
    try:
        data = json.loads(body, parse_constant=_no_constant)
        # Half of a surrogate pair can be written in JSON, but no answer could repeat it.
        json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, f"The body is not valid JSON ({error}). Send a chat completion request.") from error
    return data


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _check_model(model: object) -> None:
    if not isinstance(model, str) or not model:
        raise RefusedError(400, f"Name the model: this server has one, {PRACTICE_MODEL!r}.", "model")
    if model != PRACTICE_MODEL:
        raise RefusedError(
            404,
            f"The model {model!r} does not exist here: this is Pressmark's practice model, and it serves "
            f"{PRACTICE_MODEL!r} only. Set the prompt's model to that, or use another endpoint.",
            "model",
            "model_not_found",
        )


def _messages(value: object) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(value, list) or not value:
        raise RefusedError(400, "messages must be a list of at least one message.", "messages")
    for at, message in enumerate(value):
        where = f"messages[{at}]"
        if not isinstance(message, dict):
            raise RefusedError(400, f"{where} must be an object with role and content, not {_kind(message)}.", where)
        if message.get("role") not in _ROLES:
            raise RefusedError(400, f"{where}.role must be one of {', '.join(_ROLES)}.", f"{where}.role")
        _check_content(message, where)
    return tuple(value)


def _check_content(message: Mapping[str, Any], where: str) -> None:
    content = message.get("content")
    if content is None and (message.get("tool_calls") or message.get("function_call")):
        return
    if isinstance(content, str):
        return
    if not isinstance(content, list) or not content:
        raise RefusedError(
            400, f"{where}.content must be a string or a list of parts, not {_kind(content)}.", f"{where}.content"
        )
    for number, part in enumerate(content):
        spot = f"{where}.content[{number}]"
        if not isinstance(part, dict):
            raise RefusedError(400, f"{spot} must be an object with type and text, not {_kind(part)}.", spot)
        if part.get("type") not in _PARTS:
            raise RefusedError(
                400, f"The practice model reads text only; {spot} has type {part.get('type')!r}.", f"{spot}.type"
            )
        if not isinstance(part.get("text", part.get("refusal")), str):
            raise RefusedError(400, f"{spot}.text must be a string.", f"{spot}.text")


def _number(data: Mapping[str, Any], name: str, low: float, high: float) -> float | None:
    value = data.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise RefusedError(400, f"{name} must be a number from {low:g} to {high:g}, not {value!r}.", name)
    return float(value)


def _whole(data: Mapping[str, Any], name: str, least: int | None) -> int | None:
    value = data.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or (least is not None and value < least):
        bound = "" if least is None else f" of at least {least}"
        raise RefusedError(400, f"{name} must be a whole number{bound}, not {value!r}.", name)
    return value


def _flag(data: Mapping[str, Any], name: str) -> bool:
    value = data.get(name)
    if value is not None and not isinstance(value, bool):
        raise RefusedError(400, f"{name} must be true or false, not {value!r}.", name)
    return bool(value)


def _stop(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or len(texts) > 4 or not all(isinstance(text, str) and text for text in texts):
        raise RefusedError(400, "stop must be a text, or a list of up to four texts.", "stop")
    return tuple(texts)


def _response_format(value: object) -> tuple[bool, Mapping[str, Any] | None]:
    if value is None:
        return False, None
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(value, dict) or kind not in ("text", "json_object", "json_schema"):
        raise RefusedError(
            400, "response_format.type must be text, json_object or json_schema.", "response_format.type"
        )
    if kind != "json_schema":
        return kind == "json_object", None
    named = value.get("json_schema")
    schema = named.get("schema") if isinstance(named, dict) else None
    if not isinstance(schema, dict) or not isinstance(named, dict) or not isinstance(named.get("name"), str):
        raise RefusedError(
            400, "response_format.json_schema must hold a name and a schema.", "response_format.json_schema"
        )
    wrong = flaw(schema)
    if wrong:
        raise RefusedError(400, f"The response format is no JSON Schema: {wrong}.", "response_format.json_schema")
    return True, schema


def _tools(value: object) -> Mapping[str, Mapping[str, Any]] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not value:
        raise RefusedError(400, "tools must be a list of at least one function; leave it out to use none.", "tools")
    tools: dict[str, Mapping[str, Any]] = {}
    for at, tool in enumerate(value):
        function = tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else None
        name = function.get("name") if isinstance(function, dict) else None
        if not isinstance(function, dict) or not isinstance(name, str) or not re.fullmatch(r"[\w-]{1,64}", name):
            raise RefusedError(
                400,
                f"tools[{at}] must have type 'function' and a function whose name has letters, digits, _ and - only.",
                f"tools[{at}]",
            )
        wrong = flaw(function.get("parameters", {}), f"tools[{at}].function.parameters")
        if wrong:
            raise RefusedError(400, f"The tool {name!r} has no valid JSON Schema: {wrong}.", f"tools[{at}]")
        tools[name] = function
    return tools


def _tool_choice(value: object, tools: Mapping[str, Mapping[str, Any]] | None) -> str:
    if value is None:
        return "auto"
    if tools is None and value != "none":
        raise RefusedError(400, "tool_choice needs tools: list the functions that may be called.", "tool_choice")
    if isinstance(value, str) and value in ("none", "auto", "required"):
        return value
    function = value.get("function") if isinstance(value, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(name, str) or name not in (tools or {}):
        known = ", ".join(tools or ()) or "none"
        raise RefusedError(
            400, f"tool_choice must be none, auto, required, or name one of the tools ({known}).", "tool_choice"
        )
    return name
