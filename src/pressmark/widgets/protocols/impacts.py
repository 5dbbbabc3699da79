"""What a change does downstream, and whether a client serves it: the parts of the panel Publish around the move."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NotRequired, Protocol, TypedDict

Outcome = Literal["better", "worse", "cannot tell", "new", "not evaluated"]


class SuiteOutcomeView(TypedDict):
    """What one suite says of a prompt.

    Attributes:
        suite: Its name, or None where the prompt has none.
        outcome: Its verdict.
        sentence: The verdict in one line, or why there is none.
        run: The run in this workspace, or None.
    """

    suite: str | None
    outcome: Outcome
    sentence: str
    run: str | None


class AffectedView(TypedDict):
    """A prompt that the change reaches.

    Attributes:
        name: The prompt.
        outcome: The gravest of its suites' verdicts.
        suites: What each says; empty where nothing was evaluated.
    """

    name: str
    outcome: Outcome
    suites: list[SuiteOutcomeView]


class ImpactView(TypedDict):
    """What a version would reach at a label.

    Attributes:
        name: The prompt that changes.
        label: The label.
        to: The version asked for.
        prompts: The changed prompt first, then those downstream in the order in which they run.
        edges: From the prompt that gives its output to the one that takes it.
        source: Where verdicts come from: "here" (an evaluation that this workspace keeps), "registry" (evidence
            submitted there) or "none".
        sentence: The verdict on the whole, or that there is none.
        made_by: Who evaluated it, or None.
        made_at: When, or None.
        submitted: Whether the registry holds the evidence.
    """

    name: str
    label: str
    to: str
    prompts: list[AffectedView]
    edges: list[list[str]]
    source: Literal["none", "here", "registry"]
    sentence: str
    made_by: str | None
    made_at: str | None
    submitted: bool


class ChangeAsked(TypedDict):
    """A change to be evaluated.

    Attributes:
        name: The prompt.
        label: The label that the version is meant for.
        to: The version.
        endpoint: Where to ask.
        suites: Suites for the changed prompt itself; none for those that were made for it.
    """

    name: str
    label: str
    to: str
    endpoint: str
    suites: list[str]


class StepPlanView(TypedDict):
    """One run that the evaluation would take.

    Attributes:
        prompt: Whose outputs are scored.
        suite: On what.
        calls: Answers to be asked for, those that are known left out.
        cached: Answers that are known.
        cost: In US dollars, or None where a price is not known.
    """

    prompt: str
    suite: str
    calls: int
    cached: int
    cost: float | None


class ChangePlanView(TypedDict):
    """What evaluating a change would take; several runs share answers, so that it is a bound.

    Attributes:
        steps: The runs.
        unjudged: Prompts that it reaches and that no suite judges.
        calls: Answers to be asked for, at most.
        cached: Answers that are known.
        cost: In US dollars at most, or None where a price is not known.
    """

    steps: list[StepPlanView]
    unjudged: list[str]
    calls: int
    cached: int
    cost: float | None


class ChangeProgressView(TypedDict):
    """Where evaluating a change stands.

    Attributes:
        name: The prompt that changes.
        label: The label.
        to: The version.
        status: "running", "done", "cancelled" or "failed".
        step: Which run it is at, from 1.
        steps: How many there are.
        prompt: Whose outputs are scored now.
        suite: On what.
        done: Answers of this run so far.
        total: Answers that it takes.
        errors: Answers that failed.
        cost: In US dollars so far in this run, or None.
        error: Why it failed, or None.
    """

    name: str
    label: str
    to: str
    status: Literal["running", "done", "cancelled", "failed"]
    step: int
    steps: int
    prompt: str
    suite: str
    done: int
    total: int
    errors: int
    cost: float | None
    error: str | None


class SubmittedView(TypedDict):
    """Evidence that the registry took.

    Attributes:
        digest: Names it.
        published: The version that was published on the way, or None.
    """

    digest: str
    published: str | None


class HeardView(TypedDict):
    """The last change that a client heard of.

    Attributes:
        seq: The entry of the change log.
        version: What it serves since, or None where the label was removed.
        at: When it was there.
        after_ms: Milliseconds after this workbench sent the move; None where somebody else made it.
    """

    seq: int
    version: str | None
    at: str
    after_ms: float | None


class ClientView(TypedDict):
    """A client that follows a label, here in the notebook.

    Attributes:
        name: The prompt.
        label: The label.
        state: As `pm.Client.status()` tells it: live, polling, stale, offline, …; "none" where there can be no client.
        message: Why there is none, or what went wrong last; else empty.
        version: What it serves, or None.
        seq: Sequence number of the state that it serves, or None.
        source: Where that came from: live, snapshot, bundle, fallback or none.
        confirmed_at: When the registry last confirmed it, or None.
        behind: Entries of the change log that the registry is known to be ahead.
        heard: The last change that it heard of, or None.
    """

    name: str
    label: str
    state: str
    message: str
    version: str | None
    seq: int | None
    source: str
    confirmed_at: str | None
    behind: int
    heard: HeardView | None


class ActView(TypedDict):
    """Something that the workbench can do about a line of the gate.

    Attributes:
        kind: "evaluate", "submit", "flips", "draft" or "compare".
        effect: What the button says: the act with its effect.
        run: For "flips": the run to show.
        versions: For "compare": the two versions.
    """

    kind: Literal["evaluate", "submit", "flips", "draft", "compare"]
    effect: str
    run: NotRequired[str]
    versions: NotRequired[list[str]]


class ImpactSession(Protocol):
    """The part of a session that tries a change on what it reaches, and follows a label as a service does."""

    def impact(self, name: str, label: str, to: str) -> ImpactView:
        """What a version would reach at a label, with the verdicts that are known.

        Raises:
            PressmarkError: It cannot be told; the graph has a circle, or the registry could not be asked.
        """

    def plan_change(self, asked: ChangeAsked) -> ChangePlanView:
        """What evaluating the change would take; nobody is asked.

        Raises:
            SuiteNotFoundError: The prompt itself has no suite.
            PressmarkError: It could not be run.
        """

    def evaluate_change(self, asked: ChangeAsked, on_progress: Callable[[ChangeProgressView], None]) -> None:
        """Evaluate a change in the background. One at a time.

        Raises:
            PressmarkError: Another one is under way, or it could not begin.
        """

    def cancel_change(self) -> None:
        """Have the evaluation that is under way stop; what was answered stays."""

    def submit_evidence(self, name: str, label: str, to: str, reason: str) -> SubmittedView:
        """Submit what the evaluation found; a workspace version is published first.

        Raises:
            EvidenceError: This workspace holds no evaluation of the change, as everything stands today.
            RegistryError: It was not taken.
        """

    def follow(self, name: str, label: str) -> None:
        """Have a client of the registry follow a label from now on, and no other; an empty name ends it.

        `subscribe` tells of its news with the topic "client". Never raises.
        """

    def client(self) -> ClientView | None:
        """Where that client stands, or None while none follows anything."""
