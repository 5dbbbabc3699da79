"""A registry over HTTP, with the same interface and the same exceptions as the embedded one.

Every write carries an `Idempotency-Key`, so a request whose reply was lost is asked again without being done twice.
"""

from __future__ import annotations

import base64
import json
import random
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NoReturn
from urllib.parse import quote, urlencode

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, NewConnectionError

from pressmark.address import authorization, read_address
from pressmark.errors import InvalidUnitError, RegistryUnavailableError
from pressmark.gate import GateDecision
from pressmark.prompts import Entry, LabelPointer, Position, check_label, check_name, is_digest, parse_number, thaw
from pressmark.prompts.evidence import Evidence
from pressmark.prompts.policy import Policy
from pressmark.registry import packing
from pressmark.registry.access import check_token_id
from pressmark.registry.faults import fault_from_dict
from pressmark.registry.values import (
    UNSET,
    Event,
    EvidenceInfo,
    Expected,
    Move,
    NewToken,
    PolicyRule,
    Principal,
    PromptSummary,
    Published,
    PublishedSuite,
    Refusal,
    Role,
    TokenInfo,
    Verification,
    decision_from_dict,
)
from pressmark.wire import (
    entry_from_dict,
    pointer_from_dict,
    position_from_dict,
    unit_from_text,
    version_from_dict,
)

ATTEMPTS: Final = 4
PAUSE: Final = 0.2
_AGAIN: Final = frozenset({429, 502, 503, 504})
_PATIENCE: Final = 10.0
_SILENCE: Final = 30.0
"""Seconds without a word after which a stream counts as dead: the registry says something every 10."""


class Remote:
    """A registry that runs elsewhere.

    Args:
        url: Its address, such as `http://127.0.0.1:8765`.
        token: The bearer token.
        timeout: Seconds that one attempt may take.
        attempts: How often a request is tried.
        sleep: Waits between attempts.

    Raises:
        RegistryError: The address is no URL.
        AuthenticationError: The token holds what no header can carry.
    """

    def __init__(
        self,
        url: str,
        token: str | None,
        *,
        timeout: float = 30.0,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base = str(read_address(url, drop_user=True))
        self._headers = {"accept-encoding": "gzip", **authorization(token)}
        self._pool = urllib3.PoolManager(maxsize=4, retries=False)
        self._timeout = urllib3.Timeout(connect=min(timeout, _PATIENCE), read=timeout)
        self._attempts = attempts
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"<Remote {self._base}>"

    @property
    def where(self) -> str:
        """Its URL, without user and password."""
        return self._base

    def whoami(self) -> Principal:
        """Return who the token belongs to, with role and scope."""
        return Principal.from_dict(self._ask("GET", "/v1/me"))

    def publish(
        self,
        name: str,
        unit_bytes: bytes,
        *,
        message: str,
        reason: str,
        author: str | None = None,
        source: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Published:
        """Add a version of a prompt, and let `latest` point to it; see `RegistryBackend.publish`."""
        body = {"unit": unit_bytes.decode(), "message": message, "reason": reason}
        body |= {} if author is None else {"author": author}
        body |= {} if source is None else {"source": thaw(source)}
        return _published(self._ask("POST", _prompt(name, "versions"), body, key=idempotency_key))

    def version(self, name: str, ref: str) -> Published:
        """Return a version by number, label or digest; see `RegistryBackend.version`."""
        return _published(self._ask("GET", _prompt(name, "versions", _ref(ref))))

    def versions(self, name: str) -> list[Published]:
        """Return a prompt's versions, the newest first."""
        told = self._ask("GET", _prompt(name, "versions"))
        return [_published({**version, "unit": told["units"][version["digest"]]}) for version in told["versions"]]

    def prompts(self) -> list[PromptSummary]:
        """Return every prompt that may be seen, by name."""
        return [PromptSummary.from_dict(summary) for summary in self._ask("GET", "/v1/prompts")["prompts"]]

    def labels(self, name: str) -> list[LabelPointer]:
        """Return where a prompt's labels stand, by label."""
        return [pointer_from_dict(pointer) for pointer in self._ask("GET", _prompt(name, "labels"))["labels"]]

    def move(
        self,
        name: str,
        *,
        label: str,
        to: str,
        reason: str,
        expected: Expected,
        idempotency_key: str | None = None,
    ) -> Entry:
        """Let a label point to a version; see `RegistryBackend.move`."""
        body = {"to": to, "reason": reason, "expected": _expected(expected)}
        return entry_from_dict(
            self._ask("PUT", _prompt(name, "labels", check_label(label, movable=True)), body, key=idempotency_key)
        )

    def moves(self, moves: Sequence[Move], *, reason: str, idempotency_key: str | None = None) -> Entry:
        """Move several labels as one change: all of them, or none."""
        wanted = [
            {"name": move.name, "label": move.label, "to": move.to, "expected": _expected(move.expected)}
            for move in moves
        ]
        return entry_from_dict(
            self._ask("POST", "/v1/moves", {"moves": wanted, "reason": reason}, key=idempotency_key)
        )  # fmt: skip

    def rollback(
        self,
        name: str,
        *,
        label: str,
        reason: str,
        expected: Expected,
        to: str | None = None,
        idempotency_key: str | None = None,
    ) -> Entry:
        """Move a label back; see `RegistryBackend.rollback`."""
        body = {"reason": reason, "expected": _expected(expected), **({} if to is None else {"to": to})}
        path = _prompt(name, "labels", check_label(label, movable=True), "rollback")
        return entry_from_dict(self._ask("POST", path, body, key=idempotency_key))

    def previous(self, name: str, label: str) -> str | None:
        """Return the version that a rollback of the label would lead to, or None."""
        told: str | None = self._ask("GET", _prompt(name, "labels", check_label(label), "previous"))["previous"]
        return told

    def gate_check(self, name: str, label: str, to: str, *, reason: str = "") -> GateDecision:
        """Return what the gate would say to a move now. Moves nothing."""
        path = _prompt(name, "labels", check_label(label), "gate")
        query = _query([("to", _ref(to)), ("reason", reason)])
        return decision_from_dict(self._ask("GET", f"{path}?{query}"))

    def submit_evidence(self, evidence: Evidence, *, idempotency_key: str | None = None) -> str:
        """Keep evidence, unless it is there already, and return its digest; see `RegistryBackend.submit_evidence`."""
        told = self._ask("POST", "/v1/evidence", evidence.to_dict(), key=idempotency_key, packed=True)
        return str(told["digest"])

    def evidence(self, name: str, *, label: str | None = None, candidate: str | None = None) -> list[EvidenceInfo]:
        """Return what evidence there is on a prompt, newest first."""
        asked = {"label": label, "candidate": candidate}
        query = urlencode({key: value for key, value in asked.items() if value is not None})
        told = self._ask("GET", f"{_prompt(name, 'evidence')}?{query}")
        return [EvidenceInfo.from_dict(info) for info in told["evidence"]]

    def evidence_by_digest(self, digest: str) -> Evidence:
        """Return evidence; see `RegistryBackend.evidence_by_digest`."""
        return Evidence.from_dict(self._ask("GET", f"/v1/evidence/{quote(digest, safe='')}"))

    def publish_suite(
        self, name: str, spec: Mapping[str, Any], dataset: bytes, *, idempotency_key: str | None = None
    ) -> PublishedSuite:
        """Publish a suite with its dataset; see `RegistryBackend.publish_suite`."""
        body = {"spec": thaw(spec), "dataset": base64.b64encode(dataset).decode()}
        told = self._ask("POST", _suite(name, "versions"), body, key=idempotency_key, packed=True)
        return PublishedSuite.from_dict(told)

    def suite(self, name: str, ref: str | None = None) -> PublishedSuite:
        """Return a suite; see `RegistryBackend.suite`."""
        return PublishedSuite.from_dict(self._ask("GET", _suite(name, "versions", ref or "latest")))

    def suite_dataset(self, name: str, ref: str | None = None) -> bytes:
        """Return a suite's dataset, as Parquet."""
        answer = self._answer("GET", _suite(name, "versions", ref or "latest", "dataset"))
        if answer.status >= 400:
            self._read(answer)
        return answer.data

    def suites(self) -> list[PublishedSuite]:
        """Return the newest of every suite that may be seen, by name."""
        return [PublishedSuite.from_dict(suite) for suite in self._ask("GET", "/v1/suites")["suites"]]

    def policy(self, name: str, label: str) -> Policy:
        """Return what a prompt's label demands; see `RegistryBackend.policy`."""
        return Policy.from_dict(self._ask("GET", _prompt(name, "labels", label, "policy")))

    def policies(self) -> list[PolicyRule]:
        """Return every policy that was set and may be seen."""
        return [PolicyRule.from_dict(rule) for rule in self._ask("GET", "/v1/policies")["policies"]]

    def set_policy(
        self, label: str, policy: Policy, *, names: str = "**", reason: str, idempotency_key: str | None = None
    ) -> Entry:
        """Let a label demand something; see `RegistryBackend.set_policy`."""
        body = {"label": label, "policy": policy.to_dict(), "names": names, "reason": reason}
        return entry_from_dict(self._ask("PUT", "/v1/policies", body, key=idempotency_key))

    def log(self, name: str | None = None, *, limit: int = 100, before: int | None = None) -> list[Entry]:
        """Return entries of the change log, the newest first."""
        query = [("limit", str(limit))]
        query += [] if name is None else [("name", check_name(name))]
        query += [] if before is None else [("before", str(before))]
        return [entry_from_dict(entry) for entry in self._ask("GET", f"/v1/log?{_query(query)}")["entries"]]

    def verify(self) -> Verification:
        """Let the registry read its whole change log and hold everything in it against it."""
        return Verification.from_dict(self._ask("GET", "/v1/verify"))

    def position(self) -> Position:
        """Return where the registry stands."""
        return position_from_dict(self._ask("GET", "/v1/position"))

    def sync(
        self,
        labels: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        *,
        since: Position | None = None,
        scope: str | None = None,
        units: bool = True,
    ) -> dict[str, Any]:
        """Return all pointers under labels and name patterns with the units they need."""
        query = [*_scope(labels, names), *_position("since", since)]
        query += [] if scope is None else [("scope", scope)]
        query += [] if units else [("units", "0")]
        told: dict[str, Any] = self._ask("GET", f"/v1/sync?{_query(query)}")
        return told

    def events(
        self,
        after: Position | None = None,
        labels: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
    ) -> Iterator[Event]:
        """Give changes as they happen, in order, each once; see `RegistryBackend.events`.

        A stream that is cut is taken up again where it stopped.

        Raises:
            RegistryUnavailableError: The registry cannot be reached any more.
        """
        return self._listen(after or self.position(), _scope(labels, names))

    def create_token(
        self,
        principal: str,
        role: Role,
        *,
        labels: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        expires: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> NewToken:
        """Make a bearer token; its secret is in the answer and can never be seen again."""
        body = {"principal": principal, "role": role, "labels": list(labels or ()), "names": list(names or ())}
        body |= {} if expires is None else {"expires": expires.isoformat()}
        told = self._ask("POST", "/v1/tokens", body, key=idempotency_key)
        return NewToken(told["secret"], TokenInfo.from_dict(told["token"]))

    def revoke_token(self, token: str, *, idempotency_key: str | None = None) -> TokenInfo:
        """Stop a token, named by its id, at once and for good."""
        return TokenInfo.from_dict(self._ask("DELETE", f"/v1/tokens/{check_token_id(token)}", key=idempotency_key))

    def tokens(self) -> list[TokenInfo]:
        """Return every token without its secret, the oldest first."""
        return [TokenInfo.from_dict(info) for info in self._ask("GET", "/v1/tokens")["tokens"]]

    def audit(self, *, limit: int = 100) -> list[Refusal]:
        """Return refused writes, the newest first."""
        return [Refusal.from_dict(refusal) for refusal in self._ask("GET", f"/v1/audit?limit={limit}")["refusals"]]

    def close(self) -> None:
        """Close its connections."""
        self._pool.clear()

    def _ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        key: str | None = None,
        packed: bool = False,
    ) -> Any:
        headers, data = {}, None
        if body is not None:
            headers["content-type"] = "application/json"
            data = _utf8(json.dumps(body, ensure_ascii=False))
        if data is not None and packed:
            headers["content-encoding"] = "gzip"
            data = packing.pack(data)
        return self._read(self._answer(method, path, data, headers, key=key))

    def _answer(
        self,
        method: str,
        path: str,
        data: bytes | None = None,
        extra: Mapping[str, str] | None = None,
        *,
        key: str | None = None,
    ) -> urllib3.BaseHTTPResponse:
        headers = {**self._headers, **(extra or {})}
        if method != "GET":
            headers["idempotency-key"] = key or str(uuid.uuid4())
        sent = False
        for attempt in range(self._attempts):
            last = attempt == self._attempts - 1
            try:
                answer = self._pool.request(
                    method, self._base + path, body=data, headers=headers, timeout=self._timeout
                )
            except HTTPError as error:
                sent = sent or not _never_sent(error)
                if last:
                    self._away(error, unknown=sent and method != "GET")
                self._sleep(_pause(attempt))
                continue
            if answer.status in _AGAIN and not last:
                self._sleep(_asked_for(answer) or _pause(attempt))
                continue
            return answer
        raise AssertionError("the last attempt returns or raises")

    def _read(self, answer: urllib3.BaseHTTPResponse) -> Any:
        try:
            told = json.loads(answer.data)
        except ValueError:
            told = None
        if answer.status >= 400 or told is None:
            raise fault_from_dict(told, answer.status, self._base)
        return told

    def _away(self, error: Exception, *, unknown: bool) -> NoReturn:
        outcome = (
            "it may have been done all the same: look at the log before you try again"
            if unknown
            else "nothing was changed: check that it runs and that the URL is right, then try again"
        )
        raise RegistryUnavailableError(
            f"the registry at {self._base} cannot be reached ({_plain(error)}); {outcome}",
            outcome_unknown=unknown,
            hint="start one with pressmark serve",
        ) from error

    def _listen(self, after: Position, scope: list[tuple[str, str]]) -> Iterator[Event]:
        failures, seq = 0, after.seq
        while True:
            query = _query([*scope, *_position("after", after._replace(seq=seq))])
            try:
                for event in self._stream(f"{self._base}/v1/events?{query}"):
                    failures, seq = 0, event.seq
                    yield event
                    if event.kind == "resync":
                        return
            except HTTPError as error:
                failures += 1
                if failures == ATTEMPTS:
                    self._away(error, unknown=False)
            except RegistryUnavailableError:
                failures += 1
                if failures == ATTEMPTS:
                    raise
            self._sleep(_pause(failures))

    def _stream(self, url: str) -> Iterator[Event]:
        timeout = urllib3.Timeout(connect=_PATIENCE, read=_SILENCE)
        headers = {**self._headers, "accept": "text/event-stream", "accept-encoding": "identity"}
        answer = self._pool.request("GET", url, headers=headers, timeout=timeout, preload_content=False)
        try:
            if answer.status != 200:
                self._read(answer)
            rest = b""
            for chunk in answer.stream(None):
                *blocks, rest = (rest + chunk).split(b"\n\n")
                yield from (_event(block) for block in blocks)
        finally:
            answer.close()


def _event(block: bytes) -> Event:
    fields = dict(line.split(": ", 1) for line in block.decode().split("\n"))
    kind: Any = fields["event"]
    return Event(kind, int(fields["id"]), json.loads(fields["data"]))


def _published(told: dict[str, Any]) -> Published:
    version = version_from_dict(told, unit_from_text(told["unit"], told["digest"]))
    return Published(
        name=version.name,
        number=version.number,
        unit=version.unit,
        digest=version.digest,
        message=version.message,
        author=version.author,
        created_at=version.created_at,
        store=version.store,
        parent=version.parent,
        restores=version.restores,
        created=told.get("created", True),
    )


def _prompt(name: str, *steps: str) -> str:
    # A step such as `..` would lead elsewhere, whatever it is quoted as: what comes here was checked.
    return "/v1/prompts/" + check_name(name) + "/-/" + "/".join(quote(step, safe="") for step in steps)


def _ref(ref: str) -> str:
    """Return what names a version, when something can have that name; the registry then says whether it has."""
    if parse_number(ref, "registry") is None and not is_digest(ref):
        check_label(ref)
    return ref


def _query(pairs: Sequence[tuple[str, str]]) -> str:
    return urlencode([(key, _utf8(value)) for key, value in pairs])


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InvalidUnitError(
            f"what was to be sent holds {error.object[error.start : error.end]!r}, which is no valid Unicode: write it"
            " as plain text"
        ) from None


def _suite(name: str, *steps: str) -> str:
    return "/v1/suites/" + quote(name) + "/-/" + "/".join(quote(step, safe="") for step in steps)


def _expected(expected: Expected) -> str | int | None:
    return "*" if expected is UNSET else expected


def _scope(labels: Sequence[str] | None, names: Sequence[str] | None) -> list[tuple[str, str]]:
    return [*(("label", label) for label in labels or ()), *(("name", name) for name in names or ())]


def _position(key: str, position: Position | None) -> list[tuple[str, str]]:
    if position is None:
        return []
    return [(key, str(position.seq)), ("epoch", str(position.epoch)), ("registry", position.registry)]


def _never_sent(error: HTTPError) -> bool:
    reason = error.reason if isinstance(error, MaxRetryError) else error
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _asked_for(answer: urllib3.BaseHTTPResponse) -> float | None:
    told = answer.headers.get("retry-after", "")
    return min(float(told), _PATIENCE) if told.isascii() and told.isdigit() else None


def _pause(attempt: int) -> float:
    # Spread out, so that many callers do not come back together.
    return PAUSE * 2.0**attempt * random.uniform(0.5, 1.0)  # noqa: S311 - not for secrets


def _plain(error: Exception) -> str:
    """Say in a few words why the network failed, without the system's number for it."""
    text = str(error)
    text = text.rpartition(": ")[2] if "Failed to establish" in text else text
    return re.sub(r"\[Errno -?[0-9]+\] ", "", text) or type(error).__name__
