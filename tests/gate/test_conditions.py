"""What the gate asks of evidence: each condition, met and not, blocking under a team's policy and told under solo."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pressmark.gate import GateDecision, MoveRequest, Principal, decide
from pressmark.graph import DependencyGraph
from pressmark.prompts import Version, freeze
from pressmark.prompts.canonical import evidence_digest, unit_digest
from pressmark.prompts.evidence import Evidence
from pressmark.prompts.policy import SOLO, TEAM, Policy
from pressmark.rendering import build_unit
from pressmark.stats import paired, sequential

from .making import (
    ABOVE,
    BASE,
    BELOW,
    CHAIN,
    HELD,
    NAME,
    NOW,
    OTHER,
    PRACTICE,
    REPLY,
    ask,
    blocked,
    evidence,
    of,
    pointers,
    scores,
    trial,
)

WRONG = [float(row % 3 > 0) for row in range(200)]
GOOD = [1.0] * 200


def one(decision: GateDecision, code: str) -> Any:
    """The only reason of that code."""
    (reason,) = of(decision, code)
    return reason


def test_evidence_opens_the_label() -> None:
    """Evidence on exactly this change, whole and fresh, opens a team's label; the decision says which it was."""
    record = evidence(trial(), trial(BELOW))
    decision = ask(record, graph=CHAIN)
    assert decision.allowed, str(decision)
    assert all(reason.met for reason in decision.reasons)
    assert decision.evidence["digest"] == evidence_digest(record)
    codes = [reason.code for reason in decision.reasons if reason.blocking]
    assert codes == [
        "reason", "callers", "evaluated", "fresh", "suites", "least_rows", "method", "must_not_regress", "downstream",
    ]  # fmt: skip


def test_no_evidence() -> None:
    """Without evidence a team's label stays shut, and a label of one person opens and says that nothing is known."""
    decision = ask()
    assert blocked(decision) == ["evaluated"]
    assert "No evaluation of v3 for production is known" in str(decision)
    solo = ask(policy=SOLO)
    assert solo.allowed
    assert one(solo, "evaluated").sentence == "No comparison of v3 is known here"


@pytest.mark.parametrize(
    "changes", [{"name": BELOW, "trials": (trial(BELOW),)}, {"label": "staging"}, {"candidate": OTHER}]
)
def test_evidence_on_another_change(changes: dict[str, Any]) -> None:
    """Evidence on another prompt, label or version is none."""
    told = {"lock": {}} | changes
    assert blocked(ask(replace(evidence(), **told))) == ["evaluated"]


def test_evidence_against_another_baseline() -> None:
    """Evidence against what the label does not hold any more, or against nothing, says so."""
    moved = {**HELD, f"{NAME}@production": OTHER}
    decision = ask(evidence(), held=moved)
    assert blocked(decision) == ["evaluated"]
    assert "against another version than production holds now" in str(decision)
    fresh = evidence(trial(baseline=None, planned=200), baseline=None, lock={})
    assert blocked(ask(fresh)) == ["evaluated"]


def alone(count: int = 200) -> Evidence:
    """Evidence for a label that does not exist yet."""
    nothing = [None] * count
    return evidence(
        trial(NAME, scores(nothing, [1.0] * count), baseline=None),
        baseline=None,
        lock={f"{ABOVE}@production": HELD[f"{ABOVE}@production"]},
    )


def test_a_new_label() -> None:
    """A label that holds nothing yet has nothing to regress from; rows and level are asked for all the same."""
    held = {reference: digest for reference, digest in HELD.items() if reference != f"{NAME}@production"}
    assert ask(alone(), held=held).allowed
    assert blocked(ask(alone(20), held=held)) == ["least_rows"]
    assert not of(ask(alone(), held=held), "must_not_regress")
    strict = replace(TEAM, must_not_regress=freeze({"polite": 0.1}), must_reach=freeze({"primary": 1.0}))
    assert ask(alone(), held=held, policy=strict).allowed


def test_practice_evidence() -> None:
    """Evidence from the practice model opens no team's label; of one person's label it counts."""
    record = evidence(endpoint=PRACTICE)
    decision = ask(record)
    assert blocked(decision) == ["practice"]
    assert of(decision, "must_not_regress")
    assert not of(ask(record, policy=SOLO), "practice")
    assert ask(record, policy=replace(TEAM, practice_counts=True)).allowed


def test_practice_evidence_hides_no_other() -> None:
    """A newer record of the practice model does not stand before an older one that counts."""
    assert ask(evidence(endpoint=PRACTICE), evidence()).allowed


def test_stale_evidence() -> None:
    """What the evaluation built on and has moved since is named, with the suites to run again."""
    moved = {**HELD, f"{ABOVE}@production": OTHER}
    graph = DependencyGraph({NAME: {"x": f"{ABOVE}@production"}, BELOW: {"y": f"{NAME}@production"}})
    decision = ask(evidence(trial(), trial(BELOW)), held=moved, graph=graph)
    assert blocked(decision) == ["fresh"]
    told = one(decision, "fresh")
    assert f"{ABOVE}@production points elsewhere" in told.sentence
    assert f"{NAME}-basics on {NAME}, {BELOW}-basics on {BELOW}" in told.next_step
    gone = {reference: digest for reference, digest in HELD.items() if reference != f"{ABOVE}@production"}
    assert blocked(ask(evidence(), held=gone)) == ["fresh"]
    assert ask(evidence(), held=moved, policy=replace(TEAM, fresh=False)).allowed
    assert ask(evidence(), held=moved, policy=SOLO).allowed
    assert not one(ask(evidence(), held=moved, policy=SOLO), "fresh").met


def test_lock_without_an_input() -> None:
    """A lock that does not say what an input of the version resolved to is not known to be fresh."""
    chained = build_unit(text="{{ a }}{{ clean }}", model="m", inputs={"clean": f"{ABOVE}@production"})
    digest = unit_digest(chained)
    target = Version(NAME, 3, chained, digest, "m", "ana", NOW, "registry")
    record = evidence(trial(candidate=digest), candidate=digest)
    asked: dict[str, Any] = {"pointers": pointers(), "current": None, "principal": Principal("ana"), "now": NOW}
    assert decide(TEAM, MoveRequest("production", target, "why"), evidence=[record], **asked).allowed
    without = replace(record, lock=freeze({f"{NAME}@production": BASE}))
    decision = decide(TEAM, MoveRequest("production", target, "why"), evidence=[without], **asked)
    assert blocked(decision) == ["fresh"]
    assert f"{ABOVE}@production" in str(decision)


def test_only_what_depends_on_the_stale_part_is_run_again() -> None:
    """A stale input of a prompt downstream asks for that prompt's suites alone."""
    side = "support/tone"
    graph = DependencyGraph({BELOW: {"x": f"{side}@production", "y": f"{NAME}@production"}})
    record = evidence(trial(), trial(BELOW), lock={f"{NAME}@production": BASE, f"{side}@production": OTHER})
    told = one(ask(record, held={**HELD, f"{side}@production": REPLY}, graph=graph), "fresh")
    assert told.next_step == f"run again {BELOW}-basics on {BELOW}, and submit the new evidence"


def test_evidence_that_is_fresh_again() -> None:
    """Evidence whose parts stand again as they stood then counts, whatever newer evidence was made in between."""
    between = evidence(lock={f"{ABOVE}@production": OTHER})
    assert ask(between, evidence()).allowed


def test_the_newest_counts() -> None:
    """Of several usable records the newest counts, also where an older one was kinder."""
    bad = evidence(trial(NAME, scores(GOOD, WRONG)))
    assert blocked(ask(bad, evidence())) == ["must_not_regress"]
    assert ask(evidence(), bad).allowed


def test_suites_that_must_be_run() -> None:
    """A suite that the policy names must have been run on the prompt itself."""
    policy = replace(TEAM, suites=("support/safety",))
    downstream_only = evidence(trial(), trial(BELOW, suite="support/safety"))
    for record in (evidence(), downstream_only):
        decision = ask(record, policy=policy)
        assert blocked(decision) == ["suites"]
        assert "'support/safety' was not run on support/triage" in str(decision)
    assert ask(evidence(trial(), trial(suite="support/safety")), policy=policy).allowed


def test_no_suite_at_all() -> None:
    """Evidence without a suite on the prompt itself opens nothing."""
    for trials in ((trial(BELOW),), ()):
        assert blocked(ask(replace(evidence(), trials=trials))) == ["suites"]


def test_least_rows() -> None:
    """Each suite must have compared as many rows as the policy says; rows without a score are none."""
    policy = replace(TEAM, least_rows=200)
    assert ask(evidence(), policy=policy).allowed
    one_less = [None, *WRONG[1:]]
    decision = ask(evidence(trial(), trial(BELOW, scores(WRONG, one_less))), policy=policy)
    assert blocked(decision) == ["least_rows"]
    assert f"{BELOW}-basics on {BELOW} compared 199 rows, and 200 are asked for" in str(decision)


@pytest.mark.parametrize(("name", "bound", "reached"), [("primary", 0.66, True), ("category", 0.67, False)])
def test_level(name: str, bound: float, reached: bool) -> None:
    """The candidate's mean must reach the bound."""
    decision = ask(evidence(), policy=replace(TEAM, must_reach=freeze({name: bound})))
    told = one(decision, "must_reach")
    assert (told.met, decision.allowed) == (reached, reached)
    assert "is 66.5 points" in told.sentence


def test_level_of_what_should_be_low() -> None:
    """Of a measurement that should be low the bound is the most that is taken."""
    cost = scores([0.02] * 200, [0.03] * 200, scorer="cost", direction="lower", kind="measure", unit="USD")
    record = evidence(trial(NAME, scores(), cost))
    assert ask(record, policy=replace(TEAM, must_reach=freeze({"cost": 0.03}))).allowed
    decision = ask(record, policy=replace(TEAM, must_reach=freeze({"cost": 0.02})))
    assert "cost in support/triage-basics on support/triage is 0.03 USD, and 0.02 USD or less is asked for" in str(
        decision
    )


@pytest.mark.parametrize("what", ["must_reach", "must_not_regress"])
def test_scorer_that_no_suite_has(what: str) -> None:
    """A scorer that the policy names and no suite on the prompt has is told."""
    policy = replace(TEAM, **{what: freeze({"polite": 0.1})})
    record = evidence(trial(), trial(BELOW, scores(), scores(scorer="polite")))
    decision = ask(record, policy=policy)
    assert blocked(decision) == [what]
    assert "has the scorer 'polite'" in str(decision)


def test_regression() -> None:
    """A candidate that loses more than is put up with is refused with the difference and its interval."""
    worse = [0.0 if row % 10 == 0 else score for row, score in enumerate(WRONG)]
    decision = ask(evidence(trial(NAME, scores(WRONG, worse))))
    assert blocked(decision) == ["must_not_regress"]
    found = paired(WRONG, worse)
    ends = f"[{100 * found.low:.1f}, {100 * found.high:.1f}]"
    assert str(decision).startswith(f"{NAME} regresses: category in {NAME}-basics on {NAME} ")
    assert f"{100 * found.difference:+.1f} points {ends} on 200 rows; a loss of 2.0 points" in str(decision)
    assert "flipped" in str(decision)


def test_too_few_rows() -> None:
    """Where too few rows are the only reason, the refusal says how many would do, and they do."""
    half = [float(row % 2) for row in range(40)]
    decision = ask(evidence(trial(NAME, scores(half, half))))
    assert blocked(decision) == ["must_not_regress"]
    told = one(decision, "must_not_regress")
    assert told.sentence.startswith(
        "Too few rows to tell: category in support/triage-basics on support/triage 0.0 points ["
    )
    needed = int(told.next_step.removeprefix("run it on about ").removesuffix(" rows"))
    enough = [float(row % 2) for row in range(needed)]
    assert ask(evidence(trial(NAME, scores(enough, enough)))).allowed


def test_regression_downstream() -> None:
    """A prompt downstream that regresses is named, and it alone."""
    worse = [0.0 if row % 10 == 0 else score for row, score in enumerate(WRONG)]
    record = evidence(trial(NAME, scores(WRONG, GOOD)), trial(BELOW, scores(WRONG, worse)))
    decision = ask(record, graph=CHAIN)
    assert blocked(decision) == ["must_not_regress"]
    (told,) = [reason for reason in of(decision, "must_not_regress") if not reason.met]
    assert told.sentence.startswith(f"{BELOW} regresses: ")
    solo = ask(record, graph=CHAIN, policy=SOLO)
    assert solo.allowed
    assert f"{BELOW} gets worse" in one(solo, "verdict").sentence


def test_guard_that_must_not_regress() -> None:
    """A scorer that the policy names is held to its own margin, and which way is better is heeded."""
    dear = scores([0.02] * 200, [0.03] * 200, scorer="cost", direction="lower", kind="measure", unit="USD")
    record = evidence(trial(NAME, scores(), dear))
    assert blocked(ask(record, policy=replace(TEAM, must_not_regress=freeze({"cost": 0.005})))) == ["must_not_regress"]
    assert ask(record, policy=replace(TEAM, must_not_regress=freeze({"cost": 0.02}))).allowed


def test_no_row_to_compare() -> None:
    """Where no row has a score on both sides, nothing is shown, and nothing opens."""
    empty = scores([None] * 200, GOOD)
    decision = ask(evidence(trial(NAME, empty)), policy=replace(TEAM, least_rows=0))
    assert blocked(decision) == ["missing_rows", "must_not_regress"]
    assert "no row of 200 can be compared" in str(decision)


def test_worse_is_told_to_everybody() -> None:
    """A verdict of worse, on the primary scorer or on a guard, is told whatever the policy asks."""
    guard = scores(GOOD, WRONG, scorer="polite")
    decision = ask(evidence(trial(NAME, scores(), guard)))
    assert decision.allowed
    told = one(decision, "verdict")
    assert not told.blocking
    assert "polite" in told.sentence
    assert not of(ask(evidence()), "verdict")


def test_many_guards() -> None:
    """A guard that is worse by chance among many is not told: they are held to Holm's levels among themselves."""
    slightly = [0.0 if row in (0, 3, 6, 9, 12, 15, 18) else score for row, score in enumerate(GOOD)]
    close = scores(GOOD, slightly, scorer="polite")
    assert paired(GOOD, slightly).verdict == "worse"
    assert of(ask(evidence(trial(NAME, scores(), close)), policy=SOLO), "verdict")
    others = [scores(scorer=f"guard {number}") for number in range(6)]
    assert not of(ask(evidence(trial(NAME, scores(), close, *others)), policy=SOLO), "verdict")


def test_fixed_size() -> None:
    """A run that did not ask all the rows that were declared is no run of a fixed size."""
    decision = ask(evidence(trial(planned=201)))
    assert blocked(decision) == ["method"]
    assert "asked 200 of the 201 rows that were declared" in str(decision)


def test_peeked_interval() -> None:
    """A run that was stopped when it looked good opens nothing, however good it looked."""
    decision = ask(evidence(trial(NAME, scores(WRONG, GOOD), method="unplanned", planned=500)))
    assert blocked(decision) == ["method"]
    assert "run it on all of its 500 rows" in str(decision)
    assert not of(ask(evidence(trial(NAME, scores(GOOD, WRONG), method="unplanned")), policy=SOLO), "verdict")


def test_stopped_on_the_sequence() -> None:
    """A run that was stopped on the live interval is judged by that interval, which is wider than the fixed one."""
    better = [1.0 if row % 6 == 0 else score for row, score in enumerate(WRONG)]
    sequence = sequential(WRONG, better, 400, bounded=True)
    assert sequence is not None
    assert paired(WRONG, better).low > sequence.low
    stopped = evidence(trial(NAME, scores(WRONG, better), method="sequence", planned=400))
    fixed = evidence(trial(NAME, scores(WRONG, better)))
    told = one(ask(stopped), "must_not_regress").sentence
    assert f"[{100 * sequence.low:.1f}, {100 * sequence.high:.1f}]" in told
    assert f"[{100 * paired(WRONG, better).low:.1f}" in one(ask(fixed), "must_not_regress").sentence


def test_sequence_that_is_too_wide() -> None:
    """Where the fixed interval would do and the sequence does not, the next step is to run to the end."""
    shifted = [*WRONG[1:], WRONG[0]]
    fixed, stopped = (
        evidence(trial(NAME, scores(WRONG, shifted), method=method, planned=planned))
        for method, planned in (("fixed", 200), ("sequence", 400))
    )
    policy = replace(TEAM, must_not_regress=freeze({"primary": -paired(WRONG, shifted).low + 0.001}))
    assert ask(fixed, policy=policy).allowed
    decision = ask(stopped, policy=policy)
    assert blocked(decision) == ["must_not_regress"]
    assert decision.unmet[0].next_step == "run it on all of its 400 rows"


def test_sequence_of_nothing() -> None:
    """Rows that do not change give the sequence no spread; the gate does not take that for certainty."""
    flat = scores([1.0] * 40, [1.0] * 40)
    assert blocked(ask(evidence(trial(NAME, flat, method="sequence", planned=400)))) == ["must_not_regress"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"clusters": tuple("ab" * 100)}, "rows that belong together"),
        ({"scores": (scores(WRONG[:25], WRONG[:25]),), "rows": tuple(range(25))}, "after 25 rows"),
    ],
)
def test_sequence_that_does_not_hold(changes: dict[str, Any], said: str) -> None:
    """The live interval is not taken for rows that belong together, nor before it says anything."""
    decision = ask(evidence(trial(method="sequence", planned=400, **changes)), policy=replace(TEAM, least_rows=0))
    assert "method" in blocked(decision)
    assert said in str(decision)


def test_clusters_widen_the_interval() -> None:
    """Rows of one document count as one."""
    before = [float(row % 2) for row in range(400)]
    after = [1.0 if row < 40 else score for row, score in enumerate(before)]
    policy = replace(TEAM, must_not_regress=freeze({"primary": 0.001}))
    assert ask(evidence(trial(NAME, scores(before, after))), policy=policy).allowed
    grouped = trial(NAME, scores(before, after), clusters=tuple(str(row // 40) for row in range(400)))
    assert blocked(ask(evidence(grouped), policy=policy)) == ["must_not_regress"]


@pytest.mark.parametrize(("missing", "allowed"), [(1, True), (10, True), (11, False)])
def test_rows_left_out(missing: int, allowed: bool) -> None:
    """Rows without a score are told; more than one in twenty block."""
    holes = [None] * missing + GOOD[missing:]
    decision = ask(evidence(trial(NAME, scores(GOOD, holes))))
    told = one(decision, "missing_rows")
    assert (told.met, decision.allowed) == (allowed, allowed)
    assert f"{missing} row{'s' if missing > 1 else ''} of 200 left out" in told.sentence
    assert not of(ask(evidence()), "missing_rows")


@pytest.mark.parametrize("demanded", [False, True])
def test_rows_that_it_was_tuned_on(demanded: bool) -> None:
    """That a version was judged on rows it was tuned on is told, and blocks where the policy says so."""
    policy = replace(TEAM, unseen=demanded)
    decision = ask(evidence(trial(tuned_on=(0, 7))), policy=policy)
    told = one(decision, "unseen")
    assert (told.met, told.blocking, decision.allowed) == (False, demanded, not demanded)
    assert "2 of the 200 rows that judged it are rows that it was tuned on" in told.sentence
    assert told.next_step == "run it on a holdout"
    clean = ask(evidence(), policy=policy)
    assert clean.allowed
    assert [reason.met for reason in of(clean, "unseen")] == [True] * demanded
    assert not one(ask(evidence(trial(tuned_on=(0,))), policy=replace(SOLO, unseen=True)), "unseen").blocking


def test_prompts_downstream() -> None:
    """Every prompt that takes the output must have been evaluated, whether the graph or the record knows of it."""
    for decision in (ask(evidence(), graph=CHAIN), ask(evidence(unevaluated=(BELOW,)))):
        assert blocked(decision) == ["downstream"]
        assert BELOW in str(decision)
    assert ask(evidence(), graph=CHAIN, policy=replace(TEAM, downstream=False)).allowed
    assert ask(graph=CHAIN, policy=SOLO).allowed


def test_another_version_downstream() -> None:
    """A prompt downstream that the label moved meanwhile was evaluated in another chain."""
    decision = ask(evidence(trial(), trial(BELOW)), held={**HELD, f"{BELOW}@production": OTHER}, graph=CHAIN)
    assert blocked(decision) == ["downstream"]
    assert "another version was evaluated than stands there now" in str(decision)


def test_rollback() -> None:
    """Going back to what the label held works at once and says so; a rollback to anything else needs evidence."""
    decision = ask(kind="rollback", held_before=True)
    assert decision.allowed
    told = one(decision, "rollback")
    assert (told.met, told.blocking) == (True, False)
    assert "needs no evidence" in told.sentence
    assert ask(evidence(trial(NAME, scores(GOOD, WRONG))), kind="rollback", held_before=True).allowed
    assert blocked(ask(kind="rollback")) == ["evaluated"]
    assert not of(ask(kind="rollback", held_before=True, policy=SOLO), "rollback")


def test_solo_blocks_nothing_of_evidence() -> None:
    """Under a policy that demands no evidence every condition is told and none of them blocks."""
    policy = Policy(
        "told", suites=("support/safety",), least_rows=500, must_not_regress={"primary": 0.0}, downstream=True
    )
    record = evidence(trial(NAME, scores(GOOD, WRONG), planned=300), lock={f"{ABOVE}@production": OTHER})
    decision = ask(record, policy=policy, graph=CHAIN)
    assert decision.allowed
    unmet = {reason.code for reason in decision.reasons if not reason.met}
    assert {"suites", "least_rows", "method", "must_not_regress", "fresh", "downstream"} <= unmet


def test_names_that_may_not_be_seen() -> None:
    """A prompt that whoever asks may not see is looked at and never named."""
    moved = {**HELD, f"{ABOVE}@production": OTHER}
    record = evidence(trial(), trial(BELOW, scores(GOOD, WRONG)))
    for records in ((record,), (evidence(),), ()):
        decision = ask(*records, held=moved, graph=CHAIN, sees=lambda name: name.partition("@")[0] == NAME)
        assert not decision.allowed
        told = "".join(reason.sentence + reason.next_step for reason in decision.reasons)
        assert BELOW not in told
        assert ABOVE not in told
        assert "that you may not see" in told


def test_it_is_pure() -> None:
    """The same question gives the same answer, and a decision cannot be changed."""
    record = evidence(trial(), trial(BELOW))
    first, second = (ask(record, graph=CHAIN) for _ in range(2))
    assert first == second
    with pytest.raises(TypeError, match="immutable"):
        first.evidence["digest"] = OTHER
    hash(first)


def test_made_later_does_not_matter() -> None:
    """The order in which records are given is their age: a clock of whoever made one decides nothing."""
    bad = evidence(trial(NAME, scores(GOOD, WRONG)), made_at=NOW - timedelta(days=9))
    kind = evidence(made_at=NOW + timedelta(days=9))
    assert not ask(bad, kind).allowed
