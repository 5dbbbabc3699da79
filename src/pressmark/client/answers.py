"""The registry's answers, read with suspicion: a wrong shape is one clear error and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from pressmark.errors import RegistryError
from pressmark.prompts import Position


class Pointer(NamedTuple):
    """Where a label stands; `digest` is None once the label was removed."""

    name: str
    label: str
    seq: int
    version: str
    digest: str | None


class SyncAnswer(NamedTuple):
    """Everything that the token may see under the subscription, at one position."""

    position: Position
    scope: str
    pointers: tuple[Pointer, ...]
    units: Mapping[str, str]


class Move(NamedTuple):
    """Pointers that moved together, with the units they need.

    `position` lacks registry and epoch where the stream leaves them out; they are those of the state it continues.
    """

    seq: int
    registry: str | None
    epoch: int | None
    pointers: tuple[Pointer, ...]
    units: Mapping[str, str]


class Head(NamedTuple):
    """Word that the stream is complete up to a sequence number."""

    seq: int
    registry: str | None
    epoch: int | None


def read_sync(body: bytes) -> SyncAnswer:
    """Read the answer of `GET /v1/sync`.

    Raises:
        RegistryError: It has another shape.
    """
    told = _object(_json(body), "sync answer")
    position = _object(told.get("position"), "position")
    if told.get("full", True) is not True:
        raise malformed("it holds only what changed, and everything was asked for")
    return SyncAnswer(
        Position(_text(position, "registry"), _number(position, "epoch"), _number(position, "seq")),
        str(told.get("scope", "")),
        _pointers(told.get("pointers")),
        _units(told.get("units")),
    )


def read_move(data: str, event_id: str) -> Move:
    """Read the data of `event: move`.

    Raises:
        RegistryError: It has another shape.
    """
    told = _object(_json(data), "move event")
    seq, registry, epoch = _stream_position(told, event_id)
    return Move(seq, registry, epoch, _pointers(told.get("pointers")), _units(told.get("units", {})))


def read_head(data: str, event_id: str) -> Head:
    """Read the data of `event: head`.

    Raises:
        RegistryError: It has another shape.
    """
    return Head(*_stream_position(_object(_json(data), "head event"), event_id))


def malformed(what: str) -> RegistryError:
    """The error for an answer that is not as the protocol has it."""
    return RegistryError(
        f"the registry's answer was refused: {what}. The last valid state stays; check that the URL is a Pressmark"
        " registry, and that no proxy rewrites its answers",
        status=502,
        code="malformed",
        hint="check the URL and the proxies on the way",
    )


def _stream_position(told: Mapping[str, Any], event_id: str) -> tuple[int, str | None, int | None]:
    position = told.get("position", told)
    seq = position.get("seq", event_id) if isinstance(position, Mapping) else event_id
    if isinstance(seq, str) and seq.isdigit():
        seq = int(seq)
    if not isinstance(seq, int) or isinstance(seq, bool) or seq < 0:
        raise malformed(f"an event carries {seq!r} where its sequence number belongs")
    registry = position.get("registry") if isinstance(position, Mapping) else None
    epoch = position.get("epoch") if isinstance(position, Mapping) else None
    return seq, registry if isinstance(registry, str) else None, epoch if isinstance(epoch, int) else None


def _pointers(told: Any) -> tuple[Pointer, ...]:
    if not isinstance(told, list):
        raise malformed("its pointers are not a list")
    return tuple(_pointer(_object(one, "pointer")) for one in told)


def _pointer(told: Mapping[str, Any]) -> Pointer:
    name, label, seq = _text(told, "name"), _text(told, "label"), _number(told, "seq")
    targets = told.get("targets")
    if not isinstance(targets, list):
        raise malformed(f"the targets of {name}@{label} are not a list")
    if not targets:
        return Pointer(name, label, seq, "", None)
    if len(targets) > 1:
        raise RegistryError(
            f"{name}@{label} is a rollout over {len(targets)} versions, which this client cannot serve:"
            " upgrade pressmark. The last valid state stays",
            status=502,
            code="rollout",
            hint="upgrade pressmark",
        )
    target = _object(targets[0], f"target of {name}@{label}")
    version = target.get("version")
    if isinstance(version, int) and not isinstance(version, bool):
        version = f"v{version}"
    if not isinstance(version, str):
        raise malformed(f"the target of {name}@{label} has version {version!r}")
    return Pointer(name, label, seq, version, _text(target, "digest"))


def _units(told: Any) -> Mapping[str, str]:
    units = _object(told, "units")
    for digest, text in units.items():
        if not isinstance(text, str):
            raise malformed(f"unit {digest} is not text")
    return units


def _json(body: bytes | str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise malformed("it is not JSON") from None


def _object(told: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(told, dict):
        raise malformed(f"its {what} is not an object")
    return told


def _text(told: Mapping[str, Any], key: str) -> str:
    value = told.get(key)
    if not isinstance(value, str) or not value:
        raise malformed(f"{key} is {value!r} where text belongs")
    return value


def _number(told: Mapping[str, Any], key: str) -> int:
    value = told.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise malformed(f"{key} is {value!r} where a number belongs")
    return value
