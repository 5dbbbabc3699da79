"""What the workbench needs from whoever opens it, in plain JSON-able values.

The widget holds no rules and knows no database: it asks a `WorkbenchSession` and shows what comes back. Everything that
crosses this line is a dict, list, string, number, boolean or None, typed below, so that the same values travel to the
browser unchanged and a test can stand in for a workspace with a few dozen lines.

How a session is called:

- From the workbench's own worker threads, never from the kernel's main thread: a method may take its time. The
  methods above `registry` in the protocol are called one at a time; `endpoints` and the registry's own methods
  (`registry`, `registry_prompt`, `gate`, `publish`, `move`, `rollback`) have a thread of their own, so that a server
  that does not answer never holds up drafting or reading a run. So a session must be safe to use from two threads.
- What goes wrong is raised as a `pressmark.errors.PressmarkError`, whose text is the sentence shown to the user (what
  happened, why, what to do next). The attributes `line`, `column`, `hint`, `status`, `current` and `decision` are shown
  too where an error has them.
- Versions of the workspace are named `"#3"`, published ones `"v3"`; times are ISO 8601 strings with an offset.
- Values of a dataset row and outputs are shown as text, whatever they hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NotRequired, Protocol, TypedDict, runtime_checkable

Verdict = Literal["better", "worse", "cannot tell"]
RunStatus = Literal["running", "done", "stopped", "cancelled", "failed"]
RowChange = Literal["better", "worse", "same", "error", "pending"]
RowFilter = Literal["all", "flipped", "better", "worse", "errors"]
RowSort = Literal["row", "flipped", "change"]
Topic = Literal["prompts", "catalog", "runs", "run", "registry"]


class VariableBody(TypedDict):
    """A declared variable inside a draft.

    Attributes:
        type: One of any, string, number, integer, boolean, list, object, messages.
        default: Present only where the variable has one.
        example: Present only where the variable has one.
        description: What it is for, or empty.
    """

    type: str
    default: NotRequired[Any]
    example: NotRequired[Any]
    description: NotRequired[str]


class UnitBody(TypedDict):
    """A unit while it is edited or compared: everything that decides behaviour, in the shape of the form.

    Attributes:
        kind: Whether `messages` or `text` is the template.
        messages: Chat messages as the OpenAI API takes them, templates inside. One whose `content` is a string gets a
            text editor; any other (parts, tool calls, a placeholder) is edited as JSON and kept key by key.
        text: The template of a text prompt; empty for chat.
        variables: What is declared; variables that a template uses without declaring them need not be listed.
        model: The model's name; may be empty in a draft.
        params: Parameters of the request, such as temperature.
        tools: Tool definitions, or None.
        tool_choice: As the API takes it, or None.
        response_format: As the API takes it, or None.
        inputs: Variable name to `prompt@label`.
    """

    kind: Literal["chat", "text"]
    messages: list[dict[str, Any]]
    text: str
    variables: dict[str, VariableBody]
    model: str
    params: dict[str, Any]
    tools: list[dict[str, Any]] | None
    tool_choice: str | dict[str, Any] | None
    response_format: dict[str, Any] | None
    inputs: dict[str, str]


class PromptView(TypedDict):
    """A line in the list of prompts.

    Attributes:
        name: Its name.
        versions: How many versions the workspace holds.
        latest: The newest one, such as "#3", or None where nothing was saved yet.
        updated_at: When it last changed, or None.
        draft: Whether an autosaved draft differs from the newest version.
    """

    name: str
    versions: int
    latest: str | None
    updated_at: str | None
    draft: bool


class VersionView(TypedDict):
    """A version, as a list shows it.

    Attributes:
        version: "#3" in the workspace, "v3" in the registry.
        digest: `sha256:` and 64 hexadecimal digits.
        message: The change message.
        author: Who saved or published it.
        created_at: When.
        parent: The version it was made from, or None.
        restores: The older version that it equals, or None.
        published: For a workspace version, the registry's version with the same digest where that is known.
        labels: Labels known to point at this digest.
    """

    version: str
    digest: str
    message: str
    author: str
    created_at: str
    parent: str | None
    restores: str | None
    published: NotRequired[str | None]
    labels: NotRequired[list[str]]


class SavedView(VersionView):
    """A version just saved.

    Attributes:
        created: False where the newest version was equal, so that nothing new was made.
    """

    created: bool


class DraftView(TypedDict):
    """The draft of one prompt.

    Attributes:
        name: The prompt's name.
        body: The autosaved draft; without one the newest version's unit; without that an empty starting form.
        base: The version that the draft was begun from, or None.
        saved_at: When the draft was autosaved, or None where there is none.
        unsaved: Whether the body differs from `base` (or from the empty form).
    """

    name: str
    body: UnitBody
    base: str | None
    saved_at: str | None
    unsaved: bool


class CheckError(TypedDict):
    """One thing that keeps a draft from being saved.

    Attributes:
        message: What is wrong and what to do, as a sentence.
        line: From 1, inside the part that `where` names, or None.
        column: From 1, or None.
        where: `messages.0`, `text`, `variables.NAME`, `model`, `params`, `tools`, `tool_choice`, `response_format`,
            `inputs`, or empty for the draft as a whole.
    """

    message: str
    line: int | None
    column: int | None
    where: str


class VariableView(TypedDict):
    """A variable of the draft, found in the templates, declared, or both.

    Attributes:
        name: Its name.
        type: The declared or inferred type.
        used: Whether a template uses it.
        declared: Whether the draft declares it.
        required: Whether a caller must give it.
        example: The declared example or default as short text, or empty.
    """

    name: str
    type: str
    used: bool
    declared: bool
    required: bool
    example: str


class CheckView(TypedDict):
    """What a look at a draft found.

    Attributes:
        errors: Empty when the draft could be saved.
        variables: In the order of their first use.
    """

    errors: list[CheckError]
    variables: list[VariableView]


class PreviewView(TypedDict):
    """A draft rendered with one row of a dataset, or with its examples.

    Attributes:
        messages: What the model would be sent: `role` and `content` as text (JSON where it is not a string); for a text
            prompt one entry with the role "text".
        values: The variables' values as short text, by name.
        row: The row rendered, from 0, or None for examples.
        rows: How many rows the dataset has.
        error: Why nothing could be rendered, or None.
    """

    messages: list[dict[str, str]]
    values: dict[str, str]
    row: int | None
    rows: int
    error: CheckError | None


class DatasetView(TypedDict):
    """A dataset to preview with.

    Attributes:
        name: Its name.
        rows: How many rows it has.
        columns: Their names, in order.
    """

    name: str
    rows: int
    columns: list[str]


class ScorerView(TypedDict):
    """A scorer of a suite.

    Attributes:
        name: Its name; the key of `CellView.scores`.
        kind: A score is in [0, 1] and shown in points of 100; a measurement has a unit.
        direction: Which way is better.
        unit: Of a measurement, such as "s", "USD" or "tokens"; empty for a score.
        primary: Whether the suite's verdict is this scorer's.
        column: The dataset's column with what it expects, or None where it expects nothing of the row.
    """

    name: str
    kind: Literal["score", "measurement"]
    direction: Literal["higher", "lower"]
    unit: str
    primary: bool
    column: str | None


class SuiteView(TypedDict):
    """A suite to run.

    Attributes:
        name: Its name.
        dataset: The dataset's name.
        rows: How many rows it has.
        scorers: The primary one first.
        slice: The slice column, or None.
        publishable: Whether the registry would take it.
        why_not: Why it would not, or None.
    """

    name: str
    dataset: str
    rows: int
    scorers: list[ScorerView]
    slice: str | None
    publishable: bool
    why_not: str | None


class EndpointView(TypedDict):
    """An endpoint that can be asked.

    Attributes:
        name: Its name.
        base_url: Where it is.
        key_env: Name of the environment variable with the key, or None where it needs none. Never the key.
        key_present: Whether that variable is set now.
        practice: Whether it is the practice model.
        models: Names to offer in the model field; may be empty, any name can be typed.
    """

    name: str
    base_url: str
    key_env: str | None
    key_present: bool
    practice: bool
    models: list[str]


class EstimateView(TypedDict):
    """What a run would cost.

    Attributes:
        rows: Rows of the suite.
        calls: Answers needed: rows × versions × repeats.
        cached: How many of them are in the answer cache already.
        cost: In US dollars for the rest, or None where the price is not known.
    """

    rows: int
    calls: int
    cached: int
    cost: float | None


class RunProgress(TypedDict):
    """Where a run stands; given to `on_progress` and returned by `run`.

    Attributes:
        run: Its id.
        status: "running" until nothing more will come. "stopped" is a run that ended by itself before its last row: its
            budget was spent, or its rows had told enough. "cancelled" is one that somebody stopped.
        name: The prompt's name.
        versions: The baseline first, as they were given to `start_run`.
        suite: Its name.
        endpoint: Its name.
        done: Answers there, errors among them.
        total: Answers wanted.
        errors: How many ended as an error.
        cached: How many came from the answer cache.
        rate: Answers a second lately, or None.
        seconds_left: An estimate, or None.
        cost: US dollars spent so far, or None where the price is not known.
        elapsed: Seconds since the start.
        started_at: When.
        error: Why a failed run failed, as a sentence, or None.
        details: What the program below said of the failure, for whoever looks closer, or None.
        note: Why a run that is "stopped" ended where it did, as a sentence, or None.
    """

    run: str
    status: RunStatus
    name: str
    versions: list[str]
    suite: str
    endpoint: str
    done: int
    total: int
    errors: int
    cached: int
    rate: float | None
    seconds_left: float | None
    cost: float | None
    elapsed: float
    started_at: str
    error: str | None
    details: str | None
    note: str | None


class OrderView(TypedDict):
    """Which rows of a run to show, in which order. The widget keeps it until the user asks for a new one.

    Attributes:
        rows: Row numbers (from 0) that pass filter and search, in order.
        counts: How many rows pass each `RowFilter`, with the search applied.
    """

    rows: list[int]
    counts: dict[str, int]


class CellView(TypedDict):
    """One version's answer to one row, all repeats as one: scores are means, the output is the first repeat's.

    Attributes:
        output: The text; cut to about 400 characters by `run_rows`, whole in `run_row`.
        cut: Whether text is missing.
        error: Why there is no output, as a sentence, or None.
        pending: Not answered yet.
        scores: By scorer; None where scoring failed.
        change: Against the baseline by the scorer asked for; None in the baseline's own cell.
        tokens_in: Or None.
        tokens_out: Or None.
        cost: US dollars, or None.
        latency: Seconds, or None.
        cached: Whether it came from the answer cache.
        model: The model that was served, or None.
        score_errors: By scorer, why a score is missing; only in `run_row`.
        request: The rendered messages, `role` and `content` as text; only in `run_row`.
    """

    output: str
    cut: bool
    error: str | None
    pending: bool
    scores: dict[str, float | None]
    change: RowChange | None
    tokens_in: int | None
    tokens_out: int | None
    cost: float | None
    latency: float | None
    cached: bool
    model: str | None
    score_errors: NotRequired[dict[str, str]]
    request: NotRequired[list[dict[str, str]]]


class RowView(TypedDict):
    """One row of the grid.

    Attributes:
        row: Its number, from 0.
        values: The dataset's columns as text, each cut to about 200 characters by `run_rows`, whole in `run_row`. Those
            in `inputs` come first.
        inputs: The columns that fill a variable of one of the run's versions.
        cells: By version, one for each version of the run.
    """

    row: int
    values: dict[str, str]
    inputs: list[str]
    cells: dict[str, CellView]


class ComparisonView(TypedDict):
    """The verdict on one candidate against the baseline by one scorer.

    Attributes:
        baseline: The version on the left.
        candidate: The version that is judged.
        scorer: Its name.
        sentence: "v2 better by 5.9 points [0.4, 11.3] on 198 rows: 62 up, 46 down, 90 same".
        verdict: Of the sentence; None while there is not enough to say anything, `sentence` says why.
        difference: Candidate minus baseline, in the scorer's own unit (0.059), None as above.
        low: Lower end of the 95 % interval, or None.
        high: Upper end, or None.
        n: Rows paired.
        up: Rows with a better score.
        down: Rows with a worse one.
        same: Rows with an equal one.
        baseline_mean: Mean over the paired rows, or None.
        candidate_mean: Likewise.
        provisional: True while the run is not complete.
        rows_needed: Rows that would tell, where the verdict is "cannot tell" and it is known; else None.
        test: Which test gave the interval, in words.
        guards: For the primary scorer: one line for every other scorer.
        slices: One for each value of the suite's slice column; none while the run is going on.
    """

    baseline: str
    candidate: str
    scorer: str
    sentence: str
    verdict: Verdict | None
    difference: float | None
    low: float | None
    high: float | None
    n: int
    up: int
    down: int
    same: int
    baseline_mean: float | None
    candidate_mean: float | None
    provisional: bool
    rows_needed: int | None
    test: str
    guards: list[GuardView]
    slices: list[SliceView]


class SliceView(TypedDict):
    """The comparison on the rows of one slice.

    Attributes:
        name: The slice column's value there, as text; `run_order` takes it.
        verdict: The one that holds although every slice is looked at (p values adjusted by Holm's method).
        difference: Candidate minus baseline, in the scorer's own unit.
        low: Lower end of the slice's own 95 % interval, or None where it is open.
        high: Upper end, or None.
        n: Rows paired.
        p: The adjusted p value.
    """

    name: str
    verdict: Verdict
    difference: float
    low: float | None
    high: float | None
    n: int
    p: float


class GuardView(TypedDict):
    """A guard's line under the verdict.

    Attributes:
        scorer: Its name.
        verdict: Or None while it cannot be said.
        sentence: As in `ComparisonView`.
    """

    scorer: str
    verdict: Verdict | None
    sentence: str


class RegistryView(TypedDict):
    """Whether there is a registry, and as whom it is used.

    Attributes:
        state: "none" where none was given, "down" where it does not answer.
        where: Its URL, without user or password; empty for "none".
        principal: Who the token belongs to, or None.
        role: Its role, or None.
        message: For "none" and "down": what happened, why, what to do next; else empty.
    """

    state: Literal["connected", "none", "down"]
    where: str
    principal: str | None
    role: str | None
    message: str


class LabelView(TypedDict):
    """Where a label of the prompt stands.

    Attributes:
        label: Its name.
        version: What it holds, such as "v6".
        digest: Of that version.
        seq: Sequence number of the move that put it there.
        moved_at: When.
        moved_by: By whom.
        reason: Why.
        previous: What a rollback would return to, or None.
    """

    label: str
    version: str
    digest: str
    seq: int
    moved_at: str
    moved_by: str
    reason: str
    previous: str | None


class EntryView(TypedDict):
    """One entry of the change log.

    Attributes:
        seq: Its number.
        kind: publish, move, rollback, policy, ...
        at: When.
        actor: Who.
        reason: Why; a publication's change message where it has no reason.
        sentence: What happened, such as "moved production from v5 to v6".
        label: The label moved, or None.
        before: The version it held, or None.
        after: The version it holds or that was published, or None.
    """

    seq: int
    kind: str
    at: str
    actor: str
    reason: str
    sentence: str
    label: str | None
    before: str | None
    after: str | None


class RegistryPromptView(TypedDict):
    """What the registry holds of one prompt; all lists empty where it does not know the name.

    Attributes:
        name: The prompt's name.
        versions: Published ones, the newest first.
        labels: Where its labels stand.
        log: Its newest entries (up to 50), the newest first.
    """

    name: str
    versions: list[VersionView]
    labels: list[LabelView]
    log: list[EntryView]


class ReasonView(TypedDict):
    """One line of the gate's checklist.

    Attributes:
        code: A stable word for it.
        sentence: What was looked at and found.
        next_step: What to do; empty where it is met.
        blocking: Whether it stops the move while it is not met.
        met: Whether it is.
        verdict: Present only where the line tells of evidence: the verdict of that comparison, None where there is no
            comparison.
    """

    code: str
    sentence: str
    next_step: str
    blocking: bool
    met: bool
    verdict: NotRequired[Verdict | None]


class GateView(TypedDict):
    """What the gate says to one move.

    Attributes:
        name: The prompt.
        label: The label to be moved.
        to: The version asked for, "#3" or "v7".
        target: The published version with that digest, or None where the move would publish it first.
        current: What the label holds now, or None where the label is new.
        allowed: Whether it would go through now.
        reasons: The checklist.
    """

    name: str
    label: str
    to: str
    target: str | None
    current: str | None
    allowed: bool
    reasons: list[ReasonView]


class PublishedView(TypedDict):
    """The outcome of publishing.

    Attributes:
        version: The registry's name for it, such as "v7".
        created: False where the newest version was equal, so that nothing new was made.
        restores: The older version that it equals, or None.
    """

    version: str
    created: bool
    restores: str | None


class MovedView(TypedDict):
    """The outcome of a move or a rollback.

    Attributes:
        label: The label moved.
        before: What it held, or None.
        after: What it holds now.
        published: The version that was published on the way, or None.
        seq: Sequence number of the move.
    """

    label: str
    before: str | None
    after: str
    published: str | None
    seq: int


class Change(TypedDict):
    """Something that changed outside the widget, for instance by a line of Python.

    Attributes:
        topic: "prompts" (versions, drafts), "catalog" (datasets, suites, endpoints), "runs" (a run began or was
            deleted), "run" (progress of one, `progress` given) or "registry".
        name: The prompt concerned, or None for several.
        run: The run concerned.
        progress: Where it stands.
    """

    topic: Topic
    name: NotRequired[str | None]
    run: NotRequired[str]
    progress: NotRequired[RunProgress]


@runtime_checkable
class WorkbenchSession(Protocol):
    """A workspace and perhaps a registry, as the workbench sees them. The module tells how it is called."""

    def subscribe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Has `callback` told of changes made elsewhere; returns a function that ends it.

        The callback may be called from any thread, returns at once and never raises.
        """

    def prompts(self) -> list[PromptView]:
        """Every prompt with a version or a draft, the last changed first."""

    def versions(self, name: str) -> list[VersionView]:
        """The workspace's versions of a prompt, the newest first; empty for an unknown name."""

    def unit(self, name: str, version: str) -> UnitBody:
        """A saved version's unit ("#3", or "v3" where a registry has it), for the editor and the diff.

        Raises:
            VersionNotFoundError: There is no such version.
        """

    def draft(self, name: str) -> DraftView:
        """The draft of a prompt; of a name that is not known yet, the empty starting form.

        Raises:
            InvalidNameError: The name is not one that a prompt may have.
        """

    def save_draft(self, name: str, body: UnitBody, base: str | None) -> DraftView:
        """Autosaves a draft, whatever state it is in. The body may hold errors; it only has to be JSON."""

    def discard_draft(self, name: str) -> DraftView:
        """Forgets the draft and returns what `draft` returns now."""

    def check(self, body: UnitBody) -> CheckView:
        """Looks for variables and for what would keep the draft from being saved. Never raises for a bad body."""

    def preview(self, body: UnitBody, dataset: str | None, row: int) -> PreviewView:
        """Renders a draft with a row of a dataset, or with examples and defaults where `dataset` is None.

        A body that cannot be rendered is not raised but told in `error`.

        Raises:
            DatasetNotFoundError: There is no such dataset.
        """

    def save(self, name: str, body: UnitBody, message: str, base: str | None) -> SavedView:
        """Saves a version with `base` as its parent and forgets the draft.

        Raises:
            InvalidNameError: The name is not one that a prompt may have.
            PressmarkError: Whatever `check` would have told.
        """

    def datasets(self) -> list[DatasetView]:
        """The datasets of the workspace, by name."""

    def suites(self) -> list[SuiteView]:
        """The suites of the workspace, by name."""

    def endpoints(self) -> list[EndpointView]:
        """The endpoints, the default one first. Asks no network for more than a second for the models' names."""

    def estimate(self, name: str, versions: Sequence[str], suite: str, endpoint: str) -> EstimateView:
        """What running these versions would take."""

    def start_run(
        self,
        name: str,
        versions: Sequence[str],
        suite: str,
        endpoint: str,
        on_progress: Callable[[RunProgress], None],
    ) -> str:
        """Starts a run in the background and returns its id at once.

        Args:
            name: The prompt.
            versions: The baseline first.
            suite: Name of the suite.
            endpoint: Name of the endpoint.
            on_progress: Called from any thread, as often as it suits (the widget throttles), and in the end once with
                a status other than "running". It never raises.

        Raises:
            PressmarkError: The run could not begin: empty dataset, missing column, no key, ...
        """

    def cancel_run(self, run: str) -> None:
        """Asks a run to stop and returns at once, also while another method is at work; nothing for a finished one.

        Answers that are there stay. `on_progress` tells when the run has stopped.
        """

    def runs(self, name: str) -> list[RunProgress]:
        """The runs of a prompt, the newest first, at most 50."""

    def run(self, run: str) -> RunProgress:
        """Where a run stands.

        Raises:
            RunNotFoundError: There is no such run.
        """

    def run_suite(self, run: str) -> SuiteView:
        """The suite as it was when the run began; its scorers are the grid's columns."""

    def run_order(  # noqa: PLR0917 - all of it decides the order; called by position from here only
        self,
        run: str,
        baseline: str,
        candidate: str,
        scorer: str,
        filter: RowFilter,
        sort: RowSort,
        search: str,
        slice: str | None = None,
    ) -> OrderView:
        """Which rows to show, and how many there are of each kind. Rows not answered yet are among "all".

        Args:
            run: The run.
            baseline: The version to compare with.
            candidate: The version judged.
            scorer: Whose scores decide what flipped.
            filter: "flipped" is better or worse; "errors" has an error in any version.
            sort: "row" is the dataset's order; "flipped" puts worse rows first, then better, errors, the rest;
                "change" orders by the size of the change, the worst first.
            search: Text looked for, without regard to case, in values, outputs and errors; empty for all rows.
            slice: Name of a slice as `SliceView` gives it, to leave out every row of another one; None for all.
        """

    def run_rows(self, run: str, rows: Sequence[int], baseline: str, scorer: str) -> list[RowView]:
        """These rows, in this order, texts cut short. At most 200 are asked for at once."""

    def run_row(self, run: str, row: int, baseline: str, scorer: str) -> RowView:
        """One row in full, with the rendered requests and why scores are missing."""

    def comparison(self, run: str, baseline: str, candidate: str, scorer: str) -> ComparisonView:
        """The verdict; while the run is going on a provisional one."""

    def registry(self) -> RegistryView:
        """Whether a registry is there. Never raises; returns within a few seconds where it does not answer."""

    def registry_prompt(self, name: str) -> RegistryPromptView:
        """The registry's versions, labels and newest log entries of a prompt.

        Raises:
            RegistryError: It could not be asked.
        """

    def gate(self, name: str, label: str, to: str) -> GateView:
        """What the gate would say to moving `label` to `to` ("v7", or "#3", which would be published first).

        Raises:
            RegistryError: It could not be asked.
        """

    def publish(self, name: str, version: str, reason: str) -> PublishedView:
        """Publishes a workspace version and moves no label.

        Raises:
            RegistryError: It was not published; nothing changed.
        """

    def move(self, name: str, label: str, to: str, reason: str, expected: str | None) -> MovedView:
        """Moves a label; a workspace version ("#3") is published first.

        Args:
            name: The prompt.
            label: The label.
            to: "v7" or "#3".
            reason: Why; not empty.
            expected: What the page showed the label to hold, None for a new label.

        Raises:
            ConflictError: The label has moved meanwhile.
            GateError: The gate refused; `decision` says why.
            RegistryError: Anything else. Where a version was published and only the move failed, the sentence says so.
        """

    def rollback(self, name: str, label: str, reason: str, expected: str) -> MovedView:
        """Moves a label back to what it held before, as a new entry in the log.

        Raises:
            ConflictError: The label has moved meanwhile.
            RegistryError: Anything else.
        """
