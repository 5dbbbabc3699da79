"""An endpoint: a name, an address, and the name of the environment variable that holds the key, never the key."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Final, Literal

from pressmark.address import check_endpoint_url, check_key_env
from pressmark.errors import EndpointAuthError, EndpointError
from pressmark.face import Faced
from pressmark.face.forms import Face
from pressmark.prompts import check_name

Transport = Literal["httpx2", "aiohttp"]
TRANSPORTS: Final[tuple[Transport, ...]] = ("httpx2", "aiohttp")
OPENAI_URL = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class Endpoint(Faced):
    """Where a model is reached. It is safe to print and to store: it never holds a key.

    Args:
        name: What the user calls it.
        base_url: Its address, up to where `/chat/completions` follows.
        key_env: The name of the environment variable with its key; None for one that needs no key.
        rpm: Requests that it takes a minute; None where it sets no limit.
        tpm: Tokens that it takes a minute, in and out together; None where it sets no limit.
        transport: What makes the connections: `httpx2`, or `aiohttp`, which takes less of the processor where many
            calls are under way at once and needs `pip install 'pressmark[aiohttp]'`.

    Raises:
        EndpointError: The address or the variable's name is malformed, the address holds a password, a limit is not
            positive, or there is no such transport.
        InvalidNameError: The name is not of the allowed form.
    """

    name: str
    base_url: str
    key_env: str | None = None
    rpm: float | None = None
    tpm: float | None = None
    transport: Transport = "httpx2"

    def __post_init__(self) -> None:
        check_name(self.name, "endpoint name")
        check_endpoint_url(self.base_url)
        check_key_env(self.key_env)
        for part, what in (("rpm", "requests"), ("tpm", "tokens")):
            _check_rate(getattr(self, part), part, what)
        if self.transport not in TRANSPORTS:
            raise EndpointError(
                f"there is no transport {self.transport!r}: it is {' or '.join(TRANSPORTS)}", field="transport"
            )

    def _face(self) -> Face:
        key = "needs no key" if self.key_env is None else f"key in {self.key_env}"
        limits = [
            f"{limit:g} {what} a minute" for limit, what in ((self.rpm, "requests"), (self.tpm, "tokens")) if limit
        ]
        return Face(f"Endpoint {self.name}", [self.base_url, " · ".join([key, *limits, self.transport])])

    @property
    def key_present(self) -> bool:
        """Whether the key's variable is set now, or none is needed."""
        return self.key_env is None or bool(os.environ.get(self.key_env, "").strip())

    def key(self) -> str | None:
        """Read the key from the environment.

        Raises:
            EndpointAuthError: The variable is not set, or holds what cannot be a key.
        """
        if self.key_env is None:
            return None
        key = os.environ.get(self.key_env, "").strip()
        if not key:
            raise EndpointAuthError(
                f"endpoint {self.name!r} reads its key from the environment variable {self.key_env}, which is not set:"
                " set it before Python starts, or by os.environ in a cell that is not saved",
                key_env=self.key_env,
                hopeless=True,
            )
        if not (key.isascii() and key.isprintable()):
            raise EndpointAuthError(
                f"the environment variable {self.key_env} holds characters that no key has: copy the key again",
                key_env=self.key_env,
                hopeless=True,
            )
        return key


def default_endpoint() -> Endpoint:
    """The endpoint that the environment names by OPENAI_BASE_URL and OPENAI_API_KEY; without the former, OpenAI's.

    Raises:
        EndpointError: OPENAI_BASE_URL is no address.
    """
    url = os.environ.get("OPENAI_BASE_URL", "").strip() or OPENAI_URL
    needs_key = url == OPENAI_URL or bool(os.environ.get("OPENAI_API_KEY", "").strip())
    return Endpoint("default", url, "OPENAI_API_KEY" if needs_key else None)


def _check_rate(value: object, part: str, what: str) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not (math.isfinite(value) and value > 0):
        raise EndpointError(f"{part} is how many {what} the endpoint takes a minute, not {value!r}", field=part)
