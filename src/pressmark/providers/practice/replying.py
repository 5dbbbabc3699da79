"""Answers in the shapes of the chat completions API, whole and in pieces."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pressmark
from pressmark.providers.practice.answering import Answer
from pressmark.providers.practice.requests import PRACTICE_MODEL, ChatRequest, content_text

FINGERPRINT = f"practice-{pressmark.__version__}"


def usage(request: ChatRequest, answer: Answer) -> dict[str, Any]:
    """Tokens used, estimated at four characters a token: the practice model has no tokenizer.

    Args:
        request: What was asked.
        answer: What was answered.

    Returns:
        The `usage` object of the API.
    """
    asked = sum(4 + _tokens(content_text(message.get("content"))) for message in request.messages)
    if request.tools:
        asked += _tokens(json.dumps(list(request.tools.values()), default=dict))
    said = _tokens(answer.tool_call.arguments if answer.tool_call else answer.text or "")
    return {
        "prompt_tokens": asked,
        "completion_tokens": said,
        "total_tokens": asked + said,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def _tokens(text: str) -> int:
    return -(-len(text) // 4)


def _frame(number: str, created: int, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-practice-{number}",
        "object": kind,
        "created": created,
        "model": PRACTICE_MODEL,
        "system_fingerprint": FINGERPRINT,
    }


def completion(request: ChatRequest, answer: Answer, number: str, created: int) -> dict[str, Any]:
    """The whole answer as one object.

    Args:
        request: What was asked.
        answer: What was answered.
        number: What makes its id unique.
        created: Seconds since 1970.

    Returns:
        A `chat.completion`.
    """
    message: dict[str, Any] = {"role": "assistant", "content": answer.text, "refusal": None}
    if answer.tool_call:
        message["tool_calls"] = [_call(answer, number)]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish_reason}
    return {**_frame(number, created, "chat.completion"), "choices": [choice], "usage": usage(request, answer)}


def _call(answer: Answer, number: str) -> dict[str, Any]:
    call = answer.tool_call
    assert call is not None
    return {"id": f"call_{number}", "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def pieces(request: ChatRequest, answer: Answer, number: str, created: int) -> Iterator[dict[str, Any]]:
    """The answer as the chunks of a stream, a word or so each; the last counts tokens if that was asked for.

    Args:
        request: What was asked.
        answer: What was answered.
        number: What makes its id unique.
        created: Seconds since 1970.

    Yields:
        One `chat.completion.chunk` after the other.
    """
    frame = _frame(number, created, "chat.completion.chunk")
    counted = {"usage": None} if request.include_usage else {}

    def chunk(delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": dict(delta), "logprobs": None, "finish_reason": finish}
        return {**frame, "choices": [choice], **counted}

    if answer.tool_call:
        call = _call(answer, number)
        opening = {**call, "index": 0, "function": {"name": answer.tool_call.name, "arguments": ""}}
        yield chunk({"role": "assistant", "content": None, "tool_calls": [opening]})
        for part in _words(answer.tool_call.arguments):
            yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": part}}]})
    else:
        yield chunk({"role": "assistant", "content": ""})
        for part in _words(answer.text or ""):
            yield chunk({"content": part})
    yield chunk({}, answer.finish_reason)
    if request.include_usage:
        yield {**frame, "choices": [], "usage": usage(request, answer)}


def _words(text: str) -> list[str]:
    return re.findall(r"\s*\S+|\s+$", text)
