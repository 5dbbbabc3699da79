"""An answer of a model, and the function that gets one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pressmark.prompts import FrozenDict, freeze, thaw


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered, and what it took.

    Attributes:
        output: The text; for an answer of tool calls, those calls as JSON.
        model: The model that was served, as the endpoint names it.
        message: The assistant's whole message.
        fingerprint: The endpoint's system fingerprint, or None.
        finish_reason: Why the model stopped, such as `stop` or `length`.
        tokens_in: Tokens of the request, or None where the endpoint does not tell.
        tokens_out: Tokens of the answer, or None.
        cost: US dollars, or None where the model's price is not known.
        latency: Seconds from request to answer.
        response_id: The endpoint's id of the answer, or None.
        ttft: Seconds from request to the first token, or None for an answer that was not streamed.
    """

    output: str
    model: str = ""
    message: FrozenDict = field(default_factory=FrozenDict)
    fingerprint: str | None = None
    finish_reason: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None
    latency: float = 0.0
    response_id: str | None = None
    ttft: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "output": self.output,
            "model": self.model,
            "message": thaw(self.message),
            "fingerprint": self.fingerprint,
            "finish_reason": self.finish_reason,
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
            "cost": self.cost,
            "latency": self.latency,
            "response_id": self.response_id,
            "ttft": self.ttft,
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Answer:
        """Read the JSON form; what is missing or unknown is left at its default."""
        known = {name: told[name] for name in cls.__slots__ if told.get(name) is not None}
        if "message" in known:
            known["message"] = freeze(known["message"])
        return cls(**{"output": "", **known})


class Completion(Protocol):
    """A completion function, handed in by whoever knows the endpoint.

    It raises `pressmark.errors.EndpointError`, whose `retryable` and `retry_after` the runner follows: it does not
    retry by itself. A completion with an `aclose()` coroutine is closed by the runner in the loop that used it. One
    with `rpm` or `tpm` (requests, tokens a minute) is kept to them, and `price(model, tokens_in, tokens_out)`, US
    dollars or None, is what a budget of money needs.

    Attributes:
        base_url: Where the endpoint is; part of the answer cache's key.
    """

    base_url: str

    async def __call__(self, request: Mapping[str, Any]) -> Answer:
        """Answer the keyword arguments of `chat.completions.create`."""
        ...
