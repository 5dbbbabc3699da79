"""What a team's label asks for, from the Python interface to the workbench's checklist."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

import pressmark as pm
from pressmark.api.session.releasing import Releasing
from pressmark.errors import EvidenceError, GateError, PolicyError
from pressmark.prompts import freeze
from pressmark.prompts.evidence import Evidence, RowScores, Trial
from pressmark.prompts.policy import SOLO, TEAM

from .conftest import MESSAGES

NAME = "support/triage"


@dataclass
class Carrier:
    """What an evaluated change looks like to `submit_evidence`."""

    evidence: Evidence


def versions(ws: pm.Workspace, registry: pm.Registry) -> Evidence:
    """Publish two versions, the first in production, and return evidence for the second."""
    texts = ("Sort: {{ text }}", "Order: {{ text }}")
    for text in texts:
        ws.save(NAME, messages=[MESSAGES[0], {"role": "user", "content": text}], model="m", message="m")
        registry.publish(ws.version(NAME, "latest"), reason="r", workspace=ws)
    registry.move(NAME, label="production", to="v1", reason="go")
    old, new = (registry.version(NAME, ref).digest for ref in ("v1", "v2"))
    good = (1.0,) * 200
    scores = RowScores("category", "score", "higher", "points", good, good)
    trial = Trial(
        NAME, old, new, "support/basics", old, "category", 200, "fixed", tuple(range(200)), (scores,)
    )  # fmt: skip
    endpoint = freeze({"name": "team", "base_url": "https://models.example/v1", "practice": False})
    lock = freeze({f"{NAME}@production": old})
    return Evidence(NAME, "production", new, old, lock, endpoint, (trial,), (), datetime.now(UTC), "ana")


def test_team_label(ws: pm.Workspace, registry: pm.Registry) -> None:
    """A policy by its preset's name, evidence by whatever carries it, and the move that they allow."""
    record = versions(ws, registry)
    assert registry.policy(NAME, "production") == SOLO
    entry = registry.set_policy("production", "team", names="support/**", reason="a team now")
    assert entry.kind == "policy"
    assert registry.policy(NAME, "production") == TEAM
    assert registry.policies()["names"].tolist() == ["support/**"]
    assert "set the policy team for production of support/**" in registry.history()["what"].tolist()
    with pytest.raises(GateError, match="No evaluation of v2"):
        registry.move(NAME, label="production", to="v2", reason="go")
    digest = registry.submit_evidence(Carrier(record))
    assert registry.submit_evidence(record) == digest
    assert [info.digest for info in registry.evidence(NAME, label="production")] == [digest]
    assert registry.gate(NAME, label="production", to="v2", reason="go").evidence["digest"] == digest
    registry.move(NAME, label="production", to="v2", reason="go")


def test_what_is_no_policy_and_no_evidence(registry: pm.Registry) -> None:
    """An unknown preset, and something without evidence, are told before anything is sent."""
    with pytest.raises(PolicyError, match="solo or team"):
        registry.set_policy("production", "crowd", reason="r")
    for wrong in (3, None, Carrier(None)):  # type: ignore[arg-type]
        with pytest.raises(EvidenceError, match="evaluate_change"):
            registry.submit_evidence(wrong)


def test_workbench_tells_what_the_policy_asks(ws: pm.Workspace, registry: pm.Registry) -> None:
    """The checklist has what blocks, of a published version and of one that is not, and what the evidence says."""
    record = versions(ws, registry)
    panel = Releasing(ws, registry)
    free = panel.gate(NAME, "production", "#2")
    assert free["allowed"]
    registry.set_policy("production", "team", reason="a team now")
    ws.save(NAME, messages=[MESSAGES[0], {"role": "user", "content": "New: {{ text }}"}], model="m", message="m")
    for version in ("#2", "#3"):
        view = panel.gate(NAME, "production", version)
        (told,) = [reason for reason in view["reasons"] if reason["code"] == "evaluated"]
        assert (view["allowed"], told["blocking"], told["met"]) == (False, True, False)
    registry.submit_evidence(record)
    view = panel.gate(NAME, "production", "#2")
    assert view["allowed"], view["reasons"]
    assert {"evaluated", "fresh", "must_not_regress"} <= {reason["code"] for reason in view["reasons"]}
