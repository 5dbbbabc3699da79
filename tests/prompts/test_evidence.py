"""Evidence and policies: what they hold, and that nothing malformed is taken."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from pressmark.errors import EvidenceError, PolicyError
from pressmark.prompts import FrozenDict
from pressmark.prompts.canonical import evidence_digest
from pressmark.prompts.evidence import Evidence, RowScores, Trial
from pressmark.prompts.policy import PRESETS, SOLO, TEAM, Policy, policy_of

A, B = ("sha256:" + letter * 64 for letter in "ab")


def evidence(**changes: Any) -> Evidence:
    trial = Trial(
        prompt="support/triage",
        baseline=A,
        candidate=B,
        suite="support/basics",
        suite_digest=A,
        primary="category",
        planned=3,
        method="fixed",
        rows=(0, 1, 2),
        scores=(RowScores("category", "score", "higher", "points", (0.0, 1.0, None), (1.0, 1.0, 0.5)),),
        models=("practice-1",),
        flipped=(FrozenDict({"row": 0, "baseline": "x", "candidate": "y"}),),
    )
    told: dict[str, Any] = {
        "name": "support/triage",
        "label": "production",
        "candidate": B,
        "baseline": A,
        "lock": {"support/triage@production": A},
        "endpoint": {"name": "practice", "base_url": "http://127.0.0.1:1/v1", "practice": True},
        "trials": (trial,),
        "unevaluated": ("support/reply",),
        "made_at": datetime(2026, 1, 2, tzinfo=UTC),
        "made_by": "ana",
    }
    return Evidence(**(told | changes))


def test_evidence_comes_back_from_json() -> None:
    """What is written as JSON reads as the same evidence."""
    made = evidence()
    assert Evidence.from_dict(json.loads(json.dumps(made.to_dict()))) == made
    assert made.practice
    assert made.trials[0].by().candidate == (1.0, 1.0, 0.5)
    with pytest.raises(EvidenceError, match="no scorer 'polite'"):
        made.trials[0].by("polite")


def test_evidence_is_frozen() -> None:
    """Nothing in it can be changed."""
    made = evidence()
    with pytest.raises(TypeError):
        made.lock["x"] = A
    with pytest.raises(TypeError):
        made.trials[0].flipped[0]["row"] = 1


@pytest.mark.parametrize(
    "path",
    [
        ("name",),
        ("lock",),
        ("trials",),
        ("made_at",),
        ("trials", 0, "rows"),
        ("trials", 0, "method"),
        ("trials", 0, "primary"),
        ("trials", 0, "suite"),
        ("trials", 0, "scores"),
        ("trials", 0, "scores", 0, "baseline"),
        ("trials", 0, "scores", 0, "direction"),
    ],
)
@pytest.mark.parametrize("value", [None, 3, "x", [1, 2], [[]], {"a": []}, [True], [1e999]])
def test_malformed_evidence_is_refused(path: tuple[Any, ...], value: Any) -> None:
    """A part of another form, or one that is missing, is one error."""
    told = evidence().to_dict()
    for missing in (False, True):
        broken = copy.deepcopy(told)
        place = broken
        for step in path[:-1]:
            place = place[step]
        if missing:
            del place[path[-1]]
        elif isinstance(value, str) and isinstance(place[path[-1]], str) and path[-1] in ("name",):
            continue  # any text is a name here; the registry looks it up
        else:
            place[path[-1]] = value
        with pytest.raises(EvidenceError):
            Evidence.from_dict(broken)


def test_newer_evidence_is_refused() -> None:
    """What a newer Pressmark wrote is not guessed at."""
    with pytest.raises(EvidenceError, match="upgrade pressmark"):
        Evidence.from_dict(evidence().to_dict() | {"format": 2})
    with pytest.raises(EvidenceError, match="upgrade pressmark"):
        Evidence.from_dict([])  # type: ignore[arg-type]


def test_policies_come_back_from_json() -> None:
    """Presets and own ones survive the way."""
    own = Policy("own", suites=("a/b",), least_rows=50, must_reach={"primary": 0.9}, must_not_regress={"cost": 1})
    for policy in (SOLO, TEAM, own):
        assert Policy.from_dict(json.loads(json.dumps(policy.to_dict()))) == policy
    assert set(PRESETS) == {"solo", "team"}


@pytest.mark.parametrize(
    "told",
    [
        {},
        [],
        {"name": ""},
        {"name": "x", "require_evidense": True},
        {"name": "x", "require_evidence": 1},
        {"name": "x", "suites": "a/b"},
        {"name": "x", "suites": [1]},
        {"name": "x", "least_rows": -1},
        {"name": "x", "least_rows": 1.5},
        {"name": "x", "must_reach": {"primary": "0.9"}},
        {"name": "x", "must_reach": [0.9]},
        {"name": "x", "must_not_regress": {"primary": -0.1}},
        {"name": "x", "must_not_regress": {"primary": float("nan")}},
    ],
)
def test_malformed_policies_are_refused(told: Any) -> None:
    """A demand that is not understood is never dropped."""
    with pytest.raises(PolicyError):
        Policy.from_dict(told)


def test_policy_by_preset_or_form() -> None:
    """A policy is named by a preset, or given whole; what is neither is told."""
    assert [policy_of(told) for told in ("team", SOLO, TEAM.to_dict())] == [TEAM, SOLO, TEAM]
    for wrong in ("crowd", {}, {"name": "x", "more": 1}):
        with pytest.raises(PolicyError):
            policy_of(wrong)


def test_digest_of_evidence() -> None:
    """The digest is over what the evidence says: the same again has it, any other has another."""
    told = json.loads(json.dumps(evidence().to_dict()))
    assert evidence_digest(Evidence.from_dict(told)) == evidence_digest(evidence())
    assert evidence_digest(evidence(made_by="bo")) != evidence_digest(evidence())
