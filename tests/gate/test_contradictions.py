"""Evidence that contradicts itself opens no team's label, whatever else it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pressmark.prompts import freeze
from pressmark.prompts.coherence import contradiction
from pressmark.prompts.evidence import Evidence, RowScores, Trial
from pressmark.prompts.policy import PRESETS, TEAM, Policy

from .making import BASE, BELOW, CANDIDATE, CHAIN, NAME, OTHER, REPLY, ask, evidence, scores, trial

Breaking = Callable[[Evidence], Evidence]
PERFECT = [1.0] * 200


def trials(change: Callable[[Trial], Trial], place: int = 0) -> Breaking:
    """Change one trial of a record."""

    def broken(record: Evidence) -> Evidence:
        changed = list(record.trials)
        changed[place] = change(changed[place])
        return replace(record, trials=tuple(changed))

    return broken


def scored(**changes: Any) -> Breaking:
    """Change the primary scores of a record's first trial."""
    return trials(lambda one: replace(one, scores=(replace(one.scores[0], **changes), *one.scores[1:])))


BREAKING: dict[str, Breaking] = {
    "two suites of one name": lambda record: replace(record, trials=(*record.trials, record.trials[0])),
    "two digests of one suite": trials(lambda one: replace(one, suite=f"{NAME}-basics", suite_digest=BASE), 1),
    "another candidate": trials(lambda one: replace(one, candidate=OTHER)),
    "another baseline": trials(lambda one: replace(one, baseline=OTHER)),
    "no baseline": trials(lambda one: replace(one, baseline=None)),
    "a changed prompt downstream": trials(lambda one: replace(one, baseline=OTHER), 1),
    "two versions downstream": lambda record: replace(
        record,
        trials=(*record.trials, replace(record.trials[1], suite="support/more", baseline=OTHER, candidate=OTHER)),
    ),
    "a prompt that was run and was not": lambda record: replace(record, unevaluated=(BELOW,)),
    "a lock on another baseline": lambda record: replace(
        record, lock=freeze({**record.lock, f"{NAME}@production": OTHER})
    ),
    "a lock on nothing": lambda record: replace(record, lock=freeze({**record.lock, "what": OTHER})),
    "a lock without a digest": lambda record: replace(record, lock=freeze({**record.lock, "a@b": "v3"})),
    "a short digest": trials(lambda one: replace(one, suite_digest="sha256:00000000")),
    "nobody answered": lambda record: replace(record, endpoint=freeze({"name": "x", "base_url": "y"})),
    "somebody answered": lambda record: replace(record, endpoint=freeze({**record.endpoint, "practice": "no"})),
    "tuned on a row that was not asked": trials(lambda one: replace(one, tuned_on=(200,))),
    "tuned on a row twice": trials(lambda one: replace(one, tuned_on=(1, 1))),
    "a row twice": trials(lambda one: replace(one, rows=(0, *one.rows[:-1]))),
    "more rows than planned": trials(lambda one: replace(one, planned=len(one.rows) - 1)),
    "no repeat": trials(lambda one: replace(one, repeats=0)),
    "no rows": trials(
        lambda one: replace(
            one, rows=(), clusters=(), scores=tuple(replace(s, baseline=(), candidate=()) for s in one.scores)
        )
    ),
    "a scorer twice": trials(lambda one: replace(one, scores=(*one.scores, one.scores[0]))),
    "a score above 1": scored(candidate=(1.5, *PERFECT[1:])),
    "a score below 0": scored(baseline=(-0.5, *PERFECT[1:])),
    "nan": scored(candidate=(float("nan"), *PERFECT[1:])),
    "an endless number": scored(kind="measure", candidate=(1e200, *PERFECT[1:])),
    "a suite without a name": trials(lambda one: replace(one, suite="")),
    "a version against itself": lambda record: replace(
        record,
        baseline=CANDIDATE,
        lock=freeze({}),
        trials=(replace(record.trials[0], baseline=CANDIDATE), *record.trials[1:]),
    ),
}  # fmt: skip


def sound() -> Evidence:
    """Evidence that opens a team's label."""
    return evidence(trial(NAME, scores(PERFECT, PERFECT)), trial(BELOW, scores(PERFECT, PERFECT)))


def test_sound_evidence() -> None:
    """What does not contradict itself is said to."""
    assert contradiction(sound()) is None
    assert ask(sound(), graph=CHAIN).allowed


@pytest.mark.parametrize("what", BREAKING)
def test_contradiction(what: str) -> None:
    """Each contradiction is found, and named, and keeps a team's label shut."""
    record = BREAKING[what](sound())
    assert contradiction(record)
    assert not ask(record, graph=CHAIN).allowed


rows = st.lists(st.sampled_from([0.0, 0.5, 1.0, None]), min_size=1, max_size=60)


@st.composite
def any_trial(draw: st.DrawFn, prompt: str) -> Trial:
    """A trial of any scores, with any method."""
    before = draw(rows)
    after = draw(st.lists(st.sampled_from([0.0, 0.5, 1.0, None]), min_size=len(before), max_size=len(before)))
    found = [
        RowScores(
            "category", "score", draw(st.sampled_from(["higher", "lower"])), "points", tuple(before), tuple(after)
        )
    ]
    return trial(
        prompt,
        *found,
        method=draw(st.sampled_from(["fixed", "sequence", "unplanned"])),
        planned=draw(st.integers(len(before), len(before) + 40)),
        clusters=draw(st.sampled_from([(), tuple(str(row // 2) for row in range(len(before)))])),
    )


@st.composite
def any_evidence(draw: st.DrawFn) -> Evidence:
    """Evidence of any scores."""
    below = draw(st.booleans())
    own = draw(st.one_of(any_trial(NAME), st.just(trial(NAME, scores(PERFECT, PERFECT)))))
    return evidence(own, *([draw(any_trial(BELOW))] if below else [trial(BELOW, scores(PERFECT, PERFECT))]))


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(any_evidence(), st.lists(st.sampled_from(sorted(BREAKING)), min_size=1, max_size=3, unique=True))
def test_no_contradiction_opens_a_label(record: Evidence, broken: list[str]) -> None:
    """Whatever the scores are, evidence that contradicts itself opens nothing."""
    for what in broken:
        try:
            record = BREAKING[what](record)
        except (ValueError, IndexError):
            continue  # the form itself refuses the combination
    assert contradiction(record) is None or not ask(record, graph=CHAIN).allowed


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(any_evidence())
def test_any_scores_are_judged(record: Evidence) -> None:
    """Any scores give a decision with sentences; one that opens the label shows what the policy asks for."""
    for policy in (*PRESETS.values(), Policy("all", require_evidence=True, must_reach={"category": 0.5})):
        decision = ask(record, graph=CHAIN, policy=policy)
        for reason in decision.reasons:
            assert reason.sentence
            assert bool(reason.next_step) is not reason.met
        if decision.allowed and policy is TEAM:
            for one in record.trials:
                assert one.method != "unplanned"
                found = one.by()
                pairs = zip(found.baseline, found.candidate, strict=True)
                changes = [b - a for a, b in pairs if a is not None and b is not None]
                assert len(changes) >= 30
                change = sum(changes) / len(changes)
                assert (change if found.direction == "higher" else -change) >= -0.02


def test_one_sound_record_among_broken_ones() -> None:
    """Evidence that contradicts itself does not stand before sound evidence."""
    assert ask(BREAKING["a row twice"](sound()), sound(), graph=CHAIN).allowed
    assert REPLY in {one.candidate for one in sound().trials}
