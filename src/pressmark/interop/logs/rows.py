"""Recorded calls as rows: the prompt's variables where they are recorded, else what the user said."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from pressmark.errors import DatasetError, InvalidUnitError
from pressmark.evals.drawing import identity
from pressmark.interop.logs import langfuse, otlp
from pressmark.interop.logs.call import LoggedCall
from pressmark.interop.logs.reading import Unreadable, documents
from pressmark.prompts import freeze

SAID: Final = "input"
_BESIDE: Final = ("output", "model", "prompt", "prompt_version", "trace", "time")


class Logs(NamedTuple):
    """What was read of a log.

    Attributes:
        columns: Variables, then `input` (what the user said where no variables are recorded), then `output`, `model`,
            `prompt`, `prompt_version`, `trace` and `time`. One whose name a variable has is called `logged_…`.
        rows: One dict a call; every row has every column.
        filled: The columns that filled the prompt.
        told: How many calls there were, and what was left out, in a sentence.
    """

    columns: tuple[str, ...]
    rows: list[dict[str, Any]]
    filled: tuple[str, ...]
    told: str


def read_logs(source: str | os.PathLike[str]) -> Logs:
    """Read the calls of models from a production log.

    Args:
        source: A file of OpenTelemetry spans (OTLP as JSON, whole or a line each) or of Langfuse traces or observations
            (JSON, JSON Lines or CSV).

    Raises:
        DatasetError: There is no such file, or no call in it that could be a row; the message says what there was.
    """
    if not isinstance(source, str | os.PathLike):
        raise DatasetError(f"logs is the path to an exported file, not {type(source).__name__}")
    path = Path(source).expanduser()
    tally = _Tally()
    calls = list(tally.usable(documents(path)))
    if not calls:
        raise DatasetError(f"{path} has no call of a model that could be a row: {tally.told(0)}. {tally.advice}")
    variables = dict.fromkeys(name for call in calls for name in call.variables or ())
    said = any(not call.variables for call in calls)
    filled = (*variables, *([_free(SAID, variables)] if said else []))
    beside = {name: _free(name, variables) for name in _BESIDE}
    rows = [
        {
            **{name: (call.variables or {}).get(name) for name in variables},
            **({filled[-1]: None if call.variables else call.said} if said else {}),
            **{column: getattr(call, name) for name, column in beside.items()},
        }
        for call in calls
    ]
    columns = (*filled, *(c for c in beside.values() if any(row[c] is not None for row in rows)))
    return Logs(columns, [{c: row[c] for c in columns} for row in rows], filled, tally.told(len(calls)))


def _free(name: str, taken: dict[str, None]) -> str:
    while name in taken:
        name = f"logged_{name}"
    return name


class _Tally:
    """Counts what is left out while the calls go by."""

    def __init__(self) -> None:
        self._left: Counter[str] = Counter()
        self._first: Unreadable | None = None

    def usable(self, found: Iterator[Any]) -> Iterator[LoggedCall]:
        """Yield the calls that can be rows."""
        for document in found:
            for call in self._calls(document):
                if call is None:
                    self._left["others"] += 1
                elif not call.usable:
                    self._left["silent"] += 1
                elif not _writable(call):
                    self._left["unwritable"] += 1
                else:
                    yield call

    def _calls(self, document: Any) -> Iterator[LoggedCall | None]:
        if isinstance(document, Unreadable):
            self._left["unreadable"] += 1
            self._first = self._first or document
        elif isinstance(document, list):
            for each in document:
                yield from self._calls(each)
        elif otlp.is_otlp(document):
            yield from otlp.calls(document)
        elif langfuse.is_langfuse(document):
            yield from langfuse.calls(document)
        elif isinstance(document, dict) and isinstance(document.get("data"), list):
            yield from self._calls(document["data"])
        else:
            self._left["unknown"] += 1

    def told(self, calls: int) -> str:
        """Tell what was read and what was left out."""
        left = self._left
        parts = [f"{calls:,} call{'' if calls == 1 else 's'} of models"]
        if left["others"]:
            parts.append(f"{left['others']:,} spans or observations of something else")
        if left["silent"]:
            parts.append(f"{left['silent']:,} calls without what was sent")
        if left["unwritable"]:
            parts.append(f"{left['unwritable']:,} calls with values that have no JSON form")
        if left["unknown"]:
            parts.append(f"{left['unknown']:,} documents of another form")
        if self._first is not None:
            first = self._first
            parts.append(f"{left['unreadable']:,} lines that cannot be read (line {first.line} {first.why})")
        return "; ".join(parts)

    @property
    def advice(self) -> str:
        """What to do where there is no row."""
        if self._left["silent"]:
            return (
                "Content is not recorded unless it is asked for: set"
                " OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true where the calls are made"
            )
        return (
            "Give OpenTelemetry spans as OTLP JSON (resourceSpans), or an export of Langfuse's traces or observations"
        )


def _writable(call: LoggedCall) -> bool:
    try:
        values = [call.variables, call.said, *(getattr(call, name) for name in _BESIDE)]
        identity({"values": freeze(values)})
    except (TypeError, InvalidUnitError):
        return False
    return not call.variables or all(isinstance(name, str) and name.strip() for name in call.variables)
