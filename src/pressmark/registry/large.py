"""Routes with large bodies: evidence and suites. They may come under gzip, and are read in a thread, off the loop."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from pressmark.errors import RegistryError
from pressmark.prompts.canonical import evidence_bytes
from pressmark.prompts.evidence import Evidence
from pressmark.registry import bodies, packing
from pressmark.registry.acting import Acting, Key, Name
from pressmark.registry.guard import demand_flat

router = APIRouter()
Digest = Annotated[str, Path(max_length=80, description="`sha256:` and 64 hexadecimal digits")]
SuiteName = Annotated[str, Path(min_length=1, max_length=200, description="The suite's name; it may hold slashes")]
SuiteRef = Annotated[str, Path(min_length=1, max_length=80, description="`v2`, a digest, or `latest`")]
Accepted = Annotated[str, Header(alias="Accept-Encoding", max_length=200)]


def _described(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


_EVIDENCE_FORM = {
    "type": "object",
    "required": [
        "format", "name", "label", "candidate", "baseline", "lock", "endpoint", "trials", "unevaluated", "made_at",
        "made_by",
    ],
    "description": "Evidence in its JSON form; it may come under gzip (`Content-Encoding: gzip`), 32 MiB at most",
    "properties": {
        "format": {"const": 1},
        "name": {"type": "string"},
        "label": {"type": "string"},
        "candidate": {"type": "string"},
        "baseline": {"type": ["string", "null"]},
        "lock": {"type": "object", "additionalProperties": {"type": "string"}},
        "endpoint": {"type": "object"},
        "trials": {"type": "array", "items": {"type": "object"}},
        "unevaluated": {"type": "array", "items": {"type": "string"}},
        "made_at": {"type": "string", "format": "date-time"},
        "made_by": {"type": "string"},
    },
}  # fmt: skip


async def sent(request: Request) -> bytes:
    """The request's body as it came, which the guard has bounded."""
    return await request.body()


Sent = Annotated[bytes, Depends(sent)]
Encoding = Annotated[str, Header(alias="Content-Encoding", include_in_schema=False)]


@router.post("/evidence", status_code=201, openapi_extra=_described(_EVIDENCE_FORM))
def submit_evidence(store: Acting, body: Sent, encoding: Encoding = "identity", key: Key = None) -> dict[str, Any]:
    """Submit evidence on a change; the same again makes nothing new."""
    told = _json(_plain(body, encoding))
    return {"digest": store.submit_evidence(Evidence.from_dict(told), idempotency_key=key)}


@router.get("/evidence/{digest}")
def evidence(store: Acting, digest: Digest, accepted: Accepted = "") -> Response:
    """Evidence in its JSON form, whole."""
    body = evidence_bytes(store.evidence_by_digest(digest))
    packed = "gzip" in accepted
    headers = {"cache-control": "private, max-age=31536000, immutable", "vary": "Accept-Encoding"}
    headers |= {"content-encoding": "gzip"} if packed else {}
    return Response(packing.pack(body) if packed else body, media_type="application/json", headers=headers)


@router.get("/prompts/{name:path}/-/evidence")
def evidence_on(
    store: Acting,
    name: Name,
    label: Annotated[str | None, Query(max_length=36)] = None,
    candidate: Annotated[str | None, Query(max_length=80)] = None,
) -> dict[str, Any]:
    """What evidence there is on a prompt, newest first, without what is in it."""
    return {"evidence": [info.to_dict() for info in store.evidence(name, label=label, candidate=candidate)]}


@router.get("/suites")
def suites(store: Acting) -> dict[str, Any]:
    """The newest of every suite, by name."""
    return {"suites": [suite.to_dict() for suite in store.suites()]}


@router.post(
    "/suites/{name:path}/-/versions",
    status_code=201,
    responses={200: {}},
    openapi_extra=_described(
        {
            "type": "object",
            "required": ["spec", "dataset"],
            "properties": {
                "spec": {"type": "object"},
                "dataset": {"type": "string", "description": "A Parquet file in base64"},
            },
            "description": "It may come under gzip (`Content-Encoding: gzip`), 32 MiB at most",
        }
    ),
)
def publish_suite(
    *,
    store: Acting,
    name: SuiteName,
    body: Sent,
    response: Response,
    encoding: Encoding = "identity",
    key: Key = None,
) -> dict[str, Any]:
    """Publish a suite: 201 for a new one, 200 where the newest one is equal."""
    try:
        given = bodies.SuiteBody.model_validate(_json(_plain(body, encoding)))
    except ValidationError as error:
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in error.errors()]) from error
    published = store.publish_suite(name, given.spec, given.dataset, idempotency_key=key)
    response.status_code = 201 if published.created else 200
    return published.to_dict()


@router.get("/suites/{name:path}/-/versions/{ref}")
def suite(store: Acting, name: SuiteName, ref: SuiteRef) -> dict[str, Any]:
    """One suite, by number or digest; `latest` is the newest."""
    return store.suite(name, ref).to_dict()


@router.get("/suites/{name:path}/-/versions/{ref}/dataset", response_class=Response)
def suite_dataset(store: Acting, name: SuiteName, ref: SuiteRef) -> Response:
    """A suite's rows, as a Parquet file."""
    return Response(store.suite_dataset(name, ref), media_type="application/vnd.apache.parquet")


def _plain(body: bytes, encoding: str) -> bytes:
    plain = packing.unpack(body) if encoding.lower() == "gzip" else body
    demand_flat(plain)
    return plain


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RegistryError(f"the body is no valid JSON ({error}): send it as UTF-8 JSON", status=422) from error
