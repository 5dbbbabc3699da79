"""What each role may do, and how a refusal is said.

Out of scope to read is "not found", in the same words as what does not exist: a token learns nothing of what it may not
see. What a role may not do is said openly, before anything is looked up.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from pressmark.errors import (
    LabelNotFoundError,
    NotFoundError,
    PermissionDeniedError,
    PromptNotFoundError,
    SuiteNotFoundError,
    VersionNotFoundError,
)
from pressmark.prompts.quoting import shown, with_article
from pressmark.registry.values import Principal, Role

Verb = Literal["read", "publish", "publish_suite", "submit_evidence", "move", "administer"]

MAY: Final[dict[Verb, frozenset[Role]]] = {
    "read": frozenset({"reader", "editor", "evaluator", "approver", "admin"}),
    "publish": frozenset({"editor", "admin"}),
    "publish_suite": frozenset({"editor", "approver", "admin"}),
    "submit_evidence": frozenset({"evaluator", "editor", "approver", "admin"}),
    "move": frozenset({"editor", "approver", "admin"}),
    "administer": frozenset({"admin"}),
}
_DOING: Final[dict[Verb, str]] = {
    "read": "read",
    "publish": "publish versions",
    "publish_suite": "publish suites",
    "submit_evidence": "submit evidence",
    "move": "move labels",
    "administer": "manage tokens and policies or read the audit log",
}


def demand(principal: Principal, verb: Verb) -> None:
    """Refuse what the role may not do.

    Raises:
        PermissionDeniedError: Naming the roles that may.
    """
    if principal.role not in MAY[verb]:
        allowed = ", ".join(sorted(MAY[verb]))
        raise PermissionDeniedError(
            f"{principal.name} is {with_article(principal.role)} here and may not {_DOING[verb]} ({allowed} may):"
            " ask an admin of this registry for a token with that role",
            hint="ask an admin for a token with that role",
        )


def demand_name(principal: Principal, name: str) -> None:
    """Refuse to write to a prompt outside the token's names.

    Raises:
        PermissionDeniedError: Told by the scope alone, whether or not the prompt exists.
    """
    if not principal.sees_name(name):
        raise PermissionDeniedError(
            f"this token of {principal.name} is for prompts named {', '.join(principal.names)}, not for {name!r}:"
            " ask an admin for a wider one",
            hint="ask an admin for a token with a wider scope",
        )


def demand_label(principal: Principal, label: str) -> None:
    """Refuse to move a label outside the token's labels.

    Raises:
        PermissionDeniedError: Told by the scope alone, whether or not the label exists.
    """
    if not principal.sees_label(label):
        raise PermissionDeniedError(
            f"this token of {principal.name} is for labels {', '.join(principal.labels)}, not for {label!r}:"
            " ask an admin for a wider one",
            hint="ask an admin for a token with a wider scope",
        )


def demand_everything(principal: Principal) -> None:
    """Refuse what cannot be answered without a look at the whole registry.

    Raises:
        PermissionDeniedError: The token is for a part of it.
    """
    if not principal.wide:
        raise PermissionDeniedError(
            f"this token of {principal.name} is for a part of the registry, and verifying reads all of it:"
            " ask an admin for a token without patterns",
            hint="ask an admin for a token without patterns",
        )


def check_token_id(token: str) -> str:
    """Return a token's id when a token can have it.

    Raises:
        NotFoundError: It is of another form, so there is no such token.
    """
    if not isinstance(token, str) or not re.fullmatch(r"[0-9a-f]{12}", token):
        raise no_token(token)
    return token


def no_token(token: object) -> NotFoundError:
    """Return what is said of a token that does not exist."""
    return NotFoundError(f"there is no token {shown(token)}: see registry.tokens()")


def no_prompt(name: str) -> PromptNotFoundError:
    """Return what is said of a prompt that does not exist or may not be seen."""
    return PromptNotFoundError(
        f"the registry shows you no prompt called {name!r}: check the name against registry.prompts(), or publish it",
        name=name,
    )


def no_version(name: str, ref: str) -> VersionNotFoundError:
    """Return what is said of a version that does not exist or may not be seen."""
    return VersionNotFoundError(
        f"the registry shows you no version {ref} of {name!r}: see registry.versions({name!r})", name=name, version=ref
    )


def no_label(name: str, label: str) -> LabelNotFoundError:
    """Return what is said of a label that is not set or may not be seen."""
    return LabelNotFoundError(
        f"the registry shows you no label {label!r} on {name!r}: see registry.labels({name!r}), or move it there first",
        name=name,
        label=label,
    )


def no_evidence(digest: str) -> NotFoundError:
    """Return what is said of evidence that does not exist or may not be seen."""
    return NotFoundError(
        f"the registry shows you no evidence {shown(digest, 80)}: see registry.evidence(name) for what there is",
        digest=digest,
    )


def no_suite(name: str, ref: str | None = None) -> SuiteNotFoundError:
    """Return what is said of a suite that does not exist or may not be seen."""
    which = "" if ref is None else f" at {shown(ref, 80)}"
    return SuiteNotFoundError(
        f"the registry shows you no suite called {name!r}{which}: registry.suites() lists those that were published;"
        " publish it from the workspace that has it, or work with that workspace",
        name=name,
    )
