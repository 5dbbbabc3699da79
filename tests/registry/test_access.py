"""Who may do what, and what a token learns of the rest: nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3

from pressmark.errors import (
    AuthenticationError,
    GateError,
    LabelNotFoundError,
    NotFoundError,
    PermissionDeniedError,
    PromptNotFoundError,
    SuiteNotFoundError,
    VersionNotFoundError,
)
from pressmark.prompts import freeze
from pressmark.prompts.policy import SOLO, TEAM
from pressmark.registry.access import MAY
from pressmark.registry.remote import Remote
from pressmark.registry.serving import Running, running
from pressmark.registry.store import Store
from pressmark.registry.values import ROLES, UNSET, Move, Role

from .making import Listener, publish, unit, until
from .proving import parquet, prove, suite, trial

NAME = "support/triage"
Verb = Callable[[Remote], Any]

READING: dict[str, Verb] = {
    "prompts": lambda registry: registry.prompts(),
    "versions": lambda registry: registry.versions(NAME),
    "version": lambda registry: registry.version(NAME, "v1"),
    "labels": lambda registry: registry.labels(NAME),
    "previous": lambda registry: registry.previous(NAME, "production"),
    "gate": lambda registry: registry.gate_check(NAME, "production", "v1"),
    "log": lambda registry: registry.log(),
    "verify": lambda registry: registry.verify(),
    "position": lambda registry: registry.position(),
    "sync": lambda registry: registry.sync(),
    "events": lambda registry: next(registry.events(registry.position()._replace(seq=0))),
    "whoami": lambda registry: registry.whoami(),
    "evidence": lambda registry: registry.evidence(NAME),
    "suites": lambda registry: registry.suites(),
    "policy": lambda registry: registry.policy(NAME, "production"),
    "policies": lambda registry: registry.policies(),
}
PUBLISHING: dict[str, Verb] = {
    "publish": lambda registry: publish(registry, NAME, f"by {registry.whoami().role}"),
}
MOVING: dict[str, Verb] = {
    "move": lambda registry: registry.move(
        NAME, label=f"for-{registry.whoami().role}", to="v1", reason="r", expected=UNSET
    ),
    "moves": lambda registry: registry.moves([Move(NAME, f"also-{registry.whoami().role}", "v1")], reason="r"),
    "rollback": lambda registry: registry.rollback(NAME, label="production", reason="r", expected=UNSET, to="v1"),
}
MANAGING: dict[str, Verb] = {
    "create_token": lambda registry: registry.create_token("bo", "reader"),
    "revoke_token": lambda registry: registry.revoke_token("000000000000"),
    "tokens": lambda registry: registry.tokens(),
    "audit": lambda registry: registry.audit(),
    "set_policy": lambda registry: registry.set_policy("staging", SOLO, reason="r"),
}
SUITES: dict[str, Verb] = {
    "publish_suite": lambda registry: registry.publish_suite(suite().name, suite().spec(), parquet(suite())),
}
PROVING: dict[str, Verb] = {
    "submit_evidence": lambda registry: registry.submit_evidence(prove(registry, "v1")),
}
BY_VERB = {
    "read": READING,
    "publish": PUBLISHING,
    "publish_suite": SUITES,
    "submit_evidence": PROVING,
    "move": MOVING,
    "administer": MANAGING,
}


@pytest.fixture
def admin(server: Running) -> Remote:
    """An admin at a running server with one prompt."""
    registry = Remote(server.url, server.token)
    publish(registry, NAME, "one", "two")
    registry.move(NAME, label="production", to="v2", reason="go", expected=None)
    return registry


def remote(server: Running, role: Role, **scope: Any) -> Remote:
    """A registry as a new bearer of this role and scope sees it."""
    return Remote(server.url, server.store.create_token(f"the {role}", role, **scope).secret)


@pytest.mark.parametrize("role", ROLES)
def test_roles(server: Running, admin: Remote, role: Role) -> None:
    """Each role may do its verbs and no other; what is refused names the roles that may and changes nothing."""
    registry = remote(server, role)
    for verb, asked in BY_VERB.items():
        for ask in asked.values():
            before = server.store.position()
            if role in MAY[verb]:  # type: ignore[index]
                try:
                    ask(registry)
                except NotFoundError:
                    assert verb == "administer"  # the token to revoke is made up
                continue
            with pytest.raises(PermissionDeniedError, match=r"may\)") as told:
                ask(registry)
            assert told.value.status == 403
            assert server.store.position() == before


def test_refused_writes_are_audited(server: Running, admin: Remote) -> None:
    """What a role may not do is written to the audit log under its name, and not to the change log."""
    with pytest.raises(PermissionDeniedError):
        publish(remote(server, "reader"))
    (refusal,) = admin.audit()
    assert (refusal.actor, refusal.verb, refusal.code) == ("the reader", "publish", "forbidden")
    assert "unit" not in refusal.data


def ask(server: Running, path: str, secret: str | None, method: str = "GET") -> tuple[int, dict[str, Any]]:
    """Ask with a token, or none, and return status and JSON."""
    headers = {} if secret is None else {"authorization": secret}
    answer = urllib3.request(
        method, server.url + path, headers=headers, retries=False, json={} if method != "GET" else None
    )
    return answer.status, json.loads(answer.data)


PATHS = [
    "/v1/me", "/v1/position", "/v1/prompts", "/v1/log", "/v1/verify", "/v1/tokens", "/v1/audit", "/v1/sync",
    "/v1/policies", "/v1/suites", f"/v1/evidence/sha256:{'0' * 64}", f"/v1/prompts/{NAME}/-/evidence",
    f"/v1/prompts/{NAME}/-/labels/production/policy", "/v1/suites/a/-/versions/v1",
    "/v1/suites/a/-/versions/v1/dataset",
    "/v1/events", f"/v1/units/sha256:{'0' * 64}", f"/v1/prompts/{NAME}/-/versions", f"/v1/prompts/{NAME}/-/versions/v1",
    f"/v1/prompts/{NAME}/-/labels", f"/v1/prompts/{NAME}/-/labels/production/previous",
    f"/v1/prompts/{NAME}/-/labels/production/gate?to=v1",
]  # fmt: skip


@pytest.mark.parametrize("secret", [None, "", "Bearer", "Bearer pm_wrong", "Basic YTpi", "Bearer \xff"])
def test_no_token(server: Running, admin: Remote, secret: str | None) -> None:
    """Without a token that the registry knows, every path is a 401 that says how to come in."""
    for path in PATHS:
        status, told = ask(server, path, secret)
        assert (status, told["error"]["code"]) == (401, "unauthenticated"), path
        assert told["error"]["hint"]


def test_revoked_token(server: Running, admin: Remote) -> None:
    """A revoked token is refused from the next request on, and its open streams end."""
    token = admin.create_token("bo", "reader")
    bo = Remote(server.url, token.secret)
    listener = Listener(bo.events())
    until(lambda: listener.heard)
    admin.revoke_token(token.info.id)
    with pytest.raises(AuthenticationError, match="revoked"):
        bo.prompts()
    until(lambda: isinstance(listener.error, AuthenticationError))


def test_expired_token(tmp_path: Path) -> None:
    """A token works until it expires, by the registry's clock."""
    now = [datetime.now(UTC)]
    store = Store(tmp_path / "registry.db", now=lambda: now[0])
    with running(store) as server:
        bo = Remote(server.url, store.create_token("bo", "reader", expires=now[0] + timedelta(hours=1)).secret)
        assert bo.prompts() == []
        now[0] += timedelta(hours=1)
        with pytest.raises(AuthenticationError, match="expired"):
            bo.prompts()
    store.close()


def test_secret_is_nowhere(server: Running, admin: Remote, tmp_path: Path) -> None:
    """No file of the registry holds a token's secret."""
    secret = admin.create_token("bo", "reader").secret
    for file in tmp_path.iterdir():
        assert secret.encode() not in file.read_bytes()
    assert secret.removeprefix("pm_").encode() not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


class TestScope:
    """A production service's token: reader, label `production`, prompts `support/*`."""

    @pytest.fixture
    def service(self, server: Running, admin: Remote) -> Iterator[Remote]:
        """The service, with a registry around it that is none of its business."""
        publish(admin, "support/draft-only")
        publish(admin, "secret/plan", "hidden")
        admin.move("secret/plan", label="production", to="v1", reason="hush", expected=None)
        admin.move(NAME, label="staging", to="v1", reason="hush", expected=None)
        registry = remote(server, "reader", labels=["production"], names=["support/*"])
        yield registry
        registry.close()

    @pytest.mark.parametrize("name", ["secret/plan", "support/draft-only", "no/such"])
    def test_hidden_prompt_is_absent(self, service: Remote, name: str) -> None:
        """A prompt out of scope is answered in the words of one that does not exist."""
        for ask_for in (
            lambda: service.version(name, "v1"),
            lambda: service.version(name, "production"),
            lambda: service.versions(name),
            lambda: service.labels(name),
            lambda: service.log(name),
            lambda: service.previous(name, "production"),
            lambda: service.gate_check(name, "production", "v1"),
        ):
            with pytest.raises(PromptNotFoundError) as told:
                ask_for()
            assert str(told.value).replace(name, "X") == (
                "the registry shows you no prompt called 'X': check the name against registry.prompts(), or publish it"
            )

    def test_lists_hold_what_is_in_scope(self, service: Remote) -> None:
        """Lists of prompts, labels, versions and changes hold nothing out of scope."""
        assert [(summary.name, dict(summary.labels)) for summary in service.prompts()] == [(NAME, {"production": 2})]
        assert [pointer.label for pointer in service.labels(NAME)] == ["production"]
        assert [version.version for version in service.versions(NAME)] == ["v2"]
        assert [(entry.seq, entry.kind) for entry in service.log()] == [(3, "move"), (2, "publish")]
        assert [pointer["name"] for pointer in service.sync()["pointers"]] == [NAME]

    def test_hidden_version_and_label_are_absent(self, service: Remote, admin: Remote) -> None:
        """A version that no label in scope ever held, and a label out of scope, do not exist; nor by digest."""
        hidden = admin.version(NAME, "v1")
        for ref in ("v1", hidden.digest, hidden.digest[:16]):
            with pytest.raises(VersionNotFoundError):
                service.version(NAME, ref)
        for label in ("staging", "latest"):
            with pytest.raises(LabelNotFoundError):
                service.version(NAME, label)
            assert service.previous(NAME, label) is None

    def test_version_that_the_label_held_before(self, service: Remote, admin: Remote) -> None:
        """What a label in scope held once stays readable after it moved on."""
        admin.publish(NAME, unit("three {{ question }}"), message="m", reason="r")
        admin.move(NAME, label="production", to="v3", reason="go", expected="v2")
        assert [version.version for version in service.versions(NAME)] == ["v3", "v2"]

    def test_unit_by_digest(self, server: Running, service: Remote, admin: Remote) -> None:
        """A unit out of scope is a 404 by digest, in the same words as one that is nowhere."""
        secret = server.store.create_token("s", "reader", labels=["production"], names=["support/*"]).secret
        seen = admin.version(NAME, "v2").digest
        hidden = [admin.version(name, "v1").digest for name in ("secret/plan", NAME, "support/draft-only")]
        assert ask(server, f"/v1/units/{seen}", f"Bearer {secret}")[0] == 200
        absent = "sha256:" + "0" * 64
        wanted = ask(server, f"/v1/units/{absent}", f"Bearer {secret}")
        for digest in hidden:
            status, told = ask(server, f"/v1/units/{digest}", f"Bearer {secret}")
            assert (status, json.dumps(told).replace(digest, absent)) == (404, json.dumps(wanted[1]))
        headers = {"authorization": f"Bearer {secret}"}
        asked = {"digests": [seen, absent, *hidden]}
        answer = urllib3.request("POST", server.url + "/v1/units", headers=headers, json=asked)
        assert list(json.loads(answer.data)["units"]) == [seen]

    def test_asking_for_more_than_the_scope(self, service: Remote) -> None:
        """Patterns in a question do not widen the token's scope."""
        told = service.sync(["**"], ["**"])
        assert [(pointer["name"], pointer["label"]) for pointer in told["pointers"]] == [(NAME, "production")]
        assert len(told["units"]) == 1

    def test_events_in_scope(self, service: Remote, admin: Remote) -> None:
        """A stream tells nothing of what is out of scope, nor does a move of several."""
        listener = Listener(service.events(service.position(), ["**"]))
        admin.move(NAME, label="staging", to="v2", reason="hush", expected="v1")
        publish(admin, "secret/plan", "more")
        entry = admin.moves(
            [Move(NAME, "production", "v1"), Move("secret/plan", "production", "v2"), Move(NAME, "staging", "v1")],
            reason="together",
        )
        until(lambda: listener.numbers == [entry.seq])
        told = json.dumps(dict(listener.moves[0].data))
        assert "secret" not in told
        assert "staging" not in told
        (shown,) = [one for one in service.log() if one.seq == entry.seq]
        assert [(move["name"], move["label"]) for move in shown.data["moves"]] == [(NAME, "production")]

    def test_verify_needs_all(self, service: Remote) -> None:
        """Verifying reads everything, so a token for a part may not."""
        with pytest.raises(PermissionDeniedError, match="part of the registry"):
            service.verify()

    def test_writes_out_of_scope(self, server: Running, admin: Remote, service: Remote) -> None:
        """An editor for a part may neither publish, move nor roll back elsewhere, and learns not what is there."""
        editor = remote(server, "editor", labels=["staging"], names=["support/*"])
        publish(editor, "support/new")
        editor.move("support/new", label="staging", to="v1", reason="go", expected=None)
        before = admin.position()
        told = set()
        for name in ("secret/plan", "no/such"):
            with pytest.raises(PermissionDeniedError) as refused:
                publish(editor, name)
            told.add(str(refused.value).replace(name, "X"))
            with pytest.raises(PromptNotFoundError) as absent:
                editor.move(name, label="staging", to="v1", reason="go", expected=None)
            told.add(str(absent.value).replace(name, "X"))
        assert len(told) == 2
        for write in (
            lambda: editor.move(NAME, label="production", to="v1", reason="go", expected="v2"),
            lambda: editor.move(NAME, label="never-there", to="v1", reason="go", expected=None),
            lambda: editor.rollback(NAME, label="production", reason="go", expected="v2"),
            lambda: editor.moves([Move(NAME, "staging", "v2"), Move(NAME, "production", "v1")], reason="go"),
        ):
            with pytest.raises(PermissionDeniedError, match="for labels staging"):
                write()
        assert admin.position() == before


class TestScopeOfEvidence:
    """What a token for a part of the registry learns of evidence, suites and policies, and what counts for it."""

    @pytest.fixture
    def chain(self, admin: Remote) -> Remote:
        """`support/triage`, whose output a hidden prompt takes, on a team's label."""
        admin.publish("secret/plan", unit("{{ x }}", inputs={"x": f"{NAME}@production"}), message="m", reason="r")
        admin.set_policy("production", TEAM, reason="a team now")
        admin.set_policy("staging", TEAM, names="secret/**", reason="hush")
        return admin

    @pytest.fixture
    def editor(self, server: Running, chain: Remote) -> Remote:
        """An editor who sees `support/**` and its production label."""
        return remote(server, "editor", labels=["production"], names=["support/**"])

    def test_evidence_that_tells_of_hidden_prompts(self, chain: Remote, editor: Remote) -> None:
        """Evidence with a hidden prompt in any part does not exist for the token, by list or by digest."""
        plan = chain.version("secret/plan", "v1").digest
        plain = prove(chain, "v1")
        for record in (
            prove(chain, "v1", below={"secret/plan": "v1"}),
            prove(chain, "v1", unevaluated=("secret/plan",)),
            prove(chain, "v1", lock=["secret/plan@latest"]),
            prove(chain, "v1", label="staging"),
        ):
            digest = chain.submit_evidence(record)
            with pytest.raises(NotFoundError) as told:
                editor.evidence_by_digest(digest)
            with pytest.raises(NotFoundError) as absent:
                editor.evidence_by_digest(plan)
            assert str(told.value).replace(digest, plan) == str(absent.value)
        assert editor.evidence(NAME) == []
        seen = editor.submit_evidence(plain)
        assert editor.evidence_by_digest(seen) == plain
        assert [info.digest for info in editor.evidence(NAME)] == [seen]
        assert len(chain.evidence(NAME)) == 5

    def test_evidence_on_hidden_prompts(self, chain: Remote, editor: Remote) -> None:
        """Evidence on what the token does not see is refused, in words that do not tell whether it is there."""
        plan = chain.version("secret/plan", "v1").digest
        told = set()
        for name in ("secret/plan", "no/such"):
            below = trial(name, plan, plan)
            record = prove(chain, "v1")
            with pytest.raises(PromptNotFoundError) as refused:
                editor.submit_evidence(replace(record, trials=(*record.trials, below)))
            told.add(str(refused.value).replace(name, "X"))
            with pytest.raises(PromptNotFoundError):
                editor.submit_evidence(replace(record, lock=freeze({**record.lock, f"{name}@latest": plan})))
        assert len(told) == 1
        with pytest.raises(PermissionDeniedError, match="for labels production"):
            editor.submit_evidence(prove(chain, "v1", label="staging"))

    def test_what_is_hidden_counts_all_the_same(self, chain: Remote, editor: Remote) -> None:
        """A hidden prompt downstream holds a move up, and is not named; evidence that somebody else made lets it go."""
        editor.submit_evidence(prove(chain, "v1"))
        with pytest.raises(GateError, match="1 that you may not see") as told:
            editor.move(NAME, label="production", to="v1", reason="go", expected="v2")
        assert "secret" not in str(told.value)
        assert "secret" not in str(told.value.decision)
        assert "secret" not in repr(editor.gate_check(NAME, "production", "v1", reason="go"))
        chain.submit_evidence(prove(chain, "v1", below={"secret/plan": "latest"}))
        assert "secret" not in repr(editor.gate_check(NAME, "production", "v1", reason="go"))
        editor.move(NAME, label="production", to="v1", reason="go", expected="v2")

    def test_hidden_policies(self, chain: Remote, editor: Remote) -> None:
        """Policies of hidden labels and names are neither listed nor logged, nor told one by one."""
        assert [(rule.label, rule.names) for rule in editor.policies()] == [("production", "**")]
        assert [entry.data["label"] for entry in editor.log() if entry.kind == "policy"] == ["production"]
        assert editor.policy(NAME, "production") == TEAM
        with pytest.raises(PromptNotFoundError):
            editor.policy("secret/plan", "production")
        with pytest.raises(LabelNotFoundError):
            editor.policy(NAME, "staging")

    def test_admin_for_a_part(self, server: Running, chain: Remote) -> None:
        """An admin's token for a part sets policies for that part alone."""
        part = remote(server, "admin", labels=["production"], names=["support/**"])
        part.set_policy("production", SOLO, names="support/reply", reason="r")
        for asked in ({"names": "**"}, {"names": "secret/plan"}, {"label": "staging", "names": "support/reply"}):
            with pytest.raises(PermissionDeniedError):
                part.set_policy(**{"label": "production", "policy": SOLO, "reason": "r", **asked})  # type: ignore[arg-type]

    def test_hidden_suites(self, server: Running, chain: Remote, editor: Remote) -> None:
        """Suites out of scope do not exist, and datasets are not for a service that reads a label."""
        for name in ("support/basics", "secret/basics"):
            made = suite(name)
            chain.publish_suite(name, made.spec(), parquet(made))
        assert [each.name for each in editor.suites()] == ["support/basics"]
        service = remote(server, "reader", labels=["production"])
        assert service.suites() == []
        for registry, name in ((editor, "secret/basics"), (service, "support/basics"), (editor, "no/such")):
            for ask_for in (registry.suite, registry.suite_dataset):
                with pytest.raises(SuiteNotFoundError) as told:
                    ask_for(name)
                assert str(told.value).replace(name, "X").startswith("the registry shows you no suite called 'X'")
        with pytest.raises(PermissionDeniedError):
            editor.publish_suite("secret/more", {**suite("secret/more").spec()}, parquet(suite()))
