"""Whether evidence agrees with itself. What does not is no evidence, whoever signed it."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Iterator

from pressmark.errors import InvalidUnitError
from pressmark.prompts.evidence import Evidence, RowScores, Trial
from pressmark.prompts.names import check_label, check_name
from pressmark.prompts.quoting import listed, shown
from pressmark.prompts.unit import parse_input
from pressmark.prompts.version import is_digest

LARGEST = 1e100
"""Measurements beyond this overflow when they are squared; nothing that is measured is so large."""


@functools.lru_cache(maxsize=32)  # the same record is asked about at each look at the gate
def contradiction(evidence: Evidence) -> str | None:
    """Return in what the evidence contradicts itself, as part of a sentence; None where it does not."""
    return next(_contradictions(evidence), None)


def _contradictions(evidence: Evidence) -> Iterator[str]:
    try:
        check_name(evidence.name)
        check_label(evidence.label, movable=True)
        for reference in evidence.lock:
            parse_input(reference)
        for name in (*(trial.prompt for trial in evidence.trials), *evidence.unevaluated):
            check_name(name)
        for name in {trial.suite for trial in evidence.trials}:
            check_name(name, "suite name")
    except InvalidUnitError as error:
        yield str(error)
    for digest in _digests(evidence):
        if not _whole(digest):
            yield f"{shown(digest)} is no digest"
    if evidence.candidate == evidence.baseline:
        yield "it compares a version with itself"
    if not isinstance(evidence.endpoint.get("practice"), bool):
        yield "it does not say whether the practice model answered"
    own = f"{evidence.name}@{evidence.label}"
    if own in evidence.lock and evidence.lock[own] != evidence.baseline:
        yield f"its lock has another version of {own} than its baseline"
    if twice := _repeated(f"{trial.suite} of {trial.prompt}" for trial in evidence.trials):
        yield f"suite {twice} stands there twice"
    suites = {(trial.suite, trial.suite_digest) for trial in evidence.trials}
    if twice := _repeated(name for name, _ in suites):
        yield f"suite {twice!r} has two digests"
    if evaluated := sorted({trial.prompt for trial in evidence.trials} & set(evidence.unevaluated)):
        yield f"{listed(evaluated)} was evaluated and was not"
    versions = {(trial.prompt, trial.candidate) for trial in evidence.trials}
    if twice := _repeated(name for name, _ in versions):
        yield f"two versions of {twice} were run as one"
    for trial in evidence.trials:
        yield from (f"suite {trial.suite!r} of {trial.prompt}: {said}" for said in _of_trial(evidence, trial))


def _of_trial(evidence: Evidence, trial: Trial) -> Iterator[str]:
    if trial.prompt == evidence.name:
        if (trial.baseline, trial.candidate) != (evidence.baseline, evidence.candidate):
            yield "it was run on other versions than the evidence is about"
    elif trial.baseline != trial.candidate and not (trial.baseline is None and evidence.baseline is None):
        yield "a prompt downstream was changed as well"
    if not trial.rows:
        yield "no row was asked"
    if _repeated(trial.rows) is not None:
        yield "a row was counted twice"
    if len(trial.rows) > trial.planned:
        yield f"{len(trial.rows)} rows were asked where {trial.planned} were planned"
    if _repeated(trial.tuned_on) is not None or not set(trial.tuned_on) <= set(trial.rows):
        yield "it names rows that the version was tuned on and that were not asked"
    if trial.repeats < 1:
        yield "it was not run once"
    if (twice := _repeated(found.scorer for found in trial.scores)) is not None:
        yield f"scorer {twice!r} stands there twice"
    for found in trial.scores:
        yield from (f"scorer {found.scorer!r}: {said}" for said in _of_scores(trial, found))


def _of_scores(trial: Trial, found: RowScores) -> Iterator[str]:
    if trial.baseline is None and any(score is not None for score in found.baseline):
        yield "it scored a baseline that there was not"
    lowest, highest = (0.0, 1.0) if found.kind == "score" else (-LARGEST, LARGEST)
    for score in (*found.baseline, *found.candidate):
        # Written so that nan is caught, too.
        if score is not None and not lowest <= score <= highest:
            yield f"{score!r} is out of range"
            return


def _digests(evidence: Evidence) -> Iterator[object]:
    yield evidence.candidate
    yield from () if evidence.baseline is None else (evidence.baseline,)
    yield from evidence.lock.values()
    for trial in evidence.trials:
        yield trial.candidate
        yield trial.suite_digest
        yield from () if trial.baseline is None else (trial.baseline,)


def _whole(digest: object) -> bool:
    return isinstance(digest, str) and len(digest) == 71 and is_digest(digest)


def _repeated(items: Iterable[object]) -> object:
    return next((item for item, times in Counter(items).items() if times > 1), None)
