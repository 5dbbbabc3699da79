"""What a client was asked to do, checked once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Self

from pressmark.client.fallbacks import fallback_prompt
from pressmark.client.prompt import Prompt
from pressmark.client.snapshot import default_directory
from pressmark.errors import InvalidNameError, RegistryError
from pressmark.prompts import check_label
from pressmark.prompts.names import check_pattern


@dataclass(frozen=True, slots=True)
class Settings:
    """A client's settings.

    Attributes:
        url: The registry.
        token: The bearer token, or None.
        labels: Labels subscribed to.
        names: Patterns of names subscribed to.
        snapshot_dir: Where the snapshot lies, or None for nowhere.
        bundle: The bundle's file, or None.
        fallbacks: The caller's own prompts, by label and name.
        max_age: Seconds after which what is not confirmed is not served, or None.
        start_timeout: Seconds to wait for the first answer.
        poll_interval: Seconds between syncs while the stream fails.
        keep_gone: Whether what was removed is served on.
    """

    url: str
    token: str | None = field(repr=False)
    labels: tuple[str, ...]
    names: tuple[str, ...]
    snapshot_dir: Path | None
    bundle: Path | None
    fallbacks: Mapping[str, Mapping[str, Prompt]]
    max_age: float | None
    start_timeout: float
    poll_interval: float
    keep_gone: bool

    @classmethod
    def of(
        cls,
        url: str | None,
        token: str | None,
        *,
        labels: Iterable[str],
        names: Iterable[str],
        snapshot_dir: str | PathLike[str] | Literal[False] | None,
        bundle: str | PathLike[str] | None,
        fallback: Mapping[str, Any] | None,
        max_age: float | None,
        start_timeout: float,
        poll_interval: float,
        when_removed: Literal["raise", "keep"],
    ) -> Self:
        """Check the arguments of `Client`.

        Raises:
            RegistryError: There is no URL.
            InvalidNameError: A label or pattern is none.
            InvalidUnitError: A fallback is no unit.
            ValueError: A time is not positive, or `when_removed` is neither of its two words.
        """
        if not (url := url or os.environ.get("PRESSMARK_URL")):
            raise RegistryError(
                "a Client needs the registry's URL: pass url= or set PRESSMARK_URL", code="bad_url", hint="pass url="
            )
        for what, seconds in (
            ("max_age", max_age),
            ("start_timeout", start_timeout),
            ("poll_interval", poll_interval),
        ):
            if seconds is not None and not seconds > 0:
                raise ValueError(f"{what} is {seconds!r}: give a number of seconds above 0")
        if when_removed not in ("raise", "keep"):
            raise ValueError(f"when_removed is {when_removed!r}: write 'raise' or 'keep'")
        asked = tuple(dict.fromkeys(check_label(label) for label in _several(labels, "label")))
        return cls(
            url=url,
            token=token or os.environ.get("PRESSMARK_TOKEN"),
            labels=asked,
            names=tuple(dict.fromkeys(check_pattern(name) for name in _several(names, "name pattern"))),
            snapshot_dir=None if snapshot_dir is False else Path(snapshot_dir or default_directory()),
            bundle=None if bundle is None else Path(bundle),
            fallbacks={
                label: {name: fallback_prompt(name, label, told) for name, told in (fallback or {}).items()}
                for label in asked
            },
            max_age=max_age,
            start_timeout=start_timeout,
            poll_interval=poll_interval,
            keep_gone=when_removed == "keep",
        )


def _several(told: Iterable[str], what: str) -> tuple[str, ...]:
    """A bare string is one label, not its letters."""
    several = (told,) if isinstance(told, str) else tuple(told)
    if not several or not all(isinstance(one, str) and one for one in several):
        raise InvalidNameError(f"a Client needs at least one {what}, got {told!r}: pass a list of them")
    return several
