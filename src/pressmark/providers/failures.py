"""From the openai client's exceptions to ours: what happened, why, and what to do next."""

from __future__ import annotations

import email.utils
import math
import time
from typing import Any

from pressmark.errors import EndpointAuthError, EndpointConnectionError, EndpointError
from pressmark.providers.endpoint import Endpoint

_RETRYABLE = (408, 409, 429)


def translated(error: Exception, endpoint: Endpoint, key: str | None) -> EndpointError | None:
    """Return our error for one of the openai client's, or None where it is none of those."""
    import openai

    if isinstance(error, openai.APITimeoutError):
        return EndpointConnectionError(
            f"endpoint {endpoint.name!r} at {endpoint.base_url} did not answer in time: it hangs or is overloaded",
            kind="timeout",
            retryable=True,
        )
    if isinstance(error, openai.APIConnectionError):
        return _connection(error, endpoint)
    if isinstance(error, openai.APIStatusError):
        return _status(error, endpoint, key)
    if isinstance(error, openai.OpenAIError | TypeError):
        # A TypeError is a parameter that the client does not take.
        return EndpointError(
            f"the request could not be sent to endpoint {endpoint.name!r}: {_said(str(error), key)}: look at the"
            " prompt's parameters",
            kind="bad request",
        )
    return None


def garbage(endpoint: Endpoint, why: str) -> EndpointError:
    """The error for a response that is no chat completion."""
    return EndpointError(
        f"endpoint {endpoint.name!r} at {endpoint.base_url} sent a response that is no chat completion ({why}): is this"
        " the right address?",
        kind="garbage",
        status=200,
        retryable=True,
    )


def reported(endpoint: Endpoint, message: Any, key: str | None) -> EndpointError:
    """The error for a gateway that reports a failure behind it with status 200."""
    return EndpointError(
        f"endpoint {endpoint.name!r} answered with an error: {_said(message, key)}",
        kind="server",
        status=200,
        retryable=True,
    )


def broken(endpoint: Endpoint) -> EndpointConnectionError:
    """The error for a connection that ended before the answer did."""
    return EndpointConnectionError(
        f"the connection to endpoint {endpoint.name!r} at {endpoint.base_url} broke before the answer came",
        retryable=True,
        refused=False,
    )


def _connection(error: Exception, endpoint: Endpoint) -> EndpointConnectionError:
    cause = error.__cause__
    refused = type(cause).__name__ in ("ConnectError", "ConnectTimeout", "UnsupportedProtocol", "ProxyError")
    if refused:
        message = (
            f"nothing answers at {endpoint.base_url} (endpoint {endpoint.name!r}): start the server, or correct the"
            f" address; {_shortened(str(cause))}"
        )
    else:
        return broken(endpoint)
    return EndpointConnectionError(message, retryable=True, refused=refused)


def _status(error: Any, endpoint: Endpoint, key: str | None) -> EndpointError:
    status = int(error.status_code)
    told = error.body if isinstance(error.body, dict) else {}
    code = told.get("code") or told.get("type")
    said = _said(told.get("message") if isinstance(told.get("message"), str) else error.response.text, key)
    where = f"endpoint {endpoint.name!r}"
    if status in (401, 403):
        source = f"the key in {endpoint.key_env}" if endpoint.key_env else "a call without a key"
        return EndpointAuthError(
            f"{where} at {endpoint.base_url} refused {source} ({status}): "
            + (f"set the right key in {endpoint.key_env}" if endpoint.key_env else "give the endpoint a key_env"),
            status=status,
            key_env=endpoint.key_env,
            hopeless=True,
        )
    if status == 404:
        return EndpointError(
            f"{where} at {endpoint.base_url} does not know what was asked for: {said}. Check the model's name in the"
            " prompt, and that base_url ends where the API begins (often /v1)",
            status=status,
            kind="not found",
            hopeless=True,
        )
    if code == "insufficient_quota":
        return EndpointError(
            f"the account behind {where} has no credit left: {said}. Top it up, or use another key",
            status=status,
            kind="quota",
            hopeless=True,
        )
    if status == 429:
        seconds = _retry_after(error.response.headers)
        wait = "" if seconds is None else f", for {seconds:g} s"
        return EndpointError(
            f"{where} asked to slow down{wait}: {said}. Lower the concurrency, or run again later",
            status=status,
            kind="rate limit",
            retry_after=seconds,
            retryable=True,
        )
    if status >= 500 or status in _RETRYABLE:
        return EndpointError(
            f"{where} failed ({status}): {said}. Ask again later: a run asks only for what is missing",
            status=status,
            kind="server",
            retry_after=_retry_after(error.response.headers),
            retryable=True,
        )
    return EndpointError(
        f"{where} refused the request ({status}): {said}. Look at the prompt's messages and parameters",
        status=status,
        kind="bad request",
    )


def _retry_after(headers: Any) -> float | None:
    """Seconds that the endpoint asked us to wait, from whichever header it used."""
    for header, divisor in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(header)) / divisor
        except (TypeError, ValueError):
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    try:
        moment = email.utils.parsedate_to_datetime(headers.get("retry-after"))
    except (TypeError, ValueError):
        return None
    return max(0.0, moment.timestamp() - time.time())


def _said(message: Any, key: str | None) -> str:
    text = " ".join(str(message or "no reason given").split())
    if key:
        text = text.replace(key, "…")
    return _shortened(text).rstrip(".")


def _shortened(text: str) -> str:
    return text if len(text) <= 300 else text[:299] + "…"
