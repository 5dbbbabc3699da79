"""Moving labels: what a move expects, what the gate says, where a rollback leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pressmark import gate
from pressmark.errors import ConflictError, GateError, RegistryError, VersionNotFoundError
from pressmark.gate import GateDecision
from pressmark.prompts import LATEST, Entry, LabelPointer, check_label, check_name, parse_input, parse_number
from pressmark.prompts.evidence import Evidence
from pressmark.prompts.lines import LONGEST_MESSAGE, check_line
from pressmark.registry import access, changes, evidences, policies, schema, versions
from pressmark.registry.database import Transaction
from pressmark.registry.inputs import PublishedInputs
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
        moved: Where labels stand after the earlier steps of the same move: a chain that several steps make together
            is not the one that was evaluated for each alone.
    """

    connection: sa.Connection
    principal: Principal
    inputs: PublishedInputs
    now: datetime
    moved: dict[tuple[str, str], LabelPointer] = field(default_factory=dict)


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
    check_line(reason, "the reason", LONGEST_MESSAGE)
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
    check_line(reason, "the reason", LONGEST_MESSAGE)
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
    returning = kind == "rollback" and _held_before(connection, move, target.digest)
    decision = _decide(asking, move.name, gate.MoveRequest(move.label, target, reason, kind, returning))
    if not decision.allowed:
        raise GateError(
            f"{move.label} of {move.name!r} was not moved to {target.version}: {decision}", decision=decision
        )
    asking.moved[move.name, move.label] = LabelPointer(
        move.name, move.label, target.number, target.digest, 0, asking.now, principal.name, reason
    )
    told = {
        "name": move.name,
        "label": move.label,
        "from": None if held is None else held.number,
        "to": target.number,
        "digest": target.digest,
    }
    # What a move stood on belongs to its history.
    return {**told, "evidence": decision.evidence["digest"]} if decision.evidence else told


def _held_before(connection: sa.Connection, move: Move, digest: str) -> bool:
    table = schema.moves.c
    query = sa.select(table.seq).where(table.name == move.name, table.label == move.label, table.digest == digest)
    return connection.execute(query.limit(1)).first() is not None


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
    connection = asking.connection
    held = pointer(connection, name, request.label)
    current = None if held is None else versions.numbered(connection, name, held.number).unit
    kept = evidences.on_change(connection, name, request.label, request.target.digest)
    known, digests = [record for _, record in kept], {id(record): digest for digest, record in kept}
    return gate.decide(
        policies.of(connection, name, request.label),
        request,
        evidence=known,
        pointers=_standing(asking, name, request, known),
        current=current,
        # Whole, whoever asks: what a token does not see counts all the same, and is not named.
        graph=asking.inputs.standing(
            connection, request.label, {key: each.digest for key, each in asking.moved.items()}
        ),
        principal=gate.Principal(asking.principal.name, asking.principal.role),
        now=asking.now,
        sees=lambda named: _sees(asking, named),
        digest_of=lambda record: digests[id(record)],
    )


def _standing(asking: Asking, name: str, request: gate.MoveRequest, known: Sequence[Evidence]) -> list[LabelPointer]:
    """Where every label stands that the decision may look at."""
    wanted = {(name, request.label)}
    for record in known:
        wanted |= {parse_input(reference) for reference in record.lock}
        wanted |= {(trial.prompt, label) for trial in record.trials for label in (request.label, LATEST)}
    found = {(each.name, each.label): each for each in _all_pointers(asking.connection, {name for name, _ in wanted})}
    return [each for key, each in (found | asking.moved).items() if key in wanted]


def _all_pointers(connection: sa.Connection, names: set[str]) -> list[LabelPointer]:
    given = sorted(names)
    found: list[sa.Row[Any]] = []
    for start in range(0, len(given), 500):
        found += _joined(connection, _LABELS.name.in_(given[start : start + 500]))
    return [_pointer(row) for row in found]


def _sees(asking: Asking, named: str) -> bool:
    """Whether who asks may see a prompt, or the label of one (`prompt@label`)."""
    name, _, label = named.partition("@")
    if label and not (asking.principal.sees_label(label) or (label == LATEST and not asking.principal.narrow)):
        return False
    return versions.sees_prompt(asking.connection, asking.principal, name)


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
