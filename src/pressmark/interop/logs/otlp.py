"""Calls of models among OpenTelemetry spans, as OTLP writes them in JSON.

What a model was sent and answered has stood in three places over the years: in attributes with a number in their name
(`gen_ai.prompt.0.content`), in the attributes `gen_ai.input.messages` and `gen_ai.output.messages`, and in events of
the span. All are read; the newest form counts where there are several.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from pressmark.interop.logs.call import LoggedCall, answer_text, first_text, mapping, parsed, text_of, user_text

_INDEXED: Final = re.compile(r"gen_ai\.(prompt|completion)\.(\d{1,6})\.(\w+)")
_VARIABLES: Final = (
    "pressmark.prompt.variables",
    "gen_ai.prompt.variables",
    "traceloop.prompt.template_variables",
    "llm.prompt_template.variables",
)
_PROMPT: Final = ("gen_ai.prompt.name", "langfuse.observation.prompt.name", "traceloop.prompt.key")
_VERSION: Final = ("gen_ai.prompt.version", "langfuse.observation.prompt.version", "traceloop.prompt.version")
_MODEL: Final = ("gen_ai.response.model", "gen_ai.request.model", "langfuse.observation.model.name")
# Operations that ask no model for an answer.
_OTHERS: Final = frozenset({"embeddings", "execute_tool", "create_agent", "invoke_agent", "invoke_workflow"})


def is_otlp(document: Any) -> bool:
    """Whether a document holds spans."""
    return isinstance(document, Mapping) and isinstance(document.get("resourceSpans"), list)


def calls(document: Mapping[str, Any]) -> Iterator[LoggedCall | None]:
    """Yield the calls among the spans of a document; None for each span that is of something else."""
    for span in _spans(document):
        yield _call(span)


def _spans(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for resource in _objects(document["resourceSpans"]):
        # The older name of a scope.
        for scope in _objects(resource.get("scopeSpans") or resource.get("instrumentationLibrarySpans")):
            yield from _objects(scope.get("spans"))


def _call(span: Mapping[str, Any]) -> LoggedCall | None:
    told = _attributes(span.get("attributes"))
    events = [(event.get("name"), _attributes(event.get("attributes"))) for event in _objects(span.get("events"))]
    for name, attributes in events:
        if name == "gen_ai.client.inference.operation.details":
            told = attributes | told
    if not _asks(told, events):
        return None
    return LoggedCall(
        variables=next((found for name in _VARIABLES if (found := mapping(told.get(name)))), None),
        said=_said(told, events),
        output=_answered(told, events),
        model=first_text(told, *_MODEL),
        prompt=first_text(told, *_PROMPT),
        prompt_version=first_text(told, *_VERSION),
        trace=text_of(span.get("traceId")),
        time=_time(span.get("startTimeUnixNano")),
    )


def _asks(told: Mapping[str, Any], events: list[tuple[Any, dict[str, Any]]]) -> bool:
    if told.get("gen_ai.operation.name") in _OTHERS:
        return False
    names = [*told, *(name for name, _ in events if isinstance(name, str))]
    return any(name.startswith(("gen_ai.", "llm.request.")) for name in names)


def _said(told: Mapping[str, Any], events: list[tuple[Any, dict[str, Any]]]) -> str | None:
    if "gen_ai.input.messages" in told:
        return user_text(told["gen_ai.input.messages"])
    if messages := _indexed(told, "prompt"):
        return user_text(messages)
    texts = []
    for name, attributes in events:
        if name == "gen_ai.content.prompt":
            texts.append(user_text(attributes.get("gen_ai.prompt", attributes.get("content"))))
        elif name == "gen_ai.user.message":
            texts.append(text_of(_body(attributes)))
    if any(texts):
        return "\n\n".join(text for text in texts if text)
    return user_text(told.get("langfuse.observation.input", told.get("gen_ai.prompt")))


def _answered(told: Mapping[str, Any], events: list[tuple[Any, dict[str, Any]]]) -> str | None:
    if "gen_ai.output.messages" in told:
        return answer_text(told["gen_ai.output.messages"])
    if messages := _indexed(told, "completion"):
        return answer_text([{"role": "assistant", **message} for message in messages])
    for name, attributes in reversed(events):
        if name == "gen_ai.content.completion":
            return answer_text(attributes.get("gen_ai.completion", attributes.get("content")))
        if name == "gen_ai.choice":
            return answer_text(attributes.get("message", _body(attributes)))
    return answer_text(told.get("langfuse.observation.output", told.get("gen_ai.completion")))


def _body(attributes: Mapping[str, Any]) -> Any:
    """What an event says, as an attribute or as JSON in one."""
    found = parsed(attributes.get("gen_ai.event.content", attributes.get("content")))
    return found.get("content", found) if isinstance(found, Mapping) else found


def _indexed(told: Mapping[str, Any], what: str) -> list[dict[str, Any]]:
    messages: dict[int, dict[str, Any]] = {}
    for name, value in told.items():
        if (match := _INDEXED.fullmatch(name)) and match[1] == what:
            messages.setdefault(int(match[2]), {})[match[3]] = parsed(value) if match[3] == "content" else value
    return [{"role": "user" if what == "prompt" else "assistant", **messages[number]} for number in sorted(messages)]


def _time(nanoseconds: Any) -> str | None:
    try:
        return datetime.fromtimestamp(int(nanoseconds) // 1000 / 1_000_000, UTC).isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _attributes(given: Any) -> dict[str, Any]:
    return {pair["key"]: _value(pair.get("value")) for pair in _objects(given) if isinstance(pair.get("key"), str)}


def _value(value: Any) -> Any:
    """What an attribute's value holds, without the name of its type."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    ((kind, held),) = value.items()
    if kind == "arrayValue":
        return [_value(item) for item in _objects(held.get("values"))] if isinstance(held, Mapping) else None
    if kind == "kvlistValue":
        return _attributes(held.get("values")) if isinstance(held, Mapping) else None
    if kind == "intValue" and isinstance(held, str):
        return int(held) if re.fullmatch(r"-?\d{1,19}", held) else None
    return held


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, Mapping))
