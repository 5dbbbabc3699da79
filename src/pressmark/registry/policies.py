"""What labels demand: the policy of a prompt's label, and its changes in the log."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from pressmark.prompts import Entry, check_label, check_name, matches
from pressmark.prompts.canonical import canonical_bytes
from pressmark.prompts.lines import LONGEST_MESSAGE, check_line
from pressmark.prompts.names import check_pattern
from pressmark.prompts.policy import SOLO, Policy
from pressmark.registry import access, schema
from pressmark.registry.database import Transaction
from pressmark.registry.values import PolicyRule, Principal

_POLICIES = schema.policies.c


def of(connection: sa.Connection, name: str, label: str) -> Policy:
    """Return what a prompt's label demands: by the most specific pattern that its name fits, else `solo`."""
    rows = connection.execute(sa.select(schema.policies).where(_POLICIES.label == label)).all()
    fitting = [row for row in rows if matches(row.names, name)]
    if not fitting:
        return SOLO
    return Policy.from_dict(json.loads(max(fitting, key=lambda row: _specific(row.names)).body))


def find(connection: sa.Connection, principal: Principal, name: str, label: str) -> Policy:
    """Return what a prompt's label demands; the prompt need not be there yet.

    Raises:
        PromptNotFoundError: It may not be seen.
        LabelNotFoundError: The label may not be seen.
    """
    check_name(name)
    check_label(label)
    if not principal.sees_name(name):
        raise access.no_prompt(name)
    if not principal.sees_label(label):
        raise access.no_label(name, label)
    return of(connection, name, label)


def listed(connection: sa.Connection, principal: Principal) -> list[PolicyRule]:
    """Return every policy that was set and may be seen, by label, the most specific pattern first."""
    rows = connection.execute(sa.select(schema.policies)).all()
    seen = [row for row in rows if seen_by(principal, row.label, row.names)]
    seen.sort(key=lambda row: _specific(row.names), reverse=True)
    seen.sort(key=lambda row: row.label)
    return [PolicyRule(row.label, row.names, Policy.from_dict(json.loads(row.body)), row.seq) for row in seen]


def seen_by(principal: Principal, label: str, names: str) -> bool:
    """Say whether a policy may be seen: a pattern must not tell names that are out of scope."""
    return principal.sees_label(label) and (names == "**" or principal.sees_name(names))


def put(
    transaction: Transaction, principal: Principal, label: str, policy: Policy, *, names: str, reason: str
) -> Entry:
    """Let a label demand something of the prompts whose names fit a pattern, from this entry of the log on.

    Raises:
        InvalidNameError: The label or the pattern is malformed, or the label is `latest`.
        InvalidUnitError: The reason is malformed.
        PermissionDeniedError: The token is not for that label, or not for all these prompts.
    """
    check_label(label, movable=True)
    check_pattern(names)
    check_line(policy.name, "the policy's name", 100)
    check_line(reason, "the reason", LONGEST_MESSAGE)
    access.demand_label(principal, label)
    access.demand_name(principal, names)
    told: dict[str, Any] = {"label": label, "names": names, "policy": policy.to_dict()}
    entry = transaction.append("policy", actor=principal.name, reason=reason, data=told)
    body, key = canonical_bytes(policy.to_dict()).decode(), (_POLICIES.label == label) & (_POLICIES.names == names)
    table = schema.policies
    changed = transaction.connection.execute(table.update().where(key).values(body=body, seq=entry.seq))
    if changed.rowcount == 0:
        transaction.connection.execute(table.insert().values(label=label, names=names, body=body, seq=entry.seq))
    return entry


def _specific(names: str) -> tuple[bool, int, int, str]:
    """Orders patterns: a whole name, then what says more of it, then what stays within a segment."""
    return "*" not in names, len(names.replace("*", "")), -names.count("**"), names
