"""The gate: each of its reasons, met and not met, and that it changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pressmark.gate import GateDecision, MoveRequest, Principal, Reason, decide, evaluated
from pressmark.graph import DependencyGraph
from pressmark.prompts import LabelPointer, Unit, Version
from pressmark.prompts.canonical import unit_digest
from pressmark.prompts.policy import SOLO, Policy
from pressmark.rendering import build_unit

NOW = datetime(2026, 5, 1, tzinfo=UTC)
ANA = Principal("ana", "editor")


def unit(text: str = "Say {{ a }}", **parts: Any) -> Unit:
    """A unit of one text."""
    return build_unit(text=text, **{"model": "m", **parts})


def version(number: int, of: Unit) -> Version:
    """A published version."""
    return Version("support/triage", number, of, unit_digest(of), "m", "ana", NOW, "registry")


def pointer(number: int, label: str = "production", name: str = "support/triage") -> LabelPointer:
    """Where a label stands."""
    return LabelPointer(name, label, number, "sha256:" + "0" * 64, 1, NOW, "ana", "r")


def ask(target: Unit | None = None, **given: Any) -> GateDecision:
    """Ask for a move of production to v3, from a unit that takes `a`, unless something else is given."""
    request = MoveRequest(
        given.pop("label", "production"),
        version(3, target or unit("Now say {{ a }}")),
        given.pop("reason", "fix tone"),
        given.pop("kind", "move"),
    )
    asked: dict[str, Any] = {"pointers": [pointer(2)], "current": unit(), "principal": ANA, "now": NOW, **given}
    return decide(asked.pop("policy", SOLO), request, **asked)


def found(decision: GateDecision, code: str) -> Reason | None:
    """The reason of that code."""
    reasons = [reason for reason in decision.reasons if reason.code == code]
    assert len(reasons) <= 1
    return reasons[0] if reasons else None


def test_an_ordinary_move() -> None:
    """A move with a reason, by an editor, to a version that callers can fill is allowed; what is missing is told."""
    decision = ask()
    assert decision.allowed
    assert decision.unmet == ()
    assert str(decision) == "the move is allowed"
    assert {(reason.code, reason.met) for reason in decision.reasons} == {
        ("reason", True), ("callers", True), ("evaluated", False),
    }  # fmt: skip


def test_a_first_move() -> None:
    """A label that did not exist has no callers and no interface to keep."""
    decision = ask(unit("{{ whatever }}"), pointers=[], current=None)
    assert decision.allowed
    assert {reason.code for reason in decision.reasons} == {"reason", "evaluated"}


@pytest.mark.parametrize("reason", ["", " \n\t"])
def test_a_reason_is_needed(reason: str) -> None:
    """A move without a reason is refused, unless the policy asks for none."""
    decision = ask(reason=reason)
    assert not decision.allowed
    assert str(decision) == "The move has no reason: say why, so that the change log can tell it later"
    assert [told.code for told in decision.unmet] == ["reason"]
    assert ask(reason=reason, policy=Policy("free", require_reason=False)).allowed


def test_latest_cannot_be_moved() -> None:
    """`latest` moves by itself."""
    decision = ask(label="latest")
    assert [told.code for told in decision.unmet] == ["reserved_label"]
    assert "move another label, such as 'staging'" in str(decision)


@pytest.mark.parametrize(
    ("role", "allowed"),
    [("reader", False), ("evaluator", False), ("", False), ("editor", True), ("approver", True), ("admin", True)],
)
def test_roles(role: str, allowed: bool) -> None:
    """Editors, approvers and admins move labels; nobody else does, in a rollback neither."""
    assert ask(principal=Principal("bo", role)).allowed is allowed
    decision = ask(principal=Principal("bo", role), kind="rollback")
    assert decision.allowed is allowed
    assert (found(decision, "role") is None) is allowed


@pytest.mark.parametrize(
    ("pointers", "refused"),
    [
        ([pointer(3)], True),
        ([pointer(1, "staging"), pointer(3)], True),
        ([pointer(2)], False),
        ([pointer(3, "staging")], False),
        ([pointer(3, name="other/prompt")], False),
    ],
)
def test_it_is_there_already(pointers: list[LabelPointer], refused: bool) -> None:
    """A move to where the label of this prompt stands is refused; other labels and prompts do not matter."""
    assert (found(ask(pointers=pointers), "already_there") is not None) is refused
    assert ask(pointers=pointers).allowed is not refused


CURRENT = unit(
    "{{ a }}{{ o }}{{ n }}{{ any }}{{ up }}",
    variables={
        "a": "string", "o": {"type": "string", "default": "x"}, "n": "integer", "any": "any", "up": "any",
    },
    inputs={"up": "other@production"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "variables", "codes"),
    [
        ("{{ a }}{{ n }}{{ any }}", {"a": "string", "n": "integer", "any": "any"}, []),
        ("{{ a }}{{ n }}{{ any }}{{ z }}", {"a": "string", "n": "integer", "any": "any", "z": {"default": 1}}, []),
        ("{{ a }}{{ n }}{{ any }}", {"a": "any", "n": "number", "any": "string"}, []),
        (
            "{{ a }}{{ n }}{{ any }}{{ z }}",
            {"a": "string", "n": "integer", "any": "any", "z": "any"},
            ["callers_cannot_fill"],
        ),
        (
            "{{ a }}{{ n }}{{ any }}{{ o }}",
            {"a": "string", "n": "integer", "any": "any", "o": "string"},
            ["callers_cannot_fill"],
        ),
        (
            "{{ a }}{{ n }}{{ any }}{{ up }}",
            {"a": "string", "n": "integer", "any": "any", "up": "any"},
            ["callers_cannot_fill"],
        ),
        ("{{ a }}{{ n }}", {"a": "string", "n": "integer"}, ["callers_pass_unknown"]),
        ("{{ a }}{{ n }}{{ any }}", {"a": "list", "n": "integer", "any": "any"}, ["callers_pass_other_type"]),
        ("{{ a }}{{ n }}{{ any }}", {"a": "string", "n": "string", "any": "any"}, ["callers_pass_other_type"]),
        (
            "{{ z }}{{ n }}",
            {"z": "any", "n": "boolean"},
            ["callers_cannot_fill", "callers_pass_unknown", "callers_pass_other_type"],
        ),
    ],
)
def test_callers_are_kept(text: str, variables: dict[str, Any], codes: list[str]) -> None:
    """What today's callers pass must fill the new version: every way in which it does not is told, and refused."""
    target = unit(text, variables=variables)
    decision = ask(target, current=CURRENT)
    assert [told.code for told in decision.unmet] == codes
    assert decision.allowed is not bool(codes)
    assert (found(decision, "callers") is not None) is not bool(codes)
    for told in decision.unmet:
        assert told.next_step
        assert "v3" in told.sentence


def test_an_input_is_not_the_callers() -> None:
    """A variable that another prompt fills asks nothing of callers, whatever they passed before."""
    target = unit(
        "{{ a }}{{ n }}", variables={"a": "list", "n": "any"}, inputs={"a": "x@production", "n": "y@production"}
    )
    assert ask(target, current=unit("{{ a }}", variables={"a": "string"})).allowed


def test_a_rollback_is_not_held_up_by_variables() -> None:
    """A rollback goes through even where callers would have to change: it says so, and does not block."""
    target = unit("{{ z }}")
    assert not ask(target).allowed
    decision = ask(target, kind="rollback")
    assert decision.allowed
    told = [reason for reason in decision.reasons if reason.code.startswith("callers")]
    assert [(reason.code, reason.met, reason.blocking) for reason in told] == [
        ("callers_cannot_fill", False, False),
        ("callers_pass_unknown", False, False),
    ]
    assert not ask(target, kind="rollback", reason="").allowed


def test_a_policy_may_let_callers_be() -> None:
    """Where the policy does not keep callers, nothing is said of them."""
    decision = ask(unit("{{ z }}"), policy=Policy("free", keep_callers=False))
    assert decision.allowed
    assert not [reason for reason in decision.reasons if reason.code.startswith("callers")]


TOOL = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"model": "other"}, "model_changed"),
        ({"tools": [TOOL]}, "tools_changed"),
        ({"response_format": {"type": "json_object"}}, "format_changed"),
        ({"params": {"temperature": 1}}, None),
    ],
)
def test_a_changed_interface_is_flagged(parts: dict[str, Any], code: str | None) -> None:
    """Another model, other tools or another format are told to whoever moves, and do not block."""
    decision = ask(unit("Now say {{ a }}", **parts))
    assert decision.allowed
    flagged = [reason.code for reason in decision.reasons if reason.code.endswith("_changed")]
    assert flagged == ([code] if code else [])


def test_downstream_prompts_are_named() -> None:
    """Prompts that take this one's output are named."""
    graph = DependencyGraph({"a": {"x": "support/triage@production"}, "b": {"x": "a@production"}})
    told = found(ask(graph=graph), "downstream")
    assert told is not None
    assert (told.sentence, told.blocking) == ("2 prompts take its output: a, b", False)
    one = found(ask(graph=DependencyGraph({"a": {"x": "support/triage@production"}})), "downstream")
    assert one is not None
    assert one.sentence == "1 prompt takes its output: a"
    assert found(ask(graph=DependencyGraph({"a": {}})), "downstream") is None


TARGET = unit("Now say {{ a }}")


@pytest.mark.parametrize(
    ("verdict", "sentence", "met", "said"),
    [
        (None, "", False, "No comparison of v3 is known here"),
        ("better", "better by 3 %", True, "better by 3 %"),
        ("cannot tell", "", True, "It was evaluated"),
        ("worse", "worse by 3 %", False, "worse by 3 %"),
    ],
)
def test_what_the_workspace_knows(verdict: str | None, sentence: str, met: bool, said: str) -> None:
    """Without evidence, what a workspace's runs say is told, and never blocks."""
    told = evaluated(MoveRequest("production", version(3, TARGET), "why"), verdict=verdict, sentence=sentence)
    assert (told.code, told.met, told.blocking, told.sentence) == ("evaluated", met, False, said)
    assert bool(told.next_step) is not met


def test_what_blocks_comes_first() -> None:
    """The reasons are sorted: unmet before met, blocking before not; a met one has no next step, an unmet one has."""
    decision = ask(unit("{{ z }}", model="other"), reason="", principal=Principal("bo", "reader"), label="latest")
    order = [(reason.met, not reason.blocking) for reason in decision.reasons]
    assert order == sorted(order)
    assert len(decision.unmet) == 5
    for reason in decision.reasons:
        assert bool(reason.next_step) is not reason.met
        assert reason.sentence
    assert str(decision).count("; ") == 4
