"""Which evidence counts for a change, and whether it is fresh."""

from __future__ import annotations

from collections.abc import Sequence

from pressmark.gate.values import MoveRequest, Reason, Setting
from pressmark.prompts.coherence import contradiction
from pressmark.prompts.evidence import Evidence

_EVALUATE = "evaluate the change (ws.evaluate_change) and submit its evidence"


def evaluated(request: MoveRequest, *, verdict: str | None = None, sentence: str = "") -> Reason:
    """Say what is known of the target's evaluation without evidence; the workbench asks this with its own runs.

    Args:
        request: The move.
        verdict: What a comparison of the target with what the label holds said; None where there is none.
        sentence: The comparison in one line.
    """
    if verdict is None:
        return Reason(
            "evaluated",
            False,
            False,
            f"No comparison of {request.target.version} is known here",
            "compare it with what the label holds in the workbench first",
        )
    worse = verdict == "worse"
    step = "look at the rows that flipped before you move it" if worse else ""
    return Reason("evaluated", not worse, False, sentence or "It was evaluated", step)


def chosen(setting: Setting, evidence: Sequence[Evidence]) -> tuple[Evidence | None, list[Reason]]:
    """Return the evidence that counts, the newest usable one, with the conditions on which one it is.

    Usable is what was made on exactly this change, does not contradict itself, is fresh, and is the practice model's
    only where that counts. Where none is, the newest of what comes closest is looked at, so that all of its reasons
    are told at once.
    """
    request = setting.request
    about = [
        record
        for record in evidence
        if (record.name, record.label, record.candidate) == (setting.name, request.label, request.target.digest)
    ]
    exact = [record for record in about if record.baseline == setting.baseline]
    sound = [record for record in exact if contradiction(record) is None]
    if not sound:
        return None, [_none(setting, about, exact)]
    counting = [record for record in sound if setting.policy.practice_counts or not record.practice]
    record = next((each for each in counting if not stale(setting, each)), (counting or sound)[0])
    against = f"what {request.label} holds" if setting.baseline else f"nothing, since {request.label} is new"
    told = [
        setting.reason(
            "evaluated",
            True,
            f"{request.target.version} was evaluated against {against} ({record.made_by}, {record.made_at:%Y-%m-%d})",
        ),
        *_practice(setting, record),
        _fresh(setting, record),
    ]
    return record, told


def stale(setting: Setting, record: Evidence) -> list[str]:
    """Return the references that resolve to something else today; a lock that lacks an input tells nothing of it."""
    lacking = [reference for reference in setting.request.target.unit.inputs.values() if reference not in record.lock]
    moved = [reference for reference, digest in record.lock.items() if setting.held.get(reference) != digest]
    return [*moved, *dict.fromkeys(lacking)]


def _none(setting: Setting, about: Sequence[Evidence], exact: Sequence[Evidence]) -> Reason:
    version, label = setting.request.target.version, setting.request.label
    if exact:
        return setting.reason(
            "evaluated",
            False,
            f"The evidence on {version} contradicts itself ({contradiction(exact[0])})",
            "evaluate the change again and submit its evidence",
        )
    if about:
        return setting.reason(
            "evaluated",
            False,
            f"{version} was evaluated against another version than {label} holds now",
            "evaluate it against what the label holds now and submit its evidence",
        )
    if setting.demands:
        return setting.reason("evaluated", False, f"No evaluation of {version} for {label} is known", _EVALUATE)
    return evaluated(setting.request)


def _practice(setting: Setting, record: Evidence) -> list[Reason]:
    if setting.policy.practice_counts or not record.practice:
        return []
    return [
        setting.reason(
            "practice",
            False,
            "The answers came from the practice model, which says nothing of a real one",
            "evaluate the change with the model that will be used",
        )
    ]


def _fresh(setting: Setting, record: Evidence) -> Reason:
    old = stale(setting, record)
    blocking = setting.demands and setting.policy.fresh
    if not old:
        return Reason("fresh", True, blocking, "All that the evaluation built on stands as it stood then")
    moved = {reference.partition("@")[0] for reference in old}
    seen = [reference for reference in old if setting.sees(reference)]
    hidden = len(old) - len(seen)
    named = ", ".join([*seen, *([f"{hidden} that you may not see"] if hidden else [])])
    reached = frozenset[str]().union(*(setting.below(name) for name in moved))
    again = [trial for trial in record.trials if trial.prompt in reached] or list(record.trials)
    suites = ", ".join(dict.fromkeys(setting.suite(trial) for trial in again)) or "its suites"
    return Reason(
        "fresh",
        False,
        blocking,
        f"The evaluation is out of date: {named} {'points' if len(old) == 1 else 'point'} elsewhere than it says",
        f"run again {suites}, and submit the new evidence",
    )
