"""The OpenAPI description of the paths that are answered outside the framework."""

from __future__ import annotations

from typing import Any, Final

_FAULT: Final = {"$ref": "#/components/schemas/FaultAnswer"}
_REFUSED: Final[dict[str, Any]] = {
    status: {"description": told, "content": {"application/json": {"schema": _FAULT}}}
    for status, told in {
        "401": "No token, or one that is unknown, expired or revoked",
        "405": "It is read with GET",
        "414": "The URL is too long",
        "422": "Something in the request is malformed",
        "503": "The store is away; try again",
    }.items()
}


def _query(name: str, schema: dict[str, Any], told: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": told}


def _header(name: str, told: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": {"type": "string"}, "description": told}


_SEQ: Final = {"type": "integer", "minimum": 0, "maximum": 999_999_999_999_999}
_PATTERNS: Final = {"type": "array", "items": {"type": "string", "pattern": "^[a-z0-9._/*-]{1,200}$"}, "maxItems": 50}
_SUBSCRIPTION: Final = [
    _query("label", _PATTERNS, "Patterns of labels; none for all that the token may see"),
    _query("name", _PATTERNS, "Patterns of names; `*` stays within a segment, `**` crosses `/`"),
    _query("epoch", _SEQ, "The epoch that the sequence number belongs to; the present one where it is left out"),
    _query("registry", {"type": "string"}, "The registry that the sequence number belongs to; this one if left out"),
]


def _read(name: str, summary: str, parameters: list[dict[str, Any]], answers: dict[str, Any]) -> dict[str, Any]:
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "parameters": parameters,
            "security": [{"HTTPBearer": []}],
            "responses": {**answers, **_REFUSED},
        }
    }


STREAM_PATHS: Final[dict[str, Any]] = {
    "/v1/sync": _read(
        "sync",
        "All pointers of a subscription with the units they need, or what changed since a position",
        [
            *_SUBSCRIPTION,
            _query("since", _SEQ, "Only what changed after this sequence number; counts together with `scope`"),
            _query("scope", {"type": "string"}, "The `scope` of the answer that `since` comes from"),
            _query("units", {"type": "string", "enum": ["0", "1"]}, "0 leaves the units out"),
            _header("If-None-Match", "The ETag of the answer that the client holds"),
        ],
        {
            "200": {"description": "The state", "content": {"application/json": {"schema": {"type": "object"}}}},
            "304": {"description": "The client holds it already"},
        },
    ),
    "/v1/events": _read(
        "events",
        "Changes as they happen: `move`, `head` every 10 s, `resync` for who is too far behind",
        [
            *_SUBSCRIPTION,
            _query("after", _SEQ, "Begin after this sequence number; now where it is left out"),
            _header("Last-Event-ID", "Goes before `after`"),
        ],
        {"200": {"description": "A stream", "content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    ),
    "/v1/units/{digest}": _read(
        "unit",
        "The canonical bytes of a unit",
        [{"name": "digest", "in": "path", "required": True, "schema": {"type": "string"}}],
        {
            "200": {"description": "The unit", "content": {"application/json": {"schema": {"type": "object"}}}},
            "304": {"description": "The client holds it already"},
            "404": {
                "description": "There is none, or none that this token may see",
                "content": {"application/json": {"schema": _FAULT}},
            },
        },
    ),
}
