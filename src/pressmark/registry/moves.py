"""Moving labels: what a move expects, what the gate says, where a rollback leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pressmark import gate
from pressmark.errors import ConflictError, GateError, RegistryError, VersionNotFoundError
from pressmark.gate import GateDecision
from pressmark.prompts import Entry, LabelPointer, check_label, check_name, parse_number
from pressmark.prompts.policy import SOLO
from pressmark.registry import access, changes, schema, versions
from pressmark.registry.database import Transaction
from pressmark.registry.inputs import PublishedInputs
from pressmark.registry.texts import check_line
from pressmark.registry.values import UNSET, Expected, Move, Principal, Published
from pressmark.wire import read_time

_LABELS = schema.labels.c
MAX_MOVES = 1000


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody who asks about a move at one moment of the store.

    Attributes:
        connection: That moment.
        principal: Who asks.
        inputs: Which published prompts feed which.
        now: The time.
    """

    connection: sa.Connection
    principal: Principal
    inputs: PublishedInputs
    now: datetime


def pointers(connection: sa.Connection, principal: Principal, name: str) -> list[LabelPointer]:
    """Return where the labels of a prompt stand, as far as they may be seen, by label.

    Raises:
        PromptNotFoundError: There is no such prompt, or it may not be seen.
    """
    versions.demand_prompt(connection, principal, name)
    rows = _joined(connection, _LABELS.name == name)
    found = [_pointer(row) for row in rows if principal.sees_label(row.label)]
    return sorted(found, key=lambda pointer: pointer.label)


def pointer(connection: sa.Connection, name: str, label: str) -> LabelPointer | None:
    """Return where a label stands, or None where it is not set."""
    rows = _joined(connection, (_LABELS.name == name) & (_LABELS.label == label))
    return _pointer(rows[0]) if rows else None


def previous(connection: sa.Connection, name: str, label: str) -> int | None:
    """Return the version that a rollback leads to: what the label held before its present one, or None.

    The log is walked like a stack: a move lays a version on it, a rollback takes off what lies above the version that
    it went back to. So a second rollback goes one further back, and never to what was rolled back before.
    """
    table = schema.moves.c
    rows = connection.execute(
        sa.select(table.version, schema.log.c.kind)
        .join(schema.log, schema.log.c.seq == table.seq)
        .where(table.name == name, table.label == label)
        .order_by(table.seq)
    )
    stack: list[int] = []
    for row in rows:
        if row.kind == "rollback" and row.version in stack:
            while stack[-1] != row.version:
                stack.pop()
        else:
            stack.append(row.version)
    return stack[-2] if len(stack) > 1 else None


def check(asking: Asking, move: Move, *, reason: str) -> GateDecision:
    """Return what the gate says to a move, without moving anything.

    Raises:
        NotFoundError: There is no such prompt or version, or it may not be seen.
    """
    check_label(move.label)
    target = versions.find(asking.connection, asking.principal, move.name, move.to)
    access.demand_label(asking.principal, move.label)
    return _decide(asking, move.name, gate.MoveRequest(move.label, target, reason))


def apply(
    transaction: Transaction, principal: Principal, inputs: PublishedInputs, moves: Sequence[Move], *, reason: str
) -> Entry:
    """Move labels together: all of them, or none.

    Raises:
        ConflictError: A label is not where the mover expected it.
        GateError: The gate refuses one of them.
        NotFoundError: A prompt or version does not exist, or may not be seen.
        InvalidNameError: A name or label is malformed, or the label is `latest`.
    """
    check_line(reason, "the reason", 2000)
    if not 1 <= len(moves) <= MAX_MOVES:
        raise RegistryError(f"{len(moves)} labels cannot be moved at once: give 1 to {MAX_MOVES}", status=422)
    if len({(move.name, move.label) for move in moves}) < len(moves):
        raise RegistryError("one label of one prompt is named twice: name each once", status=422)
    asking = Asking(transaction.connection, principal, inputs, transaction.now)
    steps = [_step(asking, move, reason) for move in moves]
    return _append(transaction, principal, "move", steps, reason)


def roll_back(
    transaction: Transaction, principal: Principal, inputs: PublishedInputs, move: Move, *, reason: str
) -> Entry:
    """Move a label back: to `move.to`, or where that is empty to the version that it held before.

    Raises:
        ConflictError: The label is not where the mover expected it.
        LabelNotFoundError: The label is not set.
        VersionNotFoundError: It held nothing before.
        GateError: The gate refuses it.
    """
    check_line(reason, "the reason", 2000)
    asking = Asking(transaction.connection, principal, inputs, transaction.now)
    return _append(transaction, principal, "rollback", [_step(asking, move, reason, "rollback")], reason)


def _step(asking: Asking, move: Move, reason: str, kind: str = "move") -> dict[str, Any]:
    """Check one move and return what the log tells of it. Only a rollback may leave open where it goes."""
    connection, principal = asking.connection, asking.principal
    check_name(move.name)
    check_label(move.label, movable=True)
    versions.demand_prompt(connection, principal, move.name)
    access.demand_label(principal, move.label)
    held = pointer(connection, move.name, move.label)
    _demand_expected(held, move)
    if kind == "rollback" and held is None:
        raise access.no_label(move.name, move.label)
    before = held if kind == "rollback" and not move.to else None
    target = _last_good(connection, before) if before else versions.find(connection, principal, move.name, move.to)
    decision = _decide(asking, move.name, gate.MoveRequest(move.label, target, reason, kind))
    if not decision.allowed:
        raise GateError(
            f"{move.label} of {move.name!r} was not moved to {target.version}: {decision}", decision=decision
        )
    return {
        "name": move.name,
        "label": move.label,
        "from": None if held is None else held.number,
        "to": target.number,
        "digest": target.digest,
    }


def _last_good(connection: sa.Connection, held: LabelPointer) -> Published:
    number = previous(connection, held.name, held.label)
    if number is None:
        left = _rolled_back(connection, held)
        raise VersionNotFoundError(
            f"{held.label} of {held.name!r} has held nothing but {held.version}, so there is nothing to go back to:"
            " name a version with to=, or publish a better one"
            if left is None
            else f"what {held.label} of {held.name!r} held before (v{left}) was itself rolled back, so there is nothing"
            f" to go back to: say to='v{left}' to go there all the same, or publish a better one",
            name=held.name,
            label=held.label,
        )
    return versions.numbered(connection, held.name, number)


def _rolled_back(connection: sa.Connection, held: LabelPointer) -> int | None:
    """Return the last other version that a label held, or None."""
    table = schema.moves.c
    found: int | None = connection.execute(
        sa.select(table.version)
        .where(table.name == held.name, table.label == held.label, table.version != held.number)
        .order_by(table.seq.desc())
        .limit(1)
    ).scalar()
    return found


def _append(
    transaction: Transaction, principal: Principal, kind: str, steps: list[dict[str, Any]], reason: str
) -> Entry:
    entry = transaction.append(kind, actor=principal.name, reason=reason, data={"moves": steps})
    for moved in changes.moved_labels(entry):
        versions.point(transaction.connection, entry.seq, **moved)
    return entry


def _decide(asking: Asking, name: str, request: gate.MoveRequest) -> GateDecision:
    held = pointer(asking.connection, name, request.label)
    current = None if held is None else versions.numbered(asking.connection, name, held.number).unit
    return gate.decide(
        SOLO,
        request,
        pointers=[] if held is None else [held],
        current=current,
        graph=asking.inputs.graph(asking.connection, asking.principal),
        principal=gate.Principal(asking.principal.name, asking.principal.role),
        now=asking.now,
    )


def _demand_expected(held: LabelPointer | None, move: Move) -> None:
    if isinstance(move.expected, str) and parse_number(move.expected, "registry") is None:
        raise RegistryError(
            f"expected is {move.expected!r}: name the version that the label holds, such as 'v2', or None for no such"
            " label yet",
            status=422,
        )
    if move.expected is UNSET or _meets(held, move.expected):
        return
    if held is None:
        raise ConflictError(
            f"label {move.label!r} of {move.name!r} does not exist, and you expected {_said(move.expected)}:"
            " reload and try again",
            hint="reload and try again",
            current=None,
        )
    expected = "no such label" if move.expected is None else _said(move.expected)
    raise ConflictError(
        f"label {move.label!r} of {move.name!r} points to {held.version}, and you expected {expected}: it moved at"
        f" {held.moved_at:%Y-%m-%d %H:%M:%S} UTC ({held.moved_by}: {held.reason}). Reload and try again",
        hint="reload and try again",
        current=held,
    )


def _meets(held: LabelPointer | None, expected: Expected) -> bool:
    if held is None or expected is None:
        return held is None and expected is None
    return held.seq == expected if isinstance(expected, int) else held.number == parse_number(expected, "registry")


def _said(expected: Expected) -> str:
    return f"the move with number {expected}" if isinstance(expected, int) else str(expected)


def _joined(connection: sa.Connection, where: sa.ColumnElement[bool]) -> Sequence[sa.Row[Any]]:
    log = schema.log.c
    return connection.execute(
        sa.select(schema.labels, log.at, log.actor, log.reason).join(schema.log, log.seq == _LABELS.seq).where(where)
    ).all()


def _pointer(row: Any) -> LabelPointer:
    return LabelPointer(
        row.name, row.label, row.version, row.digest, row.seq, read_time(row.at), row.actor, row.reason
    )  # fmt: skip
