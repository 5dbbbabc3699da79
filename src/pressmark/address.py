"""Where a registry or an endpoint is and what a caller shows it, checked before the first byte leaves.

Registry and client share it, and so do endpoints and what a workspace keeps of them. A mistake here is often most of a
good secret, so no message repeats a token, the name given for a key's variable, or what stands before an address's `@`
or behind its `?`.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import urllib3
from urllib3.util import parse_url

from pressmark.errors import AuthenticationError, EndpointError, RegistryError
from pressmark.prompts.quoting import shown

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
# What keys of the usual providers look like where they would pass for a variable's name: a known beginning, or a long
# run of letters of both cases and digits without a break.
_KEY: Final = re.compile(
    r"(?:sk|pk|rk|xai|gsk|hf|pm|ghp|key)_(?=.*\d)\w{16,}|(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9]{20,}|AIza\w{20,}"
    r"|[0-9a-fA-F]{32,}"
)


class Address(NamedTuple):
    """A server's address.

    Attributes:
        scheme: `http` or `https`.
        host: Its name or number; an IPv6 number stands in brackets.
        port: Its port, or None for the scheme's own.
        path: What every request's path begins with, without a slash at its end.
    """

    scheme: str
    host: str
    port: int | None
    path: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}{f':{self.port}' if self.port else ''}{self.path}"


def read_address(url: str, *, drop_user: bool = False) -> Address:
    """Read a registry's URL.

    Args:
        url: Such as `http://127.0.0.1:8765`; spaces around it are dropped.
        drop_user: Whether a user and password in it are left out, rather than refused.

    Raises:
        RegistryError: With code `bad_url`: it is no http or https address, or holds more than one.
    """
    try:
        parts = parse_url(url.strip())
        if parts.host and not parts.host.startswith("["):
            parts.host.encode("idna")
    except (ValueError, urllib3.exceptions.HTTPError):
        raise _bad(url) from None
    if parts.auth and not drop_user:
        raise RegistryError(
            "the registry's URL holds a user or password: pass the token as token= or PRESSMARK_TOKEN instead",
            code="bad_url",
            hint="take it out of the URL",
        )
    if parts.scheme not in ("http", "https") or not parts.host or parts.port == 0 or parts.query or parts.fragment:
        raise _bad(url)
    return Address(parts.scheme, parts.host, parts.port, (parts.path or "").rstrip("/"))


def authorization(token: str | None) -> dict[str, str]:
    """Return the header that carries a token; none where there is no token.

    Args:
        token: The bearer token; spaces and line breaks around it are dropped.

    Raises:
        AuthenticationError: With code `bad_token`: it holds what no header can carry.
    """
    if token is None or not (token := token.strip()):
        return {}
    if not token.isascii() or not token.isprintable() or " " in token:
        raise AuthenticationError(
            "the token holds a space, line break or other character that no token has: check how it was copied into"
            " token= or PRESSMARK_TOKEN",
            code="bad_token",
            hint="pass the token alone",
        )
    return {"authorization": f"Bearer {token}"}


def check_endpoint_url(url: object) -> None:
    """Refuse what is no endpoint's address.

    Args:
        url: Up to where `/chat/completions` follows, such as `http://127.0.0.1:8901/v1`.

    Raises:
        EndpointError: It is no http or https address, or holds a user, password, query or fragment.
    """
    try:
        parts = urlsplit(url) if isinstance(url, str) else urlsplit("")
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound:
        raise EndpointError(
            "an endpoint's base_url begins with http:// or https:// and a host, such as http://127.0.0.1:8901/v1",
            field="base_url",
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise EndpointError(
            "an endpoint's base_url may hold no user, password or query, because keys are never stored: put the key"
            " into an environment variable and give its name as key_env",
            field="base_url",
        )


def check_key_env(name: object) -> None:
    """Refuse what cannot name the environment variable that holds a key, or may be the key itself.

    Args:
        name: Such as `OPENAI_API_KEY`; None for an endpoint that needs no key.

    Raises:
        EndpointError: It is no such name.
    """
    if name is None or (isinstance(name, str) and _VARIABLE.fullmatch(name) and not _KEY.fullmatch(name)):
        return
    raise EndpointError(
        "key_env is the name of the environment variable that holds the key, such as OPENAI_API_KEY; what was given is"
        " no such name and was not stored. If it is the key itself: set it outside the notebook, remove it from the"
        " cell, and give the variable's name",
        field="key_env",
    )


def told(url: str) -> str:
    """Return an address as an error may quote it: without user, password and query, and cut to a length."""
    bare = re.sub(r"//.*@", "//…@", url.strip(), flags=re.DOTALL)
    return shown(re.sub(r"[?#].*", "?…", bare, flags=re.DOTALL), 100)


def _bad(url: str) -> RegistryError:
    return RegistryError(
        f"{told(url)} is no registry's address: write it as 'https://registry.example.org' or 'http://127.0.0.1:8765'",
        code="bad_url",
        hint="pass url= or set PRESSMARK_URL",
    )
