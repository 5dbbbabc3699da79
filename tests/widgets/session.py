"""A workspace and registry in memory, behind the protocol that the workbench speaks: for tests and the harness page."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import random
import re
import threading
import time
from collections.abc import Callable, Sequence
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
    RunNotFoundError,
    TemplateError,
    VersionNotFoundError,
    WorkspaceError,
)
from pressmark.widgets.protocols import (
    AffectedView,
    AskingView,
    CellView,
    Change,
    ChangeAsked,
    ChangePlanView,
    ChangeProgressView,
    CheckError,
    CheckView,
    ClientView,
    CompactedView,
    ComparisonView,
    CorrectedView,
    DatasetView,
    DeletionView,
    DraftView,
    EndpointView,
    EntryView,
    EstimateView,
    ExampleRowsView,
    ExamplesView,
    GateView,
    ImpactView,
    LabelView,
    MovedView,
    OrderView,
    OverrideView,
    PreviewView,
    PromptView,
    PublishedView,
    RegistryPromptView,
    RegistryView,
    RowView,
    RunProgress,
    SavedView,
    ScorerView,
    SliceView,
    StandingsView,
    SubmittedView,
    SuiteView,
    TryView,
    UnitBody,
    VersionView,
)

from .ratings import MemoryRatings

NAME = re.compile(r"^[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*$")
ENVIRONMENT = jinja2.sandbox.ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)

CATEGORIES = ("billing", "delivery", "returns", "account", "technical")
OPENINGS = (
    "My parcel with order {order} was due on Monday and the tracking page has not moved since.",
    "You charged me twice for {order}. I need one of the two payments back this week.",
    "I cannot sign in any more: the reset mail never arrives, not even in spam.",
    "The kettle from {order} leaks at the handle. Do I send it back or do you collect it?",
    "How do I change the address on my invoices? The form only lets me edit the delivery address.",
    "The app closes by itself as soon as I open the basket. Android 15, newest version.",
    "Wrong size delivered with {order}, I ordered 42 and got 44. What now?",
)


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


FIRST = "You sort messages to the support desk of a web shop.\nAnswer with the category only."
SECOND = (
    "You sort messages to the support desk of a web shop.\n"
    "Answer with one category only: billing, delivery, returns, account, technical.\n"
    "Where two fit, take the one that has to be dealt with first."
)
THIRD = (
    "You sort messages to the support desk of a web shop.\n\n"
    "{% for category in categories %}\n- {{ category }}\n{% endfor %}\n\n"
    'Answer with JSON: {"category": ..., "urgent": true or false, "order": the number or null}.\n'
    "Where two fit, take the one that has to be dealt with first."
)
SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "triage",
        "schema": {
            "type": "object",
            "properties": {"category": {"enum": list(CATEGORIES)}, "urgent": {"type": "boolean"}},
            "required": ["category"],
        },
    },
}


class MemorySession(MemoryRatings):
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
        self.data = _rows(rows, hostile) if prompts else []
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
                {"row": at, "values": {name: _short(value) for name, value in self.data[at].items()}, "held": False}
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
                    "example": _short(declared.get(name, {}).get("default", declared.get(name, {}).get("example", ""))),
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
            "values": {name: _short(value) for name, value in values.items()},
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

    # Evaluating

    def datasets(self) -> list[DatasetView]:
        if not self.with_data:
            return []
        return [{"name": "triage/inbox", "rows": len(self.data), "columns": ["channel", "text", "category"]}]

    def suites(self) -> list[SuiteView]:
        if not self.with_data:
            return []
        return [
            {
                "name": "triage/basics",
                "dataset": "triage/inbox",
                "rows": len(self.data),
                "scorers": [
                    _scorer("category", primary=True, column="category"),
                    _scorer("valid_json"),
                    _scorer("latency", kind="measurement", direction="lower", unit="s"),
                ],
                "slice": "channel",
                "publishable": True,
                "why_not": None,
            }
        ]

    def endpoints(self) -> list[EndpointView]:
        return [
            {
                "name": "practice",
                "base_url": "http://127.0.0.1:8901/v1",
                "key_env": None,
                "key_present": True,
                "practice": True,
                "models": ["practice-1"],
            },
            {
                "name": "openai",
                "base_url": "https://api.openai.com/v1",
                "key_env": "OPENAI_API_KEY",
                "key_present": False,
                "practice": False,
                "models": [],
            },
            {
                "name": "wrong",
                "base_url": "http://127.0.0.1:1/v1",
                "key_env": None,
                "key_present": True,
                "practice": False,
                "models": [],
            },
        ]

    def derive(self, name: str, override: OverrideView) -> str:
        self.unit(name, override["of"])
        if not override["model"] and not override["params"]:
            raise InvalidUnitError(f"{override['of']} asks for exactly that already: change its model or a parameter")
        told = json.dumps([override["model"], override["params"]], sort_keys=True)
        return f"{override['of']}*{hashlib.sha256(told.encode()).hexdigest()[:4]}"

    def keep(self, name: str, version: str) -> str:
        body = self.unit(name, version.partition("*")[0])
        return self.save(name, {**body, "model": "practice-2"}, "kept", None)["version"]

    def estimate(
        self,
        name: str,
        versions: Sequence[str],
        suite: str,
        endpoint: str,
        asking: AskingView | None = None,
        pause: Callable[[], None] = lambda: None,
    ) -> EstimateView:
        if self.refuses:
            raise InvalidUnitError(self.refuses)
        calls = len(self.data) * len(versions) * (asking["repeats"] if asking else 1)
        done = {tuple(run.versions) for run in self._runs.values() if run.status == "done"}
        cached = calls if tuple(versions) in done else 0
        return {
            "rows": len(self.data),
            "calls": calls,
            "cached": cached,
            "cost": None if endpoint == "openai" else 0.0,
            "judge_calls": 0,
            "unrendered": 0,
            "tokens_in": 96 * (calls - cached),
            "tokens_out": 12 * (calls - cached),
            "seconds": 0.05 * (calls - cached),
            "basis": "recorded use of 480 answers",
            "smallest": 0.09,
            "smallest_from": "by the spread of 240 rows in an earlier run",
        }

    def start_run(
        self,
        name: str,
        versions: Sequence[str],
        suite: str,
        endpoint: str,
        on_progress: Callable[[RunProgress], None],
        asking: AskingView | None = None,
    ) -> str:
        for version in versions:
            self.unit(name, version.partition("*")[0])
        if not self.data:
            raise InvalidUnitError(f"nothing was run: the dataset of {suite} has no rows; import rows first")
        if endpoint == "openai":
            raise InvalidUnitError(
                "nothing was run: endpoint 'openai' has no key, because OPENAI_API_KEY is not set; set it, restart"
            )
        run = MemoryRun(f"run-{len(self._runs) + 1}", name, list(versions), suite, endpoint, self, on_progress)
        self._runs[run.id] = run
        run.thread.start()
        return run.id

    def resume_run(
        self,
        run: str,
        endpoint: str,
        on_progress: Callable[[RunProgress], None],
        asking: AskingView | None = None,
    ) -> str:
        before = self._run(run)
        if before.status == "failed" or endpoint != before.endpoint:
            return self.start_run(before.name, before.versions, before.suite, endpoint, on_progress, asking)
        self.stops_at = None
        before.go_on(on_progress)
        return run

    def standings(self, run: str, scorer: str) -> StandingsView:
        found = self._run(run)
        edges = [at / 20 for at in range(21)]
        items: list[Any] = []
        for version in found.versions:
            cells = [cells[version] for cells in list(found.answers.values()) if version in cells]
            values = [cell["scores"][scorer] for cell in cells if cell["scores"].get(scorer) is not None]
            bins = [0] * 20
            for value in values:
                bins[min(int(value * 20), 19)] += 1
            if values:
                mean = sum(values) / len(values)
                half = 1.96 * math.sqrt(mean * abs(1 - mean) / len(values))
                told = {"version": version, "n": len(values), "mean": mean, "low": mean - half, "high": mean + half}
                items.append(told | {"bins": bins, "cost": 0.0002 * len(version) * (1 + len(items)), "front": True})
        return {"scorer": scorer, "edges": edges, "items": items}

    def correct_row(self, run: str, row: int, values: dict[str, str], message: str) -> CorrectedView:
        before = {name: self.data[row][name] for name in values}
        if before == values:
            raise InvalidUnitError(f"row {row} of triage/inbox holds that already: nothing was changed")
        self.data[row] = {**self.data[row], **values}
        return {
            "dataset": "triage/inbox",
            "row": row,
            "note": "version 2; 240 → 240 rows",
            "changes": {name: [before[name], value] for name, value in values.items()},
            "suites": ["triage/basics"],
        }

    def move_suites(self, dataset: str, suites: Sequence[str]) -> list[str]:
        return list(suites)

    def cancel_run(self, run: str) -> None:
        self._run(run).stop.set()

    def _run(self, run: str) -> MemoryRun:
        if run not in self._runs:
            raise RunNotFoundError(f"there is no run {run!r} in this workspace: choose one from the list")
        return self._runs[run]

    def runs(self, name: str) -> list[RunProgress]:
        return [run.progress() for run in reversed(self._runs.values()) if run.name == name]

    def run(self, run: str) -> RunProgress:
        return self._run(run).progress()

    def run_suite(self, run: str) -> SuiteView:
        return self.suites()[0]

    def run_order(
        self,
        run: str,
        baseline: str,
        candidate: str,
        scorer: str,
        filter: str,
        sort: str,
        search: str,
        slice: str | None = None,
    ) -> OrderView:
        found = self._run(run)
        needle = search.lower()
        numbers = [
            at
            for at in range(len(self.data))
            if (slice is None or self.data[at]["channel"] == slice)
            and any(
                needle in str(text).lower()
                for text in (*self.data[at].values(), *(cell["output"] for cell in found.answers.get(at, {}).values()))
            )
        ]
        changes = {at: self._row_change(found, at, baseline, candidate, scorer) for at in numbers}
        kinds = {
            "all": numbers,
            "flipped": [at for at in numbers if changes[at] in ("better", "worse")],
            "better": [at for at in numbers if changes[at] == "better"],
            "worse": [at for at in numbers if changes[at] == "worse"],
            "errors": [at for at in numbers if changes[at] == "error"],
        }
        rank = {"worse": 0, "better": 1, "error": 2, "same": 3, "pending": 4}
        rows = kinds[filter]
        if sort != "row":
            rows = sorted(rows, key=lambda at: (rank[changes[at]], at))
        return {"rows": rows, "counts": {kind: len(those) for kind, those in kinds.items()}}

    def _row_change(self, run: MemoryRun, at: int, baseline: str, candidate: str, scorer: str) -> str:
        cells = run.answers.get(at, {})
        if any(cell["error"] for cell in cells.values()):
            return "error"
        return self._change(cells.get(baseline), cells.get(candidate), scorer) or "same"

    def _change(self, left: CellView | None, right: CellView | None, scorer: str) -> Any:
        if left is None or right is None:
            return "pending"
        a, b = left["scores"].get(scorer), right["scores"].get(scorer)
        if a is None or b is None:
            return "error"
        if math.isclose(a, b):
            return "same"
        return "better" if (b > a) != (scorer == "latency") else "worse"

    def run_rows(self, run: str, rows: Sequence[int], baseline: str, scorer: str) -> list[RowView]:
        return [self._row(run, at, baseline, scorer, 200) for at in rows]

    def run_row(self, run: str, row: int, baseline: str, scorer: str) -> RowView:
        return self._row(run, row, baseline, scorer, None)

    def _row(self, run: str, at: int, baseline: str, scorer: str, limit: int | None) -> RowView:
        found = self._run(run)
        cells: dict[str, CellView] = {}
        for version in found.versions:
            cell = found.answers.get(at, {}).get(version)
            if cell is None:
                cell = _pending_cell()
            else:
                change = None if version == baseline else self._change(found.answers[at].get(baseline), cell, scorer)
                cell = cast(CellView, {**cell, "change": change})
                if limit is None:
                    cell["request"] = [
                        {"role": "system", "content": SECOND},
                        {"role": "user", "content": self.data[at]["text"]},
                    ]
                    cell["score_errors"] = {}
                    cell["full"] = {
                        "settings": json.dumps({"model": "practice-1", "temperature": 0}, indent=2),
                        "ttft": 0.08,
                        "finish_reason": "stop",
                        "attempts": 1,
                        "tool_calls": "",
                        "repeats": [],
                        "judgements": [],
                        "upstream": [],
                    }
                else:
                    cell["cut"] = len(cell["output"]) > limit * 2
                    cell["output"] = cell["output"][: limit * 2]
            cells[version] = cell
        values = {name: str(value)[:limit] for name, value in self.data[at].items()}
        return {"row": at, "values": values, "inputs": ["channel", "text"], "cells": cells}

    def comparison(
        self, run: str, baseline: str, candidate: str, scorer: str, part: str | None = None
    ) -> ComparisonView:
        found = self._run(run)
        pairs = [
            (cells[baseline]["scores"][scorer], cells[candidate]["scores"][scorer])
            for at, cells in list(found.answers.items())
            if (part is None or self.data[at]["channel"] == part)
            and baseline in cells
            and candidate in cells
            and not cells[baseline]["error"]
            and not cells[candidate]["error"]
        ]
        pairs = [(a, b) for a, b in pairs if a is not None and b is not None]
        differences = [b - a for a, b in pairs]
        sign = -1 if scorer == "latency" else 1
        n = len(pairs)
        up, down = sum(d * sign > 1e-9 for d in differences), sum(d * sign < -1e-9 for d in differences)
        view: ComparisonView = {
            "baseline": baseline,
            "candidate": candidate,
            "scorer": scorer,
            "sentence": f"{n} of at least 30 rows are answered: too few to say anything",
            "verdict": None,
            "difference": None,
            "low": None,
            "high": None,
            "n": n,
            "up": up,
            "down": down,
            "same": n - up - down,
            "baseline_mean": None,
            "candidate_mean": None,
            "provisional": found.status == "running",
            "rows_needed": None,
            "test": "paired t",
            "guards": [],
            "slices": [],
        }
        if n < 30:
            return view
        mean = sum(differences) / n
        half = 1.97 * math.sqrt(sum((d - mean) ** 2 for d in differences) / (n - 1) / n)
        verdict = "cannot tell" if abs(mean) <= half else ("better" if mean * sign > 0 else "worse")
        amount = f"{abs(mean) * 100:.1f} points" if scorer != "latency" else f"{abs(mean):.3f} s"
        ends = [mean - half, mean + half] if scorer == "latency" else [(mean - half) * 100, (mean + half) * 100]
        told = (
            f"{candidate} {verdict} by {amount}"
            if verdict != "cannot tell"
            else f"Cannot tell {candidate} from {baseline}"
        )
        interval = f"[{ends[0]:.3g}, {ends[1]:.3g}]".replace("-", "−")
        view |= {
            "sentence": f"{told} {interval} on {n} rows: {up} up, {down} down, {n - up - down} same",
            "verdict": verdict,  # type: ignore[typeddict-item]
            "difference": mean,
            "low": mean - half,
            "high": mean + half,
            "baseline_mean": sum(a for a, _ in pairs) / n,
            "candidate_mean": sum(b for _, b in pairs) / n,
            "rows_needed": 1240 if verdict == "cannot tell" else None,
        }
        if part is None and not view["provisional"]:
            view["slices"] = [self._slice(run, baseline, candidate, scorer, name) for name in ("chat", "form", "mail")]
        if scorer == "category" and part is None:
            for guard in ("valid_json", "latency"):
                against = self.comparison(run, baseline, candidate, guard)
                view["guards"].append({"scorer": guard, "verdict": against["verdict"], "sentence": against["sentence"]})
        return view

    def _slice(self, run: str, baseline: str, candidate: str, scorer: str, name: str) -> SliceView:
        told = self.comparison(run, baseline, candidate, scorer, name)
        return {
            "name": name,
            "verdict": told["verdict"] or "cannot tell",
            "difference": told["difference"] or 0.0,
            "low": told["low"],
            "high": told["high"],
            "n": told["n"],
            "p": 0.04,
        }

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


class MemoryRun:
    """A run that answers by itself: each version is right more often than the one before."""

    def __init__(
        self,
        id: str,
        name: str,
        versions: list[str],
        suite: str,
        endpoint: str,
        session: MemorySession,
        on_progress: Callable[[RunProgress], None],
    ) -> None:
        self.id, self.name, self.versions, self.suite, self.endpoint = id, name, versions, suite, endpoint
        self.session = session
        self.on_progress = on_progress
        self.answers: dict[int, dict[str, CellView]] = {}
        self.status = "running"
        self.done = self.errors = 0
        self.stop = threading.Event()
        self.began = time.monotonic()
        self.started_at = session.now()
        self.thread = threading.Thread(target=self._work, daemon=True)

    def progress(self) -> RunProgress:
        elapsed = time.monotonic() - self.began
        total = len(self.session.data) * len(self.versions)
        rate = self.done / elapsed if elapsed > 0.2 and self.status == "running" else None
        return {
            "run": self.id,
            "status": self.status,  # type: ignore[typeddict-item]
            "name": self.name,
            "versions": self.versions,
            "suite": self.suite,
            "endpoint": self.endpoint,
            "done": self.done,
            "total": total,
            "errors": self.errors,
            "cached": 0,
            "rate": rate,
            "seconds_left": (total - self.done) / rate if rate else None,
            "cost": self.done * 0.00021,
            "elapsed": elapsed,
            "started_at": self.started_at,
            "error": "nothing answers at http://127.0.0.1:1/v1: start the server, or correct the address"
            if self.status == "failed"
            else None,
            "details": "All connection attempts failed" if self.status == "failed" else None,
            "note": "the run stopped by itself: the rows so far tell #3 from #2" if self.status == "stopped" else None,
        }

    def go_on(self, on_progress: Callable[[RunProgress], None]) -> None:
        """Answers what is missing, in a thread again."""
        self.on_progress, self.status, self.began = on_progress, "running", time.monotonic()
        self.stop.clear()
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _work(self) -> None:
        if self.endpoint == "wrong":
            self.status = "failed"
            self.on_progress(self.progress())
            return
        for at in range(len(self.session.data)):
            if at == self.session.stops_at:
                self.status = "stopped"
                break
            known = self.answers.get(at, {})
            for version in self.versions:
                if version in known and not known[version]["error"]:
                    continue
                if version in known:
                    self.done, self.errors = self.done - 1, self.errors - 1
                cell = self._answer(at, version)
                self.answers.setdefault(at, {})[version] = cell
                self.done += 1
                self.errors += cell["error"] is not None
            if self.session.delay:
                self.on_progress(self.progress())
            if self.stop.wait(self.session.delay) if self.session.delay else self.stop.is_set():
                self.status = "cancelled"
                break
        else:
            self.status = "done"
        self.on_progress(self.progress())

    def _answer(self, at: int, version: str) -> CellView:
        dice = random.Random(f"{at}/{version}")
        right = random.Random(at).random() < 0.62 or dice.random() < 0.2 * int(version[1:2])
        wanted = self.session.data[at]["category"]
        category = wanted if right else CATEGORIES[(CATEGORIES.index(wanted) + 1) % len(CATEGORIES)]
        json_asked = version >= "#3"
        output = category
        if json_asked:
            output = json.dumps({"category": category, "urgent": at % 3 == 0, "order": None})
        if self.session.hostile:
            output = f"<img src=x onerror=\"window.hacked='output'\"><script>window.hacked='script'</script>{output}"
        failed = dice.random() < 0.012
        return {
            "output": "" if failed else output,
            "cut": False,
            "error": "The endpoint answered 429 five times: too many requests. Lower concurrency and run again."
            if failed
            else None,
            "pending": False,
            "scores": {}
            if failed
            else {"category": float(right), "valid_json": float(json_asked), "latency": 0.2 + dice.random() * 0.3},
            "change": None,
            "tokens_in": 96,
            "tokens_out": 4 if not json_asked else 21,
            "cost": 0.00021,
            "latency": 0.31,
            "cached": False,
            "model": "practice-1",
        }


def _scorer(name: str, **changes: Any) -> ScorerView:
    told = {"name": name, "kind": "score", "direction": "higher", "unit": "", "primary": False, "column": None}
    return cast(ScorerView, told | changes)


def _pending_cell() -> CellView:
    return {
        "output": "",
        "cut": False,
        "error": None,
        "pending": True,
        "scores": {},
        "change": "pending",
        "tokens_in": None,
        "tokens_out": None,
        "cost": None,
        "latency": None,
        "cached": False,
        "model": None,
    }


def _templates(body: UnitBody) -> list[tuple[str, str]]:
    if body["kind"] == "text":
        return [("text", body["text"])]
    return [
        (f"messages.{at}", message["content"] if isinstance(message.get("content"), str) else "")
        for at, message in enumerate(body["messages"])
    ]


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text[:200]


def _rows(count: int, hostile: bool) -> list[dict[str, str]]:
    rows = []
    for at in range(count):
        dice = random.Random(at)
        text = OPENINGS[at % len(OPENINGS)].format(order=f"A{10_000 + at * 7}")
        if hostile:
            text = f"<script>window.hacked='input'</script><b onclick=\"window.hacked='b'\">{text}</b>"
        rows.append(
            {
                "channel": ("mail", "chat", "form")[at % 3],
                "text": text,
                "category": CATEGORIES[dice.randrange(len(CATEGORIES))],
            }
        )
    return rows
