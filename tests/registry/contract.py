"""What every registry does, whatever it is made of: each implementation runs this suite."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from pressmark.errors import (
    ConflictError,
    GateError,
    GraphCycleError,
    InvalidNameError,
    InvalidUnitError,
    LabelNotFoundError,
    NotFoundError,
    PromptNotFoundError,
    RegistryError,
    TemplateError,
    VersionNotFoundError,
)
from pressmark.gate import GateDecision
from pressmark.prompts import LabelPointer, sha256_digest
from pressmark.prompts.changelog import verify_chain
from pressmark.registry.backend import RegistryBackend
from pressmark.registry.values import UNSET, Move
from pressmark.rendering import PromptVersion

from .making import Listener, publish, unit, until

NAME = "support/triage"


class RegistryContract:
    """The suite; a subclass collects it, the fixture `registry` says on what it runs."""

    def test_publishing_gives_a_version(self, registry: RegistryBackend) -> None:
        """A published version has the first number, the unit's digest, and everything that was said about it."""
        body = unit()
        made = registry.publish(NAME, body, message="first cut", reason="a start", author="bo", source={"from": "#3"})
        assert isinstance(made, PromptVersion)
        assert (made.version, made.created, made.restores, made.parent) == ("v1", True, None, None)
        assert (made.digest, made.message, made.author) == (sha256_digest(body), "first cut", "bo")
        assert made.request(question="why?")["messages"] == [{"role": "user", "content": "Answer why?"}]
        assert datetime.now(UTC) - made.created_at < timedelta(minutes=1)

    def test_author_is_the_principal_unless_told(self, registry: RegistryBackend) -> None:
        """Without an author, the one who publishes is it."""
        assert publish(registry)[0].author == "ana"

    def test_newest_again_makes_nothing(self, registry: RegistryBackend) -> None:
        """Publishing what equals the newest version gives that version and adds nothing to the log."""
        first = publish(registry)[0]
        again = publish(registry)[0]
        assert (again.version, again.created, again.created_at) == ("v1", False, first.created_at)
        assert len(registry.log()) == 1

    def test_older_again_gets_a_new_number(self, registry: RegistryBackend) -> None:
        """Publishing what equals an older version gets a new number with the old digest, and says which it restores."""
        one, two, three = publish(registry, NAME, "one", "two", "one")
        assert (three.version, three.digest, three.restored, three.parent) == ("v3", one.digest, "v1", 2)
        assert two.restored is None

    def test_latest_follows_publications(self, registry: RegistryBackend) -> None:
        """`latest` points to the newest published version by itself."""
        publish(registry, NAME, "one", "two")
        assert registry.version(NAME, "latest").version == "v2"
        assert [(pointer.label, pointer.version) for pointer in registry.labels(NAME)] == [("latest", "v2")]

    def test_latest_cannot_be_moved(self, registry: RegistryBackend) -> None:
        """`latest` is reserved: moving or rolling it back is refused in words."""
        publish(registry, NAME, "one", "two")
        with pytest.raises(InvalidNameError, match="latest"):
            registry.move(NAME, label="latest", to="v1", reason="try", expected=UNSET)
        with pytest.raises(InvalidNameError, match="latest"):
            registry.rollback(NAME, label="latest", reason="try", expected="v2")

    def test_finding_a_version(self, registry: RegistryBackend) -> None:
        """A version is found by number, by label, by digest and by the first eight digits of one."""
        one, two = publish(registry, NAME, "one", "two")
        registry.move(NAME, label="staging", to="v1", reason="try", expected=None)
        for ref in ("v1", "staging", one.digest, one.digest[:15]):
            assert registry.version(NAME, ref) == one
        assert registry.version(NAME, two.digest) == two

    def test_absent_version(self, registry: RegistryBackend) -> None:
        """A version that is not there is told so, with its name and reference as attributes."""
        publish(registry)
        for ref in ("v9", "v99999999999", "sha256:" + "0" * 64, "sha256:00000000"):
            with pytest.raises(VersionNotFoundError) as told:
                registry.version(NAME, ref)
            assert (told.value.name, told.value.version) == (NAME, ref)  # type: ignore[attr-defined]

    def test_bare_number_names_no_version(self, registry: RegistryBackend) -> None:
        """A bare number, or one that no registry gives, is refused with the form that would do."""
        publish(registry)
        for ref in ("3", "#3", "v0"):
            with pytest.raises(VersionNotFoundError, match="v"):
                registry.version(NAME, ref)

    def test_absent_prompt_and_label(self, registry: RegistryBackend) -> None:
        """What has no such name, or no such label, raises its own kind of NotFoundError."""
        for ask in (registry.versions, registry.labels, registry.log, lambda name: registry.version(name, "v1")):
            with pytest.raises(PromptNotFoundError):
                ask("no/such")
        publish(registry)
        with pytest.raises(LabelNotFoundError):
            registry.version(NAME, "staging")

    def test_versions_newest_first(self, registry: RegistryBackend) -> None:
        """Versions are listed newest first, each whole."""
        made = publish(registry, NAME, "one", "two", "three")
        assert registry.versions(NAME) == [registry.version(NAME, version.version) for version in reversed(made)]

    def test_prompts(self, registry: RegistryBackend) -> None:
        """The list of prompts is ordered by name and tells newest version and labels."""
        publish(registry, "b/two", "one", "two")
        publish(registry, "a/one")
        registry.move("b/two", label="staging", to="v1", reason="try", expected=None)
        listed = registry.prompts()
        assert [(one.name, one.newest, dict(one.labels)) for one in listed] == [
            ("a/one", 1, {"latest": 1}),
            ("b/two", 2, {"latest": 2, "staging": 1}),
        ]
        assert listed[1].digest == registry.version("b/two", "v2").digest

    def test_empty(self, registry: RegistryBackend) -> None:
        """An empty registry answers every question about everything with nothing, and verifies."""
        assert registry.prompts() == []
        assert registry.log() == []
        assert registry.position().seq == 0
        assert registry.verify().count == 0
        assert registry.sync()["pointers"] == []

    def test_move(self, registry: RegistryBackend) -> None:
        """A move makes or changes a label and returns its entry: who, when, why, from where to where."""
        publish(registry, NAME, "one", "two")
        registry.move(NAME, label="staging", to="v1", reason="try it", expected=None)
        entry = registry.move(NAME, label="staging", to="v2", reason="the new one", expected="v1")
        assert (entry.seq, entry.kind, entry.actor, entry.reason) == (4, "move", "ana", "the new one")
        assert [(move["from"], move["to"]) for move in entry.data["moves"]] == [(1, 2)]
        pointer = registry.labels(NAME)[1]
        digest = registry.version(NAME, "v2").digest
        assert pointer == LabelPointer(NAME, "staging", 2, digest, 4, entry.at, "ana", "the new one")

    def test_move_to_where_a_label_points(self, registry: RegistryBackend) -> None:
        """The target may be another label or a digest; what is written down is the version."""
        one, _ = publish(registry, NAME, "one", "two")
        registry.move(NAME, label="staging", to=one.digest, reason="try", expected=None)
        entry = registry.move(NAME, label="production", to="staging", reason="go", expected=None)
        assert entry.data["moves"][0]["to"] == 1

    def test_move_that_expected_something_else(self, registry: RegistryBackend) -> None:
        """A move whose expectation does not hold changes nothing and tells who moved the label, when and why."""
        publish(registry, NAME, "one", "two")
        moved = registry.move(NAME, label="staging", to="v1", reason="fix tone", expected=None)
        for expected in ("v2", None, 1):
            with pytest.raises(ConflictError, match="ana: fix tone") as told:
                registry.move(NAME, label="staging", to="v2", reason="go", expected=expected)
            current = told.value.current
            assert isinstance(current, LabelPointer)
            assert (current.version, current.seq, current.moved_at) == ("v1", moved.seq, moved.at)
            assert (current.moved_by, current.reason) == ("ana", "fix tone")
            assert told.value.status == 412
        assert registry.version(NAME, "staging").version == "v1"
        assert registry.position().seq == 3

    def test_move_of_a_label_that_is_not_there(self, registry: RegistryBackend) -> None:
        """Expecting a version of a label that does not exist is a conflict, too."""
        publish(registry)
        with pytest.raises(ConflictError, match="does not exist") as told:
            registry.move(NAME, label="staging", to="v1", reason="go", expected="v1")
        assert told.value.current is None

    def test_move_by_position(self, registry: RegistryBackend) -> None:
        """The number of the label's last move is an expectation as well, and the strictest."""
        publish(registry, NAME, "one", "two")
        first = registry.move(NAME, label="staging", to="v1", reason="go", expected=None)
        second = registry.move(NAME, label="staging", to="v2", reason="go", expected=first.seq)
        registry.move(NAME, label="staging", to="v1", reason="go", expected=second.seq)
        with pytest.raises(ConflictError):
            registry.move(NAME, label="staging", to="v2", reason="go", expected=first.seq)

    def test_move_from_wherever(self, registry: RegistryBackend) -> None:
        """UNSET moves a label wherever it stands, also where it is new."""
        publish(registry, NAME, "one", "two")
        registry.move(NAME, label="staging", to="v1", reason="go", expected=UNSET)
        registry.move(NAME, label="staging", to="v2", reason="go", expected=UNSET)
        assert registry.version(NAME, "staging").version == "v2"

    def test_expected_is_never_a_bare_number(self, registry: RegistryBackend) -> None:
        """An expectation that names no version is refused instead of never being met."""
        publish(registry, NAME, "one", "two")
        registry.move(NAME, label="staging", to="v1", reason="go", expected=None)
        with pytest.raises((RegistryError, VersionNotFoundError)) as told:
            registry.move(NAME, label="staging", to="v2", reason="go", expected="1")
        assert not isinstance(told.value, ConflictError)

    def test_move_to_where_it_stands(self, registry: RegistryBackend) -> None:
        """Moving a label to where it stands is refused by the gate, with the decision at hand."""
        publish(registry)
        registry.move(NAME, label="staging", to="v1", reason="go", expected=None)
        with pytest.raises(GateError) as told:
            registry.move(NAME, label="staging", to="v1", reason="go", expected="v1")
        decision = told.value.decision
        assert isinstance(decision, GateDecision)
        assert not decision.allowed
        assert "already_there" in {reason.code for reason in decision.unmet}

    def test_version_that_callers_cannot_fill(self, registry: RegistryBackend) -> None:
        """A version with a new required variable is refused on a label that callers read, and a rollback is not."""
        publish(registry)
        registry.publish(NAME, unit("{{ question }} {{ tone }}"), message="tone", reason="wish")
        registry.move(NAME, label="production", to="v1", reason="go", expected=None)
        with pytest.raises(GateError, match="tone"):
            registry.move(NAME, label="production", to="v2", reason="go", expected="v1")
        registry.rollback(NAME, label="production", to="v2", reason="must work", expected="v1")

    def test_gate_check_moves_nothing(self, registry: RegistryBackend) -> None:
        """The gate's answer can be had without a move, and is the one that the move gets."""
        publish(registry)
        assert registry.gate_check(NAME, "staging", "v1", reason="go").allowed
        assert not registry.gate_check(NAME, "staging", "v1").allowed
        registry.move(NAME, label="staging", to="v1", reason="go", expected=None)
        assert not registry.gate_check(NAME, "staging", "v1", reason="go").allowed
        assert registry.position().seq == 2

    def test_gate_tells_downstream(self, registry: RegistryBackend) -> None:
        """The gate names the prompts that take the moved one's output, without blocking."""
        publish(registry, "chain/first")
        registry.publish(
            "chain/second", unit("{{ said }}", inputs={"said": "chain/first@production"}), message="m", reason="r"
        )
        reasons = registry.gate_check("chain/first", "production", "v1", reason="go").reasons
        (downstream,) = [reason for reason in reasons if reason.code == "downstream"]
        assert "chain/second" in downstream.sentence
        assert not downstream.blocking

    def test_circle_of_inputs(self, registry: RegistryBackend) -> None:
        """A version whose inputs would close a circle of prompts is refused, and nothing of it stays."""
        publish(registry, "chain/first")
        registry.publish(
            "chain/second", unit("{{ a }}", inputs={"a": "chain/first@production"}), message="m", reason="r"
        )
        with pytest.raises(GraphCycleError) as told:
            registry.publish(
                "chain/first", unit("{{ b }}", inputs={"b": "chain/second@latest"}), message="m", reason="r"
            )
        assert set(told.value.cycle) == {"chain/first", "chain/second"}
        assert registry.version("chain/first", "latest").version == "v1"
        registry.publish("chain/third", unit("{{ c }}", inputs={"c": "chain/second@latest"}), message="m", reason="r")
        registry.verify()

    def test_several_moves_at_once(self, registry: RegistryBackend) -> None:
        """Several labels move as one entry with one number."""
        for name in ("chain/first", "chain/second"):
            publish(registry, name, "one", "two")
        entry = registry.moves(
            [Move("chain/first", "production", "v2", None), Move("chain/second", "production", "v1", None)],
            reason="format and parser together",
        )
        assert [move["name"] for move in entry.data["moves"]] == ["chain/first", "chain/second"]
        assert {registry.labels(name)[1].seq for name in ("chain/first", "chain/second")} == {entry.seq}

    def test_several_moves_or_none(self, registry: RegistryBackend) -> None:
        """Where one of several moves is refused, none is done."""
        publish(registry, "chain/first", "one", "two")
        publish(registry, "chain/second", "one", "two")
        with pytest.raises(ConflictError):
            registry.moves(
                [Move("chain/first", "production", "v2", None), Move("chain/second", "production", "v1", "v2")],
                reason="together",
            )
        assert [pointer.label for pointer in registry.labels("chain/first")] == ["latest"]
        with pytest.raises((RegistryError, InvalidUnitError)):
            registry.moves([], reason="nothing")
        with pytest.raises(RegistryError, match="twice"):
            registry.moves([Move(n, "production", "v1", None) for n in ("chain/first",) * 2], reason="twice")
        assert registry.position().seq == 4

    def test_rollback(self, registry: RegistryBackend) -> None:
        """A rollback goes to what the label held before; the next one goes one further back, never forward again."""
        publish(registry, NAME, "one", "two", "three")
        registry.move(NAME, label="production", to="v1", reason="go", expected=None)
        registry.move(NAME, label="production", to="v2", reason="go", expected="v1")
        registry.move(NAME, label="production", to="v3", reason="go", expected="v2")
        assert registry.previous(NAME, "production") == "v2"
        entry = registry.rollback(NAME, label="production", reason="too many complaints", expected="v3")
        assert (entry.kind, entry.reason, entry.seq) == ("rollback", "too many complaints", 7)
        assert registry.version(NAME, "production").version == "v2"
        assert registry.previous(NAME, "production") == "v1"
        registry.rollback(NAME, label="production", reason="still", expected="v2")
        assert registry.version(NAME, "production").version == "v1"
        assert registry.previous(NAME, "production") is None

    def test_second_click_on_rollback(self, registry: RegistryBackend) -> None:
        """A second click cannot roll back the rollback: its expectation does not hold any more."""
        publish(registry, NAME, "one", "two", "three")
        for number, before in ((1, None), (2, "v1"), (3, "v2")):
            registry.move(NAME, label="production", to=f"v{number}", reason="go", expected=before)
        registry.rollback(NAME, label="production", reason="bad", expected="v3")
        with pytest.raises(ConflictError):
            registry.rollback(NAME, label="production", reason="bad", expected="v3")
        assert registry.version(NAME, "production").version == "v2"

    def test_rollback_to_a_named_version(self, registry: RegistryBackend) -> None:
        """A rollback may name its version, and the walk back goes on from there."""
        publish(registry, NAME, "one", "two", "three")
        for number, before in ((1, None), (2, "v1"), (3, "v2")):
            registry.move(NAME, label="production", to=f"v{number}", reason="go", expected=before)
        registry.rollback(NAME, label="production", reason="bad", expected="v3", to="v1")
        assert registry.version(NAME, "production").version == "v1"
        registry.move(NAME, label="production", to="v3", reason="again", expected="v1")
        assert registry.previous(NAME, "production") == "v1"

    def test_rollback_without_a_way_back(self, registry: RegistryBackend) -> None:
        """A label that held one version only, or that is not there, cannot be rolled back."""
        publish(registry)
        with pytest.raises(LabelNotFoundError):
            registry.rollback(NAME, label="production", reason="bad", expected=UNSET)
        registry.move(NAME, label="production", to="v1", reason="go", expected=None)
        with pytest.raises(VersionNotFoundError, match="nothing to go back"):
            registry.rollback(NAME, label="production", reason="bad", expected="v1")
        assert registry.position().seq == 2

    def test_repeated_request(self, registry: RegistryBackend) -> None:
        """A write repeated with its Idempotency-Key gets the first answer and is not done again."""
        first = registry.publish(NAME, unit(), message="m", reason="r", idempotency_key="p")
        assert registry.publish(NAME, unit(), message="m", reason="r", idempotency_key="p") == first
        entry = registry.move(NAME, label="staging", to="v1", reason="go", expected=None, idempotency_key="m")
        assert registry.move(NAME, label="staging", to="v1", reason="go", expected=None, idempotency_key="m") == entry
        registry.publish(NAME, unit("new {{ question }}"), message="m", reason="r")
        registry.move(NAME, label="staging", to="v2", reason="go", expected="v1")
        back = registry.rollback(NAME, label="staging", reason="bad", expected="v2", idempotency_key="b")
        assert registry.rollback(NAME, label="staging", reason="bad", expected="v2", idempotency_key="b") == back
        assert registry.position().seq == 5

    def test_key_for_two_requests(self, registry: RegistryBackend) -> None:
        """One Idempotency-Key for two different requests is refused."""
        registry.publish(NAME, unit(), message="m", reason="r", idempotency_key="one")
        with pytest.raises(RegistryError) as told:
            registry.publish(NAME, unit("other {{ question }}"), message="m", reason="r", idempotency_key="one")
        assert told.value.code == "key_reused"
        assert len(registry.versions(NAME)) == 1

    def test_log(self, registry: RegistryBackend) -> None:
        """The log has every change with actor and reason, newest first, by pages, and its hashes chain."""
        publish(registry, NAME, "one", "two")
        publish(registry, "other")
        registry.move(NAME, label="staging", to="v1", reason="try it", expected=None)
        entries = registry.log()
        assert [(entry.seq, entry.kind, entry.reason) for entry in entries] == [
            (4, "move", "try it"),
            (3, "publish", "for a test"),
            (2, "publish", "for a test"),
            (1, "publish", "for a test"),
        ]
        assert {entry.actor for entry in entries} == {"ana"}
        assert verify_chain(reversed(entries)) == (4, registry.verify().head)
        assert [entry.seq for entry in registry.log(limit=2)] == [4, 3]
        assert [entry.seq for entry in registry.log(limit=2, before=3)] == [2, 1]
        assert [entry.seq for entry in registry.log(NAME)] == [4, 2, 1]
        assert [entry.seq for entry in registry.log(NAME, before=4, limit=1)] == [2]

    def test_verify(self, registry: RegistryBackend) -> None:
        """A registry that nobody tampered with verifies, and tells how many entries it read and their head."""
        publish(registry, NAME, "one", "two", "one")
        registry.move(NAME, label="staging", to="v1", reason="go", expected=None)
        registry.move(NAME, label="staging", to="v2", reason="go", expected="v1")
        registry.rollback(NAME, label="staging", reason="bad", expected="v2")
        told = registry.verify()
        assert (told.count, told.position) == (6, registry.position())
        assert told.head == registry.log(limit=1)[0].hash

    def test_forbidden_names(self, registry: RegistryBackend) -> None:
        """A malformed name is refused, and nothing is published."""
        for name in ("", "Support", "a//b", "/a", "a/", "a b", "ä", "a" * 201, "-", "a/-/b", "a\x00"):
            with pytest.raises((InvalidNameError, NotFoundError, RegistryError)):
                registry.publish(name, unit(), message="m", reason="r")
        assert registry.position().seq == 0

    def test_forbidden_labels(self, registry: RegistryBackend) -> None:
        """A malformed label is refused, and nothing is moved."""
        publish(registry)
        for label in ("Prod", "a/b", "a b", "é", "a" * 37, "-", "", "v1", "3"):
            with pytest.raises((InvalidNameError, RegistryError)):
                registry.move(NAME, label=label, to="v1", reason="r", expected=None)
        assert registry.position().seq == 1

    def test_forbidden_reasons(self, registry: RegistryBackend) -> None:
        """A reason or message that is empty, endless or not text is refused, and nothing changes."""
        publish(registry)
        for text in ("", "  ", "x" * 2001, "a\x00b", "bell\x07"):
            for write in (
                lambda text=text: registry.publish("new", unit(), message="m", reason=text),
                lambda text=text: registry.publish("new", unit(), message=text, reason="r"),
                lambda text=text: registry.move(NAME, label="staging", to="v1", reason=text, expected=None),
            ):
                with pytest.raises((InvalidUnitError, RegistryError)):
                    write()
        assert registry.position().seq == 1

    def test_forbidden_units(self, registry: RegistryBackend) -> None:
        """What is not the canonical bytes of a unit is refused, and nothing is published."""
        for body in (
            b"",
            b"{}",
            b"[]",
            b"null",
            b"not json",
            b'{"a": NaN}',
            unit() + b" ",
            unit().replace(b'"model":"small"', b'"model":"small","model":"small"'),
            json.dumps(json.loads(unit()), indent=1).encode(),
        ):
            with pytest.raises(InvalidUnitError):
                registry.publish(NAME, body, message="m", reason="r")
        assert registry.prompts() == []

    def test_dangerous_template(self, registry: RegistryBackend) -> None:
        """A template that uses what templates may not use is refused with its line, whoever sends the bytes."""
        body = unit().replace(b"Answer {{ question }}", b"{{ question.__class__ }}")
        with pytest.raises(TemplateError) as told:
            registry.publish(NAME, body, message="m", reason="r")
        assert told.value.line == 1

    def test_unit_that_is_too_large(self, registry: RegistryBackend) -> None:
        """A unit over 1 MiB is refused, and one just below it is taken."""
        room = 1024 * 1024 - len(unit())
        registry.publish(NAME, unit("Answer {{ question }}" + "x" * room), message="m", reason="r")
        with pytest.raises((InvalidUnitError, RegistryError)):
            registry.publish(NAME, unit().replace(b"Answer", b"Answer" + b"x" * (room + 1)), message="m", reason="r")
        assert registry.position().seq == 1

    def test_sync(self, registry: RegistryBackend) -> None:
        """A sync holds the pointers under the subscription with their units, whose text hashes to their digest."""
        publish(registry, NAME, "one", "two")
        publish(registry, "other/prompt")
        for name in (NAME, "other/prompt"):
            registry.move(name, label="production", to="v1", reason="go", expected=None)
        told = registry.sync(["production"], ["support/*"])
        assert told["position"] == registry.position()._asdict()
        (pointer,) = told["pointers"]
        (target,) = pointer["targets"]
        assert (pointer["name"], pointer["label"], pointer["seq"]) == (NAME, "production", 4)
        assert (target["version"], target["weight"]) == ("v1", 1)
        assert {sha256_digest(text.encode()) for text in told["units"].values()} == set(told["units"])
        assert set(told["units"]) == {target["digest"]}
        assert registry.sync(["production"], units=False)["units"] == {}
        assert len(registry.sync()["pointers"]) == 4

    def test_sync_since(self, registry: RegistryBackend) -> None:
        """With a position and its scope, a sync holds only what changed; without either it holds everything."""
        publish(registry, NAME, "one", "two")
        publish(registry, "other/prompt")
        registry.move(NAME, label="production", to="v1", reason="go", expected=None)
        before = registry.sync()
        at = registry.position()
        registry.move(NAME, label="production", to="v2", reason="go", expected="v1")
        some = registry.sync(since=at, scope=before["scope"])
        assert [(pointer["name"], pointer["label"]) for pointer in some["pointers"]] == [(NAME, "production")]
        assert len(some["units"]) == 1
        assert not some["full"]
        for since, scope in (
            (at, None),
            (at, "another"),
            (at._replace(epoch=2), before["scope"]),
            (at._replace(registry="another"), before["scope"]),
            (at._replace(seq=999), before["scope"]),
        ):
            told = registry.sync(since=since, scope=scope)
            assert told["full"]
            assert len(told["pointers"]) == 3
        assert registry.sync(["production"])["scope"] != before["scope"]

    def test_events(self, registry: RegistryBackend) -> None:
        """A watcher is told of each change in order, once, with the units that it needs."""
        publish(registry)
        listener = Listener(registry.events())
        until(lambda: listener.heard)
        publish(registry, NAME, "two")
        registry.move(NAME, label="production", to="v2", reason="go", expected=None)
        until(lambda: listener.numbers == [2, 3])
        first, second = listener.moves
        assert [(pointer["label"], pointer["seq"]) for pointer in first.data["pointers"]] == [("latest", 2)]
        (pointer,) = second.data["pointers"]
        digest = pointer["targets"][0]["digest"]
        assert sha256_digest(second.data["units"][digest].encode()) == digest
        assert second.data["epoch"] == 1

    def test_events_of_a_subscription(self, registry: RegistryBackend) -> None:
        """A watcher hears what its subscription asks for, and of a move of several only its own part."""
        publish(registry, "a/one", "one", "two")
        publish(registry, "b/two", "one", "two")
        listener = Listener(registry.events(registry.position(), ["production"], ["a/*"]))
        registry.move("b/two", label="production", to="v1", reason="go", expected=None)
        registry.moves([Move("a/one", "production", "v1", None), Move("b/two", "production", "v2", "v1")], reason="go")
        registry.move("a/one", label="staging", to="v1", reason="go", expected=None)
        registry.move("a/one", label="production", to="v2", reason="go", expected="v1")
        until(lambda: listener.numbers == [6, 8])
        assert [pointer["name"] for pointer in listener.moves[0].data["pointers"]] == ["a/one"]
        assert len(listener.moves[0].data["units"]) == 1

    def test_events_from_the_past(self, registry: RegistryBackend) -> None:
        """A watcher that comes late is told everything after its position."""
        start = registry.position()
        publish(registry, NAME, "one", "two", "three")
        listener = Listener(registry.events(start._replace(seq=1)))
        until(lambda: listener.numbers == [2, 3])

    def test_events_of_another_history(self, registry: RegistryBackend) -> None:
        """A watcher whose position is not of this history is told to sync."""
        publish(registry)
        now = registry.position()
        for other in (now._replace(seq=99), now._replace(epoch=7), now._replace(registry="another")):
            assert next(registry.events(other)).kind == "resync"

    def test_tokens(self, registry: RegistryBackend) -> None:
        """A token is listed with role, scope and state, and never with its secret."""
        token = registry.create_token("bo", "editor", labels=["staging"], names=["support/*"])
        assert token.secret.startswith("pm_")
        assert len(token.secret) >= 46
        assert token.secret not in repr(token)
        (listed,) = [info for info in registry.tokens() if info.id == token.info.id]
        assert listed == token.info
        assert (listed.principal.name, listed.principal.role, listed.created_by) == ("bo", "editor", "ana")
        assert (listed.principal.labels, listed.principal.names) == (("staging",), ("support/*",))
        assert registry.revoke_token(listed.id).revoked_at is not None
        with pytest.raises(NotFoundError):
            registry.revoke_token("000000000000")
        with pytest.raises(NotFoundError):
            registry.revoke_token("no such\x00token")

    def test_malformed_tokens(self, registry: RegistryBackend) -> None:
        """A token with an unknown role, a time gone by or a pattern that matches nothing is refused."""
        before = len(registry.tokens())
        gone = datetime.now(UTC) - timedelta(seconds=1)
        for wrong in (
            {"role": "boss"},
            {"role": "reader", "expires": gone},
            {"role": "reader", "names": ["A B"]},
            {"role": "reader", "labels": [""]},
        ):
            with pytest.raises((RegistryError, InvalidUnitError)):
                registry.create_token("bo", **wrong)  # type: ignore[arg-type]
        with pytest.raises((RegistryError, InvalidUnitError)):
            registry.create_token("", "reader")
        assert len(registry.tokens()) == before

    def test_audit(self, registry: RegistryBackend) -> None:
        """A refused move is kept in the audit log with who, what and why, and leaves the change log alone."""
        publish(registry)
        with pytest.raises(ConflictError):
            registry.move(NAME, label="staging", to="v1", reason="go", expected="v7")
        (refusal,) = registry.audit()
        assert (refusal.actor, refusal.verb, refusal.code) == ("ana", "move", "conflict")
        assert refusal.data["moves"][0]["label"] == "staging"
        assert registry.position().seq == 1

    def test_who_asks(self, registry: RegistryBackend) -> None:
        """A registry tells as whom it is used."""
        assert (registry.whoami().name, registry.whoami().role) == ("ana", "admin")
        assert registry.where
