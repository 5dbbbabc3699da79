"""What every registry does with evidence, policies and suites: each implementation runs this suite."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pressmark.errors import (
    EvidenceError,
    GateError,
    InvalidNameError,
    InvalidUnitError,
    NotFoundError,
    PressmarkError,
    PromptNotFoundError,
    RegistryError,
    SuiteError,
    SuiteNotFoundError,
    VersionNotFoundError,
)
from pressmark.evals import Dataset, Suite
from pressmark.evals.parquet import from_parquet
from pressmark.evals.scorers import Function
from pressmark.gate import GateDecision
from pressmark.prompts import freeze
from pressmark.prompts.canonical import evidence_digest
from pressmark.prompts.policy import SOLO, TEAM, Policy
from pressmark.registry.backend import RegistryBackend
from pressmark.registry.values import UNSET, Expected, Move

from .making import publish, unit
from .proving import BAD, NAME, OTHER, parquet, prove, suite

BELOW = "support/reply"


def standing(registry: RegistryBackend, policy: Policy = TEAM) -> None:
    """Publish three versions, let production point to the first, and set a policy on it."""
    publish(registry, NAME, "one", "two", "three")
    registry.move(NAME, label="production", to="v1", reason="go", expected=None)
    registry.set_policy("production", policy, reason="a team now")


def refused(registry: RegistryBackend, to: str, expected: Expected = UNSET) -> list[str]:
    """Try to move production, be refused by the gate, and return the codes of what blocks."""
    before = registry.position()
    with pytest.raises(GateError) as told:
        registry.move(NAME, label="production", to=to, reason="go", expected=expected)
    decision = told.value.decision
    assert isinstance(decision, GateDecision)
    assert registry.position() == before
    checked = registry.gate_check(NAME, "production", to, reason="go")
    assert [reason.code for reason in checked.unmet] == [reason.code for reason in decision.unmet]
    return [reason.code for reason in decision.unmet]


class EvidenceContract:
    """The suite; a subclass collects it, the fixture `registry` says on what it runs."""

    def test_no_policy_is_solo(self, registry: RegistryBackend) -> None:
        """Where no policy was set, a label is one person's; the prompt need not be there for that."""
        assert registry.policy("no/such", "production") == SOLO
        assert registry.policies() == []

    def test_policy_is_set(self, registry: RegistryBackend) -> None:
        """A policy is an entry of the change log, counts from then on, and the registry verifies."""
        entry = registry.set_policy("production", TEAM, names="support/**", reason="a team now")
        assert (entry.kind, entry.actor, entry.reason, entry.seq) == ("policy", "ana", "a team now", 1)
        assert entry.data["policy"] == TEAM.to_dict()
        assert registry.log() == [entry]
        assert registry.policy(NAME, "production") == TEAM
        assert registry.policy(NAME, "staging") == SOLO
        assert registry.policy("other", "production") == SOLO
        (rule,) = registry.policies()
        assert (rule.label, rule.names, rule.policy, rule.seq) == ("production", "support/**", TEAM, 1)
        assert registry.verify().count == 1

    def test_most_specific_policy(self, registry: RegistryBackend) -> None:
        """Of several patterns that a name fits the most specific one counts, whichever was set last."""
        for names in (NAME, "support/*", "support/**", "**/triage", "**"):
            registry.set_policy("production", Policy(f"for {names}"), names=names, reason="r")
        asked = {NAME: NAME, "support/reply": "support/*", "support/a/b": "support/**", "x/triage": "**/triage"}
        for name, names in asked.items():
            assert registry.policy(name, "production").name == f"for {names}"
        assert registry.policy("x", "production").name == "for **"
        assert [rule.names for rule in registry.policies()][:2] == [NAME, "support/*"]

    def test_policy_is_replaced(self, registry: RegistryBackend) -> None:
        """Setting a policy again replaces it, and the log keeps both."""
        registry.set_policy("production", TEAM, reason="a team now")
        again = registry.set_policy("production", SOLO, reason="alone again")
        assert registry.policy(NAME, "production") == SOLO
        assert [rule.seq for rule in registry.policies()] == [again.seq]
        assert len(registry.log()) == 2
        registry.verify()

    def test_every_part_of_a_policy_comes_back(self, registry: RegistryBackend) -> None:
        """Whatever a policy demands comes back as it was set."""
        policy = Policy(
            "ours", require_evidence=True, suites=("support/safety",), least_rows=7, must_reach={"polite": 0.5},
            must_not_regress={"primary": 0.01, "cost": 2.0}, downstream=True, fresh=False, practice_counts=False,
        )  # fmt: skip
        registry.set_policy("production", policy, reason="r")
        assert registry.policy(NAME, "production") == policy

    @pytest.mark.parametrize(
        "wrong",
        [
            {"label": "latest"}, {"label": "Prod"}, {"names": "A B"}, {"names": ""}, {"reason": " "},
            {"reason": "x" * 2001}, {"policy": Policy("a\x00b")}, {"policy": Policy("x" * 101)},
        ],
    )  # fmt: skip
    def test_forbidden_policies(self, registry: RegistryBackend, wrong: dict[str, Any]) -> None:
        """A malformed label, pattern, name or reason is refused, and nothing changes."""
        asked: dict[str, Any] = {"label": "production", "policy": TEAM, "names": "**", "reason": "r"} | wrong
        with pytest.raises((InvalidNameError, InvalidUnitError, RegistryError)):
            registry.set_policy(asked.pop("label"), asked.pop("policy"), **asked)
        assert registry.position().seq == 0

    def test_evidence_is_kept(self, registry: RegistryBackend) -> None:
        """Evidence comes back whole by its digest, and is listed with what it is about."""
        standing(registry, SOLO)
        record = prove(registry, "v2")
        digest = registry.submit_evidence(record)
        assert digest == evidence_digest(record)
        assert registry.evidence_by_digest(digest) == record
        (info,) = registry.evidence(NAME)
        assert (info.digest, info.label, info.added_by) == (digest, "production", "ana")
        assert (info.candidate, info.baseline) == (record.candidate, record.baseline)

    def test_evidence_again_makes_nothing(self, registry: RegistryBackend) -> None:
        """The same evidence again, and the same request again, get the same digest and add nothing."""
        standing(registry, SOLO)
        record = prove(registry, "v2")
        digests = {registry.submit_evidence(record), registry.submit_evidence(record, idempotency_key="k")}
        digests.add(registry.submit_evidence(record, idempotency_key="k"))
        assert digests == {evidence_digest(record)}
        assert len(registry.evidence(NAME)) == 1
        with pytest.raises(RegistryError) as told:
            registry.submit_evidence(prove(registry, "v3"), idempotency_key="k")
        assert told.value.code == "key_reused"

    def test_list_of_evidence(self, registry: RegistryBackend) -> None:
        """Evidence is listed newest first, and by label and version."""
        standing(registry, SOLO)
        first = registry.submit_evidence(prove(registry, "v2"))
        second = registry.submit_evidence(prove(registry, "v3"))
        third = registry.submit_evidence(prove(registry, "v3", label="staging"))
        assert [info.digest for info in registry.evidence(NAME)] == [third, second, first]
        assert [info.digest for info in registry.evidence(NAME, label="production")] == [second, first]
        assert [info.digest for info in registry.evidence(NAME, candidate="v3")] == [third, second]
        with pytest.raises(PromptNotFoundError):
            registry.evidence("no/such")
        for digest in (OTHER, "nonsense", "sha256:00000000"):
            with pytest.raises(NotFoundError, match="no evidence"):
                registry.evidence_by_digest(digest)

    def test_evidence_on_what_is_not_published(self, registry: RegistryBackend) -> None:
        """Evidence on a prompt or version that the registry does not hold is refused, and nothing is kept."""
        standing(registry, SOLO)
        record = prove(registry, "v2")
        elsewhere = replace(record.trials[0], prompt="no/such", baseline=OTHER, candidate=OTHER)
        broken: list[tuple[type[Exception], dict[str, Any]]] = [
            (VersionNotFoundError, {"candidate": OTHER, "trials": ()}),
            (VersionNotFoundError, {"baseline": OTHER, "lock": freeze({}), "trials": ()}),
            (PromptNotFoundError, {"name": "no/such", "trials": ()}),
            (PromptNotFoundError, {"lock": freeze({**record.lock, "no/such@production": OTHER})}),
            (PromptNotFoundError, {"trials": (*record.trials, elsewhere)}),
        ]
        for kind, changes in broken:
            with pytest.raises(kind):
                registry.submit_evidence(replace(record, **changes))
        assert registry.evidence(NAME) == []

    def test_evidence_that_contradicts_itself(self, registry: RegistryBackend) -> None:
        """Evidence that contradicts itself is refused in words, and nothing is kept."""
        standing(registry, SOLO)
        record = prove(registry, "v2")
        with pytest.raises(EvidenceError, match="a row was counted twice"):
            registry.submit_evidence(
                replace(record, trials=(replace(record.trials[0], rows=(0, *record.trials[0].rows[:-1])),))
            )
        with pytest.raises(PressmarkError):
            registry.submit_evidence(replace(record, made_by=""))
        assert registry.evidence(NAME) == []

    def test_team_label_needs_evidence(self, registry: RegistryBackend) -> None:
        """A team's label opens by evidence on exactly this change, and the log says by which."""
        standing(registry)
        assert refused(registry, "v2") == ["evaluated"]
        digest = registry.submit_evidence(prove(registry, "v2"))
        decision = registry.gate_check(NAME, "production", "v2", reason="go")
        assert decision.allowed, str(decision)
        assert decision.evidence["digest"] == digest
        assert refused(registry, "v3") == ["evaluated"]
        entry = registry.move(NAME, label="production", to="v2", reason="go", expected="v1")
        assert entry.data["moves"][0]["evidence"] == digest
        registry.verify()

    def test_other_labels_stay_open(self, registry: RegistryBackend) -> None:
        """A policy holds for its label and its names alone."""
        standing(registry)
        registry.move(NAME, label="staging", to="v2", reason="go", expected=None)
        registry.set_policy("production", SOLO, names=NAME, reason="an exception")
        entry = registry.move(NAME, label="production", to="v2", reason="go", expected="v1")
        assert "evidence" not in entry.data["moves"][0]

    def test_evidence_that_shows_a_loss(self, registry: RegistryBackend) -> None:
        """Evidence of a loss keeps a team's label shut, and opens one person's, with the loss told."""
        standing(registry)
        registry.submit_evidence(prove(registry, "v2", after=BAD))
        assert refused(registry, "v2") == ["must_not_regress"]
        registry.set_policy("production", SOLO, reason="alone again")
        decision = registry.gate_check(NAME, "production", "v2", reason="go")
        assert decision.allowed
        assert "verdict" in {reason.code for reason in decision.reasons if not reason.met}

    def test_evidence_against_what_stood_before(self, registry: RegistryBackend) -> None:
        """Evidence against a version that the label does not hold any more opens nothing."""
        standing(registry)
        registry.submit_evidence(prove(registry, "v3"))
        registry.submit_evidence(prove(registry, "v2"))
        registry.move(NAME, label="production", to="v2", reason="go", expected="v1")
        assert refused(registry, "v3") == ["evaluated"]

    def test_stale_evidence(self, registry: RegistryBackend) -> None:
        """Evidence goes stale when an input moves, and is fresh again when it moves back."""
        publish(registry, "support/clean", "one", "two")
        registry.move("support/clean", label="production", to="v1", reason="go", expected=None)
        inputs = {"clean": "support/clean@production"}
        for text in ("a", "b"):
            registry.publish(NAME, unit(f"{text} {{{{ clean }}}}", inputs=inputs), message="m", reason="r")
        registry.move(NAME, label="production", to="v1", reason="go", expected=None)
        registry.set_policy("production", TEAM, names=NAME, reason="r")
        registry.submit_evidence(prove(registry, "v2", lock=["support/clean@production"]))
        assert registry.gate_check(NAME, "production", "v2", reason="go").allowed
        registry.move("support/clean", label="production", to="v2", reason="go", expected="v1")
        assert refused(registry, "v2") == ["fresh"]
        registry.rollback("support/clean", label="production", reason="back", expected="v2")
        registry.move(NAME, label="production", to="v2", reason="go", expected="v1")

    def test_prompts_downstream(self, registry: RegistryBackend) -> None:
        """A prompt that takes the output must have been evaluated, also one that is published only afterwards."""
        standing(registry)
        registry.submit_evidence(prove(registry, "v2"))
        assert registry.gate_check(NAME, "production", "v2", reason="go").allowed
        taking = unit("{{ sorted }}", inputs={"sorted": f"{NAME}@production"})
        registry.publish(BELOW, taking, message="m", reason="r")
        assert refused(registry, "v2") == ["downstream"]
        registry.submit_evidence(prove(registry, "v2", below={BELOW: "latest"}))
        registry.move(NAME, label="production", to="v2", reason="go", expected="v1")

    def test_who_is_not_reached(self, registry: RegistryBackend) -> None:
        """Who takes another label of the prompt is not asked for; who takes it two steps down is."""
        standing(registry)
        registry.move(NAME, label="staging", to="v1", reason="go", expected=None)
        taking = {label: {"sorted": f"{NAME}@{label}"} for label in ("staging", "production")}
        registry.publish("support/a", unit("{{ sorted }}", inputs=taking["staging"]), message="m", reason="r")
        registry.submit_evidence(prove(registry, "v2"))
        assert registry.gate_check(NAME, "production", "v2", reason="go").allowed
        # Two steps down, by a label of its own.
        registry.publish("support/c", unit("{{ sorted }}", inputs=taking["production"]), message="m", reason="r")
        registry.publish("support/d", unit("{{ c }}", inputs={"c": "support/c@latest"}), message="m", reason="r")
        (told,) = [
            reason
            for reason in registry.gate_check(NAME, "production", "v2", reason="go").reasons
            if reason.code == "downstream"
        ]
        assert "support/c, support/d take its output" in told.sentence

    def test_several_moves(self, registry: RegistryBackend) -> None:
        """Each of several moves needs its own evidence, in the chain that the moves before it make."""
        publish(registry, NAME, "one", "two")
        taking = {"inputs": {"sorted": f"{NAME}@production"}}
        for text in ("a", "b"):
            registry.publish(BELOW, unit(f"{text} {{{{ sorted }}}}", **taking), message="m", reason="r")
        for name in (NAME, BELOW):
            registry.move(name, label="production", to="v1", reason="go", expected=None)
        registry.set_policy("production", TEAM, reason="r")
        registry.submit_evidence(prove(registry, "v2", below={BELOW: "production"}))
        registry.submit_evidence(prove(registry, "v2", name=BELOW, lock=[f"{NAME}@production"]))
        both = [Move(NAME, "production", "v2"), Move(BELOW, "production", "v2")]
        with pytest.raises(GateError, match=f"{NAME}@production points elsewhere") as told:
            registry.moves(both, reason="together")
        assert isinstance(told.value.decision, GateDecision)
        assert registry.version(NAME, "production").version == "v1"
        registry.move(NAME, label="production", to="v2", reason="go", expected="v1")
        assert registry.version(NAME, "production").version == "v2"

    def test_rollback_works_at_once(self, registry: RegistryBackend) -> None:
        """A rollback to what the label held needs no evidence and says so; one to anything else needs it."""
        standing(registry)
        registry.submit_evidence(prove(registry, "v2"))
        registry.move(NAME, label="production", to="v2", reason="go", expected="v1")
        with pytest.raises(GateError):
            registry.rollback(NAME, label="production", to="v3", reason="sideways", expected="v2")
        entry = registry.rollback(NAME, label="production", reason="bad", expected="v2")
        assert (entry.kind, entry.data["moves"][0]["to"]) == ("rollback", 1)
        registry.verify()

    def test_new_label(self, registry: RegistryBackend) -> None:
        """A label that is new needs evidence without a baseline."""
        publish(registry, NAME, "one")
        registry.set_policy("production", TEAM, reason="r")
        assert refused(registry, "v1", expected=None) == ["evaluated"]
        registry.submit_evidence(prove(registry, "v1"))
        registry.move(NAME, label="production", to="v1", reason="go", expected=None)

    def test_suite_is_published(self, registry: RegistryBackend) -> None:
        """A suite gets a number and its own digest, and its dataset comes back row by row."""
        made = suite()
        published = registry.publish_suite(made.name, made.spec(), parquet(made))
        assert (published.version, published.digest, published.created) == ("v1", made.digest, True)
        assert (published.added_by, published.spec["primary"]) == ("ana", "category")
        for ref in (None, "latest", "v1", made.digest, made.digest[:20]):
            found = registry.suite(made.name, ref)
            dataset = from_parquet(found.spec["dataset"]["name"], registry.suite_dataset(made.name, ref))
            assert Suite.from_spec(found.spec, dataset) == made
        assert registry.suites() == [replace(published, created=True)]

    def test_suite_again(self, registry: RegistryBackend) -> None:
        """The newest suite again makes nothing new; another one, and an older one again, get a new number."""
        one, two = suite(), suite(rows=4)
        numbers = [registry.publish_suite(each.name, each.spec(), parquet(each)) for each in (one, one, two, one)]
        assert [(each.number, each.created) for each in numbers] == [(1, True), (1, False), (2, True), (3, True)]
        assert [each.version for each in registry.suites()] == ["v3"]
        keyed = [
            registry.publish_suite(two.name, two.spec(), parquet(two), idempotency_key="k").number for _ in range(2)
        ]
        assert keyed == [4, 4]
        assert len(from_parquet("d", registry.suite_dataset(two.name, "v2")).rows) == 4

    def test_absent_suite(self, registry: RegistryBackend) -> None:
        """A suite, or a number of one, that is not there is told so."""
        made = suite()
        registry.publish_suite(made.name, made.spec(), parquet(made))
        for name, ref in (
            ("no/such", None),
            (made.name, "v2"),
            (made.name, "v99999999999"),
            (made.name, OTHER),
            (made.name, "staging"),
        ):
            with pytest.raises(SuiteNotFoundError):
                registry.suite(name, ref)
            with pytest.raises(SuiteNotFoundError):
                registry.suite_dataset(name, ref)

    def test_suite_that_others_cannot_run(self, registry: RegistryBackend) -> None:
        """A suite whose function nobody else has, or whose description or dataset is malformed, is refused."""
        data = Dataset.of("support/inbox", [{"category": "bug"}])
        lonely = Suite.of("support/lonely", data, [Function("polite", lambda output, row: 1.0)])
        with pytest.raises(SuiteError, match="polite"):
            registry.publish_suite(lonely.name, lonely.spec(), parquet(lonely))
        made = suite()
        spec = made.spec()
        for wrong in (
            {}, {**spec, "format": 2}, {**spec, "name": "other"}, {**spec, "dataset": {"name": "d"}},
            {**spec, "scorers": []}, {**spec, "scorers": [1]}, {**spec, "scorers": [{}]}, {**spec, "primary": "x"},
            {**spec, "scorers": spec["scorers"] * 2},
        ):  # fmt: skip
            with pytest.raises((SuiteError, InvalidUnitError)):
                registry.publish_suite(made.name, wrong, parquet(made))
        for body in (b"", b"not parquet", b"PAR1", b"PAR1" + b"x" * 20):
            with pytest.raises(SuiteError, match="Parquet"):
                registry.publish_suite(made.name, spec, body)
        with pytest.raises(InvalidNameError):
            registry.publish_suite("A B", {**spec, "name": "A B"}, parquet(made))
        assert registry.suites() == []

    def test_large_evidence(self, registry: RegistryBackend) -> None:
        """Evidence that is larger than other bodies may be comes through."""
        standing(registry)
        record = prove(registry, "v2")
        flipped = tuple(freeze({"row": row, "baseline": f"{row} " * 2000, "candidate": "b"}) for row in range(200))
        large = replace(record, trials=(replace(record.trials[0], flipped=flipped),))
        digest = registry.submit_evidence(large)
        assert registry.evidence_by_digest(digest) == large
        registry.move(NAME, label="production", to="v2", reason="go", expected="v1")

    def test_judged_by_what_the_suite_says(self, registry: RegistryBackend) -> None:
        """The names of suites that a policy asks for are those that the evidence names."""
        standing(registry, replace(TEAM, suites=(f"{NAME}-basics", "support/safety")))
        record = prove(registry, "v2")
        registry.submit_evidence(record)
        assert refused(registry, "v2") == ["suites"]
        safety = replace(record.trials[0], suite="support/safety")
        registry.submit_evidence(replace(record, trials=(*record.trials, safety)))
        registry.move(NAME, label="production", to="v2", reason="go", expected="v1")
