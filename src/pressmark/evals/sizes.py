"""How many tokens a call could take, judged before it is sent by its length and by the answers so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pressmark.evals.answer import Answer

# A token is seldom shorter than two bytes of UTF-8: four in English, and about three in Chinese or Japanese.
_TOKENS_A_BYTE = 0.5
_TOKENS_A_MESSAGE = 8
# What stands for an image or a sound in the request, whose bytes are no text.
_ATTACHED_BYTES = 4000
_MARGIN_IN, _MARGIN_OUT = 1.2, 1.5
_LIMITS = ("max_completion_tokens", "max_tokens")


class Size(NamedTuple):
    """Tokens of a call: of the request, and of its answer or None where nothing is known of it."""

    tokens_in: int
    tokens_out: int | None

    @property
    def total(self) -> int:
        """Both together."""
        return self.tokens_in + (self.tokens_out or 0)


class Sizes:
    """Learns from answers how many tokens calls take, model by model."""

    def __init__(self) -> None:
        self._a_byte: dict[str, float] = {}
        self._longest: dict[str, int] = {}
        self._usual: dict[str, float] = {}

    def most(self, request: Mapping[str, Any]) -> Size:
        """How much a call could take; no bound on its answer is known before the first, unless the request sets one."""
        model = str(request.get("model", ""))
        limit = next((request[name] for name in _LIMITS if isinstance(request.get(name), int)), None)
        if limit is None and model in self._longest:
            limit = round(self._longest[model] * _MARGIN_OUT) + 1
        count = request.get("n")
        several = count if isinstance(count, int) and count > 0 else 1
        return Size(self._tokens_in(model, request), None if limit is None else limit * several)

    def usual(self, request: Mapping[str, Any]) -> int:
        """How much a call takes on average, in and out."""
        model = str(request.get("model", ""))
        return self._tokens_in(model, request) + round(self._usual.get(model, 0.0))

    def learn(self, request: Mapping[str, Any], answer: Answer) -> None:
        """Take note of what a call took."""
        model = str(request.get("model", ""))
        if answer.tokens_in is not None:
            ratio = answer.tokens_in / max(1, _length(request))
            self._a_byte[model] = max(ratio, self._a_byte.get(model, 0.0))
        out = answer.tokens_out if answer.tokens_out is not None else len(answer.output.encode()) // 2
        self._longest[model] = max(out, self._longest.get(model, 0))
        usual = self._usual.get(model, float(out))
        self._usual[model] = usual + (out - usual) / 20

    def _tokens_in(self, model: str, request: Mapping[str, Any]) -> int:
        length = _length(request)
        seen = self._a_byte.get(model)
        if seen is not None:
            return round(length * seen * _MARGIN_IN) + 1
        return round(length * _TOKENS_A_BYTE) + _TOKENS_A_MESSAGE * len(request.get("messages") or ())


def _length(value: Any) -> int:
    """Bytes of all text in a request."""
    if isinstance(value, str):
        return _ATTACHED_BYTES if value.startswith("data:") else len(value.encode("utf-8", "replace"))
    if isinstance(value, Mapping):
        return sum(len(str(key)) + _length(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return sum(map(_length, value))
    return 4
