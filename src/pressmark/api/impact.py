"""A change tried on everything that it reaches: the prompt's own suites, and those of every prompt downstream."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pressmark.api.evidence import trial_of
from pressmark.api.runner import Runner
from pressmark.api.runs import Run
from pressmark.api.shelf import Change, RegistryShelf, WorkspaceShelf
from pressmark.api.starting import RunOptions, start_run
from pressmark.errors import PressmarkError, StatsError, SuiteNotFoundError, VersionNotFoundError
from pressmark.evals import Suite
from pressmark.evals.chain import Chain
from pressmark.evals.report import Report
from pressmark.face import forms
from pressmark.prompts import Version
from pressmark.prompts.evidence import Evidence
from pressmark.prompts.quoting import shown as quoted
from pressmark.providers.practice.requests import PRACTICE_MODEL
from pressmark.workspace import SavedPart

if TYPE_CHECKING:
    from pressmark.api.registry import Registry
    from pressmark.api.workspace import Workspace
    from pressmark.evals.estimate import RunPlan
    from pressmark.providers import Endpoint
    from pressmark.rendering import PromptVersion
    from pressmark.workspace import SavedEvaluation

Outcome = Literal["better", "worse", "cannot tell", "new", "not evaluated"]
GRAVEST: tuple[Outcome, ...] = ("worse", "not evaluated", "cannot tell", "new", "better")
_HEAD = ("prompt", "suite", "verdict")
_MARKS: Mapping[str, str] = {"better": "▲", "worse": "▼", "cannot tell": "?", "new": "+", "not evaluated": "!"}


@dataclass(frozen=True, slots=True)
class Part:
    """One prompt that the change reaches, judged by one suite.

    Attributes:
        prompt: The prompt.
        suite: The suite's name; None where the prompt has none.
        run: The run; None where nothing was run.
        report: The suite's verdict; None where there is nothing to compare with.
        why_not: Why there is no verdict, in words; empty where there is one.
    """

    prompt: str
    suite: str | None
    run: Run | None
    report: Report | None
    why_not: str = ""

    @property
    def outcome(self) -> Outcome:
        """The suite's verdict, `new` where there is nothing to compare with, or `not evaluated`."""
        if self.report is not None:
            return self.report.verdict
        return "new" if self.run is not None and not self.why_not else "not evaluated"

    @property
    def title(self) -> str:
        """The prompt and its suite."""
        return f"{self.prompt}, {self.suite or 'no suite'}"

    @property
    def sentence(self) -> str:
        """The verdict in one line."""
        if self.report is not None:
            return self.report.sentence
        return self.why_not or "there is no version yet to compare it with"


@dataclass(frozen=True, slots=True)
class Step:
    """One run that evaluating a change takes.

    Attributes:
        prompt: Whose outputs are scored.
        suite: What it is run on.
        before: The prompt's chain as it is today; None where there is none.
        after: The chain with the change.
    """

    prompt: str
    suite: Suite
    before: Chain | None
    after: Chain

    @property
    def chains(self) -> list[Chain]:
        """What is run, the baseline first."""
        return [self.after] if self.before is None else [self.before, self.after]


class ChangeEvaluation:
    """What a change does to its own prompt and to everything downstream; `ws.evaluate_change` returns one.

    Attributes:
        evidence: The record that a registry takes: `registry.submit_evidence(evaluation)`.
        parts: The changed prompt's own suites first, then those downstream in the order in which they run.
    """

    def __init__(self, change: Change, parts: Sequence[Part], evidence: Evidence) -> None:
        self._change = change
        self.parts = tuple(parts)
        self.evidence = evidence

    @property
    def today(self) -> PromptVersion | None:
        """What the label holds now; None where it is new."""
        return self._change.today

    @property
    def verdict(self) -> Outcome:
        """`worse` where any part is; `not evaluated` where any was not; else the changed prompt's own verdict."""
        outcomes = [part.outcome for part in self.parts]
        for grave in ("worse", "not evaluated"):
            if grave in outcomes:
                return grave
        own: list[Outcome] = [part.outcome for part in self.parts if part.prompt == self._change.version.name]
        return next((outcome for outcome in own if outcome != "cannot tell"), "cannot tell")

    @property
    def sentence(self) -> str:
        """The verdict in one line; what is worse is named."""
        worse = [part for part in self.parts if part.outcome == "worse"]
        if worse:
            return "; ".join(f"{part.prompt} gets worse by {part.suite}: {part.sentence}" for part in worse)
        missing = list(dict.fromkeys(part.prompt for part in self.parts if part.outcome == "not evaluated"))
        if missing:
            return f"not evaluated: {', '.join(missing)}"
        return "; ".join(part.sentence for part in self.parts if part.prompt == self._change.version.name)

    def to_file(self, path: str | os.PathLike[str]) -> Path:
        """Write the evidence as JSON and return where.

        Raises:
            OSError: The file cannot be written.
        """
        target = Path(path)
        target.write_text(json.dumps(self.evidence.to_dict(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return target

    @property
    def _headline(self) -> str:
        return f"{self._tried}: {self.sentence}"

    @property
    def _tried(self) -> str:
        today = "where nothing stands yet" if self.today is None else f"against {self.today.version}"
        return f"{self._change.version} for {self._change.label}, {today}"

    def __str__(self) -> str:
        parts = [f"  {_MARKS[part.outcome]} {part.title}: {part.sentence}" for part in self.parts]
        return "\n".join([self._headline, *parts])

    def __repr__(self) -> str:
        return f"<ChangeEvaluation {self._tried}: {self.verdict}>"

    def _repr_html_(self) -> str:
        from pressmark.api.drawing import draw

        table = forms.table(_HEAD, self._rows())
        graph = draw(self._edges(), self._outcomes())
        return f"<div><p><strong>{forms.escaped(self._headline)}</strong></p>{graph}{table}</div>"

    def _repr_markdown_(self) -> str:
        return f"**{forms.marked(self._headline)}**\n\n{forms.markdown_table(_HEAD, self._rows())}"

    def _rows(self) -> list[tuple[str, ...]]:
        return [
            (f"{_MARKS[part.outcome]} {part.prompt}", part.suite or "no suite", part.sentence) for part in self.parts
        ]

    def _outcomes(self) -> dict[str, Outcome]:
        told: dict[str, Outcome] = {}
        for part in self.parts:
            before = told.get(part.prompt)
            if before is None or GRAVEST.index(part.outcome) < GRAVEST.index(before):
                told[part.prompt] = part.outcome
        return told

    def _edges(self) -> list[tuple[str, str]]:
        return self._change.edges


def evaluate_change(
    workspace: Workspace,
    version: PromptVersion,
    label: str,
    endpoint: Endpoint,
    options: RunOptions,
    *,
    registry: Registry | None = None,
    baseline: PromptVersion | str | None = None,
    suites: Mapping[str, Sequence[Suite | str]] | None = None,
    progress: bool = True,
    on_run: Callable[[int, Sequence[Step], Runner], None] = lambda at, steps, runner: None,
) -> ChangeEvaluation:
    """Run the suites of a changed prompt and of everything downstream, with and without the change.

    Args:
        workspace: Where the runs are kept.
        version: The candidate.
        label: The label that it is meant for.
        endpoint: Where to ask.
        options: How.
        registry: Whose labels everything stands at; else the newest versions of this workspace stand.
        baseline: Without a registry, the version that stands today; else the newest other one.
        suites: Suites by prompt; else those made with `ws.suite(…, prompt=…)`.
        progress: Whether to show progress bars.
        on_run: Called as each run begins: which step it is, all of them, and who runs it.

    Raises:
        SuiteNotFoundError: The changed prompt itself has no suite.
        VersionNotFoundError: The label holds this version already.
        GraphCycleError: Prompts feed each other in a circle.
    """
    change = change_of(workspace, version, label, registry, baseline)
    steps = steps_of(workspace, change, suites)
    parts: list[Part] = []
    trials = []
    for at, step in enumerate(steps):
        runner = start_run(workspace, step.chains, step.suite, endpoint, options)
        on_run(at, steps, runner)
        run = runner.wait(progress=progress)
        parts.append(_part(step.prompt, step.suite, run, step.before))
        trials.append(trial_of(run, step.prompt, step.before, step.after))
    parts += [
        Part(name, None, None, None, f"no suite judges {name}: make one with prompt={name!r}")
        for name in unjudged(change, steps)
    ]
    parts += [Part(name, None, None, None, why) for name, why in change.broken.items()]
    models = {model for trial in trials for model in trial.models}
    evidence = Evidence(
        name=version.name,
        label=label,
        candidate=version.digest,
        baseline=change.today.digest if change.today else None,
        lock=change.lock,
        endpoint={"name": endpoint.name, "base_url": endpoint.base_url, "practice": PRACTICE_MODEL in models},
        trials=tuple(trials),
        unevaluated=tuple(dict.fromkeys(part.prompt for part in parts if part.outcome == "not evaluated")),
        made_at=datetime.now(UTC),
        made_by=workspace.author,
    )
    workspace.store.save_evaluation(
        evidence,
        [SavedPart(part.prompt, part.suite, part.run.id if part.run else None, part.why_not) for part in parts],
    )
    workspace.changes.tell("registry", name=version.name)
    return ChangeEvaluation(change, parts, evidence)


def speaks_of(evidence: Evidence, change: Change) -> bool:
    """Whether all that was run is what stands today: else the evidence is of another change, as the gate has it."""
    stands = {name: chain.version.digest for name, chain in change.after.items()}
    same = all(stands.get(trial.prompt) == trial.candidate for trial in evidence.trials)
    return same and dict(evidence.lock) == change.lock


def evaluation_of(workspace: Workspace, change: Change, kept: SavedEvaluation) -> ChangeEvaluation:
    """Return a kept evaluation of a change with its runs and reports; a part that cannot be read says why.

    Args:
        workspace: Where the runs are kept.
        change: What it was an evaluation of.
        kept: What the workspace's file holds of it.
    """
    return ChangeEvaluation(change, [_kept_part(workspace, part) for part in kept.parts], kept.evidence)


def _kept_part(workspace: Workspace, kept: SavedPart) -> Part:
    if kept.run is None:
        return Part(kept.prompt, kept.suite, None, None, kept.why_not)
    try:
        run = workspace.run(kept.run)
        report = run.report() if len(run.versions) > 1 and not kept.why_not else None
    except PressmarkError as error:  # the dataset was deleted since
        told = f"its run cannot be read any more ({error}): evaluate the change again"
        return Part(kept.prompt, kept.suite, None, None, told)
    return Part(kept.prompt, kept.suite, run, report, kept.why_not)


def change_of(
    workspace: Workspace,
    version: PromptVersion,
    label: str,
    registry: Registry | None,
    baseline: PromptVersion | str | None = None,
) -> Change:
    """Return a change and what it reaches: by the registry's labels, else by the workspace's newest versions.

    Args:
        workspace: The workspace.
        version: The candidate.
        label: The label that it is meant for.
        registry: Whose labels everything stands at; None for the workspace alone.
        baseline: Without a registry, the version that stands today; else the newest other one.

    Raises:
        VersionNotFoundError: The baseline is none that could stand today.
    """
    today = _baseline(workspace, version, label, registry, baseline)
    if registry is not None:
        return Change(version, label, RegistryShelf(registry.backend))
    return Change(version, label, WorkspaceShelf(workspace.store, besides=version, today=today))


def _baseline(
    workspace: Workspace,
    version: PromptVersion,
    label: str,
    registry: Registry | None,
    baseline: PromptVersion | str | None,
) -> PromptVersion | None:
    if baseline is None:
        return None
    if registry is not None:
        raise VersionNotFoundError(
            f"with registry=, {label} of {version.name} says what stands today: leave baseline= out, or leave out"
            " registry= to compare with a version of this workspace"
        )
    today = workspace.version(version.name, baseline) if isinstance(baseline, str) else baseline
    if not isinstance(today, Version) or today.name != version.name:
        raise VersionNotFoundError(
            f"baseline= is a version of {version.name}, such as '#1', not {quoted(baseline)}: what is compared is the"
            " change of one prompt"
        )
    if today.digest == version.digest:
        raise VersionNotFoundError(
            f"{version.version} of {version.name} says what its baseline {today.version} says: there is no change to"
            " evaluate"
        )
    return today


def steps_of(
    workspace: Workspace, change: Change, suites: Mapping[str, Sequence[Suite | str]] | None = None
) -> list[Step]:
    """Return the runs that evaluating a change takes, the changed prompt's own first.

    Raises:
        SuiteNotFoundError: The changed prompt itself has no suite.
        VersionNotFoundError: The label holds this version already.
    """
    version = change.version
    if change.today is not None and change.today.digest == version.digest:
        raise VersionNotFoundError(
            f"{change.label} holds {version.name} as it is in {version.version} already: there is no change to evaluate"
        )
    steps = [
        Step(name, suite, change.before.get(name), after)
        for name, after in change.after.items()
        for suite in _suites_of(workspace, name, suites)
    ]
    if all(step.prompt != version.name for step in steps):
        raise SuiteNotFoundError(
            f"{version.name} has no suite: make one with ws.suite(…, prompt={version.name!r}), or pass suites="
        )
    return steps


def unjudged(change: Change, steps: Sequence[Step]) -> list[str]:
    """Return the prompts that the change reaches and that no suite judges."""
    judged = {step.prompt for step in steps}
    return [name for name in change.after if name not in judged]


def plan_steps(workspace: Workspace, steps: Sequence[Step], endpoint: Endpoint, options: RunOptions) -> list[RunPlan]:
    """Return what each run would take by itself; what several of them need is asked once, so together they take less.

    Raises:
        DatasetError: A column for a variable is missing.
    """
    from pressmark.api.planning import plan_run

    concurrency = options.concurrency if isinstance(options.concurrency, int) else 8
    return [
        plan_run(workspace.store, step.chains, step.suite, endpoint, repeats=options.repeats, concurrency=concurrency)
        for step in steps
    ]


def _suites_of(workspace: Workspace, name: str, given: Mapping[str, Sequence[Suite | str]] | None) -> tuple[Suite, ...]:
    if given is not None and name in given:
        return tuple(workspace.suite(suite) if isinstance(suite, str) else suite for suite in given[name])
    kept = [spec for spec in workspace.store.suites()["spec"] if spec.get("prompt") == name]
    return tuple(workspace.load_suite(spec) for spec in kept)


def _part(name: str, suite: Suite, run: Run, before: Chain | None) -> Part:
    if before is None:
        return Part(name, suite.name, run, None)
    try:
        return Part(name, suite.name, run, run.report())
    except StatsError as error:
        return Part(name, suite.name, run, None, str(error))
