"""Endpoints: an address and the name of a variable, never a key."""

from __future__ import annotations

from typing import Any

import pytest

from pressmark.errors import EndpointAuthError, EndpointError, InvalidNameError
from pressmark.providers import Endpoint, completer, default_endpoint

SECRET = "sk-secret-0123456789abcdef"
URL = "http://127.0.0.1:8901/v1"


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:8901", "ftp://host/v1", "http://", "http://host:99999", None, "http://[::1", f"http://me:{SECRET}@h/v1",
     f"http://h/v1?key={SECRET}"],
)  # fmt: skip
def test_bad_addresses(url: Any) -> None:
    """An address that is none, or that holds a password, is refused without repeating it."""
    with pytest.raises(EndpointError) as raised:
        Endpoint("local", url)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("key_env", [SECRET, "", "MY KEY", "1KEY", 3])
def test_bad_variable_names(key_env: Any) -> None:
    """What is no variable's name may be the key itself: it is refused without repeating it."""
    with pytest.raises(EndpointError, match="key_env is the name") as raised:
        Endpoint("local", URL, key_env)
    assert SECRET not in str(raised.value)


def test_bad_name() -> None:
    """An endpoint's name has the form of a prompt's."""
    with pytest.raises(InvalidNameError):
        Endpoint("My Endpoint", URL)


def test_the_key_is_read_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is that of the moment; without it, the error names the variable."""
    endpoint = Endpoint("local", URL, "TEST_ENDPOINT_KEY")
    monkeypatch.delenv("TEST_ENDPOINT_KEY", raising=False)
    assert not endpoint.key_present
    with pytest.raises(EndpointAuthError, match="TEST_ENDPOINT_KEY, which is not set"):
        completer(endpoint)
    monkeypatch.setenv("TEST_ENDPOINT_KEY", f" {SECRET}\n")
    assert endpoint.key() == SECRET
    assert endpoint.key_present
    monkeypatch.setenv("TEST_ENDPOINT_KEY", "ключ")
    with pytest.raises(EndpointAuthError, match="characters that no key has"):
        endpoint.key()


def test_no_key_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither endpoint nor completer shows the key, however it is looked at."""
    monkeypatch.setenv("TEST_ENDPOINT_KEY", SECRET)
    endpoint = Endpoint("local", URL, "TEST_ENDPOINT_KEY")
    made = completer(endpoint)
    assert SECRET not in "".join(map(repr, (endpoint, made, vars(made)))) + str(endpoint) + str(made)


def test_without_a_key() -> None:
    """An endpoint without a variable needs no key."""
    endpoint = Endpoint("local", URL)
    assert endpoint.key() is None
    assert endpoint.key_present


def test_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an endpoint it is what the environment names, else OpenAI."""
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert default_endpoint() == Endpoint("default", "https://api.openai.com/v1", "OPENAI_API_KEY")
    monkeypatch.setenv("OPENAI_BASE_URL", URL)
    assert default_endpoint() == Endpoint("default", URL, None)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    assert default_endpoint() == Endpoint("default", URL, "OPENAI_API_KEY")


@pytest.mark.parametrize("bad", [0, -1, float("nan"), float("inf"), True, "60"])
@pytest.mark.parametrize("part", ["rpm", "tpm"])
def test_limits_are_positive(part: str, bad: Any) -> None:
    """A limit a minute is a positive number."""
    with pytest.raises(EndpointError, match=f"{part} is how many (requests|tokens) the endpoint takes a minute, not"):
        Endpoint("local", "http://127.0.0.1:1/v1", **{part: bad})


def test_transports() -> None:
    """There are two, and another one is refused by name."""
    with pytest.raises(EndpointError, match="no transport 'curl': it is httpx2 or aiohttp"):
        Endpoint("local", "http://127.0.0.1:1/v1", transport="curl")  # type: ignore[arg-type]
