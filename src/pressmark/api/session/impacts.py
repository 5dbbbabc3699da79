"""A change tried on what it reaches, as the workbench sees it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from pressmark import publishing
from pressmark.api import impact
from pressmark.api.runner import Runner
from pressmark.api.session.evaluating import minus
from pressmark.api.session.releasing import Releasing
from pressmark.api.starting import RunOptions
from pressmark.errors import EvidenceError, PressmarkError, RegistryError, RunCancelledError
from pressmark.gate.scores import Scores
from pressmark.widgets.protocols import (
    AffectedView,
    ChangeAsked,
    ChangePlanView,
    ChangeProgressView,
    ImpactView,
    Outcome,
    SubmittedView,
    SuiteOutcomeView,
)

if TYPE_CHECKING:
    from pressmark.api.impact import ChangeEvaluation
    from pressmark.api.registry import Registry
    from pressmark.api.shelf import Change
    from pressmark.api.workspace import Workspace
    from pressmark.prompts.evidence import Evidence, Trial

OPTIONS = RunOptions(concurrency=8)


@dataclass(slots=True)
class _Trying:
    """An evaluation under way; a run's own thread tells of it as well, and must not be heard after the end."""

    told: ChangeProgressView
    on_progress: Callable[[ChangeProgressView], None]
    lock: threading.Lock = field(default_factory=threading.Lock)
    runner: Runner | None = None
    stopped: threading.Event = field(default_factory=threading.Event)

    def tell(self, **news: Any) -> None:
        """Say where it stands, in order."""
        with self.lock:
            if self.runner is not None:
                now = self.runner.progress
                news |= {"done": now.done, "total": now.total, "errors": now.errors, "cost": now.cost}
            self.told = cast("ChangeProgressView", {**self.told, **news})
            self.on_progress(self.told)


class Impacts(Releasing):
    """Evaluating a change and submitting what was found."""

    def __init__(self, workspace: Workspace | None = None, registry: Registry | None = None) -> None:
        super().__init__(workspace, registry)
        self._trying: _Trying | None = None
        self._trying_lock = threading.Lock()

    def impact(self, name: str, label: str, to: str) -> ImpactView:
        """What a version would reach, with the verdicts that are known."""
        version = self._version(name, to)
        change = self._change(version, label)
        here = self._made_here(change)
        evidence = here.evidence if here else self._submitted(change)
        told = _of_parts(here.parts, self._newest_suites()) if here else _of_trials(evidence) if evidence else {}
        view: ImpactView = {
            "name": name,
            "label": label,
            "to": to,
            "prompts": _affected(change, told),
            "edges": [list(edge) for edge in change.edges],
            "source": "here" if here else "registry" if evidence else "none",
            "sentence": here.sentence if here else "",
            "made_by": evidence.made_by if evidence else None,
            "made_at": evidence.made_at.isoformat() if evidence else None,
            "submitted": here is None or self._is_submitted(here.evidence),
        }
        return view

    def plan_change(self, asked: ChangeAsked) -> ChangePlanView:
        """What evaluating the change would take."""
        version = self._version(asked["name"], asked["to"])
        change = self._change(version, asked["label"])
        steps = impact.steps_of(self._workspace, change, _chosen(asked))
        where = self._workspace.choose_endpoint(asked["endpoint"])
        plans = impact.plan_steps(self._workspace, steps, where, OPTIONS)
        costs = [plan.cost for plan in plans]
        return {
            "steps": [
                {
                    "prompt": step.prompt,
                    "suite": step.suite.name,
                    "calls": plan.calls,
                    "cached": plan.cached,
                    "cost": plan.cost,
                }
                for step, plan in zip(steps, plans, strict=True)
            ],
            "unjudged": [*impact.unjudged(change, steps), *change.broken],
            "calls": sum(plan.calls for plan in plans),
            "cached": sum(plan.cached for plan in plans),
            "cost": None if None in costs else sum(price or 0.0 for price in costs),
        }

    def evaluate_change(self, asked: ChangeAsked, on_progress: Callable[[ChangeProgressView], None]) -> None:
        """Evaluate a change in the background."""
        name, label, to = asked["name"], asked["label"], asked["to"]
        version, where = self._version(name, to), self._workspace.choose_endpoint(asked["endpoint"])
        told: ChangeProgressView = {
            "name": name,
            "label": label,
            "to": to,
            "status": "running",
            "step": 0,
            "steps": 0,
            "prompt": "",
            "suite": "",
            "done": 0,
            "total": 0,
            "errors": 0,
            "cost": None,
            "error": None,
        }
        with self._trying_lock:
            if self._trying is not None:
                busy = self._trying.told
                raise PressmarkError(
                    f"{busy['to']} of {busy['name']} is being evaluated: wait for it or stop it, then begin this one"
                )
            trying = self._trying = _Trying(told, on_progress)

        def began(at: int, steps: Sequence[impact.Step], runner: Runner) -> None:
            trying.runner = runner
            step = steps[at]
            if trying.stopped.is_set():
                runner.cancel()
            trying.tell(step=at + 1, steps=len(steps), prompt=step.prompt, suite=step.suite.name)

        def follow(news: Any) -> None:
            if news["topic"] == "run" and trying.runner is not None and news.get("run") == trying.runner.run_id:
                trying.tell()

        def work() -> None:
            end = self._workspace.changes.subscribe(follow)
            last: dict[str, Any]
            try:
                impact.evaluate_change(
                    self._workspace,
                    version,
                    label,
                    where,
                    OPTIONS,
                    registry=self._registry,
                    suites=_chosen(asked),
                    progress=False,
                    on_run=began,
                )
                last = {"status": "done"}
            except RunCancelledError:
                last = {"status": "cancelled"}
            except PressmarkError as error:
                last = {"status": "failed", "error": str(error)}
            except Exception as error:  # noqa: BLE001 - a thread that dies in silence would leave the page waiting
                last = {"status": "failed", "error": f"it stumbled: {type(error).__name__}: {error}; try again"}
            finally:
                end()
                with self._trying_lock:
                    self._trying = None
            trying.tell(**last)

        trying.tell()
        threading.Thread(target=work, name="pressmark-change", daemon=True).start()

    def cancel_change(self) -> None:
        """Stop the evaluation under way."""
        trying = self._trying
        if trying is not None:
            trying.stopped.set()
            if trying.runner is not None:
                trying.runner.cancel()

    def submit_evidence(self, name: str, label: str, to: str, reason: str) -> SubmittedView:
        """Submit what was found; a workspace version is published first."""
        registry, version = self._known(), self._version(name, to)
        found = self._made_here(self._change(version, label))
        if found is None:
            raise EvidenceError(f"{to} was not evaluated for {label} here as it stands: evaluate the change first")
        published = None
        if publishing.published_as(version, registry.backend) is None:
            published = self.publish(name, to, reason)["version"]
        try:
            digest = registry.submit_evidence(found)
        except RegistryError as error:
            if published is None:
                raise
            told = f"{to} was published as {published}, but its evidence was not submitted: {error}"
            raise type(error)(told, **error.facts) from error
        return {"digest": digest, "published": published}

    def _made_here(self, change: Change) -> ChangeEvaluation | None:
        """What this workspace found of exactly this change."""
        kept = self._kept(change.version, change.label, change.today.digest if change.today else None)
        return None if kept is None else self._of_today(change, kept)

    def _newest_suites(self) -> dict[str, str]:
        """The digest of each suite as it is by now."""
        told = self._store.suites()
        return dict(zip(told["name"], told["digest"], strict=True))

    def _submitted(self, change: Change) -> Evidence | None:
        """The newest evidence that the registry holds on exactly this change."""
        backend = self._known().backend
        target = publishing.published_as(change.version, backend)
        if target is None:
            return None
        baseline = change.today.digest if change.today else None
        for info in backend.evidence(change.version.name, label=change.label, candidate=target.version):
            if info.baseline == baseline:
                return backend.evidence_by_digest(info.digest)
        return None


def _chosen(asked: ChangeAsked) -> Mapping[str, Sequence[str]] | None:
    return {asked["name"]: asked["suites"]} if asked["suites"] else None


def _affected(change: Change, told: Mapping[str, list[SuiteOutcomeView]]) -> list[AffectedView]:
    names = [*change.after, *change.broken]
    views: list[AffectedView] = []
    for name in names:
        suites = told.get(name, [])
        if not suites and name in change.broken:
            suites = [{"suite": None, "outcome": "not evaluated", "sentence": change.broken[name], "run": None}]
        outcome = min((each["outcome"] for each in suites), key=impact.GRAVEST.index, default="not evaluated")
        views.append({"name": name, "outcome": cast("Outcome", outcome), "suites": suites})
    return views


def _of_parts(parts: Sequence[impact.Part], newest: Mapping[str, str]) -> dict[str, list[SuiteOutcomeView]]:
    told: dict[str, list[SuiteOutcomeView]] = {}
    for part in parts:
        now = newest.get(part.suite or "")
        changed = part.run is not None and now is not None and now != part.run.suite_digest
        told.setdefault(part.prompt, []).append(
            {
                "suite": part.suite,
                "outcome": part.outcome,
                "sentence": minus(part.sentence) + ("; the suite was changed since" if changed else ""),
                "run": part.run.id if part.run else None,
            }
        )
    return told


def _of_trials(evidence: Evidence) -> dict[str, list[SuiteOutcomeView]]:
    """What submitted evidence says, worked out again from its row scores as the gate does."""
    scores = Scores()
    told: dict[str, list[SuiteOutcomeView]] = {}
    for trial in evidence.trials:
        told.setdefault(trial.prompt, []).append(_of_trial(trial, scores))
    for name in evidence.unevaluated:
        told.setdefault(name, []).append(
            {"suite": None, "outcome": "not evaluated", "sentence": "no suite judged it", "run": None}
        )
    return told


def _of_trial(trial: Trial, scores: Scores) -> SuiteOutcomeView:
    scored = scores.of(trial)
    outcome: Outcome = "new"
    sentence = "there is no version yet to compare it with"
    if scored is not None and scored.difference is not None:
        outcome, sentence = scored.difference.verdict, minus(f"{scored.name} {scored.told()}")
    elif trial.baseline is not None:
        outcome, sentence = "not evaluated", "none of its rows has a score on both sides"
    return {"suite": trial.suite, "outcome": outcome, "sentence": sentence, "run": None}
