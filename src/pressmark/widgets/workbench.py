"""The workbench: one view with five panels, or fewer, over a workspace and, where there is one, a registry.

Python owns the state. Public traits can be linked with other widgets; `state_…` traits hold what the page draws, as
JSON; the page changes nothing by itself but sends named commands (`pressmark.widgets.commands`).
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import anywidget
from traitlets import Dict, Enum, List, Unicode

from pressmark.errors import PressmarkError
from pressmark.widgets.assets import asset
from pressmark.widgets.commands import command, commands_of, told
from pressmark.widgets.comparing import Comparing
from pressmark.widgets.drafting import Drafting
from pressmark.widgets.evaluating import Evaluating
from pressmark.widgets.lanes import Lane, Throttle
from pressmark.widgets.panels import State
from pressmark.widgets.protocols import Change, RowView, WorkbenchSession
from pressmark.widgets.rating import Rating
from pressmark.widgets.releasing import Releasing
from pressmark.widgets.static_form import as_html, as_text

PANELS = ("draft", "compare", "evaluate", "rate", "publish")
FIRST_LOOK_SECONDS = 10.0
FIRST_LOOK_ANSWERS = 2_000
FIRST_ROWS = 5
PICTURE_SECONDS = 2.0
IN_THE_PICTURE = [
    "panel",
    *(f"state_{each}" for each in ("versions", "draft", "compare", "verdict", "rate", "registry", "gate", "impact")),
]


def _state() -> Any:
    return Dict(default_value={"ready": False}).tag(sync=True)


class Workbench(anywidget.AnyWidget):
    """Draft, compare, evaluate and publish prompts in a notebook.

    Every public trait can be set and observed from Python and linked with other widgets. Work begun by setting one goes
    on in the background; `settle()` waits for it.

    Attributes:
        session: What is shown.
        prompt: Name of the open prompt.
        version: The candidate, such as "#3"; empty where the prompt has none yet.
        baseline: What it is compared with.
        run: Id of the run in sight, or empty.
        verdict: "better", "worse" or "cannot tell" on `version` against `baseline` once the run in sight has come to
            its end; empty before, where somebody stopped it, and where it is of other versions.
        label: The label that the Publish panel is about.
        panel: The panel in sight: draft, compare, evaluate, rate or publish.
        panels: Which there are; a view with one shows no tabs.
    """

    prompt = Unicode("").tag(sync=True)
    version = Unicode("").tag(sync=True)
    baseline = Unicode("").tag(sync=True)
    run = Unicode("").tag(sync=True)
    verdict = Unicode("").tag(sync=True)
    label = Unicode("production").tag(sync=True)
    panel = Enum(PANELS, default_value="draft").tag(sync=True)
    panels = List(Unicode(), default_value=list(PANELS)).tag(sync=True)

    state_typed = _state()
    state_prompts = _state()
    state_versions = _state()
    state_draft = _state()
    state_check = _state()
    state_preview = _state()
    state_try = _state()
    state_compare = _state()
    state_catalog = _state()
    state_evaluate = _state()
    state_runs = _state()
    state_run = _state()
    state_verdict = _state()
    state_rate = _state()
    state_registry = _state()
    state_publish = _state()
    state_gate = _state()
    state_impact = _state()
    state_client = _state()

    _still = Unicode().tag(sync=True)
    _esm = Unicode().tag(sync=True)
    _css = Unicode().tag(sync=True)

    def __init__(
        self,
        session: WorkbenchSession,
        prompt: str | None = None,
        *,
        panels: Sequence[str] = PANELS,
        scorer: str = "",
        **traits: Any,
    ) -> None:
        """Opens the workbench.

        Args:
            session: What it shows.
            prompt: The prompt to open; without one the last changed.
            panels: Which panels the view has, the first in sight unless `panel` says otherwise.
            scorer: Whose scores the run shows at first; else the suite's primary scorer.
            **traits: First values of public traits: panel, label, version, baseline, run.

        Raises:
            PressmarkError: The page was not built.
            TypeError: There is no such trait.
        """
        settable = ("panel", "label", "version", "baseline", "run")
        unknown = sorted(set(traits) - set(settable))
        if unknown:
            raise TypeError(
                f"a workbench takes no {', '.join(unknown)}: it takes session, prompt, panels, scorer,"
                f" {', '.join(settable)}"
            )
        shown = [each for each in PANELS if each in panels]
        if not shown or len(shown) != len(set(panels)) or traits.get("panel", shown[0]) not in shown:
            raise TypeError(f"the panels of a workbench are some of {', '.join(PANELS)}, and one of them is in sight")
        traits = {"panel": shown[0], **traits, "panels": shown}
        self.session = session
        self.workspace_lane = Lane("workspace")
        self.registry_lane = Lane("registry")
        self._state_lock = threading.RLock()
        self._drafting = Drafting(self)
        self._comparing = Comparing(self)
        self._evaluating = Evaluating(self, scorer)
        self._rating = Rating(self)
        self._releasing = Releasing(self)
        self._commands = {
            name: (found, getattr(owner, name))
            for owner in (
                *(self, self._drafting, self._comparing, self._evaluating, self._evaluating.verdicts, self._rating),
                *(self._releasing, self._releasing.impacts),
            )
            for name, found in commands_of(type(owner)).items()
        }
        first: dict[str, str] = {name: traits.pop(name) for name in ("version", "baseline", "run") if name in traits}
        super().__init__(_still=uuid.uuid4().hex, _esm=asset("workbench.js"), _css=asset("workbench.css"), **traits)
        self.on_msg(self._received)
        self.observe(self._on_prompt, "prompt")
        self.observe(self._on_pair, ["version", "baseline"])
        self.observe(self._on_run, "run")
        self.observe(lambda _: self._releasing.label_changed(), "label")
        self.observe(self._on_panel, "panel")
        self._unsubscribe: Callable[[], None] | None = session.subscribe(self._changed_elsewhere)
        self._picture: dict[str, str] | None = None
        self._tell_picture = Throttle(self._picture_soon, PICTURE_SECONDS)
        self.observe(lambda _: self._tell_picture(), IN_THE_PICTURE)
        self._first_run = first.get("run", "")
        self._pair_given = bool({"version", "baseline"} & set(first))
        self.workspace_lane.submit(lambda: self._begin(prompt, first))

    # State

    def state(self, which: str, /) -> State:
        """What the trait `state_WHICH` holds."""
        return dict(getattr(self, f"state_{which}"))

    def put(self, which: str, /, **changes: Any) -> None:
        """Changes keys of the trait `state_WHICH`; all of them reach the page in one message."""
        with self._state_lock:
            setattr(self, f"state_{which}", {**getattr(self, f"state_{which}"), **changes})

    def settle(self, seconds: float = 10.0) -> bool:
        """Waits until all that was begun is done, runs and the registry aside.

        Args:
            seconds: How long at most.

        Returns:
            Whether it is done.
        """
        until = time.monotonic() + seconds
        lanes = (self.workspace_lane.settle, self._evaluating.settle, self.workspace_lane.settle)
        done = all(settled(max(0.0, until - time.monotonic())) for settled in lanes)
        self._tell_picture.flush()
        return self.workspace_lane.settle(max(0.0, until - time.monotonic())) and done

    # What happens

    def _begin(self, prompt: str | None, first: dict[str, str]) -> None:
        self._attempt(self._drafting.load_prompts, "prompts")
        if self._has("draft", "evaluate"):
            self._attempt(self._evaluating.load_catalog, "catalog")
        prompts = self.state("prompts").get("items", [])
        name = prompt or (prompts[0]["name"] if prompts else "")
        if name:
            with self.hold_trait_notifications():
                self.prompt = name
                for trait, value in first.items():
                    setattr(self, trait, value)
        else:
            self._show_nothing()

    def _has(self, *panels: str) -> bool:
        """Whether the view has one of these panels: what no panel shows is not asked for."""
        return not set(panels).isdisjoint(self.panels)

    @property
    def _of_one_run(self) -> bool:
        """Whether it is a view of one run: that stays with the run and its versions when there are newer ones."""
        return bool(self._first_run) and len(self.panels) < len(PANELS)

    def _show_nothing(self) -> None:
        """Without a prompt every panel says what to do first."""
        self.put("versions", ready=True, name="", items=[])
        self.put("runs", ready=True, name="", items=[])
        for which in ("run", "verdict", "compare", "rate"):
            self.put(which, ready=True)
        if self._has("publish"):
            self._releasing.registry_soon()

    def _on_prompt(self, change: dict[str, Any]) -> None:
        name = change["new"]
        self.workspace_lane.submit(lambda: self._attempt(lambda: self._open(name), "draft"))

    def _open(self, name: str) -> None:
        if name != self.prompt:
            return
        self.put("preview", dataset=None, row=0, chosen=False)
        self._drafting.load_versions(name)
        versions = self._drafting.versions_named()
        if self.version not in versions:
            self.version = versions[0] if versions else ""
        if self.baseline not in versions or self.baseline == self.version:
            older = [each for each in versions if each != self.version]
            self.baseline = older[0] if older else self.version
        if self._has("draft"):
            self._attempt(lambda: self._drafting.load_draft(name), "draft")
        if self._has("evaluate"):
            self._evaluating.prompt_changed()
        if self._has("evaluate", "rate"):
            self._open_run(name)
        if self._has("compare"):
            self._comparing.reload()
        if self._has("evaluate"):
            self._evaluating.versions_changed()
        if self._has("publish"):
            if not self.version:  # nothing of a workspace to publish: the registry's own versions are left
                self._releasing.version_changed()
            self._releasing.registry_soon()

    def _open_run(self, name: str) -> None:
        runs = self._evaluating.load_runs(name)
        # A view of one run keeps to it, whether or not it is among those that are listed.
        known = {self._first_run, *(each["run"] for each in runs)} - {""}
        run = self.run if self.run in known else (runs[0]["run"] if runs else "")
        run_has = next((each["versions"] for each in runs if each["run"] == run), [])
        # A run of older versions is shown as it is; the newest version stays the one to go on with.
        keeps = self._pair_given or self.version not in run_has
        self._evaluating.keeps_pair, self._pair_given = (run if keeps else ""), False
        self.run = run
        if self._has("evaluate"):
            self._evaluating.run_soon()
        self._rating.load_soon()

    def _on_pair(self, change: dict[str, Any]) -> None:
        if self._has("compare"):
            self._comparing.reload()
        if self._has("evaluate"):
            self._evaluating.versions_changed()
        if change["name"] == "version" and self._has("publish"):
            self._releasing.version_changed()

    def _on_run(self, change: dict[str, Any]) -> None:
        if self._has("evaluate"):
            self._evaluating.run_soon()
        self._rating.load_soon()

    def _on_panel(self, change: dict[str, Any]) -> None:
        if change["new"] == "publish":
            self._releasing.registry_soon()
        elif change["new"] == "evaluate" and not self.state("evaluate").get("estimate"):
            self._evaluating.estimate_soon()
        elif change["new"] == "rate":
            self._rating.load_soon()

    def _changed_elsewhere(self, change: Change) -> None:
        name = change.get("name")
        if change["topic"] == "run":
            if self._has("evaluate"):
                self._evaluating.progressed(change["progress"])
            if change["progress"]["status"] != "running" and change["progress"]["run"] == self.run:
                self._rating.load_soon()
        elif change["topic"] == "ratings":
            if change.get("run") == self.run:
                self._rating.load_soon()
        elif change["topic"] == "registry" and self._has("publish"):
            self._releasing.registry_soon()
        elif change["topic"] == "client" and self._has("publish"):
            self._releasing.client_news()
        elif change["topic"] == "catalog" and self._has("draft", "evaluate"):
            self.workspace_lane.submit(lambda: self._attempt(self._evaluating.load_catalog, "catalog"), key="catalog")
        elif change["topic"] == "prompts":
            self.workspace_lane.submit(lambda: self._attempt(self._prompts_again, "prompts"), key="prompts")
        elif change["topic"] == "runs" and name in (None, self.prompt) and self._has("evaluate", "rate"):
            began = change.get("run")
            self.workspace_lane.submit(lambda: self._attempt(lambda: self._runs_again(began), "runs"), key="runs")

    def _prompts_again(self) -> None:
        known = self._drafting.versions_named()
        self._drafting.load_prompts()
        if not self.prompt:
            items = self.state("prompts")["items"]
            self.prompt = items[0]["name"] if items else ""
            return
        self._drafting.load_versions(self.prompt)
        versions = self._drafting.versions_named()
        if versions and versions != known:
            if self._has("draft") and not self.state("draft").get("unsaved"):
                self._drafting.load_draft(self.prompt)
            if not self._of_one_run:
                self.baseline, self.version = (versions[1] if len(versions) > 1 else versions[0]), versions[0]

    def _runs_again(self, told: str | None) -> None:
        """Lists the runs anew, and shows the newest one where it is the one told of: not that of another notebook."""
        shown = self.state("run").get("progress")
        runs = self._evaluating.load_runs(self.prompt)
        if self._of_one_run:
            return
        newest = runs[0]["run"] if runs else ""
        deleted = self.run and self.run not in {each["run"] for each in runs}
        if deleted or (newest == told != self.run and not (shown and shown["status"] == "running")):
            self.run = newest

    def _attempt(self, job: Any, fills: str) -> None:
        try:
            job()
        except Exception as error:  # noqa: BLE001 - told in the panel; the lane goes on
            self.put(fills, ready=True, error=told(error))

    # The page

    @command(lane="now")
    def show(self, panel: str) -> None:
        """Brings a panel to the front."""
        if panel not in self.panels:
            raise PressmarkError(f"this view has no panel {panel!r:.60}: it has {', '.join(self.panels)}")
        self.panel = panel

    @command(lane="now")
    def keep(self, field: str, text: str) -> None:
        """Keeps what is typed into a field and not sent yet, for a page that is loaded again."""
        others = {name: kept for name, kept in self.state("typed").get("fields", {}).items() if name != field}
        self.put("typed", ready=True, fields={**others, **({field: text} if text else {})})

    @command(lane="now")
    def ping(self) -> None:
        """Answers, so that the page knows that the kernel is there."""

    def _received(self, widget: Any, content: Any, buffers: list[bytes]) -> None:
        if not isinstance(content, dict) or content.get("kind") != "command":
            return
        number, name = content.get("id"), content.get("command")
        if not isinstance(name, str) or name not in self._commands:
            refused = PressmarkError(
                f"the workbench knows no command {name!r:.60}: the page and the kernel run different versions of "
                "Pressmark; restart the kernel and reload the page"
            )
            self._reply(number, ok=False, error=told(refused))
            return
        found, method = self._commands[name]
        args = content.get("args")
        args = args if isinstance(args, dict) else {}

        def job() -> None:
            try:
                value = method(**found.checked(content.get("args", {})))
            except Exception as error:  # noqa: BLE001 - the page shows it where the command came from
                self._reply(number, ok=False, error=told(error))
            else:
                self._reply(number, ok=True, value=value)

        if found.lane == "now":
            job()
            return
        lanes = {"registry": self.registry_lane, "comparison": self._evaluating.verdicts.lane}
        lanes.get(found.lane, self.workspace_lane).submit(
            job,
            # A page's newer call makes its own older one pointless, never that of another page or prompt.
            key=repr([name, args.get("view"), args.get("name")]) if found.latest else None,
            dropped=lambda: self._reply(number, ok=True, value=None),
        )

    def _reply(self, number: Any, **rest: Any) -> None:
        self.send({"kind": "reply", "id": number, **rest})

    # Outside a live page

    @property
    def still(self) -> str:
        """What ties the still picture to its live view, which hides it."""
        return str(self._still)

    def _ipython_display_(self) -> None:
        """Shows the view, and the still picture as an output of its own below it.

        JupyterLab takes a view for the best form of an output even where its model is gone, as in a notebook that was
        reopened, and shows no other form then. So the picture is an output of its own; a live view hides it, and it is
        drawn anew as work goes on, so that the notebook keeps how things stood in the end. The view comes first: it
        stands and answers while the picture waits for what it shows.
        """
        from IPython.display import display

        bundle = super()._repr_mimebundle_()
        if bundle is None:
            return
        data, metadata = bundle
        display({**data, "text/plain": ""}, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]
        self._picture = self._first_picture()
        display(self._picture, raw=True, display_id=self.still)  # type: ignore[no-untyped-call]

    def _picture_soon(self) -> None:
        self.workspace_lane.submit(lambda: self._attempt(self._redraw_picture, "verdict"), key="picture")

    def _redraw_picture(self) -> None:
        from IPython.display import display

        verdicts = self.state("verdict").get("items") or [{"provisional": False}]
        if self._picture is None or verdicts[0]["provisional"]:
            return
        picture = self._draw_picture(self._evaluating.first_rows(FIRST_ROWS))
        if picture != self._picture:
            self._picture = picture
            display(picture, raw=True, display_id=self.still, update=True)  # type: ignore[no-untyped-call]

    def _draw_picture(self, rows: list[RowView]) -> dict[str, str]:
        return {"text/html": as_html(self, rows), "text/plain": as_text(self, rows)}

    def _first_picture(self) -> dict[str, str]:
        """The still picture with what is there soon.

        Until a cell has ended, a page of it may go without answers: what takes long is drawn into the picture later.
        """
        until = time.monotonic() + FIRST_LOOK_SECONDS
        self.workspace_lane.settle(FIRST_LOOK_SECONDS)
        progress = self.state("run").get("progress")
        if progress and progress["total"] > FIRST_LOOK_ANSWERS:
            return self._draw_picture([])
        self._evaluating.verdicts.lane.settle(max(0.0, until - time.monotonic()))
        rows = self.workspace_lane.value(lambda: self._evaluating.first_rows(FIRST_ROWS), FIRST_LOOK_SECONDS) or []
        return self._draw_picture(rows)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        return {**data, **self._first_picture()}, metadata

    def close(self) -> None:
        """Ends the view and its threads; a run that goes on is not stopped."""
        unsubscribe, self._unsubscribe = getattr(self, "_unsubscribe", None), None
        if unsubscribe is not None:  # a widget is closed again when it is collected
            unsubscribe()
            self._drafting.close()
            self._releasing.close()
            self.workspace_lane.close()
            self.registry_lane.close()
            self._evaluating.close()
        super().close()
