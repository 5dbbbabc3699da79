"""A workspace and registry in memory, behind the protocol that the workbench speaks: for tests and the harness page."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import jinja2
import jinja2.meta
import jinja2.sandbox

from pressmark.errors import (
    ConflictError,
    DatasetNotFoundError,
    DraftConflictError,
    EndpointError,
    GateError,
    InvalidNameError,
    InvalidUnitError,
    RegistryUnavailableError,
    TemplateError,
    VersionNotFoundError,
    WorkspaceError,
)
from pressmark.widgets.protocols import (
    AffectedView,
    Change,
    ChangeAsked,
    ChangePlanView,
    ChangeProgressView,
    CheckError,
    CheckView,
    ClientView,
    CompactedView,
    DeletionView,
    DraftView,
    EntryView,
    ExampleRowsView,
    ExamplesView,
    GateView,
    ImpactView,
    LabelView,
    MovedView,
    PreviewView,
    PromptView,
    PublishedView,
    RegistryPromptView,
    RegistryView,
    SavedView,
    SubmittedView,
    TryView,
    UnitBody,
    VersionView,
)

from .ratings import MemoryRatings
from .running import MemoryRun, MemoryRuns
from .shop import CATEGORIES, FIRST, SCHEMA, SECOND, THIRD, rows_of, short

NAME = re.compile(r"^[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*$")
ENVIRONMENT = jinja2.sandbox.ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def empty_body() -> UnitBody:
    """The form that a new prompt starts from."""
    return {
        "kind": "chat",
        "messages": [{"role": "system", "content": ""}, {"role": "user", "content": ""}],
        "text": "",
        "variables": {},
        "model": "",
        "params": {},
        "tools": None,
        "tool_choice": None,
        "response_format": None,
        "inputs": {},
    }


def _triage(system: str, **changes: Any) -> UnitBody:
    return cast(
        UnitBody,
        {
            **empty_body(),
            "messages": [
                {"role": "system", "content": system},
                {"role": "user", "content": "Message from {{ channel }}:\n\n{{ text }}"},
            ],
            "variables": {"channel": {"type": "string", "default": "mail"}},
            "model": "practice-1",
            "params": {"temperature": 0},
            **changes,
        },
    )


class MemorySession(MemoryRuns, MemoryRatings):
    """Everything in lists; runs answer by themselves in a thread, deterministically.

    Args:
        prompts: Whether there are any, with versions, datasets and suites.
        rows: Rows of the dataset.
        registry: connected, none or down.
        delay: Seconds a row of a run takes.
        finished_run: Whether a run is there from the start.
        hostile: Whether texts try to be HTML and script.
        stops_at: The row at which a run stops by itself, or None.
        refuses: Why a run cannot be planned, or empty.
        name: What the prompt with the versions is called.
    """

    def __init__(
        self,
        *,
        prompts: bool = True,
        rows: int = 240,
        registry: str = "connected",
        delay: float = 0.0,
        finished_run: bool = True,
        hostile: bool = False,
        stops_at: int | None = None,
        refuses: str = "",
        name: str = "support/triage",
    ) -> None:
        self.hostile = hostile
        self.stops_at = stops_at
        self.refuses = refuses
        self.name = name
        self.delay = delay
        self.registry_state = registry
        self.asked: list[str] = []
        self._watchers: list[Callable[[Change], None]] = []
        self._units: dict[str, list[tuple[VersionView, UnitBody]]] = {}
        self._drafts: dict[str, tuple[UnitBody, str | None, str]] = {}
        self._changes: dict[str, int] = {}
        self._published: dict[str, list[tuple[VersionView, UnitBody]]] = {}
        self._labels: dict[str, dict[str, list[str]]] = {}
        self._log: dict[str, list[EntryView]] = {}
        self._runs: dict[str, MemoryRun] = {}
        self._clock = itertools.count()
        self._seq = itertools.count(1)
        self.with_data = prompts
        self.data = rows_of(rows, hostile) if prompts else []
        self.withheld: list[str] = []
        if prompts:
            self._fill(finished_run)

    def _fill(self, finished_run: bool) -> None:
        self.save(self.name, _triage(FIRST), "First cut", None)
        self.save(self.name, _triage(SECOND), "Name the categories, say which one wins", "#1")
        third = _triage(THIRD, response_format=SCHEMA, params={"temperature": 0, "max_tokens": 200})
        third["variables"]["categories"] = {"type": "list", "default": list(CATEGORIES)}
        self.save(self.name, third, "Ask for JSON", "#2")
        answer = empty_body()
        answer["messages"][0]["content"] = "Answer in the tone of {{ brand }}."
        self.save("support/answer", answer, "Begin", None)
        self.save("legal/summary", empty_body() | {"kind": "text", "text": "Sum up: {{ document }}"}, "Begin", None)  # type: ignore[arg-type]
        if self.registry_state != "none":
            state, self.registry_state = self.registry_state, "connected"
            self.move(self.name, "production", "#1", "go live", None)
            self.move(self.name, "production", "#2", "names the categories: 9 points better on 240 rows", "v1")
            self.move(self.name, "staging", "v2", "soak over the weekend", None)
            self.registry_state = state
        if finished_run:
            delay, self.delay = self.delay, 0.0
            run = self.start_run(self.name, ["#2", "#3"], "triage/basics", "practice", lambda progress: None)
            self._runs[run].thread.join(60)
            self.delay = delay

    def now(self) -> str:
        """A clock that goes on by a minute with each look."""
        return (NOW - timedelta(hours=30) + timedelta(minutes=11 * next(self._clock))).isoformat()

    def tell(self, change: Change) -> None:
        """Has the watchers told."""
        for watcher in list(self._watchers):
            watcher(change)

    def subscribe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        self._watchers.append(callback)
        return lambda: self._watchers.remove(callback)

    # Drafting

    def prompts(self) -> list[PromptView]:
        self.asked.append("prompts")
        names = list(dict.fromkeys([*self._drafts, *self._units]))
        return [
            {
                "name": name,
                "versions": len(self._units.get(name, [])),
                "latest": self._units[name][-1][0]["version"] if self._units.get(name) else None,
                "updated_at": self._units[name][-1][0]["created_at"] if self._units.get(name) else None,
                "draft": self.draft(name)["unsaved"],
            }
            for name in names
        ]

    def versions(self, name: str) -> list[VersionView]:
        held = {
            each[0]["digest"]: (each[0]["version"], label)
            for label, history in self._labels.get(name, {}).items()
            for each in self._published.get(name, [])
            if each[0]["version"] == history[-1]
        }
        found = []
        for view, _ in reversed(self._units.get(name, [])):
            labels = [label for digest, (_, label) in held.items() if digest == view["digest"]]
            found.append(cast(VersionView, {**view, "labels": labels}))
        return found

    def unit(self, name: str, version: str) -> UnitBody:
        for view, body in [*self._units.get(name, []), *self._published.get(name, [])]:
            if view["version"] == version:
                return deepcopy(body)
        raise VersionNotFoundError(
            f"{name} has no version {version}: it has "
            f"{', '.join(view['version'] for view, _ in self._units.get(name, [])) or 'none'}; choose one of them"
        )

    def draft(self, name: str) -> DraftView:
        if not NAME.match(name):
            raise InvalidNameError(
                f"{name!r} cannot name a prompt: use small letters, digits and . _ - between them, joined by /"
            )
        newest = self._units.get(name, [])
        stands: Any = {"changes": self._changes.get(name, 0), "undo": 0, "redo": 0, "place": "memory"}
        if name in self._drafts:
            body, base, saved_at = self._drafts[name]
            unsaved = body != (self.unit(name, base) if base else empty_body())
            return {
                **stands,
                "name": name,
                "body": deepcopy(body),
                "base": base,
                "saved_at": saved_at,
                "unsaved": unsaved,
            }
        return {
            **stands,
            "name": name,
            "body": deepcopy(newest[-1][1]) if newest else empty_body(),
            "base": newest[-1][0]["version"] if newest else None,
            "saved_at": None,
            "unsaved": False,
        }

    def save_draft(
        self, name: str, body: UnitBody, base: str | None, changes: int | None = None, view: str = ""
    ) -> DraftView:
        self.asked.append("save_draft")
        self.draft(name)
        before = self._changes.get(name, 0)
        if changes is not None and changes != before:
            raise DraftConflictError(f"the draft of {name!r} was changed elsewhere", revision=before)
        self._changes[name] = before + 1
        self._drafts[name] = (deepcopy(body), base, self.now())
        return self.draft(name)

    def discard_draft(self, name: str) -> DraftView:
        self._drafts.pop(name, None)
        return self.draft(name)

    def walk_draft(self, name: str, by: int) -> DraftView:
        raise WorkspaceError("this stand-in keeps no steps")

    def delete_draft(self, name: str) -> DraftView:
        return self.discard_draft(name)

    def weigh_dataset(self, dataset: str) -> DeletionView:
        raise DatasetNotFoundError(f"this stand-in deletes no dataset, {dataset!r} neither")

    def delete_dataset(self, dataset: str, reason: str, runs: bool) -> CompactedView:
        raise DatasetNotFoundError(f"this stand-in deletes no dataset, {dataset!r} neither")

    def weigh_file(self) -> CompactedView:
        return {"before": 0, "after": 0}

    def compact(self) -> CompactedView:
        raise WorkspaceError("this stand-in has no file to compact")

    def try_once(
        self, body: UnitBody, dataset: str | None, row: int, endpoint: str, tell: Callable[[TryView], None]
    ) -> Callable[[], None]:
        raise EndpointError("this stand-in asks no model")

    def example_rows(self, dataset: str, search: str, offset: int, limit: int) -> ExampleRowsView:
        found = [number for number, row in enumerate(self.data) if search in json.dumps(row)]
        return {
            "dataset": dataset,
            "columns": ["channel", "text", "category"],
            "total": len(found),
            "held": 0,
            "rows": [
                {"row": at, "values": {name: short(value) for name, value in self.data[at].items()}, "held": False}
                for at in found[offset : offset + limit]
            ],
        }

    def examples(self, body: UnitBody, dataset: str, rows: list[int], answer: str, form: str) -> ExamplesView:
        raise DatasetNotFoundError("this stand-in picks no examples")

    def check(self, body: UnitBody) -> CheckView:
        errors: list[CheckError] = []
        used: list[str] = []
        for where, source in _templates(body):
            try:
                tree = ENVIRONMENT.parse(source)
                found = jinja2.meta.find_undeclared_variables(tree)
                used += sorted(found - set(used), key=source.find)
            except jinja2.TemplateSyntaxError as error:
                line = source.splitlines()[error.lineno - 1] if source.splitlines() else ""
                column = max(line.rfind("{{"), 0) + 1
                errors.append(
                    {
                        "message": f"The template cannot be read: {error.message}. Look at the braces there.",
                        "line": error.lineno,
                        "column": column,
                        "where": where,
                    }
                )
        if not body["model"]:
            errors.append(
                {"message": "No model is chosen: type its name.", "line": None, "column": None, "where": "model"}
            )
        declared = body["variables"]
        names = [*used, *(name for name in declared if name not in used)]
        return {
            "errors": errors,
            "variables": [
                {
                    "name": name,
                    "type": declared.get(name, {"type": "any"})["type"],
                    "used": name in used,
                    "declared": name in declared,
                    "required": "default" not in declared.get(name, {}),
                    "example": short(declared.get(name, {}).get("default", declared.get(name, {}).get("example", ""))),
                }
                for name in names
            ],
        }

    def preview(self, body: UnitBody, dataset: str | None, row: int, endpoint: str = "") -> PreviewView:
        if dataset is not None and dataset != "triage/inbox":
            raise DatasetNotFoundError(f"there is no dataset {dataset!r}: choose another or import it")
        values: dict[str, Any] = {
            name: variable.get("default", variable.get("example"))
            for name, variable in body["variables"].items()
            if "default" in variable or "example" in variable
        }
        if dataset is not None and self.data:
            values |= self.data[row % len(self.data)]
        shown: PreviewView = {
            "messages": [],
            "values": {name: short(value) for name, value in values.items()},
            "row": row if dataset is not None else None,
            "rows": len(self.data) if dataset is not None else 0,
            "error": None,
            "estimate": None,
        }
        for at, (where, source) in enumerate(_templates(body)):
            role = body["messages"][at]["role"] if body["kind"] == "chat" else "text"
            try:
                content = ENVIRONMENT.from_string(source).render(values)
            except jinja2.TemplateError as error:
                shown["error"] = {
                    "message": f"This row cannot be rendered: {error}. Choose a dataset with that column, or give the "
                    "variable an example.",
                    "line": None,
                    "column": None,
                    "where": where,
                }
                return shown
            shown["messages"].append({"role": role, "content": content})
        return shown

    def save(self, name: str, body: UnitBody, message: str, base: str | None) -> SavedView:
        self.draft(name)
        problems = self.check(body)["errors"]
        if problems and self._units:
            first = problems[0]
            if first["line"] is None and first["where"] != "model":
                raise InvalidUnitError(first["message"], field=first["where"])
            if first["line"] is not None:
                raise TemplateError(first["message"], line=first["line"], column=first["column"])
        digest = "sha256:" + hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        versions = self._units.setdefault(name, [])
        self._drafts.pop(name, None)
        if versions and versions[-1][0]["digest"] == digest:
            return cast(SavedView, {**versions[-1][0], "created": False})
        older = [view["version"] for view, _ in versions if view["digest"] == digest]
        view: VersionView = {
            "version": f"#{len(versions) + 1}",
            "digest": digest,
            "message": message,
            "author": "ana",
            "created_at": self.now(),
            "parent": base,
            "restores": older[-1] if older else None,
            "published": None,
        }
        versions.append((view, deepcopy(body)))
        return cast(SavedView, {**view, "created": True})

    # The registry

    def _reach(self) -> None:
        if self.registry_state == "down":
            raise RegistryUnavailableError(
                "the registry at http://127.0.0.1:8765 does not answer: connection refused. Nothing was changed; "
                "start it with `pressmark serve` and try again"
            )

    def registry(self) -> RegistryView:
        self.asked.append("registry")
        if self.registry_state == "none":
            return {
                "state": "none",
                "where": "",
                "principal": None,
                "role": None,
                "message": "No registry is connected, so nothing can be published from here. Open it with one: "
                '`ws.workbench(registry=pm.Registry("http://127.0.0.1:8765"))`.',
            }
        if self.registry_state == "down":
            return {
                "state": "down",
                "where": "http://127.0.0.1:8765",
                "principal": None,
                "role": None,
                "message": "The registry does not answer: connection refused. Run `pressmark serve`, then ask again.",
            }
        return {
            "state": "connected",
            "where": "http://127.0.0.1:8765",
            "principal": "ana",
            "role": "editor",
            "message": "",
        }

    def registry_prompt(self, name: str) -> RegistryPromptView:
        self._reach()
        labels: list[LabelView] = []
        for label, history in self._labels.get(name, {}).items():
            entry = next(each for each in self._log[name] if each["label"] == label)
            labels.append(
                {
                    "label": label,
                    "version": history[-1],
                    "digest": next(v["digest"] for v, _ in self._published[name] if v["version"] == history[-1]),
                    "seq": entry["seq"],
                    "moved_at": entry["at"],
                    "moved_by": entry["actor"],
                    "reason": entry["reason"],
                    "previous": history[-2] if len(history) > 1 else None,
                }
            )
        published = [view for view, _ in reversed(self._published.get(name, []))]
        return {"name": name, "versions": published, "labels": labels, "log": list(self._log.get(name, []))}

    def gate(self, name: str, label: str, to: str) -> GateView:
        self._reach()
        target = self._target(name, to)
        history = self._labels.get(name, {}).get(label, [])
        current = history[-1] if history else None
        reasons: list[Any] = [
            {
                "code": "role",
                "sentence": "ana may move labels of support/*.",
                "next_step": "",
                "blocking": True,
                "met": True,
            },
            {
                "code": "variables",
                "sentence": "Callers of the current version give every variable that this one requires.",
                "next_step": "",
                "blocking": True,
                "met": True,
            },
            {
                "code": "response_format",
                "sentence": "The response format differs from the current version's.",
                "next_step": "Tell the owners of the services that parse the answer.",
                "blocking": False,
                "met": False,
            },
        ]
        if "evidence" in self.withheld:
            reasons.append(
                {
                    "code": "evidence",
                    "sentence": "There is no evidence for triage/basics on this version.",
                    "next_step": "Run the suite in Evaluate and submit its evidence.",
                    "blocking": True,
                    "met": False,
                }
            )
        if target is not None and target == current:
            reasons.insert(
                0,
                {
                    "code": "same",
                    "sentence": f"{label} holds {current} already.",
                    "next_step": "Choose another version.",
                    "blocking": True,
                    "met": False,
                },
            )
        reasons.append(
            {
                "code": "evaluated",
                "sentence": "cannot tell: #3 differs by −2.6 points [−7.3, 1.6] on 117 rows",
                "next_step": "",
                "blocking": False,
                "met": True,
                "verdict": "cannot tell",
            }
        )
        allowed = all(reason["met"] or not reason["blocking"] for reason in reasons)
        return {
            "name": name,
            "label": label,
            "to": to,
            "target": target,
            "current": current,
            "allowed": allowed,
            "reasons": reasons,
        }

    def _target(self, name: str, to: str) -> str | None:
        if to.startswith("v"):
            return to
        digest = next((view["digest"] for view, _ in self._units.get(name, []) if view["version"] == to), None)
        found = [view["version"] for view, _ in self._published.get(name, []) if view["digest"] == digest]
        return found[-1] if found else None

    def publish(self, name: str, version: str, reason: str) -> PublishedView:
        self._reach()
        there = self._target(name, version)
        if there is not None:
            return {"version": there, "created": False, "restores": None}
        source = next(view for view, _ in self._units[name] if view["version"] == version)
        view = cast(VersionView, {**source, "version": f"v{len(self._published.get(name, [])) + 1}", "parent": None})
        self._published.setdefault(name, []).append((view, self.unit(name, version)))
        source["published"] = view["version"]
        self._note(name, "publish", reason, f"published {view['version']}", None, None, view["version"])
        return {"version": view["version"], "created": True, "restores": None}

    def move(self, name: str, label: str, to: str, reason: str, expected: str | None) -> MovedView:
        self._reach()
        history = self._labels.setdefault(name, {}).setdefault(label, [])
        current = history[-1] if history else None
        if current != expected:
            raise ConflictError(
                f"{label} was not moved: it holds {current}, not {expected}; it moved at 14:02 (ben: hotfix). Look "
                "at it and try again",
                current=current,
            )
        if "evidence" in self.withheld and self._log.get(name):
            raise GateError(f"{label} was not moved: there is no evidence for triage/basics. Run the suite first")
        published = None if self._target(name, to) else self.publish(name, to, reason)["version"]
        after = cast(str, self._target(name, to))
        history.append(after)
        verb = f"moved {label} from {current} to {after}" if current else f"set {label} to {after}"
        entry = self._note(name, "move", reason, verb, label, current, after)
        return {"label": label, "before": current, "after": after, "published": published, "seq": entry["seq"]}

    def rollback(self, name: str, label: str, reason: str, expected: str, to: str | None = None) -> MovedView:
        self._reach()
        history = self._labels[name][label]
        if history[-1] != expected:
            raise ConflictError(
                f"{label} was not rolled back: it holds {history[-1]}, not {expected}. Look and try again"
            )
        before, after = history[-1], history[-2]
        history[:] = history[:-1]
        entry = self._note(
            name, "rollback", reason, f"rolled {label} back from {before} to {after}", label, before, after
        )
        return {"label": label, "before": before, "after": after, "published": None, "seq": entry["seq"]}

    def older_entries(self, name: str, before: int) -> list[EntryView]:
        self._reach()
        return [entry for entry in self._log.get(name, []) if entry["seq"] < before][:50]

    # What the change reaches: this registry holds no prompt that feeds another, and has no clients.

    def impact(self, name: str, label: str, to: str) -> ImpactView:
        self._reach()
        alone: AffectedView = {"name": name, "outcome": "not evaluated", "suites": []}
        return {
            "name": name,
            "label": label,
            "to": to,
            "prompts": [alone],
            "edges": [],
            "source": "none",
            "sentence": "",
            "made_by": None,
            "made_at": None,
            "submitted": True,
        }

    def plan_change(self, asked: ChangeAsked) -> ChangePlanView:
        raise InvalidUnitError("nothing can be evaluated for a label here: this registry is only in memory")

    def evaluate_change(self, asked: ChangeAsked, on_progress: Callable[[ChangeProgressView], None]) -> None:
        self.plan_change(asked)

    def cancel_change(self) -> None:
        pass

    def submit_evidence(self, name: str, label: str, to: str, reason: str) -> SubmittedView:
        raise InvalidUnitError("no evidence was submitted: this registry is only in memory")

    def follow(self, name: str, label: str) -> None:
        pass

    def client(self) -> ClientView | None:
        return None

    def _note(
        self, name: str, kind: str, reason: str, sentence: str, label: str | None, before: str | None, after: str | None
    ) -> EntryView:
        entry: EntryView = {
            "seq": next(self._seq),
            "kind": kind,
            "at": self.now(),
            "actor": "ana",
            "reason": reason,
            "sentence": sentence,
            "label": label,
            "before": before,
            "after": after,
        }
        self._log.setdefault(name, []).insert(0, entry)
        return entry


def _templates(body: UnitBody) -> list[tuple[str, str]]:
    if body["kind"] == "text":
        return [("text", body["text"])]
    return [
        (f"messages.{at}", message["content"] if isinstance(message.get("content"), str) else "")
        for at, message in enumerate(body["messages"])
    ]
