"""What the evidence must show, suite by suite: rows, method, level, no regression, everything downstream."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from pressmark.gate.scores import Scored, Scores
from pressmark.gate.values import Reason, Setting
from pressmark.prompts import LATEST
from pressmark.prompts.evidence import Evidence, Trial
from pressmark.prompts.policy import PRIMARY
from pressmark.prompts.quoting import listed

MOST_MISSING = 0.05
"""The share of asked rows that may be without a score: those that fail are seldom those that went well."""
LEAST_SEQUENCE = 30
"""Rows under which the confidence sequence says nothing."""

_ROUNDING = 1e-12
"""Sums of equal scores in two orders differ by less."""


def conditions(setting: Setting, record: Evidence) -> list[Reason]:
    """Every condition on what the record shows."""
    scores = Scores()
    return [
        _suites(setting, record),
        *_rows(setting, record, scores),
        *_method(setting, record, scores),
        *_missing(setting, record, scores),
        *_unseen(setting, record),
        *_level(setting, record, scores),
        *_regressions(setting, record, scores),
        *_verdicts(setting, record, scores),
        *_downstream(setting, record),
    ]


def downstream_unknown(setting: Setting) -> list[Reason]:
    """What is said of prompts downstream where there is no evidence."""
    names = setting.downstream
    if not names:
        return []
    takes = "prompt takes" if len(names) == 1 else "prompts take"
    return [
        Reason(
            "downstream",
            False,
            setting.demands and setting.policy.downstream,
            f"{len(names)} {takes} its output: {setting.named(names)}",
            "run their suites too",
        )
    ]


def _own(setting: Setting, record: Evidence) -> list[Trial]:
    return [trial for trial in record.trials if trial.prompt == setting.name]


def _suites(setting: Setting, record: Evidence) -> Reason:
    ran = [trial.suite for trial in _own(setting, record)]
    if missing := [suite for suite in setting.policy.suites if suite not in ran]:
        return setting.reason(
            "suites",
            False,
            f"{listed(missing)} {'was' if len(missing) == 1 else 'were'} not run on {setting.name}",
            f"run {listed(missing)} on it and submit the new evidence",
        )
    if not ran:
        return setting.reason(
            "suites", False, f"No suite was run on {setting.name} itself", "run one of its suites on it"
        )
    return setting.reason("suites", True, f"{listed(ran)} {'was' if len(ran) == 1 else 'were'} run on {setting.name}")


def _rows(setting: Setting, record: Evidence, scores: Scores) -> Iterator[Reason]:
    least = setting.policy.least_rows
    if not least:
        return
    few = [(trial, _primary(scores, trial)) for trial in record.trials if _primary(scores, trial).rows < least]
    for trial, scored in few:
        yield setting.reason(
            "least_rows",
            False,
            f"{setting.suite(trial)} compared {_count(scored.rows)}, and {least} are asked for",
            f"run it on {least} rows or more",
        )
    if not few and record.trials:
        fewest = min(_primary(scores, trial).rows for trial in record.trials)
        yield setting.reason("least_rows", True, f"Each suite compared {_count(fewest)} or more")


def _method(setting: Setting, record: Evidence, scores: Scores) -> Iterator[Reason]:
    wrong = [(trial, said) for trial in record.trials if (said := _unsound(trial, _primary(scores, trial)))]
    for trial, (why, step) in wrong:
        yield setting.reason("method", False, f"{setting.suite(trial)} {why}", step)
    if not wrong and record.trials:
        stopped = any(trial.method == "sequence" for trial in record.trials)
        how = "a size declared before, or stopped on the confidence sequence" if stopped else "a size declared before"
        yield setting.reason("method", True, f"Each suite was run to {how}")


def _unsound(trial: Trial, scored: Scored) -> tuple[str, str] | None:
    """Why a trial's interval is not one to decide by, and what to do."""
    whole = f"run it on all of its {trial.planned} rows"
    if trial.method == "fixed" and len(trial.rows) != trial.planned:
        return f"asked {len(trial.rows)} of the {trial.planned} rows that were declared", whole
    if trial.method == "unplanned":
        return "was stopped at a number of rows that was not declared before", f"{whole}, or stop on the live interval"
    if trial.method == "sequence" and trial.clusters and len(set(trial.clusters)) < len(trial.clusters):
        return "was stopped on the live interval, which does not hold for rows that belong together", whole
    if trial.method == "sequence" and scored.rows < LEAST_SEQUENCE:
        return f"was stopped after {_count(scored.rows)}, where the live interval says nothing yet", whole
    return None


def _missing(setting: Setting, record: Evidence, scores: Scores) -> Iterator[Reason]:
    asked = (*setting.policy.must_reach, *setting.policy.must_not_regress, PRIMARY)
    for trial in record.trials:
        looked = [found for name in dict.fromkeys(asked) if (found := _called(scores, trial, name))]
        scored = max(looked, key=lambda found: found.missing)
        if not scored.missing:
            continue
        many = scored.missing > MOST_MISSING * len(trial.rows)
        said = f"{setting.suite(trial)}: {_count(scored.missing)} of {len(trial.rows)} left out, without a score"
        if many:
            yield setting.reason("missing_rows", False, said, "see why they failed, and run it again")
        else:
            yield Reason("missing_rows", True, False, said)


def _unseen(setting: Setting, record: Evidence) -> Iterator[Reason]:
    """Tell which suites judged a prompt on rows that it was tuned on; it blocks where the policy says so."""
    blocking = setting.demands and setting.policy.unseen
    seen = [trial for trial in record.trials if trial.tuned_on]
    for trial in seen:
        yield Reason(
            "unseen",
            False,
            blocking,
            f"{setting.suite(trial)}: {len(trial.tuned_on)} of the {_count(len(trial.rows))} that judged it are rows"
            " that it was tuned on",
            "run it on a holdout",
        )
    if setting.policy.unseen and not seen:
        yield Reason("unseen", True, blocking, "No suite used rows that the version is known to have been tuned on")


def _level(setting: Setting, record: Evidence, scores: Scores) -> Iterator[Reason]:
    for name, bound in setting.policy.must_reach.items():
        found = [scored for trial in _own(setting, record) if (scored := _called(scores, trial, name))]
        if not found:
            yield _no_scorer(setting, "must_reach", name)
        for scored in found:
            higher = scored.found.direction == "higher"
            room = _ROUNDING * max(1.0, abs(bound))
            # nan, the mean of nothing, reaches no bound.
            reached = scored.mean >= bound - room if higher else scored.mean <= bound + room
            what = f"{scored.name} in {setting.suite(scored.trial)}"
            asked = f"{scored.amount(bound)} or {'more' if higher else 'less'}"
            yield setting.reason(
                "must_reach",
                reached,
                f"{what} is {scored.amount(scored.mean)}, and {asked} {'was' if reached else 'is'} asked for",
                "improve the version, and evaluate the new one",
            )


def _regressions(setting: Setting, record: Evidence, scores: Scores) -> Iterator[Reason]:
    for name, margin in setting.policy.must_not_regress.items():
        trials = [trial for trial in record.trials if trial.baseline is not None]
        found = [scored for trial in trials if (scored := _called(scores, trial, name))]
        if name != PRIMARY and not any(scored.trial.prompt == setting.name for scored in found):
            if setting.baseline is not None:
                yield _no_scorer(setting, "must_not_regress", name)
            continue
        lost = [scored for scored in found if not _spared(scored, margin)]
        yield from (_lost(setting, scored, margin) for scored in lost)
        if found and not lost:
            what = "; ".join(f"{scored.name} in {setting.suite(scored.trial)} {scored.told()}" for scored in found)
            yield setting.reason("must_not_regress", True, f"Nothing regresses by more than is put up with: {what}")


def _spared(scored: Scored, margin: float) -> bool:
    return scored.worst_loss <= margin + _ROUNDING * max(1.0, margin)


def _lost(setting: Setting, scored: Scored, margin: float) -> Reason:
    trial = scored.trial
    what = f"{scored.name} in {setting.suite(trial)}"
    allowed = f"a loss of {scored.amount(margin)} is put up with"
    if scored.difference is None:
        return setting.reason("must_not_regress", False, f"{what}: {scored.told()}", "see why its rows failed")
    if scored.loss >= margin and scored.loss > 0:
        prompt = setting.named([trial.prompt])
        return setting.reason(
            "must_not_regress",
            False,
            f"{prompt} regresses: {what} {scored.told()}; {allowed}",
            "look at the rows that flipped, and change the version",
        )
    said = f"Too few rows to tell: {what} {scored.told()}; {allowed}"
    return setting.reason("must_not_regress", False, said, scored.what_would_show(margin))


def _verdicts(setting: Setting, record: Evidence, scores: Scores) -> Iterator[Reason]:
    """Tell what is worse, whether or not the policy asks."""
    for trial in record.trials:
        if _unsound(trial, _primary(scores, trial)):
            continue  # an interval that was peeked at tells nothing
        for scored in _worse(scores, trial):
            yield Reason(
                "verdict",
                False,
                False,
                f"{setting.named([trial.prompt])} gets worse: {scored.name} in {setting.suite(trial)} {scored.told()}",
                "look at the rows that flipped before you move it",
            )


def _worse(scores: Scores, trial: Trial) -> list[Scored]:
    """The primary scorer where it is worse, and the guards that are, held to Holm's levels among themselves."""
    primary = _primary(scores, trial)
    told = [primary] if primary.difference is not None and primary.difference.verdict == "worse" else []
    guards = [
        scored for each in trial.scores if each.scorer != trial.primary and (scored := scores.of(trial, each.scorer))
    ]
    judged = [(scored, found) for scored in guards if (found := scored.difference) is not None]
    bad = [found.verdict == "worse" for _, found in judged]
    if any(bad) and trial.method == "fixed":
        from pressmark.stats import holm

        certain = holm([found.p if isfinite(found.p) else 1.0 for _, found in judged]).significant
        bad = [worse and sure for worse, sure in zip(bad, certain, strict=True)]
    return [*told, *(scored for (scored, _), worse in zip(judged, bad, strict=True) if worse)]


def _downstream(setting: Setting, record: Evidence) -> Iterator[Reason]:
    below, ran = setting.downstream, {trial.prompt for trial in record.trials}
    blocking = setting.demands and setting.policy.downstream
    if left := [name for name in dict.fromkeys((*below, *record.unevaluated)) if name not in ran]:
        takes = "takes" if len(left) == 1 else "take"
        yield Reason(
            "downstream",
            False,
            blocking,
            f"{setting.named(left)} {takes} its output and {'was' if len(left) == 1 else 'were'} not evaluated with it",
            "run their suites with the change, too",
        )
        return
    # Whatever was run downstream must be what stands there: at the label, or where it has none its newest version.
    below_run = [trial for trial in record.trials if trial.prompt != setting.name]
    other = [trial.prompt for trial in below_run if _standing(setting, trial) != trial.candidate]
    if other:
        yield Reason(
            "downstream",
            False,
            blocking,
            f"{setting.named(dict.fromkeys(other))}: another version was evaluated than stands there now",
            "run their suites again with the version that stands there",
        )
    elif below:
        yield Reason("downstream", True, blocking, f"All that takes its output was evaluated: {setting.named(below)}")


def _standing(setting: Setting, trial: Trial) -> str:
    at = (setting.held.get(f"{trial.prompt}@{label}") for label in (setting.request.label, LATEST))
    return next((digest for digest in at if digest), trial.candidate)


def _no_scorer(setting: Setting, code: str, name: str) -> Reason:
    return setting.reason(
        code,
        False,
        f"No suite that was run on {setting.name} has the scorer {name!r}",
        "run one that has it, or change the policy",
    )


def _primary(scores: Scores, trial: Trial) -> Scored:
    found = scores.of(trial)
    assert found is not None, "a trial has scores of its primary scorer"
    return found


def _called(scores: Scores, trial: Trial, name: str) -> Scored | None:
    return scores.of(trial, trial.primary if name == PRIMARY else name)


def _count(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"
