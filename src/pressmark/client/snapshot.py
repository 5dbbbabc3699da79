"""The last known good state on disk, so that a service starts without its registry.

A file is one header line and a body, both JSON::

    {"format": "pressmark-snapshot", "version": 1, "scope": "…", "position": {…}, "digest": "sha256:…"}
    {"registry_scope": "…", "etag": …, "pointers": […], "gone": […], "units": {digest: text}}

The digest is over all the rest. The file is written beside itself, synced, and renamed, so that a reader sees the old
one or the new one and never a part. Its name holds a hash of what the client asks for (URL, labels, name patterns,
token) and keeps: processes of one host that ask for the same share one file, and others never meet. Its modification
time says when the registry last confirmed the state. A bundle has the same form and ships with an application; its
scope is not compared.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from pressmark.client.answers import Pointer
from pressmark.client.cache import Gone, View, from_store
from pressmark.errors import ClientError, RegistryError
from pressmark.prompts import Position, sha256_digest
from pressmark.wire import position_from_dict, position_to_dict

_FORMAT: Final = "pressmark-snapshot"
_VERSION: Final = 1
_LOCK_PATIENCE: Final = 0.5
_HAS_LOCKS: Final = sys.platform != "win32"


class Stored(NamedTuple):
    """A state read from disk, and when (Unix time) the registry last confirmed it."""

    view: View
    confirmed_at: float


def scope_key(
    url: str, token: str | None, labels: tuple[str, ...], names: tuple[str, ...], *, keep_gone: bool = False
) -> str:
    """Return the hash of what a client asks for, with whose rights, and of what it keeps."""
    asked = json.dumps([url.rstrip("/"), token or "", sorted(set(labels)), sorted(set(names)), keep_gone])
    return sha256_digest(asked.encode()).removeprefix("sha256:")


def default_directory() -> Path:
    """Where snapshots lie when the caller names no directory."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "pressmark"


class Snapshot:
    """The snapshot file of one scope.

    Args:
        directory: Where it lies; made when it is first written.
        scope: The hash of what the client asks for.
    """

    def __init__(self, directory: Path, scope: str) -> None:
        self.path = directory / f"{scope[:32]}.snapshot"
        self._scope = scope

    def read(self) -> Stored | None:
        """Read the file; None where there is none.

        Raises:
            ClientError: It is cut, altered, of another scope or of a newer form.
        """
        try:
            return read(self.path, "snapshot", self._scope)
        except FileNotFoundError:
            return None

    def write(self, view: View) -> None:
        """Replace the file by this view, unless another process has already written a newer one.

        Raises:
            ClientError: The directory or the disk did not take it; the old file stays whole.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _lock(self.path.with_suffix(".lock")):
                if not _is_newer(self._position(), view.position):
                    _replace(self.path, _content(view, self._scope))
        except OSError as error:
            raise ClientError(
                f"the snapshot {self.path} could not be written ({error.strerror or error}): the client goes on, but a"
                " restart without the registry would start from an older state; free space, or pass another"
                " snapshot_dir=",
                path=str(self.path),
            ) from error

    def touch(self) -> None:
        """Note that the registry has confirmed the state just now."""
        with contextlib.suppress(OSError):
            os.utime(self.path)

    def _position(self) -> Position | None:
        try:
            with self.path.open("rb") as file:
                return position_from_dict(_checked(file, self.path, "snapshot", self._scope)[0]["position"])
        except (OSError, ClientError, LookupError, ValueError, TypeError):
            return None  # what cannot be used is no reason to keep it


def read(path: Path, source: str, scope: str | None) -> Stored:
    """Read a snapshot or bundle.

    Args:
        path: The file.
        source: What its prompts shall say they come from: `snapshot` or `bundle`.
        scope: The scope that it must have, or None for any.

    Raises:
        FileNotFoundError: There is none.
        ClientError: It is cut, altered, of another scope or of a newer form.
    """
    try:
        with path.open("rb") as file:
            header, body = _checked(file, path, source, scope)
            confirmed_at = min(os.fstat(file.fileno()).st_mtime, time.time())
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unusable(path, source, f"cannot be read ({error.strerror or error})") from error
    try:
        told = json.loads(body)
        view = from_store(
            position_from_dict(header["position"]),
            [Pointer(*row) for row in told["pointers"]],
            {(label, name): Gone(why, seq) for label, name, why, seq in told["gone"]},
            told["units"],
            scope=told["registry_scope"],
            etag=told["etag"],
            source=source,
        )
    except RegistryError as error:
        raise _unusable(path, source, f"holds what was refused: {error}") from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise _unusable(path, source, f"has another shape than expected ({error})") from error
    return Stored(view, confirmed_at)


def _content(view: View, scope: str) -> bytes:
    assert view.position is not None
    held = [prompt for names in view.prompts.values() for prompt in names.values()]
    body = json.dumps(
        {
            "registry_scope": view.scope,
            "etag": view.etag,
            "pointers": [[p.name, p.label, p._seq, p.version, p.digest] for p in held],
            "gone": [[label, name, gone.why, gone.seq] for (label, name), gone in view.gone.items()],
            "units": {p.digest: p._content.text for p in held},
        },
        ensure_ascii=False,
    ).encode()
    header: dict[str, Any] = {
        "format": _FORMAT,
        "version": _VERSION,
        "scope": scope,
        "position": position_to_dict(view.position),
    }
    return json.dumps(header | {"digest": sha256_digest(_signed(header) + body)}).encode() + b"\n" + body


def _signed(header: Mapping[str, Any]) -> bytes:
    """The part of the header that its digest covers."""
    return json.dumps([header.get(key) for key in ("format", "version", "scope", "position")]).encode()


def _checked(file: BinaryIO, path: Path, source: str, scope: str | None) -> tuple[dict[str, Any], bytes]:
    """Return header and body of a file that is whole and of this scope."""
    line, body = file.readline(4096), file.read()
    try:
        header = json.loads(line)
    except ValueError:
        header = None
    if not isinstance(header, dict) or header.get("format") != _FORMAT:
        raise _unusable(path, source, "is not a Pressmark snapshot")
    if header.get("version") != _VERSION:
        raise _unusable(path, source, f"has version {header.get('version')!r}, and this Pressmark reads {_VERSION}")
    if scope is not None and header.get("scope") != scope:
        raise _unusable(path, source, "belongs to another URL, token or subscription")
    if header.get("digest") != sha256_digest(_signed(header) + body):
        raise _unusable(path, source, "is cut or was altered: it does not match its digest")
    return header, body


def _is_newer(there: Position | None, here: Position | None) -> bool:
    if there is None or here is None or there.registry != here.registry:
        return False
    return there[1:] > here[1:]


def _replace(path: Path, content: bytes) -> None:
    # Under the writers' lock one name is enough, so a writer that was killed leaves at most one such file behind.
    beside = path.with_suffix(".tmp" if _HAS_LOCKS else f".{os.getpid()}.tmp")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    if sys.platform != "win32":
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold the writers' lock; it goes with its process, however that ends.

    Raises:
        TimeoutError: Another process holds it and does not get on.
    """
    if not _HAS_LOCKS:  # the rename alone keeps files whole
        yield
        return
    import fcntl

    with path.open("ab") as file:
        deadline = time.monotonic() + _LOCK_PATIENCE
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"another process holds {path}") from None
                time.sleep(0.005)
        try:
            yield
        finally:
            # Closing would not do: a child forked meanwhile holds a copy of the descriptor, and the lock with it.
            fcntl.flock(file, fcntl.LOCK_UN)


def _unusable(path: Path, source: str, why: str) -> ClientError:
    return ClientError(
        f"the {source} {path} {why}: it was left aside" + ("" if source == "bundle" else "; the next sync replaces it"),
        path=str(path),
    )
