"""What a client can serve before its registry answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from pressmark.client import snapshot
from pressmark.client.cache import View
from pressmark.client.snapshot import Snapshot, Stored
from pressmark.errors import ClientError, PressmarkError


def from_disk(
    kept: Snapshot | None, bundle: Path | None, report: Callable[[PressmarkError], None]
) -> tuple[View, float | None]:
    """Return the state on disk, and how many seconds ago the registry confirmed it (None: never).

    Of a snapshot and a bundle of one registry the later one counts: a service may be deployed with a bundle that is
    newer than what its host saw last.

    Args:
        kept: The snapshot's place, or None.
        bundle: The bundle's file, or None.
        report: Called with what is wrong with either; the other one still counts.
    """
    last = _attempt(kept.read, report) if kept is not None else None
    shipped = _attempt(lambda: _bundle(bundle), report) if bundle is not None else None
    if shipped is not None and (last is None or _is_later(shipped.view, last.view)):
        return shipped.view, None
    if last is not None:
        return last.view, max(0.0, time.time() - last.confirmed_at)
    return View(), None


def _attempt(read: Callable[[], Stored | None], report: Callable[[PressmarkError], None]) -> Stored | None:
    try:
        return read()
    except ClientError as error:
        report(error)
        return None


def _bundle(path: Path) -> Stored:
    try:
        return snapshot.read(path, "bundle", None)
    except FileNotFoundError:
        raise ClientError(
            f"there is no bundle at {path}: the client goes on without it; correct bundle= or ship the file",
            path=str(path),
        ) from None


def _is_later(one: View, other: View) -> bool:
    a, b = one.position, other.position
    return a is not None and b is not None and a.registry == b.registry and a[1:] > b[1:]
