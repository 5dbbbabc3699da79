"""How values and names are written in errors: short, however long they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping


def shown(value: object, limit: int = 60) -> str:
    """Return the value as Python writes it, cut to a length at which it can still be recognised."""
    if isinstance(value, Mapping):
        return f"an object with {len(value)} {'key' if len(value) == 1 else 'keys'}"
    # The start is enough; writing all of a long text or list could take long.
    text = repr(value[:limit] if isinstance(value, str | bytes | list | tuple) else value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def listed(names: Collection[object], limit: int = 8) -> str:
    """Return names joined by commas, in quotes; of many, the first ones and how many more there are."""
    first = [shown(name) for name, _ in zip(names, range(limit), strict=False)]
    more = len(names) - len(first)
    return ", ".join(first) + (f" and {more:,} more" if more else "")


def with_article(noun: str) -> str:
    """Return a noun after `a` or `an`."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
