"""Where a registry is and what a caller shows it, checked before the first byte leaves.

Registry and client share it. A mistake here is often most of a good secret, so no message repeats a token, or what
stands before an address's `@` or behind its `?`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import urllib3
from urllib3.util import parse_url

from pressmark.errors import AuthenticationError, RegistryError
from pressmark.prompts.quoting import shown


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
