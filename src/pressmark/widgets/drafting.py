"""The Draft panel's half in Python: the prompt that is open, its draft, what a look at it finds, and saving it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, cast

from pressmark.errors import DraftConflictError, PressmarkError
from pressmark.widgets.commands import command, told
from pressmark.widgets.lanes import Throttle
from pressmark.widgets.panels import Desk, Panel, State
from pressmark.widgets.proposing import proposed
from pressmark.widgets.protocols import DatasetView, DraftView, PreviewView, TryView, UnitBody, VariableView

TELL_SECONDS = 0.1


class Drafting(Panel):
    """Prompts, versions and the draft. A draft is autosaved with every edit that the page sends."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._tries = 0
        self._stop_try: Callable[[], None] | None = None

    def load_prompts(self) -> None:
        """Fills the list of prompts."""
        self.desk.put("prompts", ready=True, error=None, items=self.session.prompts())

    def load_versions(self, name: str) -> None:
        """Fills the list of versions."""
        self.desk.put("versions", ready=True, error=None, name=name, items=self.session.versions(name))

    def load_draft(self, name: str) -> None:
        """Fills the draft and everything that is derived from it."""
        self._show(self.session.draft(name), by="")

    def versions_named(self) -> list[str]:
        """The open prompt's versions, the newest first."""
        return [each["version"] for each in self.desk.state("versions").get("items", [])]

    def _show(self, draft: DraftView, by: str) -> None:
        revision = self.desk.state("draft").get("revision", 0) + 1
        proposal = self._proposal(draft["name"], draft["body"], draft["base"]) if draft["unsaved"] else ""
        self.desk.put("draft", ready=True, error=None, by=by, revision=revision, proposal=proposal, **draft)
        self._look(draft["body"])

    def _proposal(self, name: str, body: UnitBody, base: str | None) -> str:
        """A change message from the difference to the version that the draft was begun from."""
        try:
            return proposed(self.session.unit(name, base) if base else None, body)
        except PressmarkError:
            return ""  # the base is gone: nothing to compare with

    def _look(self, body: UnitBody) -> None:
        found = self.session.check(body)
        self.desk.put("check", ready=True, error=None, **found)
        self._preview(body, found["variables"])

    def _preview(self, body: UnitBody, variables: list[VariableView]) -> None:
        chosen = self.desk.state("preview")
        dataset, row = chosen.get("dataset"), chosen.get("row", 0)
        if dataset is None and not chosen.get("chosen"):
            # Once found it stays: a template that cannot be read for a moment has no variables to go by.
            dataset, row = self._fitting_dataset(variables), 0
        view: PreviewView | None = None
        error: State | None = None
        try:
            view = self.session.preview(body, dataset, row, self.desk.state("evaluate").get("endpoint") or "")
        except Exception as raised:  # noqa: BLE001 - a preview that fails leaves the rest of the panel as it is
            error = told(raised)
        self.desk.put("preview", ready=True, error=error, dataset=dataset, row=row, view=view)

    def _fitting_dataset(self, variables: list[VariableView]) -> str | None:
        """The first dataset that has a column for every required variable."""
        wanted = {each["name"] for each in variables if each["used"] and each["required"]}
        datasets: list[DatasetView] = self.desk.state("catalog").get("datasets", [])
        fitting = [each["name"] for each in datasets if each["rows"] and wanted <= set(each["columns"])]
        return fitting[0] if wanted and fitting else None

    @command(latest=True)
    def edit(self, view: str, name: str, body: UnitBody, base: str | None, changes: int | None = None) -> State:
        """Autosaves what was typed and looks at it; `view` names the page that typed: only others have to follow.

        `changes` is the count of changes that the page saw; the answer is the count now.
        """
        try:
            draft = self.session.save_draft(name, body, base, changes, view)
        except DraftConflictError:
            if name == self.desk.prompt:
                self._show(self.session.draft(name), by="")
            raise
        if name == self.desk.prompt:
            self._show(draft, by=view)
        return {"changes": draft["changes"]}

    @command()
    def undo(self, by: int) -> None:
        """Undoes so many steps of the draft (negative), or does them again."""
        self._show(self.session.walk_draft(self.desk.prompt, by), by="")

    @command()
    def reload_draft(self) -> None:
        """Shows what another process made of the draft meanwhile."""
        draft = self.session.draft(self.desk.prompt)
        if draft["changes"] != self.desk.state("draft").get("changes"):
            self._show(draft, by="")

    @command()
    def delete_draft(self) -> None:
        """Deletes the draft and all its steps."""
        self._show(self.session.delete_draft(self.desk.prompt), by="")
        self.load_prompts()

    @command()
    def read_version(self, version: str) -> State:
        """The unit of a version, to hold the draft against."""
        return cast(State, self.session.unit(self.desk.prompt, version))

    @command()
    def try_once(self) -> None:
        """Has the draft answered for the row of the preview; what comes is told in `state_try`."""
        draft, preview = self.desk.state("draft"), self.desk.state("preview")
        if draft.get("body") is None:
            raise PressmarkError("there is no draft to try: open a prompt first")
        self._stop_trying()
        self._tries += 1
        telling = _Telling(self.desk, self._tries)
        self._stop_try = self.session.try_once(
            cast(UnitBody, draft["body"]),
            preview.get("dataset"),
            preview.get("row", 0),
            self.desk.state("evaluate").get("endpoint") or "",
            telling.tell,
        )

    @command(lane="now")
    def stop_try(self) -> None:
        """Stops it; what came until then stays in sight."""
        self._stop_trying()

    def _stop_trying(self) -> None:
        stop, self._stop_try = self._stop_try, None
        if stop is not None:
            stop()

    def close(self) -> None:
        """Nobody looks at the answer any more."""
        self._stop_trying()

    @command(latest=True)
    def example_rows(self, dataset: str, search: str, offset: int, limit: int) -> State:
        """A page of rows to choose examples from."""
        return cast(State, self.session.example_rows(dataset, search, max(0, offset), min(max(1, limit), 200)))

    @command()
    def examples(self, body: UnitBody, dataset: str, rows: list[int], answer: str, form: str) -> State:
        """Rows as messages, or as a text, for the page to insert."""
        chosen: Literal["messages", "text"] = "text" if form == "text" else "messages"
        return cast(State, self.session.examples(body, dataset, rows, answer, chosen))

    @command()
    def weigh_dataset(self, dataset: str) -> State:
        """What deleting a dataset would take away."""
        return cast(State, self.session.weigh_dataset(dataset))

    @command()
    def delete_dataset(self, dataset: str, reason: str, runs: bool) -> State:
        """Deletes a dataset and compacts the file."""
        done = self.session.delete_dataset(dataset, reason, runs)
        if self.desk.state("preview").get("dataset") == dataset:
            self.choose_preview(None, 0)
        return cast(State, done)

    @command()
    def weigh_file(self) -> State:
        """How large the workspace file is, and about what compacting would leave of it."""
        return cast(State, self.session.weigh_file())

    @command()
    def compact(self) -> State:
        """Rewrites the workspace file without what was deleted."""
        return cast(State, self.session.compact())

    @command()
    def start_from(self, version: str) -> None:
        """Makes the draft equal to a version, with that version as its base."""
        name = self.desk.prompt
        body = self.session.unit(name, version)
        self._show(self.session.save_draft(name, body, version, None, f"start {version}"), by="")

    @command()
    def discard_draft(self) -> None:
        """Forgets what was not saved as a version."""
        self._show(self.session.discard_draft(self.desk.prompt), by="")
        self.load_prompts()

    @command()
    def choose_preview(self, dataset: str | None, row: int) -> None:
        """Shows the preview on this row."""
        self.desk.put("preview", dataset=dataset, row=max(row, 0), chosen=True)
        draft = self.desk.state("draft")
        if draft.get("body") is not None:
            self._preview(cast(UnitBody, draft["body"]), self.desk.state("check").get("variables", []))

    @command()
    def open_prompt(self, name: str) -> None:
        """Opens a prompt; a name that is not known yet begins a new one."""
        self.session.draft(name)  # a forbidden name is refused here, before anything changes
        self.desk.prompt = name

    @command()
    def save(self, view: str, name: str, body: UnitBody, message: str, base: str | None) -> State:
        """Saves a version from what the page shows; without a message, one is made from what changed."""
        before = self.versions_named()
        saved = self.session.save(name, body, message.strip() or self._proposal(name, body, base), base)
        self.load_prompts()
        self.load_versions(name)
        self._show(self.session.draft(name), by=view)
        if saved["created"] and before:
            self.desk.baseline = base if base in before else before[0]
        self.desk.version = saved["version"]
        return cast(State, saved)


class _Telling:
    """Puts a try into the state, a few times a second; one that a newer try has overtaken is told no more."""

    def __init__(self, desk: Desk, number: int) -> None:
        self._desk = desk
        self._number = number
        self._last: TryView | None = None
        self._throttle = Throttle(self._put, TELL_SECONDS)

    def tell(self, view: TryView) -> None:
        """Takes how far it has come."""
        self._last = view
        if view["status"] in ("asking", "answering"):
            self._throttle()
        else:
            self._throttle.flush()

    def _put(self) -> None:
        if self._last is not None and self._desk.state("try").get("number", 0) <= self._number:
            self._desk.put("try", ready=True, error=None, number=self._number, view=self._last)
