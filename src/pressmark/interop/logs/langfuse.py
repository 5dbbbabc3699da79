"""Calls of models among Langfuse's traces and observations, as its API and its exports write them.

The API writes `promptName`, the scheduled exports `prompt_name`; both are read. A trace that holds its observations is
told by those of them that asked a model; one that holds none, by its own input and output.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pressmark.interop.logs.call import LoggedCall, answer_text, first_text, mapping, parsed, user_text

_VARIABLES: Final = ("variables", "prompt_variables", "promptVariables", "prompt.variables")
# Inputs that are a request, not what filled a prompt.
_REQUEST: Final = frozenset({"messages", "role", "content", "prompt", "model"})


def is_langfuse(document: Any) -> bool:
    """Whether a document is a trace or an observation."""
    return (
        isinstance(document, Mapping)
        and "id" in document
        and any(name in document for name in ("input", "output", "observations", "traceId", "trace_id"))
    )


def calls(document: Mapping[str, Any]) -> Iterator[LoggedCall | None]:
    """Yield the calls that a trace or an observation tells of; None for each observation of something else."""
    inner = parsed(document.get("observations"))
    observations = [each for each in inner if isinstance(each, Mapping)] if isinstance(inner, list) else []
    generations = [each for each in observations if _kind(each) == "GENERATION"]
    for observation in generations:
        yield _call(observation, document)
    if not generations:
        # Without a kind it is a trace, which tells of one answer from outside.
        yield _call(document, {}) if _kind(document) in ("", "GENERATION") else None


def _call(told: Mapping[str, Any], trace: Mapping[str, Any]) -> LoggedCall:
    metadata = mapping(told.get("metadata")) or {}
    beside = mapping(trace.get("metadata")) or {}
    given = parsed(told.get("input"))
    variables = next(
        (found for name in _VARIABLES for held in (metadata, beside) if (found := mapping(held.get(name)))), None
    )
    if variables is None and isinstance(given, Mapping) and given and not _REQUEST & given.keys():
        variables = given
    return LoggedCall(
        variables=variables,
        said=user_text(given),
        output=answer_text(told.get("output")),
        model=first_text(told, "model", "providedModelName", "provided_model_name"),
        prompt=first_text(told, "promptName", "prompt_name"),
        prompt_version=first_text(told, "promptVersion", "prompt_version"),
        trace=first_text(told, "traceId", "trace_id") or first_text(trace, "id") or first_text(told, "id"),
        time=first_text(told, "startTime", "start_time", "timestamp"),
    )


def _kind(told: Mapping[str, Any]) -> str:
    return str(told.get("type") or "").upper()
