"""Prompts, versions and drafts: what the panels Draft and Compare show, and the part of a session that knows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NotRequired, Protocol, TypedDict


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
        changes: How often the draft was changed: who edits says which count they saw, so that nobody overwrites what
            they have not seen.
        undo: How many steps can be undone.
        redo: How many can be done again.
        place: What stands for the workspace where a browser keeps what it could not hand over.
    """

    name: str
    body: UnitBody
    base: str | None
    saved_at: str | None
    unsaved: bool
    changes: int
    undo: int
    redo: int
    place: str


class CheckError(TypedDict):
    """One thing that keeps a draft from being saved.

    Attributes:
        message: What is wrong and what to do, as a sentence.
        line: From 1, inside the part that `where` names, or None.
        column: From 1, or None.
        where: `messages.0`, `text`, `variables.NAME`, `model`, `params`, `tools`, `tool_choice`, `response_format`,
            `inputs`, or empty for the draft as a whole.
        path: The way to the place inside the JSON of that part, where it is JSON.
    """

    message: str
    line: int | None
    column: int | None
    where: str
    path: NotRequired[list[str | int]]


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


class CallEstimateView(TypedDict):
    """What sending the preview would take.

    Attributes:
        tokens_in: Tokens of the request.
        tokens_out: Tokens of the answer, or None where nothing says how long answers are.
        cost: US dollars, or None where that is not known.
        basis: What this is estimated from, in words.
    """

    tokens_in: int
    tokens_out: int | None
    cost: float | None
    basis: str


class TryView(TypedDict):
    """One answer, asked for while drafting; part of no run and kept nowhere.

    Attributes:
        status: asking, answering, done, stopped or failed.
        text: What came so far.
        endpoint: Where it was asked.
        dataset: Whose row filled the variables, or None for examples.
        row: Which row.
        seconds: Since it began.
        ttft: Seconds to the first token, or None before it.
        tokens_in: As the endpoint counted them, or None.
        tokens_out: Likewise.
        cost: US dollars, or None where the price is not known.
        model: The model that was served.
        finish_reason: Why the answer ended, as the endpoint says it.
        error: Why it failed, as the page shows errors, or None.
    """

    status: Literal["asking", "answering", "done", "stopped", "failed"]
    text: str
    endpoint: str
    dataset: str | None
    row: int | None
    seconds: float
    ttft: float | None
    tokens_in: int | None
    tokens_out: int | None
    cost: float | None
    model: str | None
    finish_reason: str | None
    error: dict[str, Any] | None


class ExampleRowView(TypedDict):
    """A row that may become an example.

    Attributes:
        row: Its number, from 0.
        values: Its columns as short text.
        held: Whether prompts are judged by it, so that none may show it.
    """

    row: int
    values: dict[str, str]
    held: bool


class ExampleRowsView(TypedDict):
    """A page of rows to choose examples from.

    Attributes:
        dataset: Whose.
        columns: Their names.
        total: How many rows fit the search.
        held: How many rows of the dataset are held out.
        rows: Those of this page.
    """

    dataset: str
    columns: list[str]
    total: int
    held: int
    rows: list[ExampleRowView]


class ExamplesView(TypedDict):
    """Rows as examples.

    Attributes:
        messages: Pairs of a user's and an assistant's message, as templates; empty where a text was asked for.
        text: The same as one text; empty where messages were asked for.
    """

    messages: list[dict[str, str]]
    text: str


class DeletionView(TypedDict):
    """What deleting a dataset would take away.

    Attributes:
        dataset: Its name.
        versions: How many versions it has.
        rows: Rows of the newest.
        suites: Suites on it, which go too.
        runs: Runs on it, which go where asked.
        outputs: Their outputs.
        also_in: Other datasets that hold some of its rows or values, or were made by SQL since, and stay.
        bytes: The file's size now.
    """

    dataset: str
    versions: int
    rows: int
    suites: list[str]
    runs: int
    outputs: int
    also_in: list[str]
    bytes: int


class CompactedView(TypedDict):
    """What compacting the file came to, or would come to.

    Attributes:
        before: Bytes of the file before it.
        after: Bytes of the file after it.
    """

    before: int
    after: int


class PreviewView(TypedDict):
    """A draft rendered with one row of a dataset, or with its examples.

    Attributes:
        messages: What the model would be sent: `role` and `content` as text (JSON where it is not a string); for a text
            prompt one entry with the role "text".
        values: The variables' values as short text, by name.
        row: The row rendered, from 0, or None for examples.
        rows: How many rows the dataset has.
        error: Why nothing could be rendered, or None.
        estimate: What sending this would take; None where there is no endpoint or nothing to send.
    """

    messages: list[dict[str, str]]
    values: dict[str, str]
    row: int | None
    rows: int
    error: CheckError | None
    estimate: CallEstimateView | None


class DraftingSession(Protocol):
    """The part of a session that drafts and saves."""

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

    def save_draft(
        self, name: str, body: UnitBody, base: str | None, changes: int | None = None, view: str = ""
    ) -> DraftView:
        """Autosaves a draft, whatever state it is in. The body may hold errors; it only has to be JSON.

        `changes` is the count that the page saw, `view` names it: what one page types in a moment is one step.

        Raises:
            DraftConflictError: Another hand changed it since; the body is kept as the step before.
        """

    def walk_draft(self, name: str, by: int) -> DraftView:
        """Undoes so many steps (negative), or does them again."""

    def discard_draft(self, name: str) -> DraftView:
        """Ends the draft, which can be undone, and returns what `draft` returns now."""

    def delete_draft(self, name: str) -> DraftView:
        """Forgets the draft and all its steps, and returns what `draft` returns now."""

    def weigh_dataset(self, dataset: str) -> DeletionView:
        """What deleting a dataset would take away."""

    def delete_dataset(self, dataset: str, reason: str, runs: bool) -> CompactedView:
        """Deletes a dataset with the suites on it, its runs too where asked, and compacts the file."""

    def weigh_file(self) -> CompactedView:
        """The file's size now, and about what compacting would leave of it."""

    def compact(self) -> CompactedView:
        """Rewrites the file without what was deleted."""

    def try_once(
        self, body: UnitBody, dataset: str | None, row: int, endpoint: str, tell: Callable[[TryView], None]
    ) -> Callable[[], None]:
        """Has a draft answered once, without waiting for it; returns what stops it.

        `tell` is called from another thread with every piece of the answer and returns at once.

        Raises:
            PressmarkError: The draft cannot be sent, or there is no such endpoint or key.
        """

    def example_rows(self, dataset: str, search: str, offset: int, limit: int) -> ExampleRowsView:
        """A page of a dataset's rows, to choose examples from."""

    def examples(
        self, body: UnitBody, dataset: str, rows: list[int], answer: str, form: Literal["messages", "text"]
    ) -> ExamplesView:
        """Rows as examples for a draft.

        Raises:
            DatasetError: A row is held out, or there is no such row or column.
        """

    def check(self, body: UnitBody) -> CheckView:
        """Looks for variables and for what would keep the draft from being saved. Never raises for a bad body."""

    def preview(self, body: UnitBody, dataset: str | None, row: int, endpoint: str = "") -> PreviewView:
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
