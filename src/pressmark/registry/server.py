"""A store behind HTTP.

`create_app` gives the ASGI application; `pressmark.registry.serving` runs it. Reading paths that clients live on are in
`streams`; everything else is a route here that calls the store as the token's principal. Every answer from 400 on is
`{"error": {code, message, hint}}`.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

import pressmark
from pressmark.errors import PressmarkError, RegistryError
from pressmark.prompts import Unit
from pressmark.prompts.canonical import unit_bytes
from pressmark.prompts.policy import policy_of
from pressmark.registry import bodies, large
from pressmark.registry.acting import Acting, IfMatch, IfNoneMatch, Key, Label, Name, Ref, Seq, State
from pressmark.registry.bearers import Bearers
from pressmark.registry.described import STREAM_PATHS
from pressmark.registry.faults import status_of
from pressmark.registry.feed import Feed
from pressmark.registry.guard import Guard
from pressmark.registry.landing import landing_page
from pressmark.registry.malformed import malformed
from pressmark.registry.replies import fault_body, fault_headers
from pressmark.registry.store import Store
from pressmark.registry.streams import Streams
from pressmark.registry.values import Move, Published, decision_to_dict
from pressmark.wire import WIRE, entry_to_dict, pointer_to_dict, position_to_dict, version_to_dict

_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": bodies.FaultAnswer, "description": told}
    for status, told in {
        401: "No token, or one that is unknown, expired or revoked",
        403: "The token's role or scope does not allow it",
        404: "There is none, or none that this token may see",
        413: "The body is too large",
        422: "Something in the request is malformed",
        503: "The store is away; try again",
    }.items()
}
_MOVE_REFUSALS: dict[int | str, dict[str, Any]] = {
    409: {"model": bodies.FaultAnswer, "description": "The gate refuses, or the Idempotency-Key was used otherwise"},
    412: {"model": bodies.FaultAnswer, "description": "The label stands elsewhere; the message tells who, when, why"},
    428: {"model": bodies.FaultAnswer, "description": "The request does not say what it expects the label to hold"},
}


def create_app(store: Store, routers: Sequence[APIRouter] = ()) -> FastAPI:
    """Return the registry's ASGI application.

    While it runs, the store belongs to it: embedded writes are refused.

    Args:
        store: The registry.
        routers: What else to serve, such as another product's wire or a web page.
    """
    running = State(store)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        import asyncio

        store.served()
        running.feed = Feed(store, asyncio.get_running_loop())
        running.bearers = Bearers(store, running.feed.watch)
        try:
            yield
        finally:
            running.close_streams()
            running.feed.join()
            store.database.ownership.release()

    app = FastAPI(
        title="Pressmark registry",
        version=pressmark.__version__,
        summary="Immutable prompt versions, movable labels, and the log of every change.",
        lifespan=lifespan,
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    app.state.pressmark = running
    app.openapi = functools.partial(_described, app, app.openapi)  # type: ignore[method-assign] # FastAPI's own way
    app.add_exception_handler(PressmarkError, _told)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _unrouted)
    app.add_exception_handler(Exception, _failed)
    app.include_router(_public)
    app.include_router(_routes)
    app.include_router(large.router, prefix="/v1", responses=_REFUSALS)
    for router in routers:
        app.include_router(router)
    app.add_middleware(Streams, store=store, following=running.following)
    app.add_middleware(Guard)
    return app


_public = APIRouter()
_routes = APIRouter(prefix="/v1", responses=_REFUSALS)


@_public.get("/", response_class=HTMLResponse, include_in_schema=False)
def landing(request: Request) -> HTMLResponse:
    """A page that says what this is and how to connect."""
    return landing_page(str(request.base_url).rstrip("/"))


@_public.get("/v1/status", responses={503: _REFUSALS[503]})
def status(request: Request) -> dict[str, Any]:
    """Whether the registry works: it read its store just now. Needs no token and tells nothing else."""
    request.app.state.pressmark.store.position()
    return {"status": "ok", "pressmark": pressmark.__version__, "wire": WIRE}


@_routes.get("/me")
def me(store: Acting) -> dict[str, Any]:
    """Who the token belongs to, and what it may see."""
    return store.whoami().to_dict()


@_routes.get("/position")
def position(store: Acting) -> dict[str, Any]:
    """Where the registry stands."""
    return position_to_dict(store.position())


@_routes.get("/prompts")
def prompts(store: Acting) -> dict[str, Any]:
    """Every prompt, by name."""
    return {"prompts": [summary.to_dict() for summary in store.prompts()]}


@_routes.post("/prompts/{name:path}/-/versions", status_code=201, responses={200: {}, 409: _MOVE_REFUSALS[409]})
def publish(store: Acting, name: Name, body: bodies.PublishBody, response: Response, key: Key = None) -> dict[str, Any]:
    """Publish a version: 201 for a new one, 200 where the newest one is equal."""
    data = body.unit.encode() if isinstance(body.unit, str) else unit_bytes(Unit.from_dict(body.unit))
    published = store.publish(
        name,
        data,
        message=body.message,
        reason=body.reason,
        author=body.author,
        source=body.source,
        idempotency_key=key,
    )
    response.status_code = 201 if published.created else 200
    return {**_version(published), "created": published.created}


@_routes.get("/prompts/{name:path}/-/versions")
def versions(store: Acting, name: Name) -> dict[str, Any]:
    """A prompt's versions, the newest first, with their units by digest."""
    found = store.versions(name)
    return {
        "versions": [version_to_dict(version) for version in found],
        "units": {version.digest: unit_bytes(version.unit).decode() for version in found},
    }


@_routes.get("/prompts/{name:path}/-/versions/{ref}")
def version(store: Acting, name: Name, ref: Ref) -> dict[str, Any]:
    """One version, by number, label or digest."""
    return _version(store.version(name, ref))


@_routes.get("/prompts/{name:path}/-/labels")
def labels(store: Acting, name: Name) -> dict[str, Any]:
    """Where a prompt's labels stand, by label."""
    return {"labels": [pointer_to_dict(pointer) for pointer in store.labels(name)]}


@_routes.put("/prompts/{name:path}/-/labels/{label}", responses=_MOVE_REFUSALS)
def move(
    *,
    store: Acting,
    name: Name,
    label: Label,
    body: bodies.MoveBody,
    response: Response,
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
    key: Key = None,
) -> dict[str, Any]:
    """Let a label point to a version. What it is expected to hold comes as `If-Match: "SEQ"` or in the body."""
    entry = store.move(
        name,
        label=label,
        to=body.to,
        reason=body.reason,
        expected=bodies.expected_of(body, if_match, if_none_match),
        idempotency_key=key,
    )
    response.headers["etag"] = f'"{entry.seq}"'
    return entry_to_dict(entry)


@_routes.post("/prompts/{name:path}/-/labels/{label}/rollback", responses=_MOVE_REFUSALS)
def rollback(
    *,
    store: Acting,
    name: Name,
    label: Label,
    body: bodies.RollbackBody,
    response: Response,
    if_match: IfMatch = None,
    key: Key = None,
) -> dict[str, Any]:
    """Move a label back to what it held before, or to a named version."""
    entry = store.rollback(
        name,
        label=label,
        reason=body.reason,
        expected=bodies.expected_of(body, if_match, None),
        to=body.to,
        idempotency_key=key,
    )
    response.headers["etag"] = f'"{entry.seq}"'
    return entry_to_dict(entry)


@_routes.get("/prompts/{name:path}/-/labels/{label}/previous")
def previous(store: Acting, name: Name, label: Label) -> dict[str, Any]:
    """The version that a rollback would lead to, or null."""
    return {"previous": store.previous(name, label)}


@_routes.get("/prompts/{name:path}/-/labels/{label}/gate")
def gate_check(
    store: Acting,
    name: Name,
    label: Label,
    to: Annotated[str, Query(min_length=1, max_length=80)],
    reason: Annotated[str, Query(max_length=2000)] = "",
) -> dict[str, Any]:
    """What the gate would say to a move now. Moves nothing."""
    return decision_to_dict(store.gate_check(name, label, to, reason=reason))


@_routes.get("/prompts/{name:path}/-/labels/{label}/policy")
def policy(store: Acting, name: Name, label: Label) -> dict[str, Any]:
    """What a prompt's label demands."""
    return store.policy(name, label).to_dict()


@_routes.get("/policies")
def policies(store: Acting) -> dict[str, Any]:
    """Every policy that was set."""
    return {"policies": [rule.to_dict() for rule in store.policies()]}


@_routes.put("/policies", responses={409: _MOVE_REFUSALS[409]})
def set_policy(store: Acting, body: bodies.PolicyBody, key: Key = None) -> dict[str, Any]:
    """Let a label demand something of the prompts whose names fit a pattern. Admins only."""
    wanted = policy_of(body.policy)
    return entry_to_dict(
        store.set_policy(body.label, wanted, names=body.names, reason=body.reason, idempotency_key=key)
    )


@_routes.post("/moves", responses=_MOVE_REFUSALS)
def moves(store: Acting, body: bodies.MovesBody, key: Key = None) -> dict[str, Any]:
    """Move several labels as one change: all of them, or none."""
    wanted = [Move(one.name, one.label, one.to, bodies.expected_by(one.expected)) for one in body.moves]
    return entry_to_dict(store.moves(wanted, reason=body.reason, idempotency_key=key))


@_routes.get("/log")
def log(
    store: Acting,
    name: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Seq = None,
) -> dict[str, Any]:
    """Entries of the change log, the newest first."""
    return {"entries": [entry_to_dict(entry) for entry in store.log(name, limit=limit, before=before)]}


@_routes.get("/verify", responses={500: {"model": bodies.FaultAnswer, "description": "The log was tampered with"}})
def verify(store: Acting) -> dict[str, Any]:
    """Read the whole change log and hold everything in the registry against it."""
    return store.verify().to_dict()


@_routes.post("/units")
def units(store: Acting, body: bodies.UnitsBody) -> dict[str, Any]:
    """Several units by digest, as canonical text; those that the token may not see are left out."""
    found = {digest: store.unit(digest) for digest in body.digests}
    return {"units": {digest: text.decode() for digest, text in found.items() if text is not None}}


@_routes.get("/tokens")
def tokens(store: Acting) -> dict[str, Any]:
    """Every token without its secret. Admins only."""
    return {"tokens": [info.to_dict() for info in store.tokens()]}


@_routes.post("/tokens", status_code=201, responses={409: _MOVE_REFUSALS[409]})
def create_token(store: Acting, body: bodies.TokenBody, response: Response, key: Key = None) -> dict[str, Any]:
    """Make a token. Its secret is in this answer and can never be seen again. Admins only."""
    token = store.create_token(
        body.principal, body.role, labels=body.labels, names=body.names, expires=body.expires, idempotency_key=key
    )
    response.headers["cache-control"] = "no-store"
    return {"secret": token.secret, "token": token.info.to_dict()}


@_routes.delete("/tokens/{token}")
def revoke_token(store: Acting, token: Annotated[str, Path(max_length=40)], key: Key = None) -> dict[str, Any]:
    """Stop a token at once and for good. Admins only."""
    return store.revoke_token(token, idempotency_key=key).to_dict()


@_routes.get("/audit")
def audit(store: Acting, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> dict[str, Any]:
    """Refused writes, the newest first. Admins only."""
    return {"refusals": [refusal.to_dict() for refusal in store.audit(limit=limit)]}


def _version(version: Published) -> dict[str, Any]:
    return {**version_to_dict(version), "unit": unit_bytes(version.unit).decode()}


def _described(app: FastAPI, routes: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    told = routes()
    told["paths"] |= STREAM_PATHS
    return told


def _operation_id(route: APIRoute) -> str:
    return route.name


def _answer(error: PressmarkError) -> Response:
    return Response(fault_body(error), status_of(error), fault_headers(error))


async def _told(request: Request, error: Exception) -> Response:
    if not isinstance(error, PressmarkError):
        raise error
    return _answer(error)


async def _malformed(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    return _answer(RegistryError(malformed(error.errors()[0]), status=422, hint="see /openapi.json for the form"))


async def _unrouted(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "invalid")
    told = RegistryError(
        f"{request.method} {request.url.path}: {error.detail}: see /openapi.json for what there is",
        status=error.status_code,
        code=code,
    )
    answer = _answer(told)
    answer.headers.update(error.headers or {})
    return answer


async def _failed(request: Request, error: Exception) -> Response:
    # The traceback goes to the server's log, not to whoever asked.
    return _answer(
        RegistryError(
            "the registry failed at this request; the reason is in its log: try again, then tell who runs it",
            status=500,
            code="internal",
        )
    )
