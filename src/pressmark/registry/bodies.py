"""What requests hold, as OpenAPI tells it. Rules that need more than a shape are the store's."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from pressmark.errors import RegistryError
from pressmark.registry.values import UNSET, Expected, Role

# An empty text is the store's to refuse: it says what is asked for, here as in an embedded registry.
Text = Annotated[str, Field(max_length=2000, json_schema_extra={"minLength": 1})]
Ref = Annotated[str, Field(min_length=1, max_length=80, description="`v3`, a label or a digest")]
Seq = Annotated[int, Field(ge=0, le=2**53)]
Held = Annotated[
    Seq | Annotated[str, Field(pattern=r"^(v[1-9][0-9]{0,8}|\*)$")] | None,
    Field(
        description="What the label is believed to hold: `v2`, the number of its last move, null for no such label yet,"
        " `*` for whatever it holds"
    ),
]
Pattern = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[a-z0-9._/*-]+$")]


class Body(BaseModel):
    """A request's body; a field that is not known is refused, since it may be one that was misspelt."""

    model_config = ConfigDict(extra="forbid", strict=True)


class PublishBody(Body):
    """A version to publish: the unit as its canonical text, or as an object."""

    unit: str | dict[str, Any]
    message: Text
    reason: Text
    author: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    source: dict[str, Any] | None = None


class MoveBody(Body):
    """Where a label should point; what it holds now comes here or as `If-Match`."""

    to: Ref
    reason: Text
    expected: Held = None


class OneMove(Body):
    """One of several moves."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    label: Annotated[str, Field(min_length=1, max_length=36)]
    to: Ref
    expected: Held


class MovesBody(Body):
    """Labels that move together, or not at all."""

    moves: Annotated[list[OneMove], Field(min_length=1, max_length=1000)]
    reason: Text


class RollbackBody(Body):
    """A label that goes back: to the version that it held before, or to a named one."""

    reason: Text
    expected: Held = None
    to: Ref | None = None


class TokenBody(Body):
    """A token to make."""

    principal: Annotated[str, Field(min_length=1, max_length=200)]
    role: Role
    labels: Annotated[list[Pattern], Field(max_length=100)] = []
    names: Annotated[list[Pattern], Field(max_length=100)] = []
    expires: Annotated[datetime, Field(strict=False)] | None = None


class PolicyBody(Body):
    """What a label should demand: a preset's name, or a policy as an object."""

    label: Annotated[str, Field(min_length=1, max_length=36)]
    policy: Annotated[str, Field(max_length=100)] | dict[str, Any]
    names: Pattern = "**"
    reason: Text


class SuiteBody(Body):
    """A suite to publish: its description, and its dataset as a Parquet file in base64."""

    spec: dict[str, Any]
    dataset: Annotated[Base64Bytes, Field(strict=False)]


class UnitsBody(Body):
    """Digests of units to fetch."""

    digests: Annotated[
        list[Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]], Field(min_length=1, max_length=1000)
    ]


class Fault(BaseModel):
    """What went wrong."""

    code: str
    message: str
    hint: str
    kind: str = "RegistryError"
    facts: dict[str, Any] = {}


class FaultAnswer(BaseModel):
    """Every answer from 400 on."""

    error: Fault


def expected_by(given: Seq | str | None) -> Expected:
    """Return what a body says that the label holds."""
    return UNSET if given == "*" else given


def expected_of(body: MoveBody | RollbackBody, if_match: str | None, if_none_match: str | None) -> Expected:
    """Return what a request says that the label holds: by header, or in its body.

    Raises:
        RegistryError: It does not say; or the header is malformed.
    """
    if if_match is not None:
        seq = if_match.strip().strip('"')
        if seq == "*":
            return UNSET
        if not (seq.isascii() and seq.isdigit() and len(seq) < 16):
            raise RegistryError(
                f'If-Match is {if_match!r}: send the number of the label\'s last move, such as If-Match: "12"',
                status=422,
            )
        return int(seq)
    if if_none_match is not None:
        return None
    if "expected" not in body.model_fields_set:
        raise RegistryError(
            "a move says what it expects the label to hold, so that it cannot undo what it has not seen:"
            ' send If-Match: "SEQ", or "expected" in the body ("v2", null for a new label, "*" for any)',
            status=428,
            code="precondition_required",
            hint='send If-Match: "SEQ", or "expected" in the body',
        )
    return expected_by(body.expected)
