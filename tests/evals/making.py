"""What the tests of evaluation are made of: versions, datasets and records."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pressmark.evals import Answer, Dataset, OutputRecord, RowError, Suite, scorers
from pressmark.prompts import FrozenDict
from pressmark.prompts.canonical import unit_digest
from pressmark.rendering import PromptVersion, build_unit

_numbers = itertools.count(1)
AT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def version(system: str = "Be brief.", user: str = "{{ text }}", *, model: str = "m", **more: Any) -> PromptVersion:
    """A version of a chat prompt."""
    messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    unit = build_unit(messages=messages, model=model, **more)
    return PromptVersion("tests/prompt", next(_numbers), unit, unit_digest(unit), system, "a tester", AT)


def dataset(*texts: str, **columns: Sequence[Any]) -> Dataset:
    """A dataset with a column `text`, and others."""
    rows = [{"text": text, **{name: values[n] for name, values in columns.items()}} for n, text in enumerate(texts)]
    return Dataset.of("tests/data", rows)


def suite(data: Dataset, *given: scorers.Scorer, **more: Any) -> Suite:
    """A suite; without scorers, of the output's length."""
    return Suite.of("tests/suite", data, given or [scorers.Length()], **more)


def given(output: str, row: Mapping[str, Any] | None = None, **answer: Any) -> scorers.ScoringInput:
    """What a scorer gets."""
    request = {"model": "m", "messages": [{"role": "user", "content": "asked"}]}
    return scorers.ScoringInput(output, FrozenDict(row or {}), Answer(output, **answer), request)


def record(version_digest: str, row: int, *, repeat: int = 0, error: str = "", **scores: float | None) -> OutputRecord:
    """A scored answer, or an error."""
    return OutputRecord(
        run_id="run",
        version=version_digest,
        row=row,
        repeat=repeat,
        request_digest=f"sha256:{version_digest}{row}",
        answer=None if error else Answer("output"),
        error=RowError("server", error) if error else None,
        attempts=1,
        cached=False,
        at=AT,
        scores=FrozenDict(scores),
    )


class Scripted:
    """A completion function that a test scripts: it answers what `reply` makes of the request's last message.

    Attributes:
        asked: The last message of each request, in order.
        peak: The most requests that were under way at once.
        closed: How often it was closed.
    """

    base_url = "http://scripted/v1"

    def __init__(self, reply: Callable[[str], Any]) -> None:
        self._reply = reply
        self._open = 0
        self.asked: list[str] = []
        self.peak = 0
        self.closed = 0

    async def __call__(self, request: Mapping[str, Any]) -> Answer:
        """Answer, or raise what the script returns."""
        text = request["messages"][-1]["content"]
        self.asked.append(text)
        self._open += 1
        self.peak = max(self.peak, self._open)
        try:
            told = self._reply(text)
            if hasattr(told, "__await__"):
                told = await told
        finally:
            self._open -= 1
        if isinstance(told, Exception):
            raise told
        return told if isinstance(told, Answer) else Answer(told, model="scripted")

    async def aclose(self) -> None:
        """Count the closing."""
        self.closed += 1
